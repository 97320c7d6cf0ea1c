use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// How often each finite number has been seen: all of them, or cut to at most so many buckets of near numbers.
///
/// A number is known by its bits, arranged so that they ascend with it. With a limit, the lowest bits are dropped as soon as there are
/// more distinct numbers than that, one more each time, and equal ones are joined. How many bits are dropped in the end is the least that
/// leaves no more buckets than the limit: it depends on which numbers were seen and on nothing else. So any split of the rows, in any
/// order and merged in any order, gives the same buckets, and the counts at their bounds are exact.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(super) struct Runs {
    limit: Option<usize>,
    dropped_bits: u32,
    /// Ascending buckets and their counts.
    buckets: Vec<(u64, u64)>,
    /// All bits of the smallest and of the largest number in the buckets.
    ends: Option<(u64, u64)>,
    /// Numbers that are in no bucket yet.
    pending: Vec<u64>,
}

/// Numbers between two bounds, both included; one number while no bits are dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) count: u64,
}

impl Runs {
    pub(super) fn new(limit: Option<usize>) -> Self {
        Self {
            // Two at least: bits cannot be dropped until both signs are one bucket.
            limit: limit.map(|limit| limit.max(2)),
            dropped_bits: 0,
            buckets: Vec::new(),
            ends: None,
            pending: Vec::new(),
        }
    }

    /// Adds a finite number.
    pub(super) fn push(&mut self, value: f64) {
        self.pending.push(ascending_bits(value));
        // As many as there are buckets, so that merging costs no more than sorting and memory grows with distinct numbers only.
        if self.pending.len() >= self.buckets.len().max(SORTED_AT_ONCE) {
            self.settle();
        }
    }

    /// Adds what another has seen; both have the same limit.
    pub(super) fn merge(&mut self, other: &Self) {
        self.settle();
        let other = other.settled();
        self.coarsen(other.dropped_bits);
        let coarser = self.dropped_bits.saturating_sub(other.dropped_bits);
        self.reach(other.ends);
        self.add(
            other
                .buckets
                .iter()
                .map(|(bucket, count)| (bucket >> coarser, *count)),
        );
    }

    /// Whether every bucket is one number.
    pub(super) fn is_exact(&self) -> bool {
        self.dropped_bits == 0
    }

    /// Sorts what was pushed last into the buckets.
    pub(super) fn settle(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_unstable();
        self.reach(pending.first().copied().zip(pending.last().copied()));
        let dropped = self.dropped_bits;
        self.add(
            pending
                .chunk_by(|a, b| a >> dropped == b >> dropped)
                .filter_map(|run| run.first().map(|bits| (bits >> dropped, run.len() as u64))),
        );
        pending.clear();
        self.pending = pending;
    }

    /// How many numbers there are, also when a counter is full.
    pub(super) fn total(&self) -> u128 {
        self.buckets
            .iter()
            .map(|(_, count)| u128::from(*count))
            .sum::<u128>()
            + self.pending.len() as u128
    }

    /// The buckets, ascending.
    pub(super) fn runs(&self) -> impl Iterator<Item = Run> + Clone {
        let dropped = self.dropped_bits;
        let (least, most) = self.ends.unwrap_or((0, u64::MAX));
        self.buckets.iter().map(move |(bucket, count)| {
            let low = bucket << dropped;
            let high = low | ((1_u64 << dropped) - 1);
            // No number has the bits of -0, and as a bound it would also take 0, which is in the next bucket.
            let high = if high == NEGATIVE_ZERO {
                high - 1
            } else {
                high
            };
            // The outer buckets also have room for infinities and NaN: they end where the numbers do.
            Run {
                low: number(low.max(least)),
                high: number(high.min(most)),
                count: *count,
            }
        })
    }

    /// The first contradiction in stored buckets, which are to be of a builder with this limit.
    pub(super) fn contradiction(&self, limit: Option<usize>) -> Option<&'static str> {
        if self.limit != Self::new(limit).limit {
            return Some("the limit is not that of the settings");
        }
        let ascending = self.buckets.is_sorted_by(|a, b| a.0 < b.0);
        if self.dropped_bits >= 64 || !ascending {
            return Some("the buckets are not ascending");
        }
        if self.buckets.iter().any(|(_, count)| *count == 0) {
            return Some("a bucket is empty");
        }
        let first = self.buckets.first().map(|(bucket, _)| *bucket);
        let last = self.buckets.last().map(|(bucket, _)| *bucket);
        let of_ends = self
            .ends
            .map(|(least, most)| (least >> self.dropped_bits, most >> self.dropped_bits));
        let ordered = self.ends.is_none_or(|(least, most)| least <= most);
        if of_ends != first.zip(last) || !ordered {
            return Some("the smallest or the largest number is not in an outer bucket");
        }
        let fits = self
            .buckets
            .iter()
            .all(|(bucket, _)| bucket.leading_zeros() >= self.dropped_bits);
        let numbers = self.runs().all(|run| {
            let zero_below_zero = run.low == 0.0 && run.low.is_sign_negative();
            run.low.is_finite() && run.high.is_finite() && !zero_below_zero
        });
        if !fits || !numbers {
            return Some("a bucket is not of finite numbers");
        }
        match self.limit {
            Some(limit) if self.buckets.len() > limit => {
                Some("there are more buckets than the limit")
            }
            _ => None,
        }
    }

    fn settled(&self) -> Cow<'_, Self> {
        if self.pending.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut settled = self.clone();
        settled.settle();
        Cow::Owned(settled)
    }

    fn reach(&mut self, ends: Option<(u64, u64)>) {
        self.ends = match (self.ends, ends) {
            (Some((least, most)), Some((less, more))) => Some((least.min(less), most.max(more))),
            (ends, None) | (None, ends) => ends,
        };
    }

    /// Adds ascending buckets of the same width.
    fn add(&mut self, more: impl Iterator<Item = (u64, u64)>) {
        self.buckets.extend(more);
        // Two ascending lists: the sort finds and merges them.
        self.buckets.sort_by_key(|(bucket, _)| *bucket);
        self.join_equal();
        if let Some(limit) = self.limit {
            while self.buckets.len() > limit {
                self.coarsen(self.dropped_bits + 1);
            }
        }
    }

    fn coarsen(&mut self, dropped_bits: u32) {
        let more = dropped_bits.saturating_sub(self.dropped_bits);
        if more > 0 {
            self.buckets
                .iter_mut()
                .for_each(|(bucket, _)| *bucket >>= more);
            self.dropped_bits += more;
            self.join_equal();
        }
    }

    fn join_equal(&mut self) {
        self.buckets.dedup_by(|next, kept| {
            let equal = next.0 == kept.0;
            if equal {
                kept.1 = kept.1.saturating_add(next.1);
            }
            equal
        });
    }
}

/// Whether the same numbers were seen; what is in a bucket already does not matter.
impl PartialEq for Runs {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.settled(), other.settled());
        (one.limit, one.dropped_bits, one.ends) == (other.limit, other.dropped_bits, other.ends)
            && one.buckets == other.buckets
    }
}

/// What is stored: everything that was seen, in buckets.
#[derive(Serialize, Deserialize)]
struct Stored {
    limit: Option<usize>,
    dropped_bits: u32,
    buckets: Vec<(u64, u64)>,
    ends: Option<(u64, u64)>,
}

impl From<Runs> for Stored {
    fn from(mut runs: Runs) -> Self {
        runs.settle();
        Self {
            limit: runs.limit,
            dropped_bits: runs.dropped_bits,
            buckets: runs.buckets,
            ends: runs.ends,
        }
    }
}

impl From<Stored> for Runs {
    fn from(stored: Stored) -> Self {
        Self {
            limit: stored.limit,
            dropped_bits: stored.dropped_bits,
            buckets: stored.buckets,
            ends: stored.ends,
            pending: Vec::new(),
        }
    }
}

/// Bits that compare as the numbers do; both zeros are one number.
fn ascending_bits(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 0 { bits | SIGN } else { !bits }
}

fn number(ascending: u64) -> f64 {
    f64::from_bits(if ascending >> 63 == 1 {
        ascending & !SIGN
    } else {
        !ascending
    })
}

const SIGN: u64 = 1 << 63;
/// The ascending bits that -0 would have.
const NEGATIVE_ZERO: u64 = SIGN - 1;
/// 32 KiB of numbers, which are sorted in the first-level cache.
const SORTED_AT_ONCE: usize = 1 << 12;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64], limit: Option<usize>) -> Runs {
        let mut runs = Runs::new(limit);
        values.iter().for_each(|value| runs.push(*value));
        runs.settle();
        runs
    }

    #[test]
    fn without_a_limit_every_number_is_its_own_run() {
        let runs: Vec<Run> = of(&[2.0, -1.0, 2.0, 0.0, -0.0], None).runs().collect();
        let expected = [(-1.0, 1), (0.0, 2), (2.0, 2)].map(|(value, count)| Run {
            low: value,
            high: value,
            count,
        });
        assert_eq!(runs, expected);
    }

    #[test]
    fn a_range_far_from_zero_keeps_its_resolution() {
        let times: Vec<f64> = (0..100_000)
            .map(|i| 1_700_000_000.0 + f64::from(i))
            .collect();
        let runs = of(&times, Some(1_024));
        let widest = runs
            .runs()
            .map(|run| run.high - run.low)
            .fold(0.0, f64::max);
        assert!(widest <= 256.0, "{widest}");
    }

    #[test]
    fn buckets_of_all_numbers_still_end_in_numbers() {
        // With two buckets one is of all negative numbers and one of all others; cut short, their bits are those of NaN.
        let values = [f64::MIN, -1.0, 0.0, 0.5, 3.0, f64::MAX];
        let runs: Vec<Run> = of(&values, Some(2)).runs().collect();
        let expected = [
            Run {
                low: f64::MIN,
                high: -f64::from_bits(1),
                count: 2,
            },
            Run {
                low: 0.0,
                high: f64::MAX,
                count: 4,
            },
        ];
        assert_eq!(runs, expected);
    }

    #[test]
    fn the_ends_are_the_smallest_and_the_largest_number_and_not_those_of_buckets() {
        let values: Vec<f64> = (0..10_000).map(|i| 100.0 + f64::from(i) / 7.0).collect();
        let runs = of(&values, Some(16));
        assert!(!runs.is_exact());
        assert_eq!(runs.runs().next().map(|run| run.low), Some(100.0));
        assert_eq!(
            runs.runs().last().map(|run| run.high),
            values.last().copied()
        );
    }

    #[test]
    fn few_distinct_numbers_take_little_memory_however_many_rows() {
        let mut runs = Runs::new(None);
        (0..1_000_000).for_each(|row| runs.push(f64::from(row % 50)));
        assert!(runs.pending.capacity() <= 2 * SORTED_AT_ONCE);
        assert!(runs.buckets.capacity() <= 4 * SORTED_AT_ONCE);
        assert_eq!(runs.total(), 1_000_000);
    }

    #[test]
    fn what_is_in_no_bucket_yet_is_stored_too() {
        let mut runs = Runs::new(None);
        [3.0, 1.0, 3.0].iter().for_each(|value| runs.push(*value));
        let stored = serde_json::to_string(&runs).unwrap();
        let read: Runs = serde_json::from_str(&stored).unwrap();
        assert_eq!((read.total(), &read), (3, &runs));
    }

    #[test]
    fn altered_buckets_are_contradictions() {
        let sound = of(&[1.0, 2.0, 4.0, -8.0], Some(3));
        assert_eq!(sound.contradiction(Some(3)), None);
        assert!(sound.contradiction(Some(4)).is_some());
        let altered = |change: &dyn Fn(&mut Runs)| {
            let mut runs = sound.clone();
            change(&mut runs);
            runs.contradiction(Some(3))
        };
        assert!(altered(&|runs| runs.limit = Some(0)).is_some());
        assert!(altered(&|runs| runs.dropped_bits = 64).is_some());
        assert!(altered(&|runs| runs.dropped_bits = 0).is_some());
        assert!(altered(&|runs| runs.buckets.reverse()).is_some());
        assert!(altered(&|runs| runs.buckets.clear()).is_some());
        assert!(altered(&|runs| runs.ends = None).is_some());
        assert!(altered(&|runs| runs.ends = Some((0, u64::MAX))).is_some());
        assert!(altered(&|runs| runs.buckets.iter_mut().for_each(|run| run.1 = 0)).is_some());
        let mut zero = of(&[-1.0], None);
        zero.buckets = vec![(NEGATIVE_ZERO, 1)];
        zero.ends = Some((NEGATIVE_ZERO, NEGATIVE_ZERO));
        assert!(zero.contradiction(None).is_some());
    }

    proptest! {
        #[test]
        fn any_split_in_any_order_gives_the_same_buckets(
            values in prop::collection::vec(prop_oneof![any::<f64>(), (-9_i32..9).prop_map(f64::from), 0.0_f64..1.0], 0..200),
            cut in 0_usize..200,
            limit in prop::option::of(1_usize..40),
        ) {
            let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
            let whole = of(&values, limit);
            let (first, second) = values.split_at(cut.min(values.len()));
            let mut backwards: Vec<f64> = second.to_vec();
            backwards.reverse();
            let mut merged = of(&backwards, limit);
            merged.merge(&of(first, limit));
            prop_assert_eq!(&merged, &whole);
            prop_assert_eq!(whole.contradiction(limit), None);
            prop_assert!(limit.is_none_or(|limit| whole.runs().count() <= limit.max(2)));
        }

        #[test]
        fn counts_at_the_bounds_are_exact(
            values in prop::collection::vec(prop_oneof![-1e3_f64..1e3, any::<f64>(), Just(0.0), Just(f64::from_bits(1)), Just(-f64::from_bits(1))], 1..200),
            limit in 1_usize..20,
        ) {
            let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
            let runs = of(&values, Some(limit));
            let mut passed = 0;
            for run in runs.runs() {
                passed += run.count;
                prop_assert!(run.low <= run.high && run.high.is_finite());
                prop_assert_eq!(values.iter().filter(|value| **value <= run.high).count() as u64, passed);
            }
        }

        #[test]
        fn bits_ascend_with_their_numbers(a in any::<f64>(), b in any::<f64>()) {
            prop_assume!(a.is_finite() && b.is_finite());
            prop_assert_eq!(a.partial_cmp(&b), Some(ascending_bits(a).cmp(&ascending_bits(b))));
            prop_assert_eq!(number(ascending_bits(a)), a);
        }
    }
}
