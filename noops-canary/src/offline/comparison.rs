use std::collections::BTreeMap;

use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::metric::Interval;
use super::quantile::student_upper;
use super::{brier_losses, check_length, check_probabilities};
use crate::error::CanaryError;

/// What an offline comparison shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfflineVerdict {
    /// The whole interval lies below the margin.
    NonInferior,
    /// The whole interval lies above the margin.
    Inferior,
    /// The interval holds the margin, or there are too few blocks for one.
    Undecided,
}

/// The Brier score of a candidate minus that of the champion on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfflineComparison {
    verdict: OfflineVerdict,
    mean_difference: f64,
    interval: Option<Interval>,
    margin: f64,
    alpha: Alpha,
    n: u64,
    blocks: u64,
}

impl OfflineComparison {
    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> OfflineVerdict {
        self.verdict
    }

    /// The mean difference in squared error, candidate minus champion: below zero, the candidate is better.
    #[must_use]
    pub fn mean_difference(&self) -> f64 {
        self.mean_difference
    }

    /// The interval, each end a one-sided bound at `alpha`; `None` with fewer than two blocks.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        self.interval
    }

    /// The margin.
    #[must_use]
    pub fn margin(&self) -> f64 {
        self.margin
    }

    /// The error rate of each bound.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The number of rows.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// The number of distinct blocks.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.blocks
    }
}

/// Compares a candidate with the champion on labelled history, once.
///
/// `blocks` says which rows fall together (the same day, the same customer); rows of different blocks are taken as independent.
/// This is a test of fixed size: use [`PairedLoss`](crate::PairedLoss) to look again and again.
///
/// # Formula
///
/// With row differences `d` in `G` blocks and their mean `m` over all `n` rows: `se^2 = G / (G - 1) * sum_b u_b^2 / n^2`, where `u_b` is
/// the sum of `d - m` in block `b` (the cluster-robust variance of a mean), and the bounds are `m -+ t(1 - alpha; G - 1) * se`.
///
/// # Numerical notes
///
/// Below about 20 blocks, or with blocks of very different size, the bounds are too tight. With no differences at all the
/// interval is the point zero.
///
/// # Errors
///
/// [`CanaryError::Empty`], [`CanaryError::Length`] and [`CanaryError::NotAProbability`] as for
/// [`Evaluation::of`](crate::Evaluation::of), and [`CanaryError::Setting`] unless the margin lies between -1 and 1.
///
/// # Examples
///
/// ```
/// use noops_canary::{OfflineVerdict, compare};
/// use noops_core::Alpha;
///
/// let labels: Vec<bool> = (0..200).map(|row| row % 4 == 0).collect();
/// let days: Vec<u64> = (0..200).map(|row| row / 10).collect();
/// let champion = vec![0.5; 200];
/// let candidate = vec![0.25; 200];
/// let comparison = compare(&champion, &candidate, &labels, &days, 0.002, Alpha::FIVE_PERCENT)?;
/// assert_eq!(comparison.verdict(), OfflineVerdict::NonInferior);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn compare(
    champion: &[f64],
    candidate: &[f64],
    labels: &[bool],
    blocks: &[u64],
    margin: f64,
    alpha: Alpha,
) -> Result<OfflineComparison, CanaryError> {
    check_probabilities("champion", champion)?;
    check_length("candidate", champion.len(), candidate.len())?;
    check_probabilities("candidate", candidate)?;
    check_length("labels", champion.len(), labels.len())?;
    check_length("blocks", champion.len(), blocks.len())?;
    if !(-1.0..=1.0).contains(&margin) {
        return Err(CanaryError::Setting {
            name: "margin",
            value: margin,
            allowed: "from -1 to 1",
        });
    }
    let champion_losses = brier_losses(champion, labels);
    let candidate_losses = brier_losses(candidate, labels);
    let differences: Vec<f64> = candidate_losses
        .iter()
        .zip(champion_losses)
        .map(|(c, b)| c - b)
        .collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    let mut residuals: BTreeMap<u64, f64> = BTreeMap::new();
    for (block, difference) in blocks.iter().zip(&differences) {
        *residuals.entry(*block).or_default() += difference - mean;
    }
    let interval = clustered_interval(mean, &residuals, differences.len(), alpha);
    Ok(OfflineComparison {
        verdict: verdict(interval, margin),
        mean_difference: mean,
        interval,
        margin,
        alpha,
        n: differences.len() as u64,
        blocks: residuals.len() as u64,
    })
}

fn clustered_interval(
    mean: f64,
    residuals: &BTreeMap<u64, f64>,
    n: usize,
    alpha: Alpha,
) -> Option<Interval> {
    if residuals.len() < 2 {
        return None;
    }
    let groups = residuals.len() as f64;
    let squares = residuals.values().map(|sum| sum.powi(2)).sum::<f64>();
    let standard_error = (groups / (groups - 1.0) * squares).sqrt() / n as f64;
    let half = student_upper(groups - 1.0, alpha.get()) * standard_error;
    Some(Interval::new(mean - half, mean + half))
}

fn verdict(interval: Option<Interval>, margin: f64) -> OfflineVerdict {
    match interval {
        Some(interval) if interval.upper() < margin => OfflineVerdict::NonInferior,
        Some(interval) if interval.lower() > margin => OfflineVerdict::Inferior,
        _ => OfflineVerdict::Undecided,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Random;

    const CHAMPION: [f64; 12] = [
        0.1, 0.4, 0.35, 0.8, 0.65, 0.4, 0.9, 0.2, 0.55, 0.7, 0.4, 0.05,
    ];
    const CANDIDATE: [f64; 12] = [
        0.2, 0.3, 0.45, 0.7, 0.75, 0.5, 0.8, 0.1, 0.45, 0.9, 0.3, 0.15,
    ];
    const BLOCKS: [u64; 12] = [0, 0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3];

    fn labels() -> Vec<bool> {
        [0, 0, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0]
            .map(|label| label == 1)
            .to_vec()
    }

    fn small(margin: f64, blocks: &[u64]) -> OfflineComparison {
        compare(
            &CHAMPION,
            &CANDIDATE,
            &labels(),
            blocks,
            margin,
            Alpha::FIVE_PERCENT,
        )
        .unwrap()
    }

    #[test]
    fn the_clustered_interval_equals_numpy() {
        let comparison = small(0.0, &BLOCKS);
        let interval = comparison.interval().unwrap();
        // numpy: u = block sums of d - d.mean(), se = sqrt(4 / 3 * (u ** 2).sum()) / 12, scipy.stats.t.ppf(0.95, 3)
        assert!((comparison.mean_difference() - (-0.04250000000000001)).abs() < 1e-12);
        assert!((interval.lower() - (-0.05615773319885312)).abs() < 1e-9);
        assert!((interval.upper() - (-0.0288422668011469)).abs() < 1e-9);
        assert_eq!((comparison.n(), comparison.blocks()), (12, 4));
        assert_eq!(comparison.verdict(), OfflineVerdict::NonInferior);
    }

    #[test]
    fn the_margin_decides() {
        assert_eq!(small(-0.04, &BLOCKS).verdict(), OfflineVerdict::Undecided);
        assert_eq!(small(-0.5, &BLOCKS).verdict(), OfflineVerdict::Inferior);
    }

    #[test]
    fn one_block_decides_nothing() {
        let comparison = small(0.5, &[7; 12]);
        assert_eq!(comparison.interval(), None);
        assert_eq!(comparison.verdict(), OfflineVerdict::Undecided);
    }

    #[test]
    fn errors_name_the_column() {
        let labels = labels();
        let short = compare(
            &CHAMPION,
            &CANDIDATE,
            &labels,
            &[1],
            0.0,
            Alpha::FIVE_PERCENT,
        );
        assert!(short.unwrap_err().to_string().contains("`blocks`"));
        let margin = compare(
            &CHAMPION,
            &CANDIDATE,
            &labels,
            &BLOCKS,
            f64::NAN,
            Alpha::FIVE_PERCENT,
        );
        assert!(margin.unwrap_err().to_string().contains("`margin`"));
    }

    #[test]
    fn rows_that_move_together_rarely_prove_what_is_not_so() {
        // Both models err equally on average, but a day shifts all its rows alike.
        let claims = (0..300)
            .filter(|&seed| {
                let mut random = Random::new(seed);
                let (mut champion, mut candidate, mut days) = (Vec::new(), Vec::new(), Vec::new());
                for day in 0..40 {
                    let shift = 0.05 * random.normal();
                    for _ in 0..10 {
                        champion.push((0.5 - shift).clamp(0.0, 1.0));
                        candidate.push((0.5 + shift).clamp(0.0, 1.0));
                        days.push(day);
                    }
                }
                let labels = vec![true; champion.len()];
                let margin = 0.0;
                let comparison = compare(
                    &champion,
                    &candidate,
                    &labels,
                    &days,
                    margin,
                    Alpha::FIVE_PERCENT,
                )
                .unwrap();
                comparison.verdict() == OfflineVerdict::NonInferior
            })
            .count();
        // scipy.stats.binom.sf(27, 300, 0.05) = 0.0013; binom.cdf(3, 300, 0.05) = 0.0002
        assert!((4..=27).contains(&claims), "{claims}");
    }
}
