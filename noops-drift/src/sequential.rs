//! Drift gates that may be read after every row for ever, against a finite reference whose own error is in the guarantee.
//!
//! A test made for one look raises false alarms when it is repeated: Kolmogorov–Smirnov at 5 %, run every hundred rows
//! for ten thousand rows, alarms on three drift-free streams in ten. The gates here are e-processes, whose probability of
//! ever alarming is bounded, and they do not take the reference for the truth: a gate that does alarms on almost half of
//! the drift-free streams at a reference of 2,000 rows.
//!
//! [`PitBet`] watches a number, [`CategoryBet`] a category, [`KsBand`] a whole distribution function, and
//! [`DriftMonitor`] all columns of a model under one error budget.
//!
//! All of them assume that rows come one by one and that, without drift, the law of a row given the rows before it is
//! within the error of the reference. Reference rows must be independent of each other; strongly autocorrelated streams
//! break both assumptions, so thin them or watch block means instead.

mod aspect;
mod budget;
mod category_bet;
mod category_reference;
mod change_prior;
mod iterated_logarithm;
mod ks_band;
mod legendre;
mod monitor;
mod pit_bet;
mod rate_bet;
mod rate_interval;
mod reference;
#[cfg(test)]
mod tests;

pub use self::aspect::{DriftAspect, GateEvidence};
pub use self::category_bet::CategoryBet;
pub use self::category_reference::CategoryReference;
pub use self::ks_band::{BandReading, KsBand};
pub use self::monitor::{
    ColumnEvidence, ColumnReference, DriftMonitor, Intake, MonitorEvidence, Observation,
};
pub use self::pit_bet::PitBet;
pub use self::reference::ReferenceCdf;
