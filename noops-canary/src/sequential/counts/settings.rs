use serde::{Deserialize, Serialize};

use super::concentrations::Concentrations;
use crate::batch::Alternative;

/// What a [`CountMixture`](super::CountMixture) tests, and where it lays its bets.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::Alternative;
/// use noops_canary::sequential::CountSettings;
///
/// let non_inferiority = CountSettings::default()
///     .with_null_ratio(1.25)
///     .with_alternative(Alternative::Less);
/// assert_eq!(non_inferiority.null_ratio(), 1.25);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CountSettings {
    null_ratio: f64,
    alternative: Alternative,
    concentrations: Concentrations,
}

impl CountSettings {
    /// Sets the ratio of the rates, candidate over champion, under the null hypothesis. Default 1; accepted from 0.01 to 100.
    #[must_use]
    pub fn with_null_ratio(mut self, null_ratio: f64) -> Self {
        self.null_ratio = null_ratio;
        self
    }

    /// Sets the alternative: which way the candidate's rate differs. Default: two-sided.
    #[must_use]
    pub fn with_alternative(mut self, alternative: Alternative) -> Self {
        self.alternative = alternative;
        self
    }

    /// Sets the priors of the mixture.
    #[must_use]
    pub fn with_concentrations(mut self, concentrations: Concentrations) -> Self {
        self.concentrations = concentrations;
        self
    }

    /// The ratio under the null hypothesis.
    #[must_use]
    pub fn null_ratio(&self) -> f64 {
        self.null_ratio
    }

    /// The alternative.
    #[must_use]
    pub fn alternative(&self) -> Alternative {
        self.alternative
    }

    /// The priors of the mixture.
    #[must_use]
    pub fn concentrations(&self) -> &Concentrations {
        &self.concentrations
    }
}

impl Default for CountSettings {
    fn default() -> Self {
        Self {
            null_ratio: 1.0,
            alternative: Alternative::TwoSided,
            concentrations: Concentrations::default(),
        }
    }
}
