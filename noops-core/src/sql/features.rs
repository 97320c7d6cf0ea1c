mod content;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::{Any, Transaction};

use self::content::{Row, Rows};
use super::{Room, SqlDatabase, corrupt};
use crate::error::{Error, ErrorKind};
use crate::features::instant::{instant, micros_down, micros_up};
use crate::features::{
    AsOfIndex, FeatureFrame, FeatureHistory, FeatureSource, FeatureView, Freshness, Knowledge,
    OnlineFeatures, Pushed,
};
use crate::trainer::TimeSpan;

/// The rows of a feature view in tables of the database, by entity and time.
///
/// One index answers training and serving: the newest row of an entity is a range of it that begins with the entity and ends with the time. `as_of`
/// holds the history of the entities asked for in memory while it works, and `known_within` all rows of the span. Nothing is ever deleted.
///
/// Each entity is read by a query of its own: of a push that is committed meanwhile, an answer may know the rows of one entity and not yet those
/// of another. NaNs are all one: their bits are not kept.
///
/// # Complexity
///
/// `online` looks up one row per entity, and reads it as JSON. `push` reads twice and writes once for every row.
///
/// # Examples
///
/// Embedded, in one file:
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use noops_core::arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampSecondArray};
/// use noops_core::{CellStatus, FeatureType, FeatureView, OnlineFeatures, SqlDatabase, Timestamp};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("noops-doc-features-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).ok();
/// # let path = folder.join("features.sqlite");
/// let view = FeatureView::new("driver", "rating of the last trip")
///     .with_key("driver", FeatureType::Integer)
///     .with_feature("rating", FeatureType::Number)
///     .with_ttl(Duration::from_secs(60));
/// let database = SqlDatabase::open(&path).await?;
/// let features = database.features(view)?;
/// features.push(&RecordBatch::try_from_iter([
///     ("driver", Arc::new(Int64Array::from(vec![7])) as ArrayRef),
///     ("event_time", Arc::new(TimestampSecondArray::from(vec![100])) as ArrayRef),
///     ("known_at", Arc::new(TimestampSecondArray::from(vec![100])) as ArrayRef),
///     ("rating", Arc::new(Float64Array::from(vec![4.5])) as ArrayRef),
/// ])?).await?;
///
/// let driver = RecordBatch::try_from_iter([("driver", Arc::new(Int64Array::from(vec![7])) as ArrayRef)])?;
/// let deadline = Duration::from_secs(1);
/// let frame = features.online(&driver, Timestamp::from_second(160)?, deadline).await?;
/// assert_eq!(frame.status(0, 0), Some(CellStatus::Present));
/// let frame = features.online(&driver, Timestamp::from_second(161)?, deadline).await?;
/// assert_eq!(frame.status(0, 0), Some(CellStatus::OutsideTtl));
/// # database.close().await;
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok(())
/// # }
/// ```
///
/// On a server, with the feature `postgres`:
///
/// ```no_run
/// # #[cfg(feature = "postgres")]
/// # async fn example(view: noops_core::FeatureView) -> Result<(), noops_core::Error> {
/// let database = noops_core::SqlDatabase::connect("postgres://noops@localhost/noops").await?;
/// let features = database.features(view)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqlFeatures {
    database: SqlDatabase,
    version: String,
    /// An index of the view without rows: what every answer begins with.
    empty: AsOfIndex,
}

impl SqlFeatures {
    pub(super) fn new(database: SqlDatabase, view: FeatureView) -> Result<Self, Error> {
        Ok(Self {
            database,
            version: view.version().to_string(),
            empty: AsOfIndex::new(view)?,
        })
    }

    fn definition(&self) -> &FeatureView {
        self.empty.view()
    }

    /// The rows of some entities, as far as they matter for answers at or before `until`.
    async fn index(
        &self,
        entities: &BTreeSet<String>,
        until: i64,
        rows: Needed,
        operation: &'static str,
    ) -> Result<AsOfIndex, Error> {
        let failed = self.database.failed(operation);
        let select = match rows {
            Needed::History => {
                "SELECT entity, event_time, known_at, content FROM feature_row WHERE view = $1 AND entity = $2 AND event_time <= $3
                 ORDER BY event_time, known_at, arrival"
            }
            Needed::Newest => {
                "SELECT entity, event_time, known_at, content FROM feature_row WHERE view = $1 AND entity = $2 AND event_time <= $3
                 AND known_at <= $3 ORDER BY event_time DESC, known_at DESC, arrival DESC LIMIT 1"
            }
        };
        let mut found = Rows::new(&self.empty);
        // One connection for all: the pool asks a connection whether it is well before it lends it.
        let mut connection = self.database.pool.acquire().await.map_err(failed)?;
        for entity in entities {
            let rows: Vec<Row> = sqlx::query_as(select)
                .bind(self.version.clone())
                .bind(entity.clone())
                .bind(until)
                .fetch_all(&mut *connection)
                .await
                .map_err(failed)?;
            for row in &rows {
                found.add(row)?;
            }
        }
        drop(connection);
        let mut index = self.empty.clone();
        index.insert(&found.finish()?)?;
        Ok(index)
    }

    /// Adds a row, unless it is there already.
    async fn add(
        &self,
        transaction: &mut Transaction<'static, Any>,
        row: &Row,
    ) -> Result<bool, Error> {
        let failed = self.database.failed(PUSH);
        let (entity, event, known, content) = row;
        let select = "SELECT content FROM feature_row WHERE view = $1 AND entity = $2 AND event_time = $3 AND known_at = $4";
        let there: Vec<String> = sqlx::query_scalar(select)
            .bind(self.version.clone())
            .bind(entity.clone())
            .bind(*event)
            .bind(*known)
            .fetch_all(&mut **transaction)
            .await
            .map_err(failed)?;
        if there.contains(content) {
            return Ok(false);
        }
        let insert = "INSERT INTO feature_row (view, entity, event_time, known_at, arrival, content) VALUES ($1, $2, $3, $4, $5, $6)";
        sqlx::query(insert)
            .bind(self.version.clone())
            .bind(entity.clone())
            .bind(*event)
            .bind(*known)
            .bind(there.len() as i64)
            .bind(content.clone())
            .execute(&mut **transaction)
            .await
            .map_err(failed)?;
        Ok(true)
    }

    async fn newest_times(
        &self,
        transaction: &mut Transaction<'static, Any>,
        entity: &str,
    ) -> Result<Option<(i64, i64)>, Error> {
        let select = "SELECT event_time, known_at FROM feature_row WHERE view = $1 AND entity = $2
             ORDER BY event_time DESC, known_at DESC LIMIT 1";
        sqlx::query_as(select)
            .bind(self.version.clone())
            .bind(entity.to_owned())
            .fetch_optional(&mut **transaction)
            .await
            .map_err(self.database.failed(PUSH))
    }

    /// Says what the view is, and how far it has got.
    async fn describe(
        &self,
        transaction: &mut Transaction<'static, Any>,
        newest_event: Option<i64>,
        newest_known: Option<i64>,
    ) -> Result<(), Error> {
        let definition = serde_json::to_string(self.definition()).map_err(|error| {
            Error::new(ErrorKind::Invalid, PUSH, "the view is not JSON").caused_by(error)
        })?;
        let upsert = "INSERT INTO feature_view (version, definition, newest_event, newest_known) VALUES ($1, $2, $3, $4)
             ON CONFLICT (version) DO UPDATE SET
             newest_event = CASE WHEN feature_view.newest_event >= excluded.newest_event OR excluded.newest_event IS NULL THEN feature_view.newest_event ELSE excluded.newest_event END,
             newest_known = CASE WHEN feature_view.newest_known >= excluded.newest_known OR excluded.newest_known IS NULL THEN feature_view.newest_known ELSE excluded.newest_known END";
        sqlx::query(upsert)
            .bind(self.version.clone())
            .bind(definition)
            .bind(newest_event)
            .bind(newest_known)
            .execute(&mut **transaction)
            .await
            .map_err(self.database.failed(PUSH))?;
        Ok(())
    }
}

#[async_trait]
impl FeatureSource for SqlFeatures {
    fn view(&self) -> &FeatureView {
        self.definition()
    }

    async fn as_of(
        &self,
        entities: &RecordBatch,
        times: &[Timestamp],
        knowledge: Knowledge,
    ) -> Result<FeatureFrame, Error> {
        let keys = content::entities(self.definition(), entities)?;
        let until = times.iter().copied().map(micros_down).max();
        let until = until.unwrap_or(i64::MIN);
        let index = self.index(&keys, until, Needed::History, READ).await?;
        index.as_of(entities, times, knowledge)
    }
}

#[async_trait]
impl OnlineFeatures for SqlFeatures {
    fn view(&self) -> &FeatureView {
        self.definition()
    }

    async fn online(
        &self,
        entities: &RecordBatch,
        now: Timestamp,
        deadline: Duration,
    ) -> Result<FeatureFrame, Error> {
        let late = || {
            let message = "the database did not answer within the deadline";
            Error::new(ErrorKind::Overloaded, READ, message)
                .with("view", self.definition().name())
                .with("deadline", format_args!("{deadline:?}"))
        };
        let keys = content::entities(self.definition(), entities)?;
        if deadline.is_zero() {
            return Err(late());
        }
        let read = self.index(&keys, micros_down(now), Needed::Newest, READ);
        let index = tokio::time::timeout(deadline, read)
            .await
            .map_err(|_| late())??;
        let times = vec![now; entities.num_rows()];
        index.as_of(entities, &times, Knowledge::AtRowTime)
    }

    async fn push(&self, rows: &RecordBatch) -> Result<Pushed, Error> {
        let rows = content::rows(&self.empty, rows)?;
        let mut transaction = self.database.write(Room::Features, PUSH).await?;
        let mut pushed = Pushed::default();
        let mut newest: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        let mut touched: BTreeSet<&str> = BTreeSet::new();
        let mut added: u64 = 0;
        for row in &rows {
            let (entity, event, known, _) = row;
            if !newest.contains_key(entity.as_str()) {
                let there = self.newest_times(&mut transaction, entity).await?;
                newest.insert(entity, there.unwrap_or((i64::MIN, i64::MIN)));
            }
            if !self.add(&mut transaction, row).await? {
                pushed.repeated += 1;
                continue;
            }
            added += 1;
            if newest
                .get(entity.as_str())
                .is_some_and(|there| (*event, *known) >= *there)
            {
                newest.insert(entity, (*event, *known));
                touched.insert(entity);
            }
        }
        pushed.newest = touched.len() as u64;
        pushed.older = added.saturating_sub(pushed.newest);
        let newest_event = rows.iter().map(|row| row.1).max();
        let newest_known = rows.iter().map(|row| row.2).max();
        self.describe(&mut transaction, newest_event, newest_known)
            .await?;
        self.database.commit(transaction, PUSH).await?;
        Ok(pushed)
    }

    async fn advance(&self, watermark: Timestamp) -> Result<(), Error> {
        let failed = self.database.failed(ADVANCE);
        let mut transaction = self.database.write(Room::Features, ADVANCE).await?;
        self.describe(&mut transaction, None, None).await?;
        let update = "UPDATE feature_view SET watermark = $2 WHERE version = $1 AND (watermark IS NULL OR watermark <= $2)";
        let done = sqlx::query(update)
            .bind(self.version.clone())
            .bind(micros_down(watermark))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        self.database.commit(transaction, ADVANCE).await?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        let message = "a watermark does not move back";
        Err(Error::new(ErrorKind::Conflict, ADVANCE, message).with("asked", watermark))
    }

    async fn freshness(&self) -> Result<Freshness, Error> {
        let select =
            "SELECT newest_event, newest_known, watermark FROM feature_view WHERE version = $1";
        let row: Option<(Option<i64>, Option<i64>, Option<i64>)> = sqlx::query_as(select)
            .bind(self.version.clone())
            .fetch_optional(&self.database.pool)
            .await
            .map_err(self.database.failed(READ))?;
        let (newest_event, newest_known, watermark) = row.unwrap_or_default();
        let stored = |micros: Option<i64>| {
            let stored = micros.map(|micros| instant(micros, READ)).transpose();
            stored.map_err(|error| corrupt(READ, "time of a feature", error))
        };
        Ok(Freshness {
            newest_event: stored(newest_event)?,
            newest_known: stored(newest_known)?,
            watermark: stored(watermark)?,
        })
    }
}

#[async_trait]
impl FeatureHistory for SqlFeatures {
    fn view(&self) -> &FeatureView {
        self.definition()
    }

    async fn known_within(&self, span: TimeSpan) -> Result<Vec<RecordBatch>, Error> {
        let select = "SELECT entity, event_time, known_at, content FROM feature_row WHERE view = $1 AND known_at >= $2 AND known_at < $3
             ORDER BY known_at, event_time, entity, arrival";
        let rows: Vec<Row> = sqlx::query_as(select)
            .bind(self.version.clone())
            .bind(micros_up(span.from))
            .bind(micros_up(span.until))
            .fetch_all(&self.database.pool)
            .await
            .map_err(self.database.failed(READ))?;
        let mut batches = Vec::new();
        for chunk in rows.chunks(BATCH) {
            let mut found = Rows::new(&self.empty);
            for row in chunk {
                found.add(row)?;
            }
            batches.push(found.finish()?);
        }
        Ok(batches)
    }
}

/// Which rows of an entity are needed.
#[derive(Clone, Copy)]
enum Needed {
    History,
    Newest,
}

const PUSH: &str = "push features";
const READ: &str = "read features";
const ADVANCE: &str = "advance the watermark";

/// How many rows a batch of history has at most.
const BATCH: usize = 65_536;
