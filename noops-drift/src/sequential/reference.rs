use serde::{Deserialize, Serialize};

use crate::error::DriftError;
use crate::statistic::SortedSample;

/// What a gate knows of a numeric reference: its distribution function at the bounds of some cells, from finitely many rows.
///
/// A cell holds its upper bound; the first and the last are open to the infinities. A value that holds a cell's share by
/// itself (zero in zero-inflated data, every value of a small set) is alone in its cell, and what lies between two such
/// values has a cell of its own, although the reference has no value there.
///
/// # Formula
///
/// With probability at least 1 − δ, for all x at once, |F̂(x) − F(x)| <= √(ln(2/δ) / 2n) + s for n reference values and a
/// rank error s of the sketch they went through (Dvoretzky, Kiefer and Wolfowitz, 1956, with the constant of Massart,
/// 1990). It holds with ties, and the fewer rows, the wider it is.
///
/// # Examples
///
/// ```
/// use noops_drift::sequential::ReferenceCdf;
/// use noops_drift::statistic::SortedSample;
///
/// let values: Vec<f64> = (0..1_000).map(|i| f64::from(i % 500).max(100.0)).collect();
/// let reference = ReferenceCdf::of_sample(&SortedSample::new(&values));
/// assert_eq!(reference.values(), 1_000);
/// // A fifth of the reference is the value 100, which is alone in its cell.
/// let atom = reference.cell_of(100.0);
/// assert_eq!(reference.counts().get(atom), Some(&202));
/// assert_ne!(reference.cell_of(99.0), atom);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawReferenceCdf")]
pub struct ReferenceCdf {
    edges: Vec<f64>,
    counts: Vec<u64>,
    values: u64,
    missing: u64,
    sketch_error: f64,
}

impl ReferenceCdf {
    /// Cuts a sample into about 256 cells of equal share; its NaN are counted as missing.
    #[must_use]
    pub fn of_sample(sample: &SortedSample) -> Self {
        Self::cut(sample, DEFAULT_CELLS)
    }

    /// Cuts a sample into about `cells` cells of equal share; its NaN are counted as missing.
    ///
    /// More cells resolve more of the distribution and cost 48 bytes each in a gate. A value that holds the share of a
    /// cell takes up to two more.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless there are 2 to 65,536 cells.
    ///
    /// # Complexity
    ///
    /// O(n + c log n) for n values and c cells.
    pub fn with_cells(sample: &SortedSample, cells: usize) -> Result<Self, DriftError> {
        if !(2..=MOST_CELLS).contains(&cells) {
            return Err(DriftError::InvalidSetting {
                setting: "cells",
                value: cells as f64,
                allowed: "2 to 65536",
            });
        }
        Ok(Self::cut(sample, cells))
    }

    /// Takes the bins of a profile: ascending upper bounds of all cells but the last, and the rows in each cell.
    ///
    /// # Errors
    ///
    /// [`DriftError::UnequalCells`] unless there is one count more than there are edges, and
    /// [`DriftError::InvalidInput`] when the edges are not finite and ascending or the counts exceed what can be counted.
    pub fn from_cells(edges: &[f64], counts: &[u64]) -> Result<Self, DriftError> {
        if counts.len() != edges.len().saturating_add(1) {
            return Err(DriftError::UnequalCells {
                reference: counts.len(),
                current: edges.len().saturating_add(1),
            });
        }
        if let Some(reason) = fault_of_edges(edges) {
            return Err(DriftError::InvalidInput {
                input: "edges",
                reason: reason.to_owned(),
            });
        }
        let Some(values) = checked_sum(counts) else {
            return Err(DriftError::InvalidInput {
                input: "counts",
                reason: "add up to more than can be counted; pass the counts of one reference"
                    .to_owned(),
            });
        };
        Ok(Self {
            edges: edges.to_vec(),
            counts: counts.to_vec(),
            values,
            missing: 0,
            sketch_error: 0.0,
        })
    }

    /// Sets how many reference rows had no value.
    #[must_use]
    pub fn with_missing(mut self, missing: u64) -> Self {
        self.missing = missing.min(u64::MAX - self.values);
        self
    }

    /// Sets the rank error of the sketch that the counts come from, as a part of the rows; 0 when they are exact.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless it is between 0 and 1.
    pub fn with_sketch_error(mut self, sketch_error: f64) -> Result<Self, DriftError> {
        if !(0.0..=1.0).contains(&sketch_error) {
            return Err(DriftError::InvalidSetting {
                setting: "sketch_error",
                value: sketch_error,
                allowed: "a number from 0 to 1",
            });
        }
        self.sketch_error = sketch_error;
        Ok(self)
    }

    /// The upper bounds of all cells but the last, ascending.
    #[must_use]
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The reference values in each cell.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many values the reference has.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.values
    }

    /// How many reference rows had no value.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// The rank error of the sketch behind the counts.
    #[must_use]
    pub fn sketch_error(&self) -> f64 {
        self.sketch_error
    }

    /// The cell a value falls in. NaN has no place and is given the first cell; ask for it before.
    ///
    /// # Complexity
    ///
    /// O(log c) for c cells, without branches.
    #[must_use]
    pub fn cell_of(&self, value: f64) -> usize {
        self.edges.partition_point(|edge| *edge < value)
    }

    /// How far the true distribution function may be from this one, with probability at least 1 − `failure`; at most 1.
    pub(super) fn band(&self, failure: f64) -> f64 {
        if self.values == 0 {
            return 1.0;
        }
        let sampling = ((2.0 / failure).ln() / (2.0 * self.values as f64)).sqrt();
        (sampling + self.sketch_error).min(1.0)
    }

    /// The reference values up to the end of each cell.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = u64> + '_ {
        self.counts.iter().scan(0_u64, |sum, count| {
            *sum = sum.saturating_add(*count);
            Some(*sum)
        })
    }

    fn cut(sample: &SortedSample, cells: usize) -> Self {
        let sorted = sample.values();
        let edges = edges_of(sorted, cells);
        let mut counts = Vec::with_capacity(edges.len() + 1);
        let mut below = 0;
        for edge in &edges {
            let upto = sorted.partition_point(|value| value <= edge);
            counts.push((upto - below) as u64);
            below = upto;
        }
        counts.push((sorted.len() - below) as u64);
        Self {
            edges,
            counts,
            values: sorted.len() as u64,
            missing: sample.nans(),
            sketch_error: 0.0,
        }
    }
}

#[derive(Deserialize)]
struct RawReferenceCdf {
    edges: Vec<f64>,
    counts: Vec<u64>,
    values: u64,
    missing: u64,
    sketch_error: f64,
}

impl TryFrom<RawReferenceCdf> for ReferenceCdf {
    type Error = DriftError;

    fn try_from(raw: RawReferenceCdf) -> Result<Self, DriftError> {
        let invalid = |reason: String| DriftError::InvalidState {
            state: "reference distribution",
            reason,
        };
        let reference = Self::from_cells(&raw.edges, &raw.counts)
            .map_err(|error| invalid(error.to_string()))?;
        if reference.values != raw.values {
            return Err(invalid(format!(
                "the cells hold `{}` values and `{}` are stated",
                reference.values, raw.values
            )));
        }
        if raw.missing > u64::MAX - raw.values {
            return Err(invalid(
                "there are more rows than can be counted".to_owned(),
            ));
        }
        reference
            .with_missing(raw.missing)
            .with_sketch_error(raw.sketch_error)
            .map_err(|error| invalid(error.to_string()))
    }
}

/// Quantiles of about equal share, and both sides of every value that holds a cell's share.
fn edges_of(sorted: &[f64], cells: usize) -> Vec<f64> {
    let total = sorted.len() as u128;
    let parts = cells as u128;
    let mut edges: Vec<f64> = (1..parts)
        .filter_map(|part| usize::try_from(part * total / parts).ok()?.checked_sub(1))
        .filter_map(|rank| sorted.get(rank).copied())
        .collect();
    for run in sorted.chunk_by(|a, b| a == b) {
        let heavy = run.len() > 1 && run.len() as u128 * parts >= total;
        if let (true, Some(value)) = (heavy, run.first()) {
            edges.push(value.next_down());
            // Minus infinity is no edge; nothing else lies below the smallest number.
            edges.push(value.max(f64::MIN));
        }
    }
    edges.retain(|edge| edge.is_finite());
    edges.sort_unstable_by(f64::total_cmp);
    edges.dedup();
    edges
}

fn fault_of_edges(edges: &[f64]) -> Option<&'static str> {
    if edges.iter().any(|edge| !edge.is_finite()) {
        return Some("has a bound that is not finite; leave the outer cells open");
    }
    let ascending = edges
        .iter()
        .zip(edges.iter().skip(1))
        .all(|(low, high)| low < high);
    if ascending {
        None
    } else {
        Some("is not ascending; sort the bounds and leave out repeated ones")
    }
}

fn checked_sum(counts: &[u64]) -> Option<u64> {
    counts
        .iter()
        .try_fold(0_u64, |sum, count| sum.checked_add(*count))
}

/// More cells than this detect no sooner, and the cells of a column stay within 12 KiB.
const DEFAULT_CELLS: usize = 256;
const MOST_CELLS: usize = 65_536;
