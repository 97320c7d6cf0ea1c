use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ast::{Arithmetic, Comparison};
use super::program::{Op, Program};
use crate::fact::{FactValue, Facts};

/// A truth value of Kleene's strong three-valued logic.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It depends on a fact that is missing, stale or invalid.
    #[default]
    Unknown,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::True => "true",
            Self::False => "false",
            Self::Unknown => "unknown",
        })
    }
}

/// What one run found out about a clause.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ClauseValue {
    pub(crate) truth: Truth,
    pub(crate) left: Option<f64>,
    pub(crate) right: Option<f64>,
}

/// What one run of a program found out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) truth: Truth,
    /// The slots that made it unknown.
    pub(crate) waiting: BTreeSet<usize>,
    pub(crate) clauses: Vec<ClauseValue>,
}

/// Runs a program. Every op runs exactly once, so the cost is known when the program is.
pub(super) fn run(program: &Program, facts: &Facts, now: Timestamp) -> Outcome {
    let (result, clauses) = execute(program, facts, now);
    Outcome {
        truth: result.truth(),
        waiting: match result {
            Value::Unknown(slots) => slots,
            _ => BTreeSet::new(),
        },
        clauses,
    }
}

/// Whether a program comes to no value even though it waits for nothing.
pub(super) fn is_undefined(program: &Program, facts: &Facts) -> bool {
    let (result, _) = execute(program, facts, Timestamp::UNIX_EPOCH);
    matches!(result, Value::Unknown(slots) if slots.is_empty())
}

fn execute<'a>(
    program: &'a Program,
    facts: &'a Facts,
    now: Timestamp,
) -> (Value<'a>, Vec<ClauseValue>) {
    let mut stack: Vec<Value<'a>> = Vec::with_capacity(STACK);
    let mut clauses = vec![ClauseValue::default(); program.clauses.len()];
    for (at, op) in program.ops.iter().enumerate() {
        let value = match op {
            Op::Bool(value) => Value::Bool(*value),
            Op::Int(value) => Value::Int(*value),
            Op::Double(value) => Value::Double(*value),
            Op::Text(text) => program
                .texts
                .get(*text)
                .map_or_else(Value::unknown, |text| Value::Text(text.as_str())),
            Op::Load(slot) => load(facts, *slot, now),
            Op::Has(slot) => Value::Bool(facts.read(*slot, now).is_ok()),
            Op::Not => match pop(&mut stack) {
                Value::Bool(value) => Value::Bool(!value),
                other => other.into_unknown(),
            },
            Op::Negate { from } => match pop(&mut stack) {
                Value::Int(value) => value
                    .checked_neg()
                    .map_or_else(|| undefined(program, *from, at), Value::Int),
                Value::Double(value) => Value::Double(-value),
                other => other.into_unknown(),
            },
            Op::Arithmetic { operator, from } => {
                let right = pop(&mut stack);
                let left = pop(&mut stack);
                if left.is_unknown() || right.is_unknown() {
                    left.join(right)
                } else {
                    compute(*operator, &left, &right)
                        .unwrap_or_else(|| undefined(program, *from, at))
                }
            }
            Op::Compare { comparison, clause } => {
                let right = pop(&mut stack);
                let left = pop(&mut stack);
                let numbers = (left.number(), right.number());
                let value = match order(&left, &right) {
                    Some(ordering) => Value::Bool(holds(*comparison, ordering)),
                    None => left.join(right),
                };
                if let Some(clause) = clauses.get_mut(*clause) {
                    clause.truth = value.truth();
                    (clause.left, clause.right) = numbers;
                }
                value
            }
            Op::InInts(list) => match (pop(&mut stack), program.int_lists.get(*list)) {
                (Value::Int(value), Some(list)) => Value::Bool(list.binary_search(&value).is_ok()),
                (other, _) => other.into_unknown(),
            },
            Op::InTexts(list) => match (pop(&mut stack), program.text_lists.get(*list)) {
                (Value::Text(text), Some(list)) => Value::Bool(
                    list.binary_search_by(|item| item.as_str().cmp(text))
                        .is_ok(),
                ),
                (other, _) => other.into_unknown(),
            },
            Op::All(count) => fold(&mut stack, *count, false),
            Op::Any(count) => fold(&mut stack, *count, true),
            Op::Select => {
                let otherwise = pop(&mut stack);
                let then = pop(&mut stack);
                match pop(&mut stack) {
                    Value::Bool(true) => then,
                    Value::Bool(false) => otherwise,
                    other => other.into_unknown(),
                }
            }
            Op::Record(clause) => {
                let value = pop(&mut stack);
                if let Some(clause) = clauses.get_mut(*clause) {
                    clause.truth = value.truth();
                }
                value
            }
        };
        stack.push(value);
    }
    (pop(&mut stack), clauses)
}

#[derive(Clone, Debug)]
enum Value<'a> {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(&'a str),
    /// The slots it waits for.
    Unknown(BTreeSet<usize>),
}

impl Value<'_> {
    fn unknown() -> Self {
        Self::Unknown(BTreeSet::new())
    }

    fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    fn into_unknown(self) -> Self {
        match self {
            Self::Unknown(_) => self,
            _ => Self::unknown(),
        }
    }

    /// Unknown because of either.
    fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown(mut left), Self::Unknown(right)) => {
                left.extend(right);
                Self::Unknown(left)
            }
            (Self::Unknown(slots), _) | (_, Self::Unknown(slots)) => Self::Unknown(slots),
            _ => Self::unknown(),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            _ => None,
        }
    }

    fn truth(&self) -> Truth {
        match self {
            Self::Bool(value) => Truth::from(*value),
            _ => Truth::Unknown,
        }
    }
}

/// The checker makes every pop find a value; an empty stack reads as unknown, which opens no gate.
fn pop<'a>(stack: &mut Vec<Value<'a>>) -> Value<'a> {
    stack.pop().unwrap_or_else(Value::unknown)
}

fn load(facts: &Facts, slot: usize, now: Timestamp) -> Value<'_> {
    match facts.read(slot, now) {
        Ok(FactValue::Bool(value)) => Value::Bool(*value),
        Ok(FactValue::Int(value)) => Value::Int(*value),
        Ok(FactValue::Double(value)) => Value::Double(*value),
        Ok(FactValue::Text(text)) => Value::Text(text.as_str()),
        Err(_) => Value::Unknown(BTreeSet::from([slot])),
    }
}

/// Arithmetic without a result waits for the facts that went into it.
fn undefined<'a>(program: &Program, from: usize, to: usize) -> Value<'a> {
    Value::Unknown(program.slots(from, to).collect())
}

/// Kleene's conjunction (`absorbing` false) or disjunction (`absorbing` true) of the top `count` values.
fn fold<'a>(stack: &mut Vec<Value<'a>>, count: usize, absorbing: bool) -> Value<'a> {
    let mut is_absorbed = false;
    let mut waiting: Option<BTreeSet<usize>> = None;
    for _ in 0..count {
        match pop(stack) {
            Value::Bool(value) => is_absorbed |= value == absorbing,
            Value::Unknown(slots) => waiting.get_or_insert_with(BTreeSet::new).extend(slots),
            _ => {
                waiting.get_or_insert_with(BTreeSet::new);
            }
        }
    }
    match waiting {
        _ if is_absorbed => Value::Bool(absorbing),
        Some(slots) => Value::Unknown(slots),
        None => Value::Bool(!absorbing),
    }
}

/// None when the result does not exist: overflow, division by zero, or a double that is not finite.
fn compute<'a>(operator: Arithmetic, left: &Value<'_>, right: &Value<'_>) -> Option<Value<'a>> {
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        return match operator {
            Arithmetic::Add => left.checked_add(*right),
            Arithmetic::Subtract => left.checked_sub(*right),
            Arithmetic::Multiply => left.checked_mul(*right),
            Arithmetic::Divide => left.checked_div(*right),
            Arithmetic::Remainder => left.checked_rem(*right),
        }
        .map(Value::Int);
    }
    let (left, right) = (left.number()?, right.number()?);
    let result = match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => return None,
    };
    result.is_finite().then_some(Value::Double(result))
}

fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Double(left), Value::Double(right)) => left.partial_cmp(right),
        (Value::Int(left), Value::Double(right)) => order_int_double(*left, *right),
        (Value::Double(left), Value::Int(right)) => {
            order_int_double(*right, *left).map(Ordering::reverse)
        }
        _ => None,
    }
}

/// Exact: rounding a large whole number to a double could turn `<` into `==`.
fn order_int_double(int: i64, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    if double >= TWO_TO_63 {
        return Some(Ordering::Less);
    }
    if double < -TWO_TO_63 {
        return Some(Ordering::Greater);
    }
    let whole = double.trunc();
    Some(int.cmp(&(whole as i64)).then_with(|| {
        if double > whole {
            Ordering::Less
        } else if double < whole {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    }))
}

fn holds(comparison: Comparison, ordering: Ordering) -> bool {
    match comparison {
        Comparison::Equal => ordering.is_eq(),
        Comparison::NotEqual => ordering.is_ne(),
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
    }
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
/// Enough for the conditions people write; the stack grows beyond it.
const STACK: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_whole_numbers_compare_exactly_with_doubles() {
        let above = (1_i64 << 53) + 1;
        assert_eq!(
            order_int_double(above, 9_007_199_254_740_992.0),
            Some(Ordering::Greater)
        );
        assert_eq!(order_int_double(i64::MAX, TWO_TO_63), Some(Ordering::Less));
        assert_eq!(
            order_int_double(i64::MIN, -TWO_TO_63),
            Some(Ordering::Equal)
        );
        assert_eq!(order_int_double(-1, -1.5), Some(Ordering::Greater));
        assert_eq!(order_int_double(1, 1.5), Some(Ordering::Less));
        assert_eq!(order_int_double(0, f64::NAN), None);
    }
}
