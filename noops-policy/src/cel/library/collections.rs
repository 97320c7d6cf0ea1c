use super::comparison::equal;
use super::{Call, Outcome};
use crate::cel::eval::{EvaluationError, EvaluationErrorKind};
use crate::cel::value::Value;

pub(super) fn contains(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [wanted, Value::List(items)] => {
            for item in items.iter() {
                call.fuel.spend(1)?;
                if equal(wanted, item, call.fuel)? {
                    return Ok(Value::Bool(true));
                }
            }
            Ok(Value::Bool(false))
        }
        [key, Value::Map(map)] => Ok(Value::Bool(map.value(key).is_some())),
        _ => call.refuse(),
    }
}

pub(super) fn index(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::List(items), place] => {
            let at = match place {
                Value::Int(at) => usize::try_from(*at).ok(),
                Value::Uint(at) => usize::try_from(*at).ok(),
                // Saturates beyond the length of any list.
                Value::Double(at) if at.trunc() == *at && *at >= 0.0 => Some(*at as usize),
                Value::Double(_) => None,
                _ => return call.refuse(),
            };
            match at.and_then(|at| items.get(at)) {
                Some(item) => Ok(item.clone()),
                None => {
                    let length = items.len();
                    Err(EvaluationError::new(
                        EvaluationErrorKind::IndexOutOfBounds,
                        format!("there is no item `{place}` in a list of {length}"),
                    ))
                }
            }
        }
        [Value::Map(map), key] => match key {
            Value::Bool(_)
            | Value::Int(_)
            | Value::Uint(_)
            | Value::Double(_)
            | Value::String(_) => map.value(key).cloned().ok_or_else(|| {
                EvaluationError::new(
                    EvaluationErrorKind::NoSuchKey,
                    format!("there is no key `{key}`; ask with `in` first"),
                )
            }),
            _ => call.refuse(),
        },
        _ => call.refuse(),
    }
}

pub(super) fn size(call: &mut Call<'_>) -> Outcome {
    let size = match call.arguments {
        [Value::String(text)] => {
            call.fuel.spend_text(text.len())?;
            text.chars().count()
        }
        [Value::Bytes(bytes)] => bytes.len(),
        [Value::List(items)] => items.len(),
        [Value::Map(map)] => map.len(),
        _ => return call.refuse(),
    };
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}
