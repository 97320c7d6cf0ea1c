use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// The error rate of a [`PrincipalComponents`](super::PrincipalComponents) test, and how much variance the components explain.
///
/// # Examples
///
/// ```
/// use noops_drift::multivariate::PrincipalComponentsSettings;
///
/// let settings = PrincipalComponentsSettings::default().with_explained_variance(0.9);
/// assert_eq!(settings.explained_variance(), 0.9);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PrincipalComponentsSettings {
    alpha: Alpha,
    relevant: Option<f64>,
    explained_variance: f64,
}

impl PrincipalComponentsSettings {
    /// Sets how often data without drift may be called drifted; 5 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the change of the mean error that "no drift" must be able to rule out; a tenth of the reference's unless set.
    #[must_use]
    pub fn with_relevant(mut self, relevant: f64) -> Self {
        self.relevant = Some(relevant);
        self
    }

    /// Sets the share of the variance that the components must exceed, 0.65 unless set; strictly between 0 and 1.
    #[must_use]
    pub fn with_explained_variance(mut self, share: f64) -> Self {
        self.explained_variance = share;
        self
    }

    /// How often data without drift may be called drifted.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The change of the mean error that "no drift" must be able to rule out; nothing for a tenth of the reference's.
    #[must_use]
    pub fn relevant(&self) -> Option<f64> {
        self.relevant
    }

    /// The share of the variance that the components must exceed.
    #[must_use]
    pub fn explained_variance(&self) -> f64 {
        self.explained_variance
    }

    pub(super) fn validate(&self) -> Result<(), DriftError> {
        let share = self.explained_variance;
        if !(share > 0.0 && share < 1.0) {
            return Err(DriftError::InvalidSetting {
                setting: "explained_variance",
                value: share,
                allowed: "a share strictly between 0 and 1",
            });
        }
        match self.relevant {
            Some(value) if !(0.0..=MOST_RELEVANT).contains(&value) => {
                Err(DriftError::InvalidSetting {
                    setting: "relevant",
                    value,
                    allowed: "a number from 0 to 1e12",
                })
            }
            _ => Ok(()),
        }
    }
}

impl Default for PrincipalComponentsSettings {
    fn default() -> Self {
        Self {
            alpha: Alpha::FIVE_PERCENT,
            relevant: None,
            explained_variance: 0.65,
        }
    }
}

const MOST_RELEVANT: f64 = 1e12;
