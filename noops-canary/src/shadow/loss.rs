use std::collections::BTreeMap;

use noops_core::{LogE, MeanBet, Probability};
use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// How the losses of two models on the same requests are compared.
///
/// # Examples
///
/// ```
/// use noops_canary::shadow::PairedSettings;
///
/// let settings = PairedSettings::default().with_margin(0.005).with_min_block(50);
/// assert_eq!(settings.margin(), 0.005);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PairedSettings {
    margin: f64,
    harm: f64,
    block_range: f64,
    min_block: u64,
}

impl PairedSettings {
    /// Sets the non-inferiority margin: the rise in mean loss that is still acceptable. Default `0.002`.
    #[must_use]
    pub fn with_margin(mut self, margin: f64) -> Self {
        self.margin = margin;
        self
    }

    /// Sets the rise in mean loss above which the candidate does harm. Default `0`: any rise.
    #[must_use]
    pub fn with_harm(mut self, harm: f64) -> Self {
        self.harm = harm;
        self
    }

    /// Sets the range of a block's mean difference. Default `0.1`.
    ///
    /// A block mean outside `-range..=range` is clamped to it, and every error rate is about the mean of the clamped
    /// block means. A narrow range decides sooner, because the bets are relative to it, but a rare large loss weighs less: see
    /// [`PairedLoss`]. With a range of 1 nothing is ever clamped. [`PairedLoss::clamped_blocks`] counts how often it happened.
    #[must_use]
    pub fn with_block_range(mut self, block_range: f64) -> Self {
        self.block_range = block_range;
        self
    }

    /// Sets the fewest pairs that make an observation. Default `10`; zero counts as one.
    #[must_use]
    pub fn with_min_block(mut self, min_block: u64) -> Self {
        self.min_block = min_block;
        self
    }

    /// The non-inferiority margin.
    #[must_use]
    pub fn margin(&self) -> f64 {
        self.margin
    }

    /// The rise in mean loss above which the candidate does harm.
    #[must_use]
    pub fn harm(&self) -> f64 {
        self.harm
    }

    /// The range of a block's mean difference.
    #[must_use]
    pub fn block_range(&self) -> f64 {
        self.block_range
    }

    /// The fewest pairs that make an observation.
    #[must_use]
    pub fn min_block(&self) -> u64 {
        self.min_block
    }

    /// Refuses settings that cannot be tested.
    pub(crate) fn check(&self) -> Result<(), CanaryError> {
        if !(self.block_range > 0.0 && self.block_range <= 1.0) {
            return Err(CanaryError::Setting {
                name: "block_range",
                value: self.block_range,
                allowed: "above 0 and at most 1",
            });
        }
        self.refuse_difference("margin", self.margin)?;
        self.refuse_difference("harm", self.harm)
    }

    fn refuse_difference(&self, name: &'static str, value: f64) -> Result<(), CanaryError> {
        if value.abs() < self.block_range {
            return Ok(());
        }
        Err(CanaryError::Setting {
            name,
            value,
            allowed: "whose size is below the block range",
        })
    }
}

impl Default for PairedSettings {
    fn default() -> Self {
        Self {
            margin: 0.002,
            harm: 0.0,
            block_range: 0.1,
            min_block: 10,
        }
    }
}

/// Compares the losses of two models on the same requests, at any time, as often as wanted.
///
/// Each pair gives a difference: candidate loss minus champion loss, so that a positive mean says the candidate is worse.
/// Outcomes that fall together (the same hour, the same campaign) move together, so pairs are grouped into
/// blocks and one block mean is one observation. Three one-sided e-processes watch the block means;
/// each is valid at every look (Ville's inequality), for any dependence inside a block.
///
/// # Formula
///
/// With block mean `d` and range `w`: `x = (clamp(d, -w, w) / w + 1) / 2`, and a difference `m` becomes
/// `(m / w + 1) / 2`. [`MeanBet`] tests the mean of `x` (harm) and of `1 - x` (non-inferiority, superiority): Waudby-Smith
/// and Ramdas, "Estimating means of bounded random variables by betting".
///
/// # Numerical notes
///
/// Every block weighs the same, whatever its size. What is assumed is that under the null hypothesis the expected block
/// mean, given the blocks before, is on the null's side of the bound: a dependence that lasts longer than a block weakens that, so
/// choose blocks longer than the outcomes' memory. Losses must lie in \[0, 1\]: squared error of a probability, zero-one loss,
/// a clipped and rescaled cost.
///
/// What is tested is the mean of the clamped block means. A block far above the range counts as one at its upper end, so
/// a candidate that is slightly better in most blocks and disastrous in a few can pass [`not_worse`](Self::not_worse) and
/// [`better`](Self::better) while its true mean is above the bound. The [`Judge`](crate::judge::Judge) therefore promotes
/// only while [`mean_difference`](Self::mean_difference), which is not clamped, is below the margin too.
///
/// # Examples
///
/// ```
/// use noops_canary::shadow::{PairedLoss, PairedSettings};
/// use noops_core::{Alpha, Probability};
///
/// let mut paired = PairedLoss::new(PairedSettings::default())?;
/// let (champion, candidate) = (Probability::new(0.20)?, Probability::new(0.17)?);
/// for hour in 0..60 {
///     for _ in 0..10 {
///         paired.observe(hour, champion, candidate);
///     }
/// }
/// paired.close_before(60);
/// assert_eq!(paired.pairs(), 600);
/// assert!(paired.not_worse().rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawPairedLoss")]
pub struct PairedLoss {
    settings: PairedSettings,
    open: BTreeMap<u64, Sum>,
    closed_before: u64,
    pairs: u64,
    blocks: u64,
    late: u64,
    clamped_blocks: u64,
    sum_of_block_means: f64,
    not_worse: MeanBet,
    better: MeanBet,
    worse: MeanBet,
}

impl PairedLoss {
    /// Starts without evidence.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the range is above 0 and at most 1, and the margin and the harm bound lie inside it.
    pub fn new(settings: PairedSettings) -> Result<Self, CanaryError> {
        settings.check()?;
        let range = settings.block_range;
        Ok(Self {
            settings,
            open: BTreeMap::new(),
            closed_before: 0,
            pairs: 0,
            blocks: 0,
            late: 0,
            clamped_blocks: 0,
            sum_of_block_means: 0.0,
            not_worse: MeanBet::new(rescaled(settings.margin, range).complement()),
            better: MeanBet::new(rescaled(0.0, range).complement()),
            worse: MeanBet::new(rescaled(settings.harm, range)),
        })
    }

    /// Takes the losses of both models on one request.
    ///
    /// `block` says which outcomes fall together, for example the hour of the event; it must grow with time. A pair whose
    /// block is closed is counted in [`late`](Self::late) and otherwise ignored: evidence once given is never revised.
    pub fn observe(&mut self, block: u64, champion_loss: Probability, candidate_loss: Probability) {
        if block < self.closed_before {
            self.late = self.late.saturating_add(1);
            return;
        }
        let difference = candidate_loss.get() - champion_loss.get();
        self.open.entry(block).or_default().add(difference, 1);
    }

    /// Folds every block below `block` into the evidence, in order, and closes it for good.
    ///
    /// A block with fewer pairs than the minimum is carried into the next one rather than dropped, because dropping would choose
    /// what is looked at. Closing the same blocks twice changes nothing.
    ///
    /// # Complexity
    ///
    /// Linear in the number of blocks that are closed or were carried, plus their removal from an ordered map.
    pub fn close_before(&mut self, block: u64) {
        if block <= self.closed_before {
            return;
        }
        let still_open = self.open.split_off(&block);
        let complete = std::mem::replace(&mut self.open, still_open);
        self.closed_before = block;
        let mut group = Sum::default();
        let mut thin = BTreeMap::new();
        for (number, sum) in complete {
            group.add(sum.difference, sum.pairs);
            thin.insert(number, sum);
            if group.pairs >= self.settings.min_block.max(1) {
                self.fold(&group);
                group = Sum::default();
                thin.clear();
            }
        }
        self.open.append(&mut thin);
    }

    /// Drops the pairs from `block` on that are not yet folded into the evidence, because their inputs turned out to be broken.
    ///
    /// Closed blocks too thin to be folded are dropped as well. Evidence once given stays, and blocks that are not closed take
    /// new pairs. Decide by the inputs, never by the losses: dropping what looks bad would void every error rate.
    pub fn discard_from(&mut self, block: u64) {
        self.open.retain(|open, _| *open < block);
    }

    /// Evidence that the candidate is not worse than the margin allows. Null hypothesis: mean clamped difference >= margin.
    ///
    /// The current value, not the largest ever: for a promotion the evidence must still stand.
    #[must_use]
    pub fn not_worse(&self) -> LogE {
        self.not_worse.log_e()
    }

    /// Evidence that the candidate is better. Null hypothesis: mean clamped difference >= 0. The current value.
    #[must_use]
    pub fn better(&self) -> LogE {
        self.better.log_e()
    }

    /// Evidence that the candidate does harm. Null hypothesis: mean clamped difference <= harm bound.
    ///
    /// The largest value ever reached: an alarm that was missed at one look is not lost at the next.
    #[must_use]
    pub fn worse(&self) -> LogE {
        self.worse.max_log_e()
    }

    /// The same evidence as it stands now, which may be averaged with that of other metrics.
    pub(crate) fn worse_now(&self) -> LogE {
        self.worse.log_e()
    }

    /// The mean of the block means, candidate minus champion, not clamped; `None` before the first block.
    #[must_use]
    pub fn mean_difference(&self) -> Option<f64> {
        (self.blocks > 0).then(|| self.sum_of_block_means / self.blocks as f64)
    }

    /// How many pairs the evidence rests on.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// How many pairs wait for their block to close or to fill.
    #[must_use]
    pub fn pending_pairs(&self) -> u64 {
        let pairs = self.open.values().map(|sum| sum.pairs);
        pairs.fold(0, u64::saturating_add)
    }

    /// How many observations the evidence rests on: blocks, after thin ones were carried into the next.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// How many pairs came after their block was closed.
    #[must_use]
    pub fn late(&self) -> u64 {
        self.late
    }

    /// How many block means were outside the range. If they are many, widen it: see [`PairedSettings::with_block_range`].
    #[must_use]
    pub fn clamped_blocks(&self) -> u64 {
        self.clamped_blocks
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &PairedSettings {
        &self.settings
    }

    fn fold(&mut self, block: &Sum) {
        let range = self.settings.block_range;
        let mean = block.difference / block.pairs as f64;
        let x = rescaled(mean, range).get();
        self.worse.observe(x);
        self.not_worse.observe(1.0 - x);
        self.better.observe(1.0 - x);
        self.sum_of_block_means += mean;
        self.pairs = self.pairs.saturating_add(block.pairs);
        self.blocks = self.blocks.saturating_add(1);
        let clamped = u64::from(mean.abs() > range);
        self.clamped_blocks = self.clamped_blocks.saturating_add(clamped);
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPairedLoss {
    settings: PairedSettings,
    open: BTreeMap<u64, Sum>,
    closed_before: u64,
    pairs: u64,
    blocks: u64,
    late: u64,
    clamped_blocks: u64,
    sum_of_block_means: f64,
    not_worse: MeanBet,
    better: MeanBet,
    worse: MeanBet,
}

impl TryFrom<RawPairedLoss> for PairedLoss {
    type Error = CanaryError;

    fn try_from(raw: RawPairedLoss) -> Result<Self, CanaryError> {
        raw.settings.check()?;
        let refused = |reason| {
            Err(CanaryError::State {
                state: "PairedLoss",
                reason,
            })
        };
        if raw.open.values().any(|sum| !sum.is_possible()) {
            return refused("an open block has no pairs, or a larger sum than they could give");
        }
        let bets = [&raw.not_worse, &raw.better, &raw.worse];
        if bets.iter().any(|bet| bet.observations() != raw.blocks) {
            return refused("its evidence rests on other blocks than were counted");
        }
        let range = raw.settings.block_range;
        let bounds = [
            rescaled(raw.settings.margin, range).complement(),
            rescaled(0.0, range).complement(),
            rescaled(raw.settings.harm, range),
        ];
        if bets
            .iter()
            .zip(bounds)
            .any(|(bet, bound)| bet.bound() != bound)
        {
            return refused("its evidence is against other bounds than those of its settings");
        }
        if raw.blocks > raw.pairs || raw.clamped_blocks > raw.blocks {
            return refused("there are more blocks than pairs to fill them");
        }
        if !at_most(raw.sum_of_block_means, raw.blocks) {
            return refused("the sum of block means is larger than the blocks could give");
        }
        Ok(Self {
            settings: raw.settings,
            open: raw.open,
            closed_before: raw.closed_before,
            pairs: raw.pairs,
            blocks: raw.blocks,
            late: raw.late,
            clamped_blocks: raw.clamped_blocks,
            sum_of_block_means: raw.sum_of_block_means,
            not_worse: raw.not_worse,
            better: raw.better,
            worse: raw.worse,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sum {
    difference: f64,
    pairs: u64,
}

impl Sum {
    fn add(&mut self, difference: f64, pairs: u64) {
        self.difference += difference;
        self.pairs = self.pairs.saturating_add(pairs);
    }

    fn is_possible(&self) -> bool {
        self.pairs > 0 && at_most(self.difference, self.pairs)
    }
}

/// Whether a sum of `terms`, none larger than 1, can be `sum`, rounding allowed for. NaN cannot.
fn at_most(sum: f64, terms: u64) -> bool {
    sum.abs() <= terms as f64 * (1.0 + 1e-9)
}

/// Where a difference lies in the range, from 0 to 1. NaN, which checked settings exclude, lies at the lower end.
fn rescaled(difference: f64, range: f64) -> Probability {
    let x = ((difference / range + 1.0) / 2.0).clamp(0.0, 1.0);
    Probability::new(x).unwrap_or(Probability::ZERO)
}

#[cfg(test)]
mod tests;
