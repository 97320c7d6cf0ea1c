use std::sync::Arc;

use jiff::SignedDuration;

use super::time::{in_range, is_duration_in_range};
use super::{Call, Outcome, symbol};
use crate::cel::eval::{EvaluationError, EvaluationErrorKind};
use crate::cel::types::Type;
use crate::cel::value::Value;

pub(super) fn negate(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::Int(value)] => int(call, value.checked_neg()),
        [Value::Double(value)] => Ok(Value::Double(-value)),
        [Value::Duration(value)] => duration(call, value.checked_neg()),
        _ => call.refuse(),
    }
}

pub(super) fn add(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::Int(left), Value::Int(right)] => int(call, left.checked_add(*right)),
        [Value::Uint(left), Value::Uint(right)] => uint(call, left.checked_add(*right)),
        [Value::Double(left), Value::Double(right)] => Ok(Value::Double(left + right)),
        [Value::Duration(left), Value::Duration(right)] => duration(call, left.checked_add(*right)),
        [Value::Timestamp(moment), Value::Duration(span)]
        | [Value::Duration(span), Value::Timestamp(moment)] => {
            match moment.checked_add(*span).ok().filter(in_range) {
                Some(moment) => Ok(Value::Timestamp(moment)),
                None => call.overflow(&Type::Timestamp),
            }
        }
        [Value::String(left), Value::String(right)] => {
            call.fuel
                .spend_text(left.len().saturating_add(right.len()))?;
            Ok(Value::from(format!("{left}{right}")))
        }
        [Value::Bytes(left), Value::Bytes(right)] => {
            call.fuel
                .spend_text(left.len().saturating_add(right.len()))?;
            Ok(Value::from([&**left, &**right].concat()))
        }
        [Value::List(left), Value::List(right)] => {
            call.fuel
                .spend_elements(left.len().saturating_add(right.len()))?;
            let items: Arc<[Value]> = left.iter().chain(right.iter()).cloned().collect();
            Ok(Value::List(items))
        }
        _ => call.refuse(),
    }
}

pub(super) fn subtract(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::Int(left), Value::Int(right)] => int(call, left.checked_sub(*right)),
        [Value::Uint(left), Value::Uint(right)] => uint(call, left.checked_sub(*right)),
        [Value::Double(left), Value::Double(right)] => Ok(Value::Double(left - right)),
        [Value::Duration(left), Value::Duration(right)] => duration(call, left.checked_sub(*right)),
        [Value::Timestamp(moment), Value::Duration(span)] => {
            match moment.checked_sub(*span).ok().filter(in_range) {
                Some(moment) => Ok(Value::Timestamp(moment)),
                None => call.overflow(&Type::Timestamp),
            }
        }
        [Value::Timestamp(left), Value::Timestamp(right)] => {
            duration(call, Some(left.duration_since(*right)))
        }
        _ => call.refuse(),
    }
}

pub(super) fn multiply(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::Int(left), Value::Int(right)] => int(call, left.checked_mul(*right)),
        [Value::Uint(left), Value::Uint(right)] => uint(call, left.checked_mul(*right)),
        [Value::Double(left), Value::Double(right)] => Ok(Value::Double(left * right)),
        _ => call.refuse(),
    }
}

pub(super) fn divide(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => by_zero(call),
        [Value::Int(left), Value::Int(right)] => int(call, left.checked_div(*right)),
        [Value::Uint(left), Value::Uint(right)] => uint(call, left.checked_div(*right)),
        [Value::Double(left), Value::Double(right)] => Ok(Value::Double(left / right)),
        _ => call.refuse(),
    }
}

pub(super) fn remainder(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => by_zero(call),
        [Value::Int(left), Value::Int(right)] => int(call, left.checked_rem(*right)),
        [Value::Uint(left), Value::Uint(right)] => uint(call, left.checked_rem(*right)),
        _ => call.refuse(),
    }
}

fn int(call: &Call<'_>, result: Option<i64>) -> Outcome {
    match result {
        Some(value) => Ok(Value::Int(value)),
        None => call.overflow(&Type::Int),
    }
}

fn uint(call: &Call<'_>, result: Option<u64>) -> Outcome {
    match result {
        Some(value) => Ok(Value::Uint(value)),
        None => call.overflow(&Type::Uint),
    }
}

fn duration(call: &Call<'_>, result: Option<SignedDuration>) -> Outcome {
    match result.filter(is_duration_in_range) {
        Some(value) => Ok(Value::Duration(value)),
        None => call.overflow(&Type::Duration),
    }
}

fn by_zero(call: &Call<'_>) -> Outcome {
    let name = symbol(call.function);
    Err(EvaluationError::new(
        EvaluationErrorKind::DivisionByZero,
        format!("`{name}` divides by zero; ask first that the divisor is not zero"),
    ))
}
