use std::fmt;

use crate::error::Position;

/// Why a control, a query or a mapping was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GovernanceError {
    /// A control without an id or a title.
    Control {
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// A query that can find nothing, or anything.
    Query {
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// A document that was refused.
    Document {
        /// The name of the source, as given to `load`.
        source: String,
        /// The place in the source, where it is known.
        at: Option<Position>,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl fmt::Display for GovernanceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control { problem } => write!(f, "the control cannot be used: {problem}"),
            Self::Query { problem } => write!(f, "the query cannot be used: {problem}"),
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

impl std::error::Error for GovernanceError {}
