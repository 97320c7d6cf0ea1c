use noops_core::{Alpha, LogE};
use serde::{Deserialize, Serialize};

use super::Judge;
use super::decide;

/// Whether the arms got their shares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MismatchJudgement {
    evidence: LogE,
    alpha: Alpha,
    rejected: bool,
}

impl MismatchJudgement {
    pub(super) fn of(judge: &Judge) -> Self {
        Self {
            evidence: judge.traffic.log_e_different(),
            alpha: judge.spec().alpha_mismatch(),
            rejected: decide::is_mismatched(judge),
        }
    }

    /// The evidence that the shares were not those stated.
    #[must_use]
    pub fn evidence(&self) -> LogE {
        self.evidence
    }

    /// The error rate at which a mismatch is called one.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The anytime-valid p-value, as it stands now.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        libm::exp(-self.evidence.get()).min(1.0)
    }

    /// Whether they are proven not to be.
    #[must_use]
    pub fn is_mismatched(&self) -> bool {
        self.rejected
    }
}
