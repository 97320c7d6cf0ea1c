use serde::{Deserialize, Serialize};

use super::ratio::RatioSettings;
use crate::error::CanaryError;

/// When two answers agree, which score bins are compared, and how much slower or dearer a candidate may be.
///
/// # Examples
///
/// ```
/// use noops_canary::shadow::ShadowSettings;
///
/// let settings = ShadowSettings::default().with_tolerance(0.05);
/// assert_eq!(settings.tolerance(), 0.05);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ShadowSettings {
    tolerance: f64,
    lowest_score: f64,
    highest_score: f64,
    bins: usize,
    latency: RatioSettings,
    cost: RatioSettings,
}

impl ShadowSettings {
    /// Sets the largest difference of scores that still counts as agreement where no classes are given. Default `0.01`.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the range that the score bins divide; scores outside fall into the outermost bins. Default 0 to 1.
    #[must_use]
    pub fn with_score_range(mut self, lowest: f64, highest: f64) -> Self {
        self.lowest_score = lowest;
        self.highest_score = highest;
        self
    }

    /// Sets the number of score bins. Default 20.
    #[must_use]
    pub fn with_bins(mut self, bins: usize) -> Self {
        self.bins = bins;
        self
    }

    /// Sets how latencies are compared.
    #[must_use]
    pub fn with_latency(mut self, latency: RatioSettings) -> Self {
        self.latency = latency;
        self
    }

    /// Sets how costs are compared.
    #[must_use]
    pub fn with_cost(mut self, cost: RatioSettings) -> Self {
        self.cost = cost;
        self
    }

    /// The largest difference of scores that still counts as agreement.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The lower end of the score bins.
    #[must_use]
    pub fn lowest_score(&self) -> f64 {
        self.lowest_score
    }

    /// The upper end of the score bins.
    #[must_use]
    pub fn highest_score(&self) -> f64 {
        self.highest_score
    }

    /// The number of score bins.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// How latencies are compared.
    #[must_use]
    pub fn latency(&self) -> &RatioSettings {
        &self.latency
    }

    /// How costs are compared.
    #[must_use]
    pub fn cost(&self) -> &RatioSettings {
        &self.cost
    }

    pub(super) fn check(&self) -> Result<(), CanaryError> {
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return Err(CanaryError::Setting {
                name: "tolerance",
                value: self.tolerance,
                allowed: "of at least 0",
            });
        }
        Ok(())
    }
}

impl Default for ShadowSettings {
    fn default() -> Self {
        Self {
            tolerance: 0.01,
            lowest_score: 0.0,
            highest_score: 1.0,
            bins: 20,
            latency: RatioSettings::default(),
            cost: RatioSettings::default(),
        }
    }
}
