//! Which clause a decision hangs on.

use noops_policy::{Clause, RuleOutcome, Truth};

/// The clause that stands in the way; of a rule that waits, the first that does; or else the one whose margin is the smallest
/// relative to what it compares.
pub(crate) fn deciding(rule: &RuleOutcome) -> Option<&Clause> {
    let closest = || {
        rule.clauses()
            .iter()
            .filter_map(|clause| closeness(clause).map(|close| (clause, close)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b))
            .map(|(clause, _)| clause)
    };
    let waiting = || {
        rule.clauses()
            .iter()
            .find(|clause| rule.outcome() == Truth::Unknown && clause.outcome() == Truth::Unknown)
    };
    rule.blocking()
        .next()
        .or_else(waiting)
        .or_else(closest)
        .or_else(|| rule.clauses().first())
}

/// The margin as a part of the greater operand.
fn closeness(clause: &Clause) -> Option<f64> {
    let margin = clause.margin()?.abs();
    let size = clause.left()?.abs().max(clause.right()?.abs());
    Some(if size > 0.0 { margin / size } else { 0.0 })
}
