use noops_core::Probability;

use super::bucket::{BUCKETS, Bucket, index_of, limits};

/// What a [`Histogram`](super::Histogram) held at one time.
///
/// Snapshots of several histograms (replicas, processes, versions) merge exactly: the merged one is that of a histogram that had
/// seen everything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct HistogramSnapshot {
    counts: Box<[u64]>,
    sum: u64,
}

impl HistogramSnapshot {
    /// A snapshot of nothing: the neutral element of [`merge`](Self::merge).
    pub fn empty() -> Self {
        Self::from_parts(Vec::new(), 0)
    }

    pub(super) fn from_parts(mut counts: Vec<u64>, sum: u64) -> Self {
        counts.resize(BUCKETS, 0);
        Self {
            counts: counts.into_boxed_slice(),
            sum,
        }
    }

    /// How many values were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The exact sum of the values, modulo 2^64.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The mean of the values, if there are any.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| self.sum as f64 / count as f64)
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    /// A number that no value is below, and at most one part in 16 below the smallest.
    #[must_use]
    pub fn min_bound(&self) -> Option<u64> {
        self.iter().next().map(Bucket::smallest)
    }

    /// A number that no value is above, and at most one part in 16 above the largest.
    #[must_use]
    pub fn max_bound(&self) -> Option<u64> {
        let last = self.counts.iter().rposition(|count| *count > 0)?;
        Some(limits(last).1)
    }

    /// The value at a quantile, to one part in 32.
    ///
    /// # Formula
    ///
    /// The nearest rank: of `n` values the `ceil(q * n)`-th in ascending order, and the first for `q = 0`. The middle of its bucket
    /// stands for it.
    #[must_use]
    pub fn quantile(&self, q: Probability) -> Option<u64> {
        let count = self.count();
        let rank = ((q.get() * count as f64).ceil() as u64).clamp(1, count.max(1));
        let mut seen = 0_u64;
        self.iter().find_map(|bucket| {
            seen = seen.saturating_add(bucket.count());
            (seen >= rank).then(|| bucket.middle())
        })
    }

    /// How many values are certainly at most `bound`: those whose whole bucket is. A value less than one part in 16 below the
    /// bound may be missing; none above it is counted. Exact when the bound is a power of two or at most 32.
    #[must_use]
    pub fn count_at_most(&self, bound: u64) -> u64 {
        let place = index_of(bound);
        let whole = limits(place).1 <= bound;
        let buckets = if whole { place + 1 } else { place };
        let counts = self.counts.iter().take(buckets);
        counts.fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The buckets that hold something, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Bucket> + '_ {
        let held = self.counts.iter().enumerate();
        held.filter(|(_, count)| **count > 0)
            .map(|(index, count)| Bucket::new(index, *count))
    }

    /// Adds what another histogram saw.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// What was recorded since an earlier snapshot of the same histogram: the distribution of a window.
    pub fn since(&self, earlier: &Self) -> Self {
        let counts = self.counts.iter().zip(&earlier.counts);
        let counts = counts.map(|(now, before)| now.saturating_sub(*before));
        Self::from_parts(counts.collect(), self.sum.wrapping_sub(earlier.sum))
    }
}

impl Default for HistogramSnapshot {
    fn default() -> Self {
        Self::empty()
    }
}
