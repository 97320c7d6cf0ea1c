use std::cmp::Ordering;

use super::comparison::numbers;
use super::{Call, Outcome, symbol};
use crate::cel::eval::EvaluationError;
use crate::cel::function::Function;
use crate::cel::types::Type;
use crate::cel::value::Value;

/// The greatest or least of the arguments, or of the items of the one list: the first of equals, with its own type.
pub(super) fn extreme(call: &mut Call<'_>) -> Outcome {
    let candidates = match call.arguments {
        [Value::List(items)] => {
            call.fuel.spend_elements(items.len())?;
            &**items
        }
        arguments => arguments,
    };
    let Some((first, others)) = candidates.split_first() else {
        let name = symbol(call.function);
        return Err(EvaluationError::invalid(format!(
            "`{name}` of nothing does not exist; give it a number"
        )));
    };
    if numbers(first, first).is_none() {
        return call.refuse();
    }
    let wanted = if call.function == Function::Greatest {
        Ordering::Greater
    } else {
        Ordering::Less
    };
    let mut best = first;
    for candidate in others {
        match numbers(candidate, best) {
            Some(ordering) if ordering == Some(wanted) => best = candidate,
            Some(_) => {}
            None => return call.refuse(),
        }
    }
    Ok(best.clone())
}

pub(super) fn rounded(call: &mut Call<'_>, round: fn(f64) -> f64) -> Outcome {
    match call.arguments {
        [Value::Double(value)] => Ok(Value::Double(round(*value))),
        _ => call.refuse(),
    }
}

pub(super) fn classified(call: &mut Call<'_>, is_of: fn(f64) -> bool) -> Outcome {
    match call.arguments {
        [Value::Double(value)] => Ok(Value::Bool(is_of(*value))),
        _ => call.refuse(),
    }
}

pub(super) fn absolute(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::Int(value)] => match value.checked_abs() {
            Some(value) => Ok(Value::Int(value)),
            None => call.overflow(&Type::Int),
        },
        [Value::Uint(value)] => Ok(Value::Uint(*value)),
        [Value::Double(value)] => Ok(Value::Double(value.abs())),
        _ => call.refuse(),
    }
}

pub(super) fn sign(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::Int(value)] => Ok(Value::Int(value.signum())),
        [Value::Uint(value)] => Ok(Value::Uint(u64::from(*value > 0))),
        // A zero has no sign here, and a NaN keeps being one.
        [Value::Double(value)] if *value == 0.0 => Ok(Value::Double(0.0)),
        [Value::Double(value)] => Ok(Value::Double(value.signum())),
        _ => call.refuse(),
    }
}

pub(super) fn square_root(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::Int(value)] => Ok(Value::Double((*value as f64).sqrt())),
        [Value::Uint(value)] => Ok(Value::Double((*value as f64).sqrt())),
        [Value::Double(value)] => Ok(Value::Double(value.sqrt())),
        _ => call.refuse(),
    }
}

pub(super) fn bitwise(call: &mut Call<'_>) -> Outcome {
    match (call.function, call.arguments) {
        (Function::BitAnd, [Value::Int(left), Value::Int(right)]) => Ok(Value::Int(left & right)),
        (Function::BitOr, [Value::Int(left), Value::Int(right)]) => Ok(Value::Int(left | right)),
        (_, [Value::Int(left), Value::Int(right)]) => Ok(Value::Int(left ^ right)),
        (Function::BitAnd, [Value::Uint(left), Value::Uint(right)]) => {
            Ok(Value::Uint(left & right))
        }
        (Function::BitOr, [Value::Uint(left), Value::Uint(right)]) => Ok(Value::Uint(left | right)),
        (_, [Value::Uint(left), Value::Uint(right)]) => Ok(Value::Uint(left ^ right)),
        _ => call.refuse(),
    }
}

pub(super) fn bit_not(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::Int(value)] => Ok(Value::Int(!value)),
        [Value::Uint(value)] => Ok(Value::Uint(!value)),
        _ => call.refuse(),
    }
}

/// Shifts as in Go: by 64 or more nothing is left, and to the right the sign is shifted like any other bit.
pub(super) fn shift(call: &mut Call<'_>) -> Outcome {
    let (bits, is_signed, by) = match call.arguments {
        [Value::Int(bits), Value::Int(by)] => (bits.cast_unsigned(), true, *by),
        [Value::Uint(bits), Value::Int(by)] => (*bits, false, *by),
        _ => return call.refuse(),
    };
    let Ok(by) = u64::try_from(by) else {
        let name = symbol(call.function);
        return Err(EvaluationError::invalid(format!(
            "`{name}` by `{by}` is not possible; shift the other way"
        )));
    };
    let by = u32::try_from(by).unwrap_or(u32::MAX);
    let shifted = if call.function == Function::BitShiftLeft {
        bits.checked_shl(by)
    } else {
        bits.checked_shr(by)
    }
    .unwrap_or(0);
    Ok(if is_signed {
        Value::Int(shifted.cast_signed())
    } else {
        Value::Uint(shifted)
    })
}
