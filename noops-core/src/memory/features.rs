use std::sync::{Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard, TryLockError};
use std::time::Duration;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use jiff::Timestamp;

use super::lock;
use crate::error::{Error, ErrorKind};
use crate::features::{
    AsOfIndex, FeatureFrame, FeatureHistory, FeatureSource, FeatureView, Freshness, Knowledge,
    OnlineFeatures, Pushed,
};
use crate::trainer::TimeSpan;

/// Features in memory: every row that was ever pushed, for training, for serving and for materialising elsewhere.
///
/// A row that is pushed again with the same key, times and values is repeated, even when another row with the same times came in between:
/// a delivery that is repeated late changes nothing. A view with two columns of one name fails every call as
/// [`Invalid`](ErrorKind::Invalid).
///
/// # Complexity
///
/// An answer costs O(log n + m) per entity row, for n rows of the entity of which the m newest had happened but were not yet known. A pushed row
/// costs O(1) when it is the newest of its entity; a push with older ones costs O(n) once for each of their entities. Rows with the same
/// key and times and different values are compared with one another.
///
/// Nothing is ever dropped: memory grows with every row that is pushed. The deadline of `online` bounds the wait for pushes; an answer takes
/// about a microsecond per entity on top. That wait blocks the thread, because pushes do too.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use noops_core::arrow_array::{Float64Array, Int64Array, RecordBatch, TimestampSecondArray};
/// use noops_core::{CellStatus, FeatureType, FeatureView, InMemoryFeatures, OnlineFeatures, Timestamp};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let view = FeatureView::new("driver", "rating of the last trip")
///     .with_key("driver", FeatureType::Integer)
///     .with_feature("rating", FeatureType::Number)
///     .with_ttl(Duration::from_secs(60));
/// let features = InMemoryFeatures::new(view);
/// features.push(&RecordBatch::try_from_iter([
///     ("driver", Arc::new(Int64Array::from(vec![7])) as _),
///     ("event_time", Arc::new(TimestampSecondArray::from(vec![100])) as _),
///     ("known_at", Arc::new(TimestampSecondArray::from(vec![100])) as _),
///     ("rating", Arc::new(Float64Array::from(vec![4.5])) as _),
/// ])?).await?;
///
/// let driver = RecordBatch::try_from_iter([("driver", Arc::new(Int64Array::from(vec![7])) as _)])?;
/// let deadline = Duration::from_millis(5);
/// let fresh = features.online(&driver, Timestamp::from_second(160)?, deadline).await?;
/// assert_eq!(fresh.status(0, 0), Some(CellStatus::Present));
/// let stale = features.online(&driver, Timestamp::from_second(161)?, deadline).await?;
/// assert_eq!(stale.status(0, 0), Some(CellStatus::OutsideTtl));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct InMemoryFeatures {
    view: FeatureView,
    held: RwLock<Held>,
    turns: Mutex<Turns>,
    turn_over: Condvar,
}

/// Whose turn it is. A read that waits comes before the next push, so that pushes without a pause do not keep it waiting.
#[derive(Debug, Default)]
struct Turns {
    pushing: bool,
    waiting_reads: usize,
}

#[derive(Debug)]
struct Held {
    index: AsOfIndex,
    watermark: Option<Timestamp>,
}

impl InMemoryFeatures {
    /// No rows of a view.
    #[must_use]
    pub fn new(view: FeatureView) -> Self {
        let held = Held {
            index: AsOfIndex::unchecked(view.clone()),
            watermark: None,
        };
        Self {
            view,
            held: RwLock::new(held),
            turns: Mutex::new(Turns::default()),
            turn_over: Condvar::new(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_read(&self) -> Option<RwLockReadGuard<'_, Held>> {
        match self.held.try_read() {
            Ok(held) => Some(held),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Waits for pushes no longer than `deadline`.
    fn read_within(&self, deadline: Duration) -> Result<RwLockReadGuard<'_, Held>, Error> {
        let overloaded = |message: &str| {
            Error::new(ErrorKind::Overloaded, "read features", message)
                .with("view", self.view.name())
                .with("deadline", format_args!("{deadline:?}"))
        };
        if deadline.is_zero() {
            return Err(overloaded("the deadline leaves no time to answer"));
        }
        if let Some(held) = self.try_read() {
            return Ok(held);
        }
        let mut turns = lock(&self.turns);
        turns.waiting_reads = turns.waiting_reads.saturating_add(1);
        let (mut turns, _) = self
            .turn_over
            .wait_timeout_while(turns, deadline, |turns| turns.pushing)
            .unwrap_or_else(PoisonError::into_inner);
        turns.waiting_reads = turns.waiting_reads.saturating_sub(1);
        // No push begins before the turns are let go.
        let held = self.try_read();
        drop(turns);
        self.turn_over.notify_all();
        held.ok_or_else(|| overloaded("rows are being pushed for longer than the deadline"))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Held) -> T) -> T {
        // Goes after the lock.
        let _push = Push::begin(self);
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut held)
    }
}

#[async_trait]
impl FeatureSource for InMemoryFeatures {
    fn view(&self) -> &FeatureView {
        &self.view
    }

    async fn as_of(
        &self,
        entities: &RecordBatch,
        times: &[Timestamp],
        knowledge: Knowledge,
    ) -> Result<FeatureFrame, Error> {
        self.read().index.as_of(entities, times, knowledge)
    }
}

#[async_trait]
impl OnlineFeatures for InMemoryFeatures {
    fn view(&self) -> &FeatureView {
        &self.view
    }

    async fn online(
        &self,
        entities: &RecordBatch,
        now: Timestamp,
        deadline: Duration,
    ) -> Result<FeatureFrame, Error> {
        let times = vec![now; entities.num_rows()];
        let held = self.read_within(deadline)?;
        held.index.as_of(entities, &times, Knowledge::AtRowTime)
    }

    async fn push(&self, rows: &RecordBatch) -> Result<Pushed, Error> {
        self.change(|held| held.index.push(rows))
    }

    async fn advance(&self, watermark: Timestamp) -> Result<(), Error> {
        self.change(|held| {
            if let Some(reached) = held.watermark.filter(|reached| *reached > watermark) {
                let message = "a watermark does not move back";
                return Err(
                    Error::new(ErrorKind::Conflict, "advance the watermark", message)
                        .with("reached", reached)
                        .with("asked", watermark),
                );
            }
            held.watermark = Some(watermark);
            Ok(())
        })
    }

    async fn freshness(&self) -> Result<Freshness, Error> {
        let held = self.read();
        let (newest_event, newest_known) = held.index.newest_times()?;
        Ok(Freshness {
            newest_event,
            newest_known,
            watermark: held.watermark,
        })
    }
}

#[async_trait]
impl FeatureHistory for InMemoryFeatures {
    fn view(&self) -> &FeatureView {
        &self.view
    }

    async fn known_within(&self, span: TimeSpan) -> Result<Vec<RecordBatch>, Error> {
        self.read().index.known_within(span)
    }
}

/// The turn of a push.
struct Push<'a> {
    features: &'a InMemoryFeatures,
}

impl<'a> Push<'a> {
    fn begin(features: &'a InMemoryFeatures) -> Self {
        let mut turns = features
            .turn_over
            .wait_while(lock(&features.turns), |turns| {
                turns.pushing || turns.waiting_reads > 0
            })
            .unwrap_or_else(PoisonError::into_inner);
        turns.pushing = true;
        Self { features }
    }
}

impl Drop for Push<'_> {
    fn drop(&mut self) {
        lock(&self.features.turns).pushing = false;
        self.features.turn_over.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use arrow_array::cast::AsArray;
    use arrow_array::types::Float64Type;
    use arrow_array::{ArrayRef, Float64Array, Int64Array, TimestampSecondArray};

    use super::*;
    use crate::conformance;
    use crate::features::FeatureType;

    fn features() -> InMemoryFeatures {
        let view = FeatureView::new("driver", "rating")
            .with_key("driver", FeatureType::Integer)
            .with_feature("rating", FeatureType::Number);
        InMemoryFeatures::new(view)
    }

    fn row(event: i64, rating: f64) -> RecordBatch {
        let columns: [(&str, ArrayRef); 4] = [
            ("driver", Arc::new(Int64Array::from(vec![7]))),
            (
                "event_time",
                Arc::new(TimestampSecondArray::from(vec![event])),
            ),
            (
                "known_at",
                Arc::new(TimestampSecondArray::from(vec![event])),
            ),
            ("rating", Arc::new(Float64Array::from(vec![rating]))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn numbers(column: &ArrayRef) -> Vec<f64> {
        column.as_primitive::<Float64Type>().values().to_vec()
    }

    fn driver() -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![7]));
        RecordBatch::try_from_iter([("driver", column)]).unwrap()
    }

    #[tokio::test]
    async fn the_contract_is_kept() {
        let features = InMemoryFeatures::new(conformance::features::feature_view());
        conformance::features::all(&features, &features).await;
        let fill = async |rows: RecordBatch| {
            features.push(&rows).await.unwrap();
        };
        conformance::features::feature_history(&features, &fill).await;
    }

    #[tokio::test]
    async fn a_late_redelivery_does_not_bring_back_what_was_corrected() {
        let features = features();
        for rating in [1.0, 2.0, 1.0] {
            features.push(&row(10, rating)).await.unwrap();
        }
        let now = Timestamp::from_second(10).unwrap();
        let frame = features
            .online(&driver(), now, Duration::from_secs(1))
            .await
            .unwrap();
        assert_eq!(numbers(frame.values().column(0)), [2.0]);
    }

    #[test]
    fn a_push_that_takes_too_long_is_overload_and_not_an_empty_answer() {
        let features = features();
        let deadline = Duration::from_millis(1);
        let push = Push::begin(&features);
        let held = features.held.write().unwrap();
        let error = features.read_within(deadline).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Overloaded);
        assert!(error.is_retryable());
        drop(held);
        drop(push);
        assert!(features.read_within(deadline).is_ok());
    }

    #[test]
    fn readers_get_in_between_pushes_that_never_pause() {
        let features = features();
        let reading = AtomicBool::new(true);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while reading.load(Ordering::Relaxed) {
                        features.change(|_| std::thread::sleep(Duration::from_micros(200)));
                    }
                });
            }
            let answers: Vec<bool> = (0..20)
                .map(|_| features.read_within(Duration::from_secs(60)).is_ok())
                .collect();
            reading.store(false, Ordering::Relaxed);
            assert_eq!(answers, [true; 20], "no reader waits for the last push");
        });
    }

    #[tokio::test]
    async fn an_ambiguous_view_fails_every_call() {
        let view = FeatureView::new("v", "two of a name")
            .with_key("driver", FeatureType::Integer)
            .with_feature("driver", FeatureType::Number);
        let features = InMemoryFeatures::new(view);
        let now = Timestamp::UNIX_EPOCH;
        let error = features
            .online(&driver(), now, Duration::from_secs(1))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("column `driver`"), "{error}");
        assert!(features.push(&row(10, 1.0)).await.is_err());
    }

    #[tokio::test]
    async fn history_comes_back_as_it_was_pushed() {
        let features = features();
        for event in [30, 10, 20] {
            features.push(&row(event, event as f64)).await.unwrap();
        }
        let span = TimeSpan {
            from: Timestamp::from_second(10).unwrap(),
            until: Timestamp::from_second(30).unwrap(),
        };
        let batches = features.known_within(span).await.unwrap();
        let ratings: Vec<f64> = batches
            .iter()
            .flat_map(|batch| numbers(batch.column_by_name("rating").unwrap()))
            .collect();
        assert_eq!(ratings, [10.0, 20.0], "the end of the span is outside");
        let copy = InMemoryFeatures::new(features.view.clone());
        for batch in &batches {
            let pushed = copy.push(batch).await.unwrap();
            assert_eq!((pushed.newest, pushed.older, pushed.repeated), (1, 1, 0));
        }
    }
}
