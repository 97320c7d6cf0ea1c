//! Rows as a model sees them.

use std::sync::Arc;

use crate::error::{Error, ErrorKind};

/// One input of a model for every row of a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers, finite but where the contract lets a missing one pass as NaN.
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

    fn kind(&self) -> ColumnKind {
        match self {
            Self::Number(_) => ColumnKind::Number,
            Self::Category(_) => ColumnKind::Category,
        }
    }
}

/// What a column of a batch holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// Codes of categories.
    Category,
}

/// Rows that a [`Contract`](crate::Contract) has checked and encoded, in the contract's order of features.
///
/// This, and not Arrow, is what waits in a batch queue and reaches an executor: it holds no nulls, no text and no surprises. Rows
/// lie one behind the other, numbers apart from codes: joining the batches of several callers is copying two runs of memory, and
/// the numbers are the matrix that a model wants.
///
/// # Examples
///
/// ```
/// use noops_core::{Batch, Column};
///
/// let batch = Batch::new(vec![Column::Number(vec![1.0, 2.0]), Column::Category(vec![1, 0]), Column::Number(vec![3.0, 4.0])])?;
/// assert_eq!(batch.numbers(), [1.0, 3.0, 2.0, 4.0]);
/// assert_eq!(batch.codes(), [1, 0]);
/// assert_eq!(batch.column(2), Some(Column::Number(vec![3.0, 4.0])));
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batch {
    rows: usize,
    kinds: Arc<[ColumnKind]>,
    numbers: Vec<f32>,
    codes: Vec<u32>,
}

impl Batch {
    /// A batch of columns.
    ///
    /// # Errors
    ///
    /// Refuses columns of different lengths.
    pub fn new(columns: Vec<Column>) -> Result<Self, Error> {
        let rows = columns.first().map_or(0, Column::len);
        if let Some(index) = columns.iter().position(|column| column.len() != rows) {
            return Err(build_error("columns differ in length").with("column", index));
        }
        let kinds: Arc<[ColumnKind]> = columns.iter().map(Column::kind).collect();
        let (mut numbers, mut codes) = (Vec::new(), Vec::new());
        for row in 0..rows {
            for column in &columns {
                match column {
                    Column::Number(values) => numbers.extend(values.get(row)),
                    Column::Category(values) => codes.extend(values.get(row)),
                }
            }
        }
        Ok(Self {
            rows,
            kinds,
            numbers,
            codes,
        })
    }

    /// A batch of rows: the numbers of each row, in the order of the numeric columns, and the codes of each row, in that of the
    /// others.
    ///
    /// # Errors
    ///
    /// Refuses numbers and codes that do not fill `rows` rows.
    pub fn from_rows(
        rows: usize,
        kinds: Arc<[ColumnKind]>,
        numbers: Vec<f32>,
        codes: Vec<u32>,
    ) -> Result<Self, Error> {
        let batch = Self {
            rows,
            kinds,
            numbers,
            codes,
        };
        let fills = |width: usize, len: usize| width.checked_mul(rows) == Some(len);
        if fills(batch.number_columns(), batch.numbers.len())
            && fills(batch.category_columns(), batch.codes.len())
        {
            return Ok(batch);
        }
        Err(build_error("the values do not fill the rows")
            .with("rows", rows)
            .with("numbers", batch.numbers.len())
            .with("codes", batch.codes.len()))
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What each column holds, in the order of the contract's features.
    #[must_use]
    pub fn kinds(&self) -> &[ColumnKind] {
        &self.kinds
    }

    /// The numbers of all rows, row by row: a matrix of [`rows`](Self::rows) by [`number_columns`](Self::number_columns).
    #[must_use]
    pub fn numbers(&self) -> &[f32] {
        &self.numbers
    }

    /// How many columns hold numbers.
    #[must_use]
    pub fn number_columns(&self) -> usize {
        self.count(ColumnKind::Number)
    }

    /// The codes of all rows, row by row: 0 for a missing or unknown value, `i + 1` for the contract's category `i`.
    #[must_use]
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// How many columns hold codes.
    #[must_use]
    pub fn category_columns(&self) -> usize {
        self.count(ColumnKind::Category)
    }

    /// One column, copied out; `None` past the last.
    #[must_use]
    pub fn column(&self, index: usize) -> Option<Column> {
        let kind = *self.kinds.get(index)?;
        let before = self.kinds.iter().take(index);
        let place = before.filter(|other| **other == kind).count();
        let width = self.count(kind);
        Some(match kind {
            ColumnKind::Number => Column::Number(every(&self.numbers, place, width)),
            ColumnKind::Category => Column::Category(every(&self.codes, place, width)),
        })
    }

    /// All columns as numbers, row by row, in the contract's order, as tree ensembles want them: category `i` as the number `i`, a
    /// missing or unknown one as NaN. Borrows the numbers where there is nothing else, and writes into `scratch` otherwise.
    pub fn dense<'a>(&'a self, scratch: &'a mut Vec<f32>) -> &'a [f32] {
        if self.codes.is_empty() {
            return &self.numbers;
        }
        scratch.clear();
        let (mut numbers, mut codes) = (self.numbers.iter(), self.codes.iter());
        for kind in self.kinds.iter().cycle().take(self.rows * self.kinds.len()) {
            scratch.extend(match kind {
                ColumnKind::Number => numbers.next().copied(),
                ColumnKind::Category => codes.next().map(|&code| match code {
                    0 => f32::NAN,
                    code => (code - 1) as f32,
                }),
            });
        }
        scratch
    }

    /// Puts the rows of `other` behind these.
    ///
    /// # Errors
    ///
    /// Refuses a batch of other columns, and then leaves this one as it was.
    pub fn append(&mut self, other: &Self) -> Result<(), Error> {
        if !Arc::ptr_eq(&self.kinds, &other.kinds) && self.kinds != other.kinds {
            return Err(Error::new(
                ErrorKind::Invalid,
                "append to a batch",
                "the columns differ in number or kind",
            ));
        }
        self.numbers.extend_from_slice(&other.numbers);
        self.codes.extend_from_slice(&other.codes);
        self.rows += other.rows;
        Ok(())
    }

    /// The rows of several batches, one behind the other.
    ///
    /// # Errors
    ///
    /// Refuses batches of different columns.
    pub fn concat<'a>(batches: impl Iterator<Item = &'a Self> + Clone) -> Result<Self, Error> {
        let mut all = batches.clone();
        let Some(first) = all.next() else {
            return Self::new(Vec::new());
        };
        let numbers = batches.clone().map(|batch| batch.numbers.len()).sum();
        let codes = batches.map(|batch| batch.codes.len()).sum();
        let mut together = Self {
            rows: first.rows,
            kinds: first.kinds.clone(),
            numbers: Vec::with_capacity(numbers),
            codes: Vec::with_capacity(codes),
        };
        together.numbers.extend_from_slice(&first.numbers);
        together.codes.extend_from_slice(&first.codes);
        all.try_for_each(|batch| together.append(batch))?;
        Ok(together)
    }

    /// How many bytes the values take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(self.numbers.as_slice()) + size_of_val(self.codes.as_slice())
    }

    /// The rows at `indices`, in that order; indices past the end are left out.
    #[must_use]
    pub fn take(&self, indices: &[usize]) -> Self {
        let rows = indices.iter().filter(|&&row| row < self.rows).count();
        Self {
            rows,
            kinds: self.kinds.clone(),
            numbers: taken(&self.numbers, self.number_columns(), indices),
            codes: taken(&self.codes, self.category_columns(), indices),
        }
    }

    fn count(&self, kind: ColumnKind) -> usize {
        self.kinds.iter().filter(|other| **other == kind).count()
    }
}

/// Bit for bit as floats compare: a batch with a missing number does not equal itself.
impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
            && self.kinds == other.kinds
            && self.numbers == other.numbers
            && self.codes == other.codes
    }
}

/// Every `width`th value, from the one at `place`.
fn every<T: Copy>(values: &[T], place: usize, width: usize) -> Vec<T> {
    values
        .iter()
        .skip(place)
        .step_by(width.max(1))
        .copied()
        .collect()
}

/// The rows of `width` values at `indices`.
fn taken<T: Copy>(values: &[T], width: usize, indices: &[usize]) -> Vec<T> {
    let mut taken = Vec::with_capacity(width * indices.len());
    for &row in indices {
        let row = row.saturating_mul(width);
        taken.extend_from_slice(
            values
                .get(row..row.saturating_add(width))
                .unwrap_or_default(),
        );
    }
    taken
}

fn build_error(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "build a batch", message)
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

    /// No rows of one number.
    #[must_use]
    pub fn none() -> Self {
        Self {
            width: 1,
            values: Vec::new(),
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// How many numbers a row has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// All numbers, row by row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Takes all numbers out, row by row.
    #[must_use]
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The numbers of one row.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&[f32]> {
        let start = row.checked_mul(self.width)?;
        self.values.get(start..start.checked_add(self.width)?)
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
