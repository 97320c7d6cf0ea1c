use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::comparison::Comparison;
use super::test::FUEL;
use super::truth::Truth;
use super::variables::FactVariables;
use crate::cel::eval::{self, Arithmetic, Fuel};
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::fact::Facts;

/// One comparison, membership or bare fact of a condition, with its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clause {
    text: String,
    outcome: Truth,
    left: Option<f64>,
    right: Option<f64>,
    margin: Option<f64>,
    needed: Option<bool>,
}

impl Clause {
    /// Its source, with single blanks.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value.
    pub fn outcome(&self) -> Truth {
        self.outcome
    }

    /// The left operand, where it is a known number.
    pub fn left(&self) -> Option<f64> {
        self.left
    }

    /// The right operand, where it is a known number.
    pub fn right(&self) -> Option<f64> {
        self.right
    }

    /// The left operand minus the right one, where both are known numbers and the difference is finite.
    pub fn margin(&self) -> Option<f64> {
        self.margin
    }

    /// Whether this clause alone keeps the condition from holding: it is a term of the top-level conjunction, and it is
    /// known to have the wrong value.
    pub fn is_blocking(&self) -> bool {
        match (self.needed, self.outcome) {
            (Some(needed), Truth::True) => !needed,
            (Some(needed), Truth::False) => needed,
            _ => false,
        }
    }
}

/// What is known of a clause when a condition is loaded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClauseInfo {
    text: String,
    /// The value without which the whole condition cannot hold.
    needed: Option<bool>,
    /// The facts it reads.
    slots: Vec<usize>,
    /// The operands, if it compares numbers.
    comparison: Option<NumericComparison>,
}

/// A comparison of two numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NumericComparison {
    pub(super) comparison: Comparison,
    pub(super) left: Typed,
    pub(super) right: Typed,
}

impl ClauseInfo {
    pub(super) fn new(text: String, needed: Option<bool>, node: &Typed) -> Self {
        let mut slots = node.variables();
        slots.sort_unstable();
        slots.dedup();
        Self {
            text,
            needed,
            slots,
            comparison: NumericComparison::of(node),
        }
    }

    pub(super) fn slots(&self) -> &[usize] {
        &self.slots
    }

    pub(super) fn comparison(&self) -> Option<&NumericComparison> {
        self.comparison.as_ref()
    }

    /// The clause with its value in a run, and its operands on the facts of that run.
    pub(super) fn explain(&self, outcome: Truth, facts: &Facts, now: Timestamp) -> Clause {
        let operand = |of: fn(&NumericComparison) -> &Typed| {
            let comparison = self.comparison.as_ref()?;
            number(of(comparison), facts, now)
        };
        let left = operand(|comparison| &comparison.left);
        let right = operand(|comparison| &comparison.right);
        let margin = left
            .zip(right)
            .map(|(left, right)| left - right)
            .filter(|margin| margin.is_finite());
        Clause {
            text: self.text.clone(),
            outcome,
            left,
            right,
            margin,
            needed: self.needed,
        }
    }
}

impl NumericComparison {
    fn of(node: &Typed) -> Option<Self> {
        let TypedKind::Call(function, arguments) = &node.kind else {
            return None;
        };
        let comparison = Comparison::from_function(*function)?;
        let [left, right] = arguments.as_slice() else {
            return None;
        };
        let are_numbers = [left, right]
            .iter()
            .all(|side| matches!(side.value_type, Type::Int | Type::Uint | Type::Double));
        are_numbers.then(|| Self {
            comparison,
            left: left.clone(),
            right: right.clone(),
        })
    }
}

/// The value of a numeric tree on known facts.
pub(super) fn number(node: &Typed, facts: &Facts, now: Timestamp) -> Option<f64> {
    let mut fuel = Fuel::new(FUEL);
    let variables = FactVariables::new(facts, now);
    match eval::evaluate(node, &variables, &mut fuel, Arithmetic::Finite) {
        Ok(Value::Int(value)) => Some(value as f64),
        Ok(Value::Uint(value)) => Some(value as f64),
        Ok(Value::Double(value)) => Some(value),
        _ => None,
    }
}
