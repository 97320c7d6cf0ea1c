use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::moment::Moment;
use super::tally::{RuleTally, Seen};
use crate::action::Action;
use crate::condition::Truth;
use crate::decision::{Decision, Effect};
use crate::document::Rule;
use crate::fact::Facts;
use crate::set::{Judgement, PolicySet};

/// One of the two policy sets, with what its rules have done so far.
#[derive(Debug)]
pub(super) struct Side<'a> {
    pub(super) set: &'a PolicySet,
    /// In the order of the set's own rules about an action.
    tallies: BTreeMap<Action, Vec<RuleTally>>,
}

impl<'a> Side<'a> {
    pub(super) fn new(set: &'a PolicySet) -> Self {
        let tallies = set
            .actions()
            .into_iter()
            .map(|action| {
                let tallies = set.rules(action).iter().map(RuleTally::of).collect();
                (action, tallies)
            })
            .collect();
        Self { set, tallies }
    }

    /// The names of the facts that its rules read, with repetitions.
    pub(super) fn facts(&self) -> impl Iterator<Item = &'a str> {
        let set = self.set;
        set.actions()
            .into_iter()
            .flat_map(move |action| set.rules(action))
            .flat_map(|rule| rule.condition.facts())
    }

    /// Decides, and counts what the rules did.
    pub(super) fn judge(&mut self, action: Action, moment: &Moment) -> Judged<'a> {
        let set = self.set;
        let facts = moment.facts().aligned(set.schema());
        let judgement = Judgement::new(set, action, &facts, moment.at());
        let deciding: Vec<&'a Rule> = judgement.deciding.iter().map(|(rule, _)| *rule).collect();
        let tallies = self.tallies.entry(action).or_default();
        for (rule, tally) in set.rules(action).iter().zip(tallies) {
            let truth = rule.condition.run(&facts, moment.at()).truth();
            tally.add(Seen {
                held: truth == Truth::True,
                unknown: truth == Truth::Unknown,
                decided: deciding.iter().any(|decided| std::ptr::eq(*decided, rule)),
            });
        }
        Judged {
            parameters: parameters(&judgement, moment, &facts),
            effect: judgement.effect,
            deciding,
        }
    }

    /// The first rule that decides, and the whole decision.
    pub(super) fn decision(&self, action: Action, moment: &Moment) -> (Option<String>, Decision) {
        let verdict = self.set.check(action, moment.facts(), moment.at());
        let rule = verdict.policy().zip(verdict.rule());
        (
            rule.map(|(policy, rule)| format!("{policy}/{rule}")),
            verdict.decision(),
        )
    }

    pub(super) fn tallies(&self) -> Vec<RuleTally> {
        self.tallies.values().flatten().cloned().collect()
    }
}

/// What one set came to at one moment.
pub(super) struct Judged<'a> {
    pub(super) effect: Effect,
    deciding: Vec<&'a Rule>,
    /// What the deciding rules of an allowed action compute, but for rules that compute nothing.
    pub(super) parameters: Vec<BTreeMap<&'a str, Json>>,
}

impl Judged<'_> {
    /// The deciding rules by name.
    pub(super) fn names(&self) -> Vec<(&str, &str)> {
        self.deciding
            .iter()
            .map(|rule| (rule.policy.as_str(), rule.name.as_str()))
            .collect()
    }
}

fn parameters<'a>(
    judgement: &Judgement<'a>,
    moment: &Moment,
    facts: &Facts,
) -> Vec<BTreeMap<&'a str, Json>> {
    if judgement.effect != Effect::Allow {
        return Vec::new();
    }
    judgement
        .deciding
        .iter()
        .map(|(rule, _)| *rule)
        .filter(|rule| !rule.parameters.is_empty())
        .map(|rule| {
            rule.parameters
                .iter()
                .map(|parameter| (parameter.name(), parameter.value(facts, moment.at())))
                .collect()
        })
        .collect()
}
