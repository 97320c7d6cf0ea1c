use serde::{Deserialize, Serialize};

use crate::boosting::BoostingSettings;
use crate::error::DriftError;
use crate::statistic::settings::TestSettings;

/// The error rate, the folds and the trees of a [`DomainClassifier`](super::DomainClassifier).
///
/// Tolerance and relevant shift of the test are counted from one half: a tolerance of 0.05 forgives an area of 0.55.
///
/// # Examples
///
/// ```
/// use noops_drift::multivariate::DomainClassifierSettings;
///
/// let settings = DomainClassifierSettings::default().with_folds(10).with_seed(7);
/// assert_eq!((settings.folds(), settings.seed()), (10, 7));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DomainClassifierSettings {
    test: TestSettings,
    boosting: BoostingSettings,
    folds: u32,
    seed: u64,
}

impl DomainClassifierSettings {
    /// Sets the error rate, the tolerance and the relevant shift, the latter two at most one half.
    #[must_use]
    pub fn with_test(mut self, test: TestSettings) -> Self {
        self.test = test;
        self
    }

    /// Sets the trees; 50 of depth 3 with leaves of at least 5 unless set.
    #[must_use]
    pub fn with_boosting(mut self, boosting: BoostingSettings) -> Self {
        self.boosting = boosting;
        self
    }

    /// Sets into how many folds the rows are dealt, from 2 to 50; 5 unless set. The first only teaches.
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

    /// The error rate, the tolerance and the relevant shift.
    #[must_use]
    pub fn test(&self) -> &TestSettings {
        &self.test
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
        self.test.validate()?;
        self.boosting.validate()?;
        let shifts = [
            ("tolerance", Some(self.test.tolerance())),
            ("relevant", self.test.relevant()),
        ];
        for (setting, value) in shifts {
            if let Some(value) = value.filter(|value| *value > 0.5) {
                return Err(DriftError::InvalidSetting {
                    setting,
                    value,
                    allowed: "a number from 0 to 0.5, counted from an area of one half",
                });
            }
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

impl Default for DomainClassifierSettings {
    fn default() -> Self {
        Self {
            test: TestSettings::default(),
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
