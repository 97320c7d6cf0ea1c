use std::collections::BTreeMap;

use noops_core::Alpha;
use noops_stats::SplitMix64;
use serde::{Deserialize, Serialize};

use super::OfflineVerdict;
use super::check::{check_finite, check_length};
use super::comparison::{FEWEST_EFFECTIVE, check_one_sided, effective_number, verdict};
use crate::batch::settings::Margin;
use crate::error::CanaryError;
use crate::interval::Interval;

/// The paired bootstrap: an interval for the difference of any metric of two models on the same rows.
///
/// Whole blocks of rows are drawn with replacement, both models measured on the same draw, and the quantiles of their differences taken. Use it for what
/// is not a mean over rows (AUC, average precision, F-scores, calibration errors); for means, [`compare_losses`](crate::offline::compare_losses) is
/// exact in the arithmetic and faster.
///
/// # Assumptions
///
/// Blocks are independent, there are dozens of them, and the metric is smooth in the rows. Percentile intervals are of first order: with few blocks they
/// are too short (the more so the fewer), and for biased metrics, as the calibration errors are, only the part of the bias that both
/// models share cancels. Maxima and minima over rows have no valid bootstrap.
///
/// # Complexity
///
/// One evaluation of both metrics per resample.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::{PairedBootstrap, area_under_curve};
///
/// let labels: Vec<bool> = (0..60).map(|row| row % 2 == 0).collect();
/// let champion: Vec<f64> = (0..60).map(|row| f64::from(row * 7 % 13)).collect();
/// let candidate: Vec<f64> = champion.iter().zip(&labels).map(|(s, y)| s + if *y { 6.0 } else { 0.0 }).collect();
/// let rows: Vec<u64> = (0..60).collect();
/// let compared = PairedBootstrap::default().with_seed(7).compare_scores(
///     &champion,
///     &candidate,
///     &labels,
///     &rows,
///     |scores, labels| area_under_curve(scores, labels).ok().map(|area| area.value()),
/// )?;
/// assert!(compared.interval().is_some_and(|interval| interval.is_above(0.0)));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PairedBootstrap {
    seed: u64,
    resamples: u32,
    alpha: Alpha,
}

impl PairedBootstrap {
    /// Sets the seed of the draws; the same seed gives the same interval. Default 0.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the number of draws. Default 2000.
    #[must_use]
    pub fn with_resamples(mut self, resamples: u32) -> Self {
        self.resamples = resamples;
        self
    }

    /// Sets the error rate of each end of the interval. Default 5 %.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// The seed of the draws.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The number of draws.
    #[must_use]
    pub fn resamples(&self) -> u32 {
        self.resamples
    }

    /// The error rate of each end of the interval.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// Compares a metric of scores and binary labels; `metric` gives `None` where it is undefined.
    ///
    /// Give every row a block of its own if rows are independent.
    ///
    /// # Errors
    ///
    /// As for [`compare`](Self::compare), and [`CanaryError::Length`] and [`CanaryError::NotFinite`] for the columns.
    pub fn compare_scores(
        &self,
        champion: &[f64],
        candidate: &[f64],
        labels: &[bool],
        blocks: &[u64],
        metric: impl Fn(&[f64], &[bool]) -> Option<f64>,
    ) -> Result<BootstrapComparison, CanaryError> {
        check_finite("champion", champion)?;
        check_length("candidate", champion.len(), candidate.len())?;
        check_finite("candidate", candidate)?;
        check_length("labels", champion.len(), labels.len())?;
        check_length("blocks", champion.len(), blocks.len())?;
        let (mut of_champion, mut of_candidate, mut of_labels) =
            (Vec::new(), Vec::new(), Vec::new());
        self.compare(blocks, |rows| {
            pick(champion, rows, &mut of_champion);
            pick(candidate, rows, &mut of_candidate);
            pick(labels, rows, &mut of_labels);
            Some(metric(&of_candidate, &of_labels)? - metric(&of_champion, &of_labels)?)
        })
    }

    /// Compares any metric: `difference` gives candidate minus champion on the rows whose indices it is passed, some of them repeated, or `None`
    /// where it is undefined.
    ///
    /// For rankings, pass the query of each row as its block.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without rows, [`CanaryError::Setting`] unless `alpha` is below 0.5 and `alpha * (resamples + 1)` is at least 1 (else the
    /// quantile lies beyond the draws) and there are at most a million resamples, and [`CanaryError::Input`] where the metric is undefined on the rows themselves.
    pub fn compare(
        &self,
        blocks: &[u64],
        mut difference: impl FnMut(&[usize]) -> Option<f64>,
    ) -> Result<BootstrapComparison, CanaryError> {
        if blocks.is_empty() {
            return Err(CanaryError::Empty);
        }
        check_one_sided(self.alpha)?;
        let beyond = (self.alpha.get() * (f64::from(self.resamples) + 1.0)).floor();
        if beyond < 1.0 || self.resamples > MOST_RESAMPLES {
            return Err(CanaryError::Setting {
                name: "resamples",
                value: f64::from(self.resamples),
                allowed: "of at least 1 / alpha and at most 1000000",
            });
        }
        let all: Vec<usize> = (0..blocks.len()).collect();
        let Some(estimate) = difference(&all).filter(|value| value.is_finite()) else {
            return Err(CanaryError::Input {
                input: "metric",
                reason: "is undefined on these rows; pass rows of every class",
            });
        };
        let mut members: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (row, block) in blocks.iter().enumerate() {
            members.entry(*block).or_default().push(row);
        }
        let members: Vec<Vec<usize>> = members.into_values().collect();
        let mut random = SplitMix64(self.seed);
        let mut rows: Vec<usize> = Vec::with_capacity(blocks.len());
        let mut drawn: Vec<f64> = Vec::new();
        for _ in 0..self.resamples {
            rows.clear();
            for _ in 0..members.len() {
                if let Some(block) = members.get(random.below(members.len())) {
                    rows.extend_from_slice(block);
                }
            }
            drawn.extend(difference(&rows).filter(|value| value.is_finite()));
        }
        drawn.sort_unstable_by(f64::total_cmp);
        let undefined = u64::from(self.resamples).saturating_sub(drawn.len() as u64);
        let effective_blocks = effective_number(members.iter().map(|block| block.len() as f64));
        Ok(BootstrapComparison {
            estimate,
            // Draws without a value would be missing from the tails in an unknown way.
            interval: percentiles(&drawn, beyond as usize).filter(|_| undefined == 0),
            alpha: self.alpha,
            resamples: self.resamples,
            undefined,
            rows: blocks.len() as u64,
            blocks: members.len() as u64,
            effective_blocks,
        })
    }
}

impl Default for PairedBootstrap {
    fn default() -> Self {
        Self {
            seed: 0,
            resamples: 2000,
            alpha: Alpha::FIVE_PERCENT,
        }
    }
}

/// The difference of a metric, candidate minus champion, with its bootstrap interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BootstrapComparison {
    estimate: f64,
    interval: Option<Interval>,
    alpha: Alpha,
    resamples: u32,
    undefined: u64,
    rows: u64,
    blocks: u64,
    effective_blocks: f64,
}

impl BootstrapComparison {
    /// The difference on the rows themselves.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        self.estimate
    }

    /// The percentile interval, each end a one-sided bound at `alpha`; `None` if the metric was undefined in a draw.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        self.interval
    }

    /// The error rate of each end.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The number of draws.
    #[must_use]
    pub fn resamples(&self) -> u32 {
        self.resamples
    }

    /// The draws on which the metric was undefined (a class was missing). If there are any, pass more rows of the rare class.
    #[must_use]
    pub fn undefined(&self) -> u64 {
        self.undefined
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The number of distinct blocks.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// How many blocks of equal size would weigh as much.
    #[must_use]
    pub fn effective_blocks(&self) -> f64 {
        self.effective_blocks
    }

    /// What the interval says of a margin.
    ///
    /// Undecided with fewer than five effective blocks, and where all draws agree on a difference that is not zero.
    #[must_use]
    pub fn verdict(&self, margin: Margin) -> OfflineVerdict {
        verdict(self.trusted(), margin.limit(), margin.direction())
    }

    /// The interval, if it may be the basis of a verdict.
    pub(super) fn trusted(&self) -> Option<Interval> {
        let uniform = |interval: &Interval| interval.width() == 0.0 && self.estimate != 0.0;
        self.interval
            .filter(|interval| self.effective_blocks >= FEWEST_EFFECTIVE && !uniform(interval))
    }
}

/// The `beyond`-th value from each end.
fn percentiles(ascending: &[f64], beyond: usize) -> Option<Interval> {
    let lower = ascending.get(beyond.checked_sub(1)?)?;
    let upper = ascending.get(ascending.len().checked_sub(beyond)?)?;
    Some(Interval::between(*lower, *upper))
}

fn pick<T: Copy>(column: &[T], rows: &[usize], into: &mut Vec<T>) {
    into.clear();
    into.extend(rows.iter().filter_map(|row| column.get(*row)));
}

const MOST_RESAMPLES: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::direction::Direction;
    use crate::offline::area_under_curve;
    use crate::simulation::Random;

    fn auc(scores: &[f64], labels: &[bool]) -> Option<f64> {
        area_under_curve(scores, labels)
            .ok()
            .map(|area| area.value())
    }

    fn simulated(seed: u64) -> BootstrapComparison {
        let mut random = Random::new(seed);
        let labels: Vec<bool> = (0..80).map(|row| row % 2 == 0).collect();
        let (mut champion, mut candidate) = (Vec::new(), Vec::new());
        for label in &labels {
            let signal = f64::from(u8::from(*label)) + 0.5 * random.normal();
            champion.push(signal + random.normal());
            candidate.push(signal + random.normal());
        }
        let blocks: Vec<u64> = (0..80).collect();
        PairedBootstrap::default()
            .with_seed(seed)
            .with_resamples(199)
            .compare_scores(&champion, &candidate, &labels, &blocks, auc)
            .unwrap()
    }

    #[test]
    fn a_difference_that_is_none_is_missed_one_time_in_ten() {
        let missed = (0..300)
            .filter(|seed| !simulated(*seed).interval().unwrap().contains(0.0))
            .count();
        // Both ends at 5 %: scipy.stats.binom.sf(47, 300, 0.1) = 0.0009, binom.cdf(14, 300, 0.1) = 0.0006
        assert!((15..=47).contains(&missed), "{missed}");
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        assert_eq!(simulated(3), simulated(3));
        assert_ne!(simulated(3).interval(), simulated(4).interval());
    }

    #[test]
    fn the_interval_of_a_mean_is_nearly_that_of_its_formula() {
        let mut random = Random::new(1);
        let values: Vec<f64> = (0..400).map(|_| random.normal()).collect();
        let blocks: Vec<u64> = (0..400).collect();
        let mean = |rows: &[usize]| {
            Some(rows.iter().map(|row| values[*row]).sum::<f64>() / rows.len() as f64)
        };
        let compared = PairedBootstrap::default().compare(&blocks, mean).unwrap();
        let interval = compared.interval().unwrap();
        // A normal bound: 1.645 standard errors of about 1 / 20 each way.
        assert!(
            (interval.width() - 2.0 * 1.645 / 20.0).abs() < 0.02,
            "{interval:?}"
        );
        assert!(interval.contains(compared.estimate()));
    }

    #[test]
    fn rows_of_a_block_are_drawn_together() {
        let blocks: Vec<u64> = (0..40).map(|row| row / 4).collect();
        let mut whole = true;
        let compared = PairedBootstrap::default()
            .with_resamples(50)
            .compare(&blocks, |rows| {
                whole &= rows
                    .chunks(4)
                    .all(|chunk| chunk.iter().all(|row| row / 4 == chunk[0] / 4));
                Some(0.0)
            })
            .unwrap();
        assert!(whole);
        assert_eq!(compared.effective_blocks(), 10.0);
    }

    #[test]
    fn the_same_model_is_non_inferior_and_few_blocks_decide_nothing() {
        let margin = Margin::new(Direction::HigherIsBetter, 0.01).unwrap();
        let many: Vec<u64> = (0..40).collect();
        let few: Vec<u64> = (0..40).map(|row| row % 4).collect();
        let bootstrap = PairedBootstrap::default().with_resamples(50);
        let same = bootstrap.compare(&many, |_| Some(0.0)).unwrap();
        assert_eq!(same.verdict(margin), OfflineVerdict::NonInferior);
        let same = bootstrap.compare(&few, |_| Some(0.0)).unwrap();
        assert_eq!(same.verdict(margin), OfflineVerdict::Undecided);
        let uniform = bootstrap.compare(&many, |_| Some(0.5)).unwrap();
        assert_eq!(uniform.verdict(margin), OfflineVerdict::Undecided);
    }

    #[test]
    fn a_metric_undefined_in_a_draw_has_no_interval() {
        let blocks: Vec<u64> = (0..20).collect();
        let mut labels = vec![false; 20];
        labels[0] = true;
        let scores: Vec<f64> = (0..20).map(f64::from).collect();
        let compared = PairedBootstrap::default()
            .compare_scores(&scores, &scores, &labels, &blocks, auc)
            .unwrap();
        assert!(compared.undefined() > 0);
        assert_eq!(compared.interval(), None);
    }

    #[test]
    fn hostile_input_is_refused() {
        let bootstrap = PairedBootstrap::default();
        assert!(bootstrap.compare(&[], |_| Some(0.0)).is_err());
        assert!(bootstrap.compare(&[1], |_| None).is_err());
        assert!(bootstrap.compare(&[1], |_| Some(f64::NAN)).is_err());
        assert!(
            bootstrap
                .with_resamples(10)
                .compare(&[1], |_| Some(0.0))
                .is_err()
        );
        let half = Alpha::new(0.5).unwrap();
        assert!(
            bootstrap
                .with_alpha(half)
                .compare(&[1], |_| Some(0.0))
                .is_err()
        );
        assert!(
            bootstrap
                .compare_scores(&[0.1], &[f64::NAN], &[true], &[0], auc)
                .is_err()
        );
    }
}
