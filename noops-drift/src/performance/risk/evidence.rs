use noops_core::{Alpha, LogE};
use serde::{Deserialize, Serialize};

use super::RiskMonitor;

/// What a [`RiskMonitor`] has seen so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct RiskEvidence {
    alpha: Alpha,
    bet_alpha: Alpha,
    log_e: LogE,
    max: LogE,
    harmless: LogE,
    source_mean: f64,
    allowed: f64,
    target_mean: f64,
    bets: u64,
    labels: u64,
    late: u64,
    repeated: u64,
    refused: u64,
}

impl RiskEvidence {
    pub(super) fn new(monitor: &RiskMonitor) -> Self {
        Self {
            alpha: monitor.settings.alpha(),
            bet_alpha: monitor.settings.half_alpha(),
            log_e: monitor.log_e(),
            max: monitor.harmful.max_log_e(),
            harmless: monitor.harmless.log_e(),
            source_mean: monitor.source.mean(),
            allowed: monitor.allowed,
            target_mean: monitor.harmful.mean(),
            bets: monitor.harmful.observations(),
            labels: monitor.labels,
            late: monitor.late,
            repeated: monitor.repeated,
            refused: monitor.refused,
        }
    }

    /// Whether the evidence has ever been enough to say that the risk is above what is tolerated.
    #[must_use]
    pub fn alarmed(&self) -> bool {
        self.max.rejects(self.bet_alpha)
    }

    /// Whether there has been no alarm and the evidence is enough to say that the risk so far is below the most that is tolerated.
    ///
    /// It is about the mean over all rows so far, and says nothing about tomorrow.
    #[must_use]
    pub fn shown_harmless(&self) -> bool {
        !self.alarmed() && self.harmless.rejects(self.bet_alpha)
    }

    /// The probability of a false alarm this was judged at.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The evidence of harm now.
    #[must_use]
    pub fn log_e(&self) -> LogE {
        self.log_e
    }

    /// The largest evidence of harm so far.
    #[must_use]
    pub fn max(&self) -> LogE {
        self.max
    }

    /// The evidence now that there is no harm.
    #[must_use]
    pub fn harmless(&self) -> LogE {
        self.harmless
    }

    /// The mean loss of the reference.
    #[must_use]
    pub fn source_mean(&self) -> f64 {
        self.source_mean
    }

    /// The most risk that is no harm: the upper bound of the reference's, plus the tolerance.
    #[must_use]
    pub fn allowed(&self) -> f64 {
        self.allowed
    }

    /// The mean loss of the rows, or blocks, that were bet on.
    #[must_use]
    pub fn target_mean(&self) -> f64 {
        self.target_mean
    }

    /// Rows, or blocks, that were bet on.
    #[must_use]
    pub fn bets(&self) -> u64 {
        self.bets
    }

    /// Labels in closed blocks.
    #[must_use]
    pub fn labels(&self) -> u64 {
        self.labels
    }

    /// Labels that came after their block was closed.
    #[must_use]
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Labels that came for an offset that had one.
    #[must_use]
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Losses that were no number from 0 to 1.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }
}
