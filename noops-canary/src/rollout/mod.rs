mod plan;
#[cfg(test)]
mod tests;

use std::time::Duration;

use noops_core::{Share, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::plan::{RampStage, RolloutPlan, StageGate};
use crate::judge::{Cause, Judgement, Verdict};

/// Where a rollout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The candidate sees a copy of the traffic and serves none of it.
    Shadow,
    /// The candidate serves a share of the traffic.
    Ramp {
        /// The position in the ramp.
        index: usize,
        /// The share it serves.
        share: Share,
    },
    /// The candidate serves everything. Final.
    Promoted,
    /// The candidate serves nothing any more. Final.
    RolledBack {
        /// Why.
        because: Cause,
    },
}

impl Stage {
    /// Whether the rollout is over.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Promoted | Self::RolledBack { .. })
    }

    /// The share of live traffic the candidate serves in this stage.
    #[must_use]
    pub fn share(&self) -> Share {
        match self {
            Self::Shadow | Self::RolledBack { .. } => Share::ZERO,
            Self::Ramp { share, .. } => *share,
            Self::Promoted => Share::FULL,
        }
    }
}

/// A proposed change of stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// Go to the next stage of the ramp.
    Advance {
        /// That stage.
        to: Stage,
    },
    /// Give the candidate all traffic.
    Promote,
    /// Take all traffic from the candidate.
    RollBack {
        /// Why.
        because: Cause,
    },
}

/// A rollout as a pure state machine: it proposes, the host acts, and then tells it what was done.
///
/// [`step`](Self::step) looks at the time and a [`Judgement`] and proposes a [`Transition`] without taking it, so that a host can ask
/// a policy, write the intent down, and move traffic first. [`apply`](Self::apply) takes it. Stepping changes nothing, so that the
/// state, the time and the judgement are all it takes to replay a proposal. The state is serialisable at every point:
/// after a crash, read it back and step again; the same proposal comes out.
///
/// - Leaving the shadow stage needs [`Verdict::Promote`], evidence of non-inferiority, and its gate.
/// - Each ramp stage needs its gate, and data; the last one needs [`Verdict::Promote`] again.
/// - [`Verdict::RollBack`] ends the rollout from any stage at once, and [`Verdict::Inconclusive`] does too.
/// - A stage that is not left within its maximum duration ends the rollout as [`Cause::Inconclusive`].
///
/// Use one [`Judge`](crate::Judge) for the whole rollout: pairs of a stage are counted as growth of its pairs.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use noops_canary::{Cause, Judge, JudgeSettings, Rollout, RolloutPlan, StageGate, Transition};
/// use noops_core::{Share, Timestamp};
///
/// let gate = StageGate::new(Duration::from_secs(60), Duration::from_secs(3600), 100);
/// let plan = RolloutPlan::new(gate, Vec::new())?;
/// let rollout = Rollout::start("fraud-7".to_owned(), plan, Timestamp::from_second(0)?);
/// let judgement = Judge::new(JudgeSettings::default())?.verdict();
///
/// assert_eq!(rollout.step(Timestamp::from_second(600)?, &judgement), None);
///
/// // An hour without data is not a pass.
/// let late = Timestamp::from_second(3600)?;
/// let proposed = rollout.step(late, &judgement);
/// assert_eq!(proposed, Some(Transition::RollBack { because: Cause::Inconclusive }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    id: String,
    plan: RolloutPlan,
    stage: Stage,
    since: Timestamp,
    pairs_before: u64,
    generation: u64,
}

impl Rollout {
    /// Starts in the shadow stage.
    #[must_use]
    pub fn start(id: String, plan: RolloutPlan, now: Timestamp) -> Self {
        Self {
            id,
            plan,
            stage: Stage::Shadow,
            since: now,
            pairs_before: 0,
            generation: 0,
        }
    }

    /// Proposes what to do now, without doing it; `None` to stay. A final stage proposes nothing.
    ///
    /// Asking changes nothing. A clock that goes backwards makes a stage look younger, never older.
    #[must_use]
    pub fn step(&self, now: Timestamp, judgement: &Judgement) -> Option<Transition> {
        if self.stage.is_final() {
            return None;
        }
        match judgement.verdict() {
            Verdict::RollBack { because } => Some(Transition::RollBack { because }),
            Verdict::Inconclusive => Some(Transition::RollBack {
                because: Cause::Inconclusive,
            }),
            _ => self.leave(now, judgement),
        }
    }

    /// Takes a transition and returns the stage that follows.
    ///
    /// `judgement` is the one the transition was proposed on: the next stage counts its pairs from there, never from fewer than this
    /// stage did.
    ///
    /// A transition that does not follow from the present stage changes nothing, so a transition may be applied again after a
    /// crash, and one that was proposed before somebody else's change cannot skip a stage: [`Transition::Advance`] must name
    /// the next stage, and [`Transition::Promote`] must come from the last. A rollback is taken from every stage that is not
    /// final. The gates are the business of [`step`](Self::step): a host that makes up its own transition is not stopped by them.
    pub fn apply(
        &mut self,
        now: Timestamp,
        transition: Transition,
        judgement: &Judgement,
    ) -> Stage {
        if self.stage.is_final() {
            return self.stage;
        }
        let next = match transition {
            Transition::RollBack { because } => Some(Stage::RolledBack { because }),
            Transition::Promote => self.next_ramp_stage().is_none().then_some(Stage::Promoted),
            Transition::Advance { to } => self.next_ramp_stage().filter(|next| *next == to),
        };
        if let Some(stage) = next {
            self.stage = stage;
            self.since = self.since.max(now);
            self.pairs_before = self.pairs_before.max(judgement.pairs());
            self.generation = self.generation.saturating_add(1);
        }
        self.stage
    }

    /// The name of the rollout; also a good [`Salt`](crate::Salt).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &RolloutPlan {
        &self.plan
    }

    /// The present stage.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// The share of live traffic the candidate serves now.
    #[must_use]
    pub fn share(&self) -> Share {
        self.stage.share()
    }

    /// When the present stage began.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// How many transitions were taken: a number that only grows, to fence off late actions.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// How many of the judgement's pairs were judged during the present stage.
    #[must_use]
    pub fn pairs_in_stage(&self, judgement: &Judgement) -> u64 {
        judgement.pairs().saturating_sub(self.pairs_before)
    }

    fn leave(&self, now: Timestamp, judgement: &Judgement) -> Option<Transition> {
        let verdict = judgement.verdict();
        let gate = self.gate()?;
        let elapsed = elapsed(self.since, now);
        let pairs = self.pairs_in_stage(judgement);
        let open = elapsed >= gate.min_duration() && pairs >= gate.min_pairs();
        let next = self.next_ramp_stage();
        let proven = match self.stage {
            Stage::Ramp { .. } if next.is_some() => {
                !matches!(verdict, Verdict::Insufficient { .. })
            }
            _ => verdict == Verdict::Promote,
        };
        if open && proven {
            return Some(next.map_or(Transition::Promote, |to| Transition::Advance { to }));
        }
        let overdue = elapsed >= gate.max_duration();
        overdue.then_some(Transition::RollBack {
            because: Cause::Inconclusive,
        })
    }

    fn gate(&self) -> Option<&StageGate> {
        match self.stage {
            Stage::Shadow => Some(self.plan.shadow()),
            Stage::Ramp { index, .. } => self.plan.ramp().get(index).map(RampStage::gate),
            Stage::Promoted | Stage::RolledBack { .. } => None,
        }
    }

    fn next_ramp_stage(&self) -> Option<Stage> {
        let index = match self.stage {
            Stage::Shadow => 0,
            Stage::Ramp { index, .. } => index.checked_add(1)?,
            Stage::Promoted | Stage::RolledBack { .. } => return None,
        };
        let share = self.plan.ramp().get(index)?.share();
        Some(Stage::Ramp { index, share })
    }
}

fn elapsed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or(Duration::ZERO)
}
