use serde::{Deserialize, Serialize};

use crate::calibration::HarmEvidence;
use crate::error::DriftError;
use crate::performance::check::invalid;
use crate::performance::estimate::Estimate;
use crate::performance::risk::RiskEvidence;

/// What one way of measuring says about harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct HarmSignal {
    name: String,
    finding: HarmFinding,
    detail: String,
}

/// Is there harm?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HarmFinding {
    /// Yes, more than is tolerated.
    Harmed,
    /// No, none beyond what is tolerated.
    Unharmed,
    /// It cannot be told yet.
    Undecided,
}

impl HarmSignal {
    /// A signal that was measured elsewhere: its name, what it says, and why, as half a sentence.
    pub fn new(name: impl Into<String>, finding: HarmFinding, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            finding,
            detail: detail.into(),
        }
    }

    /// Compares an estimate, of a metric that should be large, with its value on the reference.
    ///
    /// There is harm when the whole interval is below `baseline` − `tolerance`, and none when none of it is. An estimate without
    /// labels is blind to concept drift, so "no harm" is only as good as that assumption.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when the baseline is not finite or the tolerance is negative or not finite.
    pub fn from_estimate(
        metric: &str,
        estimate: &Estimate,
        baseline: f64,
        tolerance: f64,
    ) -> Result<Self, DriftError> {
        if !baseline.is_finite() {
            return Err(invalid(
                "baseline",
                "is not finite; pass the metric on the reference",
            ));
        }
        if !(0.0..=f64::MAX).contains(&tolerance) {
            return Err(invalid(
                "tolerance",
                "is no number from 0; pass the drop that does no harm",
            ));
        }
        let allowed = baseline - tolerance;
        let finding = if estimate.upper() < allowed {
            HarmFinding::Harmed
        } else if estimate.lower() >= allowed {
            HarmFinding::Unharmed
        } else {
            HarmFinding::Undecided
        };
        let detail = format!(
            "it is {:.4} ({:.4} to {:.4}), of at least {allowed:.4} needed",
            estimate.value(),
            estimate.lower(),
            estimate.upper()
        );
        Ok(Self::new(format!("estimated {metric}"), finding, detail))
    }

    /// Takes what labels say about the risk.
    pub fn from_risk(evidence: &RiskEvidence) -> Self {
        let finding = if evidence.alarmed() {
            HarmFinding::Harmed
        } else if evidence.shown_harmless() {
            HarmFinding::Unharmed
        } else {
            HarmFinding::Undecided
        };
        let detail = format!(
            "the mean loss of {} labels is {:.4}, of {:.4} tolerated",
            evidence.labels(),
            evidence.target_mean(),
            evidence.allowed()
        );
        Self::new("risk", finding, detail)
    }

    /// Takes what labels say about calibration; without an alarm there is no harm once `enough_blocks` were watched.
    ///
    /// The monitor proves harm but not its absence. How many blocks a harm that matters would need to show depends on how much
    /// block means vary; see [`CalibrationMonitor`](crate::CalibrationMonitor).
    pub fn from_calibration(evidence: &HarmEvidence, enough_blocks: u64) -> Self {
        let finding = if evidence.alarmed() {
            HarmFinding::Harmed
        } else if evidence.blocks() > 0 && evidence.blocks() >= enough_blocks {
            HarmFinding::Unharmed
        } else {
            HarmFinding::Undecided
        };
        let detail = format!(
            "labels are off their predictions by {:+.4} over {} blocks",
            evidence.mean_residual(),
            evidence.blocks()
        );
        Self::new("calibration", finding, detail)
    }

    /// How it was measured.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it says.
    #[must_use]
    pub fn finding(&self) -> HarmFinding {
        self.finding
    }

    /// Why, as half a sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}
