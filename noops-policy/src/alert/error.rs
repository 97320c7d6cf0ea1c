use std::fmt;

use crate::error::Position;

/// Why an alerting configuration, a matcher, a silence or a stored state was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlertError {
    /// Text that is not a fingerprint.
    Fingerprint {
        /// The text, cut short.
        text: String,
    },
    /// A matcher that cannot work.
    Matcher {
        /// The matcher as written, cut short.
        text: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A silence that cannot work.
    Silence {
        /// What is wrong and what to do.
        problem: String,
    },
    /// A configuration that was refused.
    Config {
        /// The name of the source, as given.
        source: String,
        /// The place in the source, where it is known.
        at: Option<Position>,
        /// What is wrong and what to do.
        problem: String,
    },
    /// An alert rule that would page without saying what to do or who answers.
    Rule {
        /// The name of the rule.
        rule: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A stored router that contradicts itself.
    State {
        /// What is wrong.
        problem: String,
    },
}

impl fmt::Display for AlertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fingerprint { text } => write!(
                f,
                "a fingerprint must be 32 lower-case hex digits, not `{text}`"
            ),
            Self::Matcher { text, problem } => write!(f, "matcher `{text}`: {problem}"),
            Self::Silence { problem } => write!(f, "silence: {problem}"),
            Self::Config {
                source,
                at: Some(at),
                problem,
            } => write!(f, "`{source}`:{at}: {problem}"),
            Self::Config {
                source,
                at: None,
                problem,
            } => write!(f, "`{source}`: {problem}"),
            Self::Rule { rule, problem } => write!(f, "alert rule `{rule}`: {problem}"),
            Self::State { problem } => write!(f, "the stored alert router: {problem}"),
        }
    }
}

impl std::error::Error for AlertError {}
