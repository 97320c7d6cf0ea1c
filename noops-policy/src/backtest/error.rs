use std::fmt;

use crate::error::Position;

/// Why a recorded moment was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BacktestError {
    /// A line of a history that cannot be read.
    Line {
        /// The name of the source, as it was given.
        source: String,
        /// The place in the source.
        at: Position,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl fmt::Display for BacktestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line {
                source,
                at,
                problem,
            } => write!(f, "`{source}`:{at}: {problem}"),
        }
    }
}

impl std::error::Error for BacktestError {}
