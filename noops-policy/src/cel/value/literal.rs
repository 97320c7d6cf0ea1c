use std::fmt::{self, Write as _};

use super::Value;
use crate::cel::library::notation::{double_text, duration_text, timestamp_text};
use crate::cel::library::type_name;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Uint(value) => write!(f, "{value}u"),
            Self::Double(value) => write_double(f, *value),
            Self::String(text) => write_text(f, text),
            Self::Bytes(bytes) => write_bytes(f, bytes),
            Self::Duration(value) => write!(f, "duration(\"{}\")", duration_text(*value)),
            Self::Timestamp(value) => write!(f, "timestamp(\"{}\")", timestamp_text(*value)),
            Self::List(items) => {
                f.write_char('[')?;
                for (at, item) in items.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { ", " })?;
                    write!(f, "{item}")?;
                }
                f.write_char(']')
            }
            Self::Map(map) => {
                f.write_char('{')?;
                for (at, (key, value)) in map.entries().enumerate() {
                    f.write_str(if at == 0 { "" } else { ", " })?;
                    write!(f, "{key}: {value}")?;
                }
                f.write_char('}')
            }
            Self::Type(inner) => f.write_str(type_name(inner)),
        }
    }
}

/// As a literal where there is one: a whole double keeps a fraction, so that it reads back as a double.
fn write_double(f: &mut fmt::Formatter<'_>, value: f64) -> fmt::Result {
    if !value.is_finite() {
        return write!(f, "double(\"{}\")", double_text(value));
    }
    let text = double_text(value);
    f.write_str(&text)?;
    f.write_str(if text.contains(['.', 'e']) { "" } else { ".0" })
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control))?,
            plain => f.write_char(plain)?,
        }
    }
    f.write_char('"')
}

fn write_bytes(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("b\"")?;
    for byte in bytes {
        match byte {
            b'"' => f.write_str("\\\"")?,
            b'\\' => f.write_str("\\\\")?,
            0x20..=0x7e => f.write_char(char::from(*byte))?,
            _ => write!(f, "\\x{byte:02x}")?,
        }
    }
    f.write_char('"')
}
