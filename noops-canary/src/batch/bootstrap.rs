use noops_stats::SplitMix64;

use super::clusters::{Clusters, singly};
use super::method::Method;
use super::outcome::{Sizes, TestOutcome};
use super::permutation::check_size;
use super::permutation::statistic::{mean, median};
use super::sample::check_sample;
use super::settings::Alternative;
use crate::error::CanaryError;
use crate::interval::Interval;

mod levels;
mod settings;

use self::levels::{Correction, interval, quantile};

pub use self::settings::{BootstrapInterval, BootstrapSettings, BootstrapStatistic};

/// The bootstrap of a difference between two independent samples: an interval without a law for the data.
///
/// # Formula
///
/// B times both samples are drawn anew from themselves, with replacement, and the difference is taken. The interval is that of
/// [`BootstrapInterval`]; with BCa the acceleration is that of the jackknife over both samples (Efron and Tibshirani 1993, chapter 14), as
/// in `scipy.stats.bootstrap`. With b resampled differences at or beyond 0 the p-value of one side is (1 + b)/(1 + B), and two-sided
/// twice the smaller; with the bootstrap t, b counts the studentised differences as far out as that of the data.
///
/// # Error rates
///
/// Approximate, and right only as the samples grow: percentile intervals miss by O(n^(−1/2)) on each side, BCa and the bootstrap t by
/// O(1/n). With fewer than some thirty values, or with heavy tails, they miss too often; prefer [`permutation_test`](super::permutation_test)
/// for a test. The p-value is that of the percentile interval also where the interval is BCa, so that near α they may disagree.
///
/// # Numerical notes
///
/// Values must be independent; for several of one unit use [`cluster_bootstrap`]. It is wrong for extremes (a maximum, a
/// p99 of few values), and the median of values with few distinct ones jumps. Quantiles interpolate between order statistics.
///
/// # Errors
///
/// [`CanaryError::TooFew`] below 2 values a side, [`CanaryError::NotFinite`], [`CanaryError::Setting`] for the number of
/// resamples, and [`CanaryError::Input`] for a bootstrap t of medians and for values beyond 1e150.
///
/// # Complexity
///
/// O((n + m) B).
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{BootstrapSettings, BootstrapStatistic, bootstrap};
///
/// let champion: Vec<f64> = (0..50).map(|i| f64::from(i % 10)).collect();
/// let candidate: Vec<f64> = champion.iter().map(|x| x + 3.0).collect();
/// let outcome = bootstrap(&champion, &candidate, BootstrapStatistic::Mean, &BootstrapSettings::default())?;
/// let interval = outcome.interval().ok_or("there is one")?;
/// assert!(interval.contains(3.0) && interval.is_above(1.5));
/// assert!(outcome.p_value() < 0.001);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn bootstrap(
    champion: &[f64],
    candidate: &[f64],
    statistic: BootstrapStatistic,
    settings: &BootstrapSettings,
) -> Result<TestOutcome, CanaryError> {
    check_sample("champion", champion, FEWEST_UNITS)?;
    check_sample("candidate", candidate, FEWEST_UNITS)?;
    named(&singly(champion), &singly(candidate), statistic, settings)
}

/// The bootstrap of the difference of any statistic of one sample, such as a trimmed mean, a quantile or a ratio.
///
/// As [`bootstrap`], which see. The bootstrap t is not to be had, because the standard error of an unknown statistic is not.
///
/// # Errors
///
/// As for [`bootstrap`], and [`CanaryError::Input`] if the statistic is not finite on a sample or a resample.
///
/// # Complexity
///
/// B statistics a side, and for BCa as many as there are values, at most 1,000 a side.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{BootstrapSettings, bootstrap_by};
///
/// let champion: Vec<f64> = (0..40).map(f64::from).collect();
/// let candidate: Vec<f64> = (0..40).map(|i| 2.0 * f64::from(i)).collect();
/// let spread = |values: &[f64]| {
///     let mean = values.iter().sum::<f64>() / values.len() as f64;
///     (values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / values.len() as f64).sqrt()
/// };
/// let outcome = bootstrap_by(&champion, &candidate, spread, &BootstrapSettings::default())?;
/// assert!(outcome.interval().is_some_and(|interval| interval.is_above(0.0)));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn bootstrap_by(
    champion: &[f64],
    candidate: &[f64],
    statistic: impl Fn(&[f64]) -> f64,
    settings: &BootstrapSettings,
) -> Result<TestOutcome, CanaryError> {
    check_sample("champion", champion, FEWEST_UNITS)?;
    check_sample("candidate", candidate, FEWEST_UNITS)?;
    if settings.interval() == BootstrapInterval::Studentised {
        return Err(NO_ERROR_KNOWN);
    }
    resampled(
        &singly(champion),
        &singly(candidate),
        |values| statistic(values),
        settings,
    )
}

/// The bootstrap of samples of units with several values each: whole units are drawn.
///
/// As [`bootstrap`], which see. The statistic is that of all values of the units drawn, so that a unit counts as much as it has values. Some
/// thirty units a side are the least for an interval to be trusted, however many values they have.
///
/// # Errors
///
/// As for [`bootstrap`], with units for values, and [`CanaryError::Input`] for a unit on both sides.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{BootstrapSettings, BootstrapStatistic, Clusters, bootstrap, cluster_bootstrap};
///
/// // Forty users a side, each with five requests that are all the same.
/// let values: Vec<f64> = (0..200).map(|row| f64::from(row / 5 % 7)).collect();
/// let users: Vec<u64> = (0..200).map(|row| row / 5).collect();
/// let others: Vec<u64> = users.iter().map(|user| user + 1_000).collect();
/// let (champion, candidate) = (Clusters::new(&values, &users)?, Clusters::new(&values, &others)?);
/// let settings = BootstrapSettings::default();
/// let by_user = cluster_bootstrap(&champion, &candidate, BootstrapStatistic::Mean, &settings)?;
/// let by_request = bootstrap(&values, &values, BootstrapStatistic::Mean, &settings)?;
/// let width = |outcome: &noops_canary::batch::TestOutcome| outcome.interval().map_or(0.0, |interval| interval.width());
/// assert!(width(&by_user) > 2.0 * width(&by_request));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn cluster_bootstrap(
    champion: &Clusters,
    candidate: &Clusters,
    statistic: BootstrapStatistic,
    settings: &BootstrapSettings,
) -> Result<TestOutcome, CanaryError> {
    champion.check_apart(candidate)?;
    for (column, side) in [("champion", champion), ("candidate", candidate)] {
        if side.units().len() < FEWEST_UNITS {
            return Err(CanaryError::TooFew {
                column,
                needed: FEWEST_UNITS,
                found: side.units().len(),
            });
        }
    }
    named(&champion.blocks(), &candidate.blocks(), statistic, settings)
}

fn named(
    champion: &[&[f64]],
    candidate: &[&[f64]],
    statistic: BootstrapStatistic,
    settings: &BootstrapSettings,
) -> Result<TestOutcome, CanaryError> {
    match (statistic, settings.interval()) {
        (BootstrapStatistic::Mean, BootstrapInterval::Studentised) => {
            studentised(champion, candidate, settings)
        }
        (BootstrapStatistic::Median, BootstrapInterval::Studentised) => Err(NO_ERROR_KNOWN),
        (BootstrapStatistic::Mean, _) => {
            resampled(champion, candidate, |values| mean(values), settings)
        }
        (BootstrapStatistic::Median, _) => resampled(champion, candidate, median, settings),
    }
}

/// The percentile and BCa intervals. The statistic may reorder what it is given.
fn resampled(
    champion: &[&[f64]],
    candidate: &[&[f64]],
    statistic: impl Fn(&mut [f64]) -> f64,
    settings: &BootstrapSettings,
) -> Result<TestOutcome, CanaryError> {
    settings.check()?;
    check_size(champion.iter().chain(candidate).copied())?;
    let checked = |values: &mut [f64]| match statistic(values) {
        value if value.is_finite() => Ok(value),
        _ => Err(CanaryError::Input {
            input: "statistic",
            reason: "is not finite on a resample; take one that every sample has",
        }),
    };
    let (mut first, mut second) = (champion.concat(), candidate.concat());
    let sizes = Sizes::of(&first, &second);
    let estimate = checked(&mut second)? - checked(&mut first)?;

    let mut random = SplitMix64(settings.seed());
    let mut replicates = Vec::with_capacity(settings.resamples() as usize);
    for _ in 0..settings.resamples() {
        redraw(champion, &mut random, &mut first);
        redraw(candidate, &mut random, &mut second);
        replicates.push(checked(&mut second)? - checked(&mut first)?);
    }
    replicates.sort_unstable_by(f64::total_cmp);
    let found = match settings.interval() {
        BootstrapInterval::Bca => {
            let jackknifed = (
                without_each(champion, &mut first, &checked)?,
                without_each(candidate, &mut second, &checked)?,
            );
            // The champion's estimate is subtracted, and the sign of its influence with it.
            let negated: Vec<f64> = jackknifed.0.iter().map(|x| -x).collect();
            let correction = Correction::of(&replicates, estimate, [&negated, &jackknifed.1]);
            interval(
                &replicates,
                settings.alternative(),
                settings.alpha(),
                |plain| correction.level(plain),
            )
        }
        BootstrapInterval::Percentile | BootstrapInterval::Studentised => interval(
            &replicates,
            settings.alternative(),
            settings.alpha(),
            |plain| plain,
        ),
    };
    let at_most = replicates.partition_point(|x| *x <= 0.0);
    let at_least = replicates.len() - replicates.partition_point(|x| *x < 0.0);
    let p_value = p_value(settings, at_most, at_least);
    Ok(outcome(settings, p_value, sizes).with_estimate(estimate, Some(found)))
}

/// The bootstrap t of the difference of means.
fn studentised(
    champion: &[&[f64]],
    candidate: &[&[f64]],
    settings: &BootstrapSettings,
) -> Result<TestOutcome, CanaryError> {
    settings.check()?;
    check_size(champion.iter().chain(candidate).copied())?;
    let sizes = Sizes {
        champion: champion.iter().map(|block| block.len() as u64).sum(),
        candidate: candidate.iter().map(|block| block.len() as u64).sum(),
    };
    let totals = [champion, candidate]
        .map(|blocks| -> Vec<Total> { blocks.iter().map(|block| Total::of(block)).collect() });
    let [from_champion, from_candidate] = &totals;
    let (before, after) = (Estimated::of(from_champion), Estimated::of(from_candidate));
    let estimate = after.mean - before.mean;
    let error = (before.squared_error + after.squared_error).sqrt();
    let usable = error > 0.0 && error.is_finite();
    if !usable {
        return Err(CanaryError::Constant {
            column: "champion and candidate",
        });
    }

    let mut random = SplitMix64(settings.seed());
    let mut drawn = Vec::new();
    let mut pivots = Vec::with_capacity(settings.resamples() as usize);
    for _ in 0..settings.resamples() {
        let mut draw = |totals: &[Total]| {
            drawn.clear();
            for _ in 0..totals.len() {
                drawn.extend(totals.get(random.below(totals.len())));
            }
            Estimated::of(&drawn)
        };
        let (one, other) = (draw(from_champion), draw(from_candidate));
        let deviation = other.mean - one.mean - estimate;
        let spread = (one.squared_error + other.squared_error).sqrt();
        // A resample without spread is as far out as can be.
        pivots.push(if spread > 0.0 {
            deviation / spread
        } else if deviation == 0.0 {
            0.0
        } else {
            deviation.signum() * f64::MAX
        });
    }
    pivots.sort_unstable_by(f64::total_cmp);

    let end = |level: f64| estimate - error * quantile(&pivots, level);
    let alpha = settings.alpha().get();
    let found = match settings.alternative() {
        Alternative::TwoSided => Interval::between(end(1.0 - alpha / 2.0), end(alpha / 2.0)),
        Alternative::Greater => Interval::between(end(1.0 - alpha), f64::INFINITY),
        Alternative::Less => Interval::between(f64::NEG_INFINITY, end(alpha)),
    };
    let observed = estimate / error;
    // A difference above 0 is surprising where few pivots are as high, and the other way round.
    let as_high = pivots.len() - pivots.partition_point(|x| *x < observed);
    let as_low = pivots.partition_point(|x| *x <= observed);
    let p_value = p_value(settings, as_high, as_low);
    Ok(outcome(settings, p_value, sizes)
        .with_statistic(observed)
        .with_estimate(estimate, Some(found)))
}

/// `against_greater` resamples speak against the candidate being greater, `against_less` against its being less.
fn p_value(settings: &BootstrapSettings, against_greater: usize, against_less: usize) -> f64 {
    let share = |count: usize| (1 + count) as f64 / (1.0 + f64::from(settings.resamples()));
    match settings.alternative() {
        Alternative::Greater => share(against_greater),
        Alternative::Less => share(against_less),
        Alternative::TwoSided => 2.0 * share(against_greater.min(against_less)),
    }
}

fn outcome(settings: &BootstrapSettings, p_value: f64, sizes: Sizes) -> TestOutcome {
    TestOutcome::new(
        Method::Bootstrap,
        settings.alternative(),
        p_value,
        settings.alpha(),
        sizes,
    )
}

/// Fills `drawn` with the values of as many units as there are, drawn with replacement.
fn redraw(blocks: &[&[f64]], random: &mut SplitMix64, drawn: &mut Vec<f64>) {
    drawn.clear();
    for _ in 0..blocks.len() {
        if let Some(block) = blocks.get(random.below(blocks.len())) {
            drawn.extend_from_slice(block);
        }
    }
}

/// The statistic without each unit, or where there are many, without each of a thousand groups of units.
fn without_each(
    blocks: &[&[f64]],
    kept: &mut Vec<f64>,
    statistic: &impl Fn(&mut [f64]) -> Result<f64, CanaryError>,
) -> Result<Vec<f64>, CanaryError> {
    let groups = blocks.len().min(MOST_GROUPS);
    (0..groups)
        .map(|group| {
            kept.clear();
            for (unit, block) in blocks.iter().enumerate() {
                if unit % groups != group {
                    kept.extend_from_slice(block);
                }
            }
            statistic(kept)
        })
        .collect()
}

/// What a mean needs of one unit.
#[derive(Clone, Copy, Debug)]
struct Total {
    sum: f64,
    values: f64,
}

impl Total {
    fn of(block: &[f64]) -> Self {
        Self {
            sum: block.iter().sum(),
            values: block.len() as f64,
        }
    }
}

/// A mean and its squared standard error, linearised for units of unequal size.
#[derive(Clone, Copy, Debug)]
struct Estimated {
    mean: f64,
    squared_error: f64,
}

impl Estimated {
    fn of(totals: &[Total]) -> Self {
        let units = totals.len() as f64;
        let values: f64 = totals.iter().map(|total| total.values).sum();
        let mean = totals.iter().map(|total| total.sum).sum::<f64>() / values.max(1.0);
        let squares: f64 = totals
            .iter()
            .map(|total| total.sum - mean * total.values)
            .map(|residual| residual * residual)
            .sum();
        let correction = units / (units - 1.0).max(1.0);
        Self {
            mean,
            squared_error: squares * correction / (values * values).max(1.0),
        }
    }
}

const NO_ERROR_KNOWN: CanaryError = CanaryError::Input {
    input: "interval",
    reason: "cannot be studentised for this statistic; use BCa, or compare means",
};
const FEWEST_UNITS: usize = 2;
const MOST_GROUPS: usize = 1_000;

#[cfg(test)]
mod tests;
