use arrow_array::RecordBatch;

use crate::error::DriftError;
use crate::frame::{Frame, Values};

/// Rows of numbers, kept column by column, for the methods that look at several columns at once.
///
/// A null of a frame is a NaN here; each method says what it makes of them.
///
/// # Examples
///
/// ```
/// use noops_drift::Matrix;
///
/// let rows = Matrix::from_columns(vec![vec![1.0, 2.0, 3.0], vec![0.5, 0.5, 0.1]])?;
/// assert_eq!((rows.rows(), rows.width()), (3, 2));
/// # Ok::<(), noops_drift::DriftError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: Vec<Vec<f64>>,
}

impl Matrix {
    /// Takes columns of one length.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when there is no column or one is longer than another.
    pub fn from_columns(columns: Vec<Vec<f64>>) -> Result<Self, DriftError> {
        let rows = columns
            .first()
            .map(Vec::len)
            .ok_or_else(|| invalid("has no column; pass at least one".to_owned()))?;
        match columns.iter().position(|column| column.len() != rows) {
            Some(odd) => Err(invalid(format!(
                "has `{rows}` rows in its first column and another number in column `{odd}`; pass columns of one length"
            ))),
            None => Ok(Self { rows, columns }),
        }
    }

    /// Reads the named numeric columns of a frame; a null becomes NaN.
    ///
    /// # Errors
    ///
    /// [`DriftError::MissingColumn`], [`DriftError::DuplicateColumn`], [`DriftError::UnsupportedType`] or
    /// [`DriftError::TypeChanged`] naming the column, and [`DriftError::InvalidInput`] without a name.
    pub fn from_batch(batch: &RecordBatch, names: &[&str]) -> Result<Self, DriftError> {
        let frame = Frame::new(batch);
        let mut columns = Vec::with_capacity(names.len());
        for name in names {
            let values = frame.values(name)?;
            let found = values.kind();
            let Values::Number(numbers) = values else {
                return Err(DriftError::TypeChanged {
                    column: (*name).to_owned(),
                    expected: crate::frame::NUMBER,
                    found,
                });
            };
            let mut column = Vec::with_capacity(batch.num_rows());
            numbers.for_each(|value| column.push(value.unwrap_or(f64::NAN)));
            columns.push(column);
        }
        Self::from_columns(columns)
    }

    /// Copies a view of rows and columns.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] without a column.
    #[cfg(feature = "ndarray")]
    pub fn from_array(rows: ndarray::ArrayView2<'_, f64>) -> Result<Self, DriftError> {
        Self::from_columns(
            rows.columns()
                .into_iter()
                .map(|column| column.to_vec())
                .collect(),
        )
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// The columns, each of [`rows`](Self::rows) values.
    #[must_use]
    pub fn columns(&self) -> &[Vec<f64>] {
        &self.columns
    }
}

fn invalid(reason: String) -> DriftError {
    DriftError::InvalidInput {
        input: "matrix",
        reason,
    }
}
