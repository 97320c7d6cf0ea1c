//! Where features come from, as of a moment.

pub(crate) mod column;
mod comparison;
#[cfg(test)]
pub(crate) mod fixture;
mod frame;
pub(crate) mod instant;
mod join;
mod leakage;
mod materialise;
mod parity;
#[cfg(feature = "parquet")]
mod parquet;
mod snapshot;
mod view;

pub use frame::{CellStatus, FeatureFrame, Provenance};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use join::key::{KeyColumns, one_of_equals};
pub use join::{AsOfIndex, AsOfJoin};
pub use leakage::{FeatureLeakage, Leak, LeakageReport, leakage};
pub use materialise::{Materialised, materialise};
pub use parity::{FeatureParity, ParityMismatch, ParityReport, Tolerance, feature_parity};
#[cfg(feature = "parquet")]
pub use parquet::{ParquetFeatures, ParquetRows, ParquetSettings, sort_by_availability};
pub use snapshot::{DatasetSnapshot, dataset_digest};
pub use view::{FeatureType, FeatureView, ViewFeature};

use std::fmt::Debug;
use std::time::Duration;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::trainer::TimeSpan;

/// The column of feature rows that says when what they describe happened.
pub const EVENT_TIME: &str = "event_time";

/// The column of feature rows that says when they became known.
pub const KNOWN_AT: &str = "known_at";

/// Whose knowledge an answer may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Knowledge {
    /// What was known at the time of each row: what serving would have answered then. For training.
    #[default]
    AtRowTime,
    /// What was known at one moment, later corrections included: for reports about the past. Leaks the future into training.
    Until(Timestamp),
}

/// Features for training: the value of each feature as of a past moment.
///
/// A feature row says that something was so since its event time, and that this was known from its known-at time. The answer
/// for an entity at time t is the row with the newest (event time, known-at) among those with event time <= t and known-at <= the
/// end of the [`Knowledge`]; of two rows with the same pair, the one that came later. It is used if t - event time <= TTL: the boundary is inside.
///
/// # Contract
///
/// * `as_of` MUST return exactly one row per entity row, in order, and a status per cell; a feature without a usable value is
///   null, never a stale or made-up value.
/// * Under [`Knowledge::AtRowTime`] the row for time t MUST depend only on what was *known* at t, not merely on what had happened
///   by then: a row that arrives later, however old its event, MUST NOT change an answer for an earlier t.
/// * Entities without the key columns of the view, with keys that are null, or without a time each are
///   [`Invalid`](crate::ErrorKind::Invalid).
#[async_trait]
pub trait FeatureSource: Debug + Send + Sync + 'static {
    /// The definition of the features.
    fn view(&self) -> &FeatureView;

    /// The features of each entity as of its time. `times` has one entry per row of `entities`.
    async fn as_of(
        &self,
        entities: &RecordBatch,
        times: &[Timestamp],
        knowledge: Knowledge,
    ) -> Result<FeatureFrame, Error>;
}

/// What came of a push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// Rows that are now the newest of their entity.
    pub newest: u64,
    /// Rows that were kept as history, because their entity has a newer one.
    pub older: u64,
    /// Rows that were there already.
    pub repeated: u64,
}

/// How fresh a view is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// The newest event.
    pub newest_event: Option<Timestamp>,
    /// When the newest knowledge arrived.
    pub newest_known: Option<Timestamp>,
    /// Everything known before this moment has been materialised.
    pub watermark: Option<Timestamp>,
}

/// Features for serving: the newest value of each feature, within a deadline.
///
/// # Contract
///
/// * `online` MUST answer as [`FeatureSource::as_of`] would for time `now` under [`Knowledge::AtRowTime`], TTL included.
/// * What is not answered within `deadline` MUST be [`Overloaded`](crate::ErrorKind::Overloaded) or
///   [`Unavailable`](crate::ErrorKind::Unavailable), never an empty or partial frame that looks whole.
/// * `push` MUST be monotone and idempotent: a row never replaces one of its entity with a newer (event time, known-at), and pushing again
///   changes nothing. All rows of a push are taken or none; a row with a null key, event time or known-at, or of another type, fails
///   the push as [`Invalid`](crate::ErrorKind::Invalid) and names its place.
/// * `advance` MUST refuse to move the watermark back, as [`Conflict`](crate::ErrorKind::Conflict).
#[async_trait]
pub trait OnlineFeatures: Debug + Send + Sync + 'static {
    /// The definition of the features.
    fn view(&self) -> &FeatureView;

    /// The features of each entity now.
    async fn online(
        &self,
        entities: &RecordBatch,
        now: Timestamp,
        deadline: Duration,
    ) -> Result<FeatureFrame, Error>;

    /// Adds rows: the key columns, [`EVENT_TIME`], [`KNOWN_AT`] and the features of the view.
    async fn push(&self, rows: &RecordBatch) -> Result<Pushed, Error>;

    /// Says that everything known before a moment is in.
    async fn advance(&self, watermark: Timestamp) -> Result<(), Error>;

    /// How fresh the features are.
    async fn freshness(&self) -> Result<Freshness, Error>;
}

/// The rows behind a view, for materialising them elsewhere.
///
/// # Contract
///
/// * `known_within` MUST return the rows whose known-at lies in the span, all of them and no others, with the columns that
///   [`OnlineFeatures::push`] takes. Their order is any, but of rows with the same key and times the one that came later MUST come later.
#[async_trait]
pub trait FeatureHistory: Debug + Send + Sync + 'static {
    /// The definition of the features.
    fn view(&self) -> &FeatureView;

    /// The rows that became known within a span of time.
    async fn known_within(&self, span: TimeSpan) -> Result<Vec<RecordBatch>, Error>;
}
