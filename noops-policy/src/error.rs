use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cel::error::CelError;
use crate::fact::FactType;

/// A one-based place in a text: line, and column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    line: u64,
    column: u64,
}

impl Position {
    pub(crate) fn new(line: u64, column: u64) -> Self {
        Self { line, column }
    }

    /// The place of byte `offset` in `text`; an offset past the end is the end.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let mut line = 1;
        let mut column = 1;
        for (at, character) in text.char_indices() {
            if at >= offset {
                break;
            }
            if character == '\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        Self { line, column }
    }

    /// The line, starting at 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The column in characters, starting at 1.
    pub fn column(&self) -> u64 {
        self.column
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Why a schema, a fact, a condition or a policy document was refused.
///
/// Everything that can be wrong with a policy is found when it is loaded: deciding never fails.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PolicyError {
    /// A fact is declared in a way that cannot work.
    InvalidFact {
        /// The declared name.
        name: String,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// A name that the schema does not declare.
    UnknownFact {
        /// The name as it was given.
        name: String,
        /// The declared name nearest to it, if one is near.
        suggestion: Option<String>,
    },
    /// A value whose type is not the declared one.
    WrongType {
        /// The fact.
        name: String,
        /// The declared type.
        expected: FactType,
        /// The type of the value that was given.
        found: FactType,
    },
    /// A condition that does not parse, does not type-check, or can only ever have one value.
    Condition {
        /// The place inside the condition.
        at: Position,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A policy document that was refused.
    Document {
        /// The name of the source, as given to `load`.
        source: String,
        /// The place in the source, where it is known.
        at: Option<Position>,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl PolicyError {
    pub(crate) fn in_expression(source: &str, error: CelError) -> Self {
        Self::Condition {
            at: Position::of(source, error.at),
            problem: error.problem,
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidFact { name, problem } => write!(f, "fact `{name}`: {problem}"),
            Self::UnknownFact { name, suggestion } => {
                write!(f, "unknown fact `{name}`")?;
                match suggestion {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => write!(f, "; declare it in the fact schema"),
                }
            }
            Self::WrongType {
                name,
                expected,
                found,
            } => write!(
                f,
                "fact `{name}` is declared as {expected} and was given a {found} value"
            ),
            Self::Condition { at, problem } => write!(f, "at {at} of the condition: {problem}"),
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

impl std::error::Error for PolicyError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_not_bytes() {
        assert_eq!(Position::of("aé\nbc", 0), Position::new(1, 1));
        assert_eq!(Position::of("aé\nbc", 3), Position::new(1, 3));
        assert_eq!(Position::of("aé\nbc", 5), Position::new(2, 2));
        assert_eq!(Position::of("ab", 99), Position::new(1, 3));
    }

    #[test]
    fn messages_name_the_culprit() {
        let error = PolicyError::UnknownFact {
            name: "drift.pssi".to_owned(),
            suggestion: Some("drift.psi".to_owned()),
        };
        assert_eq!(
            error.to_string(),
            "unknown fact `drift.pssi`; did you mean `drift.psi`?"
        );
    }
}
