use std::cmp::Ordering;

use super::{Call, Outcome, type_name};
use crate::cel::eval::{EvaluationError, Fuel};
use crate::cel::function::Function;
use crate::cel::value::Value;

pub(super) fn equality(call: &mut Call<'_>) -> Outcome {
    let [left, right] = call.arguments else {
        return call.refuse();
    };
    let is_equal = equal(left, right, call.fuel)?;
    Ok(Value::Bool(is_equal == (call.function == Function::Equal)))
}

pub(super) fn ordering(call: &mut Call<'_>) -> Outcome {
    let [left, right] = call.arguments else {
        return call.refuse();
    };
    let ordering = match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::String(left), Value::String(right)) => {
            call.fuel.spend_text(left.len().min(right.len()))?;
            Some(left.cmp(right))
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            call.fuel.spend_text(left.len().min(right.len()))?;
            Some(left.cmp(right))
        }
        (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(right)),
        (Value::Timestamp(left), Value::Timestamp(right)) => Some(left.cmp(right)),
        _ => match numbers(left, right) {
            Some(ordering) => ordering,
            None => return call.refuse(),
        },
    };
    Ok(Value::Bool(ordering.is_some_and(
        |ordering| match call.function {
            Function::Less => ordering.is_lt(),
            Function::LessOrEqual => ordering.is_le(),
            Function::Greater => ordering.is_gt(),
            _ => ordering.is_ge(),
        },
    )))
}

/// The language's `==`: numbers by value whatever their types, everything else only within its type, contents deeply.
///
/// # Errors
///
/// When the fuel is spent.
pub(super) fn equal(left: &Value, right: &Value, fuel: &mut Fuel) -> Result<bool, EvaluationError> {
    match (left, right) {
        (Value::Null, Value::Null) => Ok(true),
        (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
        (Value::String(left), Value::String(right)) => {
            fuel.spend_text(left.len().min(right.len()))?;
            Ok(left == right)
        }
        (Value::Bytes(left), Value::Bytes(right)) => {
            fuel.spend_text(left.len().min(right.len()))?;
            Ok(left == right)
        }
        (Value::Duration(left), Value::Duration(right)) => Ok(left == right),
        (Value::Timestamp(left), Value::Timestamp(right)) => Ok(left == right),
        (Value::Type(left), Value::Type(right)) => Ok(type_name(left) == type_name(right)),
        (Value::List(left), Value::List(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right.iter()) {
                fuel.spend(1)?;
                if !equal(left, right, fuel)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Map(left), Value::Map(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (key, left) in left.entries() {
                fuel.spend(1)?;
                match right.value(key) {
                    Some(right) if equal(left, right, fuel)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        _ => Ok(numbers(left, right) == Some(Some(Ordering::Equal))),
    }
}

/// How two numbers compare by value, exactly; none unless both are numbers, and no ordering beside a NaN.
pub(super) fn numbers(left: &Value, right: &Value) -> Option<Option<Ordering>> {
    match (left, right) {
        (Value::Double(left), Value::Double(right)) => Some(left.partial_cmp(right)),
        (Value::Double(left), right) => {
            Some(whole_to_double(whole(right)?, *left).map(Ordering::reverse))
        }
        (left, Value::Double(right)) => Some(whole_to_double(whole(left)?, *right)),
        (left, right) => Some(Some(whole(left)?.cmp(&whole(right)?))),
    }
}

fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Int(value) => Some(i128::from(*value)),
        Value::Uint(value) => Some(i128::from(*value)),
        _ => None,
    }
}

/// Exact: rounding a large whole number to a double could turn `<` into `==`.
fn whole_to_double(whole: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    // The cast saturates, far beyond every whole number there is.
    let truncated = double.trunc();
    Some(
        whole
            .cmp(&(truncated as i128))
            .then_with(|| truncated.partial_cmp(&double).unwrap_or(Ordering::Equal)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_whole_numbers_compare_exactly_with_doubles() {
        let two_to_53 = 9_007_199_254_740_992.0;
        let two_to_63 = 9_223_372_036_854_775_808.0;
        let compare = |whole: i64, double| whole_to_double(i128::from(whole), double);
        assert_eq!(compare((1 << 53) + 1, two_to_53), Some(Ordering::Greater));
        assert_eq!(compare(i64::MAX, two_to_63), Some(Ordering::Less));
        assert_eq!(compare(i64::MIN, -two_to_63), Some(Ordering::Equal));
        assert_eq!(compare(-1, -1.5), Some(Ordering::Greater));
        assert_eq!(compare(1, 1.5), Some(Ordering::Less));
        assert_eq!(compare(0, f64::INFINITY), Some(Ordering::Less));
        assert_eq!(compare(0, f64::NEG_INFINITY), Some(Ordering::Greater));
        assert_eq!(compare(0, f64::NAN), None);
        assert_eq!(compare(0, -0.0), Some(Ordering::Equal));
    }

    #[test]
    fn whole_numbers_compare_by_value_across_their_types() {
        assert_eq!(
            numbers(&Value::Int(-1), &Value::Uint(u64::MAX)),
            Some(Some(Ordering::Less))
        );
        assert_eq!(numbers(&Value::Int(-1), &Value::Bool(true)), None);
        assert_eq!(numbers(&Value::Double(1.0), &Value::from("1")), None);
    }
}
