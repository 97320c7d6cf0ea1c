use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sampling::sampling_bucket;
use crate::error::{Error, ErrorKind};
use crate::units::Share;

/// How much telemetry is kept, and for how long.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::{Share, TelemetrySettings};
///
/// let settings = TelemetrySettings::default()
///     .with_max_bytes(16 << 20)
///     .with_sample(Share::from_ratio(0.1)?)
///     .with_horizon(Duration::from_secs(7 * 86_400));
/// assert!(!settings.is_sampled("request-1"));
/// # Ok::<(), noops_core::UnitError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TelemetrySettings {
    max_bytes: u64,
    sample: Share,
    horizon: Duration,
    grace: Duration,
    retention: Duration,
}

impl TelemetrySettings {
    /// The most that is held in memory. Zero holds nothing, and counts all of it as refused.
    #[must_use]
    pub fn with_max_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// The share of the requests that is kept, decided by [`sampling_bucket`](crate::sampling_bucket).
    #[must_use]
    pub fn with_sample(mut self, sample: Share) -> Self {
        self.sample = sample;
        self
    }

    /// How long after its prediction a label may become known, this moment included.
    #[must_use]
    pub fn with_horizon(mut self, horizon: Duration) -> Self {
        self.horizon = horizon;
        self
    }

    /// How long a row waits for what is still on its way, after its label became known or its horizon ended. Whatever is
    /// delivered within this time finds its place, in whatever order it comes.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long a row may exist, in memory and in files.
    #[must_use]
    pub fn with_retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// The most bytes held in memory.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// The share of the requests that is kept.
    #[must_use]
    pub fn sample(&self) -> Share {
        self.sample
    }

    /// How long after its prediction a label may become known.
    #[must_use]
    pub fn horizon(&self) -> Duration {
        self.horizon
    }

    /// How long a complete row waits for what is still on its way.
    #[must_use]
    pub fn grace(&self) -> Duration {
        self.grace
    }

    /// How long a row may exist.
    #[must_use]
    pub fn retention(&self) -> Duration {
        self.retention
    }

    /// Whether the prediction and the label of a request are kept.
    #[must_use]
    pub fn is_sampled(&self, request: &str) -> bool {
        sampling_bucket(request) < self.sample.ppm()
    }

    /// How long after its prediction a row is complete at the latest.
    pub(super) fn close(&self) -> Duration {
        self.horizon.saturating_add(self.grace)
    }

    /// How long after its prediction a request is remembered that has been drained, so that what comes again is known.
    pub(super) fn remember(&self) -> Duration {
        let another_horizon = self.close().saturating_add(self.horizon);
        another_horizon.min(self.retention)
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if self.retention >= self.close() {
            return Ok(());
        }
        let message = "rows must not wait for labels for longer than they may exist: raise the retention, or lower horizon and grace";
        Err(Error::new(ErrorKind::Invalid, "collect telemetry", message)
            .with("retention", format_args!("{:?}", self.retention))
            .with("horizon", format_args!("{:?}", self.horizon))
            .with("grace", format_args!("{:?}", self.grace)))
    }
}

impl Default for TelemetrySettings {
    /// 64 MiB, every request, labels within 30 days, no grace, 400 days of retention.
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            sample: Share::FULL,
            horizon: 30 * DAY,
            grace: Duration::ZERO,
            retention: 400 * DAY,
        }
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
