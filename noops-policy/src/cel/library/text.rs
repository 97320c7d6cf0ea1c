use std::sync::Arc;

use super::{Call, Outcome};
use crate::cel::eval::{EvaluationError, EvaluationErrorKind, Fuel};
use crate::cel::value::Value;

mod search;

pub(super) use search::{contains, ends_with, index_of, last_index_of, matches, starts_with};

pub(super) fn char_at(call: &mut Call<'_>) -> Outcome {
    let [Value::String(text), Value::Int(at)] = call.arguments else {
        return call.refuse();
    };
    call.fuel.spend_text(text.len())?;
    // Behind the last character there is nothing, which is no error.
    let from = place(text, *at)?;
    let character = text.get(from..).and_then(|rest| rest.chars().next());
    Ok(Value::from(character.map(String::from).unwrap_or_default()))
}

pub(super) fn substring(call: &mut Call<'_>) -> Outcome {
    let (text, start, end) = match call.arguments {
        [Value::String(text), Value::Int(start)] => (text, start, None),
        [Value::String(text), Value::Int(start), Value::Int(end)] => (text, start, Some(end)),
        _ => return call.refuse(),
    };
    call.fuel.spend_text(text.len())?;
    let from = place(text, *start)?;
    let to = match end {
        Some(end) => place(text, *end)?,
        None => text.len(),
    };
    match text.get(from..to) {
        Some(part) => Ok(Value::from(part)),
        None => Err(EvaluationError::invalid(
            "`substring` ends before it starts; swap its arguments",
        )),
    }
}

pub(super) fn join(call: &mut Call<'_>) -> Outcome {
    let (items, separator) = match call.arguments {
        [Value::List(items)] => (items, ""),
        [Value::List(items), Value::String(separator)] => (items, &**separator),
        _ => return call.refuse(),
    };
    call.fuel.spend_elements(items.len())?;
    let mut joined = String::new();
    for (at, item) in items.iter().enumerate() {
        let Value::String(item) = item else {
            return call.refuse();
        };
        let separator = if at == 0 { "" } else { separator };
        call.fuel
            .spend_text(item.len().saturating_add(separator.len()))?;
        joined.push_str(separator);
        joined.push_str(item);
    }
    Ok(Value::from(joined))
}

pub(super) fn replace(call: &mut Call<'_>) -> Outcome {
    let (text, old, new, limit) = match call.arguments {
        [Value::String(text), Value::String(old), Value::String(new)] => (text, old, new, -1),
        [
            Value::String(text),
            Value::String(old),
            Value::String(new),
            Value::Int(limit),
        ] => (text, old, new, *limit),
        _ => return call.refuse(),
    };
    call.fuel.spend_text(text.len())?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let found = text.matches(&**old).take(limit).count();
    call.fuel
        .spend_text(text.len().saturating_add(found.saturating_mul(new.len())))?;
    Ok(Value::from(text.replacen(&**old, new, limit)))
}

pub(super) fn split(call: &mut Call<'_>) -> Outcome {
    let (text, separator, limit) = match call.arguments {
        [Value::String(text), Value::String(separator)] => (text, separator, -1),
        [
            Value::String(text),
            Value::String(separator),
            Value::Int(limit),
        ] => (text, separator, *limit),
        _ => return call.refuse(),
    };
    call.fuel.spend_text(text.len())?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let parts: Box<dyn Iterator<Item = &str>> = if separator.is_empty() {
        Box::new(characters(text, limit))
    } else {
        Box::new(text.splitn(limit, &**separator))
    };
    let mut items: Vec<Value> = Vec::new();
    for part in parts {
        call.fuel.spend(1)?;
        call.fuel.spend_text(part.len())?;
        items.push(Value::from(part));
    }
    Ok(Value::List(Arc::from(items)))
}

pub(super) fn lower_ascii(call: &mut Call<'_>) -> Outcome {
    changed(call, |text| text.to_ascii_lowercase())
}

pub(super) fn upper_ascii(call: &mut Call<'_>) -> Outcome {
    changed(call, |text| text.to_ascii_uppercase())
}

pub(super) fn trim(call: &mut Call<'_>) -> Outcome {
    changed(call, |text| text.trim().to_owned())
}

pub(super) fn reverse(call: &mut Call<'_>) -> Outcome {
    changed(call, |text| text.chars().rev().collect())
}

/// The text in double quotes, with escapes for the quote, the backslash and the controls that have one.
pub(super) fn quote(call: &mut Call<'_>) -> Outcome {
    changed(call, |text| {
        let mut quoted = String::with_capacity(text.len().saturating_add(2));
        quoted.push('"');
        for character in text.chars() {
            match character {
                '\u{7}' => quoted.push_str("\\a"),
                '\u{8}' => quoted.push_str("\\b"),
                '\u{b}' => quoted.push_str("\\v"),
                '\u{c}' => quoted.push_str("\\f"),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '\t' => quoted.push_str("\\t"),
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                plain => quoted.push(plain),
            }
        }
        quoted.push('"');
        quoted
    })
}

/// Pays for text of about the size of the argument, then makes it.
fn changed(call: &mut Call<'_>, change: fn(&str) -> String) -> Outcome {
    match call.arguments {
        [Value::String(text)] => {
            call.fuel.spend_text(text.len())?;
            Ok(Value::from(change(text)))
        }
        _ => call.refuse(),
    }
}

/// The characters one by one, the last of `limit` parts with all the rest.
fn characters(text: &str, limit: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let mut left = limit;
    std::iter::from_fn(move || {
        if rest.is_empty() || left == 0 {
            return None;
        }
        left = left.saturating_sub(1);
        let length = match rest.chars().next() {
            Some(character) if left > 0 => character.len_utf8(),
            _ => rest.len(),
        };
        let (part, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(part)
    })
}

/// The byte at which the character `at` begins; one behind the last is the end.
fn place(text: &str, at: i64) -> Result<usize, EvaluationError> {
    usize::try_from(at)
        .ok()
        .and_then(|at| {
            text.char_indices()
                .map(|(byte, _)| byte)
                .chain([text.len()])
                .nth(at)
        })
        .ok_or_else(|| {
            let length = text.chars().count();
            EvaluationError::new(
                EvaluationErrorKind::IndexOutOfBounds,
                format!("there is no place `{at}` in a text of {length} characters"),
            )
        })
}

/// Pays for reading both texts, one within the other.
fn spend_search(fuel: &mut Fuel, text: &str, part: &str) -> Result<(), EvaluationError> {
    fuel.spend_text(text.len())?;
    fuel.spend_text(part.len())
}
