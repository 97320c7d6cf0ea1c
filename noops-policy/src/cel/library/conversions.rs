use jiff::Timestamp;

use super::notation::{double_text, duration_text, timestamp_text};
use super::time::{in_range, parse_duration, parse_timestamp};
use super::{Call, Outcome, symbol, type_name};
use crate::cel::eval::{EvaluationError, EvaluationErrorKind};
use crate::cel::types::Type;
use crate::cel::value::Value;

pub(super) fn to_bool(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [value @ Value::Bool(_)] => Ok(value.clone()),
        [Value::String(text)] => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => unreadable(text, &Type::Bool),
        },
        _ => call.refuse(),
    }
}

pub(super) fn to_int(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [value @ Value::Int(_)] => Ok(value.clone()),
        [Value::Uint(value)] => match i64::try_from(*value) {
            Ok(value) => Ok(Value::Int(value)),
            Err(_) => out_of_range(call, &Type::Int),
        },
        // The bounds are excluded: a double that reads as one of them may stand for a number beyond it.
        [Value::Double(value)] if *value > -TWO_TO_63 && *value < TWO_TO_63 => {
            Ok(Value::Int(*value as i64))
        }
        [Value::Double(_)] => out_of_range(call, &Type::Int),
        [Value::String(text)] => {
            call.fuel.spend_text(text.len())?;
            match text.parse() {
                Ok(value) => Ok(Value::Int(value)),
                Err(_) => unreadable(text, &Type::Int),
            }
        }
        [Value::Timestamp(moment)] => {
            // Whole seconds before the moment, as the fraction counts up.
            let seconds = moment.as_second();
            Ok(Value::Int(if moment.subsec_nanosecond() < 0 {
                seconds.saturating_sub(1)
            } else {
                seconds
            }))
        }
        _ => call.refuse(),
    }
}

pub(super) fn to_uint(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [value @ Value::Uint(_)] => Ok(value.clone()),
        [Value::Int(value)] => match u64::try_from(*value) {
            Ok(value) => Ok(Value::Uint(value)),
            Err(_) => out_of_range(call, &Type::Uint),
        },
        [Value::Double(value)] if *value >= 0.0 && *value < TWO_TO_64 => {
            Ok(Value::Uint(*value as u64))
        }
        [Value::Double(_)] => out_of_range(call, &Type::Uint),
        [Value::String(text)] => {
            call.fuel.spend_text(text.len())?;
            match text.parse() {
                Ok(value) if !text.starts_with('+') => Ok(Value::Uint(value)),
                _ => unreadable(text, &Type::Uint),
            }
        }
        _ => call.refuse(),
    }
}

pub(super) fn to_double(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [value @ Value::Double(_)] => Ok(value.clone()),
        [Value::Int(value)] => Ok(Value::Double(*value as f64)),
        [Value::Uint(value)] => Ok(Value::Double(*value as f64)),
        [Value::String(text)] => {
            call.fuel.spend_text(text.len())?;
            match text.parse::<f64>() {
                // Digits that come out infinite were too large; the word for it was meant.
                Ok(value) if value.is_infinite() && text.contains(|c: char| c.is_ascii_digit()) => {
                    out_of_range(call, &Type::Double)
                }
                Ok(value) => Ok(Value::Double(value)),
                Err(_) => unreadable(text, &Type::Double),
            }
        }
        _ => call.refuse(),
    }
}

pub(super) fn to_text(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [value @ Value::String(_)] => Ok(value.clone()),
        [Value::Bool(value)] => Ok(Value::from(value.to_string())),
        [Value::Int(value)] => Ok(Value::from(value.to_string())),
        [Value::Uint(value)] => Ok(Value::from(value.to_string())),
        [Value::Double(value)] => Ok(Value::from(double_text(*value))),
        [Value::Duration(value)] => Ok(Value::from(duration_text(*value))),
        [Value::Timestamp(value)] => Ok(Value::from(timestamp_text(*value))),
        [Value::Bytes(bytes)] => {
            call.fuel.spend_text(bytes.len())?;
            match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Value::from(text)),
                Err(error) => {
                    let at = error.valid_up_to();
                    Err(EvaluationError::invalid(format!(
                        "the bytes are not text in UTF-8: see byte {at}"
                    )))
                }
            }
        }
        _ => call.refuse(),
    }
}

pub(super) fn to_bytes(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [value @ Value::Bytes(_)] => Ok(value.clone()),
        [Value::String(text)] => {
            call.fuel.spend_text(text.len())?;
            Ok(Value::from(text.as_bytes()))
        }
        _ => call.refuse(),
    }
}

pub(super) fn to_duration(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [value @ Value::Duration(_)] => Ok(value.clone()),
        [Value::String(text)] => {
            call.fuel.spend_text(text.len())?;
            parse_duration(text).map(Value::Duration)
        }
        _ => call.refuse(),
    }
}

pub(super) fn to_timestamp(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [value @ Value::Timestamp(_)] => Ok(value.clone()),
        [Value::String(text)] => {
            call.fuel.spend_text(text.len())?;
            parse_timestamp(text).map(Value::Timestamp)
        }
        [Value::Int(seconds)] => match Timestamp::from_second(*seconds).ok().filter(in_range) {
            Some(moment) => Ok(Value::Timestamp(moment)),
            None => out_of_range(call, &Type::Timestamp),
        },
        _ => call.refuse(),
    }
}

pub(super) fn to_dyn(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [value] => Ok(value.clone()),
        _ => call.refuse(),
    }
}

pub(super) fn type_of(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [value] => Ok(Value::Type(value.value_type())),
        _ => call.refuse(),
    }
}

fn out_of_range(call: &Call<'_>, wanted: &Type) -> Outcome {
    let name = symbol(call.function);
    let values: Vec<String> = call.arguments.iter().map(ToString::to_string).collect();
    let values = shortened(&values.join(", "));
    Err(EvaluationError::new(
        EvaluationErrorKind::Overflow,
        format!("`{name}({values})` leaves the range of `{wanted}`"),
    ))
}

fn unreadable<T>(text: &str, wanted: &Type) -> Result<T, EvaluationError> {
    let text = shortened(text);
    let wanted = type_name(wanted);
    Err(EvaluationError::invalid(format!(
        "`{text}` does not read as `{wanted}`"
    )))
}

/// Enough of a text to recognise it by in a message.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;
/// A message quotes at most this many characters.
const QUOTED: usize = 64;
