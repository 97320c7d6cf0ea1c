//! Parameters of requests, tensors and answers.

use std::collections::BTreeMap;

#[cfg(feature = "http")]
use super::error::{Code, ProtocolError};

/// A value that the protocol does not interpret, or that an extension does.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// True or false.
    Bool(bool),
    /// An integer that fits 64 signed bits.
    Int64(i64),
    /// An integer that only fits 64 unsigned bits, or was sent as such.
    Uint64(u64),
    /// A number with a fraction.
    Double(f64),
    /// Text.
    Text(String),
}

impl Parameter {
    /// The truth value, when it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The whole number, when it is one and not negative.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Int64(value) => u64::try_from(*value).ok(),
            Self::Uint64(value) => Some(*value),
            _ => None,
        }
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(value) => Some(value),
            _ => None,
        }
    }
}

/// Parameters by name.
pub type Parameters = BTreeMap<String, Parameter>;

/// Refuses parameters of a tensor that would change the answer and that this server does not follow.
#[cfg(feature = "http")]
pub(super) fn followed<'a>(
    tensor: &str,
    mut names: impl Iterator<Item = &'a str>,
) -> Result<(), ProtocolError> {
    match names.find(|name| ["shared_memory_region", "classification"].contains(name)) {
        None => Ok(()),
        Some(name) => Err(ProtocolError::new(
            Code::Unimplemented,
            format!(
                "tensor `{tensor}` asks for `{name}`, an extension that this server does not speak"
            ),
        )),
    }
}
