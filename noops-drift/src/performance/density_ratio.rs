mod settings;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::settings::DensityRatioSettings;
use super::check::{contradiction, invalid};
use crate::boosting::{Binned, Boosted, Loss, fold_rows, rows_outside, stacked};
use crate::error::DriftError;
use crate::matrix::Matrix;

/// How much more frequent each kind of row is in the current data than in the reference.
///
/// # Formula
///
/// A boosted logistic classifier of current against reference rows has odds o(x); the ratio of densities is
/// w(x) = o(x) · n_ref / n_cur, at most a cap. Reference rows are weighed by classifiers that were fitted without their
/// fold, and their weights are divided by the mean, which is 1 for the true ratio (Bickel, Brückner and Scheffer, 2009).
///
/// # Numerical notes
///
/// It needs rows like the current ones in the reference: where there are none, no weight is large enough, and
/// [`effective_rows`](Self::effective_rows), (Σw)² / Σw², falls to a few. Trust nothing weighted with fewer than a hundred. The
/// cap trades variance for bias; [`capped`](Self::capped) says for how many rows it did.
///
/// # Complexity
///
/// K fits, each O(rounds · depth · rows · columns).
///
/// # Examples
///
/// ```
/// use noops_drift::Matrix;
/// use noops_drift::performance::{DensityRatio, DensityRatioSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Ones were a quarter of the rows and are now three quarters.
/// let reference = Matrix::from_columns(vec![(0..400).map(|row| if row % 4 == 0 { 1.0 } else { 0.0 }).collect()])?;
/// let current = Matrix::from_columns(vec![(0..400).map(|row| if row % 4 == 0 { 0.0 } else { 1.0 }).collect()])?;
/// let ratio = DensityRatio::fit(&reference, &current, DensityRatioSettings::default())?;
/// let one = ratio.weights().first().ok_or("no rows")?;
/// assert!((one - 3.0).abs() < 0.3);
/// assert!(ratio.effective_rows() < 400.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawDensityRatio")]
pub struct DensityRatio {
    settings: DensityRatioSettings,
    models: Vec<Boosted>,
    weights: Vec<f64>,
    capped: u64,
    prior_odds: f64,
}

impl DensityRatio {
    /// Learns where the current rows are dense.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when the sides differ in their number of columns, one of them has fewer than 10 rows for
    /// each fold or both together have more than a `u32` counts; [`DriftError::InvalidSetting`].
    pub fn fit(
        reference: &Matrix,
        current: &Matrix,
        settings: DensityRatioSettings,
    ) -> Result<Self, DriftError> {
        settings.validate()?;
        let folds = settings.folds() as usize;
        check_rows("reference", reference.rows(), folds)?;
        check_rows("current", current.rows(), folds)?;
        if current.width() != reference.width() {
            return Err(invalid(
                "current",
                format!(
                    "has `{}` columns where the reference has `{}`; pass the same columns in the same order",
                    current.width(),
                    reference.width()
                ),
            ));
        }
        let features = stacked(reference, current)?;
        let binned = Binned::new(&features, settings.boosting().bins())?;
        // The matrix of both has at most `u32::MAX` rows, or it could not have been binned.
        let n_reference = reference.rows() as u32;
        let n_current = current.rows() as u32;
        let targets: Vec<f64> = (0..features.rows())
            .map(|row| if row < reference.rows() { 0.0 } else { 1.0 })
            .collect();
        let mut dealt = fold_rows(0, n_reference, folds, settings.seed());
        let held_out = dealt.clone();
        let others = fold_rows(n_reference, n_current, folds, !settings.seed());
        for (fold, other) in dealt.iter_mut().zip(others) {
            fold.extend(other);
        }
        let prior_odds = f64::from(n_current) / f64::from(n_reference);
        let mut weights = vec![0.0; reference.rows()];
        let mut capped = 0_u64;
        let mut models = Vec::with_capacity(folds);
        for (fold, rows) in held_out.iter().enumerate() {
            let taught = rows_outside(&dealt, fold);
            let model = Boosted::fit(
                &binned,
                &taught,
                &targets,
                None,
                Loss::Logistic,
                settings.boosting(),
            )?;
            for (&row, log_odds) in rows.iter().zip(model.predict_rows(&features, rows)?) {
                let ratio = log_odds.exp() / prior_odds;
                if ratio > settings.cap() {
                    capped = capped.saturating_add(1);
                }
                if let Some(weight) = weights.get_mut(row as usize) {
                    *weight = ratio.min(settings.cap());
                }
            }
            models.push(model);
        }
        let mean = weights.iter().sum::<f64>() / reference.rows() as f64;
        if mean > f64::MIN_POSITIVE {
            weights.iter_mut().for_each(|weight| *weight /= mean);
        } else {
            weights.fill(1.0);
        }
        Ok(Self {
            settings,
            models,
            weights,
            capped,
            prior_odds,
        })
    }

    /// The ratio at new rows: the geometric mean of what the classifiers of all folds say, at most the cap.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when the number of columns is not that of the reference, and [`DriftError::NoRows`].
    pub fn ratios(&self, features: &Matrix) -> Result<Vec<f64>, DriftError> {
        let mut log_odds = vec![0.0; features.rows()];
        for model in &self.models {
            for (sum, more) in log_odds.iter_mut().zip(model.predict(features)?) {
                *sum += more / self.models.len() as f64;
            }
        }
        let ratios = log_odds
            .into_iter()
            .map(|log| (log.exp() / self.prior_odds).min(self.settings.cap()));
        Ok(ratios.collect())
    }

    /// The weight of each reference row; they average 1.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// How many unweighted rows tell as much as the weighted reference.
    #[must_use]
    pub fn effective_rows(&self) -> f64 {
        let sum: f64 = self.weights.iter().sum();
        let squares: f64 = self.weights.iter().map(|weight| weight * weight).sum();
        if squares > 0.0 {
            sum * sum / squares
        } else {
            0.0
        }
    }

    /// How many reference rows would have had more than the cap.
    #[must_use]
    pub fn capped(&self) -> u64 {
        self.capped
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &DensityRatioSettings {
        &self.settings
    }
}

fn check_rows(input: &'static str, rows: usize, folds: usize) -> Result<(), DriftError> {
    let least = LEAST_PER_FOLD * folds;
    if rows < least {
        Err(invalid(
            input,
            format!("has `{rows}` rows; pass at least `{least}`, or choose fewer folds"),
        ))
    } else {
        Ok(())
    }
}

#[derive(Deserialize)]
struct RawDensityRatio {
    settings: DensityRatioSettings,
    models: Vec<Boosted>,
    weights: Vec<f64>,
    capped: u64,
    prior_odds: f64,
}

impl TryFrom<RawDensityRatio> for DensityRatio {
    type Error = DriftError;

    fn try_from(raw: RawDensityRatio) -> Result<Self, DriftError> {
        raw.settings.validate()?;
        let refused = |reason: &str| Err(contradiction("density ratio", reason));
        if raw.models.len() != raw.settings.folds() as usize {
            return refused("it does not have one model for each fold");
        }
        let width = raw.models.first().map(Boosted::width);
        if !raw
            .models
            .iter()
            .all(|model| Some(model.width()) == width && model.loss() == Loss::Logistic)
        {
            return refused("its models do not belong together");
        }
        if raw.weights.is_empty()
            || !raw
                .weights
                .iter()
                .all(|weight| (0.0..=LARGEST_WEIGHT).contains(weight))
        {
            return refused("a weight is not a number of at least 0");
        }
        if raw.capped > raw.weights.len() as u64 {
            return refused("more weights were capped than there are");
        }
        if !(SMALLEST_ODDS..=1.0 / SMALLEST_ODDS).contains(&raw.prior_odds) {
            return refused("its prior odds are not those of two row counts");
        }
        Ok(Self {
            settings: raw.settings,
            models: raw.models,
            weights: raw.weights,
            capped: raw.capped,
            prior_odds: raw.prior_odds,
        })
    }
}

const LEAST_PER_FOLD: usize = 10;
/// Of two counts that fit a `u32`.
const SMALLEST_ODDS: f64 = 1e-10;
/// Squares of weights are summed.
const LARGEST_WEIGHT: f64 = 1e100;
