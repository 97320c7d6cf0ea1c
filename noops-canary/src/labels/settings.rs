use noops_core::jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// How long labels are waited for, in which buckets exposures arrive, and how many may be open at once.
///
/// # Examples
///
/// ```
/// use noops_canary::labels::LateLabelSettings;
/// use noops_core::jiff::SignedDuration;
///
/// let settings = LateLabelSettings::default().with_window(SignedDuration::from_hours(72));
/// assert_eq!(settings.window(), SignedDuration::from_hours(72));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LateLabelSettings {
    window: SignedDuration,
    bucket: SignedDuration,
    capacity: usize,
}

impl LateLabelSettings {
    /// Sets how long after serving a label still counts. Default: one day.
    ///
    /// A longer window finds more of the labels and delays every judgement by as much.
    #[must_use]
    pub fn with_window(mut self, window: SignedDuration) -> Self {
        self.window = window;
        self
    }

    /// Sets the width of an arrival bucket. Default: one hour.
    ///
    /// The share should hardly change within a bucket: buckets are the strata of the comparison.
    #[must_use]
    pub fn with_bucket(mut self, bucket: SignedDuration) -> Self {
        self.bucket = bucket;
        self
    }

    /// Sets how many exposures and labels without an exposure may wait together. Default: one million.
    #[must_use]
    pub fn with_capacity(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self
    }

    /// How long after serving a label still counts.
    #[must_use]
    pub fn window(&self) -> SignedDuration {
        self.window
    }

    /// The width of an arrival bucket.
    #[must_use]
    pub fn bucket(&self) -> SignedDuration {
        self.bucket
    }

    /// How many exposures and labels without an exposure may wait together.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn check(&self) -> Result<(), CanaryError> {
        let durations = [("window", self.window), ("bucket", self.bucket)];
        for (name, duration) in durations {
            if duration < SignedDuration::from_secs(1) || duration > LONGEST {
                return Err(CanaryError::Setting {
                    name,
                    value: duration.as_secs_f64(),
                    allowed: "from one second to ten thousand days",
                });
            }
        }
        if self.capacity == 0 {
            return Err(CanaryError::Setting {
                name: "capacity",
                value: 0.0,
                allowed: "of at least 1",
            });
        }
        Ok(())
    }
}

impl Default for LateLabelSettings {
    fn default() -> Self {
        Self {
            window: SignedDuration::from_secs(24 * 3600),
            bucket: SignedDuration::from_secs(3600),
            capacity: 1_000_000,
        }
    }
}

/// Far above any label's delay and far below what could overflow.
const LONGEST: SignedDuration = SignedDuration::from_secs(10_000 * 24 * 3600);
