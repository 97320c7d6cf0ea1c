use std::time::Duration;

use jiff::Timestamp;
use noops_core::Share;
use serde::{Deserialize, Serialize};

use super::after;
use super::error::GovernorError;

/// What was counted of the things that a selector selects.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_policy::governor::Fleet;
///
/// let fleet = Fleet::new("replicas/eu", 40, 38, Timestamp::UNIX_EPOCH)?;
/// assert_eq!(fleet.healthy(), 38);
/// assert!(Fleet::new("replicas/eu", 40, 41, Timestamp::UNIX_EPOCH).is_err());
/// # Ok::<(), noops_policy::governor::GovernorError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawFleet")]
pub struct Fleet {
    selector: String,
    size: u64,
    healthy: u64,
    at: Timestamp,
}

impl Fleet {
    /// The longest selector, in bytes.
    pub const MAX_SELECTOR: usize = 256;

    /// What was counted at `at`. A size of zero can be counted; nothing is ever done to such a fleet.
    ///
    /// # Errors
    ///
    /// Refuses more healthy ones than there are, and a selector that is blank or above [`Fleet::MAX_SELECTOR`] bytes.
    pub fn new(
        selector: impl Into<String>,
        size: u64,
        healthy: u64,
        at: Timestamp,
    ) -> Result<Self, GovernorError> {
        let selector = selector.into();
        if selector.trim().is_empty() || selector.len() > Self::MAX_SELECTOR {
            return Err(GovernorError::Selector {
                bytes: selector.len(),
            });
        }
        if healthy > size {
            return Err(GovernorError::Fleet {
                selector,
                size,
                healthy,
            });
        }
        Ok(Self {
            selector,
            size,
            healthy,
            at,
        })
    }

    /// The selector.
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// How many there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many of them are healthy.
    pub fn healthy(&self) -> u64 {
        self.healthy
    }

    /// When they were counted.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFleet {
    selector: String,
    size: u64,
    healthy: u64,
    at: Timestamp,
}

impl TryFrom<RawFleet> for Fleet {
    type Error = GovernorError;

    fn try_from(raw: RawFleet) -> Result<Self, GovernorError> {
        Self::new(raw.selector, raw.size, raw.healthy, raw.at)
    }
}

/// What must be true of a fleet before anything in it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FleetLimits {
    max_age: Duration,
    max_change: Share,
    min_healthy: u64,
    min_healthy_share: Share,
}

impl FleetLimits {
    /// Sets how old a count may be.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Sets the change of size between two looks that is no longer believed.
    #[must_use]
    pub fn with_max_change(mut self, max_change: Share) -> Self {
        self.max_change = max_change;
        self
    }

    /// Sets how many must stay healthy.
    #[must_use]
    pub fn with_min_healthy(mut self, count: u64) -> Self {
        self.min_healthy = count;
        self
    }

    /// Sets the share of the fleet that must stay healthy.
    #[must_use]
    pub fn with_min_healthy_share(mut self, share: Share) -> Self {
        self.min_healthy_share = share;
        self
    }

    /// How old a count may be.
    pub fn max_age(&self) -> Duration {
        self.max_age
    }

    /// The change of size between two looks that is no longer believed.
    pub fn max_change(&self) -> Share {
        self.max_change
    }

    /// How many must stay healthy.
    pub fn min_healthy(&self) -> u64 {
        self.min_healthy
    }

    /// The share of the fleet that must stay healthy.
    pub fn min_healthy_share(&self) -> Share {
        self.min_healthy_share
    }

    /// The least number that must stay healthy in a fleet of `size`: the greater of count and share, rounded up.
    pub fn floor(&self, size: u64) -> u64 {
        let whole = u128::from(Share::FULL.ppm());
        let product = u128::from(size) * u128::from(self.min_healthy_share.ppm());
        let share = u64::try_from(product.div_ceil(whole)).unwrap_or(u64::MAX);
        self.min_healthy.max(share)
    }

    pub(super) fn believes(&self, before: u64, size: u64) -> bool {
        if before == size {
            return true;
        }
        let whole = u128::from(Share::FULL.ppm());
        let kept = whole.saturating_sub(u128::from(self.max_change.ppm()));
        let (smaller, larger) = (u128::from(before.min(size)), u128::from(before.max(size)));
        smaller * whole > larger * kept
    }

    pub(super) fn is_recent(&self, fleet: &Fleet, now: Timestamp) -> bool {
        now <= after(fleet.at, self.max_age) && fleet.at <= after(now, self.max_age)
    }
}

/// A count of at most five minutes' age, believed unless it halved or doubled, of which half must stay healthy.
impl Default for FleetLimits {
    fn default() -> Self {
        let half = Share::from_ratio(0.5).unwrap_or(Share::FULL);
        Self {
            max_age: Duration::from_secs(300),
            max_change: half,
            min_healthy: 1,
            min_healthy_share: half,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_that_halved_or_doubled_is_not_believed() {
        let limits = FleetLimits::default();
        assert!(limits.believes(100, 51));
        assert!(!limits.believes(100, 50));
        assert!(limits.believes(100, 199));
        assert!(!limits.believes(100, 200));
        assert!(!limits.believes(0, 1));
        let strict = limits.with_max_change(Share::ZERO);
        assert!(strict.believes(7, 7) && !strict.believes(7, 8));
        assert!(limits.believes(u64::MAX, u64::MAX - 1));
    }

    #[test]
    fn the_floor_is_rounded_up() {
        let third = Share::from_ratio(1.0 / 3.0).unwrap();
        let limits = FleetLimits::default()
            .with_min_healthy(0)
            .with_min_healthy_share(third);
        assert_eq!(limits.floor(10), 4);
        assert_eq!(limits.with_min_healthy(6).floor(10), 6);
        assert_eq!(
            limits.with_min_healthy_share(Share::FULL).floor(u64::MAX),
            u64::MAX
        );
    }

    #[test]
    fn stored_counts_are_checked_when_they_are_read() {
        let bad = r#"{"selector":"a","size":1,"healthy":2,"at":"1970-01-01T00:00:00Z"}"#;
        assert!(serde_json::from_str::<Fleet>(bad).is_err());
        assert!(serde_json::from_str::<Fleet>(&bad.replace(":2", ":1")).is_ok());
    }
}
