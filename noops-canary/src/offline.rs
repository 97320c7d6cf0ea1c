//! Evaluation on labelled history: a candidate against its champion, before any of them serves.
//!
//! Metrics of one model with intervals ([`Evaluation`], [`Confusion`], [`MulticlassEvaluation`], [`RegressionEvaluation`],
//! [`RankingEvaluation`], [`ReliabilityCurve`]), paired comparisons of two models on the same rows ([`compare`],
//! [`compare_losses`], [`compare_slices`], [`delong_test`], [`PairedBootstrap`]), a [`Gate`] over what they find, and what it takes to use
//! one test set more than once ([`TestSetBudget`], [`Ladder`]).

use serde::{Deserialize, Serialize};

mod area;
mod bootstrap;
mod budget;
mod calibration;
mod check;
mod comparison;
mod confusion;
mod delong;
mod evaluation;
pub mod fairness;
mod fraction;
mod gate;
mod ladder;
mod losses;
mod metric;
mod multiclass;
mod precision_recall;
mod ranking;
mod recalibration;
mod regression;
mod slices;
mod ties;

pub use self::area::{AreaUnderCurve, area_under_curve};
pub use self::bootstrap::{BootstrapComparison, PairedBootstrap};
pub use self::budget::{Allowance, Disclosure, SpendingSchedule, TestSetBudget};
pub use self::calibration::{Binning, BrierDecomposition, ReliabilityBin, ReliabilityCurve};
pub use self::comparison::{OfflineComparison, compare, compare_losses};
pub use self::confusion::Confusion;
pub use self::delong::delong_test;
pub use self::evaluation::Evaluation;
pub use self::fraction::Fraction;
pub use self::gate::{Criterion, CriterionResult, Finding, Gate, GateReport, GateVerdict, Rule};
pub use self::ladder::Ladder;
pub use self::losses::{absolute_errors, brier_losses, log_losses, pinball_losses, squared_errors};
pub use self::metric::Metric;
pub use self::multiclass::MulticlassEvaluation;
pub use self::precision_recall::average_precision;
pub use self::ranking::RankingEvaluation;
pub use self::recalibration::{Recalibration, recalibration};
pub use self::regression::RegressionEvaluation;
pub use self::slices::{
    SliceComparison, SliceCorrection, SliceReport, SliceSettings, compare_slices,
};

/// What an offline comparison shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfflineVerdict {
    /// The whole interval lies on the good side of the margin.
    NonInferior,
    /// The whole interval lies on the bad side of the margin.
    Inferior,
    /// The interval holds the margin, or the blocks are too few, too unequal or too uniform to trust it.
    Undecided,
}
