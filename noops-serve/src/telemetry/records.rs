//! What was served, kept for a comparison with what was trained on.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow_array::{
    ArrayRef, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use jiff::Timestamp;
use noops_core::{Digest, Error, ErrorKind, Share, sampling_bucket};

use super::arm::ArmRole;
use super::counter::Counter;

/// One row that was served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServedRow<'a> {
    /// The id of the request, or of the row when a request has several.
    pub request_id: &'a str,
    /// The features as the model saw them, all as numbers.
    pub features: &'a [f32],
    /// The first number of the answer.
    pub score: f32,
    /// The version that answered.
    pub version: Digest,
    /// In which part it answered.
    pub arm: ArmRole,
    /// When it was asked.
    pub at: Timestamp,
    /// From arrival to answer.
    pub latency: Duration,
}

/// What became of a row that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is in the log.
    Kept,
    /// It is not in the sample.
    NotSampled,
    /// There was no room, its id is longer than 256 bytes, or it has another number of features: dropped and counted.
    Dropped,
}

/// A bounded log of a sample of the rows that were served, for feature parity: the features as the model saw them.
///
/// The sample is that of [`sampling_bucket`], so that a request is in this log exactly when it is in the telemetry with its label.
/// A full log drops what comes and counts it: it never makes a request wait for a writer.
///
/// # Memory
///
/// For each row four bytes a feature, the bytes of its id and 104 more; twice that while it grows.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroUsize;
/// use std::time::Duration;
///
/// use noops_core::{Digest, Share, Timestamp};
/// use noops_serve::telemetry::{ArmRole, PredictionLog, ServedRow, Taken};
///
/// let log = PredictionLog::new(2, NonZeroUsize::MIN, Share::FULL);
/// let row = ServedRow {
///     request_id: "r-1",
///     features: &[0.5, f32::NAN],
///     score: 0.9,
///     version: Digest::of(b"a model"),
///     arm: ArmRole::Champion,
///     at: Timestamp::UNIX_EPOCH,
///     latency: Duration::from_micros(3),
/// };
/// assert_eq!(log.offer(&row), Taken::Kept);
/// assert_eq!(log.offer(&row), Taken::Dropped);
///
/// let drained = log.drain()?;
/// assert_eq!((drained.num_rows(), log.dropped()), (1, 1));
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Debug)]
pub struct PredictionLog {
    features: usize,
    most: NonZeroUsize,
    sample: Share,
    rows: Mutex<Rows>,
    dropped: Counter,
}

#[derive(Debug, Default)]
struct Rows {
    others: Vec<Other>,
    /// Row by row.
    features: Vec<f32>,
}

/// What is no feature.
#[derive(Debug)]
struct Other {
    request_id: Box<str>,
    score: f32,
    version: Digest,
    arm: ArmRole,
    at: Timestamp,
    latency: Duration,
}

impl PredictionLog {
    /// A log of rows of `features` features that holds at most `most` rows of the sample.
    #[must_use]
    pub fn new(features: usize, most: NonZeroUsize, sample: Share) -> Self {
        Self {
            features,
            most,
            sample,
            rows: Mutex::default(),
            dropped: Counter::new(),
        }
    }

    /// Takes a row, if it is in the sample and there is room. A row outside the sample costs a hash of its id; one that is kept, a
    /// short lock and a copy.
    pub fn offer(&self, row: &ServedRow<'_>) -> Taken {
        // The hash is the dearest part of an offer.
        if self.sample != Share::FULL && sampling_bucket(row.request_id) >= self.sample.ppm() {
            return Taken::NotSampled;
        }
        if row.features.len() != self.features || row.request_id.len() > LONGEST_ID {
            self.dropped.increment();
            return Taken::Dropped;
        }
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.others.len() >= self.most.get() {
            drop(rows);
            self.dropped.increment();
            return Taken::Dropped;
        }
        rows.features.extend_from_slice(row.features);
        rows.others.push(Other {
            request_id: row.request_id.into(),
            score: row.score,
            version: row.version,
            arm: row.arm,
            at: row.at,
            latency: row.latency,
        });
        Taken::Kept
    }

    /// How many rows of the sample were dropped.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.value()
    }

    /// The columns of what is drained.
    ///
    /// | column | type | null | meaning |
    /// | --- | --- | --- | --- |
    /// | `request` | Utf8 | no | the id |
    /// | `at` | Timestamp(µs, UTC) | no | when it was asked |
    /// | `version` | Utf8 | no | the digest of the version that answered |
    /// | `arm` | Utf8 | no | the part in which it answered |
    /// | `score` | Float32 | no | the answer |
    /// | `latency_ns` | Int64 | no | from arrival to answer, in nanoseconds |
    /// | `features` | FixedSizeList(Float32) | no | what the model saw, NaN where a value was missing |
    ///
    /// # Errors
    ///
    /// `Invalid` when there are more features than Arrow can count in one list.
    pub fn schema(&self) -> Result<SchemaRef, Error> {
        let width = i32::try_from(self.features)
            .map_err(|error| invalid("a list has at most 2147483647 values").caused_by(error))?;
        let at = DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")));
        Ok(Arc::new(Schema::new(vec![
            Field::new("request", DataType::Utf8, false),
            Field::new("at", at, false),
            Field::new("version", DataType::Utf8, false),
            Field::new("arm", DataType::Utf8, false),
            Field::new("score", DataType::Float32, false),
            Field::new("latency_ns", DataType::Int64, false),
            Field::new(
                "features",
                DataType::FixedSizeList(Arc::new(item()), width),
                false,
            ),
        ])))
    }

    /// Takes everything out of the log. The lock is held for an exchange of two pointers: the columns are made off the path.
    ///
    /// # Errors
    ///
    /// `Invalid` when the rows do not fit into one batch, which is when their ids or features exceed 2 GiB. They are lost.
    pub fn drain(&self) -> Result<RecordBatch, Error> {
        let schema = self.schema()?;
        let rows = std::mem::take(&mut *self.rows.lock().unwrap_or_else(PoisonError::into_inner));
        let others = &rows.others;
        let version = others.iter().map(|row| row.version.to_string());
        let at: TimestampMicrosecondArray = others
            .iter()
            .map(|row| Some(row.at.as_microsecond()))
            .collect();
        let latency = others
            .iter()
            .map(|row| i64::try_from(row.latency.as_nanos()).unwrap_or(i64::MAX));
        let width = i32::try_from(self.features).unwrap_or(i32::MAX);
        let values = Arc::new(Float32Array::from(rows.features));
        let features = FixedSizeListArray::try_new_with_length(
            Arc::new(item()),
            width,
            values,
            None,
            others.len(),
        );
        let features =
            features.map_err(|error| invalid("the features do not fit").caused_by(error))?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(
                others.iter().map(|row| &row.request_id),
            )),
            Arc::new(at.with_timezone("UTC")),
            Arc::new(StringArray::from_iter_values(version)),
            Arc::new(StringArray::from_iter_values(
                others.iter().map(|row| row.arm.as_str()),
            )),
            Arc::new(Float32Array::from_iter_values(
                others.iter().map(|row| row.score),
            )),
            Arc::new(Int64Array::from_iter_values(latency)),
            Arc::new(features),
        ];
        RecordBatch::try_new(schema, columns)
            .map_err(|error| invalid("the columns do not fit").caused_by(error))
    }
}

fn item() -> Field {
    Field::new("item", DataType::Float32, false)
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "write served rows as Arrow", message)
}

const LONGEST_ID: usize = 256;

#[cfg(test)]
mod tests;
