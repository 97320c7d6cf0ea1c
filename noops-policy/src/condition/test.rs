use jiff::Timestamp;

use super::comparison::Comparison;
use super::truth::Truth;
use super::variables::FactVariables;
use crate::cel::eval::{self, Arithmetic, Fuel};
use crate::cel::typed::Typed;
use crate::cel::value::Value;
use crate::fact::{FactValue, Facts};

/// One test of a condition. The shapes that gates are made of read their facts as machine words; everything else is
/// evaluated as the tree that it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// A fact that is true or false.
    Flag { slot: usize },
    /// Whether a fact can be used.
    Has { slot: usize },
    /// A double against a number.
    Double {
        slot: usize,
        comparison: Comparison,
        than: f64,
    },
    /// A double against `right · factor + offset`.
    Doubles {
        left: usize,
        comparison: Comparison,
        right: usize,
        factor: f64,
        offset: f64,
    },
    /// A whole number against a number.
    Int {
        slot: usize,
        comparison: Comparison,
        than: i64,
    },
    /// A whole number against another.
    Ints {
        left: usize,
        comparison: Comparison,
        right: usize,
    },
    /// Text among literals, or not among them.
    Text {
        slot: usize,
        expected: Membership,
        texts: Vec<String>,
    },
    /// Any other expression.
    Tree(Box<Typed>),
}

/// Whether text is wanted among some literals or apart from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Membership {
    Among,
    Apart,
}

impl Test {
    #[inline]
    pub(super) fn run(&self, facts: &Facts, now: Timestamp) -> Truth {
        self.value(facts, now).map_or(Truth::Unknown, Truth::from)
    }

    #[inline]
    fn value(&self, facts: &Facts, now: Timestamp) -> Option<bool> {
        match self {
            Self::Flag { slot } => Some(facts.usable(*slot, now)?.flag()),
            Self::Has { slot } => Some(facts.usable(*slot, now).is_some()),
            Self::Double {
                slot,
                comparison,
                than,
            } => Some(comparison.of_doubles(facts.usable(*slot, now)?.double(), *than)),
            Self::Doubles {
                left,
                comparison,
                right,
                factor,
                offset,
            } => {
                let left = facts.usable(*left, now)?.double();
                // Rounded after each operation, as the expression it stands for is.
                let right = facts.usable(*right, now)?.double() * factor + offset;
                right
                    .is_finite()
                    .then(|| comparison.of_doubles(left, right))
            }
            Self::Int {
                slot,
                comparison,
                than,
            } => Some(comparison.of_ints(facts.usable(*slot, now)?.int(), *than)),
            Self::Ints {
                left,
                comparison,
                right,
            } => Some(comparison.of_ints(
                facts.usable(*left, now)?.int(),
                facts.usable(*right, now)?.int(),
            )),
            Self::Text {
                slot,
                expected,
                texts,
            } => match facts.read(*slot, now) {
                Ok(FactValue::Text(text)) => {
                    let is_among = texts.iter().any(|one| one == text);
                    Some(is_among == (*expected == Membership::Among))
                }
                _ => None,
            },
            Self::Tree(tree) => Self::evaluate(tree, facts, now),
        }
    }

    /// Apart from the rest, so that the shapes above stay small enough to be inlined.
    #[inline(never)]
    fn evaluate(tree: &Typed, facts: &Facts, now: Timestamp) -> Option<bool> {
        let variables = FactVariables::new(facts, now);
        let mut fuel = Fuel::new(FUEL);
        match eval::evaluate(tree, &variables, &mut fuel, Arithmetic::Finite) {
            Ok(Value::Bool(value)) => Some(value),
            _ => None,
        }
    }
}

/// What one test may cost at run time: the bound that was checked when the condition was loaded.
pub(super) const FUEL: u64 = super::cost::COST_LIMIT;
