use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::error::DriftError;
use crate::performance::calibration::Calibration;

/// The error rate of intervals, whether scores are calibrated, and what decisions are worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CbpeSettings {
    alpha: Alpha,
    calibration: Calibration,
    values: Option<BusinessValues>,
}

impl CbpeSettings {
    /// Sets how often an interval may miss; 5 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets whether scores are calibrated; [`Calibration::WhenItHelps`] unless set.
    #[must_use]
    pub fn with_calibration(mut self, calibration: Calibration) -> Self {
        self.calibration = calibration;
        self
    }

    /// Sets what the four kinds of decision are worth; the business value is estimated only when set.
    #[must_use]
    pub fn with_values(mut self, values: BusinessValues) -> Self {
        self.values = Some(values);
        self
    }

    /// How often an interval may miss.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// Whether scores are calibrated.
    #[must_use]
    pub fn calibration(&self) -> Calibration {
        self.calibration
    }

    /// What the four kinds of decision are worth.
    #[must_use]
    pub fn values(&self) -> Option<BusinessValues> {
        self.values
    }

    pub(crate) fn validate(&self) -> Result<(), DriftError> {
        let Some(values) = self.values else {
            return Ok(());
        };
        let four = [
            ("true_positive", values.true_positive),
            ("false_positive", values.false_positive),
            ("false_negative", values.false_negative),
            ("true_negative", values.true_negative),
        ];
        for (setting, value) in four {
            if value.is_nan() || value.abs() > MOST_VALUE {
                return Err(DriftError::InvalidSetting {
                    setting,
                    value,
                    allowed: "a number from -1e100 to 1e100",
                });
            }
        }
        Ok(())
    }
}

impl Default for CbpeSettings {
    fn default() -> Self {
        Self {
            alpha: Alpha::FIVE_PERCENT,
            calibration: Calibration::WhenItHelps,
            values: None,
        }
    }
}

/// What one decision of each kind is worth, in money or whatever counts; a cost is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BusinessValues {
    /// A positive that was predicted.
    pub true_positive: f64,
    /// A negative that was predicted positive.
    pub false_positive: f64,
    /// A positive that was predicted negative.
    pub false_negative: f64,
    /// A negative that was predicted.
    pub true_negative: f64,
}

const MOST_VALUE: f64 = 1e100;
