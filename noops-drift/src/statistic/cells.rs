use crate::error::DriftError;

/// Two rows of counts over the same cells, with cells too thin to test joined.
pub(super) struct Cells {
    pub(super) pairs: Vec<(f64, f64)>,
    pub(super) n_reference: u64,
    pub(super) n_current: u64,
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
        let n_reference = total(reference);
        let n_current = total(current);
        let all = n_reference as f64 + n_current as f64;
        let smaller = n_reference.min(n_current) as f64;
        let mut pairs: Vec<(f64, f64)> = Vec::new();
        let mut thin = (0.0, 0.0);
        for (r, c) in reference.iter().zip(current) {
            let cell = (*r as f64, *c as f64);
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
            n_reference,
            n_current,
        })
    }

    /// The size of the one sample that carries as much information as both: n m / (n + m).
    pub(super) fn effective_size(&self) -> f64 {
        let n = self.n_reference as f64;
        let m = self.n_current as f64;
        if n > 0.0 && m > 0.0 {
            n * (m / (n + m))
        } else {
            0.0
        }
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
