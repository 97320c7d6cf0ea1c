use serde::{Deserialize, Serialize};

use crate::error::DriftError;
use crate::multivariate::permutation::PermutationSettings;

/// How many random features a [`RandomFourierMmd`](super::RandomFourierMmd) has, and how it is tested.
///
/// # Examples
///
/// ```
/// use noops_drift::multivariate::MmdSettings;
///
/// assert_eq!(MmdSettings::default().with_features(512).features(), 512);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MmdSettings {
    test: PermutationSettings,
    features: u32,
}

impl MmdSettings {
    /// Sets the error rate, the seed of the features and the size of the permutation test.
    #[must_use]
    pub fn with_test(mut self, test: PermutationSettings) -> Self {
        self.test = test;
        self
    }

    /// Sets the number of features, 256 unless set; even, from 2 to 16,384. More features miss less.
    #[must_use]
    pub fn with_features(mut self, features: u32) -> Self {
        self.features = features;
        self
    }

    /// The error rate, the seed of the features and the size of the permutation test.
    #[must_use]
    pub fn test(&self) -> &PermutationSettings {
        &self.test
    }

    /// The number of features.
    #[must_use]
    pub fn features(&self) -> u32 {
        self.features
    }

    pub(super) fn validate(&self) -> Result<(), DriftError> {
        if (2..=MOST_FEATURES).contains(&self.features) && self.features.is_multiple_of(2) {
            return self.test.validate();
        }
        Err(DriftError::InvalidSetting {
            setting: "features",
            value: f64::from(self.features),
            allowed: "an even number from 2 to 16384",
        })
    }
}

impl Default for MmdSettings {
    fn default() -> Self {
        Self {
            test: PermutationSettings::default(),
            features: 256,
        }
    }
}

const MOST_FEATURES: u32 = 16_384;
