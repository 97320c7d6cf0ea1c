//! Whether serving and training see the same features.

use std::fmt;

use arrow_array::RecordBatch;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::comparison::{Cell, answered, check_rows, features_of};
use super::{CellStatus, FeatureSource, Knowledge};
use crate::error::{Error, ErrorKind};

/// How far two numbers may be apart and still count as the same: |served - recomputed| <= absolute + relative * |recomputed|.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Tolerance {
    absolute: f64,
    relative: f64,
}

/// A [`Tolerance`] as it is written down.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    absolute: f64,
    relative: f64,
}

impl Tolerance {
    /// Not apart at all.
    pub const EXACT: Self = Self {
        absolute: 0.0,
        relative: 0.0,
    };

    /// A tolerance of both kinds.
    ///
    /// # Errors
    ///
    /// `Invalid` unless both are finite and not negative.
    pub fn new(absolute: f64, relative: f64) -> Result<Self, Error> {
        let usable = |tolerance: f64| tolerance.is_finite() && tolerance >= 0.0;
        if usable(absolute) && usable(relative) {
            return Ok(Self { absolute, relative });
        }
        let message = "a tolerance must be finite and not negative";
        Err(Error::new(ErrorKind::Invalid, PARITY, message)
            .with("absolute", absolute)
            .with("relative", relative))
    }

    /// The absolute part.
    #[must_use]
    pub fn absolute(&self) -> f64 {
        self.absolute
    }

    /// The part that grows with the recomputed value.
    #[must_use]
    pub fn relative(&self) -> f64 {
        self.relative
    }

    fn allows(&self, served: Cell<'_>, recomputed: Cell<'_>) -> bool {
        if served.same(&recomputed) {
            return true;
        }
        let size = match recomputed {
            Cell::Number(number) if number.is_finite() => number.abs(),
            Cell::Integer(integer) => integer.unsigned_abs() as f64,
            _ => return false,
        };
        // Integers beyond 2^53 that differ may be no distance apart as floats.
        *self != Self::EXACT
            && served
                .difference(&recomputed)
                .is_some_and(|apart| apart <= self.absolute + self.relative * size)
    }
}

impl TryFrom<Unchecked> for Tolerance {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self, Error> {
        Self::new(unchecked.absolute, unchecked.relative)
    }
}

/// A cell that was served with another value than the source has for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParityMismatch {
    /// The row among the served ones, from 0.
    pub row: usize,
    /// When it was served.
    pub at: Timestamp,
    /// What was served.
    pub served: String,
    /// What the source says should have been.
    pub recomputed: String,
    /// What the source says of the cell.
    pub status: CellStatus,
}

/// How one feature was served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureParity {
    /// The name of the feature.
    pub name: String,
    /// Rows that were compared.
    pub compared: u64,
    /// Rows that differ by more than the tolerance; a value against null is one.
    pub mismatches: u64,
    /// The largest difference between two numbers, within the tolerance or not; `None` when no two finite numbers were compared.
    pub largest_difference: Option<f64>,
    /// The first row that differs.
    pub first: Option<ParityMismatch>,
}

impl FeatureParity {
    /// The share of rows that differ; 0 when there are none.
    #[must_use]
    pub fn mismatch_rate(&self) -> f64 {
        if self.compared == 0 {
            return 0.0;
        }
        self.mismatches as f64 / self.compared as f64
    }
}

/// What was served against what the source says was known then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParityReport {
    rows: u64,
    features: Vec<FeatureParity>,
    unserved: Vec<String>,
}

impl ParityReport {
    /// How many rows were served.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Every feature that was served, in the order of the view.
    #[must_use]
    pub fn features(&self) -> &[FeatureParity] {
        &self.features
    }

    /// The features of the view that were not among the served columns, and so were not compared.
    #[must_use]
    pub fn unserved(&self) -> &[String] {
        &self.unserved
    }

    /// Whether every compared cell agrees.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.features.iter().all(|feature| feature.mismatches == 0)
    }
}

impl fmt::Display for ParityReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .features
            .iter()
            .map(|feature| feature.name.chars().count());
        let width = names.max().unwrap_or(0).max("feature".len());
        writeln!(
            f,
            "{:width$}  {:>9}  {:>10}  {:>8}  {:>12}",
            "feature", "compared", "mismatches", "rate", "largest diff"
        )?;
        for feature in &self.features {
            let largest = feature
                .largest_difference
                .map_or_else(|| "-".to_owned(), |largest| format!("{largest:.6}"));
            writeln!(
                f,
                "{:width$}  {:>9}  {:>10}  {:>7.3}%  {largest:>12}",
                feature.name,
                feature.compared,
                feature.mismatches,
                100.0 * feature.mismatch_rate(),
            )?;
        }
        for feature in &self.features {
            if let Some(first) = &feature.first {
                writeln!(
                    f,
                    "{}: first in row {} at {}: served {}, known then {}",
                    feature.name, first.row, first.at, first.served, first.recomputed
                )?;
            }
        }
        for name in &self.unserved {
            writeln!(f, "{name}: not among the served columns")?;
        }
        Ok(())
    }
}

/// Compares feature vectors as they were served with what the source says was known when they were.
///
/// `served` carries the key columns of the view and any of its features, as served; other columns are left alone. `times` says when each
/// row was served. NaN agrees with NaN and null with null; null does not agree with a value.
///
/// # Errors
///
/// `Invalid` when a row has no time, no column is a feature, or a column does not have the feature's type; otherwise what the source
/// fails with.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use noops_core::arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
/// use noops_core::{FeatureType, FeatureView, InMemoryFeatures, Timestamp, Tolerance, feature_parity};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let view = FeatureView::new("driver", "trips")
///     .with_key("driver", FeatureType::Integer)
///     .with_feature("trips", FeatureType::Number);
/// let served = RecordBatch::try_from_iter([
///     ("driver", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
///     ("trips", Arc::new(Float64Array::from(vec![0.0])) as ArrayRef),
/// ])?;
/// // The store knows nothing of the driver; somebody served a zero all the same.
/// let store = InMemoryFeatures::new(view);
/// let report = feature_parity(&served, &[Timestamp::UNIX_EPOCH], &store, Tolerance::EXACT).await?;
/// assert_eq!(report.features()[0].mismatches, 1);
/// # Ok(())
/// # }
/// ```
pub async fn feature_parity(
    served: &RecordBatch,
    times: &[Timestamp],
    source: &dyn FeatureSource,
    tolerance: Tolerance,
) -> Result<ParityReport, Error> {
    let rows = served.num_rows();
    check_rows(PARITY, "served", rows, times.len())?;
    let (columns, unserved) = features_of(source.view(), served, PARITY)?;
    let frame = source.as_of(served, times, Knowledge::AtRowTime).await?;
    let mut features = Vec::with_capacity(columns.len());
    for (index, feature, cells) in columns {
        let recomputed = answered(frame.values(), (index, feature), rows, PARITY)?;
        let mut parity = FeatureParity {
            name: feature.name.clone(),
            compared: rows as u64,
            mismatches: 0,
            largest_difference: None,
            first: None,
        };
        for (row, at) in times.iter().enumerate() {
            let (left, right) = (Cell::of(&cells, row), Cell::of(&recomputed, row));
            let apart = left.difference(&right).filter(|apart| apart.is_finite());
            parity.largest_difference = match (parity.largest_difference, apart) {
                (Some(largest), Some(apart)) => Some(largest.max(apart)),
                (largest, apart) => largest.or(apart),
            };
            if tolerance.allows(left, right) {
                continue;
            }
            parity.mismatches += 1;
            if parity.first.is_none() {
                parity.first = Some(ParityMismatch {
                    row,
                    at: *at,
                    served: left.to_string(),
                    recomputed: right.to_string(),
                    status: frame.status(row, index).unwrap_or(CellStatus::Error),
                });
            }
        }
        features.push(parity);
    }
    Ok(ParityReport {
        rows: rows as u64,
        features,
        unserved,
    })
}

const PARITY: &str = "compare served features";

#[cfg(test)]
mod tests;
