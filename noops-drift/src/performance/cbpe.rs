mod binary;
mod counts;
mod multiclass;
mod ranking;
mod settings;
#[cfg(test)]
mod tests;
mod thresholds;

use serde::{Deserialize, Serialize};

pub use self::binary::{BinaryEstimate, BinaryMetric, ExpectedConfusion};
pub use self::multiclass::{MulticlassCbpe, MulticlassEstimate, MulticlassMetric};
pub use self::settings::{BusinessValues, CbpeSettings};
pub use self::thresholds::{PerformanceBand, reference_thresholds};
use super::calibration::{Calibration, Calibrator, calibration_helps};
use super::check::{invalid, one_per_score};
use crate::error::DriftError;

/// How well does a binary classifier do on rows that have no labels yet? Confidence-based performance estimation.
///
/// # Formula
///
/// With c_i the calibrated probability that row i is positive, a row that is predicted positive is expected to be c_i
/// true and 1 − c_i false positives, one that is predicted negative c_i false and 1 − c_i true negatives. Every metric
/// is computed from these expected counts; the curves rank rows by their raw score. This is what NannyML calls CBPE.
///
/// Given the c_i, the true positives are Poisson-binomial (Kivimäki et al., 2025), as are the false negatives,
/// independent of each other. Intervals of metrics that are functions of the two are quantiles of their exact joint
/// law: at 1 − alpha, what the labels will show lies inside. When a law is too wide to be multiplied out, and for the two
/// curves, the interval is that of the delta method: v = Σ c_i(1 − c_i)(∂metric/∂y_i)², on the logit scale for the curves.
///
/// # Numerical notes
///
/// It assumes that the probability of a positive at a given score is what it was in the reference, that labels are independent
/// given the scores, and that the calibrator is right. It cannot see concept drift: when the
/// relation of inputs and label changes, it says that nothing happened. The intervals hold the sampling of labels, not the error of the
/// calibrator, so they are too narrow when the reference is smaller than the batch. A score shared by rows of very
/// different kinds breaks the first assumption when the mix of kinds moves; [`Pape`](crate::performance::Pape) is for that.
///
/// # Complexity
///
/// O(n log n + n σ) for n rows, σ² being the expected number of label surprises.
///
/// # Examples
///
/// ```
/// use noops_drift::performance::{Cbpe, CbpeSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A score of 0.8 is right four times in five, one of 0.2 once.
/// let scores: Vec<f64> = (0..1_000).map(|row| if row % 2 == 0 { 0.8 } else { 0.2 }).collect();
/// let labels: Vec<bool> = (0..1_000).map(|row| (row % 2 == 0) == (row / 2 % 5 != 0)).collect();
/// let cbpe = Cbpe::fit(&scores, &labels, CbpeSettings::default())?;
///
/// let predicted: Vec<bool> = scores.iter().map(|score| *score > 0.5).collect();
/// let estimate = cbpe.estimate(&scores, &predicted)?;
/// let accuracy = estimate.accuracy().ok_or("no rows")?;
/// assert!((accuracy.value() - 0.8).abs() < 1e-9);
/// assert!(accuracy.lower() < 0.8 && accuracy.upper() > 0.8);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawCbpe")]
pub struct Cbpe {
    calibrator: Option<Calibrator>,
    settings: CbpeSettings,
}

impl Cbpe {
    /// Learns from rows with labels what a score means.
    ///
    /// Use rows the model was not trained on.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when there is no row, the lengths differ or a score is not finite, and
    /// [`DriftError::InvalidSetting`].
    pub fn fit(
        scores: &[f64],
        labels: &[bool],
        settings: CbpeSettings,
    ) -> Result<Self, DriftError> {
        settings.validate()?;
        one_per_score("labels", scores.len(), labels.len())?;
        Ok(Self {
            calibrator: fitted(scores, labels, settings.calibration())?,
            settings,
        })
    }

    /// Takes a calibrator that was fitted elsewhere.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`].
    pub fn with_calibrator(
        calibrator: Calibrator,
        settings: CbpeSettings,
    ) -> Result<Self, DriftError> {
        settings.validate()?;
        Ok(Self {
            calibrator: Some(calibrator),
            settings,
        })
    }

    /// Estimates the performance on rows without labels. Rows whose score is NaN are left out and counted.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when the lengths differ.
    pub fn estimate(
        &self,
        scores: &[f64],
        predicted: &[bool],
    ) -> Result<BinaryEstimate, DriftError> {
        one_per_score("predicted", scores.len(), predicted.len())?;
        let rows = scores
            .iter()
            .zip(predicted)
            .filter(|(score, _)| !score.is_nan())
            .map(|(&score, &predicted)| Row {
                score,
                probability: self.probability(score),
                predicted,
            });
        let rows: Vec<Row> = rows.collect();
        let left_out = scores.len() - rows.len();
        Ok(BinaryEstimate::of(&rows, left_out as u64, &self.settings))
    }

    /// Estimates chunks of the reference, each with a calibrator that has not seen its labels.
    ///
    /// This is what the spread of an estimate on unchanged data is to be taken from, with [`reference_thresholds`].
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when the lengths differ, a score is not finite or there are fewer than two chunks, and
    /// [`DriftError::InvalidSetting`].
    ///
    /// # Complexity
    ///
    /// One fit for each chunk.
    pub fn left_out_chunks(
        scores: &[f64],
        predicted: &[bool],
        labels: &[bool],
        chunk_rows: usize,
        settings: &CbpeSettings,
    ) -> Result<Vec<BinaryEstimate>, DriftError> {
        one_per_score("predicted", scores.len(), predicted.len())?;
        one_per_score("labels", scores.len(), labels.len())?;
        if chunk_rows == 0 || scores.len() <= chunk_rows {
            return Err(invalid(
                "chunk_rows",
                "does not cut the rows into two chunks or more; choose fewer rows for a chunk",
            ));
        }
        let mut estimates = Vec::new();
        let chunks = scores.chunks(chunk_rows).zip(predicted.chunks(chunk_rows));
        for (left_out, (chunk, decisions)) in chunks.enumerate() {
            let others = scores.iter().zip(labels).enumerate();
            let (other_scores, other_labels): (Vec<f64>, Vec<bool>) = others
                .filter(|(row, _)| row / chunk_rows != left_out)
                .map(|(_, (score, label))| (*score, *label))
                .unzip();
            let cbpe = Self::fit(&other_scores, &other_labels, settings.clone())?;
            estimates.push(cbpe.estimate(chunk, decisions)?);
        }
        Ok(estimates)
    }

    /// The probability of a positive label at this score.
    #[must_use]
    pub fn probability(&self, score: f64) -> f64 {
        believed(self.calibrator.as_ref(), score)
    }

    /// The calibrator; nothing when scores are taken as probabilities.
    #[must_use]
    pub fn calibrator(&self) -> Option<&Calibrator> {
        self.calibrator.as_ref()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &CbpeSettings {
        &self.settings
    }
}

#[derive(Deserialize)]
struct RawCbpe {
    calibrator: Option<Calibrator>,
    settings: CbpeSettings,
}

impl TryFrom<RawCbpe> for Cbpe {
    type Error = DriftError;

    fn try_from(raw: RawCbpe) -> Result<Self, DriftError> {
        raw.settings.validate()?;
        Ok(Self {
            calibrator: raw.calibrator,
            settings: raw.settings,
        })
    }
}

/// A row to estimate: its score is a number, its probability in \[0, 1\].
#[derive(Clone, Copy, Debug)]
struct Row {
    score: f64,
    probability: f64,
    predicted: bool,
}

fn fitted(
    scores: &[f64],
    labels: &[bool],
    calibration: Calibration,
) -> Result<Option<Calibrator>, DriftError> {
    let calibrator = Calibrator::fit(scores, labels)?;
    let wanted = match calibration {
        Calibration::Always => true,
        Calibration::WhenItHelps => calibration_helps(scores, labels)?,
        Calibration::Never => false,
    };
    Ok(wanted.then_some(calibrator))
}

fn believed(calibrator: Option<&Calibrator>, score: f64) -> f64 {
    match calibrator {
        Some(calibrator) => calibrator.calibrate(score),
        None if score.is_nan() => 0.5,
        None => score.clamp(0.0, 1.0),
    }
}
