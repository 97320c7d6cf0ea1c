use jiff::Timestamp;
use noops_core::{Digest, FencingToken};
use serde::{Deserialize, Serialize};

use super::request::{ActionRequest, Cause, Mode};
use crate::action::Action;

/// The answer that an action may begin. It is executed at most once, through
/// [`Governor::execute`](super::Governor::execute), which asks again what may have changed.
///
/// It can be written down but not read back: a process that crashed asks again, and is told that the key was used.
#[derive(Debug, PartialEq, Serialize)]
#[must_use]
pub struct Permit {
    request: ActionRequest,
    key: Digest,
    at: Timestamp,
    freezes: Vec<String>,
    kills: u64,
}

impl Permit {
    pub(super) fn new(
        request: ActionRequest,
        at: Timestamp,
        freezes: Vec<String>,
        kills: u64,
    ) -> Self {
        Self {
            key: request.key(),
            request,
            at,
            freezes,
            kills,
        }
    }

    /// How often the kill switch had been thrown when it was issued.
    pub(super) fn kills(&self) -> u64 {
        self.kills
    }

    /// What was asked.
    pub fn request(&self) -> &ActionRequest {
        &self.request
    }

    /// The idempotency key.
    pub fn key(&self) -> Digest {
        self.key
    }

    /// When it was issued.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The targets that this action freezes because they flap. If there are any, a person must be called.
    pub fn freezes(&self) -> &[String] {
        &self.freezes
    }

    /// What actions that this one causes must name as their cause.
    pub fn cause(&self) -> Cause {
        let depth = self.request.depth().saturating_add(1);
        Cause::new(self.request.action(), self.key, depth)
    }

    /// What would be done.
    pub fn plan(&self) -> Vec<PlannedAction> {
        PlannedAction::all(&self.request, self.key)
    }
}

/// What an actuator is to do now, or, after a dry run, what it would have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use]
pub struct Execution {
    mode: Mode,
    at: Timestamp,
    plan: Vec<PlannedAction>,
}

impl Execution {
    pub(super) fn new(permit: &Permit, at: Timestamp) -> Self {
        Self {
            mode: permit.request.mode(),
            at,
            plan: permit.plan(),
        }
    }

    /// Whether it is to happen.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// When it was released.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What is to be done, target by target; nothing after a dry run.
    pub fn actions(&self) -> &[PlannedAction] {
        match self.mode {
            Mode::Live => &self.plan,
            Mode::DryRun => &[],
        }
    }

    /// What is to be done or, after a dry run, would have been.
    pub fn plan(&self) -> &[PlannedAction] {
        &self.plan
    }
}

/// One thing that an actuator is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedAction {
    action: Action,
    target: String,
    desired: String,
    key: Digest,
    token: FencingToken,
}

impl PlannedAction {
    fn all(request: &ActionRequest, key: Digest) -> Vec<Self> {
        let of = |target: &str| Self {
            action: request.action(),
            target: target.to_owned(),
            desired: request.intent().desired().to_owned(),
            key,
            token: request.token(),
        };
        request.targets().iter().map(of).collect()
    }

    /// The action.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Its target.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// What is wanted.
    pub fn desired(&self) -> &str {
        &self.desired
    }

    /// The idempotency key of the request that it belongs to.
    pub fn key(&self) -> Digest {
        self.key
    }

    /// The fencing token that the actuator must check.
    pub fn token(&self) -> FencingToken {
        self.token
    }
}
