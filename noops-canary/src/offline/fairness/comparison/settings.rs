use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::offline::bootstrap::PairedBootstrap;
use crate::offline::fairness::disparity::Disparity;
use crate::offline::fairness::settings::FairnessSettings;

/// Which disparity of a candidate is compared with the champion's, how much worse it may be, and how sure the answer is.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::fairness::{ComparisonSettings, Disparity};
///
/// let settings = ComparisonSettings::new(Disparity::equalized_odds_difference(), 0.02)
///     .with_minimum_rows(50)
///     .with_seed(7);
/// assert_eq!((settings.margin(), settings.minimum_rows()), (0.02, 50));
/// assert_eq!(settings.resamples(), 2000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ComparisonSettings {
    disparity: Disparity,
    margin: f64,
    #[serde(default = "default_minimum_rows")]
    minimum_rows: u64,
    #[serde(default = "default_alpha")]
    alpha: Alpha,
    #[serde(default)]
    seed: u64,
    #[serde(default = "default_resamples")]
    resamples: u32,
}

impl ComparisonSettings {
    /// The candidate's disparity may be worse than the champion's by less than `margin`, which is above 0.
    #[must_use]
    pub fn new(disparity: Disparity, margin: f64) -> Self {
        Self {
            disparity,
            margin,
            minimum_rows: default_minimum_rows(),
            alpha: default_alpha(),
            seed: 0,
            resamples: default_resamples(),
        }
    }

    /// Sets the rows below which a group is left out. Default 1: every group that has rows counts.
    #[must_use]
    pub fn with_minimum_rows(mut self, minimum_rows: u64) -> Self {
        self.minimum_rows = minimum_rows;
        self
    }

    /// Sets the error rate of each end of the interval. Default 5 %.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the seed of the draws; the same seed gives the same interval. Default 0.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the number of draws. Default 2000.
    #[must_use]
    pub fn with_resamples(mut self, resamples: u32) -> Self {
        self.resamples = resamples;
        self
    }

    /// What is compared.
    #[must_use]
    pub fn disparity(&self) -> Disparity {
        self.disparity
    }

    /// The difference of disparities at which the candidate is just too bad.
    #[must_use]
    pub fn margin(&self) -> f64 {
        self.margin
    }

    /// The rows below which a group is left out.
    #[must_use]
    pub fn minimum_rows(&self) -> u64 {
        self.minimum_rows
    }

    /// The error rate of each end of the interval.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The seed of the draws.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The number of draws.
    #[must_use]
    pub fn resamples(&self) -> u32 {
        self.resamples
    }

    pub(super) fn fairness(&self) -> FairnessSettings {
        FairnessSettings::default()
            .with_minimum_rows(self.minimum_rows)
            .with_alpha(self.alpha)
    }

    pub(super) fn bootstrap(&self) -> PairedBootstrap {
        PairedBootstrap::default()
            .with_seed(self.seed)
            .with_resamples(self.resamples)
            .with_alpha(self.alpha)
    }
}

fn default_minimum_rows() -> u64 {
    FairnessSettings::default().minimum_rows()
}

fn default_alpha() -> Alpha {
    Alpha::FIVE_PERCENT
}

fn default_resamples() -> u32 {
    PairedBootstrap::default().resamples()
}
