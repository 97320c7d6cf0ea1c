use std::collections::BTreeMap;

use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::fraction::Fraction;
use super::losses::brier_losses;
use crate::error::CanaryError;
use crate::interval::Interval;

/// How predicted probabilities are put into bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Binning {
    /// About as many rows in each; equal predictions are never split, so bins can be fewer and differ in size.
    EqualCount,
    /// The same width of \[0, 1\] each; a bin holds its upper edge, the first both. Empty bins are left out.
    EqualWidth,
}

/// What came true of what was predicted, by bins of the prediction.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::{Binning, ReliabilityCurve};
///
/// let curve = ReliabilityCurve::of(
///     &[0.1, 0.1, 0.2, 0.2, 0.9, 0.9],
///     &[false, false, false, true, true, true],
///     Binning::EqualWidth,
///     2,
/// )?;
/// assert_eq!(curve.bins().len(), 2);
/// assert_eq!(curve.bins()[0].positives().value(), Some(0.25));
/// assert!((curve.expected_calibration_error() - 0.1).abs() < 1e-12);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityCurve {
    binning: Binning,
    bins: Vec<ReliabilityBin>,
    brier: f64,
    rows: u64,
}

impl ReliabilityCurve {
    /// Sorts the rows into at most `bins` bins.
    ///
    /// # Errors
    ///
    /// As for [`Evaluation::of`](crate::offline::Evaluation::of), and [`CanaryError::Setting`] unless there are 1 to 10 000 bins.
    ///
    /// # Complexity
    ///
    /// O(n log n).
    pub fn of(
        predicted: &[f64],
        labels: &[bool],
        binning: Binning,
        bins: usize,
    ) -> Result<Self, CanaryError> {
        let losses = brier_losses(predicted, labels)?;
        if !(1..=MOST_BINS).contains(&bins) {
            return Err(CanaryError::Setting {
                name: "bins",
                value: bins as f64,
                allowed: "from 1 to 10000",
            });
        }
        let rows: Vec<(f64, bool)> = predicted
            .iter()
            .copied()
            .zip(labels.iter().copied())
            .collect();
        Ok(Self {
            binning,
            brier: losses.iter().sum::<f64>() / rows.len() as f64,
            rows: rows.len() as u64,
            bins: match binning {
                Binning::EqualCount => equal_count(rows, bins),
                Binning::EqualWidth => equal_width(&rows, bins),
            },
        })
    }

    /// How the bins were made.
    #[must_use]
    pub fn binning(&self) -> Binning {
        self.binning
    }

    /// The bins that hold rows, by ascending prediction.
    #[must_use]
    pub fn bins(&self) -> &[ReliabilityBin] {
        &self.bins
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The mean distance between prediction and truth over the bins, weighted by their rows (ECE).
    ///
    /// # Numerical notes
    ///
    /// Biased upwards: noise within a bin counts as error, the more so the fewer rows a bin has. It depends on the bins too; compare
    /// models on the same binning only.
    #[must_use]
    pub fn expected_calibration_error(&self) -> f64 {
        let gaps = self
            .bins
            .iter()
            .map(|bin| (bin.predicted - bin.positives.hits() as f64).abs());
        gaps.sum::<f64>() / self.rows.max(1) as f64
    }

    /// The largest distance between prediction and truth of any bin (MCE).
    #[must_use]
    pub fn maximum_calibration_error(&self) -> f64 {
        self.bins
            .iter()
            .map(|bin| (bin.mean_predicted() - bin.observed()).abs())
            .fold(0.0, f64::max)
    }

    /// The Brier score in parts: how far predictions are from what came true, how far they tell rows apart, and how uncertain rows are.
    #[must_use]
    pub fn brier_decomposition(&self) -> BrierDecomposition {
        let rows = self.rows.max(1) as f64;
        let positives: f64 = self
            .bins
            .iter()
            .map(|bin| bin.positives.hits() as f64)
            .sum();
        let base = positives / rows;
        let weighted = |part: &dyn Fn(&ReliabilityBin) -> f64| -> f64 {
            self.bins
                .iter()
                .map(|bin| bin.positives.rows() as f64 / rows * part(bin))
                .sum()
        };
        let square = |value: f64| value * value;
        let reliability = weighted(&|bin| square(bin.mean_predicted() - bin.observed()));
        let resolution = weighted(&|bin| square(bin.observed() - base));
        let uncertainty = base * (1.0 - base);
        BrierDecomposition {
            brier: self.brier,
            reliability,
            resolution,
            uncertainty,
            within_bins: self.brier - (reliability - resolution + uncertainty),
        }
    }
}

/// The rows of one bin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    // The sum of the predictions.
    predicted: f64,
    positives: Fraction,
}

impl ReliabilityBin {
    fn new() -> Self {
        Self {
            predicted: 0.0,
            positives: Fraction::among(0, 0),
        }
    }

    fn add(&mut self, (predicted, label): (f64, bool)) {
        let hits = self.positives.hits().saturating_add(u64::from(label));
        let rows = self.positives.rows().saturating_add(1);
        self.predicted += predicted;
        self.positives = Fraction::among(hits, rows.saturating_sub(hits));
    }

    /// The mean prediction.
    #[must_use]
    pub fn mean_predicted(&self) -> f64 {
        self.predicted / self.positives.rows().max(1) as f64
    }

    /// The rows that came true, out of all: its value is what a calibrated model predicts.
    #[must_use]
    pub fn positives(&self) -> Fraction {
        self.positives
    }

    /// Wilson's interval of the share that came true.
    #[must_use]
    pub fn interval(&self, alpha: Alpha) -> Interval {
        self.positives.interval(alpha)
    }

    fn observed(&self) -> f64 {
        self.positives.value().unwrap_or(0.0)
    }
}

/// A Brier score in its parts: `brier = reliability - resolution + uncertainty + within_bins`.
///
/// # Formula
///
/// Murphy (1973), with the remainder of binned forecasts (Stephenson, Coelho and Jolliffe, 2008), which is zero where all predictions of
/// a bin are equal.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BrierDecomposition {
    brier: f64,
    reliability: f64,
    resolution: f64,
    uncertainty: f64,
    within_bins: f64,
}

impl BrierDecomposition {
    /// The Brier score.
    #[must_use]
    pub fn brier(&self) -> f64 {
        self.brier
    }

    /// The mean squared distance between prediction and truth over the bins: less is better calibrated.
    #[must_use]
    pub fn reliability(&self) -> f64 {
        self.reliability
    }

    /// The variance of what came true between the bins: more is better told apart.
    #[must_use]
    pub fn resolution(&self) -> f64 {
        self.resolution
    }

    /// The variance of the label: what no model changes.
    #[must_use]
    pub fn uncertainty(&self) -> f64 {
        self.uncertainty
    }

    /// What binning leaves unexplained; it can be negative.
    #[must_use]
    pub fn within_bins(&self) -> f64 {
        self.within_bins
    }
}

fn equal_count(mut rows: Vec<(f64, bool)>, bins: usize) -> Vec<ReliabilityBin> {
    // The label too, so that sums are the same for any order of rows.
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let n = rows.len();
    let mut filled_bins = Vec::new();
    let mut bin = ReliabilityBin::new();
    let (mut seen, mut filled) = (0_usize, 1_usize);
    for ties in rows.chunk_by(|a, b| a.0 == b.0) {
        ties.iter().for_each(|row| bin.add(*row));
        seen += ties.len();
        if seen.saturating_mul(bins) >= filled.saturating_mul(n) {
            filled_bins.push(bin);
            bin = ReliabilityBin::new();
            filled = seen.saturating_mul(bins) / n.max(1) + 1;
        }
    }
    // The last bin is always closed: seen = n there.
    filled_bins
}

fn equal_width(rows: &[(f64, bool)], bins: usize) -> Vec<ReliabilityBin> {
    let mut filled: BTreeMap<usize, ReliabilityBin> = BTreeMap::new();
    for row in rows {
        filled
            .entry(bin_of(row.0, bins))
            .or_insert_with(ReliabilityBin::new)
            .add(*row);
    }
    filled.into_values().collect()
}

/// The bin whose edges hold `value`, the upper one included.
fn bin_of(value: f64, bins: usize) -> usize {
    // Edges as numpy.linspace(0, 1, bins + 1) rounds them.
    let step = 1.0 / bins as f64;
    let edge = |bin: usize| bin as f64 * step;
    let mut bin = ((value * bins as f64).ceil() as usize)
        .saturating_sub(1)
        .min(bins.saturating_sub(1));
    while bin > 0 && value <= edge(bin) {
        bin -= 1;
    }
    while bin + 1 < bins && value > edge(bin + 1) {
        bin += 1;
    }
    bin
}

const MOST_BINS: usize = 10_000;

#[cfg(test)]
mod tests;
