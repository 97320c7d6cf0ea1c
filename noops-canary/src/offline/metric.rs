use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::quantile::normal_upper;

/// A metric of a model on labelled rows: estimate, standard error and number of rows.
///
/// # Examples
///
/// ```
/// use noops_canary::Evaluation;
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
    largest: f64,
}

impl Metric {
    pub(super) fn new(value: f64, standard_error: Option<f64>, n: usize, largest: f64) -> Self {
        Self {
            value,
            standard_error,
            n: n as u64,
            largest,
        }
    }

    /// The mean of per-row losses, with the standard error of a mean of independent rows.
    pub(super) fn mean(losses: &[f64], largest: f64) -> Self {
        let n = losses.len();
        let mean = losses.iter().sum::<f64>() / n.max(1) as f64;
        let standard_error = sample_variance(losses).map(|variance| (variance / n as f64).sqrt());
        Self::new(mean, standard_error, n, largest)
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

    /// The number of rows.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The two-sided `1 - alpha` normal interval, cut to the values the metric can take.
    ///
    /// # Numerical notes
    ///
    /// Valid for many independent rows. It collapses to a point where the rows show no variance (an AUC of exactly 1), and is too
    /// short where rows depend on each other; [`compare`](crate::compare) takes blocks for that reason.
    #[must_use]
    pub fn interval(&self, alpha: Alpha) -> Option<Interval> {
        let half = normal_upper(alpha.get() / 2.0) * self.standard_error?;
        Some(Interval {
            lower: (self.value - half).max(0.0),
            upper: (self.value + half).min(self.largest),
        })
    }
}

/// An interval, ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    lower: f64,
    upper: f64,
}

impl Interval {
    pub(super) fn new(lower: f64, upper: f64) -> Self {
        Self { lower, upper }
    }

    /// The lower end.
    #[must_use]
    pub fn lower(&self) -> f64 {
        self.lower
    }

    /// The upper end.
    #[must_use]
    pub fn upper(&self) -> f64 {
        self.upper
    }

    /// Whether `value` lies in the interval.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
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
        .map(|value| (value - mean).powi(2))
        .sum::<f64>();
    Some(squares / (n - 1) as f64)
}
