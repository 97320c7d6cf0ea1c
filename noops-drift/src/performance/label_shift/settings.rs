use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// The error rate of label shift estimates, and when a classifier tells classes too badly apart for them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LabelShiftSettings {
    alpha: Alpha,
    largest_condition: f64,
}

impl LabelShiftSettings {
    /// Sets how often the test calls unchanged classes shifted and an interval misses; 5 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the largest condition number at which shares are still estimated; 100 unless set.
    #[must_use]
    pub fn with_largest_condition(mut self, condition: f64) -> Self {
        self.largest_condition = condition;
        self
    }

    /// How often the test calls unchanged classes shifted and an interval misses.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The largest condition number at which shares are still estimated.
    #[must_use]
    pub fn largest_condition(&self) -> f64 {
        self.largest_condition
    }

    pub(super) fn validate(&self) -> Result<(), DriftError> {
        if (1.0..=1e9).contains(&self.largest_condition) {
            Ok(())
        } else {
            Err(DriftError::InvalidSetting {
                setting: "largest_condition",
                value: self.largest_condition,
                allowed: "a number from 1 to 1e9",
            })
        }
    }
}

impl Default for LabelShiftSettings {
    fn default() -> Self {
        Self {
            alpha: Alpha::FIVE_PERCENT,
            largest_condition: 100.0,
        }
    }
}
