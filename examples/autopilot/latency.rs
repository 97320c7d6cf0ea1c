//! How long predictions take on this machine. No decision depends on it.

use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// A histogram with eight buckets to the power of two of a nanosecond: quantiles are right to 9 %.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Latency {
    counts: Vec<u64>,
}

impl Latency {
    /// An empty histogram.
    pub(crate) fn new() -> Self {
        Self {
            counts: vec![0; 64 * PER_OCTAVE],
        }
    }

    /// Counts a duration.
    pub(crate) fn record(&mut self, took: Duration) {
        let nanoseconds = (took.as_nanos() as f64).max(1.0);
        let bucket = (nanoseconds.log2() * PER_OCTAVE as f64) as usize;
        let bucket = bucket.min(self.counts.len().saturating_sub(1));
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
    }

    /// The quantile in microseconds; 0 when nothing was recorded.
    pub(crate) fn quantile_us(&self, quantile: f64) -> f64 {
        let total: u64 = self.counts.iter().sum();
        let rank = (total as f64 * quantile).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if *count > 0 && seen >= rank {
                return ((bucket as f64 + 0.5) / PER_OCTAVE as f64).exp2() / 1000.0;
            }
        }
        0.0
    }
}

/// A reading of the machine's clock: for measurements alone.
#[expect(
    clippy::disallowed_methods,
    reason = "measures the machine; nothing is decided on it"
)]
pub(crate) fn stopwatch() -> Instant {
    Instant::now()
}

const PER_OCTAVE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_nine_percent() {
        let mut latency = Latency::new();
        (1..=1000).for_each(|micros| latency.record(Duration::from_micros(micros)));
        assert!((latency.quantile_us(0.5) / 500.0 - 1.0).abs() < 0.09);
        assert!((latency.quantile_us(0.99) / 990.0 - 1.0).abs() < 0.09);
        assert_eq!(Latency::new().quantile_us(0.5), 0.0);
    }
}
