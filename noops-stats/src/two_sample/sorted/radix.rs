/// The keys in ascending order.
///
/// One counting pass over the highest bits in which any two keys differ puts them into buckets that fit into a cache; each
/// is then sorted by itself, by two stable counting passes over the next bits and a comparison sort of the runs that those
/// leave equal. Continuous values are almost all told apart by so many bits; where they are not, the runs cost what a
/// comparison sort of them costs and no more.
///
/// Only the first pass writes all over the memory, and it takes the keys as they come.
pub(super) fn sorted(keys: impl Iterator<Item = u64> + Clone) -> Vec<u64> {
    let count = keys.clone().count();
    if count < WORTH_COUNTING || u32::try_from(count).is_err() {
        let mut sorted: Vec<u64> = keys.collect();
        sorted.sort_unstable();
        return sorted;
    }
    let bits = count.ilog2().saturating_sub(BITS_LEFT).min(MOST_BITS);
    let shift = (u64::BITS - varying_bits(keys.clone()).leading_zeros()).saturating_sub(bits);
    let bucket_of = |key: u64| (key >> shift) as usize & ((1 << bits) - 1);
    let mut counts = vec![0; 1 << bits];
    let mut sorted = vec![0; count];
    let largest = scatter(keys, &mut sorted, &mut counts, bucket_of);
    if shift > 0 {
        let mut scratch = vec![0; largest];
        let mut rest = sorted.as_mut_slice();
        let mut start = 0;
        // What was counted is now where each bucket ends.
        for end in counts {
            let (bucket, after) = rest.split_at_mut((end - start) as usize);
            sort_bucket(bucket, &mut scratch, shift);
            rest = after;
            start = end;
        }
    }
    sorted
}

/// The bits in which the keys are not all the same.
fn varying_bits(keys: impl Iterator<Item = u64>) -> u64 {
    let (any, all) = keys.fold((0, u64::MAX), |(any, all), key| (any | key, all & key));
    any & !all
}

/// Moves every key to the place its digit has in the order, equal digits in the order they came; the most keys of a digit.
#[inline]
fn scatter(
    keys: impl Iterator<Item = u64> + Clone,
    to: &mut [u64],
    counts: &mut [u32],
    digit_of: impl Fn(u64) -> usize,
) -> usize {
    keys.clone().for_each(|key| {
        if let Some(count) = counts.get_mut(digit_of(key)) {
            *count += 1;
        }
    });
    let (mut start, mut most) = (0, 0);
    for count in counts.iter_mut() {
        most = most.max(*count);
        (*count, start) = (start, start + *count);
    }
    keys.for_each(|key| {
        if let Some(place) = counts.get_mut(digit_of(key)) {
            if let Some(slot) = to.get_mut(*place as usize) {
                *slot = key;
            }
            *place += 1;
        }
    });
    most as usize
}

/// Sorts keys that are equal from the bit `shift` on.
fn sort_bucket(bucket: &mut [u64], scratch: &mut [u64], shift: u32) {
    if bucket.len() < WORTH_TWO_PASSES {
        bucket.sort_unstable();
        return;
    }
    let Some(scratch) = scratch.get_mut(..bucket.len()) else {
        return;
    };
    // With fewer than two digits left the passes overlap, which does no harm.
    let high = shift.saturating_sub(DIGIT_BITS);
    let low = high.saturating_sub(DIGIT_BITS);
    let digit = |shift: u32| move |key: u64| (key >> shift) as usize & (DIGITS - 1);
    scatter(
        bucket.iter().copied(),
        scratch,
        &mut [0; DIGITS],
        digit(low),
    );
    scatter(
        scratch.iter().copied(),
        bucket,
        &mut [0; DIGITS],
        digit(high),
    );
    if low > 0 {
        sort_runs(bucket, low);
    }
}

/// Sorts each run of keys that are equal from the bit `shift` on.
fn sort_runs(keys: &mut [u64], shift: u32) {
    for run in keys.chunk_by_mut(|a, b| a >> shift == b >> shift) {
        if let [first, second] = run {
            if second < first {
                std::mem::swap(first, second);
            }
        } else if run.len() > 2 {
            run.sort_unstable();
        }
    }
}

/// Below this many keys the counts cost more than a comparison sort.
const WORTH_COUNTING: usize = 1_024;
/// Sign, exponent and four bits of the mantissa, where many values of both signs are sorted; for few values fewer bits, so
/// that there are fewer buckets than values.
const MOST_BITS: u32 = 16;
const BITS_LEFT: u32 = 2;
/// The same for a bucket.
const WORTH_TWO_PASSES: usize = 192;
const DIGIT_BITS: u32 = 8;
const DIGITS: usize = 1 << DIGIT_BITS;
