use std::str::Chars;

use super::notation::{duration_text, timestamp_text, with_padded_exponent};
use super::{Call, Outcome, type_name};
use crate::cel::eval::{EvaluationError, EvaluationErrorKind, Fuel};
use crate::cel::value::Value;

/// `text.format(values)`: `%s`, `%d`, `%f`, `%e`, `%b`, `%o`, `%x`, `%X` and `%%`, with a precision for `%f` and `%e`.
pub(super) fn format(call: &mut Call<'_>) -> Outcome {
    let [Value::String(template), Value::List(values)] = call.arguments else {
        return call.refuse();
    };
    call.fuel.spend_text(template.len())?;
    let mut output = Output {
        text: String::new(),
        paid: 0,
        fuel: call.fuel,
    };
    let mut values = Numbered { values, next: 0 };
    let mut rest = template.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            output.push_character(character)?;
            continue;
        }
        let clause = Clause::read(&mut rest)?;
        if clause.letter == '%' {
            output.push_character('%')?;
        } else {
            clause.write(values.next()?, &mut output)?;
        }
    }
    Ok(Value::from(output.text))
}

/// `%.3f` without its percent sign.
struct Clause {
    precision: Option<usize>,
    letter: char,
}

impl Clause {
    fn read(rest: &mut Chars<'_>) -> Result<Self, EvaluationError> {
        let mut letter = rest.next();
        let mut precision = None;
        if letter == Some('.') {
            let digits: &str = rest.as_str();
            let length = digits
                .find(|character: char| !character.is_ascii_digit())
                .unwrap_or(digits.len());
            let (digits, after) = digits.split_at_checked(length).unwrap_or((digits, ""));
            let wanted = digits.parse().ok().filter(|digits| *digits <= MOST_DIGITS);
            precision = Some(wanted.ok_or_else(|| {
                EvaluationError::invalid(format!(
                    "`format` takes a precision of at most {MOST_DIGITS} digits, as in `%.3f`"
                ))
            })?);
            *rest = after.chars();
            letter = rest.next();
        }
        match letter {
            Some('%') if precision.is_none() => Ok(Self {
                precision,
                letter: '%',
            }),
            // Only `%f` and `%e` have a use for a precision; the others pass over it, as in cel-go.
            Some(letter @ ('s' | 'd' | 'f' | 'e' | 'b' | 'o' | 'x' | 'X')) => {
                Ok(Self { precision, letter })
            }
            Some(letter) => Err(EvaluationError::invalid(format!(
                "`format` has no `%{letter}`; write `%s`, `%d`, `%f`, `%e`, `%b`, `%o`, `%x` or `%X`, and `%%` for `%`"
            ))),
            None => Err(EvaluationError::invalid(
                "`format` ends in the middle of a clause; write `%%` for `%`",
            )),
        }
    }

    fn write(&self, value: &Value, output: &mut Output<'_>) -> Result<(), EvaluationError> {
        match self.letter {
            's' => plain(value, output),
            'd' => self.decimal(value, output),
            'f' | 'e' => self.fraction(value, output),
            'x' | 'X' => self.hexadecimal(value, output),
            _ => self.digits(value, output),
        }
    }

    fn decimal(&self, value: &Value, output: &mut Output<'_>) -> Result<(), EvaluationError> {
        match value {
            Value::Int(value) => output.push(&value.to_string()),
            Value::Uint(value) => output.push(&value.to_string()),
            Value::Double(value) => output.push(&positional(*value)),
            _ => Err(self.refuse(value)),
        }
    }

    fn fraction(&self, value: &Value, output: &mut Output<'_>) -> Result<(), EvaluationError> {
        let number = match value {
            Value::Double(value) => *value,
            Value::Int(value) => *value as f64,
            Value::Uint(value) => *value as f64,
            _ => return Err(self.refuse(value)),
        };
        let precision = self.precision.unwrap_or(USUAL_DIGITS);
        if !number.is_finite() {
            output.push(&positional(number))
        } else if self.letter == 'f' {
            output.push(&format!("{number:.precision$}"))
        } else {
            output.push(&with_padded_exponent(&format!("{number:.precision$e}")))
        }
    }

    /// In binary or octal.
    fn digits(&self, value: &Value, output: &mut Output<'_>) -> Result<(), EvaluationError> {
        let (sign, magnitude) = match value {
            Value::Int(value) => (if *value < 0 { "-" } else { "" }, value.unsigned_abs()),
            Value::Uint(value) => ("", *value),
            Value::Bool(value) if self.letter == 'b' => ("", u64::from(*value)),
            _ => return Err(self.refuse(value)),
        };
        output.push(&if self.letter == 'b' {
            format!("{sign}{magnitude:b}")
        } else {
            format!("{sign}{magnitude:o}")
        })
    }

    fn hexadecimal(&self, value: &Value, output: &mut Output<'_>) -> Result<(), EvaluationError> {
        let is_upper = self.letter == 'X';
        let (sign, magnitude) = match value {
            Value::Int(value) => (if *value < 0 { "-" } else { "" }, value.unsigned_abs()),
            Value::Uint(value) => ("", *value),
            Value::String(text) => return output.push_octets(text.as_bytes(), is_upper),
            Value::Bytes(bytes) => return output.push_octets(bytes, is_upper),
            _ => return Err(self.refuse(value)),
        };
        output.push(&if is_upper {
            format!("{sign}{magnitude:X}")
        } else {
            format!("{sign}{magnitude:x}")
        })
    }

    fn refuse(&self, value: &Value) -> EvaluationError {
        let letter = self.letter;
        let found = value.value_type();
        let found = type_name(&found);
        EvaluationError::invalid(format!("`format` cannot write `{found}` as `%{letter}`"))
    }
}

/// The values of the clauses, in order.
struct Numbered<'a> {
    values: &'a [Value],
    next: usize,
}

impl<'a> Numbered<'a> {
    fn next(&mut self) -> Result<&'a Value, EvaluationError> {
        let value = self.values.get(self.next).ok_or_else(|| {
            let given = self.values.len();
            EvaluationError::new(
                EvaluationErrorKind::IndexOutOfBounds,
                format!("`format` has more clauses than the {given} values it is given"),
            )
        })?;
        self.next = self.next.saturating_add(1);
        Ok(value)
    }
}

/// The text so far, paid for as it grows.
struct Output<'a> {
    text: String,
    /// Bytes that are paid for.
    paid: usize,
    fuel: &'a mut Fuel,
}

impl Output<'_> {
    fn push(&mut self, text: &str) -> Result<(), EvaluationError> {
        self.pay(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    fn push_character(&mut self, character: char) -> Result<(), EvaluationError> {
        self.pay(character.len_utf8())?;
        self.text.push(character);
        Ok(())
    }

    fn push_octets(&mut self, bytes: &[u8], is_upper: bool) -> Result<(), EvaluationError> {
        self.pay(bytes.len().saturating_mul(2))?;
        for byte in bytes {
            self.text.push_str(&if is_upper {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            });
        }
        Ok(())
    }

    fn pay(&mut self, growth: usize) -> Result<(), EvaluationError> {
        let missing = self
            .text
            .len()
            .saturating_add(growth)
            .saturating_sub(self.paid);
        self.fuel.spend_text(missing)?;
        self.paid = self.paid.saturating_add(missing.next_multiple_of(10));
        Ok(())
    }
}

/// As `%s` writes it: text without quotes, contents of lists and maps likewise, keys in the order of their text.
fn plain(value: &Value, output: &mut Output<'_>) -> Result<(), EvaluationError> {
    match value {
        Value::Null => output.push("null"),
        Value::Bool(value) => output.push(if *value { "true" } else { "false" }),
        Value::Int(value) => output.push(&value.to_string()),
        Value::Uint(value) => output.push(&value.to_string()),
        Value::Double(value) => output.push(&positional(*value)),
        Value::String(text) => output.push(text),
        Value::Bytes(bytes) => output.push(&String::from_utf8_lossy(bytes)),
        Value::Duration(value) => output.push(&duration_text(*value)),
        Value::Timestamp(value) => output.push(&timestamp_text(*value)),
        Value::Type(inner) => output.push(type_name(inner)),
        Value::List(items) => {
            output.push("[")?;
            for (at, item) in items.iter().enumerate() {
                output.push(if at == 0 { "" } else { ", " })?;
                plain(item, output)?;
            }
            output.push("]")
        }
        Value::Map(map) => {
            output.fuel.spend_elements(map.len())?;
            let mut entries: Vec<(String, &Value)> = map
                .entries()
                .map(|(key, value)| (key_text(key), value))
                .collect();
            entries.sort_by(|(left, _), (right, _)| left.cmp(right));
            output.push("{")?;
            for (at, (key, value)) in entries.iter().enumerate() {
                output.push(if at == 0 { "" } else { ", " })?;
                output.push(key)?;
                output.push(": ")?;
                plain(value, output)?;
            }
            output.push("}")
        }
    }
}

fn key_text(key: &Value) -> String {
    match key {
        Value::String(text) => text.to_string(),
        Value::Uint(key) => key.to_string(),
        other => other.to_string(),
    }
}

/// Without an exponent, however long that is.
fn positional(value: f64) -> String {
    if value.is_nan() {
        String::from("NaN")
    } else if value.is_infinite() {
        String::from(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        format!("{value}")
    }
}

/// Digits after the point where no precision is given.
const USUAL_DIGITS: usize = 6;
/// A double has no more digits than this that are not zero.
const MOST_DIGITS: usize = 1_000;
