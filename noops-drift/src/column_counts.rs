use serde::{Deserialize, Serialize};

use crate::frame::{Block, Numbers, Texts};
use crate::kernel::{Edges, Tally};
use crate::profile::Binning;

/// How many rows of one column fell where.
///
/// Every row is in exactly one of the bins, `unseen`, `missing`, `nan` and the two infinities; `below` and `above` count, in
/// addition, the numbers outside the range of the reference (they are also in the outer bins).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnCounts {
    bins: Vec<u64>,
    unseen: u64,
    missing: u64,
    nan: u64,
    positive_infinity: u64,
    negative_infinity: u64,
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

    pub(crate) fn of_numbers(
        bins: Vec<u64>,
        missing: u64,
        nan: u64,
        positive_infinity: u64,
        negative_infinity: u64,
    ) -> Self {
        Self {
            bins,
            missing,
            nan,
            positive_infinity,
            negative_infinity,
            ..Self::default()
        }
    }

    pub(crate) fn of_texts(bins: Vec<u64>, unseen: u64, missing: u64) -> Self {
        Self {
            bins,
            unseen,
            missing,
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
        self.nan
            .saturating_add(self.positive_infinity)
            .saturating_add(self.negative_infinity)
    }

    /// Rows that are NaN.
    pub fn nan(&self) -> u64 {
        self.nan
    }

    /// Rows that are positive infinity.
    pub fn positive_infinity(&self) -> u64 {
        self.positive_infinity
    }

    /// Rows that are negative infinity.
    pub fn negative_infinity(&self) -> u64 {
        self.negative_infinity
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
            .saturating_add(self.not_finite())
    }

    /// All rows, also when they are more than a counter holds.
    pub(crate) fn exact_rows(&self) -> u128 {
        let others = [
            self.unseen,
            self.missing,
            self.nan,
            self.positive_infinity,
            self.negative_infinity,
        ];
        self.bins
            .iter()
            .chain(&others)
            .map(|count| u128::from(*count))
            .sum()
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

    /// Adds one number, which is cheaper for a few of them than making a kernel ready.
    pub(crate) fn observe_value(&mut self, binning: &Binning, value: f64) {
        if value.is_finite() {
            if let Some(range) = binning.range() {
                add(&mut self.below, u64::from(value < range.min()));
                add(&mut self.above, u64::from(value > range.max()));
            }
            if let Some(bin) = self.bins.get_mut(binning.bin_of_number(value)) {
                add(bin, 1);
            }
        } else if value.is_nan() {
            add(&mut self.nan, 1);
        } else if value > 0.0 {
            add(&mut self.positive_infinity, 1);
        } else {
            add(&mut self.negative_infinity, 1);
        }
    }

    pub(crate) fn observe_numbers(&mut self, counter: &NumberCounter, numbers: &Numbers<'_>) {
        let mut tally = Tally::new(self.bins.len().saturating_sub(1));
        numbers.for_each_block(|block| match block {
            Block::Narrow(values) => counter.narrow.count(values, &mut tally),
            Block::Wide(values) => counter.wide.count(values, &mut tally),
        });
        for (bin, more) in self.bins.iter_mut().zip(&tally.bins) {
            add(bin, *more);
        }
        // A block holds nulls as NaN.
        let nulls = numbers.null_count();
        add(&mut self.missing, nulls);
        add(&mut self.nan, tally.unusual.nan.saturating_sub(nulls));
        add(&mut self.positive_infinity, tally.unusual.positive_infinity);
        add(&mut self.negative_infinity, tally.unusual.negative_infinity);
        add(&mut self.below, tally.unusual.below);
        add(&mut self.above, tally.unusual.above);
    }

    pub(crate) fn observe_texts(&mut self, binning: &Binning, texts: &Texts<'_>) {
        texts.for_each_count(|word, count| {
            let cell = match word {
                None => Some(&mut self.missing),
                Some(word) => binning
                    .bin_of_category(word)
                    .and_then(|bin| self.bins.get_mut(bin)),
            };
            add(cell.unwrap_or(&mut self.unseen), count);
        });
    }

    /// Adds counts of the same shape; the caller has checked the shape.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (bin, more) in self.bins.iter_mut().zip(&other.bins) {
            add(bin, *more);
        }
        add(&mut self.unseen, other.unseen);
        add(&mut self.missing, other.missing);
        add(&mut self.nan, other.nan);
        add(&mut self.positive_infinity, other.positive_infinity);
        add(&mut self.negative_infinity, other.negative_infinity);
        add(&mut self.below, other.below);
        add(&mut self.above, other.above);
    }
}

/// The edges of a column of numbers, ready for counting either width of float.
#[derive(Clone, Debug)]
pub(crate) struct NumberCounter {
    narrow: Edges<f32>,
    wide: Edges<f64>,
}

impl NumberCounter {
    /// Nothing for a column of texts.
    pub(crate) fn new(binning: &Binning) -> Option<Self> {
        let Binning::Number { edges, range } = binning else {
            return None;
        };
        let range = range.map(|range| (range.min(), range.max()));
        Some(Self {
            narrow: Edges::new(edges, range),
            wide: Edges::new(edges, range),
        })
    }
}

fn add(count: &mut u64, more: u64) {
    *count = count.saturating_add(more);
}
