//! How many predictions can be explained.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Explanation;

/// Counts predictions that were to be explained: good when the explanation is there and adds up to within a tolerance. The
/// service level indicator of explanations.
///
/// # Examples
///
/// ```
/// use noops_serve::explain::ExplanationCoverage;
///
/// let coverage = ExplanationCoverage::new(1e-3);
/// coverage.record(None);
/// assert_eq!(coverage.counts().bad(), 1);
/// assert_eq!(coverage.counts().share(), Some(0.0));
/// ```
#[derive(Debug)]
pub struct ExplanationCoverage {
    tolerance: f64,
    good: AtomicU64,
    bad: AtomicU64,
}

impl ExplanationCoverage {
    /// A counter that calls a completeness gap of up to `tolerance` good. With NaN nothing is good.
    #[must_use]
    pub fn new(tolerance: f64) -> Self {
        Self {
            tolerance,
            good: AtomicU64::new(0),
            bad: AtomicU64::new(0),
        }
    }

    /// Counts one prediction; `None` for one whose explanation failed, was shed or came too late.
    pub fn record(&self, explanation: Option<&Explanation>) {
        // A comparison that NaN fails.
        let good = explanation.is_some_and(|found| found.completeness_gap() <= self.tolerance);
        let counter = if good { &self.good } else { &self.bad };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> CoverageCounts {
        CoverageCounts {
            good: self.good.load(Ordering::Relaxed),
            bad: self.bad.load(Ordering::Relaxed),
        }
    }
}

/// Predictions with and without a good explanation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoverageCounts {
    good: u64,
    bad: u64,
}

impl CoverageCounts {
    /// Explained within the tolerance.
    #[must_use]
    pub fn good(&self) -> u64 {
        self.good
    }

    /// Not explained, or beyond the tolerance.
    #[must_use]
    pub fn bad(&self) -> u64 {
        self.bad
    }

    /// The share of good ones; `None` before the first.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        let all = self.good.saturating_add(self.bad);
        (all > 0).then(|| self.good as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Method;
    use super::*;

    fn with_gap(gap: f64) -> Explanation {
        Explanation::new(
            Method::IntegratedGradients,
            0.0,
            1.0 + gap,
            [(1.0, None)],
            1,
        )
    }

    #[test]
    fn only_what_adds_up_is_covered() {
        let coverage = ExplanationCoverage::new(0.25);
        for gap in [0.0, 0.25, 0.5, f64::NAN, f64::INFINITY] {
            coverage.record(Some(&with_gap(gap)));
        }
        coverage.record(None);
        assert_eq!(coverage.counts(), CoverageCounts { good: 2, bad: 4 });
        assert_eq!(coverage.counts().share(), Some(1.0 / 3.0));
        assert_eq!(CoverageCounts::default().share(), None);
    }
}
