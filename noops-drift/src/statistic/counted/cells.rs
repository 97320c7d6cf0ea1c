use crate::error::DriftError;

/// Two rows of counts over the same cells: as they were handed in, and with cells too thin to test joined.
pub(super) struct Cells {
    /// The cells to test.
    pub(super) pairs: Vec<(f64, f64)>,
    pub(super) n_reference: u64,
    pub(super) n_current: u64,
    given: Vec<(f64, f64)>,
    reference_rows: f64,
    current_rows: f64,
}

impl Cells {
    /// Joins cells in their order until each has an expected count of [`MIN_EXPECTED`] in the smaller row.
    ///
    /// What is joined depends on the sums of both rows only, so it does not favour either answer.
    pub(super) fn join_thin(reference: &[u64], current: &[u64]) -> Result<Self, DriftError> {
        if reference.len() != current.len() {
            return Err(DriftError::UnequalCells {
                reference: reference.len(),
                current: current.len(),
            });
        }
        let given: Vec<(f64, f64)> = reference
            .iter()
            .zip(current)
            .map(|(r, c)| (*r as f64, *c as f64))
            .collect();
        // Counts that add up beyond a `u64` still have shares, so the sums that make shares are not the saturated ones.
        let reference_rows: f64 = given.iter().map(|cell| cell.0).sum();
        let current_rows: f64 = given.iter().map(|cell| cell.1).sum();
        let all = reference_rows + current_rows;
        let smaller = reference_rows.min(current_rows);
        let mut pairs: Vec<(f64, f64)> = Vec::with_capacity(given.len());
        let mut thin = (0.0, 0.0);
        for cell in given.iter().copied() {
            if expected(cell, smaller, all) >= MIN_EXPECTED {
                pairs.push(cell);
                continue;
            }
            thin = (thin.0 + cell.0, thin.1 + cell.1);
            if expected(thin, smaller, all) >= MIN_EXPECTED {
                pairs.push(thin);
                thin = (0.0, 0.0);
            }
        }
        if thin.0 + thin.1 > 0.0 {
            join_into_smallest(&mut pairs, thin);
        }
        Ok(Self {
            pairs,
            n_reference: total(reference),
            n_current: total(current),
            given,
            reference_rows,
            current_rows,
        })
    }

    /// Rows of the reference, as a number.
    pub(super) fn reference_rows(&self) -> f64 {
        self.reference_rows
    }

    /// Rows of the current data, as a number.
    pub(super) fn current_rows(&self) -> f64 {
        self.current_rows
    }

    /// The size of the one sample that carries as much information as both: n m / (n + m).
    pub(super) fn effective_size(&self) -> f64 {
        let (n, m) = (self.reference_rows, self.current_rows);
        if n > 0.0 && m > 0.0 {
            n * (m / (n + m))
        } else {
            0.0
        }
    }

    /// Whether there is something to test: rows on both sides, and two cells.
    pub(super) fn testable(&self) -> bool {
        self.pairs.len() > 1 && self.effective_size() > 0.0
    }

    /// The cells to test, less one.
    pub(super) fn degrees_of_freedom(&self) -> u64 {
        self.pairs.len().saturating_sub(1) as u64
    }

    /// The shares of the cells as they were handed in. Both sides must have rows.
    pub(super) fn given_shares(&self) -> Vec<(f64, f64)> {
        let (n, m) = (self.reference_rows, self.current_rows);
        self.given.iter().map(|(r, c)| (r / n, c / m)).collect()
    }

    /// The shares of the cells to test, with `rows` added to every cell of both sides. Both sides must have rows.
    pub(super) fn tested_shares(&self, rows: f64) -> Vec<(f64, f64)> {
        let padding = rows * self.pairs.len() as f64;
        let n = self.reference_rows + padding;
        let m = self.current_rows + padding;
        self.pairs
            .iter()
            .map(|(r, c)| ((r + rows) / n, (c + rows) / m))
            .collect()
    }
}

fn expected(cell: (f64, f64), smaller: f64, all: f64) -> f64 {
    if all > 0.0 {
        (cell.0 + cell.1) * (smaller / all)
    } else {
        0.0
    }
}

fn join_into_smallest(pairs: &mut Vec<(f64, f64)>, thin: (f64, f64)) {
    let smallest = pairs
        .iter_mut()
        .min_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1)));
    match smallest {
        Some(cell) => *cell = (cell.0 + thin.0, cell.1 + thin.1),
        None => pairs.push(thin),
    }
}

fn total(counts: &[u64]) -> u64 {
    counts
        .iter()
        .fold(0, |sum, count| sum.saturating_add(*count))
}

/// Cochran's limit.
const MIN_EXPECTED: f64 = 5.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Cells, MIN_EXPECTED};

    #[test]
    fn thin_cells_are_joined_in_order() {
        let cells = Cells::join_thin(&[100, 3, 3, 100, 0], &[100, 3, 3, 100, 0]).unwrap();
        assert_eq!(
            cells.pairs,
            vec![(100.0, 100.0), (6.0, 6.0), (100.0, 100.0)]
        );
    }

    #[test]
    fn shares_keep_their_sum_where_counts_overflow() {
        let cells = Cells::join_thin(&[u64::MAX; 4], &[u64::MAX, 1, 1, 1]).unwrap();
        let total: f64 = cells.given_shares().iter().map(|share| share.0).sum();
        assert!((total - 1.0).abs() < 1e-12, "{total}");
        assert_eq!(cells.n_reference, u64::MAX);
    }

    #[test]
    fn unequal_lengths_are_refused() {
        assert!(Cells::join_thin(&[1], &[1, 2]).is_err());
    }

    proptest! {
        #[test]
        fn joining_loses_no_row_and_leaves_no_thin_cell(counts in prop::collection::vec((0_u64..40, 0_u64..40), 1..30)) {
            let (reference, current): (Vec<u64>, Vec<u64>) = counts.into_iter().unzip();
            let cells = Cells::join_thin(&reference, &current).unwrap();
            let n: f64 = cells.pairs.iter().map(|pair| pair.0).sum();
            let m: f64 = cells.pairs.iter().map(|pair| pair.1).sum();
            prop_assert_eq!(n, reference.iter().sum::<u64>() as f64);
            prop_assert_eq!(m, current.iter().sum::<u64>() as f64);
            if cells.pairs.len() > 1 {
                prop_assert!(cells.pairs.iter().all(|pair| (pair.0 + pair.1) * (n.min(m) / (n + m)) >= MIN_EXPECTED - 1e-9));
            }
        }
    }
}
