//! One column of a file, row by row.

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;
use noops_drift::Matrix;

use crate::failure::{Failure, fail};
use crate::frame::{Meaning, Wanted, frames, printable, readable};
use crate::read::Table;

/// What a row has in the watched column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// NaN for a null, too: neither is a number to watch.
    Number(f64),
    /// Nothing for a null.
    Text(Option<String>),
}

impl Value {
    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Self::Number(number) => number.is_nan(),
            Self::Text(text) => text.is_none(),
        }
    }
}

/// The values of a column, in the order of the file.
pub(crate) fn rows<'a>(
    table: &'a Table,
    name: &str,
) -> Result<Box<dyn Iterator<Item = Result<Value, Failure>> + 'a>, Failure> {
    let wanted = wanted(table, name)?;
    let batches = frames(table, vec![wanted.clone()])?;
    let path = table.path();
    Ok(Box::new(batches.flat_map(move |batch| {
        match batch.and_then(|batch| values(&batch, &wanted, path)) {
            Ok(values) => values.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(failure) => vec![Err(failure)],
        }
    })))
}

fn wanted(table: &Table, name: &str) -> Result<Wanted, Failure> {
    let shown = printable(name);
    let path = table.path().display();
    let fields = table.schema().fields();
    let mut found = fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.name() == name);
    let (place, field) = match (found.next(), found.next()) {
        (Some(one), None) => one,
        (Some(_), Some(_)) => {
            return Err(fail(format!(
                "column `{shown}` occurs more than once in `{path}`"
            )));
        }
        (None, _) => {
            let names = fields
                .iter()
                .take(SHOWN)
                .map(|field| printable(field.name()));
            let names = names
                .map(|name| format!("`{name}`"))
                .collect::<Vec<String>>();
            let more = fields.len().saturating_sub(SHOWN);
            let more = if more == 0 {
                String::new()
            } else {
                format!(" and {more} more")
            };
            return Err(fail(format!(
                "`{path}` has no column `{shown}`; it has {}{more}",
                names.join(", ")
            )));
        }
    };
    let refused = || {
        fail(format!(
            "column `{shown}` of `{path}` has type `{}`, which cannot be watched",
            field.data_type()
        ))
    };
    let data_type = match Meaning::of(field.data_type()) {
        Some(Meaning::Text) => DataType::LargeUtf8,
        _ => readable(field.data_type()).ok_or_else(refused)?,
    };
    Ok(Wanted {
        name: name.to_owned(),
        place,
        data_type,
    })
}

fn values(batch: &RecordBatch, wanted: &Wanted, path: &Path) -> Result<Vec<Value>, Failure> {
    let unreadable = |reason: String| fail(format!("cannot read `{}`: {reason}", path.display()));
    if wanted.data_type == DataType::LargeUtf8 {
        let texts = batch
            .columns()
            .first()
            .and_then(|column| column.as_string_opt::<i64>())
            .ok_or_else(|| unreadable("a batch has another type than the file".to_owned()))?;
        let owned = texts
            .iter()
            .map(|text| Value::Text(text.map(str::to_owned)));
        return Ok(owned.collect());
    }
    let matrix = Matrix::from_batch(batch, &[wanted.name.as_str()])
        .map_err(|error| unreadable(error.to_string()))?;
    let numbers = matrix.columns().iter().flatten();
    Ok(numbers.map(|number| Value::Number(*number)).collect())
}

/// Columns that a message names.
const SHOWN: usize = 8;
