#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::calibration::Calibrator;
use super::cbpe::{BinaryEstimate, Cbpe, CbpeSettings};
use super::check::one_per_score;
use super::density_ratio::{DensityRatio, DensityRatioSettings};
use crate::error::DriftError;
use crate::matrix::Matrix;

/// How well does a binary classifier do after its inputs have shifted? Probabilistic adaptive performance estimation.
///
/// [`Cbpe`] learns on the reference what a score means there. When rows of different kinds share a score and their mix
/// moves, that meaning moves too. Here the reference rows count as much as rows like them occur in the current data, so
/// that the calibration is that of the current data.
///
/// # Formula
///
/// Each reference row has the weight w(x) of a [`DensityRatio`]; the calibrator is the isotonic regression of labels on
/// scores with these weights; and the estimate is that of [`Cbpe`] with this calibrator (Białek, Kivimäki, Kuberski and
/// Perrakis, arXiv 2401.08348).
///
/// # Numerical notes
///
/// It assumes that the probability of a positive given the features, not just given the score, is what it was: any shift of inputs, no concept
/// drift. It also needs the reference to cover the current rows; [`effective_rows`](Self::effective_rows) says
/// how well it does. The intervals are those of [`Cbpe`]: they hold the chance in labels, but neither the
/// error of the weights nor that of the calibrator, which is that of a reference of that many rows.
///
/// # Complexity
///
/// That of the density ratio, and a sort.
///
/// # Examples
///
/// ```
/// use noops_drift::Matrix;
/// use noops_drift::performance::{CbpeSettings, DensityRatioSettings, Pape};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A score of 0.6 is always right for kind 1 and never for kind 0, which used to be as frequent.
/// let kinds: Vec<f64> = (0..400).map(|row| f64::from(row % 2)).collect();
/// let labels: Vec<bool> = kinds.iter().map(|kind| *kind == 1.0).collect();
/// let reference = Matrix::from_columns(vec![kinds])?;
/// let current = Matrix::from_columns(vec![(0..400).map(|row| if row % 10 == 0 { 0.0 } else { 1.0 }).collect()])?;
/// let pape = Pape::fit(
///     &reference,
///     &[0.6; 400],
///     &labels,
///     &current,
///     DensityRatioSettings::default(),
///     CbpeSettings::default(),
/// )?;
/// let estimate = pape.estimate(&[0.6; 400], &[true; 400])?;
/// let accuracy = estimate.accuracy().ok_or("no rows")?;
/// assert!((accuracy.value() - 0.9).abs() < 0.02);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pape {
    ratio: DensityRatio,
    cbpe: Cbpe,
}

impl Pape {
    /// Learns from reference rows with labels, weighed towards the current rows, what a score means there.
    ///
    /// Whether to calibrate is not asked: the weighted calibrator is always used. Use reference rows the model was not trained on, and fit again for each batch
    /// or window.
    ///
    /// # Errors
    ///
    /// Those of [`DensityRatio::fit`], and [`DriftError::InvalidInput`] when scores or labels are not one for each
    /// reference row or a score is not finite.
    pub fn fit(
        reference: &Matrix,
        scores: &[f64],
        labels: &[bool],
        current: &Matrix,
        ratio: DensityRatioSettings,
        settings: CbpeSettings,
    ) -> Result<Self, DriftError> {
        one_per_score("reference", scores.len(), reference.rows())?;
        one_per_score("labels", scores.len(), labels.len())?;
        let ratio = DensityRatio::fit(reference, current, ratio)?;
        let calibrator = Calibrator::fit_weighted(scores, labels, ratio.weights())?;
        Ok(Self {
            ratio,
            cbpe: Cbpe::with_calibrator(calibrator, settings)?,
        })
    }

    /// Estimates the performance on the current rows, or others with the same inputs. Rows whose score is NaN are left out and counted.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when the lengths differ.
    pub fn estimate(
        &self,
        scores: &[f64],
        predicted: &[bool],
    ) -> Result<BinaryEstimate, DriftError> {
        self.cbpe.estimate(scores, predicted)
    }

    /// The probability of a positive label at this score, among rows like the current ones.
    #[must_use]
    pub fn probability(&self, score: f64) -> f64 {
        self.cbpe.probability(score)
    }

    /// How many unweighted rows tell as much as the weighted reference; below a hundred, trust nothing.
    #[must_use]
    pub fn effective_rows(&self) -> f64 {
        self.ratio.effective_rows()
    }

    /// The weights of the reference rows.
    #[must_use]
    pub fn density_ratio(&self) -> &DensityRatio {
        &self.ratio
    }
}
