use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use crate::paired::PairedSettings;

/// What a [`Judge`](crate::Judge) accepts, refuses and how surely.
///
/// # Examples
///
/// ```
/// use noops_canary::JudgeSettings;
/// use noops_core::Alpha;
///
/// let settings = JudgeSettings::default()
///     .with_alpha_rollback(Alpha::ONE_PERCENT)
///     .with_min_pairs(2_000);
/// assert_eq!(settings.min_pairs(), 2_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct JudgeSettings {
    alpha_promote: Alpha,
    alpha_rollback: Alpha,
    min_pairs: u64,
    paired: PairedSettings,
    max_rate_ratio: f64,
    futility_blocks: Option<u64>,
}

impl JudgeSettings {
    /// Sets the chance of ever promoting a candidate that is worse than the margin allows. Default 5 %.
    ///
    /// Worse by its clamped block mean: see [`PairedSettings::with_block_range`] and [`Judge`](crate::Judge).
    #[must_use]
    pub fn with_alpha_promote(mut self, alpha: Alpha) -> Self {
        self.alpha_promote = alpha;
        self
    }

    /// Sets the chance of ever rolling back a candidate that does no harm, over all guardrails together. Default 5 %.
    #[must_use]
    pub fn with_alpha_rollback(mut self, alpha: Alpha) -> Self {
        self.alpha_rollback = alpha;
        self
    }

    /// Sets the pairs below which nothing is promoted. Default `1000`; zero counts as one. Harm is acted on before that.
    #[must_use]
    pub fn with_min_pairs(mut self, min_pairs: u64) -> Self {
        self.min_pairs = min_pairs;
        self
    }

    /// Sets how the losses are compared.
    #[must_use]
    pub fn with_paired(mut self, paired: PairedSettings) -> Self {
        self.paired = paired;
        self
    }

    /// Sets how many times the champion's failure rate the candidate may have. Default `1.1`.
    ///
    /// Assumes at most one failure per unit and stage: see [`RateComparison`](crate::RateComparison).
    #[must_use]
    pub fn with_max_rate_ratio(mut self, max_rate_ratio: f64) -> Self {
        self.max_rate_ratio = max_rate_ratio;
        self
    }

    /// Sets the number of blocks after which an undecided comparison is called inconclusive. Default: never.
    #[must_use]
    pub fn with_futility_blocks(mut self, blocks: u64) -> Self {
        self.futility_blocks = Some(blocks);
        self
    }

    /// The chance of ever promoting a candidate whose clamped block mean is worse than the margin allows.
    #[must_use]
    pub fn alpha_promote(&self) -> Alpha {
        self.alpha_promote
    }

    /// The chance of ever rolling back a candidate that does no harm.
    #[must_use]
    pub fn alpha_rollback(&self) -> Alpha {
        self.alpha_rollback
    }

    /// The pairs below which nothing is promoted.
    #[must_use]
    pub fn min_pairs(&self) -> u64 {
        self.min_pairs.max(1)
    }

    /// How the losses are compared.
    #[must_use]
    pub fn paired(&self) -> &PairedSettings {
        &self.paired
    }

    /// How many times the champion's failure rate the candidate may have.
    #[must_use]
    pub fn max_rate_ratio(&self) -> f64 {
        self.max_rate_ratio
    }

    /// The number of blocks after which an undecided comparison is called inconclusive.
    #[must_use]
    pub fn futility_blocks(&self) -> Option<u64> {
        self.futility_blocks
    }
}

impl Default for JudgeSettings {
    fn default() -> Self {
        Self {
            alpha_promote: Alpha::FIVE_PERCENT,
            alpha_rollback: Alpha::FIVE_PERCENT,
            min_pairs: 1000,
            paired: PairedSettings::default(),
            max_rate_ratio: 1.1,
            futility_blocks: None,
        }
    }
}
