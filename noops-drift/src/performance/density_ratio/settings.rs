use serde::{Deserialize, Serialize};

use crate::boosting::BoostingSettings;
use crate::error::DriftError;

/// The cap, the folds and the trees of a [`DensityRatio`](super::DensityRatio).
///
/// # Examples
///
/// ```
/// use noops_drift::performance::DensityRatioSettings;
///
/// assert_eq!(DensityRatioSettings::default().with_cap(20.0).cap(), 20.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DensityRatioSettings {
    cap: f64,
    boosting: BoostingSettings,
    folds: u32,
    seed: u64,
}

impl DensityRatioSettings {
    /// Sets the largest ratio that is believed, from 1 to 1e6; 50 unless set.
    #[must_use]
    pub fn with_cap(mut self, cap: f64) -> Self {
        self.cap = cap;
        self
    }

    /// Sets the trees; 50 of depth 3 with leaves of at least 5 unless set.
    #[must_use]
    pub fn with_boosting(mut self, boosting: BoostingSettings) -> Self {
        self.boosting = boosting;
        self
    }

    /// Sets into how many folds the rows are dealt, from 2 to 50; 5 unless set.
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

    /// The largest ratio that is believed.
    #[must_use]
    pub fn cap(&self) -> f64 {
        self.cap
    }

    /// The trees.
    #[must_use]
    pub fn boosting(&self) -> &BoostingSettings {
        &self.boosting
    }

    /// Into how many folds the rows are dealt.
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
        if !(1.0..=HIGHEST_CAP).contains(&self.cap) {
            return Err(DriftError::InvalidSetting {
                setting: "cap",
                value: self.cap,
                allowed: "a number from 1 to 1e6",
            });
        }
        if !(2..=MOST_FOLDS).contains(&self.folds) {
            return Err(DriftError::InvalidSetting {
                setting: "folds",
                value: f64::from(self.folds),
                allowed: "a number from 2 to 50",
            });
        }
        Ok(())
    }
}

impl Default for DensityRatioSettings {
    fn default() -> Self {
        Self {
            cap: 50.0,
            boosting: BoostingSettings::default()
                .with_rounds(50)
                .with_depth(3)
                .with_min_child_weight(5.0),
            folds: 5,
            seed: 0,
        }
    }
}

const MOST_FOLDS: u32 = 50;
const HIGHEST_CAP: f64 = 1e6;
