use arrow_array::{Int64Array, RecordBatch};
use hashbrown::HashMap;

use crate::error::{Error, ErrorKind};
use crate::features::column::ColumnValues;
use crate::features::{FeatureType, FeatureView};

/// The key columns of a batch, without nulls.
#[derive(Debug)]
pub(crate) struct KeyColumns {
    columns: Vec<ColumnValues>,
    rows: usize,
}

impl KeyColumns {
    pub(crate) fn read(
        view: &FeatureView,
        batch: &RecordBatch,
        operation: &'static str,
    ) -> Result<Self, Error> {
        let mut columns = Vec::with_capacity(view.keys().len());
        for key in view.keys() {
            let values = ColumnValues::read(batch, key, operation)?;
            if let Some(row) = values.first_null() {
                let message = "a key is null; drop the row or give it a key";
                return Err(Error::new(ErrorKind::Invalid, operation, message)
                    .with("column", &key.name)
                    .with("row", row));
            }
            columns.push(values);
        }
        Ok(Self {
            columns,
            rows: batch.num_rows(),
        })
    }

    pub(crate) fn columns(&self) -> &[ColumnValues] {
        &self.columns
    }

    fn integer(&self) -> Option<&Int64Array> {
        match self.columns.as_slice() {
            [ColumnValues::Integer(array)] => Some(array),
            _ => None,
        }
    }

    /// A key as bytes that no other key of the view has.
    fn bytes<'a>(&'a self, row: usize, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        if let [ColumnValues::Text(array)] = self.columns.as_slice() {
            return array.value(row).as_bytes();
        }
        scratch.clear();
        for column in &self.columns {
            match column {
                ColumnValues::Integer(array) => {
                    scratch.extend_from_slice(&array.value(row).to_le_bytes());
                }
                ColumnValues::Flag(array) => scratch.push(u8::from(array.value(row))),
                ColumnValues::Number(array) => {
                    scratch.extend_from_slice(&one_of_equals(array.value(row)).to_le_bytes());
                }
                ColumnValues::Text(array) => {
                    // With its length first, no text runs into the next column.
                    let text = array.value(row);
                    scratch.extend_from_slice(&(text.len() as u64).to_le_bytes());
                    scratch.extend_from_slice(text.as_bytes());
                }
            }
        }
        scratch
    }
}

/// Numbers entities in the order they are first seen.
#[derive(Clone, Debug)]
pub(crate) struct KeyTable {
    numbers: Numbers,
}

#[derive(Clone, Debug)]
enum Numbers {
    Integer(HashMap<i64, u32>),
    Bytes(HashMap<Box<[u8]>, u32>),
}

impl KeyTable {
    pub(crate) fn new(view: &FeatureView) -> Self {
        let numbers = match view.keys() {
            [key] if key.kind == FeatureType::Integer => Numbers::Integer(HashMap::new()),
            _ => Numbers::Bytes(HashMap::new()),
        };
        Self { numbers }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.numbers {
            Numbers::Integer(map) => map.len(),
            Numbers::Bytes(map) => map.len(),
        }
    }

    /// The number of the key of each row, new ones for new keys; refuses before it changes anything.
    pub(crate) fn intern(
        &mut self,
        keys: &KeyColumns,
        operation: &'static str,
    ) -> Result<Vec<u32>, Error> {
        if u32::try_from(self.len().saturating_add(keys.rows)).is_err() {
            let message = "there are more entities than can be held; split the view by key";
            return Err(
                Error::new(ErrorKind::Invalid, operation, message).with("entities", self.len())
            );
        }
        let mut numbers = Vec::with_capacity(keys.rows);
        match (&mut self.numbers, keys.integer()) {
            (Numbers::Integer(map), Some(array)) => {
                for key in array.values().iter() {
                    let next = map.len() as u32;
                    numbers.push(*map.entry(*key).or_insert(next));
                }
            }
            (Numbers::Bytes(map), _) => {
                let mut scratch = Vec::new();
                for row in 0..keys.rows {
                    let key = keys.bytes(row, &mut scratch);
                    let number = match map.get(key) {
                        Some(number) => *number,
                        None => {
                            let next = map.len() as u32;
                            map.insert(Box::from(key), next);
                            next
                        }
                    };
                    numbers.push(number);
                }
            }
            (Numbers::Integer(_), None) => {
                let message = "the keys are of another type than the view says";
                return Err(Error::new(ErrorKind::Invalid, operation, message));
            }
        }
        Ok(numbers)
    }

    /// The number of the key of a row, if it has been seen.
    #[expect(
        clippy::indexing_slicing,
        reason = "the row is in bounds by the callers' invariant"
    )]
    pub(crate) fn find(&self, keys: &KeyColumns, row: usize, scratch: &mut Vec<u8>) -> Option<u32> {
        match (&self.numbers, keys.integer()) {
            (Numbers::Integer(map), Some(array)) => {
                let values: &[i64] = array.values();
                map.get(&values[row]).copied()
            }
            (Numbers::Bytes(map), _) => map.get(keys.bytes(row, scratch)).copied(),
            (Numbers::Integer(_), None) => None,
        }
    }
}

/// One bit pattern for all numbers that are equal, and one for NaN.
pub(crate) fn one_of_equals(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits()
    } else if value == 0.0 {
        0
    } else {
        value.to_bits()
    }
}
