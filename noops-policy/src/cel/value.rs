use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::map::Map;
use super::types::Type;

mod from;
mod json;
mod literal;
#[cfg(test)]
mod tests;

/// A value of the Common Expression Language.
///
/// Text, lists and maps are shared: a clone costs a reference count. `==` between two values of this type in Rust asks for
/// the same type and content, so that `1`, `1u` and `1.0` differ; the language's own `==` finds them equal.
///
/// `Display` writes the value as the language does: `"text"`, `b"bytes"`, `2u`, `1.0`, `duration("90s")`, `[1, 2]`.
/// Serialised, a whole number is a number, bytes are base64 text, a duration (`90s`), a moment (RFC 3339) and a type are
/// text, and a double that is not finite is null. The keys of a map become text, so that of a map with the keys `1` and
/// `"1"` some readers keep one entry only.
///
/// # Examples
///
/// ```
/// use noops_policy::cel::{Type, Value};
///
/// let value = Value::from(vec![Value::Int(1), Value::Double(2.0), Value::from("a\"b")]);
/// assert_eq!(value.to_string(), r#"[1, 2.0, "a\"b"]"#);
/// assert_eq!(serde_json::to_string(&value)?, r#"[1,2.0,"a\"b"]"#);
/// assert_eq!(value.value_type(), Type::list(Type::Dyn));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number without a sign.
    Uint(u64),
    /// A floating point number, not necessarily finite.
    Double(f64),
    /// Text.
    String(Arc<str>),
    /// A sequence of bytes.
    Bytes(Arc<[u8]>),
    /// A span of time.
    Duration(SignedDuration),
    /// A moment.
    Timestamp(Timestamp),
    /// A list.
    List(Arc<[Value]>),
    /// A map.
    Map(Arc<Map>),
    /// A type as a value.
    Type(Type),
}

impl Value {
    /// The type of this value; of the contents of lists and maps it says nothing.
    pub fn value_type(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Uint(_) => Type::Uint,
            Self::Double(_) => Type::Double,
            Self::String(_) => Type::String,
            Self::Bytes(_) => Type::Bytes,
            Self::Duration(_) => Type::Duration,
            Self::Timestamp(_) => Type::Timestamp,
            Self::List(_) => Type::list(Type::Dyn),
            Self::Map(_) => Type::map(Type::Dyn, Type::Dyn),
            Self::Type(inner) => Type::Type(Box::new(inner.clone())),
        }
    }
}
