//! Rows in the one form that the rest of the adapter works with.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::features::{AsOfIndex, EVENT_TIME, FeatureView, KNOWN_AT};
use crate::trainer::TimeSpan;

/// One column of a key. Feast has no keys of other types that it tells apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeyPart {
    Integer(i64),
    Text(String),
}

/// What tells an entity from the others.
pub(super) type Key = Vec<KeyPart>;

impl KeyPart {
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Integer(integer) => Value::from(*integer),
            Self::Text(text) => Value::from(text.as_str()),
        }
    }
}

/// Rows of a view, checked, with its columns in its types and in the order they came.
pub(super) fn normalised(view: &FeatureView, rows: &RecordBatch) -> Result<RecordBatch, Error> {
    let mut index = AsOfIndex::new(view.clone())?;
    index.insert(rows)?;
    let ever = TimeSpan {
        from: Timestamp::MIN,
        until: Timestamp::MAX,
    };
    let batches = index.known_within(ever)?;
    concat_batches(&Arc::new(view.row_schema()), &batches).map_err(|source| corrupt(source, ROWS))
}

/// The key of each entity.
pub(super) fn keys(view: &FeatureView, entities: &RecordBatch) -> Result<Vec<Key>, Error> {
    let mut only_keys = FeatureView::new(view.name(), view.definition());
    let mut columns: Vec<(String, ArrayRef, bool)> = Vec::new();
    for key in view.keys() {
        only_keys = only_keys.with_key(&key.name, key.kind);
        // A column that is missing is missed where the rows are read.
        if let Some(column) = entities.column_by_name(&key.name) {
            columns.push((key.name.clone(), Arc::clone(column), true));
        }
    }
    let never = TimestampMicrosecondArray::from(vec![0_i64; entities.num_rows()]);
    let never: ArrayRef = Arc::new(never.with_timezone("UTC"));
    columns.push((EVENT_TIME.to_owned(), Arc::clone(&never), true));
    columns.push((KNOWN_AT.to_owned(), never, true));
    let rows = RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|source| corrupt(source, ROWS))?;
    keys_of(view, &normalised(&only_keys, &rows)?)
}

/// The key of each row of normalised rows.
pub(super) fn keys_of(view: &FeatureView, rows: &RecordBatch) -> Result<Vec<Key>, Error> {
    let mut keys: Vec<Key> = vec![Vec::new(); rows.num_rows()];
    for part in view.keys() {
        let column = column(rows, &part.name)?;
        if let Some(integers) = column.as_primitive_opt::<Int64Type>() {
            for (key, integer) in keys.iter_mut().zip(integers.values().iter()) {
                key.push(KeyPart::Integer(*integer));
            }
        } else if let Some(texts) = column.as_string_opt::<i32>() {
            for (key, text) in keys.iter_mut().zip(texts.iter()) {
                key.push(KeyPart::Text(text.unwrap_or_default().to_owned()));
            }
        } else {
            let message = "feast tells entities apart by integers and texts only";
            return Err(Error::new(ErrorKind::Invalid, ROWS, message).with("key", &part.name));
        }
    }
    Ok(keys)
}

/// A column of rows that were said to have it.
pub(super) fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, Error> {
    rows.column_by_name(name).ok_or_else(|| absent(name))
}

/// Columns that ought to fit together and do not.
pub(super) fn corrupt(source: ArrowError, operation: &'static str) -> Error {
    let message = "columns of one batch do not fit together";
    Error::new(ErrorKind::Corrupt, operation, message).caused_by(source)
}

/// Whether a cell of one column holds the same as a cell of another, bit for bit.
pub(super) fn same(one: &ArrayRef, row: usize, other: &ArrayRef, other_row: usize) -> bool {
    let inside = row < one.len() && other_row < other.len();
    inside && one.slice(row, 1).to_data() == other.slice(other_row, 1).to_data()
}

fn absent(name: &str) -> Error {
    Error::new(ErrorKind::Invalid, ROWS, "a column is missing").with("column", name)
}

const ROWS: &str = "read feature rows";

#[cfg(test)]
mod tests {
    use arrow_array::{Int32Array, Int64Array, StringArray};

    use super::*;
    use crate::features::FeatureType;

    fn view() -> FeatureView {
        FeatureView::new("v", "of a shop and a day")
            .with_key("shop", FeatureType::Text)
            .with_key("day", FeatureType::Integer)
            .with_feature("sales", FeatureType::Integer)
    }

    #[test]
    fn keys_are_read_whatever_their_width_and_order() {
        let days: ArrayRef = Arc::new(Int32Array::from(vec![-1, 7]));
        let shops: ArrayRef = Arc::new(StringArray::from(vec!["a", ""]));
        let entities = RecordBatch::try_from_iter([("day", days), ("shop", shops)]).unwrap();
        let expected = [
            vec![KeyPart::Text("a".to_owned()), KeyPart::Integer(-1)],
            vec![KeyPart::Text(String::new()), KeyPart::Integer(7)],
        ];
        assert_eq!(keys(&view(), &entities).unwrap(), expected);
    }

    #[test]
    fn a_key_that_is_missing_or_null_is_refused() {
        let shops: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
        let days: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        let missing = RecordBatch::try_from_iter([("shop", Arc::clone(&shops))]).unwrap();
        let null =
            RecordBatch::try_from_iter_with_nullable([("shop", shops, true), ("day", days, true)]);
        for entities in [missing, null.unwrap()] {
            let error = keys(&view(), &entities).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains("column `day`"), "{error}");
        }
    }
}
