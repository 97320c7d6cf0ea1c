use functions::{extreme, kind_of, one_number, operation_of};

use super::interval::{Interval, Orders, arithmetic, negation};
use super::outcome::{Outcome, Texts, Truths};
use super::same::is_same;
use crate::cel::ast::Quantifier;
use crate::cel::function::Function;
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;
use crate::fact::FactSchema;

mod assume;
mod functions;

/// What is known where a part of a condition stands: the declared ranges of the facts, the locals, and what was assumed.
///
/// It over-estimates: a value that it leaves out is one that no facts within their ranges can lead to.
#[derive(Clone, Debug)]
pub(super) struct Scope<'a> {
    pub(super) schema: &'a FactSchema,
    locals: Vec<Outcome>,
    assumed: Vec<Assumption<'a>>,
    /// What may still be looked at; then nothing more is known, and the work stays bounded on hostile conditions.
    steps: usize,
}

#[derive(Clone, Debug)]
enum Assumption<'a> {
    /// The part comes to one of these.
    Outcome(&'a Typed, Outcome),
    /// The two parts stand to each other in one of these orders.
    Orders(&'a Typed, &'a Typed, Orders),
}

/// What is known outside of some locals.
#[derive(Debug)]
pub(super) struct Outer {
    locals: usize,
    mark: usize,
}

/// Whether what was assumed can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consistency {
    Possible,
    /// No facts are like that.
    Impossible,
}

impl<'a> Scope<'a> {
    pub(super) fn new(schema: &'a FactSchema) -> Self {
        Self {
            schema,
            locals: Vec::new(),
            assumed: Vec::new(),
            steps: STEPS,
        }
    }

    /// How many locals are bound here.
    pub(super) fn locals(&self) -> usize {
        self.locals.len()
    }

    /// How much is assumed; to be given to `forget`.
    pub(super) fn mark(&self) -> usize {
        self.assumed.len()
    }

    /// Forgets what was assumed since `mark`.
    pub(super) fn forget(&mut self, mark: usize) {
        self.assumed.truncate(mark);
    }

    /// Binds these locals; `unbind` ends it, and forgets what was assumed about them.
    pub(super) fn bind(&mut self, locals: Vec<Outcome>) -> Outer {
        let outer = Outer {
            locals: self.locals.len(),
            mark: self.mark(),
        };
        self.locals.extend(locals);
        outer
    }

    pub(super) fn unbind(&mut self, outer: Outer) {
        self.locals.truncate(outer.locals);
        self.forget(outer.mark);
    }

    /// The same place without anything assumed.
    pub(super) fn without_assumptions(&self) -> Self {
        Self {
            assumed: Vec::new(),
            ..self.clone()
        }
    }

    /// Whether it was assumed that `node` comes to `truth`, in so many words.
    pub(super) fn is_assumed(&self, node: &Typed, truth: bool) -> bool {
        self.assumed.iter().any(|assumption| {
            matches!(assumption, Assumption::Outcome(part, Outcome::Truth(truths))
                if *truths == Truths::only(truth) && is_same(part, node))
        })
    }

    /// Notes that `node` comes to `truth`, without looking at its parts.
    pub(super) fn note(&mut self, node: &'a Typed, truth: bool) {
        if self.assumed.len() < MOST_ASSUMED {
            self.assumed.push(Assumption::Outcome(
                node,
                Outcome::Truth(Truths::only(truth)),
            ));
        }
    }

    /// The locals that a comprehension binds for each element of `range`.
    pub(super) fn elements(&mut self, range: &Typed, variables: usize) -> Vec<Outcome> {
        let index = Outcome::whole(0, i64::MAX.into());
        match (&range.value_type, variables) {
            (Type::List(item), 1) => vec![self.item(range, item)],
            (Type::List(item), _) => vec![index, self.item(range, item)],
            (Type::Map(key, _), 1) => vec![Outcome::of_type(key)],
            (Type::Map(key, value), _) => vec![Outcome::of_type(key), Outcome::of_type(value)],
            (_, variables) => vec![Outcome::Anything; variables],
        }
    }

    fn item(&mut self, list: &Typed, item: &Type) -> Outcome {
        match self.outcome(list) {
            Outcome::List(item, _) => *item,
            _ => Outcome::of_type(item),
        }
    }

    /// The values that `node` can come to.
    pub(super) fn outcome(&mut self, node: &Typed) -> Outcome {
        let Some(left) = self.steps.checked_sub(1 + self.assumed.len()) else {
            return Outcome::of_type(&node.value_type);
        };
        self.steps = left;
        let outcome = self.computed(node);
        if matches!(node.kind, TypedKind::Constant(_)) {
            return outcome;
        }
        self.assumed
            .iter()
            .filter_map(|assumption| match assumption {
                Assumption::Outcome(part, assumed) if is_same(part, node) => Some(assumed),
                _ => None,
            })
            .fold(outcome, |outcome, assumed| outcome.meet(assumed))
    }

    fn computed(&mut self, node: &Typed) -> Outcome {
        match &node.kind {
            TypedKind::Constant(value) => Outcome::of_value(value),
            TypedKind::Variable(slot) => self
                .schema
                .facts()
                .get(*slot)
                .map_or(Outcome::Anything, Outcome::of_fact),
            TypedKind::Local(level) => self
                .locals
                .get(*level)
                .cloned()
                .unwrap_or(Outcome::Anything),
            TypedKind::HasVariable(_) | TypedKind::HasField(..) => Outcome::Truth(Truths::BOTH),
            TypedKind::Field(..) | TypedKind::Map(_) => Outcome::of_type(&node.value_type),
            TypedKind::Not(inner) => Outcome::Truth(self.outcome(inner).truths().negated()),
            TypedKind::And(parts) => Outcome::Truth(self.all(parts, true)),
            TypedKind::Or(parts) => Outcome::Truth(self.all(parts, false).negated()),
            TypedKind::Conditional(test, yes, no) => {
                let test = self.outcome(test).truths();
                let mut outcome = Outcome::Never;
                if test.can_be_true {
                    outcome = outcome.or(self.outcome(yes));
                }
                if test.can_be_false {
                    outcome = outcome.or(self.outcome(no));
                }
                outcome
            }
            TypedKind::List(items) => {
                let mut all = Outcome::Never;
                for item in items {
                    all = all.or(self.outcome(item));
                }
                Outcome::List(Box::new(all), items.len())
            }
            TypedKind::Call(function, arguments) => {
                self.call(*function, arguments, &node.value_type)
            }
            TypedKind::Comprehension {
                quantifier,
                range,
                variables,
                body,
            } => self.comprehension(*quantifier, range, *variables, body, &node.value_type),
            TypedKind::Bind { value, body } => {
                let value = self.outcome(value);
                let outer = self.bind(vec![value]);
                let outcome = self.outcome(body);
                self.unbind(outer);
                outcome
            }
        }
    }

    /// Whether all of `parts` come to `truth`.
    fn all(&mut self, parts: &[Typed], truth: bool) -> Truths {
        let mut all = Truths {
            can_be_true: true,
            can_be_false: false,
        };
        for part in parts {
            let truths = self.outcome(part).truths();
            all.can_be_true &= truths.can_be(truth);
            all.can_be_false |= truths.can_be(!truth);
        }
        all
    }

    fn comprehension(
        &mut self,
        quantifier: Quantifier,
        range: &Typed,
        variables: usize,
        body: &[Typed],
        value_type: &Type,
    ) -> Outcome {
        let most = match self.outcome(range) {
            Outcome::List(_, most) => most,
            _ => usize::MAX,
        };
        let locals = self.elements(range, variables);
        let outer = self.bind(locals);
        let last = body
            .last()
            .map_or(Outcome::Anything, |body| self.outcome(body));
        self.unbind(outer);
        let truths = last.truths();
        let some = most > 0;
        match quantifier {
            Quantifier::All => Outcome::Truth(Truths {
                can_be_true: true,
                can_be_false: some && truths.can_be_false,
            }),
            Quantifier::Exists | Quantifier::ExistsOne => Outcome::Truth(Truths {
                can_be_true: some && truths.can_be_true,
                can_be_false: true,
            }),
            Quantifier::Map => Outcome::List(Box::new(last), most),
            Quantifier::Filter => match self.outcome(range) {
                list @ Outcome::List(..) => list,
                _ => Outcome::of_type(value_type),
            },
            Quantifier::TransformMap | Quantifier::TransformMapEntry => Outcome::Anything,
        }
    }

    fn call(&mut self, function: Function, arguments: &[Typed], value_type: &Type) -> Outcome {
        if let Some(orders) = orders_of(function)
            && let [left, right] = arguments
        {
            let possible = self.orders(left, right);
            return Outcome::Truth(Truths {
                can_be_true: possible.has(orders),
                can_be_false: possible.has(orders.others()),
            });
        }
        let outcomes: Vec<Outcome> = arguments.iter().map(|part| self.outcome(part)).collect();
        let any = || Outcome::of_type(value_type);
        match (function, outcomes.as_slice()) {
            (Function::Greatest, outcomes) => {
                extreme(outcomes, Interval::greatest).unwrap_or_else(any)
            }
            (Function::Least, outcomes) => extreme(outcomes, Interval::least).unwrap_or_else(any),
            (_, outcomes) if outcomes.iter().any(Outcome::is_never) => Outcome::Never,
            (Function::In, [item, Outcome::List(items, most)]) => Outcome::Truth(Truths {
                can_be_true: *most > 0
                    && (!comparable(arguments) || item.orders(items).has(Orders::EQUAL)),
                can_be_false: !self.is_surely_among(item, arguments),
            }),
            (Function::Index, [Outcome::List(item, _), _]) => (**item).clone(),
            (Function::Size, [Outcome::List(_, most)]) => Outcome::whole(
                0,
                i128::try_from(*most)
                    .unwrap_or(i128::MAX)
                    .min(i64::MAX.into()),
            ),
            (Function::Size, _) => Outcome::whole(0, i64::MAX.into()),
            (Function::Negate, [Outcome::Number(operand)]) => match kind_of(value_type) {
                Some(kind) => Outcome::of_interval(negation(kind, operand)),
                None => any(),
            },
            (_, [Outcome::Number(left), Outcome::Number(right)]) => {
                match (operation_of(function), kind_of(value_type)) {
                    (Some(operation), Some(kind)) => {
                        Outcome::of_interval(arithmetic(operation, kind, left, right))
                    }
                    _ => any(),
                }
            }
            (_, [Outcome::Number(operand)]) => {
                let from = arguments.first().map(|argument| &argument.value_type);
                one_number(function, operand, from, value_type).unwrap_or_else(any)
            }
            _ => any(),
        }
    }

    /// Whether `item` is certainly in the list that is the second of `arguments`.
    fn is_surely_among(&mut self, item: &Outcome, arguments: &[Typed]) -> bool {
        let Some(Typed {
            kind: TypedKind::List(items),
            ..
        }) = arguments.get(1)
        else {
            return false;
        };
        let items: Vec<Outcome> = items.iter().map(|item| self.outcome(item)).collect();
        match item {
            Outcome::Text(Texts::Among(few)) => few.iter().all(|text| {
                items.iter().any(|item| {
                    matches!(item, Outcome::Text(Texts::Among(only))
                        if only.len() == 1 && only.contains(text))
                })
            }),
            Outcome::Number(number) => items
                .iter()
                .any(|item| matches!(item, Outcome::Number(item) if number.orders(item) == Orders::EQUAL)),
            _ => false,
        }
    }

    /// How the values of two parts can stand to each other.
    fn orders(&mut self, left: &Typed, right: &Typed) -> Orders {
        let (one, two) = (self.outcome(left), self.outcome(right));
        let mut possible = if are_comparable(&left.value_type, &right.value_type) {
            one.orders(&two)
        } else {
            Orders::ALL
        };
        if is_same(left, right) {
            possible = possible.both(Orders::EQUAL | Orders::UNORDERED);
        }
        for assumption in &self.assumed {
            if let Assumption::Orders(a, b, orders) = assumption {
                if is_same(a, left) && is_same(b, right) {
                    possible = possible.both(*orders);
                } else if is_same(a, right) && is_same(b, left) {
                    possible = possible.both(orders.swapped());
                }
            }
        }
        possible
    }
}

/// The orders in which a comparison holds.
pub(super) fn orders_of(function: Function) -> Option<Orders> {
    Some(match function {
        Function::Equal => Orders::EQUAL,
        Function::NotEqual => Orders::UNEQUAL,
        Function::Less => Orders::LESS,
        Function::LessOrEqual => Orders::LESS | Orders::EQUAL,
        Function::Greater => Orders::GREATER,
        Function::GreaterOrEqual => Orders::GREATER | Orders::EQUAL,
        _ => return None,
    })
}

fn comparable(arguments: &[Typed]) -> bool {
    match arguments {
        [item, list] => match &list.value_type {
            Type::List(items) => are_comparable(&item.value_type, items),
            _ => false,
        },
        _ => false,
    }
}

/// Whether values of the two types are ordered by the numbers, texts or truths that stand for them here.
fn are_comparable(one: &Type, two: &Type) -> bool {
    let is_number = |side: &Type| matches!(side, Type::Int | Type::Uint | Type::Double);
    (is_number(one) && is_number(two))
        || (one == two
            && matches!(
                one,
                Type::Bool | Type::String | Type::Duration | Type::Timestamp
            ))
}

/// More is not assumed.
const MOST_ASSUMED: usize = 512;

/// How many parts and assumptions may be looked at.
const STEPS: usize = 1_000_000;
