use super::interval::{Interval, Orders};
use super::outcome::Outcome;
use super::same::{children, is_same};
use super::scope::{Consistency, Scope, orders_of};
use crate::cel::function::Function;
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::fact::FactSchema;

/// Whether `earlier` is certainly true wherever `later` is.
///
/// Certainly: known, and without an error. So a rule whose condition is `later` never decides anything behind one whose
/// condition is `earlier`. The answer is never wrong when it is yes; it may be no where a cleverer proof exists.
///
/// # Complexity
///
/// Bounded: `later` is taken apart into at most `CASES` cases, and each is followed for a fixed number of steps.
pub(crate) fn implies(later: &Typed, earlier: &Typed, schema: &FactSchema) -> bool {
    cases(later, true).into_iter().all(|case| {
        let mut proof = Proof {
            scope: Scope::new(schema),
            evaluated: Vec::new(),
        };
        // The second round sees the ranges that the later parts of the first one have narrowed.
        let is_impossible = case
            .iter()
            .chain(&case)
            .any(|(part, truth)| proof.assume(part, *truth) == Consistency::Impossible);
        if is_impossible {
            return true;
        }
        for (part, _) in &case {
            collect_evaluated(part, &mut proof.evaluated);
        }
        proof.holds(earlier, true)
    })
}

/// What is known in one case of the later condition.
struct Proof<'a> {
    scope: Scope<'a>,
    /// Parts that have a value, as the later condition could not have one otherwise.
    evaluated: Vec<&'a Typed>,
}

impl<'a> Proof<'a> {
    fn assume(&mut self, part: &'a Typed, truth: bool) -> Consistency {
        match (&part.kind, truth) {
            // Their parts are in the case themselves.
            (TypedKind::Not(_), _) | (TypedKind::And(_), true) | (TypedKind::Or(_), false) => {
                self.scope.note(part, truth);
                Consistency::Possible
            }
            _ => self.scope.assume(part, truth),
        }
    }

    /// Whether `node` certainly comes to `truth`.
    fn holds(&mut self, node: &'a Typed, truth: bool) -> bool {
        if self.scope.is_assumed(node, truth) {
            return true;
        }
        match &node.kind {
            TypedKind::Constant(Value::Bool(value)) => *value == truth,
            TypedKind::Not(inner) => self.holds(inner, !truth),
            TypedKind::And(parts) if truth => parts.iter().all(|part| self.holds(part, true)),
            TypedKind::And(parts) => parts.iter().any(|part| self.holds(part, false)),
            TypedKind::Or(parts) if truth => parts.iter().any(|part| self.holds(part, true)),
            TypedKind::Or(parts) => parts.iter().all(|part| self.holds(part, false)),
            TypedKind::Conditional(test, yes, no) => {
                (self.holds(test, true) && self.holds(yes, truth))
                    || (self.holds(test, false) && self.holds(no, truth))
                    || (self.is_certain(test) && self.holds(yes, truth) && self.holds(no, truth))
            }
            _ => !self.scope.outcome(node).truths().can_be(!truth) && self.is_certain(node),
        }
    }

    /// Whether `node` certainly has a value: no fact of it can be unknown, and no operation of it can fail.
    fn is_certain(&mut self, node: &Typed) -> bool {
        if self.evaluated.iter().any(|part| is_same(part, node)) {
            return true;
        }
        match &node.kind {
            TypedKind::Constant(_) | TypedKind::HasVariable(_) => true,
            TypedKind::Not(_)
            | TypedKind::And(_)
            | TypedKind::Or(_)
            | TypedKind::Conditional(..)
            | TypedKind::List(_) => self.are_certain(node),
            TypedKind::Call(function, arguments) => {
                self.is_total(*function, arguments, node) && self.are_certain(node)
            }
            _ => false,
        }
    }

    fn are_certain(&mut self, node: &Typed) -> bool {
        children(node)
            .into_iter()
            .all(|child| self.is_certain(child))
    }

    /// Whether the function has a value for every value that these arguments can have.
    fn is_total(&mut self, function: Function, arguments: &[Typed], node: &Typed) -> bool {
        let is_number =
            |node: &Typed| matches!(node.value_type, Type::Int | Type::Uint | Type::Double);
        match function {
            _ if orders_of(function).is_some() => arguments.iter().all(|argument| {
                is_number(argument) || matches!(argument.value_type, Type::Bool | Type::String)
            }),
            Function::In => arguments
                .get(1)
                .is_some_and(|list| matches!(list.value_type, Type::List(_))),
            Function::Contains | Function::StartsWith | Function::EndsWith => arguments
                .iter()
                .all(|argument| argument.value_type == Type::String),
            Function::Size => true,
            Function::ToDouble | Function::Ceil | Function::Floor | Function::Round => {
                arguments.iter().all(is_number)
            }
            Function::Add | Function::Subtract | Function::Multiply => self.is_within(node),
            Function::Divide | Function::Remainder => {
                let zero = Interval::exactly(0.0);
                arguments.get(1).is_some_and(|divisor| {
                    matches!(self.scope.outcome(divisor), Outcome::Number(divisor)
                        if !divisor.orders(&zero).has(Orders::EQUAL)
                            && (function == Function::Divide
                                || !divisor.orders(&Interval::exactly(-1.0)).has(Orders::EQUAL)))
                }) && self.is_within(node)
            }
            _ => false,
        }
    }

    /// Whether the result stays clear of the ends of its type, so that it cannot overflow.
    fn is_within(&mut self, node: &Typed) -> bool {
        let (least, greatest) = match node.value_type {
            Type::Int => (i64::MIN as f64, i64::MAX as f64),
            Type::Double => (-f64::MAX, f64::MAX),
            _ => return false,
        };
        match self.scope.outcome(node) {
            // A result that overflows is cut off at an end of its type.
            Outcome::Number(result) => {
                let (low, high) = result.ends();
                low > least && high < greatest
            }
            _ => false,
        }
    }
}

/// The ways in which `node` can come to `truth`: in each of them all the parts come to their values.
fn cases(node: &Typed, truth: bool) -> Vec<Vec<(&Typed, bool)>> {
    let whole = || vec![vec![(node, truth)]];
    let mut ways = match &node.kind {
        TypedKind::Not(inner) => cases(inner, !truth),
        TypedKind::And(parts) if truth => all_of(parts, true),
        TypedKind::Or(parts) if !truth => all_of(parts, false),
        TypedKind::And(parts) | TypedKind::Or(parts) => {
            let mut ways = Vec::new();
            for part in parts {
                ways.extend(cases(part, truth));
                if ways.len() > CASES {
                    return whole();
                }
            }
            ways
        }
        _ => return whole(),
    };
    for way in &mut ways {
        way.push((node, truth));
    }
    ways
}

fn all_of(parts: &[Typed], truth: bool) -> Vec<Vec<(&Typed, bool)>> {
    let mut ways: Vec<Vec<(&Typed, bool)>> = vec![Vec::new()];
    for part in parts {
        let mut choices = cases(part, truth);
        if ways.len() * choices.len() > CASES {
            choices = vec![vec![(part, truth)]];
        }
        ways = ways
            .iter()
            .flat_map(|way| {
                choices
                    .iter()
                    .map(move |choice| way.iter().chain(choice).copied().collect())
            })
            .collect();
    }
    ways
}

/// Collects the parts that must have a value when `node` has one.
fn collect_evaluated<'a>(node: &'a Typed, into: &mut Vec<&'a Typed>) {
    if matches!(node.kind, TypedKind::Constant(_)) {
        return;
    }
    into.push(node);
    match &node.kind {
        // They can have a value without all of their parts.
        // What is bound is evaluated only where it is read.
        TypedKind::And(_) | TypedKind::Or(_) | TypedKind::HasField(..) | TypedKind::Bind { .. } => {
        }
        TypedKind::Conditional(test, _, _) => collect_evaluated(test, into),
        TypedKind::Comprehension { range, .. } => collect_evaluated(range, into),
        _ => {
            for child in children(node) {
                collect_evaluated(child, into);
            }
        }
    }
}

/// A condition is taken apart into no more cases than this.
const CASES: usize = 64;

#[cfg(test)]
mod tests;
