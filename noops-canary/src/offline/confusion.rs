use serde::{Deserialize, Serialize};

use super::check::{check_finite, check_length};
use super::fraction::Fraction;
use crate::error::CanaryError;

/// How often a decision by threshold was right and wrong, by class.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::Confusion;
///
/// let confusion = Confusion::at(0.5, &[0.9, 0.2, 0.6, 0.7], &[true, false, true, false])?;
/// assert_eq!(confusion.accuracy().value(), Some(0.75));
/// assert_eq!(confusion.recall().value(), Some(1.0));
/// assert_eq!(confusion.f1(), Some(0.8));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    true_positives: u64,
    false_positives: u64,
    true_negatives: u64,
    false_negatives: u64,
}

impl Confusion {
    /// Decides "positive" where a score is at least `threshold`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without rows, [`CanaryError::Length`] if the columns differ in length, [`CanaryError::NotFinite`] for a score
    /// that is NaN or infinite, and [`CanaryError::Setting`] for a threshold that is.
    pub fn at(threshold: f64, scores: &[f64], labels: &[bool]) -> Result<Self, CanaryError> {
        check_finite("scores", scores)?;
        check_length("labels", scores.len(), labels.len())?;
        if !threshold.is_finite() {
            return Err(CanaryError::Setting {
                name: "threshold",
                value: threshold,
                allowed: "that is finite",
            });
        }
        let decisions = scores.iter().map(|score| *score >= threshold);
        Ok(Self::of(decisions.zip(labels.iter().copied())))
    }

    /// Counts pairs of a decision and what came true.
    pub(super) fn of(outcomes: impl Iterator<Item = (bool, bool)>) -> Self {
        let mut confusion = Self::default();
        for outcome in outcomes {
            let cell = match outcome {
                (true, true) => &mut confusion.true_positives,
                (true, false) => &mut confusion.false_positives,
                (false, false) => &mut confusion.true_negatives,
                (false, true) => &mut confusion.false_negatives,
            };
            *cell = cell.saturating_add(1);
        }
        confusion
    }

    /// Positives called positive.
    #[must_use]
    pub fn true_positives(&self) -> u64 {
        self.true_positives
    }

    /// Negatives called positive.
    #[must_use]
    pub fn false_positives(&self) -> u64 {
        self.false_positives
    }

    /// Negatives called negative.
    #[must_use]
    pub fn true_negatives(&self) -> u64 {
        self.true_negatives
    }

    /// Positives called negative.
    #[must_use]
    pub fn false_negatives(&self) -> u64 {
        self.false_negatives
    }

    /// The share of rows decided rightly.
    #[must_use]
    pub fn accuracy(&self) -> Fraction {
        Fraction::among(
            self.true_positives.saturating_add(self.true_negatives),
            self.false_positives.saturating_add(self.false_negatives),
        )
    }

    /// The share of rows called positive that are.
    #[must_use]
    pub fn precision(&self) -> Fraction {
        Fraction::among(self.true_positives, self.false_positives)
    }

    /// The share of positives called positive: the sensitivity, the true positive rate.
    #[must_use]
    pub fn recall(&self) -> Fraction {
        Fraction::among(self.true_positives, self.false_negatives)
    }

    /// The share of negatives called negative: the true negative rate.
    #[must_use]
    pub fn specificity(&self) -> Fraction {
        Fraction::among(self.true_negatives, self.false_positives)
    }

    /// The mean of recall and specificity; `None` unless both classes occur.
    #[must_use]
    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some(0.5 * (self.recall().value()? + self.specificity().value()?))
    }

    /// The harmonic mean of precision and recall; `None` where there are neither positives nor rows called so.
    #[must_use]
    pub fn f1(&self) -> Option<f64> {
        self.f_beta_of(1.0)
    }

    /// The F-score that weighs recall `beta` times as much as precision.
    ///
    /// # Formula
    ///
    /// `(1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP)` (van Rijsbergen, 1979); `None` where the divisor is zero, for which scikit-learn
    /// warns and gives 0.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless `beta` is above 0 and at most a million.
    pub fn f_beta(&self, beta: f64) -> Result<Option<f64>, CanaryError> {
        if beta > 0.0 && beta <= 1e6 {
            return Ok(self.f_beta_of(beta));
        }
        Err(CanaryError::Setting {
            name: "beta",
            value: beta,
            allowed: "above 0 and at most 1000000",
        })
    }

    /// Matthews' correlation of decision and label; `None` where a class, or a decision, does not occur.
    ///
    /// # Formula
    ///
    /// `(TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN))` (Matthews, 1975). Scikit-learn gives 0 where it is undefined.
    #[must_use]
    pub fn matthews_correlation(&self) -> Option<f64> {
        let [tp, fp, tn, fn_] = self.cells();
        // Paired so that of a perfect table each root is one of a square, which is exact.
        let positive = ((tp + fp) * (tp + fn_)).sqrt();
        let negative = ((tn + fp) * (tn + fn_)).sqrt();
        let scale = positive * negative;
        (scale > 0.0).then(|| ((tp * tn - fp * fn_) / scale).clamp(-1.0, 1.0))
    }

    fn f_beta_of(&self, beta: f64) -> Option<f64> {
        let [tp, fp, _, fn_] = self.cells();
        let weight = beta * beta;
        let divisor = (1.0 + weight) * tp + weight * fn_ + fp;
        (divisor > 0.0).then(|| (1.0 + weight) * tp / divisor)
    }

    fn cells(&self) -> [f64; 4] {
        [
            self.true_positives,
            self.false_positives,
            self.true_negatives,
            self.false_negatives,
        ]
        .map(|count| count as f64)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn scores_equal_scikit_learn() {
        let cases: Value =
            serde_json::from_str(include_str!("../../testdata/offline.json")).unwrap();
        for case in cases["confusion"].as_array().unwrap() {
            let scores: Vec<f64> = serde_json::from_value(case["scores"].clone()).unwrap();
            let labels: Vec<bool> = serde_json::from_value(case["labels"].clone()).unwrap();
            let confusion =
                Confusion::at(case["threshold"].as_f64().unwrap(), &scores, &labels).unwrap();
            let found = [
                (confusion.accuracy().value(), "accuracy"),
                (confusion.precision().value(), "precision"),
                (confusion.recall().value(), "recall"),
                (confusion.specificity().value(), "specificity"),
                (confusion.balanced_accuracy(), "balanced_accuracy"),
                (confusion.f1(), "f1"),
                (confusion.f_beta(2.0).unwrap(), "f2"),
                (confusion.matthews_correlation(), "mcc"),
                (
                    super::super::average_precision(&scores, &labels).ok(),
                    "average_precision",
                ),
            ];
            for (found, key) in found {
                let (found, expected) = (found.unwrap(), case[key].as_f64().unwrap());
                assert!(
                    (found - expected).abs() <= 1e-10 * expected.abs(),
                    "{key}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn a_perfect_table_has_a_correlation_of_exactly_one() {
        for (positives, negatives) in [(2, 3), (7, 11), (1_000_003, 17), (3, 94_906_267)] {
            let perfect = Confusion {
                true_positives: positives,
                true_negatives: negatives,
                ..Confusion::default()
            };
            assert_eq!(perfect.matthews_correlation(), Some(1.0));
        }
    }

    #[test]
    fn what_does_not_occur_is_undefined() {
        let confusion = Confusion::at(0.5, &[0.1, 0.2], &[false, false]).unwrap();
        assert_eq!(confusion.precision().value(), None);
        assert_eq!(confusion.recall().value(), None);
        assert_eq!(confusion.f1(), None);
        assert_eq!(confusion.balanced_accuracy(), None);
        assert_eq!(confusion.matthews_correlation(), None);
        assert_eq!(confusion.specificity().value(), Some(1.0));
    }

    #[test]
    fn hostile_settings_are_refused() {
        for wrong in [f64::NAN, f64::INFINITY] {
            assert!(Confusion::at(wrong, &[0.1], &[true]).is_err());
            assert!(Confusion::at(0.5, &[wrong], &[true]).is_err());
            assert!(Confusion::default().f_beta(wrong).is_err());
        }
        assert!(Confusion::default().f_beta(0.0).is_err());
        assert_eq!(Confusion::at(0.5, &[], &[]), Err(CanaryError::Empty));
    }

    #[test]
    fn stored_counts_near_the_largest_are_no_trouble() {
        let text = format!(
            r#"{{"true_positives":{0},"false_positives":{0},"true_negatives":{0},"false_negatives":{0}}}"#,
            u64::MAX
        );
        let confusion: Confusion = serde_json::from_str(&text).unwrap();
        assert_eq!(confusion.matthews_correlation(), Some(0.0));
        assert_eq!(confusion.f1(), Some(0.5));
    }
}
