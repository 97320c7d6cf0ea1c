use serde::{Deserialize, Serialize};

use super::rows::{MOST, Rows, invalid};
use crate::error::DriftError;
use crate::matrix::Matrix;

/// Puts every column on the scale of some rows: mean 0 and standard deviation 1 there, however small the deviation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawScaler")]
pub(super) struct Scaler {
    width: usize,
    kept: Vec<Scale>,
}

impl Scaler {
    /// Learns the scales from the complete rows; columns that are constant there are left out from then on.
    pub(super) fn fit(reference: &Matrix) -> Result<Self, DriftError> {
        let complete = complete_rows(reference);
        if !complete.contains(&true) {
            return Err(DriftError::NoRows);
        }
        let mut kept = Vec::new();
        for (column, values) in reference.columns().iter().enumerate() {
            let values: Vec<f64> = values
                .iter()
                .zip(&complete)
                .filter(|(_, whole)| **whole)
                .map(|(x, _)| *x)
                .collect();
            if let Some(scale) = Scale::of(column, &values) {
                kept.push(scale);
            }
        }
        Ok(Self {
            width: reference.width(),
            kept,
        })
    }

    /// The complete rows of a matrix, standardised.
    pub(super) fn apply(&self, matrix: &Matrix) -> Result<Scaled, DriftError> {
        require_width(self.width, matrix.width())?;
        let complete = complete_rows(matrix);
        let rows = complete.iter().filter(|whole| **whole).count();
        let columns: Vec<Vec<f64>> = self
            .kept
            .iter()
            .filter_map(|scale| {
                let values = matrix.columns().get(scale.column)?;
                let whole = values.iter().zip(&complete).filter(|(_, whole)| **whole);
                Some(whole.map(|(x, _)| scale.apply(*x)).collect())
            })
            .collect();
        let mut values = Vec::with_capacity(rows.saturating_mul(columns.len()));
        let mut cursors: Vec<_> = columns.iter().map(|column| column.iter()).collect();
        for _ in 0..rows {
            values.extend(cursors.iter_mut().filter_map(Iterator::next).copied());
        }
        Ok(Scaled {
            rows: Rows::new(columns.len(), values),
            left_out: (complete.len() - rows) as u64,
        })
    }

    /// How many columns the rows have.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// How many columns take part.
    pub(super) fn kept(&self) -> usize {
        self.kept.len()
    }

    /// The columns that are constant in the reference.
    pub(super) fn dropped(&self) -> Vec<usize> {
        (0..self.width)
            .filter(|column| self.kept.iter().all(|scale| scale.column != *column))
            .collect()
    }
}

/// What became of the rows of a matrix.
pub(super) struct Scaled {
    pub(super) rows: Rows,
    pub(super) left_out: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Scale {
    column: usize,
    mean: f64,
    deviation: f64,
}

impl Scale {
    fn of(column: usize, values: &[f64]) -> Option<Self> {
        let first = *values.first()?;
        if values.iter().all(|x| *x == first) {
            return None;
        }
        // In units of the largest value nothing overflows, and nothing is lost when all values are tiny.
        let largest = values.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let n = values.len() as f64;
        let mean = values.iter().map(|x| x / largest).sum::<f64>() / n;
        let variance = values
            .iter()
            .map(|x| (x / largest - mean).powi(2))
            .sum::<f64>()
            / n;
        let deviation = variance.sqrt() * largest;
        deviation.is_normal().then_some(Self {
            column,
            mean: mean * largest,
            deviation,
        })
    }

    fn apply(&self, x: f64) -> f64 {
        // Halves, because the difference of two finite numbers may overflow.
        let half = (0.5 * x - 0.5 * self.mean) / self.deviation;
        (2.0 * half).clamp(-MOST, MOST)
    }
}

impl TryFrom<RawScaler> for Scaler {
    type Error = DriftError;

    fn try_from(raw: RawScaler) -> Result<Self, DriftError> {
        let ascending = raw.kept.windows(2).all(|pair| match pair {
            [one, next] => one.column < next.column,
            _ => true,
        });
        if !ascending || raw.kept.iter().any(|scale| scale.column >= raw.width) {
            return Err(invalid("its columns are not those of one matrix"));
        }
        let sound = |scale: &Scale| {
            scale.mean.is_finite() && scale.deviation.is_normal() && scale.deviation > 0.0
        };
        if !raw.kept.iter().all(sound) {
            return Err(invalid("a column has no mean or no positive deviation"));
        }
        Ok(Self {
            width: raw.width,
            kept: raw.kept,
        })
    }
}

/// Fails unless there are as many columns as the reference has.
pub(super) fn require_width(reference: usize, current: usize) -> Result<(), DriftError> {
    if current == reference {
        return Ok(());
    }
    Err(DriftError::InvalidInput {
        input: "matrix",
        reason: format!(
            "has `{current}` columns where the reference has `{reference}`; pass the columns of the reference in their order"
        ),
    })
}

/// Which rows hold only finite numbers.
pub(super) fn complete_rows(matrix: &Matrix) -> Vec<bool> {
    let mut complete = vec![true; matrix.rows()];
    for column in matrix.columns() {
        for (whole, value) in complete.iter_mut().zip(column) {
            *whole &= value.is_finite();
        }
    }
    complete
}

#[derive(Deserialize)]
struct RawScaler {
    width: usize,
    kept: Vec<Scale>,
}
