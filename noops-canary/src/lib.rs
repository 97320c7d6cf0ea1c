#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
// Tests compare with the platform's functions; what is shipped is linted without `cfg(test)`.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

mod assignment;
pub mod batch;
mod direction;
mod error;
mod interval;
pub mod judge;
pub mod labels;
pub mod offline;
pub mod planning;
pub mod rollout;
pub mod sequential;
pub mod shadow;
#[cfg(test)]
mod simulation;

pub use assignment::{
    Arm, Assigned, Assignment, Challenger, ExposureRecord, Override, Overrides, Ring, RingBound,
    RingDecision, RingFault, RingGate, RingOutcome, Rings, Salt, WeightedAssigned,
    WeightedAssignment, WeightedExposureRecord, bucket,
};
pub use direction::Direction;
pub use error::CanaryError;
pub use interval::Interval;
