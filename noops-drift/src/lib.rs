//! Is live data still what the model learned? Profiles of a reference, calibrated drift statistics, a quality gate for
//! incoming data, and an anytime-valid detector of harm to the model.
//!
//! ```
//! use noops_drift::{Counts, DriftSettings, Profile, ProfileSettings};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let learned: Vec<f64> = (0..2_000).map(|i| f64::from(i % 100)).collect();
//! let profile = Profile::of_values("score", &learned, &ProfileSettings::default())?;
//!
//! let mut today = Counts::new(&profile);
//! for i in 0..500 {
//!     today.observe_value(&profile, f64::from(i % 100))?;
//! }
//! let report = profile.compare(&today, &DriftSettings::default())?;
//! assert_eq!(report.drifted().count(), 0);
//! # Ok(())
//! # }
//! ```
//!
//! # Concepts
//!
//! - A [`Profile`] is fixed on the reference: quantile bins, categories, nulls. [`Counts`] are later data in its cells;
//!   they are integers, merge exactly in any order, and never grow.
//! - [`Profile::compare`] gives a [`DriftReport`]: per column drift, no drift, or undecided with the smallest shift the
//!   rows could have shown. Thresholds follow from the rows, the cells and one error rate for all columns.
//! - A [`QualityGate`] stops a batch that breaks limits suggested by the reference, when its rows prove it.
//! - A [`CalibrationMonitor`] watches labels against predictions and alarms when the model itself is harmed. It may be
//!   read after every block, for ever, at one error rate.
//! - [`psi`], [`chi_square_homogeneity`], [`ks_two_sample`] and [`jensen_shannon_distance`] are there on their own.
//!
//! # What it does not do
//!
//! No IO, clock, threads or randomness. The batch tests are for one look at independent rows; only the monitor may be
//! read continuously. Columns are tested one by one, so a change in their dependence alone is not seen. The profile is
//! built from exact quantiles in memory, and is never updated by later data.

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
pub use report::{ColumnDrift, ColumnRates, DriftReport, DriftSettings};
pub use statistic::{
    Comparison, Method, PsiSettings, Verdict, chi_square_homogeneity, jensen_shannon_distance,
    ks_two_sample, psi,
};
