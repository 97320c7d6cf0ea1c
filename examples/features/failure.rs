//! What a person reads when it cannot go on.

use std::fmt;

/// One sentence that names the culprit.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// A failure with a message.
pub(crate) fn fail(message: impl Into<String>) -> Failure {
    Failure(message.into())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<noops_core::Error> for Failure {
    fn from(error: noops_core::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self(message)
    }
}
