//! Columns of a frame, seen as numbers or as text.

mod numbers;
mod texts;
mod unit;

use std::collections::BTreeMap;

use arrow_array::{Array, RecordBatch};

pub(crate) use self::numbers::{Block, Numbers};
pub(crate) use self::texts::Texts;
pub(crate) use self::unit::{unit, unit_of_names};
use crate::error::DriftError;

/// The columns of a batch by their names, for finding many of them.
pub(crate) struct Frame<'a> {
    batch: &'a RecordBatch,
    /// Where each name is first, and whether it is there again.
    places: BTreeMap<&'a str, Place>,
}

#[derive(Clone, Copy)]
enum Place {
    Once(usize),
    Twice,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(batch: &'a RecordBatch) -> Self {
        let mut places = BTreeMap::new();
        for (index, field) in batch.schema_ref().fields().iter().enumerate() {
            places
                .entry(field.name().as_str())
                .and_modify(|place| *place = Place::Twice)
                .or_insert(Place::Once(index));
        }
        Self { batch, places }
    }

    /// The column of this name, whatever its type.
    pub(crate) fn array(&self, name: &str) -> Result<&'a dyn Array, DriftError> {
        let column = || name.to_owned();
        match self.places.get(name) {
            Some(Place::Once(index)) => self
                .batch
                .columns()
                .get(*index)
                .map(AsRef::as_ref)
                .ok_or_else(|| DriftError::MissingColumn { column: column() }),
            Some(Place::Twice) => Err(DriftError::DuplicateColumn { column: column() }),
            None => Err(DriftError::MissingColumn { column: column() }),
        }
    }

    /// The column of this name as numbers or as text.
    pub(crate) fn values(&self, name: &str) -> Result<Values<'a>, DriftError> {
        let array = self.array(name)?;
        if let Some(numbers) = Numbers::view(array) {
            return Ok(Values::Number(numbers));
        }
        if let Some(texts) = Texts::view(array) {
            return Ok(Values::Text(texts));
        }
        Err(DriftError::UnsupportedType {
            column: name.to_owned(),
            data_type: array.data_type().to_string(),
        })
    }
}

/// One column of a frame.
pub(crate) enum Values<'a> {
    Number(Numbers<'a>),
    Text(Texts<'a>),
}

impl Values<'_> {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => NUMBER,
            Self::Text(_) => CATEGORY,
        }
    }
}

pub(crate) const NUMBER: &str = "number";
pub(crate) const CATEGORY: &str = "category";
