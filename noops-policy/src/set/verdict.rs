use std::borrow::Cow;

use jiff::Timestamp;

use super::judgement::either;
use crate::action::Action;
use crate::condition::{Evaluation, Run, Truth};
use crate::decision::Decision;
use crate::document::{Rule, RuleEffect, WhenUnknown};
use crate::fact::Facts;
use crate::set::PolicySet;

/// What was decided about an action, with its explanation a call away.
///
/// It borrows the policies and the facts, so that what it says later is about what was decided on.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_policy::{Action, FactDecl, FactSchema, Facts, PolicySet, Truth};
///
/// let schema = FactSchema::new(vec![FactDecl::double("drift.psi")])?;
/// let yaml = "{ policy: drift, owner: team, enforcement: hard-mandatory, rules: [
///     { name: near, effect: permit, action: promote, when: drift.psi < 0.2, because: inputs are as they were }] }";
/// let policies = PolicySet::load(&[("drift.yaml", yaml)], &schema)?;
/// let now = Timestamp::UNIX_EPOCH;
/// let mut facts = Facts::new(&schema);
/// facts.set("drift.psi", 0.31, now)?;
/// let verdict = policies.check(Action::Promote, &facts, now);
/// assert_eq!(verdict.truth(), Truth::False);
/// assert_eq!(verdict.rule(), Some("near"));
/// assert!(verdict.decision().explain().contains("0.31 against 0.2"));
/// # Ok::<(), noops_policy::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Verdict<'a> {
    set: &'a PolicySet,
    action: Action,
    facts: Cow<'a, Facts>,
    now: Timestamp,
    truth: Truth,
    deciding: Option<Deciding<'a>>,
}

/// The first rule that decided, with what its condition came to.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Deciding<'a> {
    rule: &'a Rule,
    run: Run,
}

impl<'a> Verdict<'a> {
    #[inline]
    pub(super) fn new(
        set: &'a PolicySet,
        action: Action,
        facts: Cow<'a, Facts>,
        now: Timestamp,
    ) -> Self {
        let mut triggers = Group::default();
        let mut permits = Group::default();
        let mut forbids = Group::default();
        for rule in set.rules(action) {
            if rule.is_advisory() {
                continue;
            }
            let run = rule.condition.run(&facts, now);
            match rule.effect {
                RuleEffect::Trigger => triggers.add(rule, run),
                RuleEffect::Permit => permits.add(rule, run),
                RuleEffect::Forbid if run.truth() == Truth::Unknown => {
                    if rule.unknown == WhenUnknown::Deny {
                        forbids.add(rule, run);
                    }
                }
                RuleEffect::Forbid => forbids.add(rule, run),
            }
        }
        let (truth, deciding) = combined(&triggers, &permits, &forbids);
        Self {
            set,
            action,
            facts,
            now,
            truth,
            deciding,
        }
    }

    /// The action that was asked about.
    pub fn action(&self) -> Action {
        self.action
    }

    /// True where the action may happen, false where it must not, and unknown where it must not until more is known.
    pub fn truth(&self) -> Truth {
        self.truth
    }

    /// Whether the action may happen.
    pub fn is_allowed(&self) -> bool {
        self.truth == Truth::True
    }

    /// The policy of the first rule that decided; none where no rule speaks for the action.
    pub fn policy(&self) -> Option<&'a str> {
        self.deciding.map(|deciding| deciding.rule.policy.as_str())
    }

    /// The name of the first rule that decided; none where no rule speaks for the action.
    pub fn rule(&self) -> Option<&'a str> {
        self.deciding.map(|deciding| deciding.rule.name.as_str())
    }

    /// The reason that the author of the first deciding rule gave.
    pub fn because(&self) -> Option<&'a str> {
        self.deciding.map(|deciding| deciding.rule.because.as_str())
    }

    /// What the condition of the first deciding rule came to, clause by clause.
    pub fn evaluation(&self) -> Option<Evaluation<'_>> {
        let deciding = self.deciding?;
        let facts = Cow::Borrowed(&*self.facts);
        Some(
            deciding
                .rule
                .condition
                .explained(facts, self.now, deciding.run),
        )
    }

    /// The whole decision, in words and with its digests.
    pub fn decision(&self) -> Decision {
        self.set.decide(self.action, &self.facts, self.now)
    }
}

/// The rules of one effect, so far.
#[derive(Default)]
struct Group<'a> {
    /// Kleene's disjunction of them; none while there is no rule.
    truth: Option<Truth>,
    /// The first rule that has this value.
    deciding: Option<Deciding<'a>>,
}

impl<'a> Group<'a> {
    #[inline]
    fn add(&mut self, rule: &'a Rule, run: Run) {
        let truth = self
            .truth
            .map_or(run.truth(), |so_far| either(so_far, run.truth()));
        if self.truth != Some(truth) {
            self.truth = Some(truth);
            self.deciding = Some(Deciding { rule, run });
        }
    }
}

/// An action is allowed if it is wanted, permitted and not forbidden; see [`PolicySet`].
fn combined<'a>(
    triggers: &Group<'a>,
    permits: &Group<'a>,
    forbids: &Group<'a>,
) -> (Truth, Option<Deciding<'a>>) {
    if triggers.truth.is_none() && permits.truth.is_none() {
        return (Truth::False, None);
    }
    for (group, closing) in [
        (forbids, Truth::True),
        (triggers, Truth::False),
        (permits, Truth::False),
    ] {
        if group.truth == Some(closing) {
            return (Truth::False, group.deciding);
        }
    }
    for group in [forbids, triggers, permits] {
        if group.truth == Some(Truth::Unknown) {
            return (Truth::Unknown, group.deciding);
        }
    }
    (Truth::True, triggers.deciding.or(permits.deciding))
}
