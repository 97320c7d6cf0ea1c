use serde::{Deserialize, Serialize};

use crate::profile::Binning;

/// How many rows of one column fell where.
///
/// Every row is in exactly one of the bins, `unseen`, `missing` and `not_finite`; `below` and `above` count, in
/// addition, the numbers outside the range of the reference (they are also in the outer bins).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnCounts {
    bins: Vec<u64>,
    unseen: u64,
    missing: u64,
    not_finite: u64,
    below: u64,
    above: u64,
}

impl ColumnCounts {
    pub(crate) fn empty(binning: &Binning) -> Self {
        Self {
            bins: vec![0; binning.bins()],
            ..Self::default()
        }
    }

    /// Rows per bin, in the order of the profile's edges or categories.
    pub fn bins(&self) -> &[u64] {
        &self.bins
    }

    /// Rows with a category that the profile does not list.
    ///
    /// In the profile itself these are the categories beyond the cap of its settings.
    pub fn unseen(&self) -> u64 {
        self.unseen
    }

    /// Rows that are null.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// Rows that are NaN or infinite.
    pub fn not_finite(&self) -> u64 {
        self.not_finite
    }

    /// Numbers below the smallest of the reference.
    pub fn below(&self) -> u64 {
        self.below
    }

    /// Numbers above the largest of the reference.
    pub fn above(&self) -> u64 {
        self.above
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.present()
            .saturating_add(self.missing)
            .saturating_add(self.not_finite)
    }

    /// Rows with a usable value: a finite number, or any category.
    pub fn present(&self) -> u64 {
        self.bins
            .iter()
            .fold(self.unseen, |sum, count| sum.saturating_add(*count))
    }

    /// Numbers outside the range of the reference.
    pub fn out_of_range(&self) -> u64 {
        self.below.saturating_add(self.above)
    }

    /// The disjoint cells of usable values: the bins and the unlisted categories.
    pub(crate) fn value_cells(&self) -> Vec<u64> {
        let mut cells = self.bins.clone();
        cells.push(self.unseen);
        cells
    }

    /// The disjoint cells that every row is in one of.
    pub(crate) fn all_cells(&self) -> Vec<u64> {
        let mut cells = self.value_cells();
        cells.push(self.missing);
        cells.push(self.not_finite);
        cells
    }

    pub(crate) fn observe_number(&mut self, binning: &Binning, value: Option<f64>) {
        let Some(value) = value else {
            add(&mut self.missing, 1);
            return;
        };
        if !value.is_finite() {
            add(&mut self.not_finite, 1);
            return;
        }
        if let Some(range) = binning.range() {
            if value < range.min() {
                add(&mut self.below, 1);
            } else if value > range.max() {
                add(&mut self.above, 1);
            }
        }
        match self.bins.get_mut(binning.bin_of_number(value)) {
            Some(bin) => add(bin, 1),
            None => add(&mut self.unseen, 1),
        }
    }

    pub(crate) fn observe_text(&mut self, binning: &Binning, value: Option<&str>) {
        let Some(value) = value else {
            add(&mut self.missing, 1);
            return;
        };
        let bin = binning
            .bin_of_category(value)
            .and_then(|bin| self.bins.get_mut(bin));
        match bin {
            Some(bin) => add(bin, 1),
            None => add(&mut self.unseen, 1),
        }
    }

    /// Adds counts of the same shape; the caller has checked the shape.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (bin, more) in self.bins.iter_mut().zip(&other.bins) {
            add(bin, *more);
        }
        add(&mut self.unseen, other.unseen);
        add(&mut self.missing, other.missing);
        add(&mut self.not_finite, other.not_finite);
        add(&mut self.below, other.below);
        add(&mut self.above, other.above);
    }
}

fn add(count: &mut u64, more: u64) {
    *count = count.saturating_add(more);
}
