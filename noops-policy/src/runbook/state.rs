use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::document::Runbook;
use super::error::RunbookError;

/// All that a run must remember, to be stored after each step and resumed from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunState {
    pub(super) run: String,
    pub(super) runbook: Digest,
    pub(super) latest: Option<Timestamp>,
    /// The steps before this one are performed and not taken back, but for those that have nothing to take them back.
    pub(super) performed: usize,
    /// The steps from `performed` on that were performed and have nothing to take them back, in order.
    pub(super) kept: Vec<usize>,
    pub(super) phase: Phase,
}

impl RunState {
    /// The id of the run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// The digest of the runbook.
    pub fn runbook(&self) -> Digest {
        self.runbook
    }

    /// Where the run stands.
    pub fn status(&self) -> RunStatus {
        match self.phase {
            Phase::Ready => RunStatus::Ready,
            Phase::Asking { .. } => RunStatus::Asking,
            Phase::Performing { .. } => RunStatus::Performing,
            Phase::Verifying { .. } => RunStatus::Verifying,
            Phase::Undoing { .. } => RunStatus::Undoing,
            Phase::Stopped { .. } => RunStatus::Stopped,
            Phase::Done => RunStatus::Done,
        }
    }

    /// Refuses what no run of this runbook can have written.
    pub(super) fn check(&self, runbook: &Runbook) -> Result<(), RunbookError> {
        if self.runbook != runbook.digest() {
            return Err(RunbookError::OtherRunbook {
                state: self.runbook,
                runbook: runbook.digest(),
            });
        }
        if self.run.trim().is_empty() {
            return Err(RunbookError::NoRunId);
        }
        let refuse = |problem: &str| {
            Err(RunbookError::State {
                problem: problem.to_owned(),
            })
        };
        let steps = runbook.steps();
        if self.performed > steps.len() {
            return refuse("more steps are performed than there are");
        }
        let rising = self
            .kept
            .iter()
            .zip(self.kept.iter().skip(1))
            .all(|(one, next)| one < next);
        let kept = self.kept.iter().all(|index| {
            *index >= self.performed && steps.get(*index).is_some_and(|step| step.undo().is_none())
        });
        if !rising || !kept {
            return refuse("a step is left in force that was not performed or has an undo");
        }
        let possible = match &self.phase {
            Phase::Ready => self.performed == 0,
            Phase::Asking { step } => self.performed == *step && *step < steps.len(),
            Phase::Performing { step, attempt, .. } => {
                let performed = self.performed == *step
                    || (*attempt > 1 && Some(self.performed) == step.checked_add(1));
                performed && within_retries(runbook, *step, *attempt)
            }
            Phase::Verifying { step, attempt, .. } => {
                Some(self.performed) == step.checked_add(1)
                    && within_retries(runbook, *step, *attempt)
            }
            Phase::Undoing { .. } => self
                .performed
                .checked_sub(1)
                .and_then(|last| steps.get(last))
                .is_some_and(|step| step.undo().is_some()),
            Phase::Stopped { .. } => true,
            Phase::Done => self.performed == steps.len(),
        };
        let undoes = matches!(self.phase, Phase::Undoing { .. } | Phase::Stopped { .. });
        if !possible || !(undoes || self.kept.is_empty()) {
            return refuse("its phase does not go with the steps that are performed");
        }
        Ok(())
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RunStatus {
    /// Nothing has happened.
    Ready,
    /// A person is asked.
    Asking,
    /// A step is being performed.
    Performing,
    /// A performed step has yet to show in the facts.
    Verifying,
    /// Steps are being taken back.
    Undoing,
    /// A person was called.
    Stopped,
    /// All steps are performed and verified.
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Phase {
    Ready,
    Asking {
        step: usize,
    },
    Performing {
        step: usize,
        attempt: u32,
        deadline: Timestamp,
    },
    Verifying {
        step: usize,
        attempt: u32,
        since: Timestamp,
        deadline: Timestamp,
    },
    Undoing {
        why: String,
        deadline: Timestamp,
    },
    Stopped {
        why: String,
    },
    Done,
}

fn within_retries(runbook: &Runbook, step: usize, attempt: u32) -> bool {
    runbook
        .steps()
        .get(step)
        .is_some_and(|step| attempt >= 1 && attempt.saturating_sub(1) <= step.retries())
}
