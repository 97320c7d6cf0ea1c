use super::folds::all_rows;
use crate::error::DriftError;
use crate::matrix::Matrix;

/// A matrix cut into bins: a byte for every value.
#[derive(Clone, Debug)]
pub(crate) struct Binned {
    rows: usize,
    columns: Vec<BinnedColumn>,
}

impl Binned {
    /// Cuts every column at its quantiles into at most `bins` bins.
    pub(crate) fn new(features: &Matrix, bins: u32) -> Result<Self, DriftError> {
        // Rows are numbered by `u32` from here on.
        all_rows(features.rows())?;
        let most = bins.clamp(2, 255) as usize;
        let columns = features
            .columns()
            .iter()
            .map(|values| BinnedColumn::new(values, most))
            .collect();
        Ok(Self {
            rows: features.rows(),
            columns,
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn columns(&self) -> &[BinnedColumn] {
        &self.columns
    }
}

/// The codes of a column and the edges between them.
#[derive(Clone, Debug)]
pub(super) struct BinnedColumn {
    /// Ascending and finite; bin `b` holds the values above edge `b − 1` and at most edge `b`.
    edges: Vec<f64>,
    codes: Vec<u8>,
}

impl BinnedColumn {
    fn new(values: &[f64], most: usize) -> Self {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let edges = edges(&sorted, most);
        let missing = edges.len() + 1;
        let codes = values
            .iter()
            .map(|x| {
                let bin = if x.is_nan() {
                    missing
                } else {
                    // An infinity is the largest number, as it is to a tree.
                    edges.partition_point(|edge| *edge < x.min(f64::MAX))
                };
                // At most 254 edges, so at most 255.
                bin as u8
            })
            .collect();
        Self { edges, codes }
    }

    pub(super) fn edges(&self) -> &[f64] {
        &self.edges
    }

    pub(super) fn codes(&self) -> &[u8] {
        &self.codes
    }

    /// How many different codes there are: the bins and one for NaN.
    pub(super) fn cells(&self) -> usize {
        self.edges.len() + 2
    }
}

/// At most `most − 1` edges between the sorted values.
fn edges(sorted: &[f64], most: usize) -> Vec<f64> {
    let mut runs: Vec<Run> = Vec::new();
    for &value in sorted {
        match runs.last_mut() {
            Some(run) if run.value == value => run.rows += 1,
            _ => runs.push(Run { value, rows: 1 }),
        }
    }
    let cuts = if runs.len() <= most {
        vec![true; runs.len()]
    } else {
        quantile_cuts(&runs, sorted.len(), most)
    };
    let mut edges: Vec<f64> = runs
        .windows(2)
        .zip(cuts)
        .filter_map(|(pair, cut)| match pair {
            [low, high] if cut => Some(between(low.value, high.value)),
            _ => None,
        })
        .collect();
    edges.dedup();
    edges
}

/// After which runs to cut: where a quantile lies, and also before a value that several quantiles share, so that a
/// point mass has its bin to itself. Such a value leaves at least one cut unused, so there are never too many.
fn quantile_cuts(runs: &[Run], rows: usize, most: usize) -> Vec<bool> {
    let mut cuts = vec![false; runs.len()];
    let mut quantile = 1;
    let mut seen = 0_usize;
    for (index, run) in runs.iter().enumerate() {
        seen += run.rows;
        let mut shared = 0;
        // The quantile number q lies at row q · rows / most; 128 bits because rows may be large.
        while quantile < most
            && (seen as u128) * (most as u128) >= (quantile as u128) * (rows as u128)
        {
            quantile += 1;
            shared += 1;
        }
        if shared > 0
            && let Some(cut) = cuts.get_mut(index)
        {
            *cut = true;
        }
        if shared > 1
            && let Some(before) = index.checked_sub(1).and_then(|i| cuts.get_mut(i))
        {
            *before = true;
        }
    }
    cuts
}

/// A finite number from `low` to below `high`.
fn between(low: f64, high: f64) -> f64 {
    let middle = low + (high - low) / 2.0;
    let edge = if middle.is_finite() && middle < high {
        middle
    } else {
        low
    };
    edge.clamp(f64::MIN, f64::MAX)
}

struct Run {
    value: f64,
    rows: usize,
}
