use std::fmt;

use crate::error::Position;

/// Why a Rego policy was refused, or could not say true or false.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RegoError {
    /// A source that was refused.
    Source {
        /// The name of the source, as given to `load`.
        source: String,
        /// The place in the source, where it is known.
        at: Option<Position>,
        /// What is wrong and what to do.
        problem: String,
    },
    /// An entry point that no rule defines, or that does not compile.
    Entrypoint {
        /// The path as it was given.
        entrypoint: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A rule whose value is neither true nor false.
    NotBoolean {
        /// The path of the rule.
        entrypoint: String,
        /// The type of its value.
        found: String,
    },
    /// An evaluation that came to no value.
    Evaluation {
        /// The path of the rule.
        entrypoint: String,
        /// What went wrong.
        problem: String,
    },
}

impl RegoError {
    /// A message of the parser, which begins with the place: `--> name:line:column`, and ends with the problem.
    pub(super) fn foreign(source: &str, message: &str) -> Self {
        let at = message
            .lines()
            .find_map(|line| line.strip_prefix("--> "))
            .and_then(|place| {
                let mut parts = place.rsplitn(3, ':');
                let column = parts.next()?.trim().parse().ok()?;
                let line = parts.next()?.parse().ok()?;
                Some(Position::new(line, column))
            });
        Self::Source {
            source: source.to_owned(),
            at,
            problem: last_line(message),
        }
    }
}

impl fmt::Display for RegoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source {
                source,
                at: Some(at),
                problem,
            } => write!(f, "`{source}`:{at}: {problem}"),
            Self::Source {
                source,
                at: None,
                problem,
            } => write!(f, "`{source}`: {problem}"),
            Self::Entrypoint {
                entrypoint,
                problem,
            } => write!(f, "entry point `{entrypoint}`: {problem}"),
            Self::NotBoolean { entrypoint, found } => write!(
                f,
                "entry point `{entrypoint}`: value is of type `{found}`; make the rule true or false"
            ),
            Self::Evaluation {
                entrypoint,
                problem,
            } => write!(
                f,
                "entry point `{entrypoint}`: evaluation failed: {problem}"
            ),
        }
    }
}

impl std::error::Error for RegoError {}

/// The last line that says something, without `error:` before it.
pub(super) fn last_line(message: &str) -> String {
    let line = message
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or(message);
    line.trim()
        .strip_prefix("error: ")
        .unwrap_or(line.trim())
        .to_owned()
}
