use std::collections::BTreeMap;

use noops_core::Digest;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::fact::FactValue;

/// What a run wants from its host.
///
/// The same order has the same idempotency key however often it is given, before and after a crash. A host carries out
/// each key once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
#[must_use]
pub enum Order {
    /// Perform a step.
    Perform(Task),
    /// Take a step back.
    Undo(Task),
    /// Ask a person whether a step may be performed.
    AskPerson(Question),
    /// Call a person: the run has stopped.
    Escalate(Escalation),
    /// All steps are performed and verified.
    Done {
        /// The key of the order.
        idempotency_key: Digest,
    },
}

impl Order {
    /// The key by which events refer to the order.
    #[must_use]
    pub fn idempotency_key(&self) -> Digest {
        match self {
            Self::Perform(task) | Self::Undo(task) => task.idempotency_key,
            Self::AskPerson(question) => question.idempotency_key,
            Self::Escalate(escalation) => escalation.idempotency_key,
            Self::Done { idempotency_key } => *idempotency_key,
        }
    }
}

/// An action that a host carries out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    pub(super) step: String,
    pub(super) attempt: u32,
    pub(super) action: Action,
    pub(super) parameters: BTreeMap<String, FactValue>,
    pub(super) idempotency_key: Digest,
}

impl Task {
    /// The name of the step.
    pub fn step(&self) -> &str {
        &self.step
    }

    /// Which attempt it is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// What to do.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The parameters of the action.
    pub fn parameters(&self) -> &BTreeMap<String, FactValue> {
        &self.parameters
    }

    /// The key of the order.
    pub fn idempotency_key(&self) -> Digest {
        self.idempotency_key
    }
}

/// What a person is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub(super) step: String,
    pub(super) action: Action,
    pub(super) parameters: BTreeMap<String, FactValue>,
    pub(super) why: String,
    pub(super) idempotency_key: Digest,
}

impl Question {
    /// The name of the step.
    pub fn step(&self) -> &str {
        &self.step
    }

    /// What would be done.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The parameters of the action.
    pub fn parameters(&self) -> &BTreeMap<String, FactValue> {
        &self.parameters
    }

    /// Why a person is asked.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The key of the order.
    pub fn idempotency_key(&self) -> Digest {
        self.idempotency_key
    }
}

/// Why a run has stopped, and what it has left behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    pub(super) why: String,
    pub(super) in_force: Vec<String>,
    pub(super) idempotency_key: Digest,
}

impl Escalation {
    /// Why.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// The names of the steps that were performed and not taken back, in order.
    pub fn in_force(&self) -> &[String] {
        &self.in_force
    }

    /// The key of the order.
    pub fn idempotency_key(&self) -> Digest {
        self.idempotency_key
    }
}

/// What a host tells a run.
///
/// An event that names an order which the run does not wait for is ignored: it is a duplicate, or comes too late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RunbookEvent {
    /// Time has passed, or facts have changed.
    Tick,
    /// The host has lost track, as after a crash: the outstanding order is given again.
    Resumed,
    /// A task was carried out.
    Performed {
        /// The key of the order.
        order: Digest,
    },
    /// A task was not carried out.
    Failed {
        /// The key of the order.
        order: Digest,
        /// Why not.
        why: String,
    },
    /// A person has agreed.
    Approved {
        /// The key of the order.
        order: Digest,
    },
    /// A person has refused.
    Rejected {
        /// The key of the order.
        order: Digest,
        /// Why.
        why: String,
    },
}
