use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::batch::settings::Alternative;
use crate::error::CanaryError;

/// What a bootstrap compares, candidate minus champion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BootstrapStatistic {
    /// The means.
    Mean,
    /// The medians.
    Median,
}

/// How the interval comes from the resampled differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BootstrapInterval {
    /// Their quantiles.
    Percentile,
    /// Their quantiles at levels corrected for bias and skewness (BCa; Efron, 1987).
    Bca,
    /// The quantiles of each difference over its own standard error (bootstrap t); for means only.
    Studentised,
}

/// The alternative, the interval, the number of resamples and the seed of a bootstrap.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{BootstrapInterval, BootstrapSettings};
///
/// let settings = BootstrapSettings::default()
///     .with_interval(BootstrapInterval::Studentised)
///     .with_resamples(1_999)
///     .with_seed(7);
/// assert_eq!(settings.resamples(), 1_999);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BootstrapSettings {
    alternative: Alternative,
    alpha: Alpha,
    interval: BootstrapInterval,
    resamples: u32,
    seed: u64,
}

impl BootstrapSettings {
    /// Sets the alternative. Default: two-sided.
    #[must_use]
    pub fn with_alternative(mut self, alternative: Alternative) -> Self {
        self.alternative = alternative;
        self
    }

    /// Sets the error rate of the interval. Default 5 %.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets how the interval is made. Default: BCa.
    #[must_use]
    pub fn with_interval(mut self, interval: BootstrapInterval) -> Self {
        self.interval = interval;
        self
    }

    /// Sets how many resamples are drawn, from 99 to 1,000,000. Default 9,999.
    #[must_use]
    pub fn with_resamples(mut self, resamples: u32) -> Self {
        self.resamples = resamples;
        self
    }

    /// Sets what the resamples are drawn from. Default 0.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The alternative.
    #[must_use]
    pub fn alternative(&self) -> Alternative {
        self.alternative
    }

    /// The error rate of the interval.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// How the interval is made.
    #[must_use]
    pub fn interval(&self) -> BootstrapInterval {
        self.interval
    }

    /// How many resamples are drawn.
    #[must_use]
    pub fn resamples(&self) -> u32 {
        self.resamples
    }

    /// What the resamples are drawn from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn check(&self) -> Result<(), CanaryError> {
        if (FEWEST..=MOST).contains(&self.resamples) {
            return Ok(());
        }
        Err(CanaryError::Setting {
            name: "resamples",
            value: f64::from(self.resamples),
            allowed: "from 99 to 1000000",
        })
    }
}

impl Default for BootstrapSettings {
    fn default() -> Self {
        Self {
            alternative: Alternative::TwoSided,
            alpha: Alpha::FIVE_PERCENT,
            interval: BootstrapInterval::Bca,
            resamples: 9_999,
            seed: 0,
        }
    }
}

const FEWEST: u32 = 99;
const MOST: u32 = 1_000_000;
