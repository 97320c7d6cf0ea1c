use std::num::NonZeroUsize;

use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// How sure a [`RiskMonitor`](crate::performance::RiskMonitor) must be, how much more risk it tolerates, and what it bets on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RiskSettings {
    alpha: Alpha,
    tolerance: f64,
    unit: BetUnit,
}

impl RiskSettings {
    /// Sets the probability of ever raising a false alarm; 5 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets by how much the risk may grow without harm; 0.02 unless set.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets what is one observation; [`BetUnit::Row`] unless set.
    #[must_use]
    pub fn with_unit(mut self, unit: BetUnit) -> Self {
        self.unit = unit;
        self
    }

    /// The probability of ever raising a false alarm.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// By how much the risk may grow without harm.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// What is one observation.
    #[must_use]
    pub fn unit(&self) -> BetUnit {
        self.unit
    }

    /// Half for the reference and half for the bets.
    pub(super) fn half_alpha(&self) -> Alpha {
        self.alpha.split(NonZeroUsize::MIN.saturating_add(1))
    }

    pub(super) fn validate(&self) -> Result<(), DriftError> {
        if (0.0..1.0).contains(&self.tolerance) {
            Ok(())
        } else {
            Err(DriftError::InvalidSetting {
                setting: "tolerance",
                value: self.tolerance,
                allowed: "a number from 0 to below 1",
            })
        }
    }
}

impl Default for RiskSettings {
    fn default() -> Self {
        Self {
            alpha: Alpha::FIVE_PERCENT,
            tolerance: 0.02,
            unit: BetUnit::Row,
        }
    }
}

/// What a [`RiskMonitor`](crate::performance::RiskMonitor) takes as one observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum BetUnit {
    /// Each row: found soonest, when rows depend on each other no more than through a mean that stays in bounds.
    Row,
    /// The mean of each block: right whatever the dependence within blocks.
    Block,
}
