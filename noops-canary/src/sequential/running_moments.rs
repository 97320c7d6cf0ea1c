use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// Count, mean and sum of squared distances from the mean, updated after Welford in the order of arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawMoments", into = "RawMoments")]
pub(crate) struct RunningMoments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl RunningMoments {
    pub(crate) fn observe(&mut self, x: f64) -> Result<(), CanaryError> {
        // Also false for NaN. The limit keeps the squares finite.
        if !(-LARGEST..=LARGEST).contains(&x) {
            return Err(CanaryError::Input {
                input: "x",
                reason: "is NaN, infinite or beyond 1e100; pass finite numbers",
            });
        }
        self.count = self.count.saturating_add(1);
        let distance = x - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (x - self.mean);
        Ok(())
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn mean(&self) -> f64 {
        self.mean
    }

    /// The unbiased variance, infinite below two observations.
    pub(crate) fn variance(&self) -> f64 {
        if self.count < 2 {
            f64::INFINITY
        } else {
            self.squares.max(0.0) / (self.count - 1) as f64
        }
    }

    pub(crate) fn variance_of_mean(&self) -> f64 {
        if self.count < 2 {
            f64::INFINITY
        } else {
            self.variance() / self.count as f64
        }
    }
}

#[derive(Serialize, Deserialize)]
struct RawMoments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl TryFrom<RawMoments> for RunningMoments {
    type Error = CanaryError;

    fn try_from(raw: RawMoments) -> Result<Self, CanaryError> {
        let empty = raw.count > 0 || raw.mean == 0.0;
        let single = raw.count > 1 || raw.squares == 0.0;
        let bounded = raw.mean.abs() <= 2.0 * LARGEST && (0.0..=f64::MAX).contains(&raw.squares);
        if empty && single && bounded {
            Ok(Self {
                count: raw.count,
                mean: raw.mean,
                squares: raw.squares,
            })
        } else {
            Err(CanaryError::State {
                state: "RunningMoments",
                reason: "the mean or the squares do not belong to the count",
            })
        }
    }
}

impl From<RunningMoments> for RawMoments {
    fn from(moments: RunningMoments) -> Self {
        Self {
            count: moments.count,
            mean: moments.mean,
            squares: moments.squares,
        }
    }
}

const LARGEST: f64 = 1e100;
