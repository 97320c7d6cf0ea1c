use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::boosting::BoostingSettings;
use crate::error::DriftError;

/// The error rate, the folds and the trees of a [`LossEstimator`](super::LossEstimator).
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::performance::LossEstimatorSettings;
///
/// let settings = LossEstimatorSettings::default().with_alpha(Alpha::ONE_PERCENT).with_folds(8);
/// assert_eq!(settings.folds(), 8);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LossEstimatorSettings {
    alpha: Alpha,
    boosting: BoostingSettings,
    folds: u32,
    seed: u64,
}

impl LossEstimatorSettings {
    /// Sets how often the interval may miss; 5 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the trees; 100 of depth 4 with leaves of at least 20 rows unless set.
    #[must_use]
    pub fn with_boosting(mut self, boosting: BoostingSettings) -> Self {
        self.boosting = boosting;
        self
    }

    /// Sets into how many folds the reference is dealt, from 2 to 50; 5 unless set.
    #[must_use]
    pub fn with_folds(mut self, folds: u32) -> Self {
        self.folds = folds;
        self
    }

    /// Sets the seed of the shuffle that deals rows into folds; 0 unless set.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How often the interval may miss.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The trees.
    #[must_use]
    pub fn boosting(&self) -> &BoostingSettings {
        &self.boosting
    }

    /// Into how many folds the reference is dealt.
    #[must_use]
    pub fn folds(&self) -> u32 {
        self.folds
    }

    /// The seed of the shuffle.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn validate(&self) -> Result<(), DriftError> {
        self.boosting.validate()?;
        if (2..=MOST_FOLDS).contains(&self.folds) {
            Ok(())
        } else {
            Err(DriftError::InvalidSetting {
                setting: "folds",
                value: f64::from(self.folds),
                allowed: "a number from 2 to 50",
            })
        }
    }
}

impl Default for LossEstimatorSettings {
    fn default() -> Self {
        Self {
            alpha: Alpha::FIVE_PERCENT,
            boosting: BoostingSettings::default().with_min_child_weight(20.0),
            folds: 5,
            seed: 0,
        }
    }
}

const MOST_FOLDS: u32 = 50;
