use std::fmt;

use crate::error::Position;

/// Why a time interval or a maintenance window was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduleError {
    /// A value that cannot be read.
    Value {
        /// The field, as documents write it.
        field: &'static str,
        /// The value as it was given.
        value: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A time zone that the bundled database does not hold.
    TimeZone {
        /// The name as it was given.
        name: String,
        /// The name nearest to it, if one is near.
        suggestion: Option<String>,
    },
    /// An interval or a window that no moment lies in.
    Never {
        /// Why there is no such moment.
        problem: String,
    },
    /// More entries than are read.
    TooMany {
        /// The field, as documents write it.
        field: &'static str,
        /// The greatest number of entries.
        most: usize,
    },
    /// A document that was refused.
    Document {
        /// The name of the source.
        source: String,
        /// The place in the source, where it is known.
        at: Option<Position>,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl ScheduleError {
    pub(crate) fn value(field: &'static str, value: &str, problem: impl Into<String>) -> Self {
        Self::Value {
            field,
            value: value.chars().take(MAX_ECHO).collect(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value {
                field,
                value,
                problem,
            } => write!(f, "`{field}`: `{value}` {problem}"),
            Self::TimeZone { name, suggestion } => {
                write!(f, "`location`: unknown time zone `{name}`")?;
                match suggestion {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => write!(f, "; use an IANA name such as `Europe/Vienna`"),
                }
            }
            Self::Never { problem } => write!(f, "no moment lies in it: {problem}"),
            Self::TooMany { field, most } => {
                write!(
                    f,
                    "`{field}` has more than `{most}` entries; merge some of them"
                )
            }
            Self::Document {
                source,
                at: Some(at),
                problem,
            } => write!(f, "`{source}`:{at}: {problem}"),
            Self::Document {
                source,
                at: None,
                problem,
            } => write!(f, "`{source}`: {problem}"),
        }
    }
}

impl std::error::Error for ScheduleError {}

/// A message repeats at most this many characters of what it was given.
const MAX_ECHO: usize = 64;
