use std::fmt;

use serde::Serialize;

use crate::action::Action;
use crate::decision::Effect;
use crate::document::{Enforcement, Rule, RuleEffect};
use crate::fact::FactState;

/// An effect without what it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EffectKind {
    /// The action may happen.
    Allow,
    /// The action must not happen.
    Deny,
    /// The action waits for facts.
    Unknown,
}

impl From<&Effect> for EffectKind {
    fn from(effect: &Effect) -> Self {
        match effect {
            Effect::Allow => Self::Allow,
            Effect::Deny => Self::Deny,
            Effect::Unknown { .. } => Self::Unknown,
        }
    }
}

impl fmt::Display for EffectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Unknown => "unknown",
        })
    }
}

/// How often decisions went from one effect to another, or stayed what they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Transition {
    before: EffectKind,
    after: EffectKind,
    count: u64,
}

impl Transition {
    /// The effect under the old policies.
    pub fn before(&self) -> EffectKind {
        self.before
    }

    /// The effect under the new policies.
    pub fn after(&self) -> EffectKind {
        self.after
    }

    /// How many decisions.
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// What became of the decisions about one action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActionTally {
    action: Action,
    decisions: u64,
    transitions: Vec<Transition>,
    other_parameters: u64,
    other_rules: u64,
}

impl ActionTally {
    pub(super) fn of(action: Action) -> Self {
        Self {
            action,
            decisions: 0,
            transitions: Vec::new(),
            other_parameters: 0,
            other_rules: 0,
        }
    }

    pub(super) fn add(&mut self, before: EffectKind, after: EffectKind) {
        self.decisions = self.decisions.saturating_add(1);
        let found = self
            .transitions
            .binary_search_by_key(&(before, after), |known| (known.before, known.after));
        match found {
            Ok(index) => {
                if let Some(known) = self.transitions.get_mut(index) {
                    known.count = known.count.saturating_add(1);
                }
            }
            Err(index) => self.transitions.insert(
                index,
                Transition {
                    before,
                    after,
                    count: 1,
                },
            ),
        }
    }

    pub(super) fn add_other_parameters(&mut self) {
        self.other_parameters = self.other_parameters.saturating_add(1);
    }

    pub(super) fn add_other_rules(&mut self) {
        self.other_rules = self.other_rules.saturating_add(1);
    }

    /// The action.
    pub fn action(&self) -> Action {
        self.action
    }

    /// How many decisions were made about it.
    pub fn decisions(&self) -> u64 {
        self.decisions
    }

    /// How many went from each effect to each, those that stayed among them; sorted, without the pairs that never came up.
    pub fn transitions(&self) -> &[Transition] {
        &self.transitions
    }

    /// How many went from one effect to another.
    pub fn count(&self, before: EffectKind, after: EffectKind) -> u64 {
        self.transitions
            .iter()
            .find(|known| (known.before, known.after) == (before, after))
            .map_or(0, Transition::count)
    }

    /// How many changed: those with another effect, and those allowed as before with other parameters.
    pub fn changed(&self) -> u64 {
        self.transitions
            .iter()
            .filter(|known| known.before != known.after)
            .fold(self.other_parameters, |sum, known| {
                sum.saturating_add(known.count)
            })
    }

    /// How many are allowed by both policies, with other values for what the rules compute for the action.
    pub fn other_parameters(&self) -> u64 {
        self.other_parameters
    }

    /// How many did not change and are decided by other rules.
    pub fn other_rules(&self) -> u64 {
        self.other_rules
    }
}

/// What a rule did in a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleTally {
    policy: String,
    rule: String,
    effect: RuleEffect,
    action: Action,
    enforcement: Enforcement,
    asked: u64,
    held: u64,
    unknown: u64,
    decided: u64,
}

impl RuleTally {
    pub(super) fn of(rule: &Rule) -> Self {
        Self {
            policy: rule.policy.clone(),
            rule: rule.name.clone(),
            effect: rule.effect,
            action: rule.action,
            enforcement: rule.enforcement,
            asked: 0,
            held: 0,
            unknown: 0,
            decided: 0,
        }
    }

    pub(super) fn add(&mut self, seen: Seen) {
        let one = |counts: bool| u64::from(counts);
        self.asked = self.asked.saturating_add(1);
        self.held = self.held.saturating_add(one(seen.held));
        self.unknown = self.unknown.saturating_add(one(seen.unknown));
        self.decided = self.decided.saturating_add(one(seen.decided));
    }

    /// The policy that the rule belongs to.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The name of the rule within its policy.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// What the rule does when it holds.
    pub fn effect(&self) -> RuleEffect {
        self.effect
    }

    /// The action that it is about.
    pub fn action(&self) -> Action {
        self.action
    }

    /// How binding its policy is.
    pub fn enforcement(&self) -> Enforcement {
        self.enforcement
    }

    /// How often its action was in question.
    pub fn asked(&self) -> u64 {
        self.asked
    }

    /// How often its condition held.
    pub fn held(&self) -> u64 {
        self.held
    }

    /// How often its condition was unknown.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    /// How often it was among the deciding rules; see [`Decision::rules`](crate::Decision::rules). An advisory rule never
    /// decides.
    pub fn decided(&self) -> u64 {
        self.decided
    }
}

/// What a rule did at one moment.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) held: bool,
    pub(super) unknown: bool,
    pub(super) decided: bool,
}

/// How often a fact that the policies read could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactTally {
    fact: String,
    missing: u64,
    stale: u64,
    invalid: u64,
}

impl FactTally {
    pub(super) fn of(fact: &str) -> Self {
        Self {
            fact: fact.to_owned(),
            missing: 0,
            stale: 0,
            invalid: 0,
        }
    }

    pub(super) fn add(&mut self, state: FactState) {
        let count = match state {
            FactState::Known => return,
            FactState::Missing => &mut self.missing,
            FactState::Stale => &mut self.stale,
            FactState::Invalid => &mut self.invalid,
        };
        *count = count.saturating_add(1);
    }

    /// The name.
    pub fn fact(&self) -> &str {
        &self.fact
    }

    /// At how many moments it was missing; one that the history's schema does not declare is.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// At how many moments it was too old.
    pub fn stale(&self) -> u64 {
        self.stale
    }

    /// At how many moments it was not a number or out of range.
    pub fn invalid(&self) -> u64 {
        self.invalid
    }

    /// At how many moments it could not be used.
    pub fn unusable(&self) -> u64 {
        self.missing
            .saturating_add(self.stale)
            .saturating_add(self.invalid)
    }
}
