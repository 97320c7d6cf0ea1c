use noops_core::Alpha;
use noops_stats::special::normal_upper_quantile;
use serde::{Deserialize, Serialize};

use crate::interval::Interval;

/// A metric of a model on labelled rows: estimate, standard error and number of rows.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::Evaluation;
/// use noops_core::Alpha;
///
/// let evaluation = Evaluation::of(&[0.9, 0.2, 0.6, 0.3], &[true, false, true, false])?;
/// let interval = evaluation.brier().interval(Alpha::FIVE_PERCENT);
/// assert!(interval.is_some_and(|interval| interval.contains(evaluation.brier().value())));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    value: f64,
    standard_error: Option<f64>,
    n: u64,
    range: Interval,
}

impl Metric {
    /// A metric whose values lie in `range`, whatever the rows.
    pub(super) fn new(value: f64, standard_error: Option<f64>, n: usize, range: Interval) -> Self {
        Self {
            value,
            standard_error: standard_error.filter(|error| error.is_finite()),
            n: n as u64,
            range,
        }
    }

    /// The mean of per-row values, with the standard error of a mean of independent rows.
    pub(super) fn mean(values: &[f64], range: Interval) -> Self {
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n.max(1) as f64;
        let standard_error = sample_variance(values).map(|variance| (variance / n as f64).sqrt());
        Self::new(mean, standard_error, n, range)
    }

    /// The estimate.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The standard error for independent rows; `None` where there are too few rows, or no valid one is known.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        self.standard_error
    }

    /// The number of rows (of queries, for a metric of rankings).
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The two-sided `1 - alpha` normal interval, cut to the values the metric can take.
    ///
    /// # Numerical notes
    ///
    /// Valid for many independent rows. It collapses to a point where the rows show no variance (an AUC of exactly 1), and is too
    /// short where rows depend on each other; [`compare`](crate::offline::compare) takes blocks for that reason.
    #[must_use]
    pub fn interval(&self, alpha: Alpha) -> Option<Interval> {
        let half = normal_upper_quantile(alpha.get() / 2.0) * self.standard_error?;
        Some(Interval::between(
            (self.value - half).max(self.range.lower()),
            (self.value + half).min(self.range.upper()),
        ))
    }
}

/// The variance with divisor `n - 1`; `None` for fewer than two values.
pub(super) fn sample_variance(values: &[f64]) -> Option<f64> {
    let n = values.len();
    if n < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares = values
        .iter()
        .map(|value| (value - mean) * (value - mean))
        .sum::<f64>();
    Some(squares / (n - 1) as f64)
}
