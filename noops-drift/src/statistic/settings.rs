use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// The error rate of a test, the shift it forgives and the shift it must not miss, in the unit of the method's statistic.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::statistic::{SortedSample, TestSettings, ks_two_sample};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A thousand rows each, a tenth of them moved: a plain test sees it, and a tolerance of 0.2 forgives it.
/// let numbers: Vec<f64> = (0..1_000).map(f64::from).collect();
/// let moved: Vec<f64> = numbers.iter().map(|x| x + 100.0).collect();
/// let (reference, current) = (SortedSample::new(&numbers), SortedSample::new(&moved));
/// let plain = TestSettings::default().with_alpha(Alpha::ONE_PERCENT);
/// assert!(ks_two_sample(&reference, &current, &plain)?.verdict().is_drift());
/// assert!(!ks_two_sample(&reference, &current, &plain.with_tolerance(0.2))?.verdict().is_drift());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TestSettings {
    alpha: Alpha,
    tolerance: f64,
    relevant: Option<f64>,
}

impl TestSettings {
    /// Sets how often data within the tolerance may be called drifted; 5 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the true value of the statistic up to which data count as unchanged; 0 unless set.
    ///
    /// With many rows any test without tolerance calls every batch drifted, because no two days are the same.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the true value of the statistic that "no drift" must be able to rule out; the method's own unless set.
    #[must_use]
    pub fn with_relevant(mut self, relevant: f64) -> Self {
        self.relevant = Some(relevant);
        self
    }

    /// How often data within the tolerance may be called drifted.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The true value of the statistic up to which data count as unchanged.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The true value of the statistic that "no drift" must be able to rule out; nothing for the method's own.
    #[must_use]
    pub fn relevant(&self) -> Option<f64> {
        self.relevant
    }

    pub(crate) fn relevant_or(&self, default: f64) -> f64 {
        self.relevant.unwrap_or(default)
    }

    /// Fails unless tolerance and relevance are numbers from 0 to [`MAX_SHIFT`].
    pub(crate) fn validate(&self) -> Result<(), DriftError> {
        for (setting, value) in [
            ("tolerance", Some(self.tolerance)),
            ("relevant", self.relevant),
        ] {
            let Some(value) = value else { continue };
            if !(0.0..=MAX_SHIFT).contains(&value) {
                return Err(DriftError::InvalidSetting {
                    setting,
                    value,
                    allowed: "a number from 0 to 1e12",
                });
            }
        }
        Ok(())
    }
}

impl Default for TestSettings {
    fn default() -> Self {
        Self {
            alpha: Alpha::FIVE_PERCENT,
            tolerance: 0.0,
            relevant: None,
        }
    }
}

const MAX_SHIFT: f64 = 1e12;
