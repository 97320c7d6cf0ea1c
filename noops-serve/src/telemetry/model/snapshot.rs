use jiff::Timestamp;

use super::ServingEvent;
use crate::telemetry::executions::ExecutionSnapshot;
use crate::telemetry::histogram::HistogramSnapshot;
use crate::telemetry::requests::RequestSnapshot;

/// What a [`ModelTelemetry`](super::ModelTelemetry) held at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ModelSnapshot {
    pub(super) requests: RequestSnapshot,
    pub(super) executions: ExecutionSnapshot,
    pub(super) queue: HistogramSnapshot,
    pub(super) events: [u64; ServingEvent::ALL.len()],
    pub(super) pending_requests: u64,
    pub(super) pending_rows: u64,
    pub(super) pending_bytes: u64,
    pub(super) replicas: u64,
    pub(super) last_inference: Option<Timestamp>,
}

impl ModelSnapshot {
    /// The requests by outcome and their latency.
    pub fn requests(&self) -> &RequestSnapshot {
        &self.requests
    }

    /// The runs of the model.
    pub fn executions(&self) -> &ExecutionSnapshot {
        &self.executions
    }

    /// How long requests waited before their batch began, in nanoseconds.
    pub fn queue(&self) -> &HistogramSnapshot {
        &self.queue
    }

    /// How often something happened.
    #[must_use]
    pub fn events_of(&self, event: ServingEvent) -> u64 {
        self.events.get(event as usize).copied().unwrap_or(0)
    }

    /// How many requests waited.
    #[must_use]
    pub fn pending_requests(&self) -> u64 {
        self.pending_requests
    }

    /// How many rows waited.
    #[must_use]
    pub fn pending_rows(&self) -> u64 {
        self.pending_rows
    }

    /// How many bytes the rows that waited took.
    #[must_use]
    pub fn pending_bytes(&self) -> u64 {
        self.pending_bytes
    }

    /// How many replicas there were.
    #[must_use]
    pub fn replicas(&self) -> u64 {
        self.replicas
    }

    /// When the model ran last, if it did.
    #[must_use]
    pub fn last_inference(&self) -> Option<Timestamp> {
        self.last_inference
    }
}
