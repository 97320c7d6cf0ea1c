use serde::{Deserialize, Serialize};

use crate::batch::Alternative;
use crate::error::CanaryError;
use crate::sequential::counts::Concentrations;
use crate::sequential::counts::binomial::BinomialEvidence;
use crate::sequential::counts::odds::Odds;

/// What a test of pairs takes as the null hypothesis, and where it lays its bets.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::Alternative;
/// use noops_canary::sequential::PairSettings;
///
/// // At most 60 % of the pairs that differ may differ to the candidate's side.
/// let non_inferiority = PairSettings::default()
///     .with_null_share(0.6)
///     .with_alternative(Alternative::Less);
/// assert_eq!(non_inferiority.null_share(), 0.6);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PairSettings {
    null_share: f64,
    alternative: Alternative,
    concentrations: Concentrations,
}

impl PairSettings {
    /// Sets the candidate's share of the pairs that differ under the null hypothesis. Default ½, no difference; accepted from 0.001 to 0.999.
    #[must_use]
    pub fn with_null_share(mut self, null_share: f64) -> Self {
        self.null_share = null_share;
        self
    }

    /// Sets the alternative: whether the candidate's share of the pairs that differ is greater, less, or either. Default: two-sided.
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

    /// The candidate's share under the null hypothesis.
    #[must_use]
    pub fn null_share(&self) -> f64 {
        self.null_share
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

    pub(super) fn evidence(&self) -> Result<BinomialEvidence, CanaryError> {
        if !(0.001..=0.999).contains(&self.null_share) {
            return Err(CanaryError::Setting {
                name: "null_share",
                value: self.null_share,
                allowed: "from 0.001 to 0.999",
            });
        }
        Ok(BinomialEvidence::new(
            Odds::of_counts(self.null_share, 1.0 - self.null_share),
            self.alternative,
            &self.concentrations,
        ))
    }
}

impl Default for PairSettings {
    fn default() -> Self {
        Self {
            null_share: 0.5,
            alternative: Alternative::TwoSided,
            concentrations: Concentrations::default(),
        }
    }
}
