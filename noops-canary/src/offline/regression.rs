use serde::{Deserialize, Serialize};

use super::check::check_result;
use super::losses::{absolute_errors, check_regression, squared_errors};
use super::metric::{Metric, sample_variance};
use crate::error::CanaryError;
use crate::interval::Interval;

/// How far the predictions of one model lie from what came true.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::RegressionEvaluation;
///
/// let evaluation = RegressionEvaluation::of(&[2.5, 0.0, 2.0, 8.0], &[3.0, -0.5, 2.0, 7.0])?;
/// assert_eq!(evaluation.mean_absolute_error().value(), 0.5);
/// assert_eq!(evaluation.bias().value(), 0.25);
/// assert!(evaluation.r_squared().is_some_and(|r| (r - 0.948608137).abs() < 1e-9));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegressionEvaluation {
    mean_absolute_error: Metric,
    root_mean_squared_error: Metric,
    bias: Metric,
    r_squared: Option<f64>,
    mean_absolute_percentage_error: Option<Metric>,
    zero_rows: u64,
}

impl RegressionEvaluation {
    /// Evaluates predictions against what came true.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without rows, [`CanaryError::Length`] if the columns differ in length, [`CanaryError::NotFinite`] for the first value that is
    /// NaN or infinite, and [`CanaryError::Input`] for values so large that their squares cannot be added.
    ///
    /// # Complexity
    ///
    /// O(n).
    pub fn of(predicted: &[f64], actual: &[f64]) -> Result<Self, CanaryError> {
        check_regression(predicted, actual)?;
        let positive = Interval::between(0.0, f64::INFINITY);
        let absolute = absolute_errors(predicted, actual)?;
        let squares = squared_errors(predicted, actual)?;
        let signed: Vec<f64> = predicted.iter().zip(actual).map(|(p, y)| p - y).collect();
        let n = squares.len();
        let total = check_result("predicted", squares.iter().sum::<f64>())?;
        let root = (total / n as f64).sqrt();
        // By the delta method; a perfect fit has no slope to divide by, and no error either.
        let root_error = sample_variance(&squares).map(|variance| {
            if root > 0.0 {
                (variance / n as f64).sqrt() / (2.0 * root)
            } else {
                0.0
            }
        });
        let relative: Vec<f64> = absolute
            .iter()
            .zip(actual)
            .filter(|(_, y)| **y != 0.0)
            .map(|(error, y)| error / y.abs())
            .collect();
        let percentage = Metric::mean(&relative, positive);
        Ok(Self {
            mean_absolute_error: Metric::mean(&absolute, positive),
            root_mean_squared_error: Metric::new(root, root_error, n, positive),
            bias: Metric::mean(&signed, Interval::UNBOUNDED),
            r_squared: r_squared(total, actual)?,
            mean_absolute_percentage_error: (!relative.is_empty()
                && percentage.value().is_finite())
            .then_some(percentage),
            zero_rows: (n - relative.len()) as u64,
        })
    }

    /// The mean absolute error (MAE).
    #[must_use]
    pub fn mean_absolute_error(&self) -> &Metric {
        &self.mean_absolute_error
    }

    /// The root of the mean squared error (RMSE), its standard error by the delta method.
    #[must_use]
    pub fn root_mean_squared_error(&self) -> &Metric {
        &self.root_mean_squared_error
    }

    /// The mean of prediction minus truth.
    #[must_use]
    pub fn bias(&self) -> &Metric {
        &self.bias
    }

    /// The share of the variance of the truth that the predictions explain; negative for a model worse than the mean, `None` if the truth is constant.
    #[must_use]
    pub fn r_squared(&self) -> Option<f64> {
        self.r_squared
    }

    /// The mean absolute error relative to the truth (MAPE), over the rows whose truth is not zero; `None` if there are none, or it overflows.
    ///
    /// # Numerical notes
    ///
    /// Rows with a truth of exactly zero are left out and counted by [`zero_rows`](Self::zero_rows); scikit-learn divides by machine
    /// epsilon instead, which gives numbers of the order of 10^15. Truths near zero dominate it all the same, and it favours
    /// predictions that are too low: prefer the absolute error or the pinball loss.
    #[must_use]
    pub fn mean_absolute_percentage_error(&self) -> Option<&Metric> {
        self.mean_absolute_percentage_error.as_ref()
    }

    /// The rows left out of the percentage error.
    #[must_use]
    pub fn zero_rows(&self) -> u64 {
        self.zero_rows
    }
}

fn r_squared(residual: f64, actual: &[f64]) -> Result<Option<f64>, CanaryError> {
    if actual.windows(2).all(|pair| pair.first() == pair.last()) {
        return Ok(None);
    }
    let mean = actual.iter().sum::<f64>() / actual.len() as f64;
    let total: f64 = actual.iter().map(|y| (y - mean) * (y - mean)).sum();
    let total = check_result("actual", total)?;
    // Values that differ by less than their squares can show.
    let value = 1.0 - residual / total;
    Ok(Some(value).filter(|value| value.is_finite()))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::pinball_losses;
    use super::*;

    #[test]
    fn errors_equal_scikit_learn() {
        let cases: Value =
            serde_json::from_str(include_str!("../../testdata/offline.json")).unwrap();
        for case in cases["regression"].as_array().unwrap() {
            let predicted: Vec<f64> = serde_json::from_value(case["predicted"].clone()).unwrap();
            let actual: Vec<f64> = serde_json::from_value(case["actual"].clone()).unwrap();
            let evaluation = RegressionEvaluation::of(&predicted, &actual).unwrap();
            let pinball = pinball_losses(&predicted, &actual, 0.9).unwrap();
            let found = [
                (evaluation.mean_absolute_error().value(), "mae"),
                (evaluation.root_mean_squared_error().value(), "rmse"),
                (evaluation.bias().value(), "bias"),
                (evaluation.r_squared().unwrap(), "r2"),
                (
                    evaluation.mean_absolute_percentage_error().unwrap().value(),
                    "mape",
                ),
                (
                    pinball.iter().sum::<f64>() / pinball.len() as f64,
                    "pinball_90",
                ),
            ];
            for (found, key) in found {
                let expected = case[key].as_f64().unwrap();
                assert!(
                    (found - expected).abs() <= 1e-10 * expected.abs(),
                    "{key}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn zeros_are_left_out_of_percentages_and_counted() {
        let evaluation = RegressionEvaluation::of(&[1.0, 3.0], &[0.0, 2.0]).unwrap();
        assert_eq!(evaluation.zero_rows(), 1);
        assert_eq!(
            evaluation.mean_absolute_percentage_error().unwrap().value(),
            0.5
        );
        let zeros = RegressionEvaluation::of(&[1.0], &[0.0]).unwrap();
        assert_eq!(zeros.mean_absolute_percentage_error(), None);
    }

    #[test]
    fn a_constant_truth_explains_nothing() {
        let evaluation = RegressionEvaluation::of(&[1.0, 2.0], &[5.0, 5.0]).unwrap();
        assert_eq!(evaluation.r_squared(), None);
    }

    #[test]
    fn a_bias_may_be_negative_in_its_interval() {
        let evaluation = RegressionEvaluation::of(&[0.0, 0.5, 1.0], &[1.0, 2.0, 3.0]).unwrap();
        let interval = evaluation.bias().interval(noops_core::Alpha::FIVE_PERCENT);
        assert!(interval.unwrap().upper() < 0.0);
    }

    #[test]
    fn hostile_values_are_refused() {
        assert!(RegressionEvaluation::of(&[1e200, 0.0], &[0.0, 0.0]).is_err());
        assert!(RegressionEvaluation::of(&[f64::MAX], &[f64::MIN]).is_err());
        assert!(RegressionEvaluation::of(&[f64::NAN], &[0.0]).is_err());
        assert!(RegressionEvaluation::of(&[], &[]).is_err());
        let tiny = RegressionEvaluation::of(&[100.0, 100.0], &[0.0, f64::MIN_POSITIVE]).unwrap();
        assert_eq!(tiny.mean_absolute_percentage_error(), None);
    }
}
