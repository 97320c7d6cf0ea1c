//! Everything that is counted about one served version.

mod snapshot;

pub use snapshot::ModelSnapshot;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::counter::{Gauge, not_below_zero};
use super::executions::{Execution, ExecutionTelemetry};
use super::histogram::Histogram;
use super::requests::{RequestOutcome, RequestTelemetry};
use super::shards::Shards;

/// Something that happens to a version and is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServingEvent {
    /// A row expired in the queue and was not executed.
    ExpiredRow,
    /// A copy of a row was given to this version as a shadow.
    ShadowCopy,
    /// A copy for a shadow was dropped to protect the primary.
    ShadowDrop,
    /// An observation (for drift, for the judge, for the record) was dropped because its queue was full.
    ObservationDrop,
    /// A replica panicked and was put aside.
    ReplicaPanic,
    /// A replica took the place of one that was put aside.
    ReplicaReplaced,
    /// A row's output was not a finite number and did not leave.
    NonFiniteRow,
    /// This version was swapped in.
    Swap,
}

impl ServingEvent {
    /// All events.
    pub const ALL: [Self; 8] = [
        Self::ExpiredRow,
        Self::ShadowCopy,
        Self::ShadowDrop,
        Self::ObservationDrop,
        Self::ReplicaPanic,
        Self::ReplicaReplaced,
        Self::NonFiniteRow,
        Self::Swap,
    ];

    /// The word that stands for it in labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExpiredRow => "expired_row",
            Self::ShadowCopy => "shadow_copy",
            Self::ShadowDrop => "shadow_drop",
            Self::ObservationDrop => "observation_drop",
            Self::ReplicaPanic => "replica_panic",
            Self::ReplicaReplaced => "replica_replaced",
            Self::NonFiniteRow => "non_finite_row",
            Self::Swap => "swap",
        }
    }
}

/// What is counted about one served version, shared by everybody who serves it.
///
/// Every method that records is a handful of relaxed atomic additions: nothing is allocated, nobody waits, and nothing here can
/// fail.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use noops_serve::telemetry::{Execution, ModelTelemetry, RequestOutcome};
///
/// let telemetry = ModelTelemetry::new();
/// telemetry.record_execution(&Execution::new(64, 2, Duration::from_micros(40)));
/// for _ in 0..2 {
///     telemetry.record_request(RequestOutcome::Success, Duration::from_micros(55), 32);
/// }
///
/// let seen = telemetry.snapshot();
/// assert_eq!(seen.requests().answered().rows(), 64);
/// assert_eq!(seen.executions().executions(), 1);
/// ```
#[derive(Debug)]
pub struct ModelTelemetry {
    requests: RequestTelemetry,
    executions: ExecutionTelemetry,
    queue: Histogram,
    events: Shards<{ ServingEvent::ALL.len() }>,
    /// Requests, rows and bytes that wait.
    pending: Shards<3>,
    replicas: Gauge,
    /// Milliseconds since 1970; `i64::MIN` before the first.
    last_inference: AtomicI64,
}

impl ModelTelemetry {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            requests: RequestTelemetry::new(),
            executions: ExecutionTelemetry::new(),
            queue: Histogram::new(),
            events: Shards::new(),
            pending: Shards::new(),
            replicas: Gauge::new(),
            last_inference: AtomicI64::new(i64::MIN),
        }
    }

    /// Records a request that is over, with the time from its arrival to its answer.
    pub fn record_request(&self, outcome: RequestOutcome, latency: Duration, rows: u64) {
        self.requests.record(outcome, latency, rows);
    }

    /// Records how long a request waited before its batch began.
    pub fn record_queue_time(&self, waited: Duration) {
        self.queue.record_duration(waited);
    }

    /// Records a run of the model.
    pub fn record_execution(&self, execution: &Execution) {
        self.executions.record(execution);
    }

    /// Remembers when the model ran last. Writes to shared memory at most once a millisecond.
    pub fn record_inference_at(&self, at: Timestamp) {
        let at = at.as_millisecond();
        if at > self.last_inference.load(Ordering::Relaxed) {
            self.last_inference.fetch_max(at, Ordering::Relaxed);
        }
    }

    /// Counts something that happened `times` times.
    pub fn count(&self, event: ServingEvent, times: u64) {
        self.events.add(event as usize, times);
    }

    /// A request of `rows` rows that take `bytes` begins to wait.
    pub fn enter_queue(&self, rows: u64, bytes: u64) {
        self.pending.add_all([(0, 1), (1, rows), (2, bytes)]);
    }

    /// A request that waited waits no more, whatever becomes of it.
    pub fn leave_queue(&self, rows: u64, bytes: u64) {
        let minus = u64::wrapping_neg;
        self.pending
            .add_all([(0, minus(1)), (1, minus(rows)), (2, minus(bytes))]);
    }

    /// Says how many replicas there are now.
    pub fn set_replicas(&self, replicas: u32) {
        self.replicas.set(i64::from(replicas));
    }

    /// How many rows wait now.
    #[must_use]
    pub fn pending_rows(&self) -> u64 {
        not_below_zero(self.pending.sum(1))
    }

    /// What was recorded.
    ///
    /// # Complexity
    ///
    /// That of five [`Histogram::snapshot`]s: for a scrape and not for the hot path.
    pub fn snapshot(&self) -> ModelSnapshot {
        let mut events = [0; ServingEvent::ALL.len()];
        for (event, sum) in events.iter_mut().zip(self.events.sums()) {
            *event = sum;
        }
        let last = self.last_inference.load(Ordering::Relaxed);
        ModelSnapshot {
            requests: self.requests.snapshot(),
            executions: self.executions.snapshot(),
            queue: self.queue.snapshot(),
            events,
            pending_requests: not_below_zero(self.pending.sum(0)),
            pending_rows: self.pending_rows(),
            pending_bytes: not_below_zero(self.pending.sum(2)),
            replicas: self.replicas.value().unsigned_abs(),
            last_inference: Timestamp::from_millisecond(last).ok(),
        }
    }
}

impl Default for ModelTelemetry {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_inference_is_the_latest_in_whatever_order_they_are_recorded() {
        let telemetry = ModelTelemetry::new();
        assert_eq!(telemetry.snapshot().last_inference(), None);
        for millisecond in [5, 9, 7] {
            telemetry.record_inference_at(Timestamp::from_millisecond(millisecond).unwrap());
        }
        let last = telemetry.snapshot().last_inference().unwrap();
        assert_eq!(last.as_millisecond(), 9);
    }

    #[test]
    fn what_waits_is_what_came_less_what_went() {
        let telemetry = ModelTelemetry::new();
        telemetry.enter_queue(4, 512);
        telemetry.enter_queue(1, 128);
        std::thread::scope(|scope| {
            scope.spawn(|| telemetry.leave_queue(4, 512));
        });
        let seen = telemetry.snapshot();
        assert_eq!(seen.pending_requests(), 1);
        assert_eq!((seen.pending_rows(), seen.pending_bytes()), (1, 128));
        assert_eq!(telemetry.pending_rows(), 1);
    }

    #[test]
    fn every_event_is_counted_under_its_own_name() {
        let telemetry = ModelTelemetry::new();
        for (index, event) in ServingEvent::ALL.into_iter().enumerate() {
            telemetry.count(event, index as u64 + 1);
        }
        let seen = telemetry.snapshot();
        let counts = ServingEvent::ALL.map(|event| seen.events_of(event));
        assert_eq!(counts, [1, 2, 3, 4, 5, 6, 7, 8]);
        let words: std::collections::BTreeSet<_> =
            ServingEvent::ALL.map(ServingEvent::as_str).into();
        assert_eq!(words.len(), 8);
    }
}
