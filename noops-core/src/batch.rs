//! Rows as a model sees them.

use crate::error::{Error, ErrorKind};

/// One input of a model for every row of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Finite numbers.
    Number(Vec<f32>),
    /// Codes: 0 for a missing or unknown value, `i + 1` for the contract's category `i`.
    Category(Vec<u32>),
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Self::Number(values) => values.len(),
            Self::Category(codes) => codes.len(),
        }
    }

    fn append(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(values), Self::Number(more)) => values.extend_from_slice(more),
            (Self::Category(codes), Self::Category(more)) => codes.extend_from_slice(more),
            _ => return false,
        }
        true
    }
}

/// Rows that a [`Contract`](crate::Contract) has checked and encoded: one [`Column`] per feature, in the contract's order.
///
/// This, and not Arrow, is what waits in a batch queue and reaches an executor: it holds no nulls, no text and no surprises.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    rows: usize,
    columns: Vec<Column>,
}

impl Batch {
    /// A batch of columns.
    ///
    /// # Errors
    ///
    /// Refuses columns of different lengths.
    pub fn new(columns: Vec<Column>) -> Result<Self, Error> {
        let rows = columns.first().map_or(0, Column::len);
        match columns.iter().position(|column| column.len() != rows) {
            None => Ok(Self { rows, columns }),
            Some(index) => Err(Error::new(
                ErrorKind::Invalid,
                "build a batch",
                "columns differ in length",
            )
            .with("column", index)),
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, in the order of the contract's features.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Puts the rows of `other` behind these.
    ///
    /// # Errors
    ///
    /// Refuses a batch of other columns, and then leaves this one as it was.
    pub fn append(&mut self, other: &Self) -> Result<(), Error> {
        let same_shape = self.columns.len() == other.columns.len()
            && self
                .columns
                .iter()
                .zip(&other.columns)
                .all(|(a, b)| std::mem::discriminant(a) == std::mem::discriminant(b));
        if !same_shape {
            return Err(Error::new(
                ErrorKind::Invalid,
                "append to a batch",
                "the columns differ in number or kind",
            ));
        }
        let appended = self
            .columns
            .iter_mut()
            .zip(&other.columns)
            .all(|(column, more)| column.append(more));
        debug_assert!(appended, "kinds were compared above");
        self.rows += other.rows;
        Ok(())
    }

    /// The rows at `indices`, in that order; indices past the end are left out.
    #[must_use]
    pub fn take(&self, indices: &[usize]) -> Self {
        let columns: Vec<Column> = self
            .columns
            .iter()
            .map(|column| match column {
                Column::Number(values) => Column::Number(
                    indices
                        .iter()
                        .filter_map(|&row| values.get(row).copied())
                        .collect(),
                ),
                Column::Category(codes) => Column::Category(
                    indices
                        .iter()
                        .filter_map(|&row| codes.get(row).copied())
                        .collect(),
                ),
            })
            .collect();
        let rows = indices.iter().filter(|&&row| row < self.rows).count();
        Self { rows, columns }
    }
}

/// What an executor answers: `width` numbers for each row.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    width: usize,
    values: Vec<f32>,
}

impl Scores {
    /// Scores in row-major order.
    ///
    /// # Errors
    ///
    /// Refuses a width of zero, and values that do not fill whole rows.
    pub fn new(width: usize, values: Vec<f32>) -> Result<Self, Error> {
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(Error::new(
                ErrorKind::Invalid,
                "build scores",
                "the values do not fill whole rows",
            )
            .with("width", width)
            .with("values", values.len()));
        }
        Ok(Self { width, values })
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// The numbers of each row, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ragged_columns_are_refused() {
        let error =
            Batch::new(vec![Column::Number(vec![1.0]), Column::Category(vec![])]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot build a batch: columns differ in length (column `1`)"
        );
    }

    #[test]
    fn a_foreign_batch_is_refused_and_changes_nothing() {
        let mut batch =
            Batch::new(vec![Column::Number(vec![1.0]), Column::Number(vec![2.0])]).unwrap();
        let before = batch.clone();
        let foreign =
            Batch::new(vec![Column::Number(vec![3.0]), Column::Category(vec![1])]).unwrap();
        assert!(batch.append(&foreign).is_err());
        assert_eq!(batch, before);
    }

    #[test]
    fn taking_what_was_appended_gives_it_back() {
        let first = Batch::new(vec![
            Column::Number(vec![1.0, 2.0]),
            Column::Category(vec![1, 2]),
        ])
        .unwrap();
        let second =
            Batch::new(vec![Column::Number(vec![3.0]), Column::Category(vec![3])]).unwrap();
        let mut both = first.clone();
        both.append(&second).unwrap();
        assert_eq!(both.take(&[0, 1]), first);
        assert_eq!(both.take(&[2, 9]), second);
    }

    #[test]
    fn scores_must_fill_whole_rows() {
        assert!(Scores::new(0, vec![]).is_err());
        assert!(Scores::new(2, vec![1.0; 3]).is_err());
        assert_eq!(Scores::new(2, vec![1.0; 4]).unwrap().rows(), 2);
    }
}
