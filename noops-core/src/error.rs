//! The one error of everything that talks to the outside.

use std::error::Error as StdError;
use std::fmt;

/// What went wrong, in the terms a caller acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The thing asked for does not exist.
    NotFound,
    /// It existed and was deleted on purpose: do not look for it again.
    Gone,
    /// Somebody else changed it first, or it exists with other content: read again, then decide.
    Conflict,
    /// Somebody else holds the lease now: stop acting, and acquire it again.
    Fenced,
    /// The request itself is wrong and will be wrong next time: fix the caller or its input.
    Invalid,
    /// Stored bytes are not what was stored: do not use them, call a person.
    Corrupt,
    /// The credentials were not accepted: fetch a fresh secret, and retry once.
    Unauthorised,
    /// The work was refused to protect what is already running: shed or come back later.
    Overloaded,
    /// A dependency failed or cannot be reached: retry with backoff.
    Unavailable,
}

/// An error of a registry, a store, a feature source, an executor, a trainer or a notifier.
///
/// # Examples
///
/// ```
/// use noops_core::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::NotFound, "load artifact", "no such artifact").with("digest", "1f2e");
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert!(!error.is_retryable());
/// assert_eq!(error.to_string(), "cannot load artifact: no such artifact (digest `1f2e`)");
/// ```
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    operation: &'static str,
    message: String,
    context: Vec<(&'static str, String)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of an operation, named by a verb phrase such as `load artifact`.
    #[must_use]
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            operation,
            message: message.into(),
            context: Vec::new(),
            source: None,
        }
    }

    /// Adds a named value that helps to find the culprit.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.context.push((key, value.to_string()));
        self
    }

    /// Attaches the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What a caller should act on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The operation that failed.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Overloaded | ErrorKind::Unavailable)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.operation, self.message)?;
        for (index, (key, value)) in self.context.iter().enumerate() {
            write!(f, "{}{key} `{value}`", if index == 0 { " (" } else { ", " })?;
        }
        if self.context.is_empty() {
            Ok(())
        } else {
            f.write_str(")")
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
