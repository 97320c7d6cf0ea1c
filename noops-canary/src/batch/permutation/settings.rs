use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::batch::settings::Alternative;
use crate::error::CanaryError;

/// What a permutation test compares, candidate minus champion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PermutationStatistic {
    /// The difference of means; of pairs, the mean difference.
    MeanDifference,
    /// The difference of medians; of pairs, the median difference.
    MedianDifference,
    /// The difference of means over its standard error (Welch's t).
    ///
    /// Unlike the plain difference it keeps the error rate, with many values, when the means are equal and the spreads are not (Janssen 1997).
    StudentisedMeanDifference,
}

/// The alternative, the number of permutations and the seed of a permutation test.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{Alternative, PermutationSettings};
///
/// let settings = PermutationSettings::default()
///     .with_alternative(Alternative::Less)
///     .with_permutations(99_999)
///     .with_seed(7);
/// assert_eq!(settings.permutations(), 99_999);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PermutationSettings {
    alternative: Alternative,
    alpha: Alpha,
    permutations: u32,
    seed: u64,
}

impl PermutationSettings {
    /// Sets the alternative. Default: two-sided.
    #[must_use]
    pub fn with_alternative(mut self, alternative: Alternative) -> Self {
        self.alternative = alternative;
        self
    }

    /// Sets the error rate that the outcome carries. Default 5 %.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets how many permutations are tried, from 19 to 10,000,000. Default 9,999.
    #[must_use]
    pub fn with_permutations(mut self, permutations: u32) -> Self {
        self.permutations = permutations;
        self
    }

    /// Sets what the random permutations are drawn from. Default 0.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The alternative.
    #[must_use]
    pub fn alternative(&self) -> Alternative {
        self.alternative
    }

    /// The error rate that the outcome carries.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// How many permutations are tried.
    #[must_use]
    pub fn permutations(&self) -> u32 {
        self.permutations
    }

    /// What the random permutations are drawn from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn check(&self) -> Result<(), CanaryError> {
        if (FEWEST..=MOST).contains(&self.permutations) {
            return Ok(());
        }
        Err(CanaryError::Setting {
            name: "permutations",
            value: f64::from(self.permutations),
            allowed: "from 19 to 10000000",
        })
    }
}

impl Default for PermutationSettings {
    fn default() -> Self {
        Self {
            alternative: Alternative::TwoSided,
            alpha: Alpha::FIVE_PERCENT,
            permutations: 9_999,
            seed: 0,
        }
    }
}

/// With fewer no p-value can be at most 5 %.
const FEWEST: u32 = 19;
const MOST: u32 = 10_000_000;
