use std::fmt;

/// Why a setting of the renderers was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RenderError {
    /// A link that is not plain `http` or `https`.
    ExternalUrl {
        /// The start of the text as it was given.
        text: String,
    },
    /// A source that is no URI reference.
    Source {
        /// The start of the text as it was given.
        text: String,
    },
    /// A routing key of another length, or with other characters, than PagerDuty gives out; the key is not repeated.
    RoutingKey {
        /// The length in characters.
        length: usize,
    },
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExternalUrl { text } => write!(
                f,
                "external url `{text}` is not a plain link; begin it with `http://` or `https://`"
            ),
            Self::Source { text } => write!(
                f,
                "source `{text}` is not a uri reference; write visible ascii without blanks"
            ),
            Self::RoutingKey { length } => write!(
                f,
                "routing key has `{length}` characters; copy the `32` letters and digits of the integration"
            ),
        }
    }
}

impl std::error::Error for RenderError {}
