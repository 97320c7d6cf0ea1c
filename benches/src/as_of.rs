//! The data of the as-of join, made row by row from a seed, and what a naive program would answer about them.

mod oracle;

pub use oracle::AsOfOracle;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use noops_core::{EVENT_TIME, Error, ErrorKind, FeatureType, FeatureView, KNOWN_AT, Timestamp};

use crate::splitmix::SplitMix64;

/// Feature rows and entity rows in order of time, of which every part can be made on its own.
///
/// Feature row i, of a random entity, becomes known a millisecond after row i - 1 and describes an event up to a given time earlier. Entity rows, of random
/// entities too, are spread evenly over the same time. A value is used for one and a half times as long as an entity waits for its next row on average, so that
/// without delays a fifth of the answers (e^-1.5 = 0.22) are too old.
///
/// # Examples
///
/// ```
/// use noops_benches::AsOfWorkload;
///
/// let workload = AsOfWorkload::new(1000, 100, 10);
/// let whole = workload.feature_batch(0..1000)?;
/// assert_eq!(whole.slice(300, 50), workload.feature_batch(300..350)?);
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOfWorkload {
    feature_rows: u64,
    entity_rows: u64,
    keys: u64,
    latest: u64,
}

impl AsOfWorkload {
    /// How many features a row has, all of them numbers.
    pub const FEATURES: usize = 20;

    /// So many feature rows and entity rows of `keys` entities, at least one, each known when it happens.
    #[must_use]
    pub fn new(feature_rows: u64, entity_rows: u64, keys: u64) -> Self {
        Self {
            feature_rows,
            entity_rows,
            keys: keys.max(1),
            latest: 0,
        }
    }

    /// Lets feature rows become known up to `latest` after their event.
    #[must_use]
    pub fn with_latest(mut self, latest: Duration) -> Self {
        self.latest = u64::try_from(latest.as_micros()).unwrap_or(u64::MAX >> 16);
        self
    }

    /// How many entity rows there are.
    #[must_use]
    pub fn entity_rows(&self) -> u64 {
        self.entity_rows
    }

    /// How many feature rows there are.
    #[must_use]
    pub fn feature_rows(&self) -> u64 {
        self.feature_rows
    }

    /// For how long a value is used.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        Duration::from_micros(self.keys.saturating_mul(STEP.unsigned_abs()) / 2 * 3)
    }

    /// The definition of the features.
    #[must_use]
    pub fn view(&self) -> FeatureView {
        let view = FeatureView::new("as-of", "numbers from a seed")
            .with_key(KEY, FeatureType::Integer)
            .with_ttl(self.ttl());
        (0..Self::FEATURES).fold(view, |view, feature| {
            view.with_feature(name(feature), FeatureType::Number)
        })
    }

    /// All feature rows, in batches.
    ///
    /// # Errors
    ///
    /// As [`AsOfWorkload::feature_batch`].
    pub fn features(
        &self,
        batch: u64,
    ) -> impl Iterator<Item = Result<RecordBatch, Error>> + Send + use<> {
        let workload = self.clone();
        chunks(self.feature_rows, batch).map(move |rows| workload.feature_batch(rows))
    }

    /// Some feature rows: key, event time, known-at and twenty numbers.
    ///
    /// # Errors
    ///
    /// When Arrow refuses the columns.
    pub fn feature_batch(&self, rows: Range<u64>) -> Result<RecordBatch, Error> {
        let count = rows.end.saturating_sub(rows.start) as usize;
        let keys = rows.clone().map(|row| self.feature_key(row));
        let events = rows.clone().map(|row| self.happened_at(row));
        let knowns = rows.clone().map(known_at);
        let mut columns: Vec<(String, ArrayRef)> = vec![
            (KEY.to_owned(), integers(keys)),
            (EVENT_TIME.to_owned(), instants(events)),
            (KNOWN_AT.to_owned(), instants(knowns)),
        ];
        for feature in 0..Self::FEATURES {
            let values = numbers(feature).skipping(rows.start).numbers(count);
            columns.push((name(feature), Arc::new(Float64Array::from(values))));
        }
        RecordBatch::try_from_iter(columns).map_err(refused)
    }

    /// Some entity rows and the time of each.
    ///
    /// # Errors
    ///
    /// When the times are beyond what can be written.
    pub fn entities(
        &self,
        rows: impl Iterator<Item = u64> + Clone,
    ) -> Result<(RecordBatch, Vec<Timestamp>), Error> {
        let keys = integers(rows.clone().map(|row| self.entity_key(row)));
        let batch = RecordBatch::try_from_iter([(KEY, keys)]).map_err(refused)?;
        let times = rows.map(|row| Timestamp::from_microsecond(self.asked_at(row)));
        let times = times.collect::<Result<Vec<Timestamp>, _>>();
        Ok((batch, times.map_err(refused)?))
    }

    /// Some entity rows as a table: key and time.
    ///
    /// # Errors
    ///
    /// When Arrow refuses the columns.
    pub fn entity_table(&self, rows: Range<u64>) -> Result<RecordBatch, Error> {
        let keys = integers(rows.clone().map(|row| self.entity_key(row)));
        let times = instants(rows.map(|row| self.asked_at(row)));
        RecordBatch::try_from_iter([(KEY, keys), (TIME, times)]).map_err(refused)
    }

    /// The entity rows in parts of at most `size`.
    pub fn entity_chunks(&self, size: u64) -> impl Iterator<Item = Range<u64>> + Send + use<> {
        chunks(self.entity_rows, size)
    }

    fn feature_key(&self, row: u64) -> i64 {
        (SplitMix64::new(FEATURE_KEYS).skipping(row).next_u64() % self.keys) as i64
    }

    fn entity_key(&self, row: u64) -> i64 {
        (SplitMix64::new(ENTITY_KEYS).skipping(row).next_u64() % self.keys) as i64
    }

    fn happened_at(&self, row: u64) -> i64 {
        let late = match self.latest.checked_add(1) {
            Some(choices) if choices > 1 => {
                SplitMix64::new(DELAYS).skipping(row).next_u64() % choices
            }
            _ => 0,
        };
        known_at(row).saturating_sub_unsigned(late)
    }

    /// The last entity row comes right after the last feature row.
    fn asked_at(&self, row: u64) -> i64 {
        let span = i128::from(self.feature_rows) * i128::from(STEP);
        let passed = span * (i128::from(row) + 1) / i128::from(self.entity_rows.max(1));
        START.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }
}

fn known_at(row: u64) -> i64 {
    START.saturating_add(i64::try_from(row).unwrap_or(i64::MAX).saturating_mul(STEP))
}

/// The values of a feature, by row.
fn numbers(feature: usize) -> SplitMix64 {
    SplitMix64::new(VALUES + feature as u64)
}

fn name(feature: usize) -> String {
    format!("f{feature:02}")
}

fn integers(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn instants(micros: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC"))
}

fn chunks(rows: u64, size: u64) -> impl Iterator<Item = Range<u64>> + Send + use<> {
    let size = size.max(1);
    (0..rows.div_ceil(size)).map(move |chunk| {
        let start = chunk * size;
        start..start.saturating_add(size).min(rows)
    })
}

fn refused(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let message = "the rows cannot be written down; ask for fewer";
    Error::new(ErrorKind::Invalid, "generate rows", message).caused_by(source)
}

const KEY: &str = "key";
const TIME: &str = "time";

/// In microseconds since the epoch.
const START: i64 = 1_700_000_000_000_000;
/// In microseconds.
const STEP: i64 = 1000;

const FEATURE_KEYS: u64 = 1;
const ENTITY_KEYS: u64 = 2;
const DELAYS: u64 = 3;
const VALUES: u64 = 1000;

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float64Type;
    use noops_core::{AsOfIndex, Knowledge};

    use super::*;

    // With fk, ft the keys and times of the feature rows, ek, et those of the entity rows and s the time that all of them span:
    // order = numpy.argsort(fk * s + ft, kind="stable"); found = order[numpy.searchsorted((fk * s + ft)[order], ek * s + et, side="right") - 1];
    // fresh = (fk[found] == ek) & (et - ft[found] <= 150_000); fresh.sum(), values[:, found[fresh]].sum()
    #[test]
    fn the_answers_are_those_that_numpy_finds() {
        let workload = AsOfWorkload::new(5000, 1000, 100);
        let mut index = AsOfIndex::new(workload.view()).unwrap();
        for batch in workload.features(900) {
            index.insert(&batch.unwrap()).unwrap();
        }
        let (entities, times) = workload.entities(0..1000).unwrap();
        let frame = index
            .as_of(&entities, &times, Knowledge::AtRowTime)
            .unwrap();
        let columns = frame.values().columns();
        assert_eq!(columns[0].len() - columns[0].null_count(), 773);
        let values = columns
            .iter()
            .flat_map(|column| column.as_primitive::<Float64Type>().iter().flatten());
        let sum: f64 = values.sum();
        assert!((sum - 7_725.593_194_149_226).abs() < 1e-6, "{sum}");
    }

    #[test]
    fn a_part_of_the_rows_is_the_same_made_alone() {
        let workload = AsOfWorkload::new(1000, 500, 20).with_latest(Duration::from_millis(30));
        let features = workload.feature_batch(0..1000).unwrap();
        assert_eq!(
            features.slice(310, 40),
            workload.feature_batch(310..350).unwrap()
        );
        let table = workload.entity_table(0..500).unwrap();
        assert_eq!(table.slice(99, 7), workload.entity_table(99..106).unwrap());
        let chunks: u64 = workload
            .entity_chunks(70)
            .map(|rows| rows.end - rows.start)
            .sum();
        assert_eq!(chunks, 500);
    }
}
