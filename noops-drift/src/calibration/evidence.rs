use noops_core::{Alpha, LogE};
use serde::{Deserialize, Serialize};

use super::CalibrationMonitor;

/// In which way predictions are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Aspect {
    /// Predictions are too low on average: the event happens more often than predicted.
    TooLow,
    /// Predictions are too high on average: the event happens less often than predicted.
    TooHigh,
    /// Predictions are not far enough apart: high ones come true more often, low ones less often than predicted.
    TooFlat,
    /// Predictions are too far apart, or overconfident: high ones come true less often, low ones more often.
    TooSteep,
}

/// What a [`CalibrationMonitor`] has seen so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct HarmEvidence {
    alpha: Alpha,
    log_e: LogE,
    max: LogE,
    aspect: Option<Aspect>,
    blocks: u64,
    labels: u64,
    late: u64,
    thin: u64,
    mean_residual: f64,
    mean_slope: f64,
}

impl HarmEvidence {
    pub(super) fn new(monitor: &CalibrationMonitor) -> Self {
        let blocks = monitor.blocks as f64;
        let mean = |sum: f64| if blocks > 0.0 { sum / blocks } else { 0.0 };
        Self {
            alpha: monitor.settings.alpha(),
            log_e: monitor.log_e(),
            max: monitor.max,
            aspect: strongest(monitor),
            blocks: monitor.blocks,
            labels: monitor.labels,
            late: monitor.late,
            thin: monitor.thin,
            mean_residual: mean(monitor.location_sum),
            mean_slope: mean(monitor.spread_sum),
        }
    }

    /// Whether the evidence has ever been enough for an alarm.
    pub fn alarmed(&self) -> bool {
        self.max.rejects(self.alpha)
    }

    /// The probability of a false alarm this was judged at.
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The evidence now.
    pub fn log_e(&self) -> LogE {
        self.log_e
    }

    /// The largest evidence so far.
    pub fn max(&self) -> LogE {
        self.max
    }

    /// The way in which predictions most likely are wrong; nothing before evidence for any.
    ///
    /// The alarm is for the four aspects together; which one stands out is a hint without an error rate of its own.
    pub fn aspect(&self) -> Option<Aspect> {
        self.aspect
    }

    /// Blocks that were bet on.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Labels in those blocks.
    pub fn labels(&self) -> u64 {
        self.labels
    }

    /// Labels that came after their block was closed.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// Blocks that had too few labels to count.
    pub fn thin(&self) -> u64 {
        self.thin
    }

    /// The mean over blocks of label minus prediction; above 0 when predictions are too low.
    pub fn mean_residual(&self) -> f64 {
        self.mean_residual
    }

    /// The mean over blocks of the residual away from the reference mean; below 0 when predictions are too steep.
    pub fn mean_slope(&self) -> f64 {
        self.mean_slope
    }
}

fn strongest(monitor: &CalibrationMonitor) -> Option<Aspect> {
    let aspects = [
        Aspect::TooLow,
        Aspect::TooHigh,
        Aspect::TooFlat,
        Aspect::TooSteep,
    ];
    aspects
        .into_iter()
        .zip(monitor.bets.iter().map(|bet| bet.max_log_e().get()))
        .filter(|(_, log_e)| *log_e > 0.0)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(aspect, _)| aspect)
}
