use crate::error::DriftError;
use crate::matrix::Matrix;
use noops_stats::SplitMix64;

/// The numbers of all rows.
pub(crate) fn all_rows(rows: usize) -> Result<Vec<u32>, DriftError> {
    match u32::try_from(rows) {
        Ok(0) => Err(DriftError::NoRows),
        Ok(rows) => Ok((0..rows).collect()),
        Err(_) => Err(DriftError::InvalidInput {
            input: "features",
            reason: format!("has `{rows}` rows; pass a sample of at most `{}`", u32::MAX),
        }),
    }
}

/// Deals the rows `first..first + rows` into folds whose sizes differ by at most one, by a seeded shuffle.
pub(crate) fn fold_rows(first: u32, rows: u32, folds: usize, seed: u64) -> Vec<Vec<u32>> {
    let mut deck: Vec<u32> = (0..rows).map(|row| first.saturating_add(row)).collect();
    SplitMix64(seed).shuffle(&mut deck);
    let folds = folds.max(1);
    let mut dealt = vec![Vec::with_capacity(deck.len() / folds + 1); folds];
    for (place, row) in deck.into_iter().enumerate() {
        if let Some(fold) = dealt.get_mut(place % folds) {
            fold.push(row);
        }
    }
    for fold in &mut dealt {
        fold.sort_unstable();
    }
    dealt
}

/// The rows of all folds but one, ascending.
pub(crate) fn rows_outside(folds: &[Vec<u32>], left_out: usize) -> Vec<u32> {
    let mut rows: Vec<u32> = folds
        .iter()
        .enumerate()
        .filter(|(fold, _)| *fold != left_out)
        .flat_map(|(_, rows)| rows.iter().copied())
        .collect();
    rows.sort_unstable();
    rows
}

/// The rows of the reference, then those of the current data.
pub(crate) fn stacked(reference: &Matrix, current: &Matrix) -> Result<Matrix, DriftError> {
    let columns = reference
        .columns()
        .iter()
        .zip(current.columns())
        .map(|(before, after)| before.iter().chain(after).copied().collect())
        .collect();
    Matrix::from_columns(columns)
}
