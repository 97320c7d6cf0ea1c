#![doc = include_str!("../README.md")]

#[cfg(feature = "ndarray")]
mod array;
mod boosting;
mod calibration;
mod column_counts;
mod counts;
pub mod detector;
mod error;
pub mod expectation;
pub mod fdr;
mod frame;
mod gate;
mod kernel;
mod matrix;
pub mod multivariate;
pub mod performance;
mod profile;
mod report;
pub mod sequential;
pub mod statistic;
#[cfg(test)]
mod testing;

pub use boosting::BoostingSettings;
pub use calibration::{Aspect, CalibrationMonitor, CalibrationSettings, HarmEvidence};
pub use column_counts::ColumnCounts;
pub use counts::Counts;
pub use error::DriftError;
pub use gate::{
    ColumnConstraints, GateReport, GateSettings, GateVerdict, QualityGate, Rule, Violation,
};
pub use matrix::Matrix;
pub use profile::{
    Binning, ColumnProfile, Distinct, Frequency, Moments, Profile, ProfileBuilder, ProfileSettings,
    Quantile, Quantiles, ValueRange,
};
pub use report::{
    ColumnCells, ColumnDrift, ColumnRates, Correction, DriftReport, DriftSettings, RateKind,
    SampleStatistics,
};
