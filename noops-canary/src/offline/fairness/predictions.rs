use std::borrow::Cow;

use super::group_metric::GroupMetric;
use super::measure::{Mean, Measure};
use crate::error::CanaryError;
use crate::offline::area::{area_of, check_scores};
use crate::offline::check::check_length;
use crate::offline::confusion::Confusion;
use crate::offline::fraction::Fraction;
use crate::offline::losses::{check_regression, log_loss};

/// What a model said of each row, and what came true.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::fairness::{GroupMetric, Predictions};
///
/// let unlabelled = Predictions::decisions(&[true, false])?;
/// assert_eq!(unlabelled.metrics(), [GroupMetric::SelectionRate]);
/// let scored = Predictions::scores(&[0.9, 0.2], &[true, false], 0.5)?;
/// assert!(scored.metrics().contains(&GroupMetric::LogLoss));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions<'a> {
    kind: Kind<'a>,
}

impl<'a> Predictions<'a> {
    /// Decisions without labels: enough for demographic parity and the four-fifths rule.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without rows.
    pub fn decisions(decisions: &'a [bool]) -> Result<Self, CanaryError> {
        if decisions.is_empty() {
            return Err(CanaryError::Empty);
        }
        let kind = Kind::Decisions(decisions);
        Ok(Self { kind })
    }

    /// Decisions and what came true.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without rows and [`CanaryError::Length`] if the columns differ in length.
    pub fn labelled(decisions: &'a [bool], labels: &'a [bool]) -> Result<Self, CanaryError> {
        if decisions.is_empty() {
            return Err(CanaryError::Empty);
        }
        check_length("labels", decisions.len(), labels.len())?;
        let kind = Kind::Labelled(Labelled {
            decisions: Cow::Borrowed(decisions),
            labels,
            scores: None,
            probabilities: false,
        });
        Ok(Self { kind })
    }

    /// Scores and what came true, decided positive where the score is at least `threshold`.
    ///
    /// # Errors
    ///
    /// As for [`Confusion::at`](crate::offline::Confusion::at).
    pub fn scores(
        scores: &'a [f64],
        labels: &'a [bool],
        threshold: f64,
    ) -> Result<Self, CanaryError> {
        check_scores("scores", scores, labels)?;
        if !threshold.is_finite() {
            return Err(CanaryError::Setting {
                name: "threshold",
                value: threshold,
                allowed: "that is finite",
            });
        }
        let kind = Kind::Labelled(Labelled {
            decisions: scores.iter().map(|score| *score >= threshold).collect(),
            labels,
            scores: Some(scores),
            probabilities: scores.iter().all(|score| (0.0..=1.0).contains(score)),
        });
        Ok(Self { kind })
    }

    /// Predicted numbers and what came true.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without rows, [`CanaryError::Length`] if the columns differ in length and [`CanaryError::NotFinite`] for a value that is NaN
    /// or infinite.
    pub fn regression(predicted: &'a [f64], actual: &'a [f64]) -> Result<Self, CanaryError> {
        check_regression(predicted, actual)?;
        let kind = Kind::Regression { predicted, actual };
        Ok(Self { kind })
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        match &self.kind {
            Kind::Decisions(decisions) => decisions.len(),
            Kind::Labelled(labelled) => labelled.labels.len(),
            Kind::Regression { actual, .. } => actual.len(),
        }
    }

    /// The metrics that can be measured.
    #[must_use]
    pub fn metrics(&self) -> Vec<GroupMetric> {
        let measurable = |metric: &GroupMetric| match (&self.kind, metric) {
            (Kind::Regression { .. }, metric) => OF_NUMBERS.contains(metric),
            (Kind::Decisions(_), metric) => *metric == GroupMetric::SelectionRate,
            (Kind::Labelled(labelled), GroupMetric::MeanPrediction | GroupMetric::RocAuc) => {
                labelled.scores.is_some()
            }
            (Kind::Labelled(labelled), GroupMetric::LogLoss) => labelled.probabilities,
            (Kind::Labelled(_), metric) => !OF_NUMBERS.contains(metric),
        };
        GroupMetric::ALL.into_iter().filter(measurable).collect()
    }

    /// Measures some rows, which may repeat; nothing for a metric that cannot be measured.
    pub(super) fn measure(&self, metric: GroupMetric, rows: &[usize]) -> Measure {
        match &self.kind {
            Kind::Decisions(decisions) if metric == GroupMetric::SelectionRate => {
                Measure::Share(selected(decisions, rows))
            }
            Kind::Decisions(_) => Measure::Bare(None),
            Kind::Labelled(labelled) => labelled.measure(metric, rows),
            Kind::Regression { predicted, actual } => {
                let pairs = rows
                    .iter()
                    .filter_map(|row| Some((*predicted.get(*row)?, *actual.get(*row)?)));
                numbers(metric, &pairs.collect::<Vec<_>>())
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Kind<'a> {
    Decisions(&'a [bool]),
    Labelled(Labelled<'a>),
    Regression {
        predicted: &'a [f64],
        actual: &'a [f64],
    },
}

#[derive(Clone, Debug, PartialEq)]
struct Labelled<'a> {
    decisions: Cow<'a, [bool]>,
    labels: &'a [bool],
    scores: Option<&'a [f64]>,
    probabilities: bool,
}

impl Labelled<'_> {
    fn measure(&self, metric: GroupMetric, rows: &[usize]) -> Measure {
        match metric {
            GroupMetric::MeanPrediction | GroupMetric::RocAuc | GroupMetric::LogLoss => {
                self.measure_scores(metric, rows)
            }
            GroupMetric::SelectionRate => Measure::Share(selected(&self.decisions, rows)),
            _ => self.measure_decisions(metric, rows),
        }
    }

    fn measure_decisions(&self, metric: GroupMetric, rows: &[usize]) -> Measure {
        let outcomes = rows
            .iter()
            .filter_map(|row| Some((*self.decisions.get(*row)?, *self.labels.get(*row)?)));
        let confusion = Confusion::of(outcomes);
        match metric {
            GroupMetric::TruePositiveRate => Measure::Share(confusion.recall()),
            GroupMetric::FalseNegativeRate => Measure::Share(confusion.recall().complement()),
            GroupMetric::TrueNegativeRate => Measure::Share(confusion.specificity()),
            GroupMetric::FalsePositiveRate => Measure::Share(confusion.specificity().complement()),
            GroupMetric::Accuracy => Measure::Share(confusion.accuracy()),
            GroupMetric::ZeroOneLoss => Measure::Share(confusion.accuracy().complement()),
            GroupMetric::Precision => Measure::Share(confusion.precision()),
            GroupMetric::BalancedAccuracy => {
                Measure::Balanced(confusion.recall(), confusion.specificity())
            }
            GroupMetric::F1 => Measure::Bare(confusion.f1()),
            _ => Measure::Bare(None),
        }
    }

    fn measure_scores(&self, metric: GroupMetric, rows: &[usize]) -> Measure {
        let Some(all) = self.scores else {
            return Measure::Bare(None);
        };
        let mut scores = Vec::with_capacity(rows.len());
        let mut labels = Vec::with_capacity(rows.len());
        for row in rows {
            scores.extend(all.get(*row));
            labels.extend(self.labels.get(*row));
        }
        match metric {
            GroupMetric::MeanPrediction => Mean::of(&scores, None),
            GroupMetric::LogLoss if self.probabilities => {
                let rows = scores.iter().zip(&labels);
                let losses = rows.map(|(score, label)| log_loss(*score, *label));
                Mean::of(&losses.collect::<Vec<_>>(), Some(0.0))
            }
            GroupMetric::RocAuc => {
                area_of(&scores, &labels).map_or(Measure::Bare(None), Measure::Area)
            }
            _ => Measure::Bare(None),
        }
    }
}

fn selected(decisions: &[bool], rows: &[usize]) -> Fraction {
    let (mut hits, mut others) = (0, 0);
    for decision in rows.iter().filter_map(|row| decisions.get(*row)) {
        if *decision {
            hits += 1;
        } else {
            others += 1;
        }
    }
    Fraction::among(hits, others)
}

/// Measures pairs of a predicted number and the truth.
fn numbers(metric: GroupMetric, pairs: &[(f64, f64)]) -> Measure {
    let mean = |value: fn(&(f64, f64)) -> f64, least: Option<f64>| {
        Mean::of(&pairs.iter().map(value).collect::<Vec<_>>(), least)
    };
    match metric {
        GroupMetric::MeanPrediction => mean(|(predicted, _)| *predicted, None),
        GroupMetric::MeanAbsoluteError => mean(|(predicted, y)| (predicted - y).abs(), Some(0.0)),
        GroupMetric::MeanSquaredError => mean(
            |(predicted, y)| (predicted - y) * (predicted - y),
            Some(0.0),
        ),
        GroupMetric::RSquared => Measure::Bare(r_squared(pairs)),
        _ => Measure::Bare(None),
    }
}

fn r_squared(pairs: &[(f64, f64)]) -> Option<f64> {
    let (_, first) = pairs.first()?;
    if pairs.iter().all(|(_, y)| y == first) {
        return None;
    }
    let mean = pairs.iter().map(|(_, y)| y).sum::<f64>() / pairs.len() as f64;
    let total: f64 = pairs.iter().map(|(_, y)| (y - mean) * (y - mean)).sum();
    let residual: f64 = pairs.iter().map(|(p, y)| (p - y) * (p - y)).sum();
    Some(1.0 - residual / total).filter(|value| total.is_finite() && value.is_finite())
}

const OF_NUMBERS: [GroupMetric; 4] = [
    GroupMetric::MeanPrediction,
    GroupMetric::MeanAbsoluteError,
    GroupMetric::MeanSquaredError,
    GroupMetric::RSquared,
];
