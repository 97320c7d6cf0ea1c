use serde::{Deserialize, Serialize};

use super::check::{check_length, check_probabilities};
use super::fraction::Fraction;
use super::losses::{CLIP, largest_log_loss};
use super::metric::Metric;
use crate::error::CanaryError;
use crate::interval::Interval;

/// How good the class probabilities of one model are on labelled rows.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::MulticlassEvaluation;
///
/// let probabilities = [0.7, 0.2, 0.1, 0.1, 0.8, 0.1, 0.3, 0.4, 0.3];
/// let evaluation = MulticlassEvaluation::of(&probabilities, 3, &[0, 1, 2])?;
/// assert_eq!(evaluation.accuracy().value(), Some(2.0 / 3.0));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MulticlassEvaluation {
    accuracy: Fraction,
    log_loss: Metric,
    macro_f1: f64,
    class_f1: Vec<Option<f64>>,
}

impl MulticlassEvaluation {
    /// Evaluates probabilities, one row of `classes` numbers after the other, against the number of the class that came true.
    ///
    /// The class with the largest probability is taken as predicted, the first of equals.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without rows, [`CanaryError::Setting`] for fewer than two classes, [`CanaryError::Length`] unless there are `classes`
    /// probabilities per label, [`CanaryError::NotAProbability`] for the first number that is none, and [`CanaryError::Input`] for probabilities of a row
    /// that do not add up to 1 (to a millionth) or a label that is no class.
    ///
    /// # Complexity
    ///
    /// O(rows × classes).
    pub fn of(
        probabilities: &[f64],
        classes: usize,
        labels: &[usize],
    ) -> Result<Self, CanaryError> {
        if classes < 2 {
            return Err(CanaryError::Setting {
                name: "classes",
                value: classes as f64,
                allowed: "of at least 2",
            });
        }
        check_probabilities("probabilities", probabilities)?;
        let expected = labels.len().saturating_mul(classes);
        check_length("probabilities", expected, probabilities.len())?;
        let mut counts = vec![ClassCounts::default(); classes];
        let mut losses = Vec::with_capacity(labels.len());
        let mut hits = 0_u64;
        for (row, label) in probabilities.chunks(classes).zip(labels) {
            let Some(likelihood) = row.get(*label) else {
                return Err(CanaryError::Input {
                    input: "labels",
                    reason: "holds a class beyond `classes`; number classes from 0",
                });
            };
            if (row.iter().sum::<f64>() - 1.0).abs() > 1e-6 {
                return Err(CanaryError::Input {
                    input: "probabilities",
                    reason: "holds a row that does not add up to 1; normalise its rows",
                });
            }
            losses.push(-libm::log(likelihood.clamp(CLIP, 1.0 - CLIP)));
            let predicted = largest(row);
            hits += u64::from(predicted == *label);
            if let Some(count) = counts.get_mut(predicted) {
                count.predicted += 1;
                count.both += u64::from(predicted == *label);
            }
            if let Some(count) = counts.get_mut(*label) {
                count.labelled += 1;
            }
        }
        let class_f1: Vec<Option<f64>> = counts.iter().map(ClassCounts::f1).collect();
        let occurring: Vec<f64> = class_f1.iter().copied().flatten().collect();
        Ok(Self {
            accuracy: Fraction::among(hits, (labels.len() as u64).saturating_sub(hits)),
            log_loss: Metric::mean(&losses, Interval::between(0.0, largest_log_loss())),
            macro_f1: occurring.iter().sum::<f64>() / occurring.len().max(1) as f64,
            class_f1,
        })
    }

    /// The share of rows whose most likely class came true.
    #[must_use]
    pub fn accuracy(&self) -> Fraction {
        self.accuracy
    }

    /// The F-score of all decisions pooled, which is the accuracy where each row has one class.
    #[must_use]
    pub fn micro_f1(&self) -> f64 {
        self.accuracy.value().unwrap_or(0.0)
    }

    /// The unweighted mean of the classes' F-scores, over the classes that were predicted or came true.
    #[must_use]
    pub fn macro_f1(&self) -> f64 {
        self.macro_f1
    }

    /// The F-score of each class; `None` for one that was neither predicted nor came true.
    #[must_use]
    pub fn class_f1(&self) -> &[Option<f64>] {
        &self.class_f1
    }

    /// The mean negative log likelihood, with probabilities clipped to machine epsilon from 0 and 1.
    #[must_use]
    pub fn log_loss(&self) -> &Metric {
        &self.log_loss
    }
}

#[derive(Clone, Copy, Default)]
struct ClassCounts {
    both: u64,
    predicted: u64,
    labelled: u64,
}

impl ClassCounts {
    fn f1(&self) -> Option<f64> {
        let sides = self.predicted + self.labelled;
        (sides > 0).then(|| 2.0 * self.both as f64 / sides as f64)
    }
}

fn largest(row: &[f64]) -> usize {
    let start = (0, f64::NEG_INFINITY);
    let (class, _) =
        row.iter().enumerate().fold(
            start,
            |best, (class, p)| if *p > best.1 { (class, *p) } else { best },
        );
    class
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn scores_equal_scikit_learn() {
        let cases: Value =
            serde_json::from_str(include_str!("../../testdata/offline.json")).unwrap();
        for case in cases["multiclass"].as_array().unwrap() {
            let probabilities: Vec<f64> =
                serde_json::from_value(case["probabilities"].clone()).unwrap();
            let labels: Vec<usize> = serde_json::from_value(case["labels"].clone()).unwrap();
            let classes = case["classes"].as_u64().unwrap() as usize;
            let evaluation = MulticlassEvaluation::of(&probabilities, classes, &labels).unwrap();
            let found = [
                (evaluation.accuracy().value().unwrap(), "accuracy"),
                (evaluation.macro_f1(), "macro_f1"),
                (evaluation.micro_f1(), "micro_f1"),
                (evaluation.log_loss().value(), "log_loss"),
            ];
            for (found, key) in found {
                let expected = case[key].as_f64().unwrap();
                assert!(
                    (found - expected).abs() <= 1e-10 * expected,
                    "{key}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn a_class_that_never_occurs_has_no_score() {
        let evaluation = MulticlassEvaluation::of(&[0.9, 0.1, 0.0], 3, &[0]).unwrap();
        assert_eq!(evaluation.class_f1(), [Some(1.0), None, None]);
        assert_eq!(evaluation.macro_f1(), 1.0);
    }

    #[test]
    fn hostile_input_is_refused() {
        let fine = [0.5, 0.5];
        assert!(MulticlassEvaluation::of(&fine, 2, &[2]).is_err());
        assert!(MulticlassEvaluation::of(&fine, 2, &[usize::MAX]).is_err());
        assert!(MulticlassEvaluation::of(&fine, usize::MAX, &[0, 0]).is_err());
        assert!(MulticlassEvaluation::of(&fine, 0, &[0]).is_err());
        assert!(MulticlassEvaluation::of(&[0.5, 0.4], 2, &[0]).is_err());
        assert!(MulticlassEvaluation::of(&[f64::NAN, 0.4], 2, &[0]).is_err());
        assert!(MulticlassEvaluation::of(&[], 2, &[]).is_err());
    }
}
