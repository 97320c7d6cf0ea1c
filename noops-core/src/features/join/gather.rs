use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow_buffer::{
    BooleanBuffer, BooleanBufferBuilder, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer,
};
use arrow_schema::ArrowError;

use super::rows::{CHUNK, Move, Rows};
use crate::error::{Error, ErrorKind};
use crate::features::column::{ColumnValues, MAX_TEXT};
use crate::features::{FeatureType, ViewFeature};

/// Columns that are filled row by row, in any order, each row once at most; what is not filled is null.
#[derive(Debug)]
pub(crate) struct Gathered {
    len: usize,
    /// The rows that were filled, and how many. Columns without a null among them share these bits.
    filled: BooleanBufferBuilder,
    filled_rows: usize,
    columns: Vec<Cells>,
    operation: &'static str,
}

#[derive(Debug)]
struct Cells {
    kind: FeatureType,
    /// The value of each row, or where its text begins and ends.
    bits: Vec<u64>,
    text: Vec<u8>,
    /// The filled rows that have no value, once there is one.
    nulls: Option<BooleanBufferBuilder>,
}

impl Gathered {
    pub(crate) fn new(columns: &[ViewFeature], len: usize, operation: &'static str) -> Self {
        let columns = columns.iter().map(|column| Cells::new(column.kind, len));
        Self {
            len,
            filled: no_bits(len),
            filled_rows: 0,
            columns: columns.collect(),
            operation,
        }
    }

    /// Fills rows from rows of a batch.
    pub(crate) fn fill_from_batch(
        &mut self,
        values: &[ColumnValues],
        moves: &[Move],
    ) -> Result<(), Error> {
        self.mark_filled(moves);
        for (cells, column) in self.columns.iter_mut().zip(values) {
            match column {
                ColumnValues::Number(array) => {
                    cells.fill(array.nulls(), moves, |row| array.value(row).to_bits());
                }
                ColumnValues::Integer(array) => {
                    cells.fill(array.nulls(), moves, |row| array.value(row).cast_unsigned());
                }
                ColumnValues::Flag(array) => {
                    cells.fill(array.nulls(), moves, |row| u64::from(array.value(row)));
                }
                ColumnValues::Text(array) => {
                    for step in moves {
                        let row = step.from as usize;
                        let text = array.is_valid(row).then(|| array.value(row));
                        cells.set_text(step.to, text, self.operation)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Fills rows from stored rows, a few hundred at a time, so that a stored row stays in the cache from column to column.
    pub(crate) fn fill_from_rows(&mut self, rows: &Rows, moves: &[Move]) -> Result<(), Error> {
        self.mark_filled(moves);
        for chunk in moves.chunks(CHUNK) {
            let whole_columns = rows.whole_columns(chunk);
            for (index, cells) in self.columns.iter_mut().enumerate() {
                let word = whole_columns.get(index / 64).copied().unwrap_or_default();
                let whole = (word >> (index % 64)) & 1 == 1;
                match cells.kind {
                    FeatureType::Text => {
                        for step in chunk {
                            let text = rows.text(index, step.from as usize);
                            cells.set_text(step.to, text, self.operation)?;
                        }
                    }
                    FeatureType::Number | FeatureType::Integer | FeatureType::Flag if whole => {
                        rows.each_bits(index, chunk, |to, bits| cells.set(to, bits));
                    }
                    FeatureType::Number | FeatureType::Integer | FeatureType::Flag => {
                        rows.each_cell(index, chunk, |to, bits| match bits {
                            Some(bits) => cells.set(to, bits),
                            None => cells.set_null(to),
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// The columns, in order.
    pub(crate) fn finish(mut self) -> Result<Vec<ArrayRef>, Error> {
        let (len, operation) = (self.len, self.operation);
        let filled = self.filled.finish();
        let unfilled = (self.filled_rows < len).then(|| NullBuffer::new(filled.clone()));
        self.columns
            .into_iter()
            .map(|mut cells| {
                let nulls = match cells.nulls.take() {
                    None => unfilled.clone(),
                    Some(mut nulls) => {
                        let valued = !&nulls.finish();
                        Some(NullBuffer::new(&filled & &valued))
                    }
                };
                cells.finish(len, nulls).map_err(|source| {
                    let message = "a column cannot be assembled";
                    Error::new(ErrorKind::Corrupt, operation, message).caused_by(source)
                })
            })
            .collect()
    }

    fn mark_filled(&mut self, moves: &[Move]) {
        for step in moves {
            self.filled.set_bit(step.to as usize, true);
        }
        self.filled_rows += moves.len();
    }
}

impl Cells {
    fn new(kind: FeatureType, len: usize) -> Self {
        Self {
            kind,
            bits: vec![0; len],
            text: Vec::new(),
            nulls: None,
        }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "rows are in bounds by the callers' invariant"
    )]
    fn set(&mut self, row: u32, bits: u64) {
        self.bits[row as usize] = bits;
    }

    fn set_null(&mut self, row: u32) {
        let len = self.bits.len();
        let nulls = self.nulls.get_or_insert_with(|| no_bits(len));
        nulls.set_bit(row as usize, true);
    }

    fn set_text(
        &mut self,
        row: u32,
        text: Option<&str>,
        operation: &'static str,
    ) -> Result<(), Error> {
        let Some(text) = text else {
            self.set_null(row);
            return Ok(());
        };
        let start = self.text.len();
        let end = start.saturating_add(text.len());
        if end > MAX_TEXT {
            return Err(too_much_text(operation));
        }
        self.text.extend_from_slice(text.as_bytes());
        self.set(row, ((start as u64) << 32) | end as u64);
        Ok(())
    }

    fn fill(&mut self, nulls: Option<&NullBuffer>, moves: &[Move], bits: impl Fn(usize) -> u64) {
        match nulls.filter(|nulls| nulls.null_count() > 0) {
            None => {
                for step in moves {
                    self.set(step.to, bits(step.from as usize));
                }
            }
            Some(nulls) => {
                for step in moves {
                    let row = step.from as usize;
                    if nulls.is_valid(row) {
                        self.set(step.to, bits(row));
                    } else {
                        self.set_null(step.to);
                    }
                }
            }
        }
    }

    fn finish(self, len: usize, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        Ok(match self.kind {
            FeatureType::Number => {
                let values: Vec<f64> = self.bits.into_iter().map(f64::from_bits).collect();
                Arc::new(Float64Array::try_new(ScalarBuffer::from(values), nulls)?)
            }
            FeatureType::Integer => {
                let values: Vec<i64> = self.bits.into_iter().map(u64::cast_signed).collect();
                Arc::new(Int64Array::try_new(ScalarBuffer::from(values), nulls)?)
            }
            FeatureType::Flag => {
                let values: BooleanBuffer = self.bits.into_iter().map(|bits| bits == 1).collect();
                Arc::new(BooleanArray::new(values, nulls))
            }
            FeatureType::Text => {
                // The texts lie in the order they were found in; the column wants them in the order of its rows.
                let mut bytes: Vec<u8> = Vec::with_capacity(self.text.len());
                let mut lengths: Vec<usize> = Vec::with_capacity(len);
                for span in self.bits {
                    let (start, end) = ((span >> 32) as usize, (span & 0xFFFF_FFFF) as usize);
                    let text = self.text.get(start..end).unwrap_or_default();
                    bytes.extend_from_slice(text);
                    lengths.push(text.len());
                }
                let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
                Arc::new(StringArray::try_new(
                    offsets,
                    Buffer::from_vec(bytes),
                    nulls,
                )?)
            }
        })
    }
}

fn no_bits(len: usize) -> BooleanBufferBuilder {
    let mut bits = BooleanBufferBuilder::new(len);
    bits.append_n(len, false);
    bits
}

fn too_much_text(operation: &'static str) -> Error {
    let message =
        "the answer has a column with more than 2 GiB of text; ask for fewer rows at once";
    Error::new(ErrorKind::Invalid, operation, message)
}
