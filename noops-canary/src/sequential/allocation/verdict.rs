use noops_core::{Alpha, LogE};
use serde::{Deserialize, Serialize};

use crate::sequential::counts::binomial::p_value;

/// What a sequential check of the sample ratio has found so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleRatioVerdict {
    max_log_e: LogE,
    alpha: Alpha,
    arms: Vec<ArmAllocation>,
}

impl SampleRatioVerdict {
    pub(super) fn new(max_log_e: LogE, alpha: Alpha, arms: Vec<ArmAllocation>) -> Self {
        Self {
            max_log_e,
            alpha,
            arms,
        }
    }

    /// Whether the units do not fall as the shares say. What was measured on them then compares different populations: do not
    /// decide on it, find out why.
    #[must_use]
    pub fn is_mismatch(&self) -> bool {
        self.max_log_e.rejects(self.alpha)
    }

    /// The anytime-valid p-value.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        p_value(self.max_log_e)
    }

    /// The largest evidence of all looks.
    #[must_use]
    pub fn log_e(&self) -> LogE {
        self.max_log_e
    }

    /// The error rate of the alarm.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// What each arm received, in the order of the arms.
    #[must_use]
    pub fn arms(&self) -> &[ArmAllocation] {
        &self.arms
    }
}

/// The units of one arm, and those the shares would have given it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmAllocation {
    observed: u64,
    expected: f64,
}

impl ArmAllocation {
    pub(super) fn new(observed: u64, expected: f64) -> Self {
        Self { observed, expected }
    }

    /// The units that came.
    #[must_use]
    pub fn observed(&self) -> u64 {
        self.observed
    }

    /// The units expected of as many as came to all arms.
    #[must_use]
    pub fn expected(&self) -> f64 {
        self.expected
    }
}
