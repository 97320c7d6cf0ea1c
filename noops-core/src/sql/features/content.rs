//! Rows of features as text columns of a table, and back.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray};
use arrow_schema::SchemaRef;
use jiff::Timestamp;
use serde_json::Value;

use super::{PUSH, READ};
use crate::error::{Error, ErrorKind};
use crate::features::column::ColumnValues;
use crate::features::instant::read_micros;
use crate::features::{
    AsOfIndex, EVENT_TIME, FeatureType, FeatureView, KNOWN_AT, KeyColumns, ViewFeature,
    one_of_equals,
};
use crate::trainer::TimeSpan;

/// Entity, event time, known-at, features: the entity and the features are JSON arrays in the order of the view, times are microseconds.
pub(super) type Row = (String, i64, i64, String);

/// The rows of a push, checked and brought into the types of the view.
pub(super) fn rows(empty: &AsOfIndex, batch: &RecordBatch) -> Result<Vec<Row>, Error> {
    let view = empty.view();
    let mut index = empty.clone();
    index.insert(batch)?;
    let always = TimeSpan {
        from: Timestamp::MIN,
        until: Timestamp::MAX,
    };
    let mut rows = Vec::with_capacity(batch.num_rows());
    for batch in index.known_within(always)? {
        let count = batch.num_rows();
        let entities = texts(&read(&batch, view.keys())?, count, one_key);
        let features = texts(&read(&batch, view.features())?, count, |value| value);
        let (events, knowns) = (
            read_micros(&batch, EVENT_TIME, PUSH)?,
            read_micros(&batch, KNOWN_AT, PUSH)?,
        );
        let times = events.into_iter().zip(knowns);
        for ((entity, content), (event, known)) in entities.into_iter().zip(features).zip(times) {
            rows.push((entity, event, known, content));
        }
    }
    Ok(rows)
}

/// The different entities of a batch.
pub(super) fn entities(view: &FeatureView, batch: &RecordBatch) -> Result<BTreeSet<String>, Error> {
    let keys = KeyColumns::read(view, batch, READ)?;
    let entities = texts(keys.columns(), batch.num_rows(), one_key);
    Ok(entities.into_iter().collect())
}

fn read(batch: &RecordBatch, columns: &[ViewFeature]) -> Result<Vec<ColumnValues>, Error> {
    let read = |column| ColumnValues::read(batch, column, PUSH);
    columns.iter().map(read).collect()
}

/// Some columns as one JSON array per row.
fn texts(columns: &[ColumnValues], rows: usize, number: impl Fn(f64) -> f64) -> Vec<String> {
    let mut texts: Vec<Vec<Value>> = vec![Vec::with_capacity(columns.len()); rows];
    for column in columns {
        let rows = texts.iter_mut();
        match column {
            ColumnValues::Number(column) => rows.zip(column).for_each(|(row, value)| {
                row.push(value.map_or(Value::Null, |value| json_number(number(value))));
            }),
            ColumnValues::Integer(column) => rows
                .zip(column)
                .for_each(|(row, value)| row.push(Value::from(value))),
            ColumnValues::Text(column) => rows
                .zip(column)
                .for_each(|(row, value)| row.push(Value::from(value))),
            ColumnValues::Flag(column) => rows
                .zip(column)
                .for_each(|(row, value)| row.push(Value::from(value))),
        }
    }
    let texts = texts.into_iter().map(|row| Value::Array(row).to_string());
    texts.collect()
}

/// The number that stands for all that are one key.
fn one_key(number: f64) -> f64 {
    f64::from_bits(one_of_equals(number))
}

/// JSON has no numbers that are not finite: they are texts.
fn json_number(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or_else(|| Value::from(value.to_string()), Value::from)
}

/// Rows of the table on their way back into a batch.
pub(super) struct Rows {
    schema: SchemaRef,
    keys: Vec<Column>,
    events: Vec<i64>,
    knowns: Vec<i64>,
    features: Vec<Column>,
}

impl Rows {
    /// None yet, of the view of an index.
    pub(super) fn new(empty: &AsOfIndex) -> Self {
        let view = empty.view();
        let columns = |of: &[ViewFeature]| of.iter().map(|one| Column::new(one.kind)).collect();
        Self {
            schema: Arc::clone(empty.row_schema()),
            keys: columns(view.keys()),
            events: Vec::new(),
            knowns: Vec::new(),
            features: columns(view.features()),
        }
    }

    pub(super) fn add(&mut self, (entity, event, known, content): &Row) -> Result<(), Error> {
        add_values(&mut self.keys, entity)?;
        add_values(&mut self.features, content)?;
        self.events.push(*event);
        self.knowns.push(*known);
        Ok(())
    }

    pub(super) fn finish(self) -> Result<RecordBatch, Error> {
        let rows = self.events.len();
        let instants = |micros: Vec<i64>| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
        };
        let mut columns: Vec<ArrayRef> = self.keys.into_iter().map(Column::finish).collect();
        columns.push(instants(self.events));
        columns.push(instants(self.knowns));
        columns.extend(self.features.into_iter().map(Column::finish));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema, columns, &options)
            .map_err(|error| unreadable().caused_by(error))
    }
}

fn add_values(columns: &mut [Column], text: &str) -> Result<(), Error> {
    let values: Vec<Value> =
        serde_json::from_str(text).map_err(|error| unreadable().caused_by(error))?;
    if values.len() != columns.len() {
        return Err(unreadable());
    }
    columns
        .iter_mut()
        .zip(values)
        .try_for_each(|(column, value)| column.add(&value))
}

enum Column {
    Number(Float64Builder),
    Integer(Int64Builder),
    Text(StringBuilder),
    Flag(BooleanBuilder),
}

impl Column {
    fn new(kind: FeatureType) -> Self {
        match kind {
            FeatureType::Number => Self::Number(Float64Builder::new()),
            FeatureType::Integer => Self::Integer(Int64Builder::new()),
            FeatureType::Text => Self::Text(StringBuilder::new()),
            FeatureType::Flag => Self::Flag(BooleanBuilder::new()),
        }
    }

    fn add(&mut self, value: &Value) -> Result<(), Error> {
        match (self, value) {
            (Self::Number(column), Value::Null) => column.append_null(),
            (Self::Integer(column), Value::Null) => column.append_null(),
            (Self::Text(column), Value::Null) => column.append_null(),
            (Self::Flag(column), Value::Null) => column.append_null(),
            (Self::Number(column), Value::Number(number)) => {
                column.append_value(number.as_f64().ok_or_else(unreadable)?);
            }
            (Self::Number(column), Value::String(text)) => {
                column.append_value(text.parse().map_err(|_| unreadable())?);
            }
            (Self::Integer(column), Value::Number(number)) => {
                column.append_value(number.as_i64().ok_or_else(unreadable)?);
            }
            (Self::Text(column), Value::String(text)) => column.append_value(text),
            (Self::Flag(column), Value::Bool(flag)) => column.append_value(*flag),
            _ => return Err(unreadable()),
        }
        Ok(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Number(mut column) => Arc::new(column.finish()),
            Self::Integer(mut column) => Arc::new(column.finish()),
            Self::Text(mut column) => Arc::new(column.finish()),
            Self::Flag(mut column) => Arc::new(column.finish()),
        }
    }
}

fn unreadable() -> Error {
    let message = "a stored row does not have the form of the view";
    Error::new(ErrorKind::Corrupt, READ, message)
}
