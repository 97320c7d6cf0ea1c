mod judgement;
mod settings;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;

use noops_core::{Alpha, Digest, LogE, Probability, Share};
use serde::{Deserialize, Serialize};

pub use self::judgement::{Cause, Judgement, Verdict};
pub use self::settings::JudgeSettings;
use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::paired::PairedLoss;
use crate::rate::RateComparison;

/// Weighs a candidate against the champion and says what the evidence allows.
///
/// It rolls back on evidence of harm from either guardrail (the loss, the failure rate; the error rate is split between
/// them) and promotes only on evidence of non-inferiority, never on a mere absence of evidence for harm. It may be
/// asked after every observation: the error rates hold over all looks together.
///
/// One judge belongs to one rollout. Its margins are part of the hypothesis: to change them, start another.
///
/// # Numerical notes
///
/// With the default harm bound of zero, a candidate that is worse by less than the margin is rolled back once there is enough
/// evidence that it is worse at all, and promoted if non-inferiority is proven first. Set the harm bound to the margin
/// to tolerate everything inside it. The failure guardrail looks for harm only; it does not have to be proven safe, and its
/// error rate holds only with at most one failure per unit and stage: see [`RateComparison`].
///
/// What is guaranteed about the loss is about the clamped block mean: see [`PairedLoss`]. A promotion also needs the
/// observed mean difference, which is not clamped, to be below the margin, so that large losses that were seen count in full. That
/// second condition carries no error rate: where one block in twenty is a disaster far beyond the range and the rest look better
/// by 0.01, 13 % of simulated candidates are promoted when ten blocks suffice and 5 % when a hundred are asked for, before enough
/// disasters are seen. Ask for more pairs, or widen the block range to what a block can lose, where that matters.
///
/// # Examples
///
/// ```
/// use noops_canary::{Judge, JudgeSettings, Verdict};
/// use noops_core::Probability;
///
/// let mut judge = Judge::new(JudgeSettings::default().with_min_pairs(500))?;
/// assert_eq!(judge.verdict().verdict(), Verdict::Insufficient { pairs: 0, needed: 500 });
///
/// let (champion, candidate) = (Probability::new(0.20)?, Probability::new(0.17)?);
/// for hour in 0..60 {
///     for _ in 0..10 {
///         judge.observe_pair(hour, champion, candidate);
///     }
/// }
/// judge.close_before(60);
/// assert_eq!(judge.verdict().verdict(), Verdict::Promote);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judge {
    settings: JudgeSettings,
    loss: PairedLoss,
    failures: RateComparison,
}

impl Judge {
    /// Starts without evidence.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] if the settings of a guardrail cannot be tested: see [`PairedLoss::new`] and
    /// [`RateComparison::new`].
    pub fn new(settings: JudgeSettings) -> Result<Self, CanaryError> {
        Ok(Self {
            settings,
            loss: PairedLoss::new(*settings.paired())?,
            failures: RateComparison::new(settings.max_rate_ratio())?,
        })
    }

    /// Takes the losses of both models on one request: see [`PairedLoss::observe`].
    pub fn observe_pair(
        &mut self,
        block: u64,
        champion_loss: Probability,
        candidate_loss: Probability,
    ) {
        self.loss.observe(block, champion_loss, candidate_loss);
    }

    /// Takes one failure, the first of its unit in the stage: see [`RateComparison::observe`].
    pub fn observe_failure(&mut self, arm: Arm, share: Share) {
        self.failures.observe(arm, share);
    }

    /// Folds complete blocks into the evidence: see [`PairedLoss::close_before`].
    pub fn close_before(&mut self, block: u64) {
        self.loss.close_before(block);
    }

    /// Drops pairs that are not yet evidence, from `block` on, because their inputs turned out to be broken: see
    /// [`PairedLoss::discard_from`]. Failures are kept; they belong to no block.
    pub fn discard_from(&mut self, block: u64) {
        self.loss.discard_from(block);
    }

    /// What the evidence so far allows, with the evidence. Asking changes nothing.
    #[must_use]
    pub fn verdict(&self) -> Judgement {
        Judgement::new(self.decide(), self)
    }

    /// The loss guardrail.
    #[must_use]
    pub fn loss(&self) -> &PairedLoss {
        &self.loss
    }

    /// The failure guardrail.
    #[must_use]
    pub fn failures(&self) -> &RateComparison {
        &self.failures
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &JudgeSettings {
        &self.settings
    }

    /// The digest of settings and evidence: two judges with one digest give one verdict.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    fn alpha_per_guardrail(&self) -> Alpha {
        self.settings.alpha_rollback().split(GUARDRAILS)
    }

    fn decide(&self) -> Verdict {
        let alpha = self.alpha_per_guardrail();
        if self.loss.worse().rejects(alpha) {
            return Verdict::RollBack {
                because: Cause::WorseLoss,
            };
        }
        if self.failures.evidence().rejects(alpha) {
            return Verdict::RollBack {
                because: Cause::FailureRate,
            };
        }
        let (pairs, needed) = (self.loss.pairs(), self.settings.min_pairs());
        if pairs < needed {
            return Verdict::Insufficient { pairs, needed };
        }
        let proven = self.loss.not_worse().rejects(self.settings.alpha_promote());
        if proven && self.is_observed_below_margin() {
            return Verdict::Promote;
        }
        match self.settings.futility_blocks() {
            Some(limit) if self.loss.blocks() >= limit => Verdict::Inconclusive,
            _ if proven => Verdict::Continue { needs_pairs: None },
            _ => Verdict::Continue {
                needs_pairs: pairs_until(
                    self.loss.not_worse(),
                    self.settings.alpha_promote(),
                    pairs,
                ),
            },
        }
    }

    /// The bets see clamped block means; this sees what was clamped away.
    fn is_observed_below_margin(&self) -> bool {
        let margin = self.settings.paired().margin();
        self.loss
            .mean_difference()
            .is_some_and(|difference| difference < margin)
    }
}

/// Extrapolates the mean growth of the log e-value per pair; `None` while it does not grow.
fn pairs_until(evidence: LogE, alpha: Alpha, pairs: u64) -> Option<u64> {
    let growth = evidence.get() / pairs as f64;
    if growth <= 0.0 || !growth.is_finite() {
        return None;
    }
    let missing = -alpha.get().ln() - evidence.get();
    Some(((missing / growth).ceil() as u64).max(1))
}

// The loss and the failure rate.
const GUARDRAILS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);
