use std::fmt;

use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::rule::ApprovalRule;
use super::tolerance::{Tolerance, change};
use crate::fact::{FactRecord, FactState, FactValue, Facts};

/// What people agreed to that is no longer so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voided {
    moved: Vec<MovedFact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current_policies: Option<Digest>,
}

impl Voided {
    /// What changed since the request; none if it still stands.
    pub(super) fn since(moved: Vec<MovedFact>, requested: Digest, current: Digest) -> Option<Self> {
        let current_policies = (current != requested).then_some(current);
        (!moved.is_empty() || current_policies.is_some()).then_some(Self {
            moved,
            current_policies,
        })
    }

    /// The facts that moved beyond their tolerance or stopped being known, by name.
    #[must_use]
    pub fn moved(&self) -> &[MovedFact] {
        &self.moved
    }

    /// The digest of the policies that are in force instead of those that were decided by; none if they are the same.
    #[must_use]
    pub fn current_policies(&self) -> Option<Digest> {
        self.current_policies
    }
}

/// A fact that moved further than the rule tolerates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MovedFact {
    name: String,
    change: FactChange,
}

impl MovedFact {
    /// The fact.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it moved.
    #[must_use]
    pub fn change(&self) -> &FactChange {
        &self.change
    }
}

/// How a fact moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FactChange {
    /// Its value changed.
    Value {
        /// What it was.
        before: FactValue,
        /// What it is.
        after: FactValue,
        /// By how much, for numbers.
        by: Option<f64>,
        /// How far it might have moved; none if it had to stay equal.
        tolerance: Option<Tolerance>,
    },
    /// It became known, or stopped being known.
    State {
        /// What it was.
        before: FactState,
        /// What it is.
        after: FactState,
    },
    /// It is not declared, or not declared alike, any more.
    Undeclared,
}

/// The facts that moved further between `decided_at` and `now` than the rule tolerates. A fact that could not be used then
/// and cannot be used now has not moved.
pub(super) fn moved(
    record: &FactRecord,
    decided_at: Timestamp,
    facts: &Facts,
    now: Timestamp,
    rule: &ApprovalRule,
) -> Vec<MovedFact> {
    let mut before = Facts::new(facts.schema());
    let mut moved: Vec<MovedFact> = Vec::new();
    for (name, entry) in record {
        let is_any = rule.tolerance(name).is_some_and(Tolerance::is_any);
        let is_read = before.set(name, entry.value().clone(), entry.at()).is_ok();
        if !is_read && !is_any {
            moved.push(MovedFact {
                name: name.clone(),
                change: FactChange::Undeclared,
            });
        }
    }
    for decl in facts.schema().facts() {
        let name = decl.name();
        let is_undeclared = moved.iter().any(|fact| fact.name == name);
        if is_undeclared {
            continue;
        }
        let tolerance = rule.tolerance(name);
        if let Some(change) = compare(&before, decided_at, facts, now, name, tolerance) {
            moved.push(MovedFact {
                name: name.to_owned(),
                change,
            });
        }
    }
    moved.sort_by(|a, b| a.name.cmp(&b.name));
    moved
}

fn compare(
    before: &Facts,
    decided_at: Timestamp,
    facts: &Facts,
    now: Timestamp,
    name: &str,
    tolerance: Option<Tolerance>,
) -> Option<FactChange> {
    if tolerance.is_some_and(Tolerance::is_any) {
        return None;
    }
    let state_before = before.state(name, decided_at)?;
    let state_after = facts.state(name, now)?;
    match (state_before, state_after) {
        (FactState::Known, FactState::Known) => {
            let before = before.entry(name)?.value();
            let after = facts.entry(name)?.value();
            let is_within = match tolerance {
                Some(tolerance) => tolerance.allows(before, after),
                None => before == after,
            };
            (!is_within).then(|| FactChange::Value {
                before: before.clone(),
                after: after.clone(),
                by: change(before, after),
                tolerance,
            })
        }
        (FactState::Known, _) | (_, FactState::Known) => Some(FactChange::State {
            before: state_before,
            after: state_after,
        }),
        (_, _) => None,
    }
}

impl fmt::Display for Voided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.moved.iter().map(ToString::to_string).collect();
        if let Some(current) = self.current_policies {
            parts.push(format!("the policies are now `{}`", current.short()));
        }
        f.write_str(&parts.join("; "))
    }
}

impl fmt::Display for MovedFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.change {
            FactChange::Value {
                before,
                after,
                by,
                tolerance,
            } => {
                write!(f, "`{name}` went from {before} to {after}")?;
                if let Some(by) = by {
                    write!(f, ", by {by}")?;
                }
                match tolerance {
                    Some(tolerance) => write!(f, ", and {tolerance} was tolerated"),
                    None => write!(f, ", and had to stay equal"),
                }
            }
            FactChange::State { before, after } => {
                let word = |state: &FactState| match state {
                    FactState::Known => "known",
                    FactState::Missing => "missing",
                    FactState::Stale => "stale",
                    FactState::Invalid => "invalid",
                };
                write!(f, "`{name}` was {} and is {}", word(before), word(after))
            }
            FactChange::Undeclared => write!(f, "`{name}` is no longer declared as it was"),
        }
    }
}
