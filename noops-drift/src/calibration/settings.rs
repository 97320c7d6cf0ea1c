use noops_core::{Alpha, Probability};
use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// What a [`CalibrationMonitor`](crate::CalibrationMonitor) calls harm, and how sure it must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CalibrationSettings {
    alpha: Alpha,
    tolerance: f64,
    min_block: u64,
    block_range: f64,
    reference_mean: Probability,
}

impl CalibrationSettings {
    /// Sets the probability of ever raising a false alarm; 5 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the mean residual that does no harm; 0.02 unless set.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the labels a block needs to count; 30 unless set.
    #[must_use]
    pub fn with_min_block(mut self, labels: u64) -> Self {
        self.min_block = labels;
        self
    }

    /// Sets where block means are clamped, from the residual's range of 1 down; 0.35 unless set.
    ///
    /// Block means lie close to 0, and a narrower range lets the bets be larger; see the monitor for what it costs.
    #[must_use]
    pub fn with_block_range(mut self, range: f64) -> Self {
        self.block_range = range;
        self
    }

    /// Sets the mean prediction on the reference, on whose two sides the slope is judged; 0.5 unless set.
    #[must_use]
    pub fn with_reference_mean(mut self, mean: Probability) -> Self {
        self.reference_mean = mean;
        self
    }

    /// The probability of ever raising a false alarm.
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The mean residual that does no harm.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The labels a block needs to count.
    pub fn min_block(&self) -> u64 {
        self.min_block
    }

    /// Where block means are clamped.
    pub fn block_range(&self) -> f64 {
        self.block_range
    }

    /// The mean prediction on the reference.
    pub fn reference_mean(&self) -> Probability {
        self.reference_mean
    }

    /// The edge of the hypothesis on the unit scale of the bets.
    pub(super) fn validate(&self) -> Result<Probability, DriftError> {
        let range = self.block_range;
        if range.is_nan() || range <= 0.0 || range > 1.0 {
            return Err(invalid(
                "block_range",
                range,
                "a number above 0 and at most 1",
            ));
        }
        let tolerance = self.tolerance;
        if tolerance.is_nan() || tolerance < 0.0 || tolerance >= range {
            return Err(invalid(
                "tolerance",
                tolerance,
                "a number from 0 to below the block range",
            ));
        }
        Probability::new((tolerance + range) / (2.0 * range))
            .map_err(|_| invalid("block_range", range, "a number that is not that close to 0"))
    }
}

impl Default for CalibrationSettings {
    fn default() -> Self {
        Self {
            alpha: Alpha::FIVE_PERCENT,
            tolerance: 0.02,
            min_block: 30,
            block_range: 0.35,
            reference_mean: Probability::new(0.5).unwrap_or(Probability::ONE),
        }
    }
}

fn invalid(setting: &'static str, value: f64, allowed: &'static str) -> DriftError {
    DriftError::InvalidSetting {
        setting,
        value,
        allowed,
    }
}
