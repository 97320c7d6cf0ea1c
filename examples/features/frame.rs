//! A training frame, as a table and as a summary.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use noops_core::{CellStatus, FeatureFrame};

use crate::failure::{Failure, fail};

/// Whether a frame says where its cells come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provenance {
    Written,
    LeftOut,
}

/// The columns of the entities and their features side by side.
pub(crate) fn join(
    entities: &RecordBatch,
    frame: &FeatureFrame,
    provenance: Provenance,
) -> Result<RecordBatch, Failure> {
    let mut fields: Vec<Field> = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in entities.schema().fields().iter().zip(entities.columns()) {
        fields.push(field.as_ref().clone());
        columns.push(Arc::clone(column));
    }
    let schema = frame.values().schema();
    for (index, (field, column)) in schema
        .fields()
        .iter()
        .zip(frame.values().columns())
        .enumerate()
    {
        let name = field.name();
        fields.push(field.as_ref().clone());
        columns.push(Arc::clone(column));
        if provenance == Provenance::Written {
            let rows = 0..column.len();
            let statuses: StringArray = rows
                .clone()
                .map(|row| frame.status(row, index).map(status_name))
                .collect();
            let ages: Float64Array = rows
                .map(|row| frame.age(row, index).map(|age| age.as_secs_f64()))
                .collect();
            fields.push(Field::new(format!("{name}_status"), DataType::Utf8, true));
            columns.push(Arc::new(statuses));
            fields.push(Field::new(
                format!("{name}_age_seconds"),
                DataType::Float64,
                true,
            ));
            columns.push(Arc::new(ages));
        }
    }
    for (index, field) in fields.iter().enumerate() {
        if fields
            .iter()
            .skip(index + 1)
            .any(|other| other.name() == field.name())
        {
            return Err(fail(format!(
                "the frame would have two columns `{}`; rename the one among the entities",
                field.name()
            )));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|error| fail(format!("cannot put the frame together: {error}")))
}

/// How many cells of each feature have which status: a line each.
pub(crate) fn counts(frame: &FeatureFrame) -> String {
    let schema = frame.values().schema();
    let mut text = String::new();
    for (index, field) in schema.fields().iter().enumerate() {
        let counts = STATUSES.iter().filter_map(|status| {
            let count = frame.count(index, *status);
            (count > 0).then(|| format!("{count} {}", status_name(*status)))
        });
        let counts: Vec<String> = counts.collect();
        text.push_str(&format!("  {}: {}\n", field.name(), counts.join(", ")));
    }
    text
}

fn status_name(status: CellStatus) -> &'static str {
    match status {
        CellStatus::Present => "present",
        CellStatus::NotFound => "not found",
        CellStatus::OutsideTtl => "outside TTL",
        CellStatus::NullValue => "null",
        CellStatus::Error => "error",
    }
}

const STATUSES: [CellStatus; 5] = [
    CellStatus::Present,
    CellStatus::NullValue,
    CellStatus::OutsideTtl,
    CellStatus::NotFound,
    CellStatus::Error,
];
