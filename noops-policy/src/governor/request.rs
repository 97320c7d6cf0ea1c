use noops_core::{Digest, FencingToken};
use serde::{Deserialize, Serialize};

use super::basis::FactBasis;
use super::class::{ActionClass, Heading, Scaling};
use super::fleet::Fleet;
use super::targets::Targets;
use crate::action::Action;

/// Whether an action is to happen, or only to be planned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It happens, and counts against every limit.
    #[default]
    Live,
    /// It gets the same answer and the same plan, and spends nothing.
    DryRun,
}

/// What is wanted, and by which rules: the part of a request that makes a repetition one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    policy: Digest,
    desired: String,
    epoch: u64,
}

impl Intent {
    /// The policies decided that the targets are to be at `desired`: a version, a number of replicas. The epoch tells wanting
    /// it once more from asking twice; it counts changes of what is wanted, not attempts.
    pub fn new(policy: Digest, desired: impl Into<String>, epoch: u64) -> Self {
        Self {
            policy,
            desired: desired.into(),
            epoch,
        }
    }

    /// The digest of the policies.
    pub fn policy(&self) -> Digest {
        self.policy
    }

    /// What is wanted.
    pub fn desired(&self) -> &str {
        &self.desired
    }

    /// The number of the change of what is wanted.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// The action that caused this one, and how many came before it in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cause {
    action: Action,
    key: Digest,
    depth: u32,
}

impl Cause {
    pub(super) fn new(action: Action, key: Digest, depth: u32) -> Self {
        Self { action, key, depth }
    }

    /// The action.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Its idempotency key.
    pub fn key(&self) -> Digest {
        self.key
    }

    /// The depth of what it causes: one for what the first action of a chain causes.
    pub fn depth(&self) -> u32 {
        self.depth
    }
}

/// An action that automation asks to begin.
///
/// What is not given counts as not known: where a limit needs it, the request is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionRequest {
    action: Action,
    targets: Targets,
    token: FencingToken,
    intent: Intent,
    #[serde(default)]
    mode: Mode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scaling: Option<Scaling>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fleet: Option<Fleet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    facts: Option<FactBasis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
}

impl ActionRequest {
    /// Asks for an action on targets as the holder of a fencing token.
    pub fn new(action: Action, targets: Targets, token: FencingToken, intent: Intent) -> Self {
        Self {
            action,
            targets,
            token,
            intent,
            mode: Mode::Live,
            scaling: None,
            cause: None,
            fleet: None,
            facts: None,
            approved_by: None,
        }
    }

    /// Sets whether it is to happen.
    #[must_use]
    pub fn with_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Says which way a scale action goes.
    #[must_use]
    pub fn with_scaling(mut self, scaling: Scaling) -> Self {
        self.scaling = Some(scaling);
        self
    }

    /// Names the action that caused it.
    #[must_use]
    pub fn with_cause(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Says what was counted of the fleet that the targets belong to.
    #[must_use]
    pub fn with_fleet(mut self, fleet: Fleet) -> Self {
        self.fleet = Some(fleet);
        self
    }

    /// Says which facts it rests on.
    #[must_use]
    pub fn with_facts(mut self, facts: FactBasis) -> Self {
        self.facts = Some(facts);
        self
    }

    /// Names the person who approved it. The caller must have verified that; a blank name approves nothing.
    #[must_use]
    pub fn with_approval(mut self, by: impl Into<String>) -> Self {
        self.approved_by = Some(by.into());
        self
    }

    /// The action.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The targets.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The fencing token.
    pub fn token(&self) -> FencingToken {
        self.token
    }

    /// What is wanted.
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// Whether it is to happen.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Which way a scale action goes.
    pub fn scaling(&self) -> Option<Scaling> {
        self.scaling
    }

    /// The action that caused it.
    pub fn cause(&self) -> Option<&Cause> {
        self.cause.as_ref()
    }

    /// The fleet.
    pub fn fleet(&self) -> Option<&Fleet> {
        self.fleet.as_ref()
    }

    /// The facts.
    pub fn facts(&self) -> Option<&FactBasis> {
        self.facts.as_ref()
    }

    /// Who approved it.
    pub fn approved_by(&self) -> Option<&str> {
        let by = self.approved_by.as_deref();
        by.filter(|by| !by.trim().is_empty())
    }

    /// How many actions came before it in its chain.
    pub fn depth(&self) -> u32 {
        self.cause.as_ref().map_or(0, Cause::depth)
    }

    /// The idempotency key: the digest of policy, action, targets, what is wanted, and epoch. Nothing else matters to it: the next
    /// leader's attempt has the key of the one before.
    pub fn key(&self) -> Digest {
        let epoch = self.intent.epoch.to_le_bytes();
        let fixed = [
            self.intent.policy.as_bytes().as_slice(),
            self.action.name().as_bytes(),
            self.intent.desired.as_bytes(),
            epoch.as_slice(),
        ];
        let targets = self.targets.iter().map(str::as_bytes);
        Digest::of_parts(fixed.into_iter().chain(targets))
    }

    pub(super) fn class(&self) -> ActionClass {
        ActionClass::of(self.action)
    }

    pub(super) fn heading(&self) -> Option<Heading> {
        Heading::of(self.action, self.scaling)
    }

    /// An action of which only the limits on how often are asked.
    pub(super) fn bare(action: Action, targets: Targets) -> Self {
        let intent = Intent::new(Digest::ZERO, String::new(), 0);
        Self::new(action, targets, FencingToken::NONE, intent)
    }
}
