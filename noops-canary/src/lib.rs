#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod assignment;
mod error;
mod judge;
mod offline;
mod paired;
mod rate;
mod rollout;
#[cfg(test)]
mod simulation;

pub use crate::assignment::{Arm, Assigned, Assignment, Salt, bucket};
pub use crate::error::CanaryError;
pub use crate::judge::{Cause, Judge, JudgeSettings, Judgement, Verdict};
pub use crate::offline::{
    Evaluation, Interval, Metric, OfflineComparison, OfflineVerdict, compare,
};
pub use crate::paired::{PairedLoss, PairedSettings};
pub use crate::rate::RateComparison;
pub use crate::rollout::{RampStage, Rollout, RolloutPlan, Stage, StageGate, Transition};
