//! Whether training rows know what nobody knew at their time.

use std::fmt;

use arrow_array::RecordBatch;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::comparison::{Cell, answered, check_rows, features_of};
use super::{FeatureSource, Knowledge};
use crate::error::{Error, ErrorKind};

/// A training cell that can only have come from later knowledge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// The row among the training rows, from 0.
    pub row: usize,
    /// The time of the row.
    pub at: Timestamp,
    /// What the training row says.
    pub trained: String,
    /// What was known at its time.
    pub known_then: String,
}

/// What one feature of the training rows knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureLeakage {
    /// The name of the feature.
    pub name: String,
    /// Rows that were compared.
    pub compared: u64,
    /// Rows for which later knowledge differs from what was known then: only these can show a leak.
    pub telling: u64,
    /// Rows that hold what only became known later.
    pub leaked: u64,
    /// Rows that hold neither what was known then nor what is known now.
    pub unexplained: u64,
    /// The first row that leaked.
    pub first: Option<Leak>,
}

/// What training rows know beyond their time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakageReport {
    rows: u64,
    features: Vec<FeatureLeakage>,
    untrained: Vec<String>,
}

impl LeakageReport {
    /// How many training rows there are.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Every feature that is among the training columns, in the order of the view.
    #[must_use]
    pub fn features(&self) -> &[FeatureLeakage] {
        &self.features
    }

    /// The features of the view that are not among the training columns.
    #[must_use]
    pub fn untrained(&self) -> &[String] {
        &self.untrained
    }

    /// Whether no cell leaked. With no [`FeatureLeakage::telling`] rows that says nothing.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.features.iter().all(|feature| feature.leaked == 0)
    }
}

impl fmt::Display for LeakageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self
            .features
            .iter()
            .map(|feature| feature.name.chars().count());
        let width = names.max().unwrap_or(0).max("feature".len());
        writeln!(
            f,
            "{:width$}  {:>9}  {:>9}  {:>9}  {:>11}",
            "feature", "compared", "telling", "leaked", "unexplained"
        )?;
        for feature in &self.features {
            writeln!(
                f,
                "{:width$}  {:>9}  {:>9}  {:>9}  {:>11}",
                feature.name,
                feature.compared,
                feature.telling,
                feature.leaked,
                feature.unexplained
            )?;
        }
        for feature in &self.features {
            if let Some(leak) = &feature.first {
                writeln!(
                    f,
                    "{}: first leak in row {} at {}: trained on {}, known then {}",
                    feature.name, leak.row, leak.at, leak.trained, leak.known_then
                )?;
            }
        }
        for name in &self.untrained {
            writeln!(f, "{name}: not among the training columns")?;
        }
        Ok(())
    }
}

/// Looks for values in training rows that were not known at the time of their row.
///
/// A cell leaked when it holds what the source says with the knowledge of `now`, and not what it says with the knowledge of the row's
/// time: a backfill or a correction was joined as if it had always been there. Both times are asked for the same event time, so a
/// value of a later event counts as unexplained, not as leaked.
///
/// # Errors
///
/// `Invalid` when a row has no time or one after `now`, when the entities and the training rows are not as many, when no column is a
/// feature, or a column does not have the feature's type; otherwise what the source fails with.
pub async fn leakage(
    source: &dyn FeatureSource,
    entities: &RecordBatch,
    times: &[Timestamp],
    training: &RecordBatch,
    now: Timestamp,
) -> Result<LeakageReport, Error> {
    let rows = training.num_rows();
    check_rows(LEAKAGE, "training rows", rows, times.len())?;
    check_rows(LEAKAGE, "entities", entities.num_rows(), times.len())?;
    if let Some(row) = times.iter().position(|at| *at > now) {
        let message = "a row is later than now, so nothing can have become known after it";
        return Err(Error::new(ErrorKind::Invalid, LEAKAGE, message)
            .with("row", row)
            .with("now", now));
    }
    let (columns, untrained) = features_of(source.view(), training, LEAKAGE)?;
    let then = source.as_of(entities, times, Knowledge::AtRowTime).await?;
    let later = source.as_of(entities, times, Knowledge::Until(now)).await?;
    let mut features = Vec::with_capacity(columns.len());
    for (index, feature, trained) in columns {
        let then = answered(then.values(), (index, feature), rows, LEAKAGE)?;
        let later = answered(later.values(), (index, feature), rows, LEAKAGE)?;
        let mut found = FeatureLeakage {
            name: feature.name.clone(),
            compared: rows as u64,
            telling: 0,
            leaked: 0,
            unexplained: 0,
            first: None,
        };
        for (row, at) in times.iter().enumerate() {
            let (then, later) = (Cell::of(&then, row), Cell::of(&later, row));
            let cell = Cell::of(&trained, row);
            found.telling += u64::from(!then.same(&later));
            if cell.same(&then) {
                continue;
            }
            if !cell.same(&later) {
                found.unexplained += 1;
                continue;
            }
            found.leaked += 1;
            if found.first.is_none() {
                found.first = Some(Leak {
                    row,
                    at: *at,
                    trained: cell.to_string(),
                    known_then: then.to_string(),
                });
            }
        }
        features.push(found);
    }
    Ok(LeakageReport {
        rows: rows as u64,
        features,
        untrained,
    })
}

const LEAKAGE: &str = "look for leakage";

#[cfg(test)]
mod tests;
