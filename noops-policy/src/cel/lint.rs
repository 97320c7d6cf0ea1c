use super::ast::{Comparison, Kind, Literal, Node};
use crate::fact::{FactDecl, FactSchema};

/// Says why a comparison of a fact with a literal has only one value, given the fact's declared range.
pub(super) fn dead_comparison(
    comparison: Comparison,
    left: &Node,
    right: &Node,
    schema: &FactSchema,
) -> Option<String> {
    let (fact, literal, comparison) = match (&left.kind, &right.kind) {
        (Kind::Fact(fact), Kind::Literal(literal)) => (fact, literal, comparison),
        (Kind::Literal(literal), Kind::Fact(fact)) => (fact, literal, comparison.swapped()),
        _ => return None,
    };
    let decl = schema.fact(fact)?;
    let number = match literal {
        Literal::Int(value) => *value as f64,
        Literal::Double(value) => *value,
        Literal::Bool(_) | Literal::Text(_) => return None,
    };
    let outcome = if is_never(comparison, number, decl) {
        "can never be true"
    } else if is_never(comparison.negated(), number, decl) {
        "is always true"
    } else {
        return None;
    };
    Some(format!("{outcome}: {}", declared(decl)))
}

/// Says why membership in a list of whole numbers can never hold.
pub(super) fn dead_membership(item: &Node, list: &[i64], schema: &FactSchema) -> Option<String> {
    let Kind::Fact(fact) = &item.kind else {
        return None;
    };
    let decl = schema.fact(fact)?;
    let is_dead = list
        .iter()
        .all(|value| is_never(Comparison::Equal, *value as f64, decl));
    is_dead.then(|| format!("can never be true: {}", declared(decl)))
}

fn is_never(comparison: Comparison, number: f64, decl: &FactDecl) -> bool {
    let min = decl.min().unwrap_or(f64::NEG_INFINITY);
    let max = decl.max().unwrap_or(f64::INFINITY);
    match comparison {
        Comparison::Equal => number < min || number > max,
        Comparison::NotEqual => min == number && max == number,
        Comparison::Less => min >= number,
        Comparison::LessOrEqual => min > number,
        Comparison::Greater => max <= number,
        Comparison::GreaterOrEqual => max < number,
    }
}

fn declared(decl: &FactDecl) -> String {
    let name = decl.name();
    match (decl.min(), decl.max()) {
        (Some(min), Some(max)) => format!("`{name}` is declared within `{min}` and `{max}`"),
        (Some(min), None) => format!("`{name}` is declared to be at least `{min}`"),
        (None, Some(max)) => format!("`{name}` is declared to be at most `{max}`"),
        (None, None) => format!("`{name}` is declared without a range"),
    }
}
