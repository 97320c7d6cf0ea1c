//! The guard between a decision and an action.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

mod backoff;
mod basis;
mod class;
mod error;
mod fence;
mod fleet;
mod frozen;
mod judge;
mod limit;
mod permit;
mod person;
mod reach;
mod reason;
mod refusal;
mod request;
mod run;
mod settings;
mod spend;
mod state;
mod targets;

use crate::action::Action;
use frozen::Frozen;
use run::Run;
use state::RawGovernor;

pub use backoff::Backoff;
pub use basis::FactBasis;
pub use class::{ActionClass, Scaling};
pub use error::GovernorError;
pub use fence::{FenceGuard, Fenced};
pub use fleet::{Fleet, FleetLimits};
pub use limit::{BlastRadius, Budget, FlapLimit, TotalBudget};
pub use permit::{Execution, Permit, PlannedAction};
pub use reason::RefusalReason;
pub use refusal::Refusal;
pub use request::{ActionRequest, Cause, Intent, Mode};
pub use settings::GovernorSettings;
pub use targets::{Targets, TargetsError};

/// The guard between a decision and an action: a kill switch, and limits on how often, how far and how deep automation acts.
///
/// A decision says that an action may happen; the governor says that it may happen now. It is pure state. Ask with
/// [`Governor::authorise`], which also counts the action, and hand the [`Permit`] to [`Governor::execute`] immediately before
/// the actuator acts. Where only the limits on one target matter, [`Governor::check`] asks and [`Governor::record`] counts.
///
/// A clock that goes backwards opens no gate: the latest recorded time counts as now until the clock has caught up. What an
/// authorised action spends stays spent, also when it is never executed. At most [`Governor::MAX_RUNS`] runs are kept in mind;
/// when they would not suffice, actions are refused.
///
/// An action without settings is limited by the kill switch only.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_policy::{Action, Governor, GovernorSettings};
///
/// let settings = GovernorSettings::default()
///     .with_cooldown(Action::Retrain, Duration::from_secs(3600))
///     .with_budget(Action::Retrain, 3, Duration::from_secs(86_400));
/// let mut governor = Governor::new(settings);
///
/// let now = Timestamp::UNIX_EPOCH;
/// assert!(governor.check(Action::Retrain, "fraud", now).is_ok());
/// governor.record(Action::Retrain, "fraud", now);
/// let refusal = governor.check(Action::Retrain, "fraud", now).unwrap_err();
/// assert_eq!(
///     refusal.to_string(),
///     "retrain of `fraud` is cooling down until `1970-01-01T01:00:00Z`"
/// );
/// assert!(governor.check(Action::Retrain, "churn", now).is_ok());
/// ```
///
/// A permit that was issued before the kill switch was thrown is refused when it is to be executed:
///
/// ```
/// use noops_core::{Digest, FencingToken, Timestamp};
/// use noops_policy::governor::{ActionRequest, Intent, RefusalReason, Targets};
/// use noops_policy::{Action, Governor, GovernorSettings};
///
/// let mut governor = Governor::new(GovernorSettings::default());
/// let now = Timestamp::UNIX_EPOCH;
/// let request = ActionRequest::new(
///     Action::Promote,
///     Targets::one("fraud")?,
///     FencingToken::new(1),
///     Intent::new(Digest::of(b"policies"), "7", 1),
/// );
/// let permit = governor.authorise(&request, now)?;
/// governor.kill();
/// let refusal = governor.execute(permit, now).unwrap_err();
/// assert_eq!(refusal.reason(), &RefusalReason::KillSwitch);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawGovernor")]
pub struct Governor {
    settings: GovernorSettings,
    switch: Switch,
    latest: Option<Timestamp>,
    runs: Vec<Run>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    frozen: BTreeMap<String, Frozen>,
    /// The sizes of the fleets at the last look, by selector.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    looks: BTreeMap<String, u64>,
    /// When each idempotency key was used.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    keys: BTreeMap<Digest, Timestamp>,
    #[serde(skip_serializing_if = "FenceGuard::is_unused")]
    fence: FenceGuard,
    /// Until when something matters that there was no room to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    overflow: Option<Timestamp>,
    /// How often the kill switch was thrown: what was permitted before stays refused after a resume.
    #[serde(skip_serializing_if = "is_zero")]
    kills: u64,
}

impl Governor {
    /// The most runs, frozen targets and idempotency keys that are kept in mind, each.
    pub const MAX_RUNS: usize = 4096;
    /// The most fleets whose sizes are kept in mind.
    pub const MAX_FLEETS: usize = 1024;

    /// Governs with no action on record.
    pub fn new(settings: GovernorSettings) -> Self {
        Self {
            settings,
            switch: Switch::Running,
            latest: None,
            runs: Vec::new(),
            frozen: BTreeMap::new(),
            looks: BTreeMap::new(),
            keys: BTreeMap::new(),
            fence: FenceGuard::default(),
            overflow: None,
            kills: 0,
        }
    }

    /// The settings.
    pub fn settings(&self) -> &GovernorSettings {
        &self.settings
    }

    /// Says whether an action on a target may begin at `now`. It changes nothing.
    ///
    /// It asks as for a request without direction, cause, fleet, facts, approval and fencing token: settings that need one of the
    /// first ones refuse it, and fencing is left to the caller.
    ///
    /// # Errors
    ///
    /// The first [`Refusal`] of: kill switch, invalid target, the limits.
    ///
    /// # Complexity
    ///
    /// `O(n log n)` in the runs on record, of which there are at most [`Governor::MAX_RUNS`].
    pub fn check(&self, action: Action, target: &str, now: Timestamp) -> Result<(), Refusal> {
        let refuse = |reason| Err(Refusal::new(action, bounded_label(target), reason));
        if self.is_killed() {
            return refuse(RefusalReason::KillSwitch);
        }
        let targets = match Targets::one(target) {
            Ok(targets) => targets,
            Err(TargetsError::Blank) => return refuse(RefusalReason::NoTarget),
            Err(error) => return refuse(RefusalReason::InvalidTargets(error)),
        };
        let request = ActionRequest::bare(action, targets);
        self.limits(&request, self.forward(now)).or_else(refuse)
    }

    /// Puts an action on record.
    pub fn record(&mut self, action: Action, target: &str, now: Timestamp) {
        let now = self.forward(now);
        self.latest = Some(now);
        self.forget(now);
        self.note(action, target, None, None, now);
    }

    /// Lets an action begin, and counts it. A dry run gets the same answer and counts nothing.
    ///
    /// An action that a limit holds back leaves no trace, but for one: asking a frozen target to turn round again keeps it
    /// frozen.
    ///
    /// # Errors
    ///
    /// The first [`Refusal`] of: kill switch, fencing, repeated key, facts, depth, flapping, cooldown, budgets, approval, fleet,
    /// blast radius, healthy floor, room.
    ///
    /// # Complexity
    ///
    /// `O((n + t) log n)` in the runs on record and the targets, both of which are bounded.
    pub fn authorise(
        &mut self,
        request: &ActionRequest,
        now: Timestamp,
    ) -> Result<Permit, Refusal> {
        let now = self.forward(now);
        let answer = self.judge(request, now);
        if request.mode() == Mode::Live {
            match &answer {
                Ok(()) => {
                    let freezes = self.spend(request, now);
                    return Ok(Permit::new(request.clone(), now, freezes, self.kills));
                }
                Err(RefusalReason::Flapping { .. }) => self.hear(request, now),
                Err(_) => {}
            }
        }
        match answer {
            Ok(()) => Ok(Permit::new(
                request.clone(),
                now,
                self.tipping(request, now),
                self.kills,
            )),
            Err(reason) => Err(refused(request, reason)),
        }
    }

    /// Releases a permitted action to the actuator at the last moment. The actuator must still check the fencing token, with a
    /// [`FenceGuard`] of its own.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when meanwhile the kill switch was thrown, a newer leader has acted, the permit has lapsed or the facts have
    /// become too old. The permit is used up; want the action anew under a new epoch.
    pub fn execute(&self, permit: Permit, now: Timestamp) -> Result<Execution, Refusal> {
        let now = self.forward(now);
        match self.judge_execution(&permit, now) {
            Ok(()) => Ok(Execution::new(&permit, now)),
            Err(reason) => Err(refused(permit.request(), reason)),
        }
    }

    /// Stops every action until [`Governor::resume`].
    pub fn kill(&mut self) {
        if self.switch == Switch::Running {
            self.kills = self.kills.saturating_add(1);
        }
        self.switch = Switch::Killed;
    }

    /// Ends a [`Governor::kill`]. What is on record stays on record.
    pub fn resume(&mut self) {
        self.switch = Switch::Running;
    }

    /// Whether the kill switch is thrown.
    pub fn is_killed(&self) -> bool {
        self.switch == Switch::Killed
    }

    /// The greatest fencing token with which an action was authorised.
    pub fn fence(&self) -> FenceGuard {
        self.fence
    }

    fn forward(&self, now: Timestamp) -> Timestamp {
        self.latest.map_or(now, |latest| latest.max(now))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Switch {
    Running,
    Killed,
}

fn refused(request: &ActionRequest, reason: RefusalReason) -> Refusal {
    Refusal::new(request.action(), request.targets().label(), reason)
}

fn bounded_label(target: &str) -> String {
    run::bounded(target).to_owned()
}

/// A time past the end of time is the end of time.
fn after(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests;
