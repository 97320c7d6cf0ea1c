//! Spans of a clock that may step back.

use std::time::Duration;

use jiff::Timestamp;

/// How long `to` is after `from`; nothing when the clock went back.
pub(super) fn elapsed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// The span in nanoseconds, at most what 64 bits hold (584 years).
pub(super) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
