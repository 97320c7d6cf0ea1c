use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Array, RecordBatch};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// What there is to say about one cell of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellStatus {
    /// The value is there and fresh enough.
    Present,
    /// Nothing was known of the entity.
    NotFound,
    /// There is a value, and it is older than the TTL.
    OutsideTtl,
    /// The newest row of the entity has no value for this feature.
    NullValue,
    /// The source failed to answer for this cell.
    Error,
}

/// Where the rows of some columns of a frame came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    statuses: Vec<CellStatus>,
    event_times: Vec<Option<Timestamp>>,
}

impl Provenance {
    /// One entry per row: a status that is never [`CellStatus::NullValue`] (the values say that), and the event time of the row that was
    /// found, whether or not it was fresh enough.
    #[must_use]
    pub fn new(statuses: Vec<CellStatus>, event_times: Vec<Option<Timestamp>>) -> Self {
        Self {
            statuses,
            event_times,
        }
    }
}

/// The features of some entities, each as of its time.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureFrame {
    values: RecordBatch,
    times: Vec<Timestamp>,
    provenance: Vec<Arc<Provenance>>,
}

impl FeatureFrame {
    /// Values with the time each row was asked for and one provenance per column; columns of one view share theirs.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the parts do not have the same number of rows and columns.
    pub fn new(
        values: RecordBatch,
        times: Vec<Timestamp>,
        provenance: Vec<Arc<Provenance>>,
    ) -> Result<Self, Error> {
        let rows = values.num_rows();
        let whole = times.len() == rows
            && provenance.len() == values.num_columns()
            && provenance
                .iter()
                .all(|part| part.statuses.len() == rows && part.event_times.len() == rows);
        if !whole {
            let message = "values, times and provenance are not of one shape";
            return Err(
                Error::new(ErrorKind::Corrupt, "assemble a feature frame", message)
                    .with("rows", rows),
            );
        }
        Ok(Self {
            values,
            times,
            provenance,
        })
    }

    /// One row per entity row, in order; what is not [`CellStatus::Present`] is null.
    #[must_use]
    pub fn values(&self) -> &RecordBatch {
        &self.values
    }

    /// The values alone.
    #[must_use]
    pub fn into_values(self) -> RecordBatch {
        self.values
    }

    /// The time each row was asked for.
    #[must_use]
    pub fn times(&self) -> &[Timestamp] {
        &self.times
    }

    /// The status of a cell; `None` outside the frame.
    #[must_use]
    pub fn status(&self, row: usize, column: usize) -> Option<CellStatus> {
        let status = *self.provenance.get(column)?.statuses.get(row)?;
        let values = self.values.columns().get(column)?;
        Some(match status {
            CellStatus::Present if values.is_null(row) => CellStatus::NullValue,
            status => status,
        })
    }

    /// When what the cell says happened, fresh enough or not; `None` when nothing was found.
    #[must_use]
    pub fn event_time(&self, row: usize, column: usize) -> Option<Timestamp> {
        *self.provenance.get(column)?.event_times.get(row)?
    }

    /// How old the cell's row was at the time asked for; `None` when nothing was found.
    #[must_use]
    pub fn age(&self, row: usize, column: usize) -> Option<Duration> {
        let event = self.event_time(row, column)?;
        let age = self.times.get(row)?.duration_since(event);
        Duration::try_from(age).ok()
    }

    /// How many cells of a column have a status.
    #[must_use]
    pub fn count(&self, column: usize, status: CellStatus) -> usize {
        (0..self.values.num_rows())
            .filter(|row| self.status(*row, column) == Some(status))
            .count()
    }
}
