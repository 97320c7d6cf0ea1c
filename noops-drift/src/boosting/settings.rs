use serde::{Deserialize, Serialize};

use crate::error::DriftError;

/// How large and how cautious the boosted trees are that several methods fit.
///
/// # Examples
///
/// ```
/// use noops_drift::BoostingSettings;
///
/// let small = BoostingSettings::default().with_rounds(30).with_depth(2);
/// assert_eq!((small.rounds(), small.depth()), (30, 2));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BoostingSettings {
    rounds: u32,
    depth: u32,
    learning_rate: f64,
    min_child_weight: f64,
    l2: f64,
    bins: u32,
}

impl BoostingSettings {
    /// Sets the number of trees, from 1 to 10,000; 100 unless set.
    #[must_use]
    pub fn with_rounds(mut self, rounds: u32) -> Self {
        self.rounds = rounds;
        self
    }

    /// Sets how many splits lie between root and leaf, from 1 to 8; 4 unless set.
    ///
    /// A change that shows only in how columns go together needs at least 2.
    #[must_use]
    pub fn with_depth(mut self, depth: u32) -> Self {
        self.depth = depth;
        self
    }

    /// Sets the part of each tree that is added, from 1e-6 to 1; 0.1 unless set.
    #[must_use]
    pub fn with_learning_rate(mut self, learning_rate: f64) -> Self {
        self.learning_rate = learning_rate;
        self
    }

    /// Sets the least sum of curvatures in a leaf, from 0 to 1e12; 10 unless set.
    ///
    /// A row counts 1 under the squared loss and p(1 − p), at most a quarter, under the logistic loss.
    #[must_use]
    pub fn with_min_child_weight(mut self, min_child_weight: f64) -> Self {
        self.min_child_weight = min_child_weight;
        self
    }

    /// Sets what is added to the curvature of a leaf, from 0 to 1e12, which shrinks it towards zero; 1 unless set.
    #[must_use]
    pub fn with_l2(mut self, l2: f64) -> Self {
        self.l2 = l2;
        self
    }

    /// Sets into how many quantile bins a column is cut at most, from 2 to 255; 255 unless set.
    #[must_use]
    pub fn with_bins(mut self, bins: u32) -> Self {
        self.bins = bins;
        self
    }

    /// The number of trees.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    /// How many splits lie between root and leaf at most.
    #[must_use]
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// The part of each tree that is added.
    #[must_use]
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// The least sum of curvatures in a leaf.
    #[must_use]
    pub fn min_child_weight(&self) -> f64 {
        self.min_child_weight
    }

    /// What is added to the curvature of a leaf.
    #[must_use]
    pub fn l2(&self) -> f64 {
        self.l2
    }

    /// Into how many quantile bins a column is cut at most.
    #[must_use]
    pub fn bins(&self) -> u32 {
        self.bins
    }

    pub(crate) fn validate(&self) -> Result<(), DriftError> {
        let whole = [
            (
                "rounds",
                self.rounds,
                1..=MOST_ROUNDS,
                "a number from 1 to 10,000",
            ),
            ("depth", self.depth, 1..=DEEPEST, "a number from 1 to 8"),
            ("bins", self.bins, 2..=MOST_BINS, "a number from 2 to 255"),
        ];
        for (setting, value, range, allowed) in whole {
            if !range.contains(&value) {
                return Err(invalid(setting, f64::from(value), allowed));
            }
        }
        let rate = self.learning_rate;
        if !(SLOWEST..=1.0).contains(&rate) {
            return Err(invalid("learning_rate", rate, "a number from 1e-6 to 1"));
        }
        for (setting, value) in [("min_child_weight", self.min_child_weight), ("l2", self.l2)] {
            if !(0.0..=MOST_WEIGHT).contains(&value) {
                return Err(invalid(setting, value, "a number from 0 to 1e12"));
            }
        }
        Ok(())
    }
}

impl Default for BoostingSettings {
    fn default() -> Self {
        Self {
            rounds: 100,
            depth: 4,
            learning_rate: 0.1,
            min_child_weight: 10.0,
            l2: 1.0,
            bins: MOST_BINS,
        }
    }
}

fn invalid(setting: &'static str, value: f64, allowed: &'static str) -> DriftError {
    DriftError::InvalidSetting {
        setting,
        value,
        allowed,
    }
}

pub(super) const MOST_ROUNDS: u32 = 10_000;
/// A tree of this depth has at most 511 nodes.
const DEEPEST: u32 = 8;
/// One less than the values of a byte: the last is for NaN.
const MOST_BINS: u32 = 255;
const SLOWEST: f64 = 1e-6;
const MOST_WEIGHT: f64 = 1e12;
