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
    /// The interval holds the margin, or the blocks are too few, too unequal or too uniform to trust it.
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
    effective_blocks: f64,
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
    ///
    /// It is only the basis of a verdict with at least five [`effective_blocks`](Self::effective_blocks).
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

    /// How many blocks of equal size would weigh as much: the square of the rows over the sum of the squared block sizes.
    ///
    /// It equals [`blocks`](Self::blocks) when all have one size, and comes near one when a single block holds most rows.
    #[must_use]
    pub fn effective_blocks(&self) -> f64 {
        self.effective_blocks
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
/// the sum of `d - m` in block `b` (the cluster-robust variance of a mean). With block sizes `n_b`, the effective number of
/// blocks is `G* = n^2 / sum_b n_b^2` (Kish), and the bounds are `m -+ t(1 - alpha; f) * se` with `f = max(floor(G*) - 1, 1)`.
///
/// # Numerical notes
///
/// The verdict is undecided with fewer than five effective blocks: where one block holds most rows, the mean is nearly its mean,
/// its residual nearly vanishes, and so does the standard error, whatever the truth. It is undecided too when the
/// standard error is zero (up to rounding) although there are differences: blocks without variation say nothing about
/// the next. With blocks of unequal size the bounds remain too tight: simulated, a rate of 5 % becomes 6.7 % where two blocks of 22
/// are five times as large as the others, and 8 % where three of 63 are twelve times as large. With no differences at all the
/// interval is the point zero.
///
/// # Errors
///
/// [`CanaryError::Empty`], [`CanaryError::Length`] and [`CanaryError::NotAProbability`] as for
/// [`Evaluation::of`](crate::Evaluation::of), and [`CanaryError::Setting`] unless the margin lies between -1 and 1 and
/// `alpha` is below 0.5, above which the bounds would change sides.
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
    if alpha.get() >= 0.5 {
        return Err(CanaryError::Setting {
            name: "alpha",
            value: alpha.get(),
            allowed: "below 0.5",
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
    let mut clusters: BTreeMap<u64, Cluster> = BTreeMap::new();
    for (block, difference) in blocks.iter().zip(&differences) {
        let cluster = clusters.entry(*block).or_default();
        cluster.rows += 1.0;
        cluster.residual += difference - mean;
    }
    let effective_blocks = effective(&clusters);
    let standard_error = clustered_error(&clusters);
    let freedom = (effective_blocks.floor() - 1.0).max(1.0);
    let interval = standard_error.map(|standard_error| {
        let half = student_upper(freedom, alpha.get()) * standard_error;
        Interval::new(mean - half, mean + half)
    });
    let largest = differences
        .iter()
        .fold(0.0_f64, |most, d| most.max(d.abs()));
    let uniform = largest > 0.0 && standard_error.is_some_and(|error| error <= ROUNDING * largest);
    let trusted = interval.filter(|_| effective_blocks >= FEWEST_EFFECTIVE && !uniform);
    Ok(OfflineComparison {
        verdict: verdict(trusted, margin),
        mean_difference: mean,
        interval,
        margin,
        alpha,
        n: differences.len() as u64,
        blocks: clusters.len() as u64,
        effective_blocks,
    })
}

#[derive(Default)]
struct Cluster {
    rows: f64,
    residual: f64,
}

/// Kish's effective number; counts below 2^53 are exact, so that equal blocks give exactly their number.
fn effective(clusters: &BTreeMap<u64, Cluster>) -> f64 {
    let rows = clusters.values().map(|cluster| cluster.rows).sum::<f64>();
    let squares = clusters.values().map(|cluster| cluster.rows.powi(2));
    rows.powi(2) / squares.sum::<f64>()
}

fn clustered_error(clusters: &BTreeMap<u64, Cluster>) -> Option<f64> {
    if clusters.len() < 2 {
        return None;
    }
    let groups = clusters.len() as f64;
    let rows = clusters.values().map(|cluster| cluster.rows).sum::<f64>();
    let squares = clusters.values().map(|cluster| cluster.residual.powi(2));
    Some((groups / (groups - 1.0) * squares.sum::<f64>()).sqrt() / rows)
}

fn verdict(trusted: Option<Interval>, margin: f64) -> OfflineVerdict {
    match trusted {
        Some(interval) if interval.upper() < margin => OfflineVerdict::NonInferior,
        Some(interval) if interval.lower() > margin => OfflineVerdict::Inferior,
        _ => OfflineVerdict::Undecided,
    }
}

const FEWEST_EFFECTIVE: f64 = 5.0;

// A standard error this small relative to the largest difference is what summation leaves of zero.
const ROUNDING: f64 = 1e-9;

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
    const BLOCKS: [u64; 12] = [0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5];

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
        // numpy: u = block sums of d - d.mean(), se = sqrt(6 / 5 * (u ** 2).sum()) / 12, 144 / 26 = 5.54 effective
        // blocks, scipy.stats.t.ppf(0.95, 4)
        assert!((comparison.mean_difference() - (-0.04250000000000001)).abs() < 1e-12);
        assert!((interval.lower() - (-0.06431239750208279)).abs() < 1e-9);
        assert!((interval.upper() - (-0.020687602497917235)).abs() < 1e-9);
        assert_eq!((comparison.n(), comparison.blocks()), (12, 6));
        assert!((comparison.effective_blocks() - 144.0 / 26.0).abs() < 1e-12);
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

    /// Models that err equally on average, while each block shifts all its rows alike.
    fn shifted(seed: u64, sizes: &[usize], noise: f64) -> OfflineComparison {
        let mut random = Random::new(seed);
        let (mut champion, mut candidate, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
        for (block, size) in sizes.iter().enumerate() {
            let shift = noise * random.normal();
            for _ in 0..*size {
                champion.push((0.5 - shift).clamp(0.0, 1.0));
                candidate.push((0.5 + shift).clamp(0.0, 1.0));
                blocks.push(block as u64);
            }
        }
        let labels = vec![true; champion.len()];
        compare(
            &champion,
            &candidate,
            &labels,
            &blocks,
            0.0,
            Alpha::FIVE_PERCENT,
        )
        .unwrap()
    }

    #[test]
    fn a_block_that_holds_most_rows_leaves_all_undecided() {
        let five_of_thirty = [1000, 30, 30, 30, 30, 30];
        let mut thirty_of_five = vec![1000];
        thirty_of_five.extend([5; 30]);
        for sizes in [&five_of_thirty[..], &thirty_of_five[..]] {
            for seed in 0..50 {
                let comparison = shifted(seed, sizes, 0.05);
                assert!((1.0..1.5).contains(&comparison.effective_blocks()));
                assert_eq!(comparison.verdict(), OfflineVerdict::Undecided);
            }
        }
    }

    #[test]
    fn blocks_of_one_size_are_all_effective() {
        assert_eq!(shifted(1, &[7; 12], 0.05).effective_blocks(), 12.0);
        assert_eq!(small(0.0, &[7; 12]).effective_blocks(), 1.0);
    }

    #[test]
    fn fewer_than_five_effective_blocks_decide_nothing() {
        let few = small(0.9, &[0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
        assert_eq!(few.effective_blocks(), 4.0);
        assert!(few.interval().unwrap().upper() < 0.9);
        assert_eq!(few.verdict(), OfflineVerdict::Undecided);
    }

    #[test]
    fn differences_without_variation_between_blocks_decide_nothing() {
        let labels = vec![true; 60];
        let blocks: Vec<u64> = (0..60).map(|row| row / 3).collect();
        let verdict_of = |candidate: f64| {
            let comparison = compare(
                &[0.7; 60],
                &[candidate; 60],
                &labels,
                &blocks,
                0.002,
                Alpha::FIVE_PERCENT,
            );
            comparison.unwrap().verdict()
        };
        assert_eq!(verdict_of(0.8), OfflineVerdict::Undecided);
        assert_eq!(verdict_of(0.61), OfflineVerdict::Undecided);
        // No differences at all are the same model.
        assert_eq!(verdict_of(0.7), OfflineVerdict::NonInferior);
    }

    #[test]
    fn an_alpha_that_turns_the_bounds_around_is_refused() {
        for (alpha, refused) in [(0.499, false), (0.5, true), (0.9, true)] {
            let alpha = Alpha::new(alpha).unwrap();
            let compared = compare(&CHAMPION, &CANDIDATE, &labels(), &BLOCKS, 0.0, alpha);
            assert_eq!(compared.is_err(), refused);
            if let Err(error) = compared {
                assert!(error.to_string().contains("`alpha`"), "{error}");
            }
        }
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
                let comparison = shifted(seed, &[10; 40], 0.05);
                comparison.verdict() == OfflineVerdict::NonInferior
            })
            .count();
        // scipy.stats.binom.sf(27, 300, 0.05) = 0.0013; binom.cdf(3, 300, 0.05) = 0.0002
        assert!((4..=27).contains(&claims), "{claims}");
    }
}
