use std::fmt;

use crate::error::Position;

/// Why an imported document was refused; nothing of the file is taken then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportError {
    /// A key that the format does not have.
    UnknownKey {
        /// The name of the file, as given to the import.
        source: String,
        /// Where the key stands.
        at: Option<Position>,
        /// The key as written.
        key: String,
        /// The part of the document that it stands in.
        inside: String,
        /// The key of the format that is nearest to it, if one is near.
        suggestion: Option<String>,
    },
    /// Anything else that is wrong with the file.
    Document {
        /// The name of the file, as given to the import.
        source: String,
        /// The place in the file, where it is known.
        at: Option<Position>,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl ImportError {
    pub(super) fn at(source: &str, at: Option<Position>, problem: String) -> Self {
        Self::Document {
            source: source.to_owned(),
            at,
            problem,
        }
    }

    /// The place in the file, where it is known.
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::UnknownKey { at, .. } | Self::Document { at, .. } => *at,
        }
    }

    /// The name of the file, as given to the import.
    pub fn file(&self) -> &str {
        match self {
            Self::UnknownKey { source, .. } | Self::Document { source, .. } => source,
        }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position() {
            Some(at) => write!(f, "`{}`:{at}: ", self.file())?,
            None => write!(f, "`{}`: ", self.file())?,
        }
        match self {
            Self::UnknownKey {
                key,
                inside,
                suggestion,
                ..
            } => {
                write!(f, "unknown key `{key}` in `{inside}`")?;
                match suggestion {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => write!(f, "; remove it"),
                }
            }
            Self::Document { problem, .. } => f.write_str(problem),
        }
    }
}

impl std::error::Error for ImportError {}
