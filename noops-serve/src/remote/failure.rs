//! Why one sending of a request failed.

use std::time::Duration;

use jiff::Timestamp;
use noops_core::{Error, ErrorKind};

use super::breaker::CallOutcome;
use super::elapsed::elapsed;
use super::retry::Retryable;

/// A failed sending: for the caller, for the retries and for the breaker.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) retryable: Retryable,
    pub(super) outcome: CallOutcome,
}

impl Failure {
    /// The connection failed, before the answer or in the middle of it. A prediction changes nothing, so that it may be asked for again.
    pub(super) fn lost(error: reqwest::Error) -> Self {
        let message = if error.is_connect() {
            "the server cannot be reached"
        } else {
            "the connection broke"
        };
        Self {
            error: Error::new(ErrorKind::Unavailable, INFER, message)
                .caused_by(error.without_url()),
            retryable: Retryable::Yes { after: None },
            outcome: CallOutcome::Failed,
        }
    }

    /// The server answered, but not with scores of this request.
    pub(super) fn unreadable(error: Error) -> Self {
        Self {
            error,
            retryable: Retryable::No,
            outcome: CallOutcome::Failed,
        }
    }

    /// Nothing was sent.
    pub(super) fn unsent(error: Error) -> Self {
        Self {
            error,
            retryable: Retryable::No,
            outcome: CallOutcome::Neither,
        }
    }

    /// The server answered with an error: 429, 502, 503 and 504 may pass by themselves.
    pub(super) fn status(status: u16, after: Option<Duration>, said: &str) -> Self {
        let (kind, message) = match status {
            300..=399 => (
                ErrorKind::Invalid,
                "the server points elsewhere: configure the final address",
            ),
            401 | 403 => (
                ErrorKind::Unauthorised,
                "the server refuses this credential",
            ),
            404 => (ErrorKind::NotFound, "the server does not know the model"),
            429 => (ErrorKind::Overloaded, "the server asks for fewer requests"),
            408 | 500..=599 => (ErrorKind::Unavailable, "the server failed"),
            _ => (ErrorKind::Invalid, "the server refuses the request"),
        };
        Self {
            error: Error::new(kind, INFER, message)
                .with("status", status)
                .with("answer", said),
            retryable: match status {
                429 | 502..=504 => Retryable::Yes { after },
                _ => Retryable::No,
            },
            outcome: match status {
                408 | 500..=599 => CallOutcome::Failed,
                _ => CallOutcome::Neither,
            },
        }
    }
}

/// The pause that a `Retry-After` asks for: seconds, or a date as HTTP writes it.
pub(super) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()?;
    Some(elapsed(now, date))
}

pub(super) const INFER: &str = "ask a remote model";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_seconds_or_a_date() {
        let now: Timestamp = "1994-11-06T08:49:30Z".parse().unwrap();
        let read = |value| retry_after(value, now);
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(
            read("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(Duration::from_secs(7))
        );
        assert_eq!(read("Sun, 06 Nov 1994 08:49:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("-1"), None);
        assert_eq!(read("soon"), None);
        assert_eq!(read("99999999999999999999999"), None);
    }
}
