//! A candidate on its way to become champion, or not.

use jiff::Timestamp;
use noops_canary::{CanaryError, Judge, JudgeSettings, Rollout, RolloutPlan, Salt, Stage};
use noops_core::{Digest, Error, ErrorKind};
use serde::{Deserialize, Serialize};

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
        plan: RolloutPlan,
        judge: JudgeSettings,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let judge = Judge::new(judge).map_err(|error: CanaryError| {
            Error::new(ErrorKind::Invalid, "start an experiment", error.to_string())
        })?;
        let rollout = Rollout::start(format!("version {number}"), plan, now);
        Ok(Self {
            candidate,
            number,
            rollout,
            judge,
            live_answers: 0,
        })
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
}
