use serde::{Deserialize, Serialize};

use super::Calibrator;
use crate::error::DriftError;
use crate::performance::check::{as_number, invalid, one_per_score};

/// Whether scores are turned into probabilities before they are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Calibration {
    /// Always.
    Always,
    /// When it lowers the calibration error on rows of the reference that were held out.
    WhenItHelps,
    /// Never: the scores are probabilities already, and are clamped to \[0, 1\].
    Never,
}

/// How far probabilities are from what happened, on average over ten groups of rows with neighbouring probabilities.
///
/// # Formula
///
/// Σ_g n_g / n · |mean probability in g − share of positives in g| over groups of equally many rows, the last one taking
/// what is left (Naeini, Cooper and Hauskrecht, 2015). With fewer than twenty rows there are fewer groups.
///
/// # Errors
///
/// [`DriftError::InvalidInput`] when there is no row, the lengths differ or a probability is not in \[0, 1\].
///
/// # Numerical notes
///
/// Rows of one probability are cut into groups in the order given. It is above 0 for perfect probabilities too: in the order of the square root of ten divided by the rows.
///
/// # Examples
///
/// ```
/// use noops_drift::performance::expected_calibration_error;
///
/// let error = expected_calibration_error(&[0.75; 4], &[true, false, true, false])?;
/// assert_eq!(error, 0.25);
/// # Ok::<(), noops_drift::DriftError>(())
/// ```
pub fn expected_calibration_error(
    probabilities: &[f64],
    labels: &[bool],
) -> Result<f64, DriftError> {
    one_per_score("labels", probabilities.len(), labels.len())?;
    if probabilities.is_empty() {
        return Err(invalid("probabilities", "has no rows; pass at least one"));
    }
    if let Some(row) = probabilities
        .iter()
        .position(|probability| !(0.0..=1.0).contains(probability))
    {
        return Err(invalid(
            "probabilities",
            format!("has a value at row `{row}` that is not between 0 and 1; calibrate first"),
        ));
    }
    let pairs = probabilities
        .iter()
        .zip(labels)
        .map(|(&probability, &label)| (probability, as_number(label)));
    Ok(error_by_groups(pairs.collect()))
}

/// Whether isotonic calibration lowers the calibration error on held-out tenths of the reference, as NannyML decides it,
/// but with fixed folds (every tenth row of each class) in place of random ones.
pub(crate) fn calibration_helps(scores: &[f64], labels: &[bool]) -> Result<bool, DriftError> {
    if scores.iter().any(|score| !(0.0..=1.0).contains(score)) {
        return Ok(true);
    }
    let positives = labels.iter().filter(|&&label| label).count();
    if positives == 0 || positives == labels.len() {
        return Ok(false);
    }
    let folds = folds(labels);
    let mut before = Vec::with_capacity(scores.len());
    let mut after = Vec::with_capacity(scores.len());
    for fold in 0..FOLDS {
        let rows = || scores.iter().zip(labels).zip(&folds);
        let (kept_scores, kept_labels): (Vec<f64>, Vec<bool>) = rows()
            .filter(|(_, of)| **of != fold)
            .map(|((score, label), _)| (*score, *label))
            .unzip();
        if kept_scores.is_empty() {
            continue;
        }
        let calibrator = Calibrator::fit(&kept_scores, &kept_labels)?;
        for ((score, label), _) in rows().filter(|(_, of)| **of == fold) {
            let label = as_number(*label);
            before.push((*score, label));
            after.push((calibrator.calibrate(*score), label));
        }
    }
    Ok(error_by_groups(before) > error_by_groups(after))
}

fn folds(labels: &[bool]) -> Vec<u64> {
    let mut positives = 0;
    let mut negatives = 0;
    let fold = |label: &bool| {
        let seen = if *label {
            &mut positives
        } else {
            &mut negatives
        };
        let fold = *seen % FOLDS;
        *seen += 1;
        fold
    };
    labels.iter().map(fold).collect()
}

fn error_by_groups(mut pairs: Vec<(f64, f64)>) -> f64 {
    // Ties stay in the order given: sorted by label they would fall into groups of one label each.
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let rows = pairs.len();
    let groups = if rows <= 2 * GROUPS {
        (rows / 2).max(1)
    } else {
        GROUPS
    };
    let size = (rows / groups).max(1);
    let mut left = pairs.as_slice();
    let mut error = 0.0;
    for group in 1..=groups {
        let (these, rest) = left.split_at(if group == groups {
            left.len()
        } else {
            size.min(left.len())
        });
        left = rest;
        let apart: f64 = these
            .iter()
            .map(|(probability, label)| probability - label)
            .sum();
        error += apart.abs();
    }
    if rows == 0 { 0.0 } else { error / rows as f64 }
}

const FOLDS: u64 = 10;
const GROUPS: usize = 10;
