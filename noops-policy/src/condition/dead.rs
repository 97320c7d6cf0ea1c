//! Finds parts of a condition that can only have one value: slips that would open or close the gate for ever.
//!
//! A part is called dead only where no facts within their declared ranges change it, or where it never changes the whole:
//! replacing it by its one value leaves every known value of the condition as it was. The search is incomplete: it follows
//! ranges, sets of texts and parts that are written alike, and not everything that arithmetic implies.

use super::outcome::{Outcome, Truths};
use super::same::{children, is_same, reads_anything, text};
use super::scope::{Consistency, Scope, orders_of};
use crate::cel::ast::{Quantifier, Span};
use crate::cel::function::Function;
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::fact::{FactDecl, FactSchema};

/// A part that can only have one value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dead {
    pub(crate) span: Span,
    pub(crate) problem: String,
}

/// The first dead part of a condition, if it has one.
///
/// Parts that are dead by themselves come before parts that are dead because of others.
///
/// # Complexity
///
/// Bounded: after a fixed number of steps nothing more is found.
pub(crate) fn dead(typed: &Typed, source: &str, schema: &FactSchema) -> Option<Dead> {
    [Context::Ignored, Context::Assumed]
        .into_iter()
        .find_map(|context| {
            let mut search = Search {
                scope: Scope::new(schema),
                source,
                context,
                earlier: Vec::new(),
            };
            search.visit(typed, Role::Condition)
        })
}

struct Search<'a> {
    scope: Scope<'a>,
    source: &'a str,
    context: Context,
    /// What is assumed where the search stands, in the order of the source.
    earlier: Vec<(&'a Typed, bool)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    /// Every part by itself.
    Ignored,
    /// A conjunct where the earlier ones are true, an alternative where the earlier ones are false, and a branch where
    /// the test leads to it.
    Assumed,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It is there to be true or false.
    Condition,
    /// A part of something else, such as a branch, where constants are in order.
    Operand,
}

impl<'a> Search<'a> {
    fn visit(&mut self, node: &'a Typed, role: Role) -> Option<Dead> {
        if role == Role::Condition && !reads_anything(node, self.scope.locals()) {
            return Some(self.report(node, "reads no fact and never changes; remove it"));
        }
        self.without_result(node)
            .or_else(|| self.visit_parts(node, role))
            .or_else(|| match self.context {
                Context::Ignored => self.one_valued(node),
                Context::Assumed => None,
            })
    }

    fn visit_parts(&mut self, node: &'a Typed, role: Role) -> Option<Dead> {
        match &node.kind {
            TypedKind::Not(inner) => self.visit(inner, role),
            TypedKind::And(parts) => self.visit_chain(parts, true),
            TypedKind::Or(parts) => self.visit_chain(parts, false),
            TypedKind::Conditional(test, yes, no) => self.visit_conditional(test, yes, no),
            TypedKind::Comprehension {
                quantifier,
                range,
                variables,
                body,
            } => self.visit(range, Role::Operand).or_else(|| {
                let locals = self.scope.elements(range, *variables);
                self.with_locals(locals, |search| search.visit_body(*quantifier, body))
            }),
            TypedKind::Bind { value, body } => self.visit(value, Role::Operand).or_else(|| {
                let local = self.scope.outcome(value);
                self.with_locals(vec![local], |search| search.visit(body, role))
            }),
            _ => children(node)
                .into_iter()
                .find_map(|child| self.visit(child, Role::Operand)),
        }
    }

    fn with_locals<T>(&mut self, locals: Vec<Outcome>, work: impl FnOnce(&mut Self) -> T) -> T {
        let earlier = self.earlier.len();
        let outer = self.scope.bind(locals);
        let done = work(self);
        self.scope.unbind(outer);
        self.earlier.truncate(earlier);
        done
    }

    fn visit_body(&mut self, quantifier: Quantifier, body: &'a [Typed]) -> Option<Dead> {
        let is_tested = match quantifier {
            Quantifier::All | Quantifier::Exists | Quantifier::ExistsOne | Quantifier::Filter => {
                true
            }
            Quantifier::Map | Quantifier::TransformMap | Quantifier::TransformMapEntry => {
                body.len() > 1
            }
        };
        body.iter().enumerate().find_map(|(index, part)| {
            let role = if is_tested && index == 0 {
                Role::Condition
            } else {
                Role::Operand
            };
            self.visit(part, role)
        })
    }

    /// Visits the parts of a conjunction (`joined` is true) or of an alternative.
    fn visit_chain(&mut self, parts: &'a [Typed], joined: bool) -> Option<Dead> {
        let (mark, earlier) = (self.scope.mark(), self.earlier.len());
        let found = parts.iter().find_map(|part| {
            self.visit(part, Role::Condition)
                .or_else(|| self.decided(part, joined))
                .or_else(|| self.assume(part, joined))
        });
        self.scope.forget(mark);
        self.earlier.truncate(earlier);
        found
    }

    fn visit_conditional(
        &mut self,
        test: &'a Typed,
        yes: &'a Typed,
        no: &'a Typed,
    ) -> Option<Dead> {
        self.visit(test, Role::Condition)
            .or_else(|| self.decided(test, true))
            .or_else(|| self.decided(test, false))
            .or_else(|| {
                [(yes, true), (no, false)]
                    .into_iter()
                    .find_map(|(branch, truth)| {
                        let (mark, earlier) = (self.scope.mark(), self.earlier.len());
                        let found = self
                            .assume(test, truth)
                            .or_else(|| self.visit(branch, Role::Operand));
                        self.scope.forget(mark);
                        self.earlier.truncate(earlier);
                        found
                    })
            })
    }

    /// Reports `part` when it cannot come to `truth` where it stands.
    fn decided(&mut self, part: &'a Typed, truth: bool) -> Option<Dead> {
        if self.context == Context::Ignored
            || self.earlier.is_empty()
            || self.scope.outcome(part).truths().can_be(truth)
        {
            return None;
        }
        Some(self.excluded(part, truth))
    }

    /// Assumes that `part` comes to `truth`, and reports it when it cannot.
    fn assume(&mut self, part: &'a Typed, truth: bool) -> Option<Dead> {
        if self.context == Context::Ignored {
            return None;
        }
        match self.scope.assume(part, truth) {
            Consistency::Impossible => Some(self.excluded(part, truth)),
            Consistency::Possible => {
                self.earlier.push((part, truth));
                self.reconsider();
                None
            }
        }
    }

    /// Looks again at what was left open before: of alternatives only one may be left now.
    fn reconsider(&mut self) {
        for (earlier, was) in self.earlier.clone() {
            let is_open = matches!(
                (&earlier.kind, was),
                (TypedKind::Or(_), true) | (TypedKind::And(_), false)
            );
            // What it excludes is reported where it is read.
            if is_open && self.scope.assume(earlier, was) == Consistency::Impossible {
                return;
            }
        }
    }

    fn excluded(&self, part: &'a Typed, truth: bool) -> Dead {
        let culprit = self.earlier.iter().find(|(earlier, was)| {
            let mut alone = self.scope.without_assumptions();
            alone.assume(earlier, *was) == Consistency::Impossible
                || alone.assume(part, truth) == Consistency::Impossible
        });
        let outcome = outcome_text(Truths::only(!truth));
        let reason = match culprit {
            Some((earlier, was)) => format!(
                "it matters only where earlier `{}` is {was}; change one of them",
                text(earlier, self.source)
            ),
            None => "it contradicts the parts before it; change one of them".to_owned(),
        };
        self.report(part, &format!("{outcome}: {reason}"))
    }

    /// Reports arithmetic that never has a result, whatever the facts are.
    fn without_result(&mut self, node: &'a Typed) -> Option<Dead> {
        let TypedKind::Call(function, arguments) = &node.kind else {
            return None;
        };
        if let (Function::Divide | Function::Remainder, [_, divisor]) =
            (function, arguments.as_slice())
            && is_literal_zero(divisor)
        {
            return Some(Dead {
                span: divisor.span,
                problem: "division by a literal zero is never a number".to_owned(),
            });
        }
        let is_number = matches!(node.value_type, Type::Int | Type::Uint | Type::Double);
        (is_number
            && !reads_anything(node, self.scope.locals())
            && self.scope.outcome(node).is_never())
        .then(|| Dead {
            span: node.span,
            problem: "arithmetic on constants has no result; it overflows or divides by zero"
                .to_owned(),
        })
    }

    /// Reports a truth value that is always the same.
    fn one_valued(&mut self, node: &'a Typed) -> Option<Dead> {
        if node.value_type != Type::Bool || !reads_anything(node, self.scope.locals()) {
            return None;
        }
        let truths = self.scope.outcome(node).truths();
        if truths == Truths::BOTH {
            return None;
        }
        let outcome = outcome_text(truths);
        let reason = self.reason(node);
        Some(self.report(node, &format!("{outcome}: {reason}")))
    }

    fn reason(&self, node: &Typed) -> String {
        let list = match &node.kind {
            TypedKind::Call(Function::In, arguments) => arguments.get(1),
            TypedKind::Comprehension { range, .. } => Some(range.as_ref()),
            _ => None,
        };
        if list.is_some_and(is_empty_list) {
            return "the list is empty".to_owned();
        }
        if let TypedKind::Call(function, arguments) = &node.kind
            && orders_of(*function).is_some()
            && let [left, right] = arguments.as_slice()
            && is_same(left, right)
        {
            return "both sides are the same".to_owned();
        }
        let mut slots = Vec::new();
        collect_variables(node, &mut slots);
        slots.sort_unstable();
        slots.dedup();
        let ranges: Vec<String> = slots
            .into_iter()
            .filter_map(|slot| self.scope.schema.facts().get(slot))
            .filter(|decl| decl.fact_type().is_numeric())
            .map(declared)
            .collect();
        if ranges.is_empty() {
            "no value of its facts changes it".to_owned()
        } else {
            ranges.join(" and ")
        }
    }

    fn report(&self, node: &Typed, problem: &str) -> Dead {
        Dead {
            span: node.span,
            problem: format!("`{}` {problem}", text(node, self.source)),
        }
    }
}

fn outcome_text(truths: Truths) -> &'static str {
    if truths.can_be_true {
        "is always true"
    } else {
        "can never be true"
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

fn is_literal_zero(node: &Typed) -> bool {
    match &node.kind {
        TypedKind::Constant(Value::Int(whole)) => *whole == 0,
        TypedKind::Constant(Value::Uint(whole)) => *whole == 0,
        TypedKind::Constant(Value::Double(double)) => *double == 0.0,
        _ => false,
    }
}

fn is_empty_list(node: &Typed) -> bool {
    match &node.kind {
        TypedKind::List(items) => items.is_empty(),
        TypedKind::Constant(Value::List(items)) => items.is_empty(),
        _ => false,
    }
}

fn collect_variables(node: &Typed, slots: &mut Vec<usize>) {
    if let TypedKind::Variable(slot) = &node.kind {
        slots.push(*slot);
    }
    for child in children(node) {
        collect_variables(child, slots);
    }
}

#[cfg(test)]
mod tests;
