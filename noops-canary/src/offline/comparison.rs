use std::collections::BTreeMap;

use noops_core::Alpha;
use noops_stats::special::{student_sf, student_upper_quantile};
use serde::{Deserialize, Serialize};

use super::OfflineVerdict;
use super::check::{check_finite, check_length, check_probabilities, check_result};
use super::losses::brier_losses;
use crate::batch::settings::Margin;
use crate::direction::Direction;
use crate::error::CanaryError;
use crate::interval::Interval;

/// The mean loss of a candidate minus that of the champion on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfflineComparison {
    verdict: OfflineVerdict,
    mean_difference: f64,
    standard_error: Option<f64>,
    interval: Option<Interval>,
    margin: f64,
    direction: Direction,
    alpha: Alpha,
    n: u64,
    blocks: u64,
    effective_blocks: f64,
    uniform: bool,
}

impl OfflineComparison {
    /// The verdict.
    #[must_use]
    pub fn verdict(&self) -> OfflineVerdict {
        self.verdict
    }

    /// The mean difference in loss, candidate minus champion: below zero, the candidate loses less.
    #[must_use]
    pub fn mean_difference(&self) -> f64 {
        self.mean_difference
    }

    /// The interval, each end a one-sided bound at `alpha`; `None` with fewer than two blocks.
    ///
    /// It is only the basis of a verdict with at least five [`effective_blocks`](Self::effective_blocks).
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        self.interval
    }

    /// The difference at which the candidate is just too bad.
    #[must_use]
    pub fn margin(&self) -> f64 {
        self.margin
    }

    /// Which way the loss is better.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The cluster-robust standard error of the mean difference; `None` with fewer than two blocks.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        self.standard_error
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

    /// How many blocks of equal size would weigh as much: the square of the rows over the sum of the squared block sizes.
    ///
    /// It equals [`blocks`](Self::blocks) when all have one size, and comes near one when a single block holds most rows.
    #[must_use]
    pub fn effective_blocks(&self) -> f64 {
        self.effective_blocks
    }

    /// The one-sided p-value of "worse than the margin"; 1 where the blocks cannot be trusted.
    pub(super) fn harm_p_value(&self) -> f64 {
        let Some(error) = self.standard_error.filter(|_| self.trusted()) else {
            return 1.0;
        };
        let excess = self.direction.harm_sign() * (self.mean_difference - self.margin);
        if error > 0.0 {
            student_sf(excess / error, freedom(self.effective_blocks))
        } else {
            f64::from(u8::from(excess <= 0.0))
        }
    }

    /// Whether the interval may be the basis of a verdict.
    pub(super) fn trusted(&self) -> bool {
        self.effective_blocks >= FEWEST_EFFECTIVE && !self.uniform
    }
}

/// Compares a candidate with the champion on labelled history, once.
///
/// `blocks` says which rows fall together (the same day, the same customer); rows of different blocks are taken as independent.
/// This is a test of fixed size: use what is in [`sequential`](crate::sequential) to look again and again.
///
/// # Formula
///
/// With row differences `d` in `G` blocks and their mean `m` over all `n` rows: `se^2 = G / (G - 1) * sum_b u_b^2 / n^2`, where `u_b` is
/// the sum of `d - m` in block `b` (the cluster-robust variance of a mean). With block sizes `n_b`, the effective number of
/// blocks is `G* = n^2 / sum_b n_b^2` (Kish), and the bounds are `m -+ t(1 - alpha; f) * se` with `f = max(floor(G*) - 1, 1)`.
///
/// # Numerical notes
///
/// The verdict is undecided with fewer than five effective blocks: where one block holds most rows, the mean is nearly its mean,
/// its residual nearly vanishes, and so does the standard error, whatever the truth. It is undecided too when the
/// standard error is zero (up to rounding) although there are differences: blocks without variation say nothing about
/// the next. With blocks of unequal size the bounds remain too tight: simulated, where blocks move as one, a rate of 5 % becomes 6.6 % if two
/// blocks of 22 are five times as large as the others, and 7.7 % if three of 63 are twelve times as large. With no differences at all the
/// interval is the point zero.
///
/// # Errors
///
/// [`CanaryError::Empty`], [`CanaryError::Length`] and [`CanaryError::NotAProbability`] as for
/// [`Evaluation::of`](crate::offline::Evaluation::of), and [`CanaryError::Setting`] unless the margin lies between -1 and 1 and
/// `alpha` is below 0.5, above which the bounds would change sides.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::{OfflineVerdict, compare};
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
    check_one_sided(alpha)?;
    let champion = brier_losses(champion, labels)?;
    let candidate = brier_losses(candidate, labels)?;
    let limit = Limit {
        direction: Direction::LowerIsBetter,
        difference: margin,
    };
    clustered(&champion, &candidate, blocks, limit, alpha)
}

/// Compares any loss, or any score, that is a mean over rows: the candidate's against the champion's, row by row, once.
///
/// `blocks` says which rows fall together, as for [`compare`]. Formula, assumptions and what stays undecided are the same. For metrics that are not
/// means over rows (an AUC, an F-score), use [`PairedBootstrap`](crate::offline::PairedBootstrap).
///
/// # Errors
///
/// [`CanaryError::Empty`], [`CanaryError::Length`], [`CanaryError::NotFinite`], [`CanaryError::Setting`] unless `alpha` is below 0.5, and
/// [`CanaryError::Input`] for losses so large that their squares cannot be added.
///
/// # Complexity
///
/// O(n log b) for `b` blocks.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::{OfflineVerdict, compare_losses};
/// use noops_canary::{Direction, batch::Margin};
/// use noops_core::Alpha;
///
/// let champion: Vec<f64> = (0..100).map(|row| f64::from(row % 7)).collect();
/// let candidate: Vec<f64> = (0..100).map(|row| f64::from(row % 7) - 0.1 * f64::from(row % 3)).collect();
/// let rows: Vec<u64> = (0..100).collect();
/// let margin = Margin::new(Direction::LowerIsBetter, 0.05)?;
/// let comparison = compare_losses(&champion, &candidate, &rows, margin, Alpha::FIVE_PERCENT)?;
/// assert_eq!(comparison.verdict(), OfflineVerdict::NonInferior);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn compare_losses(
    champion_losses: &[f64],
    candidate_losses: &[f64],
    blocks: &[u64],
    margin: Margin,
    alpha: Alpha,
) -> Result<OfflineComparison, CanaryError> {
    check_finite("champion", champion_losses)?;
    check_length("candidate", champion_losses.len(), candidate_losses.len())?;
    check_finite("candidate", candidate_losses)?;
    check_length("blocks", champion_losses.len(), blocks.len())?;
    check_one_sided(alpha)?;
    let limit = Limit {
        direction: margin.direction(),
        difference: margin.limit(),
    };
    clustered(champion_losses, candidate_losses, blocks, limit, alpha)
}

/// Refuses an error rate at which one-sided bounds would change sides.
pub(super) fn check_one_sided(alpha: Alpha) -> Result<(), CanaryError> {
    if alpha.get() < 0.5 {
        return Ok(());
    }
    Err(CanaryError::Setting {
        name: "alpha",
        value: alpha.get(),
        allowed: "below 0.5",
    })
}

/// Kish's effective number; counts below 2^53 are exact, so that equal blocks give exactly their number.
pub(super) fn effective_number(sizes: impl Iterator<Item = f64>) -> f64 {
    let (rows, squares) = sizes.fold((0.0, 0.0), |(rows, squares), size| {
        (rows + size, squares + size * size)
    });
    rows * rows / squares
}

/// Which side of which interval decides.
pub(super) fn verdict(
    trusted: Option<Interval>,
    limit: f64,
    direction: Direction,
) -> OfflineVerdict {
    let Some(interval) = trusted else {
        return OfflineVerdict::Undecided;
    };
    let (good, bad) = match direction {
        Direction::LowerIsBetter => (interval.is_below(limit), interval.is_above(limit)),
        Direction::HigherIsBetter => (interval.is_above(limit), interval.is_below(limit)),
    };
    if good {
        OfflineVerdict::NonInferior
    } else if bad {
        OfflineVerdict::Inferior
    } else {
        OfflineVerdict::Undecided
    }
}

#[derive(Clone, Copy, Debug)]
struct Limit {
    direction: Direction,
    difference: f64,
}

fn clustered(
    champion: &[f64],
    candidate: &[f64],
    blocks: &[u64],
    limit: Limit,
    alpha: Alpha,
) -> Result<OfflineComparison, CanaryError> {
    let differences: Vec<f64> = candidate
        .iter()
        .zip(champion)
        .map(|(candidate, champion)| candidate - champion)
        .collect();
    let sum = check_result("losses", differences.iter().sum::<f64>())?;
    let mean = sum / differences.len() as f64;
    let mut clusters: BTreeMap<u64, Cluster> = BTreeMap::new();
    for (block, difference) in blocks.iter().zip(&differences) {
        let cluster = clusters.entry(*block).or_default();
        cluster.rows += 1.0;
        cluster.residual += difference - mean;
    }
    let effective_blocks = effective_number(clusters.values().map(|cluster| cluster.rows));
    let standard_error = clustered_error(&clusters);
    if let Some(error) = standard_error {
        check_result("losses", error)?;
    }
    let interval = standard_error.map(|error| {
        let half = student_upper_quantile(alpha.get(), freedom(effective_blocks)) * error;
        Interval::between(mean - half, mean + half)
    });
    let largest = differences
        .iter()
        .fold(0.0_f64, |most, d| most.max(d.abs()));
    let mut comparison = OfflineComparison {
        verdict: OfflineVerdict::Undecided,
        mean_difference: mean,
        standard_error,
        interval,
        margin: limit.difference,
        direction: limit.direction,
        alpha,
        n: differences.len() as u64,
        blocks: clusters.len() as u64,
        effective_blocks,
        uniform: largest > 0.0 && standard_error.is_some_and(|error| error <= ROUNDING * largest),
    };
    let trusted = interval.filter(|_| comparison.trusted());
    comparison.verdict = verdict(trusted, limit.difference, limit.direction);
    Ok(comparison)
}

#[derive(Default)]
struct Cluster {
    rows: f64,
    residual: f64,
}

fn clustered_error(clusters: &BTreeMap<u64, Cluster>) -> Option<f64> {
    if clusters.len() < 2 {
        return None;
    }
    let groups = clusters.len() as f64;
    let rows = clusters.values().map(|cluster| cluster.rows).sum::<f64>();
    let squares = clusters
        .values()
        .map(|cluster| cluster.residual * cluster.residual);
    Some((groups / (groups - 1.0) * squares.sum::<f64>()).sqrt() / rows)
}

fn freedom(effective_blocks: f64) -> f64 {
    (effective_blocks.floor() - 1.0).max(1.0)
}

pub(super) const FEWEST_EFFECTIVE: f64 = 5.0;

// A standard error this small relative to the largest difference is what summation leaves of zero.
const ROUNDING: f64 = 1e-9;

#[cfg(test)]
mod tests;
