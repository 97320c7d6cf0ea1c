//! A candidate on its way to become champion, or not.

use jiff::Timestamp;
use noops_canary::judge::{Judge, Judgement, Verdict};
use noops_canary::rollout::{Decision, Rollout, RolloutEvent, RolloutSpec, Stage, Step};
use noops_canary::{CanaryError, Salt};
use noops_core::{Digest, Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::judge_settings::JudgeSettings;

/// The comparison of one candidate with the champion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    pub(super) candidate: Digest,
    pub(super) number: u64,
    pub(super) rollout: Rollout,
    pub(super) judge: Judge,
    pub(super) live_answers: u64,
}

impl Experiment {
    pub(super) fn start(
        candidate: Digest,
        number: u64,
        plan: RolloutSpec,
        judge: &JudgeSettings,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let judge = Judge::new(judge.spec()?).map_err(|error: CanaryError| {
            Error::new(ErrorKind::Invalid, "start an experiment", error.to_string())
        })?;
        let name = format!("version {number}");
        let mut experiment = Self {
            candidate,
            number,
            rollout: Rollout::start(name, plan, candidate, judge.spec().digest(), now),
            judge,
            live_answers: 0,
        };
        experiment.acknowledge(now);
        Ok(experiment)
    }

    /// The candidate.
    #[must_use]
    pub fn candidate(&self) -> Digest {
        self.candidate
    }

    /// The candidate's version number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Where the rollout stands.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.rollout.stage()
    }

    /// How many live answers the candidate has given.
    #[must_use]
    pub fn live_answers(&self) -> u64 {
        self.live_answers
    }

    /// The salt of the assignment: units keep their arm as long as this experiment lasts.
    pub(super) fn salt(&self) -> Salt {
        Salt::new(self.candidate.to_string())
    }

    /// Tells the rollout that the deployment, which is in this process, has the share it asked for.
    pub(super) fn acknowledge(&mut self, now: Timestamp) {
        let applied = RolloutEvent::ShareApplied {
            generation: self.rollout.generation(),
            share: self.rollout.share(),
        };
        self.rollout = self.rollout.step(now, &applied).into_state();
    }
}

/// What a rollout would do next: by the verdict, and failing that by the clock.
pub(super) fn propose(rollout: &Rollout, judge: &Judge, now: Timestamp) -> Proposal {
    let judged = rollout.step(now, &judge.rollout_event());
    let step = if judged.decision().is_none() {
        judged.state().step(now, &RolloutEvent::Tick)
    } else {
        judged
    };
    Proposal {
        decision: step.decision().cloned(),
        step,
    }
}

/// Why a decision is taken, for a person: what the judge says, after what the clock says where the clock decided.
pub(super) fn reason(decision: &Decision, judgement: &Judgement) -> String {
    match decision {
        Decision::RollBack { because }
            if !matches!(judgement.verdict(), Verdict::RollBack { .. }) =>
        {
            format!("Roll back: {because}. {}", judgement.explain())
        }
        _ => judgement.explain(),
    }
}

/// A step that has not been taken.
#[derive(Debug)]
pub(super) struct Proposal {
    pub(super) decision: Option<Decision>,
    pub(super) step: Step,
}
