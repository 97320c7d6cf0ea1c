use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::sequential::counts::{Concentration, Concentrations};

/// How a sample ratio is watched.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::AllocationSettings;
/// use noops_core::Alpha;
///
/// let settings = AllocationSettings::default().with_alpha(Alpha::ONE_PERCENT);
/// assert_eq!(settings.alpha(), Alpha::ONE_PERCENT);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AllocationSettings {
    alpha: Alpha,
    concentrations: Concentrations,
}

impl AllocationSettings {
    /// Sets the error rate of the alarm. Default 0.1 %: a mismatch condemns the whole comparison, so it should be certain.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the priors of the mixture. Default: 100 and 10,000 units, equally.
    #[must_use]
    pub fn with_concentrations(mut self, concentrations: Concentrations) -> Self {
        self.concentrations = concentrations;
        self
    }

    /// The error rate of the alarm.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The priors of the mixture.
    #[must_use]
    pub fn concentrations(&self) -> &Concentrations {
        &self.concentrations
    }
}

impl Default for AllocationSettings {
    fn default() -> Self {
        let pair = Concentration::new(100.0, 1.0)
            .and_then(|fast| Ok([fast, Concentration::new(10_000.0, 1.0)?]))
            .and_then(|both| Concentrations::new(&both));
        Self {
            alpha: Alpha::new(0.001).unwrap_or(Alpha::ONE_PERCENT),
            concentrations: pair.unwrap_or_default(),
        }
    }
}
