use noops_core::Share;
use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// How fast requests come, and the candidate's share of them.
///
/// # Examples
///
/// ```
/// use noops_canary::planning::Traffic;
/// use noops_core::Share;
///
/// let traffic = Traffic::new(25.0, Share::from_ratio(0.1)?)?;
/// assert_eq!(traffic.minutes_for(53_858.0).round(), 36.0);
/// assert!(Traffic::new(0.0, Share::FULL).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawTraffic", into = "RawTraffic")]
pub struct Traffic {
    requests_per_second: f64,
    share: Share,
}

impl Traffic {
    /// Requests of both arms together, in a second, and the candidate's share.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the rate is finite and above 0.
    pub fn new(requests_per_second: f64, share: Share) -> Result<Self, CanaryError> {
        if requests_per_second > 0.0 && requests_per_second.is_finite() {
            return Ok(Self {
                requests_per_second,
                share,
            });
        }
        Err(CanaryError::Setting {
            name: "requests_per_second",
            value: requests_per_second,
            allowed: "that is finite and above 0",
        })
    }

    /// The same traffic at another share.
    #[must_use]
    pub fn with_share(mut self, share: Share) -> Self {
        self.share = share;
        self
    }

    /// Requests of both arms together, in a second.
    #[must_use]
    pub fn requests_per_second(&self) -> f64 {
        self.requests_per_second
    }

    /// The candidate's share.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// How long so many requests take.
    #[must_use]
    pub fn minutes_for(&self, requests: f64) -> f64 {
        requests / self.requests_per_second / SECONDS_IN_A_MINUTE
    }

    /// How many requests come in so long; none in a time that is not above zero.
    #[must_use]
    pub fn requests_in(&self, minutes: f64) -> f64 {
        if minutes > 0.0 {
            minutes * SECONDS_IN_A_MINUTE * self.requests_per_second
        } else {
            0.0
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTraffic {
    requests_per_second: f64,
    share: Share,
}

impl TryFrom<RawTraffic> for Traffic {
    type Error = CanaryError;

    fn try_from(raw: RawTraffic) -> Result<Self, CanaryError> {
        Self::new(raw.requests_per_second, raw.share)
    }
}

impl From<Traffic> for RawTraffic {
    fn from(traffic: Traffic) -> Self {
        Self {
            requests_per_second: traffic.requests_per_second,
            share: traffic.share,
        }
    }
}

const SECONDS_IN_A_MINUTE: f64 = 60.0;
