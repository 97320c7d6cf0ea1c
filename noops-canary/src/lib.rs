//! Is the candidate at least as good as the champion? Assignment, judging and rollout as pure functions with stated error
//! rates.
//!
//! ```
//! use noops_canary::{Judge, JudgeSettings, Verdict};
//! use noops_core::Probability;
//!
//! let mut judge = Judge::new(JudgeSettings::default().with_min_pairs(500))?;
//! let (champion, candidate) = (Probability::new(0.20)?, Probability::new(0.17)?);
//! for hour in 0..60 {
//!     for _request in 0..10 {
//!         judge.observe_pair(hour, champion, candidate);
//!     }
//! }
//! judge.close_before(60);
//! assert_eq!(judge.verdict().verdict(), Verdict::Promote);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Concepts
//!
//! - **Assignment.** [`Assignment`] sends each unit to an [`Arm`] by a published hash: sticky, salted per rollout, and
//!   monotone in the share.
//! - **Evidence.** [`PairedLoss`] compares losses on the same requests; [`RateComparison`] compares how often things go wrong
//!   in two arms while the ramp moves. Both are e-processes: they may be looked at after every observation, and the
//!   chance of ever being misled stays below the stated rate.
//! - **Judgement.** [`Judge`] joins them. It promotes on proof of non-inferiority, rolls back on proof of harm, and says
//!   [`Verdict::Insufficient`] when it has seen too little. No data is never a pass. [`Judgement::explain`] says why.
//! - **Rollout.** [`Rollout`] walks a [`RolloutPlan`] from shadow to full traffic. It proposes; the host acts.
//! - **Offline.** [`Evaluation`] and [`compare`] measure a candidate on labelled history before any of this starts.
//!
//! Every state is a value that can be serialised, read back, and goes on as if nothing had happened.
//!
//! # What it does not do
//!
//! It moves no traffic, reads no clock, starts no thread and writes nothing. It does not correct for labels that arrive later for one
//! arm than for the other: show it outcomes of equal age. It does not find the slice in which a candidate is worse, and
//! it plans no sample size before the first observation.

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
