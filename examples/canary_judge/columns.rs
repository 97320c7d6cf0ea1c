//! Columns of a table by their names, read cell by cell.

use std::borrow::Cow;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampMicrosecondType};
use arrow_array::{Array, Float64Array, LargeStringArray, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::DataType;
use noops_core::Timestamp;

use crate::failure::{Failure, fail};
use crate::frame::{Meaning, Wanted, printable, readable};
use crate::read::Table;

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Missing,
    Number(f64),
    Text(Cow<'a, str>),
    Instant(Timestamp),
}

impl Cell<'_> {
    /// A finite number, or nothing; a text that reads as a number is one.
    pub(crate) fn number(&self) -> Result<Option<f64>, String> {
        let number = match self {
            Self::Missing => return Ok(None),
            Self::Number(number) => *number,
            Self::Text(text) => text
                .trim()
                .parse()
                .map_err(|_| format!("`{}` is not a number", printable(text)))?,
            Self::Instant(instant) => {
                return Err(format!("the time `{instant}` is not a number"));
            }
        };
        if number.is_finite() {
            Ok(Some(number))
        } else {
            Err(format!(
                "`{number}` is not a finite number; leave out what was not measured"
            ))
        }
    }

    /// The cell as a name, or nothing.
    pub(crate) fn name(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.to_string()),
            Self::Instant(instant) => Some(instant.to_string()),
        }
    }
}

/// Where a column is, and the type that `reading` gives it.
pub(crate) fn wanted(
    table: &Table,
    name: &str,
    reading: fn(&DataType) -> Option<DataType>,
) -> Result<Wanted, Failure> {
    let (shown, path) = (printable(name), table.path().display());
    let fields = table.schema().fields();
    let mut found = fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.name() == name);
    match (found.next(), found.next()) {
        (Some((place, field)), None) => match reading(field.data_type()) {
            Some(data_type) => Ok(Wanted {
                name: name.to_owned(),
                place,
                data_type,
            }),
            None => Err(fail(format!(
                "column `{shown}` of `{path}` has type `{}`, which cannot be used here",
                field.data_type()
            ))),
        },
        (Some(_), Some(_)) => Err(fail(format!(
            "column `{shown}` occurs more than once in `{path}`"
        ))),
        (None, _) => {
            let names = fields.iter().map(|field| printable(field.name()));
            let shortened: Vec<String> =
                names.take(SHOWN).map(|name| format!("`{name}`")).collect();
            let more = match fields.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            Err(fail(format!(
                "`{path}` has no column `{shown}`; it has {}{more}",
                shortened.join(", ")
            )))
        }
    }
}

/// The type in which names are read: texts, and whatever else has one.
pub(crate) fn as_name(data_type: &DataType) -> Option<DataType> {
    readable(data_type).map(|_| DataType::LargeUtf8)
}

/// The type in which numbers are read: a text is kept, so that a message can show what is none.
pub(crate) fn as_number(data_type: &DataType) -> Option<DataType> {
    match Meaning::of(data_type)? {
        Meaning::Number | Meaning::Nothing => Some(DataType::Float64),
        Meaning::Text => Some(DataType::LargeUtf8),
        _ => None,
    }
}

/// The cells of a batch.
pub(crate) struct Cells<'a> {
    columns: Vec<Values<'a>>,
}

enum Values<'a> {
    Numbers(&'a Float64Array),
    Texts(&'a LargeStringArray),
    Instants(&'a TimestampMicrosecondArray),
}

impl<'a> Cells<'a> {
    /// The cells of columns that were read as [`wanted`].
    pub(crate) fn of(batch: &'a RecordBatch, path: &Path) -> Result<Self, Failure> {
        let mut columns = Vec::with_capacity(batch.num_columns());
        for column in batch.columns() {
            let numbers = column.as_primitive_opt::<Float64Type>();
            let texts = column.as_string_opt::<i64>();
            let instants = column.as_primitive_opt::<TimestampMicrosecondType>();
            columns.push(match (numbers, texts, instants) {
                (Some(numbers), _, _) => Values::Numbers(numbers),
                (_, Some(texts), _) => Values::Texts(texts),
                (_, _, Some(instants)) => Values::Instants(instants),
                _ => {
                    return Err(fail(format!(
                        "cannot read `{}`: a batch has another type than the file",
                        path.display()
                    )));
                }
            });
        }
        Ok(Self { columns })
    }

    /// What a row has in the column that stood at this place among the wanted ones.
    pub(crate) fn at(&self, column: usize, row: usize) -> Result<Cell<'a>, String> {
        Ok(match self.columns.get(column) {
            Some(Values::Numbers(numbers)) if numbers.is_valid(row) => {
                Cell::Number(numbers.value(row))
            }
            Some(Values::Texts(texts)) if texts.is_valid(row) => {
                Cell::Text(Cow::Borrowed(texts.value(row)))
            }
            Some(Values::Instants(instants)) if instants.is_valid(row) => {
                let micros = instants.value(row);
                let instant = Timestamp::from_microsecond(micros);
                Cell::Instant(instant.map_err(|_| {
                    format!("`{micros}` microseconds after 1970 is a time that no calendar has")
                })?)
            }
            _ => Cell::Missing,
        })
    }
}

/// Columns that a message names.
const SHOWN: usize = 8;
