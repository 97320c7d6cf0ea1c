use noops_core::Alpha;
use serde::{Deserialize, Serialize};

/// Which groups are judged, and how sure intervals are.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::fairness::FairnessSettings;
///
/// assert_eq!(FairnessSettings::default().with_minimum_rows(50).minimum_rows(), 50);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FairnessSettings {
    minimum_rows: u64,
    alpha: Alpha,
}

impl FairnessSettings {
    /// Sets the rows below which a group is reported but left out of disparities. Default 1: every group that has rows counts, as in fairlearn.
    ///
    /// Raise it for intersectional groups, whose smallest cells otherwise decide every maximum and minimum by chance.
    #[must_use]
    pub fn with_minimum_rows(mut self, minimum_rows: u64) -> Self {
        self.minimum_rows = minimum_rows;
        self
    }

    /// Sets the error rate of the interval of a [`DisparityEstimate`](super::DisparityEstimate), of both ends together. Default 5 %.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// The rows below which a group is left out of disparities.
    #[must_use]
    pub fn minimum_rows(&self) -> u64 {
        self.minimum_rows
    }

    /// The error rate of intervals.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// Whether a group of `rows` rows takes part in disparities; one without rows never does.
    pub(super) fn judges(&self, rows: u64) -> bool {
        rows >= self.minimum_rows.max(1)
    }
}

impl Default for FairnessSettings {
    fn default() -> Self {
        Self {
            minimum_rows: 1,
            alpha: Alpha::FIVE_PERCENT,
        }
    }
}
