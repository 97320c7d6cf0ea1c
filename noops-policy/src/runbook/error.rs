use std::fmt;

use noops_core::Digest;

use crate::error::Position;

/// Why a runbook, or the state of a run, was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunbookError {
    /// A document that was refused.
    Document {
        /// The name of the source, as given to `load`.
        source: String,
        /// The place in the source, where it is known.
        at: Option<Position>,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A run without a name.
    NoRunId,
    /// The state of a run of another runbook, or of another edition of it.
    OtherRunbook {
        /// The digest of the runbook of the state.
        state: Digest,
        /// The digest of the runbook that was given.
        runbook: Digest,
    },
    /// A state that no run can be in.
    State {
        /// What is wrong with it.
        problem: String,
    },
}

impl fmt::Display for RunbookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
            Self::NoRunId => write!(
                f,
                "the run has no id; name it, and never name two runs alike"
            ),
            Self::OtherRunbook { state, runbook } => write!(
                f,
                "the state is of runbook `{}` and was given `{}`; resume it with the edition that it began with",
                state.short(),
                runbook.short()
            ),
            Self::State { problem } => write!(
                f,
                "no run can be in this state: {problem}; begin a new run after a person has looked"
            ),
        }
    }
}

impl std::error::Error for RunbookError {}
