//! Cells of two frames, side by side.

use std::fmt;

use arrow_array::{Array, RecordBatch};

use super::column::ColumnValues;
use super::{FeatureView, ViewFeature};
use crate::error::{Error, ErrorKind};

/// What stands in a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Number(f64),
    Integer(i64),
    Text(&'a str),
    Flag(bool),
}

impl<'a> Cell<'a> {
    /// The cell of a row; null beyond the end.
    pub(super) fn of(column: &'a ColumnValues, row: usize) -> Self {
        let there = |column: &dyn Array| row < column.len() && column.is_valid(row);
        match column {
            ColumnValues::Number(column) if there(column) => Self::Number(column.value(row)),
            ColumnValues::Integer(column) if there(column) => Self::Integer(column.value(row)),
            ColumnValues::Text(column) if there(column) => Self::Text(column.value(row)),
            ColumnValues::Flag(column) if there(column) => Self::Flag(column.value(row)),
            _ => Self::Null,
        }
    }

    /// How far apart two numbers are; `None` when the cells are not both numbers or not both integers. Zero for two NaNs and for
    /// equal infinities.
    pub(super) fn difference(&self, other: &Self) -> Option<f64> {
        match (self, other) {
            (Cell::Number(left), Cell::Number(right)) => {
                let same = left == right || left.is_nan() && right.is_nan();
                Some(if same { 0.0 } else { (left - right).abs() })
            }
            (Cell::Integer(left), Cell::Integer(right)) => Some(left.abs_diff(*right) as f64),
            _ => None,
        }
    }

    /// Whether two cells hold the same, NaN being the same as NaN.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Cell::Number(left), Cell::Number(right)) => {
                left == right || left.is_nan() && right.is_nan()
            }
            _ => self == other,
        }
    }
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Null => f.write_str("null"),
            Cell::Number(number) => write!(f, "{number:?}"),
            Cell::Integer(integer) => write!(f, "{integer}"),
            Cell::Text(text) => write!(f, "{text:?}"),
            Cell::Flag(flag) => write!(f, "{flag}"),
        }
    }
}

/// What is there, with its place in the view, and the names of what is not.
type Compared<'a> = (Vec<(usize, &'a ViewFeature, ColumnValues)>, Vec<String>);

/// The columns of a batch that are features of a view, in the view's order, with their place in it; and the names of those that are
/// not there.
pub(super) fn features_of<'a>(
    view: &'a FeatureView,
    batch: &RecordBatch,
    operation: &'static str,
) -> Result<Compared<'a>, Error> {
    let (mut found, mut absent) = (Vec::new(), Vec::new());
    for (index, feature) in view.features().iter().enumerate() {
        if batch.column_by_name(&feature.name).is_none() {
            absent.push(feature.name.clone());
            continue;
        }
        let values = ColumnValues::read(batch, feature, operation)?;
        found.push((index, feature, values));
    }
    if found.is_empty() {
        let message = "none of its columns is a feature of the view";
        return Err(Error::new(ErrorKind::Invalid, operation, message).with("view", view.name()));
    }
    Ok((found, absent))
}

/// One time for every row, or nothing is compared.
pub(super) fn check_rows(
    operation: &'static str,
    what: &'static str,
    rows: usize,
    times: usize,
) -> Result<(), Error> {
    if rows == times {
        return Ok(());
    }
    let message = "every row needs a time, and there are not as many";
    Err(Error::new(ErrorKind::Invalid, operation, message)
        .with(what, rows)
        .with("times", times))
}

/// A source that answers with other columns than its view has broken its contract.
pub(super) fn answered(
    values: &RecordBatch,
    (index, feature): (usize, &ViewFeature),
    rows: usize,
    operation: &'static str,
) -> Result<ColumnValues, Error> {
    let promised = feature.kind.data_type();
    let column = values.columns().get(index);
    column
        .filter(|column| column.len() == rows && *column.data_type() == promised)
        .and_then(|column| ColumnValues::cast(column, feature.kind).ok())
        .ok_or_else(|| {
            let message = "the source answered with other rows or columns than it was asked for";
            Error::new(ErrorKind::Corrupt, operation, message).with("column", &feature.name)
        })
}
