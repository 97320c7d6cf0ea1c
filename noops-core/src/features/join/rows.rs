use arrow_array::Array;
use arrow_buffer::NullBuffer;

use crate::features::column::ColumnValues;
use crate::features::{FeatureType, ViewFeature};

/// Rows laid out one after the other, so that reading or replacing a whole row touches few cache lines.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    places: Vec<Place>,
    len: usize,
    /// Of each row: words with a bit for every column that has a value, then the values that are not text.
    words: Vec<u64>,
    /// How many words a row has.
    width: usize,
    /// How many of them say which columns have a value.
    valid_words: usize,
    texts: Vec<Vec<String>>,
}

/// Where the values of a column are.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// At an offset in the words of each row.
    Bits(usize),
    /// In a column of texts.
    Texts(usize),
}

/// A row of a source, and the row of a target that it is copied to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

impl Rows {
    pub(crate) fn new(columns: &[ViewFeature]) -> Self {
        let valid_words = columns.len().div_ceil(64);
        let (mut width, mut texts) = (valid_words, 0);
        let mut places = Vec::with_capacity(columns.len());
        for column in columns {
            let counter = match column.kind {
                FeatureType::Text => &mut texts,
                FeatureType::Number | FeatureType::Integer | FeatureType::Flag => &mut width,
            };
            places.push(match column.kind {
                FeatureType::Text => Place::Texts(*counter),
                FeatureType::Number | FeatureType::Integer | FeatureType::Flag => {
                    Place::Bits(*counter)
                }
            });
            *counter += 1;
        }
        Self {
            places,
            len: 0,
            words: Vec::new(),
            width,
            valid_words,
            texts: vec![Vec::new(); texts],
        }
    }

    /// Appends rows of nulls until there are `len`.
    pub(crate) fn grow(&mut self, len: usize) {
        let len = len.max(self.len);
        self.words.resize(len.saturating_mul(self.width), 0);
        for column in &mut self.texts {
            column.resize(len, String::new());
        }
        self.len = len;
    }

    /// Copies rows of a batch over rows of this. Rows are copied a few hundred at a time, so that the targets stay in the cache from column to
    /// column.
    pub(crate) fn put(&mut self, values: &[ColumnValues], moves: &[Move]) {
        for chunk in moves.chunks(CHUNK) {
            self.put_valid(chunk);
            for (index, column) in values.iter().enumerate() {
                self.put_column(index, column, chunk);
            }
        }
    }

    /// Whether a row holds the same as a row of a batch, bit for bit.
    #[expect(
        clippy::indexing_slicing,
        reason = "rows and columns are in bounds by the callers' invariant"
    )]
    pub(crate) fn holds(&self, row: usize, values: &[ColumnValues], other: usize) -> bool {
        values.iter().enumerate().all(|(index, column)| {
            match (self.is_null(row, index), column.is_null(other)) {
                (true, true) => true,
                (false, false) => match (column, self.places[index]) {
                    (ColumnValues::Text(array), Place::Texts(text)) => {
                        self.texts[text][row] == array.value(other)
                    }
                    (column, Place::Bits(offset)) => {
                        self.words[row * self.width + offset] == bits(column, other)
                    }
                    (_, Place::Texts(_)) => false,
                },
                _ => false,
            }
        })
    }

    /// A bit for every column in which all of the rows `from` have a value.
    #[expect(
        clippy::indexing_slicing,
        reason = "rows are in bounds by the callers' invariant"
    )]
    pub(crate) fn whole_columns(&self, moves: &[Move]) -> Vec<u64> {
        let mut whole = vec![u64::MAX; self.valid_words];
        for step in moves {
            let start = step.from as usize * self.width;
            let valid = &self.words[start..start + self.valid_words];
            for (all, one) in whole.iter_mut().zip(valid) {
                *all &= *one;
            }
        }
        whole
    }

    /// The bits of a column in the rows `from`, all of which have a value, with the rows `to`.
    #[expect(
        clippy::indexing_slicing,
        reason = "rows and columns are in bounds by the callers' invariant"
    )]
    pub(crate) fn each_bits(&self, column: usize, moves: &[Move], mut take: impl FnMut(u32, u64)) {
        let Some(Place::Bits(offset)) = self.places.get(column).copied() else {
            return;
        };
        for step in moves {
            take(
                step.to,
                self.words[step.from as usize * self.width + offset],
            );
        }
    }

    /// The bits of a column in the rows `from`, `None` where it is null, with the rows `to`.
    #[expect(
        clippy::indexing_slicing,
        reason = "rows and columns are in bounds by the callers' invariant"
    )]
    pub(crate) fn each_cell(
        &self,
        column: usize,
        moves: &[Move],
        mut take: impl FnMut(u32, Option<u64>),
    ) {
        let Some(Place::Bits(offset)) = self.places.get(column).copied() else {
            return;
        };
        for step in moves {
            let row = step.from as usize;
            let bits = self.words[row * self.width + offset];
            take(step.to, (!self.is_null(row, column)).then_some(bits));
        }
    }

    /// A text; `None` when it is null.
    pub(crate) fn text(&self, column: usize, row: usize) -> Option<&str> {
        match self.places.get(column)? {
            Place::Texts(text) if !self.is_null(row, column) => {
                self.texts.get(*text)?.get(row).map(String::as_str)
            }
            _ => None,
        }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "rows and columns are in bounds by the callers' invariant"
    )]
    fn is_null(&self, row: usize, column: usize) -> bool {
        (self.words[row * self.width + column / 64] >> (column % 64)) & 1 == 0
    }

    fn put_column(&mut self, index: usize, column: &ColumnValues, moves: &[Move]) {
        self.put_nulls(index, column.nulls(), moves);
        match (self.places.get(index).copied(), column) {
            (Some(Place::Bits(offset)), ColumnValues::Number(array)) => {
                let values: &[f64] = array.values();
                self.put_bits(offset, values, moves, |value| value.to_bits());
            }
            (Some(Place::Bits(offset)), ColumnValues::Integer(array)) => {
                let values: &[i64] = array.values();
                self.put_bits(offset, values, moves, |value| value.cast_unsigned());
            }
            (Some(Place::Bits(_)), ColumnValues::Flag(_)) => self.put_flags(index, column, moves),
            (Some(Place::Texts(text)), ColumnValues::Text(array)) => {
                let Some(texts) = self.texts.get_mut(text) else {
                    return;
                };
                for step in moves {
                    // In place: the text that was there has left its allocation behind.
                    if let Some(target) = texts.get_mut(step.to as usize) {
                        target.clear();
                        if array.is_valid(step.from as usize) {
                            target.push_str(array.value(step.from as usize));
                        }
                    }
                }
            }
            _ => {}
        }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "rows and columns are in bounds by the callers' invariant"
    )]
    fn put_bits<T: Copy>(
        &mut self,
        offset: usize,
        values: &[T],
        moves: &[Move],
        to_bits: impl Fn(T) -> u64,
    ) {
        for step in moves {
            self.words[step.to as usize * self.width + offset] =
                to_bits(values[step.from as usize]);
        }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "rows and columns are in bounds by the callers' invariant"
    )]
    fn put_flags(&mut self, index: usize, column: &ColumnValues, moves: &[Move]) {
        if let Place::Bits(offset) = self.places[index] {
            for step in moves {
                self.words[step.to as usize * self.width + offset] =
                    bits(column, step.from as usize);
            }
        }
    }

    /// Says that every column of the rows `to` has a value.
    #[expect(
        clippy::indexing_slicing,
        reason = "rows are in bounds by the callers' invariant"
    )]
    fn put_valid(&mut self, moves: &[Move]) {
        for step in moves {
            let start = step.to as usize * self.width;
            for word in &mut self.words[start..start + self.valid_words] {
                *word = u64::MAX;
            }
        }
    }

    /// Says in which rows a column has none after all.
    #[expect(
        clippy::indexing_slicing,
        reason = "rows and columns are in bounds by the callers' invariant"
    )]
    fn put_nulls(&mut self, column: usize, nulls: Option<&NullBuffer>, moves: &[Move]) {
        let (word, mask) = (column / 64, 1_u64 << (column % 64));
        let Some(nulls) = nulls.filter(|nulls| nulls.null_count() > 0) else {
            return;
        };
        for step in moves {
            if nulls.is_null(step.from as usize) {
                self.words[step.to as usize * self.width + word] &= !mask;
            }
        }
    }
}

/// The bits of a value that is not text.
fn bits(column: &ColumnValues, row: usize) -> u64 {
    match column {
        ColumnValues::Number(array) => array.value(row).to_bits(),
        ColumnValues::Integer(array) => array.value(row).cast_unsigned(),
        ColumnValues::Flag(array) => u64::from(array.value(row)),
        ColumnValues::Text(_) => 0,
    }
}

/// How many rows are copied before the next column is: 256 rows of 20 numbers are 42 KiB.
pub(crate) const CHUNK: usize = 256;
