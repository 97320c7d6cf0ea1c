//! A value of JSON or UBJSON, which are one model to XGBoost.

use std::collections::BTreeMap;

use noops_core::Error;

use crate::model::tree::builder::corrupt;

/// A value that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Document {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Document>),
    /// A list of numbers, as UBJSON packs them.
    Numbers(Vec<f64>),
    Object(BTreeMap<String, Document>),
}

impl Document {
    /// A member of an object.
    pub(super) fn field(&self, name: &'static str) -> Result<&Self, Error> {
        self.find(name)
            .ok_or_else(|| corrupt("a field is missing").with("field", name))
    }

    /// A member of an object, where there is one.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.get(name),
            _ => None,
        }
    }

    /// A field that is a text.
    pub(super) fn text(&self, name: &'static str) -> Result<&str, Error> {
        match self.field(name)? {
            Self::Text(text) => Ok(text),
            _ => Err(wrong_type(name, "a text")),
        }
    }

    /// A field that is a list.
    pub(super) fn list(&self, name: &'static str) -> Result<&[Self], Error> {
        match self.field(name)? {
            Self::List(values) => Ok(values),
            Self::Numbers(values) if values.is_empty() => Ok(&[]),
            _ => Err(wrong_type(name, "a list")),
        }
    }

    /// A field that is a list of numbers, where XGBoost may have written truth values or numbers as text.
    pub(super) fn numbers(&self, name: &'static str) -> Result<Vec<f64>, Error> {
        let numbers = match self.field(name)? {
            Self::Numbers(values) => Some(values.clone()),
            Self::List(values) => values.iter().map(Self::number).collect(),
            _ => None,
        };
        numbers.ok_or_else(|| wrong_type(name, "a list of numbers"))
    }

    /// A field that is a list of integers.
    pub(super) fn integers(&self, name: &'static str) -> Result<Vec<i64>, Error> {
        let integers = self.numbers(name)?.into_iter().map(integer);
        integers
            .collect::<Option<_>>()
            .ok_or_else(|| wrong_type(name, "a list of integers"))
    }

    /// A field that counts something; absent ones count zero.
    pub(super) fn count(&self, name: &'static str) -> Result<usize, Error> {
        let Some(value) = self.find(name) else {
            return Ok(0);
        };
        let count = value.number().and_then(integer);
        count
            .and_then(|count| usize::try_from(count).ok())
            .ok_or_else(|| wrong_type(name, "a count"))
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

fn integer(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
}

fn wrong_type(field: &'static str, expected: &'static str) -> Error {
    corrupt("a field has the wrong type")
        .with("field", field)
        .with("expected", expected)
}
