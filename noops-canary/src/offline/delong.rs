use noops_stats::special::{normal_sf, normal_upper_quantile};

use super::area::{Moments, check_classes, check_scores, place};
use crate::batch::method::Method;
use crate::batch::outcome::{Sizes, TestOutcome};
use crate::batch::settings::{Alternative, TestSettings};
use crate::error::CanaryError;
use crate::interval::Interval;

/// Tests whether two models that scored the same rows have the same area under the ROC curve.
///
/// The estimate is the candidate's area minus the champion's, so [`Alternative::Greater`] asks whether the candidate is better.
///
/// # Formula
///
/// `z = (A - B) / se`, `se^2 = S10 / m + S01 / n` from the sample variances of the row-wise *differences* of placements (DeLong, DeLong
/// and Clarke-Pearson, 1988: the same as both variances less twice the covariance), with the normal law.
///
/// # Assumptions
///
/// Rows are independent and both classes are large. The test is anti-conservative with a few dozen rows in a class, and says little about
/// a candidate that merely adds a feature to the champion and was fitted on the same rows (Demler, Pencina and D'Agostino, 2012): keep
/// training and test rows apart.
///
/// # Numerical notes
///
/// Placements are exact integers, so two models that order the rows alike differ by exactly zero and get p = 1. Without variance
/// (both models order all rows perfectly, or perfectly wrongly) the p-value is 1 and there is neither statistic nor interval: such data
/// cannot say how sure they are.
///
/// # Errors
///
/// As for [`area_under_curve`](crate::offline::area_under_curve), with at least two rows in each class.
///
/// # Complexity
///
/// O(n log n): one sort per model.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::TestSettings;
/// use noops_canary::offline::delong_test;
///
/// let labels: Vec<bool> = (0..40).map(|row| row % 2 == 0).collect();
/// let champion: Vec<f64> = (0..40).map(|row| f64::from(row * 7 % 13)).collect();
/// let candidate: Vec<f64> = (0..40).map(|row| f64::from(row * 7 % 13 + if row % 2 == 0 { 6 } else { 0 })).collect();
/// let outcome = delong_test(&champion, &candidate, &labels, &TestSettings::default())?;
/// assert!(outcome.p_value() < 0.001);
/// assert!(outcome.estimate().is_some_and(|difference| difference > 0.2));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn delong_test(
    champion_scores: &[f64],
    candidate_scores: &[f64],
    labels: &[bool],
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    check_scores("champion", champion_scores, labels)?;
    check_scores("candidate", candidate_scores, labels)?;
    check_classes(labels, 2)?;
    let champion = placements(champion_scores, labels);
    let candidate = placements(candidate_scores, labels);
    let (mut positive, mut negative) = (Moments::default(), Moments::default());
    for ((champion, candidate), label) in champion.iter().zip(&candidate).zip(labels) {
        let class = if *label { &mut positive } else { &mut negative };
        class.add(candidate - champion, 1);
    }
    let (positives, negatives) = (positive.rows(), negative.rows());
    let difference = positive.sum() as f64 / (2.0 * positives as f64 * negatives as f64);
    let error = positive
        .variance(negatives)
        .zip(negative.variance(positives))
        .map(|(p, n)| (p / positives as f64 + n / negatives as f64).sqrt())
        .filter(|error| *error > 0.0);
    let outcome = |p_value: f64| {
        TestOutcome::new(
            Method::DeLong,
            settings.alternative(),
            p_value,
            settings.alpha(),
            Sizes::of(champion_scores, candidate_scores),
        )
    };
    let Some(error) = error else {
        return Ok(outcome(1.0).with_estimate(difference, None));
    };
    let z = difference / error;
    let alpha = settings.alpha().get();
    let (p_value, lower, upper) = match settings.alternative() {
        Alternative::TwoSided => {
            let half = normal_upper_quantile(alpha / 2.0) * error;
            (
                2.0 * normal_sf(z.abs()),
                (difference - half).max(-1.0),
                (difference + half).min(1.0),
            )
        }
        Alternative::Greater => {
            let half = normal_upper_quantile(alpha) * error;
            (normal_sf(z), difference - half, f64::INFINITY)
        }
        Alternative::Less => {
            let half = normal_upper_quantile(alpha) * error;
            (normal_sf(-z), f64::NEG_INFINITY, difference + half)
        }
    };
    Ok(outcome(p_value)
        .with_statistic(z)
        .with_estimate(difference, Some(Interval::between(lower, upper))))
}

/// Per row, twice the number of rows of the other class that it stands in the right order with, ties counting half.
fn placements(scores: &[f64], labels: &[bool]) -> Vec<i128> {
    // Score, row and label in one integer: sorting integers needs no comparison function.
    let mut ordered: Vec<u128> = scores
        .iter()
        .zip(labels)
        .zip(0_u64..)
        .map(|((score, label), row)| {
            (u128::from(key(*score)) << 64) | u128::from((row << 1) | u64::from(*label))
        })
        .collect();
    ordered.sort_unstable();
    let mut positives_above = labels.iter().filter(|label| **label).count() as u64;
    let mut negatives_below = 0_u64;
    let mut placements = vec![0; scores.len()];
    for ties in ordered.chunk_by(|a, b| a >> 64 == b >> 64) {
        let positive = ties.iter().filter(|entry| *entry & 1 == 1).count() as u64;
        let negative = ties.len() as u64 - positive;
        positives_above = positives_above.saturating_sub(positive);
        let of_positive = place(negatives_below, negative);
        let of_negative = place(positives_above, positive);
        for entry in ties {
            let row = (*entry as u64) >> 1;
            if let Some(placement) = placements.get_mut(row as usize) {
                *placement = if entry & 1 == 1 {
                    of_positive
                } else {
                    of_negative
                };
            }
        }
        negatives_below = negatives_below.saturating_add(negative);
    }
    placements
}

/// An integer in the order of finite numbers, the same for both zeros.
fn key(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 1 {
        !bits
    } else {
        bits | (1 << 63)
    }
}

#[cfg(test)]
mod tests;
