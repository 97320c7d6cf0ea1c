#![doc = include_str!("../README.md")]

mod calibration;
mod column_counts;
mod counts;
mod error;
mod frame;
mod gate;
mod profile;
mod report;
mod statistic;
#[cfg(test)]
mod testing;

pub use calibration::{Aspect, CalibrationMonitor, CalibrationSettings, HarmEvidence};
pub use column_counts::ColumnCounts;
pub use counts::Counts;
pub use error::DriftError;
pub use gate::{
    ColumnConstraints, GateReport, GateSettings, GateVerdict, QualityGate, Rule, Violation,
};
pub use profile::{Binning, ColumnProfile, Profile, ProfileSettings, ValueRange};
pub use report::{ColumnDrift, ColumnRates, DriftReport, DriftSettings, RateKind};
pub use statistic::{
    Comparison, Method, PsiSettings, Verdict, chi_square_homogeneity, jensen_shannon_distance,
    ks_two_sample, psi,
};
