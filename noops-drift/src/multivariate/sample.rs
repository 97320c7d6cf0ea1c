use serde::{Deserialize, Serialize};

use super::permutation::{MOST_ROWS, PermutationSettings};
use super::random::Random;
use super::rows::{Rows, invalid};
use super::scaler::{Scaler, complete_rows, require_width};
use crate::error::DriftError;
use crate::matrix::Matrix;

/// What takes part in a permutation test from one side: a uniform sample of the complete rows, as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawSample")]
pub(super) struct Sample {
    columns: Vec<Vec<f64>>,
    left_out: u64,
}

impl Sample {
    /// `purpose` keeps the choices of the two sides apart.
    pub(super) fn of(
        matrix: &Matrix,
        settings: &PermutationSettings,
        purpose: u64,
    ) -> Result<Self, DriftError> {
        settings.validate()?;
        let complete: Vec<usize> = complete_rows(matrix)
            .into_iter()
            .enumerate()
            .filter(|(_, whole)| *whole)
            .map(|(row, _)| row)
            .collect();
        let chosen: Vec<usize> = Random::new(settings.seed(), purpose)
            .choose(complete.len(), settings.max_rows())
            .into_iter()
            .filter_map(|index| complete.get(index).copied())
            .collect();
        let pick = |values: &Vec<f64>| {
            let values = chosen.iter().filter_map(|row| values.get(*row).copied());
            values.collect()
        };
        Ok(Self {
            columns: matrix.columns().iter().map(pick).collect(),
            left_out: (matrix.rows() - complete.len()) as u64,
        })
    }

    /// The same, of a reference, which must have a row.
    pub(super) fn of_reference(
        matrix: &Matrix,
        settings: &PermutationSettings,
        purpose: u64,
    ) -> Result<Self, DriftError> {
        let sample = Self::of(matrix, settings, purpose)?;
        if sample.rows() == 0 {
            return Err(DriftError::NoRows);
        }
        Ok(sample)
    }

    pub(super) fn rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// The rows of this sample followed by those of the other, each column with mean 0 and deviation 1 over both.
    ///
    /// A scale of one side alone would tell the sides apart, and a permutation test of rows on it would not keep its error
    /// rate. Columns that are constant over both do not take part.
    pub(super) fn pooled(&self, current: &Self) -> Result<Rows, DriftError> {
        require_width(self.columns.len(), current.columns.len())?;
        let columns = self.columns.iter().zip(&current.columns);
        let pooled = Matrix::from_columns(
            columns
                .map(|(before, after)| before.iter().chain(after).copied().collect())
                .collect(),
        )?;
        Ok(Scaler::fit(&pooled)?.apply(&pooled)?.rows)
    }
}

impl TryFrom<RawSample> for Sample {
    type Error = DriftError;

    fn try_from(raw: RawSample) -> Result<Self, DriftError> {
        let rows = raw.columns.first().map_or(0, Vec::len);
        if rows == 0 || raw.columns.iter().any(|column| column.len() != rows) {
            return Err(invalid(
                "its columns are not of one length, or have no rows",
            ));
        }
        if rows > MOST_ROWS {
            return Err(invalid("it keeps more rows than a test may have"));
        }
        if raw.columns.iter().flatten().any(|x| !x.is_finite()) {
            return Err(invalid("its rows hold what is no number"));
        }
        Ok(Self {
            columns: raw.columns,
            left_out: raw.left_out,
        })
    }
}

#[derive(Deserialize)]
struct RawSample {
    columns: Vec<Vec<f64>>,
    left_out: u64,
}
