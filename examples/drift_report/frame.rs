//! Columns as the library takes them: what a file may hold beyond its types is cast.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema};

use crate::failure::{Failure, fail};
use crate::read::Table;

/// A column to read: where it is in the file, and the type it is handed on as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) place: usize,
    pub(crate) data_type: DataType,
}

/// Reads these columns of a table, in this order, batch by batch.
pub(crate) fn frames(
    table: &Table,
    wanted: Vec<Wanted>,
) -> Result<impl Iterator<Item = Result<RecordBatch, Failure>> + '_, Failure> {
    let places: Vec<usize> = wanted.iter().map(|column| column.place).collect();
    let batches = table.batches(&places)?;
    Ok(batches.map(move |batch| {
        let batch = batch?;
        as_wanted(&batch, &wanted).map_err(|reason| {
            fail(format!(
                "cannot read `{}`: {reason}",
                table.path().display()
            ))
        })
    }))
}

fn as_wanted(
    batch: &RecordBatch,
    wanted: &[Wanted],
) -> Result<RecordBatch, Box<dyn std::error::Error>> {
    // A batch has the columns that were read, in the order of the file.
    let mut places: Vec<usize> = wanted.iter().map(|column| column.place).collect();
    places.sort_unstable();
    places.dedup();
    let read: BTreeMap<usize, _> = places.into_iter().zip(batch.columns()).collect();
    let mut fields = Vec::with_capacity(wanted.len());
    let mut columns = Vec::with_capacity(wanted.len());
    for column in wanted {
        let array = read
            .get(&column.place)
            .ok_or_else(|| format!("column `{}` was not read", column.name))?;
        columns.push(if *array.data_type() == column.data_type {
            Arc::clone(array)
        } else {
            cast(array, &column.data_type)?
        });
        fields.push(Field::new(&column.name, column.data_type.clone(), true));
    }
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns,
    )?)
}

/// What the values of a column mean, as far as two columns must agree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Number,
    Text,
    /// A date or a time stamp.
    Instant,
    TimeOfDay,
    Duration,
    /// There is no value: a column of nulls.
    Nothing,
}

impl Meaning {
    /// Nothing for lists, structs, bytes and whatever else has no order and no name.
    pub(crate) fn of(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Null => Self::Nothing,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Self::Instant,
            DataType::Time32(_) | DataType::Time64(_) => Self::TimeOfDay,
            DataType::Duration(_) => Self::Duration,
            DataType::Dictionary(_, values) => return Self::of(values),
            DataType::Boolean
            | DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..) => Self::Number,
            number if number.is_integer() || number.is_floating() => Self::Number,
            _ => return None,
        })
    }
}

/// The type that a column is handed on as when nothing else has a say in it.
pub(crate) fn readable(data_type: &DataType) -> Option<DataType> {
    Some(match (Meaning::of(data_type)?, data_type) {
        (Meaning::Nothing, _) => DataType::Float64,
        (Meaning::Text, _) => data_type.clone(),
        (_, DataType::Dictionary(_, values)) => readable(values)?,
        (_, DataType::Float16) => DataType::Float32,
        (
            _,
            DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..),
        ) => DataType::Float64,
        _ => data_type.clone(),
    })
}

/// A name from a file as it may go to a terminal.
pub(crate) fn printable(name: &str) -> String {
    name.chars()
        .map(|one| if one.is_control() { '\u{fffd}' } else { one })
        .collect()
}
