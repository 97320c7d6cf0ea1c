/// Sorts keys in ascending order.
///
/// Stable counting passes over the [`SORTED_BITS`] bits below the highest bit in which any two keys differ, then a
/// comparison sort of each run that those bits leave equal. Continuous values are almost all told apart by so many
/// bits; where they are not, the runs cost what a comparison sort of them costs and no more.
pub(super) fn sort(keys: &mut Vec<u64>) {
    if keys.len() < WORTH_COUNTING {
        keys.sort_unstable();
        return;
    }
    let varying = varying_bits(keys);
    let shift = (u64::BITS - varying.leading_zeros()).saturating_sub(SORTED_BITS);
    let mut histograms = [[0_usize; DIGITS]; PASSES];
    for &key in keys.iter() {
        for (pass, histogram) in histograms.iter_mut().enumerate() {
            if let Some(count) = histogram.get_mut(digit(key, shift, pass)) {
                *count += 1;
            }
        }
    }
    let mut sorted = vec![0_u64; keys.len()];
    for (pass, histogram) in histograms.iter_mut().enumerate() {
        if histogram.contains(&keys.len()) {
            continue;
        }
        scatter(keys, &mut sorted, histogram, |key| digit(key, shift, pass));
        std::mem::swap(keys, &mut sorted);
    }
    if varying & ((1 << shift) - 1) != 0 {
        sort_runs(keys, shift);
    }
}

/// The bits in which the keys are not all the same.
fn varying_bits(keys: &[u64]) -> u64 {
    let first = keys.first().copied().unwrap_or(0);
    keys.iter().fold(0, |bits, key| bits | (key ^ first))
}

#[inline]
fn digit(key: u64, shift: u32, pass: usize) -> usize {
    (key >> (shift + DIGIT_BITS * pass as u32)) as usize & (DIGITS - 1)
}

/// Moves every key to the place its digit has in the order, equal digits in the order they came.
#[inline]
fn scatter(
    from: &[u64],
    to: &mut [u64],
    counts: &mut [usize; DIGITS],
    digit_of: impl Fn(u64) -> usize,
) {
    let mut start = 0;
    for count in counts.iter_mut() {
        (*count, start) = (start, start + *count);
    }
    for &key in from {
        let Some(place) = counts.get_mut(digit_of(key)) else {
            continue;
        };
        if let Some(slot) = to.get_mut(*place) {
            *slot = key;
        }
        *place += 1;
    }
}

/// Sorts each run of keys that are equal above `shift`.
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

/// Below this many keys the histograms cost more than a comparison sort.
const WORTH_COUNTING: usize = 4_096;
const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;
const PASSES: usize = 3;
/// Sign, exponent and 21 bits of the mantissa, where values of both signs are sorted.
const SORTED_BITS: u32 = DIGIT_BITS * PASSES as u32;
