use serde::{Deserialize, Serialize};

use super::area::area_of;
use super::calibration::{Binning, ReliabilityCurve};
use super::losses::{brier_losses, largest_log_loss, log_losses};
use super::metric::Metric;
use crate::error::CanaryError;
use crate::interval::Interval;

/// How good the probabilities of one model are on labelled rows.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::Evaluation;
///
/// let evaluation = Evaluation::of(&[0.9, 0.2, 0.6, 0.7], &[true, false, true, false])?;
/// assert!((evaluation.brier().value() - 0.175).abs() < 1e-12);
/// assert_eq!(evaluation.auc().map(|auc| auc.value()), Some(0.75));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    brier: Metric,
    log_loss: Metric,
    auc: Option<Metric>,
    calibration_error: Metric,
}

impl Evaluation {
    /// Evaluates predicted probabilities of the positive class against what came true.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without rows, [`CanaryError::Length`] if the columns differ in length, and
    /// [`CanaryError::NotAProbability`] for the first prediction that is NaN or outside \[0, 1\].
    ///
    /// # Complexity
    ///
    /// O(n log n) for the sorts behind the area and the calibration error.
    pub fn of(predicted: &[f64], labels: &[bool]) -> Result<Self, CanaryError> {
        let brier = brier_losses(predicted, labels)?;
        let log_loss = log_losses(predicted, labels)?;
        let curve = ReliabilityCurve::of(predicted, labels, Binning::EqualCount, BINS)?;
        let share = Interval::between(0.0, 1.0);
        Ok(Self {
            brier: Metric::mean(&brier, share),
            log_loss: Metric::mean(&log_loss, Interval::between(0.0, largest_log_loss())),
            auc: area_of(predicted, labels).map(|area| {
                Metric::new(area.value(), area.standard_error(), predicted.len(), share)
            }),
            calibration_error: Metric::new(
                curve.expected_calibration_error(),
                None,
                predicted.len(),
                share,
            ),
        })
    }

    /// The mean squared error of the probabilities.
    #[must_use]
    pub fn brier(&self) -> &Metric {
        &self.brier
    }

    /// The mean negative log likelihood, with probabilities clipped to machine epsilon from 0 and 1.
    #[must_use]
    pub fn log_loss(&self) -> &Metric {
        &self.log_loss
    }

    /// The area under the ROC curve, with DeLong's standard error; `None` unless both classes occur.
    ///
    /// # Formula
    ///
    /// The share of positive-negative pairs in the right order, ties counting half; the standard error from the variances of
    /// the placements (DeLong, DeLong and Clarke-Pearson 1988), `None` with one row in a class. See
    /// [`area_under_curve`](crate::offline::area_under_curve) for intervals near 1.
    #[must_use]
    pub fn auc(&self) -> Option<&Metric> {
        self.auc.as_ref()
    }

    /// The expected calibration error over ten bins of equal count.
    ///
    /// # Numerical notes
    ///
    /// Equal predictions are never split, so bins can differ in size. The estimate is biased upwards on few rows (a perfectly
    /// calibrated model does not show zero), and no standard error is given for it.
    #[must_use]
    pub fn calibration_error(&self) -> &Metric {
        &self.calibration_error
    }
}

const BINS: usize = 10;

#[cfg(test)]
mod tests {
    use noops_core::Alpha;

    use super::*;

    const PREDICTED: [f64; 12] = [
        0.1, 0.4, 0.35, 0.8, 0.65, 0.4, 0.9, 0.2, 0.55, 0.7, 0.4, 0.05,
    ];

    fn labels() -> Vec<bool> {
        [0, 0, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0]
            .map(|label| label == 1)
            .to_vec()
    }

    #[track_caller]
    fn check(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-10, "{value} {expected}");
    }

    #[test]
    fn metrics_equal_scikit_learn() {
        let evaluation = Evaluation::of(&PREDICTED, &labels()).unwrap();
        // sklearn.metrics.{brier_score_loss, log_loss, roc_auc_score}
        check(evaluation.brier().value(), 0.143_333_333_333_333_34);
        check(evaluation.log_loss().value(), 0.440_169_257_373_782_8);
        check(evaluation.auc().unwrap().value(), 0.861_111_111_111_111_2);
    }

    #[test]
    fn standard_errors_equal_numpy() {
        let evaluation = Evaluation::of(&PREDICTED, &labels()).unwrap();
        // numpy: ((p - y) ** 2).var(ddof=1), and the placement variances by comparing every pair.
        check(
            evaluation.brier().standard_error().unwrap(),
            0.041_814_132_983_618_32,
        );
        check(
            evaluation.auc().unwrap().standard_error().unwrap(),
            0.110_414_482_857_509_96,
        );
        let interval = evaluation.brier().interval(Alpha::FIVE_PERCENT).unwrap();
        check(interval.lower(), 0.061_379_138_640_673_1);
        check(interval.upper(), 0.225_287_528_025_993_6);
    }

    #[test]
    fn one_class_has_no_area_but_a_brier_score() {
        let evaluation = Evaluation::of(&[0.5], &[true]).unwrap();
        assert_eq!(evaluation.auc(), None);
        assert_eq!(evaluation.brier().standard_error(), None);
        check(evaluation.brier().value(), 0.25);
    }

    #[test]
    fn errors_name_the_row() {
        assert_eq!(Evaluation::of(&[], &[]), Err(CanaryError::Empty));
        let short = Evaluation::of(&[0.5, 0.5], &[true]).unwrap_err();
        assert!(short.to_string().contains("`labels`"), "{short}");
        for wrong in [f64::NAN, f64::INFINITY, -0.1, 1.1] {
            let refused = Evaluation::of(&[0.5, wrong], &[true, false]).unwrap_err();
            assert!(refused.to_string().contains("row `1`"), "{refused}");
        }
    }
}
