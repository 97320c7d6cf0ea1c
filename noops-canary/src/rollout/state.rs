//! What a stored rollout must satisfy to be read back.

use noops_core::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::gate::OnInconclusive;
use super::spec::{RolloutForm, RolloutSpec};
use super::stage::Stage;
use super::{Counts, FIRST_GENERATION, Rollout};
use crate::error::CanaryError;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRollout {
    id: String,
    spec: RolloutSpec,
    candidate: Digest,
    judge: Digest,
    stage: Stage,
    since: Timestamp,
    deadline_from: Timestamp,
    bake_from: Option<Timestamp>,
    seen: Counts,
    baseline: Counts,
    generation: u64,
    acknowledged: bool,
    quarantine_pending: bool,
    extended: bool,
    held: bool,
    paused_at: Option<Timestamp>,
    because: Option<String>,
    promoted_by: Option<String>,
}

impl RawRollout {
    fn contradiction(&self) -> Option<&'static str> {
        let last = self.stage.is_final();
        let shadow_only = self.spec.form() == RolloutForm::ShadowOnly;
        let finding = matches!(self.stage, Stage::Proven | Stage::NotProven);
        let moved = matches!(self.stage, Stage::Promoted | Stage::RolledBack);
        let gate = self
            .spec
            .position_of(self.stage)
            .and_then(|position| self.spec.stage_at(position))
            .map(|planned| *planned.gate());
        let ends_as = |wanted| gate.is_some_and(|gate| gate.on_inconclusive() == wanted);
        let rules = [
            (
                !last && gate.is_none(),
                "its stage is not one of its specification",
            ),
            (
                (finding && !shadow_only) || (moved && shadow_only),
                "its form does not end in this stage",
            ),
            (
                self.generation < FIRST_GENERATION,
                "its generation was never given",
            ),
            (
                self.baseline.champion > self.seen.champion
                    || self.baseline.candidate > self.seen.candidate,
                "it saw more events before the stage than altogether",
            ),
            (
                !last && self.acknowledged && self.bake_from.is_none(),
                "its share is in force and its bake has not begun",
            ),
            (
                last && self.bake_from.is_some(),
                "it is over and a stage still bakes",
            ),
            (
                self.deadline_from < self.since
                    || self.bake_from.is_some_and(|from| from < self.since),
                "a clock of its stage began before the stage",
            ),
            (
                last && (self.held || self.paused_at.is_some()),
                "it is over and waits",
            ),
            (
                self.held && !ends_as(OnInconclusive::Hold),
                "it is held and its gate does not hold",
            ),
            (
                self.extended && !ends_as(OnInconclusive::ExtendOnce),
                "it is extended and its gate does not extend",
            ),
            (
                self.because.is_some() != self.stage.is_failed(),
                "a reason and a failure come together",
            ),
            (
                self.promoted_by.is_some() && self.stage != Stage::Promoted,
                "somebody promoted it and it is not promoted",
            ),
            (
                self.quarantine_pending && !self.stage.is_failed(),
                "its candidate awaits quarantine without a failure",
            ),
            (
                finding && !self.acknowledged,
                "it awaits a share and never moves traffic",
            ),
        ];
        rules
            .into_iter()
            .find_map(|(broken, reason)| broken.then_some(reason))
    }
}

impl TryFrom<RawRollout> for Rollout {
    type Error = CanaryError;

    fn try_from(raw: RawRollout) -> Result<Self, CanaryError> {
        if let Some(reason) = raw.contradiction() {
            return Err(CanaryError::State {
                state: "Rollout",
                reason,
            });
        }
        Ok(Self {
            id: raw.id,
            spec: raw.spec,
            candidate: raw.candidate,
            judge: raw.judge,
            stage: raw.stage,
            since: raw.since,
            deadline_from: raw.deadline_from,
            bake_from: raw.bake_from,
            seen: raw.seen,
            baseline: raw.baseline,
            generation: raw.generation,
            acknowledged: raw.acknowledged,
            quarantine_pending: raw.quarantine_pending,
            extended: raw.extended,
            held: raw.held,
            paused_at: raw.paused_at,
            because: raw.because,
            promoted_by: raw.promoted_by,
        })
    }
}

impl From<Rollout> for RawRollout {
    fn from(rollout: Rollout) -> Self {
        Self {
            id: rollout.id,
            spec: rollout.spec,
            candidate: rollout.candidate,
            judge: rollout.judge,
            stage: rollout.stage,
            since: rollout.since,
            deadline_from: rollout.deadline_from,
            bake_from: rollout.bake_from,
            seen: rollout.seen,
            baseline: rollout.baseline,
            generation: rollout.generation,
            acknowledged: rollout.acknowledged,
            quarantine_pending: rollout.quarantine_pending,
            extended: rollout.extended,
            held: rollout.held,
            paused_at: rollout.paused_at,
            because: rollout.because,
            promoted_by: rollout.promoted_by,
        }
    }
}
