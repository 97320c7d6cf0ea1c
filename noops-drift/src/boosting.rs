//! Gradient boosting of small trees over histograms, for the methods that need a model of their own: which rows are
//! current, how large a loss is, how much more frequent a row has become.

mod bins;
mod folds;
mod grow;
mod histogram;
mod settings;
#[cfg(test)]
mod tests;
mod tree;

use serde::{Deserialize, Serialize};

pub(crate) use self::bins::Binned;
pub(crate) use self::folds::{all_rows, fold_rows, rows_outside, stacked};
use self::grow::Growth;
use self::histogram::Slope;
pub use self::settings::BoostingSettings;
use self::tree::Tree;
use crate::error::DriftError;
use crate::matrix::Matrix;

/// A sum of small regression trees, each fitted to what the ones before it left over.
///
/// # Formula
///
/// F(x) = F₀ + Σ f_t(x). Every round fits a tree to the gradients g and curvatures h of the loss at the current F: a
/// split gains G_l²/(H_l + λ) + G_r²/(H_r + λ) − G²/(H + λ) for sums G of g and H of h, and a leaf adds −ηG/(H + λ) for
/// the learning rate η (Friedman 2001; Chen and Guestrin 2016, equations 5 and 7). Columns are cut into at most 255 bins
/// at their quantiles; NaN has a bin of its own, and each split learns which side it takes.
///
/// # Numerical notes
///
/// There is no randomness: the same rows in the same order give the same model, bit for bit. A NaN that a split has not
/// met in fitting follows the larger side.
///
/// # Complexity
///
/// A level of a tree costs O(rows · columns): the histogram of the larger child is that of its parent less that of its
/// sibling. Memory is a byte per cell of the matrix, and O(depth · columns · bins) for histograms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawBoosted")]
pub(crate) struct Boosted {
    loss: Loss,
    width: usize,
    base: f64,
    trees: Vec<Tree>,
    gains: Vec<f64>,
}

impl Boosted {
    /// Fits `targets` of some rows of a binned matrix; targets and weights are indexed like the rows of the matrix.
    /// `rows` must ascend.
    ///
    /// The logistic loss takes targets from 0 to 1. Weights are divided by their mean.
    pub(crate) fn fit(
        features: &Binned,
        rows: &[u32],
        targets: &[f64],
        weights: Option<&[f64]>,
        loss: Loss,
        settings: &BoostingSettings,
    ) -> Result<Self, DriftError> {
        settings.validate()?;
        check_targets(features, targets, loss)?;
        let weights = unit_weights(features, rows, weights)?;
        let scale = match loss {
            Loss::Squared => largest(rows, targets),
            Loss::Logistic => 1.0,
        };
        let scaled: Vec<f64> = targets.iter().map(|target| target / scale).collect();
        let base = loss.start(weighted_mean(rows, &scaled, &weights));
        let mut model = Self {
            loss,
            width: features.width(),
            base: base * scale,
            trees: Vec::new(),
            gains: vec![0.0; features.width()],
        };
        let mut scores = vec![base; features.rows()];
        let mut slopes = vec![Slope::default(); features.rows()];
        let mut growth = Growth::new(features, settings);
        for _ in 0..settings.rounds() {
            for (slope, ((score, target), weight)) in slopes
                .iter_mut()
                .zip(scores.iter().zip(&scaled).zip(&weights))
            {
                *slope = loss.slope(*score, *target, *weight);
            }
            let tree = growth.grow(rows, &slopes, &mut scores, &mut model.gains);
            if tree.is_leaf() {
                break;
            }
            model.trees.push(tree.scaled(scale));
        }
        Ok(model)
    }

    /// The raw scores of all rows: means under the squared loss, log odds under the logistic.
    pub(crate) fn predict(&self, features: &Matrix) -> Result<Vec<f64>, DriftError> {
        self.predict_rows(features, &all_rows(features.rows())?)
    }

    /// The raw scores of some rows, in the order of `rows`.
    pub(crate) fn predict_rows(
        &self,
        features: &Matrix,
        rows: &[u32],
    ) -> Result<Vec<f64>, DriftError> {
        if features.width() != self.width {
            return Err(DriftError::InvalidInput {
                input: "features",
                reason: format!(
                    "has `{}` columns where the model was fitted to `{}`; pass the same columns in the same order",
                    features.width(),
                    self.width
                ),
            });
        }
        let mut scores = vec![self.base; rows.len()];
        for tree in &self.trees {
            for (score, &row) in scores.iter_mut().zip(rows) {
                *score += tree.value(features, row as usize);
            }
        }
        Ok(scores)
    }

    /// What each column gained, as shares of all gains; all zero when there was nothing to gain.
    pub(crate) fn gain_shares(&self) -> Vec<f64> {
        let total: f64 = self.gains.iter().sum();
        if total > 0.0 && total.is_finite() {
            self.gains.iter().map(|gain| gain / total).collect()
        } else {
            vec![0.0; self.gains.len()]
        }
    }

    /// How many columns the model reads.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// What the model minimised.
    pub(crate) fn loss(&self) -> Loss {
        self.loss
    }
}

/// What a model minimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Loss {
    /// (y − F)² / 2; F is the mean of y.
    Squared,
    /// −y ln p − (1 − y) ln(1 − p); F is the logit of p.
    Logistic,
}

impl Loss {
    fn start(self, mean: f64) -> f64 {
        match self {
            Self::Squared => mean,
            Self::Logistic => {
                let p = mean.clamp(RAREST, 1.0 - RAREST);
                (p / (1.0 - p)).ln()
            }
        }
    }

    fn slope(self, score: f64, target: f64, weight: f64) -> Slope {
        match self {
            Self::Squared => Slope {
                gradient: weight * (score - target),
                curvature: weight,
            },
            Self::Logistic => {
                let p = probability(score);
                Slope {
                    gradient: weight * (p - target),
                    curvature: weight * p * (1.0 - p),
                }
            }
        }
    }
}

/// The probability with these log odds.
pub(crate) fn probability(log_odds: f64) -> f64 {
    if log_odds >= 0.0 {
        1.0 / (1.0 + (-log_odds).exp())
    } else {
        let odds = log_odds.exp();
        odds / (1.0 + odds)
    }
}

fn check_targets(features: &Binned, targets: &[f64], loss: Loss) -> Result<(), DriftError> {
    if targets.len() != features.rows() {
        return Err(invalid(
            "targets",
            format!(
                "has `{}` values for `{}` rows; pass one for each row",
                targets.len(),
                features.rows()
            ),
        ));
    }
    let (low, high) = match loss {
        Loss::Squared => (-LARGEST_TARGET, LARGEST_TARGET),
        Loss::Logistic => (0.0, 1.0),
    };
    match targets
        .iter()
        .find(|target| !(low..=high).contains(*target))
    {
        Some(odd) => Err(invalid(
            "targets",
            format!("has the value `{odd}`; pass numbers from {low} to {high}"),
        )),
        None => Ok(()),
    }
}

/// The weights over their mean in `rows`, one for every row of the matrix.
fn unit_weights(
    features: &Binned,
    rows: &[u32],
    weights: Option<&[f64]>,
) -> Result<Vec<f64>, DriftError> {
    if rows.is_empty() {
        return Err(invalid("rows", "is empty; pass at least one".to_owned()));
    }
    if rows.iter().any(|&row| row as usize >= features.rows()) {
        return Err(invalid(
            "rows",
            format!(
                "names a row beyond the `{}` there are; pass indices below that",
                features.rows()
            ),
        ));
    }
    // A row named twice would take every step twice.
    if rows.windows(2).any(|pair| pair.first() >= pair.last()) {
        return Err(invalid(
            "rows",
            "does not ascend; sort the indices and name each once".to_owned(),
        ));
    }
    let Some(weights) = weights else {
        return Ok(vec![1.0; features.rows()]);
    };
    if weights.len() != features.rows() {
        return Err(invalid(
            "weights",
            format!(
                "has `{}` values for `{}` rows; pass one for each row",
                weights.len(),
                features.rows()
            ),
        ));
    }
    if let Some(odd) = weights
        .iter()
        .find(|weight| !(0.0..=LARGEST_TARGET).contains(*weight))
    {
        return Err(invalid(
            "weights",
            format!("has the value `{odd}`; pass numbers from 0 to {LARGEST_TARGET}"),
        ));
    }
    let total: f64 = pick(rows, weights).sum();
    let mean = total / rows.len() as f64;
    if mean < SMALLEST_MEAN_WEIGHT {
        return Err(invalid(
            "weights",
            "sums to zero; give at least one row a positive weight".to_owned(),
        ));
    }
    Ok(weights.iter().map(|weight| weight / mean).collect())
}

fn weighted_mean(rows: &[u32], values: &[f64], weights: &[f64]) -> f64 {
    let total: f64 = pick(rows, weights).sum();
    let sum: f64 = pick(rows, values)
        .zip(pick(rows, weights))
        .map(|(value, weight)| value * weight)
        .sum();
    if total > 0.0 { sum / total } else { 0.0 }
}

/// The largest magnitude, so that fitting works on numbers of at most one; 1 when all are zero.
fn largest(rows: &[u32], values: &[f64]) -> f64 {
    let most = pick(rows, values).fold(0.0, |most: f64, value| most.max(value.abs()));
    if most >= f64::MIN_POSITIVE { most } else { 1.0 }
}

fn pick<'a>(rows: &'a [u32], values: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    rows.iter()
        .filter_map(|&row| values.get(row as usize).copied())
}

fn invalid(input: &'static str, reason: String) -> DriftError {
    DriftError::InvalidInput { input, reason }
}

#[derive(Deserialize)]
struct RawBoosted {
    loss: Loss,
    width: usize,
    base: f64,
    trees: Vec<Tree>,
    gains: Vec<f64>,
}

impl TryFrom<RawBoosted> for Boosted {
    type Error = DriftError;

    fn try_from(raw: RawBoosted) -> Result<Self, DriftError> {
        let contradiction = if raw.width == 0 || raw.gains.len() != raw.width {
            Some("the number of gains is not the number of columns")
        } else if raw.base.is_nan() || raw.base.abs() > LARGEST_VALUE {
            Some("the base is not a finite number in range")
        } else if raw
            .gains
            .iter()
            .any(|gain| !(0.0..=LARGEST_VALUE).contains(gain))
        {
            Some("a gain is not a finite number of at least 0")
        } else if raw.trees.len() > settings::MOST_ROUNDS as usize {
            Some("there are more trees than rounds allow")
        } else {
            raw.trees
                .iter()
                .find_map(|tree| tree.contradiction(raw.width))
        };
        match contradiction {
            Some(reason) => Err(DriftError::InvalidState {
                state: "boosted model",
                reason: reason.to_owned(),
            }),
            None => Ok(Self {
                loss: raw.loss,
                width: raw.width,
                base: raw.base,
                trees: raw.trees,
                gains: raw.gains,
            }),
        }
    }
}

/// Beyond this the squares that methods form of targets would overflow.
pub(crate) const LARGEST_TARGET: f64 = 1e150;
/// With ten thousand trees of this the score is still finite.
const LARGEST_VALUE: f64 = 1e200;
/// Keeps the log odds of a class that never occurs finite.
const RAREST: f64 = 1e-9;
/// Below this, dividing by the mean could overflow.
const SMALLEST_MEAN_WEIGHT: f64 = 1e-150;
