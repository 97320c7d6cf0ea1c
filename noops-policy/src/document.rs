mod place;
mod read;
mod source;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::condition::Condition;
use crate::error::Position;
use crate::fact::Facts;
use crate::parameter::Parameter;

pub(crate) use read::{MAX_RULES, TEST_TIME, read};
pub(crate) use source::CanonicalDocument;

/// How binding a policy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enforcement {
    /// Reported, never enforced: its rules are evaluated and listed, and do not count for a decision.
    Advisory,
    /// Enforced, and a person may override it on the record.
    SoftMandatory,
    /// Enforced without exception.
    HardMandatory,
}

impl fmt::Display for Enforcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Advisory => "advisory",
            Self::SoftMandatory => "soft-mandatory",
            Self::HardMandatory => "hard-mandatory",
        })
    }
}

/// What a rule does to its action when its condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleEffect {
    /// Asks for the action.
    Trigger,
    /// Lets the action happen.
    Permit,
    /// Stops the action, whatever other rules say.
    Forbid,
}

impl fmt::Display for RuleEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trigger => "trigger",
            Self::Permit => "permit",
            Self::Forbid => "forbid",
        })
    }
}

/// What a rule does when its condition is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WhenUnknown {
    /// The rule does nothing. For a trigger and a permit this is the only choice: they open nothing.
    Skip,
    /// A forbidding rule stops the action. The default of a forbidding rule.
    Deny,
}

/// What a test of a document expects of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// The action is allowed.
    Allow,
    /// The action is denied.
    Deny,
    /// The action waits for facts.
    Unknown,
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Unknown => "unknown",
        })
    }
}

/// A rule, checked and compiled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) policy: String,
    pub(crate) name: String,
    pub(crate) effect: RuleEffect,
    pub(crate) action: Action,
    pub(crate) condition: Condition,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) unknown: WhenUnknown,
    pub(crate) because: String,
    pub(crate) enforcement: Enforcement,
    pub(crate) at: Option<Position>,
}

impl Rule {
    pub(crate) fn is_advisory(&self) -> bool {
        self.enforcement == Enforcement::Advisory
    }

    /// How people refer to it: its policy and its name.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.policy, self.name)
    }
}

/// A test of a document, with its facts in place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Test {
    pub(crate) policy: String,
    pub(crate) name: String,
    pub(crate) facts: Facts,
    pub(crate) expect: BTreeMap<Action, Expectation>,
}

/// A document, checked: its source form for the digest, and its compiled rules and tests.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    pub(crate) canonical: CanonicalDocument,
    pub(crate) rules: Vec<Rule>,
    pub(crate) tests: Vec<Test>,
}
