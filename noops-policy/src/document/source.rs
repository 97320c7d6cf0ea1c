use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::{Enforcement, RuleEffect, WhenUnknown};
use crate::action::Action;
use crate::fact::FactValue;

/// A document as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DocumentSource {
    pub(super) policy: Spanned<String>,
    pub(super) owner: Spanned<String>,
    #[serde(default)]
    pub(super) runbook: Option<String>,
    pub(super) enforcement: Enforcement,
    #[serde(default, rename = "match")]
    pub(super) guard: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) variables: Vec<VariableSource>,
    pub(super) rules: Spanned<Vec<RuleSource>>,
    #[serde(default)]
    pub(super) tests: Vec<TestSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VariableSource {
    pub(super) name: Spanned<String>,
    pub(super) expression: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleSource {
    pub(super) name: Spanned<String>,
    pub(super) effect: RuleEffect,
    pub(super) action: Spanned<String>,
    pub(super) when: Spanned<String>,
    #[serde(default)]
    pub(super) unknown: Option<WhenUnknown>,
    #[serde(default, rename = "with")]
    pub(super) parameters: BTreeMap<String, Spanned<String>>,
    pub(super) because: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestSource {
    pub(super) name: Spanned<String>,
    pub(super) facts: BTreeMap<String, FactValue>,
    /// How old a fact is; the others are fresh.
    #[serde(default)]
    pub(super) ages: BTreeMap<String, jiff::SignedDuration>,
    pub(super) expect: BTreeMap<String, super::Expectation>,
}

/// A document as written, without layout and comments: what the digest of a policy set is of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct CanonicalDocument {
    pub(crate) policy: String,
    pub(super) owner: String,
    pub(super) runbook: Option<String>,
    pub(super) enforcement: Enforcement,
    pub(super) rules: Vec<CanonicalRule>,
    pub(super) tests: Vec<CanonicalTest>,
}

/// The condition holds the guard of the document and the variables that it reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct CanonicalRule {
    pub(super) name: String,
    pub(super) effect: RuleEffect,
    pub(super) action: Action,
    pub(super) when: String,
    pub(super) unknown: WhenUnknown,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) because: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct CanonicalTest {
    pub(super) name: String,
    pub(super) facts: BTreeMap<String, FactValue>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) ages: BTreeMap<String, jiff::SignedDuration>,
    pub(super) expect: BTreeMap<Action, super::Expectation>,
}
