use super::super::{Call, Outcome};
use super::{place, spend_search};
use crate::cel::value::Value;

pub(in super::super) fn contains(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::String(text), Value::String(part)] => {
            spend_search(call.fuel, text, part)?;
            Ok(Value::Bool(text.contains(&**part)))
        }
        _ => call.refuse(),
    }
}

pub(in super::super) fn starts_with(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::String(text), Value::String(part)] => {
            call.fuel.spend_text(part.len())?;
            Ok(Value::Bool(text.starts_with(&**part)))
        }
        _ => call.refuse(),
    }
}

pub(in super::super) fn ends_with(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::String(text), Value::String(part)] => {
            call.fuel.spend_text(part.len())?;
            Ok(Value::Bool(text.ends_with(&**part)))
        }
        _ => call.refuse(),
    }
}

/// Whether the regular expression is found anywhere in the text. It takes time linear in the text, whatever the expression.
pub(in super::super) fn matches(call: &mut Call<'_>) -> Outcome {
    match call.arguments {
        [Value::String(text), Value::String(pattern)] => {
            let text_units = text.len().saturating_add(1).div_ceil(10);
            let pattern_units = pattern.len().div_ceil(4);
            call.fuel
                .spend_elements(text_units.saturating_mul(pattern_units))?;
            let regex = call.patterns.compiled(pattern)?;
            Ok(Value::Bool(regex.is_match(text)))
        }
        _ => call.refuse(),
    }
}

/// In characters, from the start or from a place on; -1 when it is not there.
pub(in super::super) fn index_of(call: &mut Call<'_>) -> Outcome {
    let (text, part, from) = match call.arguments {
        [Value::String(text), Value::String(part)] => (text, part, 0),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, *from),
        _ => return call.refuse(),
    };
    spend_search(call.fuel, text, part)?;
    let start = place(text, from)?;
    let found = text
        .get(start..)
        .and_then(|rest| rest.find(&**part))
        .and_then(|at| text.get(..start.saturating_add(at)));
    Ok(count(found))
}

/// In characters, the last one that begins no later than a place; -1 when it is not there.
pub(in super::super) fn last_index_of(call: &mut Call<'_>) -> Outcome {
    let (text, part, from) = match call.arguments {
        [Value::String(text), Value::String(part)] => (text, part, None),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, Some(*from)),
        _ => return call.refuse(),
    };
    spend_search(call.fuel, text, part)?;
    let last = match from {
        Some(from) => place(text, from)?,
        None => text.len(),
    };
    let end = text.len().min(last.saturating_add(part.len()));
    // The end may fall into a character, when what begins at `last` is not the part sought.
    let end = text.floor_char_boundary(end);
    let found = text
        .get(..end)
        .and_then(|head| head.rfind(&**part))
        .and_then(|at| text.get(..at));
    Ok(count(found))
}

fn count(head: Option<&str>) -> Value {
    let characters = head.map(|head| i64::try_from(head.chars().count()).unwrap_or(i64::MAX));
    Value::Int(characters.unwrap_or(-1))
}
