use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::action::Action;
use crate::condition::{Clause, Run, Truth};
use crate::document::{Enforcement, Rule, RuleEffect};
use crate::fact::Facts;
use crate::flip::Flip;
use crate::set::{Judgement, PolicySet};

/// What was decided about an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The action may happen.
    Allow,
    /// The action must not happen.
    Deny,
    /// The action must not happen now; what is not known yet could allow it.
    Unknown {
        /// The facts that it waits for, by name.
        waiting_for: Vec<String>,
    },
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Unknown { .. } => "unknown",
        })
    }
}

/// A rule that decided, or an advisory rule about the action, with the values of its clauses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleOutcome {
    policy: String,
    rule: String,
    effect: RuleEffect,
    enforcement: Enforcement,
    outcome: Truth,
    because: String,
    clauses: Vec<Clause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    residual: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<String, Json>,
}

impl RuleOutcome {
    fn new(rule: &Rule, run: Run, facts: &Facts, now: Timestamp) -> Self {
        Self {
            policy: rule.policy.clone(),
            rule: rule.name.clone(),
            effect: rule.effect,
            enforcement: rule.enforcement,
            outcome: run.truth(),
            because: rule.because.clone(),
            clauses: rule.condition.clauses(facts, now, run),
            residual: rule.condition.residual(run),
            parameters: rule
                .parameters
                .iter()
                .map(|parameter| (parameter.name().to_owned(), parameter.value(facts, now)))
                .collect(),
        }
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

    /// How binding its policy is. An advisory rule did not count for the decision.
    pub fn enforcement(&self) -> Enforcement {
        self.enforcement
    }

    /// The value of its condition.
    pub fn outcome(&self) -> Truth {
        self.outcome
    }

    /// The reason that its author gave.
    pub fn because(&self) -> &str {
        &self.because
    }

    /// The clauses of its condition.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// What is left to be known of its condition, as a condition; none when its value is known.
    pub fn residual(&self) -> Option<&str> {
        self.residual.as_deref()
    }

    /// What the rule computes for its action, by name; null where a fact that it needs is not known.
    pub fn parameters(&self) -> &BTreeMap<String, Json> {
        &self.parameters
    }

    /// The clauses that alone keep the rule from holding.
    pub fn blocking(&self) -> impl Iterator<Item = &Clause> {
        self.clauses.iter().filter(|clause| clause.is_blocking())
    }
}

/// A decision about an action, with everything that is needed to explain and to repeat it.
///
/// The same rules, facts and time give the same decision, byte for byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Decision {
    action: Action,
    effect: Effect,
    at: Timestamp,
    enforcement: Enforcement,
    rules: Vec<RuleOutcome>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flip: Option<Flip>,
    policy_digest: Digest,
    facts_digest: Digest,
}

impl Decision {
    pub(crate) fn new(set: &PolicySet, action: Action, facts: &Facts, now: Timestamp) -> Self {
        let own = facts.aligned(set.schema());
        let judgement = Judgement::new(set, action, &own, now);
        let enforcement = judgement
            .deciding
            .iter()
            .map(|(rule, _)| rule.enforcement)
            .max()
            .unwrap_or(Enforcement::HardMandatory);
        let rules = judgement
            .deciding
            .iter()
            .chain(&judgement.advisory)
            .map(|(rule, run)| RuleOutcome::new(rule, *run, &own, now))
            .collect();
        Self {
            action,
            flip: Flip::of(set, action, &own, now),
            effect: judgement.effect,
            at: now,
            enforcement,
            rules,
            policy_digest: set.digest(),
            facts_digest: facts.digest(),
        }
    }

    /// The action that was asked about.
    pub fn action(&self) -> Action {
        self.action
    }

    /// What was decided.
    pub fn effect(&self) -> &Effect {
        &self.effect
    }

    /// Whether the action may happen.
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allow
    }

    /// The moment of the decision.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// How binding it is: for allow, the strictest level among the rules that allowed; otherwise, the strictest among all
    /// rules that stand in the way. Without a deciding rule, hard-mandatory. Never advisory: such rules do not count.
    pub fn enforcement(&self) -> Enforcement {
        self.enforcement
    }

    /// The deciding rules, and after them every advisory rule about the action, marked by its
    /// [`enforcement`](RuleOutcome::enforcement).
    ///
    /// For allow, the triggers and permits that hold decided. For deny and unknown, all that stands in the way did: the
    /// triggers where none holds, the permits where none holds, and the forbidding rules that hold, or are unknown and do
    /// not skip. No rule decided when none could allow the action.
    pub fn rules(&self) -> &[RuleOutcome] {
        &self.rules
    }

    /// The facts that an unknown decision waits for, by name; empty for any other.
    pub fn waiting_for(&self) -> &[String] {
        match &self.effect {
            Effect::Unknown { waiting_for } => waiting_for,
            Effect::Allow | Effect::Deny => &[],
        }
    }

    /// The smallest known change of facts that would turn allow into deny, or deny into allow; see [`Flip`].
    pub fn flip(&self) -> Option<&Flip> {
        self.flip.as_ref()
    }

    /// The digest of this decision: what approvals are bound to.
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// The digest of the policies.
    pub fn policy_digest(&self) -> Digest {
        self.policy_digest
    }

    /// The digest of the facts.
    pub fn facts_digest(&self) -> Digest {
        self.facts_digest
    }

    /// The decision in words.
    pub fn explain(&self) -> String {
        let verb = match &self.effect {
            Effect::Allow => "allowed",
            Effect::Deny => "denied",
            Effect::Unknown { .. } => "waiting",
        };
        let mut text = format!("{} {verb}", self.action);
        if let Effect::Unknown { waiting_for } = &self.effect {
            let names: Vec<String> = waiting_for.iter().map(|name| format!("`{name}`")).collect();
            text.push_str(&format!(" for {}", names.join(", ")));
        }
        let (advisory, deciding): (Vec<&RuleOutcome>, Vec<&RuleOutcome>) = self
            .rules
            .iter()
            .partition(|rule| rule.enforcement == Enforcement::Advisory);
        if deciding.is_empty() {
            text.push_str(": no trigger or permit rule speaks for it");
        }
        for (index, rule) in deciding.into_iter().enumerate() {
            text.push_str(if index == 0 { " by " } else { "; and by " });
            text.push_str(&describe_rule(rule));
        }
        for rule in advisory {
            text.push_str("; advisory, and not counted, ");
            text.push_str(&describe_rule(rule));
        }
        if let Some(flip) = &self.flip {
            let other = match self.effect {
                Effect::Allow => "denied",
                Effect::Deny | Effect::Unknown { .. } => "allowed",
            };
            text.push_str(&format!("; it would be {other} with {flip}"));
        }
        text
    }
}

fn describe_rule(rule: &RuleOutcome) -> String {
    let blocking: Vec<&Clause> = rule.blocking().collect();
    let shown: Vec<String> = if blocking.is_empty() {
        rule.clauses.iter().map(describe).collect()
    } else {
        blocking.into_iter().map(describe).collect()
    };
    format!(
        "`{}/{}` ({} rule is {}): {}; because {}",
        rule.policy,
        rule.rule,
        rule.effect,
        rule.outcome,
        shown.join(", "),
        rule.because.trim()
    )
}

fn describe(clause: &Clause) -> String {
    let text = clause.text();
    let outcome = clause.outcome();
    match (clause.left(), clause.right()) {
        (Some(left), Some(right)) => format!("`{text}` is {outcome} ({left} against {right})"),
        (Some(left), None) => format!("`{text}` is {outcome} (left is {left})"),
        (None, Some(_)) | (None, None) => format!("`{text}` is {outcome}"),
    }
}
