use std::collections::BTreeMap;

use noops_core::{LogE, MeanBet, Probability};
use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// How the losses of two models on the same requests are compared.
///
/// # Examples
///
/// ```
/// use noops_canary::PairedSettings;
///
/// let settings = PairedSettings::default().with_margin(0.005).with_min_block(50);
/// assert_eq!(settings.margin(), 0.005);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
/// [`better`](Self::better) while its true mean is above the bound. The [`Judge`](crate::Judge) therefore promotes
/// only while [`mean_difference`](Self::mean_difference), which is not clamped, is below the margin too.
///
/// # Examples
///
/// ```
/// use noops_canary::{PairedLoss, PairedSettings};
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
        let range = settings.block_range;
        if !(range > 0.0 && range <= 1.0) {
            return Err(CanaryError::Setting {
                name: "block_range",
                value: range,
                allowed: "above 0 and at most 1",
            });
        }
        settings.refuse_difference("margin", settings.margin)?;
        settings.refuse_difference("harm", settings.harm)?;
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

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sum {
    difference: f64,
    pairs: u64,
}

impl Sum {
    fn add(&mut self, difference: f64, pairs: u64) {
        self.difference += difference;
        self.pairs = self.pairs.saturating_add(pairs);
    }
}

/// Where a difference lies in the range, from 0 to 1. NaN, which checked settings exclude, lies at the lower end.
fn rescaled(difference: f64, range: f64) -> Probability {
    let x = ((difference / range + 1.0) / 2.0).clamp(0.0, 1.0);
    Probability::new(x).unwrap_or(Probability::ZERO)
}

#[cfg(test)]
mod tests {
    use noops_core::Alpha;

    use super::*;
    use crate::simulation::Random;

    fn loss(value: f64) -> Probability {
        Probability::new(value).unwrap()
    }

    fn run(seed: u64, blocks: u64, mean: f64, noise: f64) -> PairedLoss {
        let mut random = Random::new(seed);
        let mut paired = PairedLoss::new(PairedSettings::default()).unwrap();
        for block in 0..blocks {
            let shift = mean + noise * random.normal();
            for _ in 0..10 {
                let champion = 0.3 + 0.2 * random.uniform();
                let candidate = (champion + shift).clamp(0.0, 1.0);
                paired.observe(block, loss(champion), loss(candidate));
            }
        }
        paired.close_before(blocks);
        paired
    }

    #[test]
    fn at_the_margin_non_inferiority_is_rarely_claimed() {
        // 0.002 is the margin: the null hypothesis holds with equality.
        let claimed = (0..300)
            .filter(|&seed| {
                let paired = run(seed, 200, 0.002, 0.05);
                paired.not_worse.max_log_e().rejects(Alpha::FIVE_PERCENT)
            })
            .count();
        // scipy.stats.binom.sf(27, 300, 0.05) = 0.0013
        assert!(claimed <= 27, "{claimed}");
    }

    #[test]
    fn identical_losses_never_look_harmful() {
        let paired = run(1, 100, 0.0, 0.0);
        assert!(paired.worse().get() < 1e-9);
        assert!(paired.mean_difference().unwrap().abs() < 1e-12);
    }

    #[test]
    fn a_clearly_better_candidate_is_proven_better() {
        let paired = run(2, 100, -0.02, 0.02);
        assert!(paired.better().rejects(Alpha::ONE_PERCENT));
        assert!(!paired.worse().rejects(Alpha::FIVE_PERCENT));
    }

    #[test]
    fn evidence_follows_the_betting_formula() {
        let mut paired = PairedLoss::new(PairedSettings::default().with_min_block(1)).unwrap();
        let mut naive = MeanBet::new(loss(0.5));
        for (block, difference) in [0.05, -0.02, 0.3].into_iter().enumerate() {
            paired.observe(block as u64, loss(0.4), loss(0.4 + difference));
            naive.observe(((difference / 0.1_f64).clamp(-1.0, 1.0) + 1.0) / 2.0);
        }
        paired.close_before(3);
        assert!((paired.worse().get() - naive.max_log_e().get()).abs() < 1e-9);
        assert_eq!(paired.clamped_blocks(), 1);
        assert!((paired.mean_difference().unwrap() - 0.11).abs() < 1e-12);
    }

    #[test]
    fn late_pairs_are_counted_and_change_no_evidence() {
        let mut paired = run(3, 20, 0.01, 0.01);
        let before = paired.clone();
        paired.observe(4, loss(0.0), loss(1.0));
        paired.close_before(20);
        assert_eq!(paired.late(), 1);
        assert_eq!(paired.worse(), before.worse());
        assert_eq!(paired.pairs(), before.pairs());
    }

    #[test]
    fn thin_blocks_are_carried_into_the_next() {
        let mut paired = PairedLoss::new(PairedSettings::default()).unwrap();
        for block in 0..4 {
            for _ in 0..4 {
                paired.observe(block, loss(0.2), loss(0.3));
            }
        }
        paired.close_before(4);
        assert_eq!(
            (paired.blocks(), paired.pairs(), paired.pending_pairs()),
            (1, 12, 4)
        );
    }

    #[test]
    fn thin_blocks_closed_one_by_one_are_carried_alike() {
        let tell = |paired: &mut PairedLoss, block: u64| {
            for pair in 0..4 {
                let shift = 0.01 * (block + pair) as f64;
                paired.observe(block, loss(0.2), loss(0.2 + shift));
            }
        };
        let mut at_once = PairedLoss::new(PairedSettings::default()).unwrap();
        let mut one_by_one = at_once.clone();
        for block in 0..10 {
            tell(&mut at_once, block);
            tell(&mut one_by_one, block);
            one_by_one.close_before(block + 1);
        }
        at_once.close_before(10);
        assert_eq!(at_once, one_by_one);
        assert_eq!((at_once.blocks(), at_once.pending_pairs()), (3, 4));
    }

    #[test]
    fn discarded_blocks_never_become_evidence() {
        let mut clean = run(7, 20, 0.0, 0.03);
        let mut repaired = clean.clone();
        for _ in 0..10 {
            clean.observe(21, loss(0.3), loss(0.28));
            repaired.observe(21, loss(0.3), loss(0.28));
            repaired.observe(22, loss(0.0), loss(1.0));
            repaired.observe(30, loss(0.0), loss(1.0));
        }
        repaired.discard_from(22);
        assert_eq!(clean, repaired);
        repaired.observe(22, loss(0.3), loss(0.3));
        assert_eq!(repaired.pending_pairs(), 11);
    }

    #[test]
    fn a_thin_closed_block_can_still_be_discarded() {
        let mut paired = PairedLoss::new(PairedSettings::default()).unwrap();
        for pair in 0..9 {
            paired.observe(u64::from(pair >= 4), loss(0.0), loss(1.0));
        }
        paired.close_before(2);
        paired.discard_from(1);
        assert_eq!((paired.blocks(), paired.pending_pairs()), (0, 4));
    }

    #[test]
    fn evidence_once_given_is_not_discarded() {
        let mut paired = run(8, 20, 0.01, 0.02);
        let before = paired.clone();
        paired.discard_from(0);
        assert_eq!(paired, before);
    }

    #[test]
    fn counters_stay_at_their_largest_value() {
        let mut paired = run(9, 1, 0.0, 0.0);
        for counter in [&mut paired.pairs, &mut paired.blocks, &mut paired.late] {
            *counter = u64::MAX;
        }
        paired.observe(0, loss(0.1), loss(0.1));
        for _ in 0..10 {
            paired.observe(1, loss(0.1), loss(0.1));
        }
        paired.close_before(2);
        assert_eq!(
            (paired.pairs(), paired.blocks(), paired.late()),
            (u64::MAX, u64::MAX, u64::MAX)
        );
    }

    #[test]
    fn settings_that_cannot_be_tested_are_refused() {
        let refused = [
            PairedSettings::default().with_margin(f64::NAN),
            PairedSettings::default().with_margin(0.1),
            PairedSettings::default().with_harm(-0.2),
            PairedSettings::default().with_block_range(0.0),
            PairedSettings::default().with_block_range(f64::INFINITY),
        ];
        for settings in refused {
            assert!(PairedLoss::new(settings).is_err(), "{settings:?}");
        }
    }

    #[test]
    fn resumed_state_behaves_like_unbroken_state() {
        let mut unbroken = run(5, 30, 0.0, 0.03);
        unbroken.observe(30, loss(0.1), loss(0.2));
        let text = serde_json::to_string(&unbroken).unwrap();
        let mut resumed: PairedLoss = serde_json::from_str(&text).unwrap();
        for _ in 0..10 {
            unbroken.observe(30, loss(0.123), loss(0.2));
            resumed.observe(30, loss(0.123), loss(0.2));
        }
        unbroken.close_before(31);
        resumed.close_before(31);
        assert_eq!(unbroken, resumed);
    }
}
