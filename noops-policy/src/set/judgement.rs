use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::action::Action;
use crate::condition::{Run, Truth};
use crate::decision::Effect;
use crate::document::{Rule, RuleEffect, WhenUnknown};
use crate::fact::Facts;
use crate::set::PolicySet;

/// A rule with what one run of its condition found out.
pub(crate) type Ran<'a> = (&'a Rule, Run);

/// A decision before it is put into words: the effect, the rules that decided, and the advisory ones.
pub(crate) struct Judgement<'a> {
    pub(crate) effect: Effect,
    pub(crate) deciding: Vec<Ran<'a>>,
    pub(crate) advisory: Vec<Ran<'a>>,
}

impl<'a> Judgement<'a> {
    /// Judges facts in the slots of the set's own schema.
    pub(crate) fn new(set: &'a PolicySet, action: Action, facts: &Facts, now: Timestamp) -> Self {
        let ran = |rule: &'a Rule| (rule, rule.condition.run(facts, now));
        let (advisory, outcomes): (Vec<Ran<'a>>, Vec<Ran<'a>>) = set
            .rules(action)
            .iter()
            .map(ran)
            .partition(|(rule, _)| rule.is_advisory());
        let wanted = any(&outcomes, RuleEffect::Trigger);
        let permitted = any(&outcomes, RuleEffect::Permit);
        if wanted.is_none() && permitted.is_none() {
            return Self {
                effect: Effect::Deny,
                deciding: Vec::new(),
                advisory,
            };
        }
        let wanted = wanted.unwrap_or(Truth::True);
        let permitted = permitted.unwrap_or(Truth::True);
        let is_forbidden = any(&outcomes, RuleEffect::Forbid) == Some(Truth::True);
        // Where no rule of a kind holds, every rule of the kind stands in the way, for any of them could have opened it.
        let (standing, others): (Vec<Ran<'a>>, Vec<Ran<'a>>) =
            outcomes
                .into_iter()
                .partition(|(rule, run)| match rule.effect {
                    RuleEffect::Trigger => wanted != Truth::True,
                    RuleEffect::Permit => permitted != Truth::True,
                    RuleEffect::Forbid => match run.truth() {
                        Truth::True => true,
                        Truth::False => false,
                        Truth::Unknown => rule.unknown == WhenUnknown::Deny,
                    },
                });
        if standing.is_empty() {
            return Self {
                effect: Effect::Allow,
                deciding: others
                    .into_iter()
                    .filter(|(rule, run)| {
                        rule.effect != RuleEffect::Forbid && run.truth() == Truth::True
                    })
                    .collect(),
                advisory,
            };
        }
        let effect = if is_forbidden || wanted == Truth::False || permitted == Truth::False {
            Effect::Deny
        } else {
            let waiting: BTreeSet<usize> = standing
                .iter()
                .flat_map(|(rule, run)| rule.condition.waiting(facts, now, *run))
                .collect();
            Effect::Unknown {
                waiting_for: set.names(waiting),
            }
        };
        Self {
            effect,
            deciding: standing,
            advisory,
        }
    }
}

/// Kleene's disjunction over the rules with an effect; none when there are no such rules.
fn any(outcomes: &[Ran<'_>], effect: RuleEffect) -> Option<Truth> {
    outcomes
        .iter()
        .filter(|(rule, _)| rule.effect == effect)
        .map(|(_, run)| run.truth())
        .reduce(either)
}

/// Kleene's disjunction.
pub(super) fn either(left: Truth, right: Truth) -> Truth {
    match (left, right) {
        (Truth::True, _) | (_, Truth::True) => Truth::True,
        (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
        (Truth::False, Truth::False) => Truth::False,
    }
}
