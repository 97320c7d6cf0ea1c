use serde::{Deserialize, Serialize};

use super::violation::Violation;

/// May the batch be used?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GateVerdict {
    /// No limit was shown to be exceeded.
    Pass,
    /// At least one limit was.
    Fail,
    /// There are too few rows to tell.
    Undecided,
}

/// What a [`QualityGate`](crate::QualityGate) found in a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct GateReport {
    verdict: GateVerdict,
    rows: u64,
    violations: Vec<Violation>,
}

impl GateReport {
    pub(super) fn new(verdict: GateVerdict, rows: u64, violations: Vec<Violation>) -> Self {
        Self {
            verdict,
            rows,
            violations,
        }
    }

    /// The answer.
    pub fn verdict(&self) -> GateVerdict {
        self.verdict
    }

    /// Rows of the batch.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The exceeded limits, column by column; empty unless the verdict is [`GateVerdict::Fail`].
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}
