use std::collections::BTreeMap;

use crate::action::Action;
use crate::document::{Document, Enforcement, Rule, RuleEffect, WhenUnknown};
use crate::error::PolicyError;

/// Refuses rules that cannot matter: a repetition of another anywhere, and within a document one that only holds where
/// another of the same effect and action does.
///
/// Between documents a wider rule beside a narrower one is no slip: a company and a team may both have their limit.
pub(super) fn check<'a>(
    documents: impl Iterator<Item = (&'a str, &'a Document)>,
) -> Result<(), PolicyError> {
    let mut meanings: BTreeMap<Meaning, String> = BTreeMap::new();
    for (source, document) in documents {
        for (index, rule) in document.rules.iter().enumerate() {
            if let Some(earlier) = meanings.insert(meaning(rule), rule.path()) {
                return Err(refusal(
                    source,
                    rule,
                    format!("rule `{}` repeats rule `{earlier}`; remove it", rule.name),
                ));
            }
            let earlier = document
                .rules
                .iter()
                .take(index)
                .rev()
                .filter(|earlier| (earlier.effect, earlier.action) == (rule.effect, rule.action))
                .take(MAX_COMPARED);
            if let Some(problem) = { earlier }.find_map(|earlier| shadow(earlier, rule)) {
                return Err(refusal(source, rule, problem));
            }
        }
    }
    Ok(())
}

/// Says how one of two rules of the same effect and action makes the other pointless.
fn shadow(earlier: &Rule, later: &Rule) -> Option<String> {
    if covers(earlier, later) {
        return Some(format!(
            "rule `{}` never matters: whenever it holds, the earlier rule `{}` holds too; remove it or narrow the earlier one",
            later.name, earlier.name
        ));
    }
    covers(later, earlier).then(|| {
        format!(
            "rule `{}` makes the earlier rule `{}` pointless, for it holds whenever that one does; remove one of them",
            later.name, earlier.name
        )
    })
}

/// Whether `wide` holds wherever `narrow` does, and is not given less weight where facts are unknown.
fn covers(wide: &Rule, narrow: &Rule) -> bool {
    let is_as_strict = wide.unknown == narrow.unknown || wide.unknown == WhenUnknown::Deny;
    let narrow_facts = narrow.condition.facts();
    // A condition that says something of another fact does not follow.
    let reads_no_more = wide
        .condition
        .facts()
        .iter()
        .all(|fact| narrow_facts.binary_search(fact).is_ok());
    is_as_strict
        && reads_no_more
        && narrow.parameters == wide.parameters
        && narrow.condition.implies(&wide.condition)
}

fn refusal(source: &str, rule: &Rule, problem: String) -> PolicyError {
    PolicyError::Document {
        source: source.to_owned(),
        at: rule.at,
        problem,
    }
}

/// What makes two rules the same whatever their names are.
type Meaning = (RuleEffect, Action, WhenUnknown, Enforcement, String);

fn meaning(rule: &Rule) -> Meaning {
    (
        rule.effect,
        rule.action,
        rule.unknown,
        rule.enforcement,
        rule.condition.canonical().to_owned(),
    )
}

/// A rule is compared with so many before it, so that a thousand rules load in the time of a few.
const MAX_COMPARED: usize = 64;
