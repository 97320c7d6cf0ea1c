use std::fmt;
use std::str::FromStr;

use arrow_schema::DataType;
use serde::{Deserialize, Serialize};

use super::invalid;
use crate::error::DriftError;

/// A type a column may have: one Arrow type, or a kind of types.
///
/// It is written as text: the name of a [`TypeKind`], or an Arrow type as Arrow displays it, such as `Float64`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ColumnType {
    /// Any type of the kind.
    Kind(TypeKind),
    /// Exactly this Arrow type.
    Arrow(DataType),
}

/// Types that hold the same kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypeKind {
    /// Floating point numbers and integers.
    Number,
    /// Texts, plain or in a dictionary.
    Text,
    /// Booleans.
    Boolean,
    /// Dates and timestamps.
    Time,
}

impl TypeKind {
    /// The kind of an Arrow type; nothing for a type that is none of them.
    #[must_use]
    pub fn of(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Float16
            | DataType::Float32
            | DataType::Float64
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64 => Some(Self::Number),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Self::Text),
            DataType::Dictionary(_, values) => Self::of(values).filter(|kind| *kind == Self::Text),
            DataType::Boolean => Some(Self::Boolean),
            DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64 => Some(Self::Time),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Time => "time",
        }
    }
}

impl ColumnType {
    /// Whether a column of this Arrow type is of this type.
    #[must_use]
    pub fn admits(&self, data_type: &DataType) -> bool {
        match self {
            Self::Kind(kind) => TypeKind::of(data_type) == Some(*kind),
            Self::Arrow(expected) => expected == data_type,
        }
    }
}

impl FromStr for ColumnType {
    type Err = DriftError;

    fn from_str(text: &str) -> Result<Self, DriftError> {
        let kinds = [
            TypeKind::Number,
            TypeKind::Text,
            TypeKind::Boolean,
            TypeKind::Time,
        ];
        if let Some(kind) = kinds.into_iter().find(|kind| kind.name() == text) {
            return Ok(Self::Kind(kind));
        }
        let unknown = || {
            invalid(format!(
                "have a type `{}`; write `number`, `text`, `boolean`, `time` or an Arrow type such as `Float64`",
                text.chars().take(MAX_TYPE_LENGTH).collect::<String>()
            ))
        };
        // Arrow's parser descends into nested types, so a hostile text must not be long.
        if text.len() > MAX_TYPE_LENGTH {
            return Err(unknown());
        }
        DataType::from_str(text)
            .map(Self::Arrow)
            .map_err(|_| unknown())
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => f.write_str(kind.name()),
            Self::Arrow(data_type) => write!(f, "{data_type}"),
        }
    }
}

impl TryFrom<String> for ColumnType {
    type Error = DriftError;

    fn try_from(text: String) -> Result<Self, DriftError> {
        text.parse()
    }
}

impl From<ColumnType> for String {
    fn from(column_type: ColumnType) -> Self {
        column_type.to_string()
    }
}

const MAX_TYPE_LENGTH: usize = 256;
