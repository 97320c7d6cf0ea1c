//! One row of a hundred features per entity, as serving reads them.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use noops_core::{EVENT_TIME, Error, ErrorKind, FeatureType, FeatureView, KNOWN_AT};

use crate::splitmix::SplitMix64;

/// How many features a row has.
pub const WIDE_FEATURES: usize = 100;

/// The definition of the features.
#[must_use]
pub fn wide_view() -> FeatureView {
    let view = FeatureView::new("wide", "a hundred numbers per entity")
        .with_key("key", FeatureType::Integer);
    (0..WIDE_FEATURES).fold(view, |view, feature| {
        view.with_feature(name(feature), FeatureType::Number)
    })
}

/// One row for each of the entities `0..entities`, known since the epoch.
///
/// # Errors
///
/// When Arrow refuses the columns.
pub fn wide_rows(entities: i64) -> Result<RecordBatch, Error> {
    let values: Vec<Vec<f64>> = (0..entities).map(wide_values).collect();
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..entities));
    let instants: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![0_i64; values.len()]).with_timezone("UTC"));
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("key".to_owned(), keys),
        (EVENT_TIME.to_owned(), Arc::clone(&instants)),
        (KNOWN_AT.to_owned(), instants),
    ];
    for feature in 0..WIDE_FEATURES {
        let column = values.iter().filter_map(|row| row.get(feature).copied());
        let column: ArrayRef = Arc::new(Float64Array::from_iter_values(column));
        columns.push((name(feature), column));
    }
    RecordBatch::try_from_iter(columns).map_err(refused)
}

/// The features of an entity.
#[must_use]
pub fn wide_values(entity: i64) -> Vec<f64> {
    SplitMix64::new(entity.unsigned_abs()).numbers(WIDE_FEATURES)
}

/// The question for one entity.
///
/// # Errors
///
/// When Arrow refuses the column.
pub fn wide_entity(entity: i64) -> Result<RecordBatch, Error> {
    let key: ArrayRef = Arc::new(Int64Array::from(vec![entity]));
    RecordBatch::try_from_iter([("key", key)]).map_err(refused)
}

fn name(feature: usize) -> String {
    format!("f{feature:02}")
}

fn refused(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let message = "the columns do not fit together";
    Error::new(ErrorKind::Invalid, "generate rows", message).caused_by(source)
}
