//! Making a new version of a model.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::contract::Contract;
use crate::digest::Digest;
use crate::error::Error;
use crate::registry::Lineage;

/// A half-open span of event time, `from <= t < until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TimeSpan {
    /// The first instant inside.
    pub from: Timestamp,
    /// The first instant after.
    pub until: Timestamp,
}

impl TimeSpan {
    /// Whether an instant lies inside.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// What to train, complete: the same request must give the same artifact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingRequest {
    /// The name of the run, unique and stable: asking again for the same run is asking for the same result.
    pub run: String,
    /// Only what was known at this time may be used.
    pub snapshot_at: Timestamp,
    /// The champion, which the new version will be compared with.
    pub parent: Option<Digest>,
    /// Spans of event time whose rows were quarantined and must not be learned from.
    pub quarantined: Vec<TimeSpan>,
}

/// Labelled rows that a candidate has not seen, for the gate.
#[derive(Clone, Debug, PartialEq)]
pub struct Holdout {
    /// The features, as a request would carry them.
    pub features: RecordBatch,
    /// The label of each row.
    pub labels: Vec<bool>,
    /// The block of each row: rows whose outcomes may be correlated (a day, say) share one.
    pub blocks: Vec<u64>,
}

/// A trained candidate, with what is needed to judge and register it.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainedModel {
    /// The bytes that a [`ModelLoader`](crate::ModelLoader) turns into an executor.
    pub artifact: Vec<u8>,
    /// The input and output rules.
    pub contract: Contract,
    /// The training parameters, by name.
    pub parameters: BTreeMap<String, String>,
    /// Where it came from.
    pub lineage: Lineage,
    /// The training features, for the reference profile.
    pub reference: Vec<RecordBatch>,
    /// Rows to compare it with the champion on.
    pub holdout: Holdout,
}

/// Trains models.
///
/// # Contract
///
/// * The same request MUST give the same artifact: a run that was cut off is asked for again.
/// * `train` MUST NOT block the thread it is polled on; long work belongs on a blocking pool or another machine.
/// * Dropping the future SHOULD stop the work.
#[async_trait]
pub trait Trainer: Debug + Send + Sync + 'static {
    /// How long a training is expected to take on the clock of the host. The controller looks for the result after that.
    fn expected_duration(&self) -> Duration;

    /// Trains a candidate.
    async fn train(&self, request: &TrainingRequest) -> Result<TrainedModel, Error>;
}
