//! Distributions recorded on the hot path.

mod bucket;
mod snapshot;

pub use bucket::Bucket;
pub use snapshot::HistogramSnapshot;

use std::fmt;
use std::time::Duration;

use self::bucket::{BUCKETS, index_of};
use super::shards::Shards;

/// A histogram of whole numbers that many threads record into at once.
///
/// The buckets are log-linear: every octave is cut into 16 of equal width, over the whole range of `u64`, so that a value read back
/// is off by at most one part in 32, and numbers up to 32 are exact. A bucket includes its upper bound and excludes its lower one,
/// as Prometheus has it.
///
/// Recording is two relaxed atomic additions (the bucket and the sum) to a shard that few other threads use; nothing is allocated
/// and nobody waits.
///
/// # Memory
///
/// 978 words a shard and twice as many shards as cores, but at most 8: at most 62 KiB, taken when the histogram is made and
/// never more.
///
/// # Examples
///
/// ```
/// use noops_core::Probability;
/// use noops_serve::telemetry::Histogram;
///
/// let latency = Histogram::new();
/// for nanoseconds in 1..=1000 {
///     latency.record(nanoseconds);
/// }
/// let seen = latency.snapshot();
/// assert_eq!((seen.count(), seen.sum()), (1000, 500_500));
/// let p95 = seen.quantile(Probability::new(0.95)?).unwrap();
/// assert!(p95.abs_diff(950) <= 950 / 32);
/// # Ok::<(), noops_core::UnitError>(())
/// ```
pub struct Histogram(Shards<WORDS>);

impl Histogram {
    /// An empty histogram.
    #[must_use]
    pub fn new() -> Self {
        Self(Shards::new())
    }

    /// Records one value.
    ///
    /// # Complexity
    ///
    /// Constant; nothing is allocated.
    pub fn record(&self, value: u64) {
        self.record_n(value, 1);
    }

    /// Records a value `times` times, for the price of once.
    pub fn record_n(&self, value: u64, times: u64) {
        let sum = value.wrapping_mul(times);
        self.0.add_all([(index_of(value), times), (SUM, sum)]);
    }

    /// Records a length of time in nanoseconds; more than 584 years count as that.
    pub fn record_duration(&self, duration: Duration) {
        self.record(nanoseconds(duration));
    }

    /// What was recorded.
    ///
    /// A snapshot taken while others record holds all that was recorded before, and of what is recorded meanwhile each value whole
    /// or not at all in the count. The sum may be ahead of or behind the count by the few values that are under way.
    ///
    /// # Complexity
    ///
    /// One read for each bucket of each shard. It allocates 8 KiB.
    pub fn snapshot(&self) -> HistogramSnapshot {
        let mut words = self.0.sums();
        let sum = words.pop().unwrap_or(0);
        HistogramSnapshot::from_parts(words, sum)
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = self.snapshot();
        f.debug_struct("Histogram")
            .field("count", &seen.count())
            .field("sum", &seen.sum())
            .finish_non_exhaustive()
    }
}

/// A length of time in nanoseconds, at most `u64::MAX`.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::from(duration.subsec_nanos()))
}

const SUM: usize = BUCKETS;
const WORDS: usize = BUCKETS + 1;

#[cfg(test)]
mod tests;
