use serde::{Deserialize, Serialize};

use super::{Detector, State, is_usable};
use crate::error::DriftError;

/// A baseline that calls drift at every value: no delay, nothing missed, and worthless.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlwaysFire {
    ignored: u64,
}

impl AlwaysFire {
    /// Makes the baseline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// A baseline that never calls drift: no false alarm, and everything missed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeverFire {
    ignored: u64,
}

impl NeverFire {
    /// Makes the baseline.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// A baseline that calls drift at every k-th value, without looking at it.
///
/// On streams that reward any restart of a model it beats published detectors, which is why it belongs in every table.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{Detector, EveryK};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let mut every_third = EveryK::new(3)?;
/// let alarms = (0..9).filter(|_| every_third.update(0.0).is_drift()).count();
/// assert_eq!(alarms, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredEveryK")]
pub struct EveryK {
    k: u64,
    since: u64,
    ignored: u64,
}

impl EveryK {
    /// Makes the baseline with `k` values from alarm to alarm.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] for a `k` of 0.
    pub fn new(k: u64) -> Result<Self, DriftError> {
        if k == 0 {
            return Err(DriftError::InvalidSetting {
                setting: "k",
                value: 0.0,
                allowed: "a whole number from 1",
            });
        }
        Ok(Self {
            k,
            since: 0,
            ignored: 0,
        })
    }

    /// How many values lie from alarm to alarm.
    #[must_use]
    pub fn k(&self) -> u64 {
        self.k
    }
}

impl Detector for AlwaysFire {
    #[inline]
    fn update(&mut self, value: f64) -> State {
        if is_usable(value) {
            State::Drift
        } else {
            self.ignored = self.ignored.saturating_add(1);
            State::Stable
        }
    }

    fn reset(&mut self) {
        self.ignored = 0;
    }

    fn name(&self) -> &'static str {
        "always-fire"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

impl Detector for NeverFire {
    #[inline]
    fn update(&mut self, value: f64) -> State {
        if !is_usable(value) {
            self.ignored = self.ignored.saturating_add(1);
        }
        State::Stable
    }

    fn reset(&mut self) {
        self.ignored = 0;
    }

    fn name(&self) -> &'static str {
        "never-fire"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

impl Detector for EveryK {
    #[inline]
    fn update(&mut self, value: f64) -> State {
        if !is_usable(value) {
            self.ignored = self.ignored.saturating_add(1);
            return State::Stable;
        }
        self.since += 1;
        if self.since < self.k {
            return State::Stable;
        }
        self.since = 0;
        State::Drift
    }

    fn reset(&mut self) {
        self.since = 0;
        self.ignored = 0;
    }

    fn name(&self) -> &'static str {
        "every-k"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

#[derive(Deserialize)]
struct StoredEveryK {
    k: u64,
    since: u64,
    ignored: u64,
}

impl TryFrom<StoredEveryK> for EveryK {
    type Error = DriftError;

    fn try_from(stored: StoredEveryK) -> Result<Self, DriftError> {
        let fresh = Self::new(stored.k)?;
        if stored.since >= stored.k {
            return Err(DriftError::InvalidState {
                state: "alarm schedule",
                reason: format!(
                    "`{}` values since the last alarm is not below `{}`",
                    stored.since, stored.k
                ),
            });
        }
        Ok(Self {
            since: stored.since,
            ignored: stored.ignored,
            ..fresh
        })
    }
}
