use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Row;
use super::counts::{Bound, CountLaw, CountMetric};
use super::ranking::{Ranking, Slope};
use super::settings::{BusinessValues, CbpeSettings};
use crate::performance::estimate::Estimate;

/// The estimated performance of a binary classifier on rows without labels.
///
/// A metric is absent where it is not defined: precision when no row is predicted positive, recall when no positive is
/// expected, anything when there is no row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct BinaryEstimate {
    confusion: ExpectedConfusion,
    metrics: BTreeMap<BinaryMetric, Estimate>,
    rows: u64,
    left_out: u64,
}

impl BinaryEstimate {
    pub(super) fn of(rows: &[Row], left_out: u64, settings: &CbpeSettings) -> Self {
        let alpha = settings.alpha();
        let law = CountLaw::new(rows, alpha);
        let ranking = Ranking::new(rows.iter().map(|row| (row.score, row.probability)));
        let confusion = ExpectedConfusion {
            true_positives: law.hits(),
            false_positives: law.predicted() - law.hits(),
            false_negatives: law.misses(),
            true_negatives: law.passed_over() - law.misses(),
        };
        let curve = |slope: Option<Slope>| slope.and_then(|slope| ranking.interval(&slope, alpha));
        let metrics = [
            (BinaryMetric::Accuracy, accuracy(&law)),
            (BinaryMetric::Precision, precision(&law)),
            (BinaryMetric::Recall, recall(&law)),
            (BinaryMetric::Specificity, specificity(&law)),
            (BinaryMetric::F1, f1(&law)),
            (BinaryMetric::RocAuc, curve(ranking.roc_auc())),
            (
                BinaryMetric::AveragePrecision,
                curve(ranking.average_precision()),
            ),
            (
                BinaryMetric::BusinessValue,
                settings.values().and_then(|values| business(&law, values)),
            ),
        ];
        Self {
            confusion,
            metrics: metrics
                .into_iter()
                .filter_map(|(metric, estimate)| Some((metric, estimate?)))
                .collect(),
            rows: rows.len() as u64,
            left_out,
        }
    }

    /// The expected confusion counts.
    pub fn confusion(&self) -> &ExpectedConfusion {
        &self.confusion
    }

    /// The estimate of a metric; nothing where it is not defined.
    #[must_use]
    pub fn metric(&self, metric: BinaryMetric) -> Option<&Estimate> {
        self.metrics.get(&metric)
    }

    /// The share of rows that are predicted right.
    #[must_use]
    pub fn accuracy(&self) -> Option<&Estimate> {
        self.metric(BinaryMetric::Accuracy)
    }

    /// The area under the ROC curve of the raw scores.
    #[must_use]
    pub fn roc_auc(&self) -> Option<&Estimate> {
        self.metric(BinaryMetric::RocAuc)
    }

    /// The harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> Option<&Estimate> {
        self.metric(BinaryMetric::F1)
    }

    /// Rows that took part.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows that were left out because their score is NaN.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// A metric of a binary classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum BinaryMetric {
    /// The share of rows that are predicted right.
    Accuracy,
    /// The share of positives among the rows that are predicted positive.
    Precision,
    /// The share of the positives that are predicted.
    Recall,
    /// The share of the negatives that are predicted.
    Specificity,
    /// The harmonic mean of precision and recall.
    F1,
    /// The area under the ROC curve.
    RocAuc,
    /// The mean precision over the steps of recall.
    AveragePrecision,
    /// What all decisions together are worth.
    BusinessValue,
}

/// How many rows of each kind are to be expected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct ExpectedConfusion {
    true_positives: f64,
    false_positives: f64,
    false_negatives: f64,
    true_negatives: f64,
}

impl ExpectedConfusion {
    /// Positives that are predicted.
    #[must_use]
    pub fn true_positives(&self) -> f64 {
        self.true_positives
    }

    /// Negatives that are predicted positive.
    #[must_use]
    pub fn false_positives(&self) -> f64 {
        self.false_positives
    }

    /// Positives that are predicted negative.
    #[must_use]
    pub fn false_negatives(&self) -> f64 {
        self.false_negatives
    }

    /// Negatives that are predicted.
    #[must_use]
    pub fn true_negatives(&self) -> f64 {
        self.true_negatives
    }
}

fn accuracy(law: &CountLaw) -> Option<Estimate> {
    let negatives = law.passed_over();
    let rows = law.predicted() + negatives;
    law.estimate(&share(
        (law.hits() + negatives - law.misses()) / rows,
        1.0 / rows,
        -1.0 / rows,
        &|value, misses| Bound::AtMost(value * rows - negatives + misses),
    ))
}

fn precision(law: &CountLaw) -> Option<Estimate> {
    let predicted = law.predicted();
    law.estimate(&share(
        law.hits() / predicted,
        1.0 / predicted,
        0.0,
        &|value, _| Bound::AtMost(value * predicted),
    ))
}

/// A batch that turns out to have no positive counts as a recall of 0.
fn recall(law: &CountLaw) -> Option<Estimate> {
    let positives = law.hits() + law.misses();
    let value = law.hits() / positives;
    law.estimate(&share(
        value,
        (1.0 - value) / positives,
        -value / positives,
        &|value, misses| {
            if value < 1.0 {
                Bound::AtMost(value * misses / (1.0 - value))
            } else {
                Bound::All
            }
        },
    ))
}

/// A batch that turns out to have no negative counts as a specificity of 0.
fn specificity(law: &CountLaw) -> Option<Estimate> {
    let passed_over = law.passed_over();
    let predicted = law.predicted();
    let right = passed_over - law.misses();
    let negatives = right + predicted - law.hits();
    let value = right / negatives;
    law.estimate(&share(
        value,
        value / negatives,
        -(1.0 - value) / negatives,
        &|value, misses| {
            let right = passed_over - misses;
            if right <= 0.0 {
                Bound::All
            } else if value > 0.0 {
                Bound::AtMost(right + predicted - right / value)
            } else {
                Bound::None
            }
        },
    ))
}

fn f1(law: &CountLaw) -> Option<Estimate> {
    let predicted = law.predicted();
    let size = predicted + law.hits() + law.misses();
    let value = 2.0 * law.hits() / size;
    law.estimate(&share(
        value,
        (2.0 - value) / size,
        -value / size,
        &|value, misses| Bound::AtMost(value * (predicted + misses) / (2.0 - value)),
    ))
}

fn business(law: &CountLaw, values: BusinessValues) -> Option<Estimate> {
    let (predicted, passed_over) = (law.predicted(), law.passed_over());
    let per_hit = values.true_positive - values.false_positive;
    let per_miss = values.false_negative - values.true_negative;
    let fixed = values.false_positive * predicted + values.true_negative * passed_over;
    let bound = |value: f64, misses: f64| {
        let left = value - fixed - per_miss * misses;
        if per_hit > 0.0 {
            Bound::AtMost(left / per_hit)
        } else if per_hit < 0.0 {
            Bound::AtLeast(left / per_hit)
        } else if left >= 0.0 {
            Bound::All
        } else {
            Bound::None
        }
    };
    let ends = |one: f64, other: f64| (one.min(other), one.max(other));
    let hits = ends(0.0, per_hit * predicted);
    let misses = ends(0.0, per_miss * passed_over);
    law.estimate(&CountMetric {
        value: fixed + per_hit * law.hits() + per_miss * law.misses(),
        by_hits: per_hit,
        by_misses: per_miss,
        least: fixed + hits.0 + misses.0,
        most: fixed + hits.1 + misses.1,
        bound: &bound,
    })
}

fn share<'a>(
    value: f64,
    by_hits: f64,
    by_misses: f64,
    bound: &'a dyn Fn(f64, f64) -> Bound,
) -> CountMetric<'a> {
    CountMetric {
        value,
        by_hits,
        by_misses,
        least: 0.0,
        most: 1.0,
        bound,
    }
}
