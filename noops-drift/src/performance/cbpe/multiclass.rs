use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ranking::{Ranking, logit_interval};
use super::settings::CbpeSettings;
use super::{believed, fitted};
use crate::error::DriftError;
use crate::matrix::Matrix;
use crate::performance::calibration::Calibrator;
use crate::performance::check::{contradiction, invalid, one_per_score};
use crate::performance::estimate::Estimate;

/// How well does a classifier of several classes do on rows that have no labels yet?
///
/// # Formula
///
/// The scores of each class are calibrated against the rest, and the calibrated probabilities c_ik of a row are scaled to sum to 1 (a row
/// where all are 0 gets equal ones). Accuracy is the mean probability of the predicted class. The other metrics are those of
/// each class against the rest, from expected counts, averaged over the classes.
///
/// Intervals are those of the delta method: with g_ik the derivative of the metric by the indicator that row i is of class k, the
/// variance is Σ_i (Σ_k c_ik g_ik² − (Σ_k c_ik g_ik)²), and the interval is taken on the logit scale.
///
/// # Numerical notes
///
/// The assumptions of [`Cbpe`](crate::performance::Cbpe) hold here too. The delta method needs some tens of expected surprises: with fewer, intervals are too
/// narrow. A class is a column of the scores; a macro average is absent when it is not defined for one of the classes.
///
/// # Complexity
///
/// O(k n log n) for k classes.
///
/// # Examples
///
/// ```
/// use noops_drift::Matrix;
/// use noops_drift::performance::{CbpeSettings, MulticlassCbpe, MulticlassMetric};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The class with the largest score, 0.6, is right three times in five.
/// let sure = |class: usize| (0..300).map(|row| if row % 3 == class { 0.6 } else { 0.2 }).collect();
/// let scores = Matrix::from_columns(vec![sure(0), sure(1), sure(2)])?;
/// let predicted: Vec<usize> = (0..300).map(|row| row % 3).collect();
/// let labels: Vec<usize> = (0..300)
///     .map(|row| match row / 3 % 5 {
///         0..=2 => row % 3,
///         3 => (row + 1) % 3,
///         _ => (row + 2) % 3,
///     })
///     .collect();
/// let cbpe = MulticlassCbpe::fit(&scores, &labels, CbpeSettings::default())?;
/// let estimate = cbpe.estimate(&scores, &predicted)?;
/// let accuracy = estimate.metric(MulticlassMetric::Accuracy).ok_or("no rows")?;
/// assert!((accuracy.value() - 0.6).abs() < 1e-9);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawMulticlassCbpe")]
pub struct MulticlassCbpe {
    calibrators: Vec<Option<Calibrator>>,
    settings: CbpeSettings,
}

impl MulticlassCbpe {
    /// Learns from rows with labels what the scores of each class mean. A label is the index of its column of scores.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when there are fewer than two classes, there is no row, the lengths differ, a label has no column
    /// or a score is not finite, and [`DriftError::InvalidSetting`].
    pub fn fit(
        scores: &Matrix,
        labels: &[usize],
        settings: CbpeSettings,
    ) -> Result<Self, DriftError> {
        settings.validate()?;
        check(scores, "labels", labels)?;
        let mut calibrators = Vec::with_capacity(scores.width());
        for (class, column) in scores.columns().iter().enumerate() {
            let is_class: Vec<bool> = labels.iter().map(|label| *label == class).collect();
            calibrators.push(fitted(column, &is_class, settings.calibration())?);
        }
        Ok(Self {
            calibrators,
            settings,
        })
    }

    /// Estimates the performance on rows without labels. Rows with a NaN among their scores are left out and counted.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when the lengths or the number of classes differ or a prediction has no column.
    pub fn estimate(
        &self,
        scores: &Matrix,
        predicted: &[usize],
    ) -> Result<MulticlassEstimate, DriftError> {
        check(scores, "predicted", predicted)?;
        if scores.width() != self.calibrators.len() {
            return Err(invalid(
                "scores",
                format!(
                    "has `{}` columns where `{}` classes were learned; pass one column per class",
                    scores.width(),
                    self.calibrators.len()
                ),
            ));
        }
        let mut usable = vec![true; scores.rows()];
        for column in scores.columns() {
            for (usable, score) in usable.iter_mut().zip(column) {
                *usable &= !score.is_nan();
            }
        }
        let keep = |column: &[f64]| -> Vec<f64> {
            let kept = column.iter().zip(&usable).filter(|(_, usable)| **usable);
            kept.map(|(score, _)| *score).collect()
        };
        let raw: Vec<Vec<f64>> = scores.columns().iter().map(|column| keep(column)).collect();
        let mut probabilities: Vec<Vec<f64>> = Vec::with_capacity(raw.len());
        for (column, calibrator) in raw.iter().zip(&self.calibrators) {
            let believed = column
                .iter()
                .map(|score| believed(calibrator.as_ref(), *score));
            probabilities.push(believed.collect());
        }
        scale_rows(&mut probabilities);
        let kept = predicted.iter().zip(&usable).filter(|(_, usable)| **usable);
        let predicted: Vec<usize> = kept.map(|(class, _)| *class).collect();
        let left_out = (usable.len() - predicted.len()) as u64;
        Ok(self.summarise(&raw, &probabilities, &predicted, left_out))
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &CbpeSettings {
        &self.settings
    }

    pub(super) fn summarise(
        &self,
        raw: &[Vec<f64>],
        probabilities: &[Vec<f64>],
        predicted: &[usize],
        left_out: u64,
    ) -> MulticlassEstimate {
        let rows = predicted.len() as u64;
        let classes = probabilities.len() as f64;
        let mut metrics = BTreeMap::new();
        for metric in METRICS {
            let parts: Option<Vec<Part>> = raw
                .iter()
                .zip(probabilities)
                .enumerate()
                .map(|(class, (raw, c))| part(metric, class, raw, c, predicted))
                .collect();
            let Some(parts) = parts else { continue };
            let scale = if metric == MulticlassMetric::Accuracy {
                1.0
            } else {
                classes
            };
            let value = parts.iter().map(|part| part.value).sum::<f64>() / scale;
            let variance = variance(&parts, probabilities, predicted.len()) / (scale * scale);
            let value = value.clamp(0.0, 1.0);
            if let Some(estimate) = logit_interval(value, variance, self.settings.alpha(), rows) {
                metrics.insert(metric, estimate);
            }
        }
        MulticlassEstimate {
            metrics,
            rows,
            left_out,
        }
    }
}

/// The estimated performance of a classifier of several classes on rows without labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct MulticlassEstimate {
    metrics: BTreeMap<MulticlassMetric, Estimate>,
    rows: u64,
    left_out: u64,
}

impl MulticlassEstimate {
    /// The estimate of a metric; nothing where it is not defined.
    #[must_use]
    pub fn metric(&self, metric: MulticlassMetric) -> Option<&Estimate> {
        self.metrics.get(&metric)
    }

    /// Rows that took part.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows that were left out because one of their scores is NaN.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// A metric of a classifier of several classes; averages are over classes against the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum MulticlassMetric {
    /// The share of rows that are predicted right.
    Accuracy,
    /// The mean precision.
    MacroPrecision,
    /// The mean recall.
    MacroRecall,
    /// The mean specificity.
    MacroSpecificity,
    /// The mean F1.
    MacroF1,
    /// The mean area under the ROC curve.
    MacroRocAuc,
}

#[derive(Deserialize)]
struct RawMulticlassCbpe {
    calibrators: Vec<Option<Calibrator>>,
    settings: CbpeSettings,
}

impl TryFrom<RawMulticlassCbpe> for MulticlassCbpe {
    type Error = DriftError;

    fn try_from(raw: RawMulticlassCbpe) -> Result<Self, DriftError> {
        if raw.calibrators.len() < 2 {
            return Err(contradiction(
                "multiclass estimator",
                "it knows fewer than two classes",
            ));
        }
        raw.settings.validate()?;
        Ok(Self {
            calibrators: raw.calibrators,
            settings: raw.settings,
        })
    }
}

/// A metric of one class, with its derivative by the indicator that a row is of this class.
struct Part {
    value: f64,
    slopes: Vec<f64>,
}

fn part(
    metric: MulticlassMetric,
    class: usize,
    raw: &[f64],
    probabilities: &[f64],
    predicted: &[usize],
) -> Option<Part> {
    if metric == MulticlassMetric::MacroRocAuc {
        let ranking = Ranking::new(raw.iter().copied().zip(probabilities.iter().copied()));
        let slope = ranking.roc_auc()?;
        return Some(Part {
            value: slope.value,
            slopes: ranking.by_row(&slope),
        });
    }
    let chosen: Vec<f64> = predicted
        .iter()
        .map(|one| if *one == class { 1.0 } else { 0.0 })
        .collect();
    let rows = predicted.len() as f64;
    let hits: f64 = chosen.iter().zip(probabilities).map(|(d, c)| d * c).sum();
    let of_class: f64 = probabilities.iter().sum();
    let predicted: f64 = chosen.iter().sum();
    let others = rows - of_class;
    let right = others - (predicted - hits);
    // Every derivative is a straight line in whether the row is predicted to be of this class.
    let (value, rise, start) = match metric {
        MulticlassMetric::Accuracy => (hits / rows, 1.0 / rows, 0.0),
        MulticlassMetric::MacroPrecision => (hits / predicted, 1.0 / predicted, 0.0),
        MulticlassMetric::MacroRecall => {
            let value = hits / of_class;
            (value, 1.0 / of_class, -value / of_class)
        }
        MulticlassMetric::MacroSpecificity => {
            let value = right / others;
            (value, 1.0 / others, (value - 1.0) / others)
        }
        MulticlassMetric::MacroF1 => {
            let size = predicted + of_class;
            let value = 2.0 * hits / size;
            (value, 2.0 / size, -value / size)
        }
        MulticlassMetric::MacroRocAuc => return None,
    };
    value.is_finite().then(|| Part {
        value,
        slopes: chosen.iter().map(|d| start + rise * d).collect(),
    })
}

fn variance(parts: &[Part], probabilities: &[Vec<f64>], rows: usize) -> f64 {
    let mut squares = vec![0.0; rows];
    let mut means = vec![0.0; rows];
    for (part, column) in parts.iter().zip(probabilities) {
        let sums = squares.iter_mut().zip(&mut means);
        for ((square, mean), (slope, c)) in sums.zip(part.slopes.iter().zip(column)) {
            *square += c * slope * slope;
            *mean += c * slope;
        }
    }
    let rows = squares.iter().zip(&means);
    rows.map(|(square, mean): (&f64, &f64)| (square - mean * mean).max(0.0))
        .sum()
}

fn scale_rows(probabilities: &mut [Vec<f64>]) {
    let classes = probabilities.len() as f64;
    let rows = probabilities.first().map_or(0, Vec::len);
    let mut sums = vec![0.0; rows];
    for column in probabilities.iter() {
        for (sum, c) in sums.iter_mut().zip(column) {
            *sum += c;
        }
    }
    for column in probabilities.iter_mut() {
        for (c, sum) in column.iter_mut().zip(&sums) {
            *c = if *sum > 0.0 { *c / sum } else { 1.0 / classes };
        }
    }
}

fn check(scores: &Matrix, input: &'static str, classes: &[usize]) -> Result<(), DriftError> {
    if scores.width() < 2 {
        return Err(invalid(
            "scores",
            "has fewer than two columns; pass one per class",
        ));
    }
    one_per_score(input, scores.rows(), classes.len())?;
    match classes.iter().position(|class| *class >= scores.width()) {
        Some(row) => Err(invalid(
            input,
            format!("has a class at row `{row}` without a column of scores; count classes from 0"),
        )),
        None => Ok(()),
    }
}

const METRICS: [MulticlassMetric; 6] = [
    MulticlassMetric::Accuracy,
    MulticlassMetric::MacroPrecision,
    MulticlassMetric::MacroRecall,
    MulticlassMetric::MacroSpecificity,
    MulticlassMetric::MacroF1,
    MulticlassMetric::MacroRocAuc,
];
