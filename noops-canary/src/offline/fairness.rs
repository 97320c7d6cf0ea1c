//! Fairness by group: what each group of people gets, how far apart the groups are, and whether a candidate drives them further apart.
//!
//! [`GroupedMetrics`] measures every group and takes every disparity that fairlearn offers ([`Disparity`]), with intervals that hold for all groups
//! at once; [`four_fifths`] applies the four-fifths rule with a guard against small samples; [`compare_disparity`] says whether the candidate's
//! disparity is worse than the champion's by more than a margin, and [`FairnessComparison::finding`] brings that to a
//! [`Gate`](crate::offline::Gate). [`Groups::crossing`] makes intersectional groups.
//!
//! # Limits
//!
//! A disparity is a number about a data set, not a judgement of a practice: labels may carry the very bias that is looked for, groups that
//! nobody recorded are not seen, and no two of these criteria can in general be met together. Rows are taken as independent
//! wherever an interval does not take blocks.

mod comparison;
mod disparity;
mod four_fifths;
mod group_metric;
mod grouped;
mod groups;
mod measure;
mod predictions;
mod settings;

pub use self::comparison::{ComparisonSettings, FairnessComparison, compare_disparity};
pub use self::disparity::{Baseline, Disparity, DisparityEstimate, OddsAggregate};
pub use self::four_fifths::{
    FourFifthsReport, FourFifthsSettings, FourFifthsVerdict, GroupImpact, Selection, four_fifths,
};
pub use self::group_metric::GroupMetric;
pub use self::grouped::{GroupSummary, GroupedMetrics};
pub use self::groups::Groups;
pub use self::predictions::Predictions;
pub use self::settings::FairnessSettings;

#[cfg(test)]
mod tests;
