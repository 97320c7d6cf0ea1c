//! What a client is told when a call fails.

use std::fmt;

use noops_core::{Error, ErrorKind};

/// The kind of a failure, with the status that each transport gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The request is wrong and will be wrong next time.
    InvalidArgument,
    /// There is no such model, version or path.
    NotFound,
    /// It is there already.
    AlreadyExists,
    /// The model or the server is not ready.
    Unavailable,
    /// The answer could not come in time.
    DeadlineExceeded,
    /// The request was refused to protect those already running.
    ResourceExhausted,
    /// The client went away.
    Cancelled,
    /// The credentials are missing or unknown.
    Unauthenticated,
    /// The credentials do not allow this.
    PermissionDenied,
    /// This server does not do that.
    Unimplemented,
    /// The body is larger than the server takes.
    PayloadTooLarge,
    /// The server or the model failed.
    Internal,
}

impl Code {
    /// The status of an HTTP response.
    #[must_use]
    pub fn http_status(self) -> u16 {
        match self {
            Self::InvalidArgument => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::AlreadyExists => 409,
            Self::PayloadTooLarge => 413,
            Self::ResourceExhausted => 429,
            Self::Cancelled => 499,
            Self::Internal => 500,
            Self::Unimplemented => 501,
            Self::Unavailable => 503,
            Self::DeadlineExceeded => 504,
        }
    }
}

/// A failed call, as the client reads it.
///
/// # Examples
///
/// ```
/// use noops_serve::protocol::{Code, ProtocolError};
///
/// let error = ProtocolError::new(Code::NotFound, "there is no model `churn`");
/// assert_eq!(error.code().http_status(), 404);
/// assert_eq!(error.to_string(), "there is no model `churn`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolError {
    code: Code,
    message: String,
}

impl ProtocolError {
    /// A failure and what to do about it.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// A request that is wrong and will be wrong next time.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// The kind of the failure.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence for the client.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ProtocolError {}

/// The error as the client should see it: what the client did not cause is an internal failure.
impl From<Error> for ProtocolError {
    fn from(error: Error) -> Self {
        let code = match error.kind() {
            ErrorKind::NotFound | ErrorKind::Gone => Code::NotFound,
            ErrorKind::Conflict => Code::AlreadyExists,
            ErrorKind::Invalid => Code::InvalidArgument,
            ErrorKind::Overloaded => Code::ResourceExhausted,
            ErrorKind::Fenced | ErrorKind::Unavailable => Code::Unavailable,
            _ => Code::Internal,
        };
        Self::new(code, error.to_string())
    }
}
