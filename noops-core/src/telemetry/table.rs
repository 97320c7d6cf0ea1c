use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use jiff::Timestamp;

use super::labels::Known;
use super::record::PredictionRecord;
use crate::error::{Error, ErrorKind};
use crate::label::Observed;

/// The columns of a telemetry table. A row is one request.
///
/// | column | type | null | meaning |
/// | --- | --- | --- | --- |
/// | `request` | Utf8 | no | the id of the request |
/// | `unit` | Utf8 | no | whom or what it was about; empty when nobody knows |
/// | `at` | Timestamp(µs, UTC) | no | when it was asked |
/// | `model` | Utf8 | no | the model |
/// | `version` | Utf8 | no | the digest of the version that answered, or of the arm's version when none did |
/// | `arm` | Utf8 | no | the arm it was assigned to |
/// | `share_ppm` | UInt32 | no | the challenger's share when it was assigned, in parts per million |
/// | `status` | Utf8 | no | `answered`, `fallback`, `rejected` or `failed` |
/// | `score` | Float64 | yes | the answer; null when there was none or it was not a finite number |
/// | `label` | Boolean | yes | whether it happened; null when nobody knew in time |
/// | `label_status` | Utf8 | no | `joined`, or `missing` when the horizon ended without a label |
/// | `label_known_at` | Timestamp(µs, UTC) | yes | when the label became known |
/// | `label_delay_us` | Int64 | yes | how long after `at` that was, in microseconds; negative when clocks disagree |
/// | `conflicting_known_at` | Timestamp(µs, UTC) | yes | when the opposite label became known, if one was delivered before the row was drained |
#[must_use]
pub fn telemetry_schema() -> SchemaRef {
    let time = || DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from(ZONE)));
    Arc::new(Schema::new(vec![
        Field::new("request", DataType::Utf8, false),
        Field::new("unit", DataType::Utf8, false),
        Field::new(AT, time(), false),
        Field::new("model", DataType::Utf8, false),
        Field::new("version", DataType::Utf8, false),
        Field::new("arm", DataType::Utf8, false),
        Field::new("share_ppm", DataType::UInt32, false),
        Field::new("status", DataType::Utf8, false),
        Field::new("score", DataType::Float64, true),
        Field::new("label", DataType::Boolean, true),
        Field::new("label_status", DataType::Utf8, false),
        Field::new("label_known_at", time(), true),
        Field::new("label_delay_us", DataType::Int64, true),
        Field::new("conflicting_known_at", time(), true),
    ]))
}

/// One request that is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) prediction: &'a PredictionRecord,
    pub(super) label: Option<Known>,
    pub(super) conflicting: Option<Known>,
}

/// Rows as batches of a moderate size.
pub(super) fn to_batches(rows: &[Row<'_>]) -> Result<Vec<RecordBatch>, Error> {
    rows.chunks(ROWS_PER_BATCH).map(to_batch).collect()
}

fn to_batch(rows: &[Row<'_>]) -> Result<RecordBatch, Error> {
    let request = rows.iter().map(|row| row.prediction.request.as_str());
    let unit = rows.iter().map(|row| row.prediction.unit.as_str());
    let model = rows.iter().map(|row| row.prediction.model.as_str());
    let version = rows.iter().map(|row| row.prediction.version.to_string());
    let arm = rows.iter().map(|row| row.prediction.arm.as_str());
    let share = rows.iter().map(|row| Some(row.prediction.share.ppm()));
    let status = rows.iter().map(|row| row.prediction.status.as_str());
    let score = rows.iter().map(|row| row.prediction.score);
    let label = rows
        .iter()
        .map(|row| row.label.map(|label| label.observed == Observed::Positive));
    let label_status = rows.iter().map(|row| match row.label {
        Some(_) => "joined",
        None => "missing",
    });
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(request)),
        Arc::new(StringArray::from_iter_values(unit)),
        times(rows, |row| Some(row.prediction.at)),
        Arc::new(StringArray::from_iter_values(model)),
        Arc::new(StringArray::from_iter_values(version)),
        Arc::new(StringArray::from_iter_values(arm)),
        Arc::new(share.collect::<UInt32Array>()),
        Arc::new(StringArray::from_iter_values(status)),
        Arc::new(score.collect::<Float64Array>()),
        Arc::new(label.collect::<BooleanArray>()),
        Arc::new(StringArray::from_iter_values(label_status)),
        times(rows, |row| row.label.map(|label| label.known_at)),
        Arc::new(rows.iter().map(delay).collect::<Int64Array>()),
        times(rows, |row| row.conflicting.map(|label| label.known_at)),
    ];
    RecordBatch::try_new(telemetry_schema(), columns).map_err(|error| {
        let message = "the columns do not fit";
        Error::new(ErrorKind::Invalid, "write telemetry as Arrow", message).caused_by(error)
    })
}

fn times(rows: &[Row<'_>], time: fn(&Row<'_>) -> Option<Timestamp>) -> ArrayRef {
    let microseconds = rows
        .iter()
        .map(|row| time(row).map(|time| time.as_microsecond()));
    let column: TimestampMicrosecondArray = microseconds.collect();
    Arc::new(column.with_timezone(ZONE))
}

fn delay(row: &Row<'_>) -> Option<i64> {
    let delay = row.label?.known_at.duration_since(row.prediction.at);
    i64::try_from(delay.as_micros()).ok()
}

pub(super) const AT: &str = "at";
const ZONE: &str = "UTC";
/// With ids and units of at most a KiB each, a column of a batch stays far below the 2 GiB that its offsets can address.
const ROWS_PER_BATCH: usize = 8192;
