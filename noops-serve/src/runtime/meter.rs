//! What happened to the rows of one model.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::queue::Weight;
use super::request::{Prediction, Refusal};
use crate::runtime::exposure::AnsweredBy;
use crate::telemetry::{Execution, ModelTelemetry, RequestOutcome, ServingEvent};

/// The telemetry of a model, in the words of the prediction path.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    telemetry: Arc<ModelTelemetry>,
    runs: AtomicU32,
    refusals: AtomicU32,
}

impl Meter {
    pub(crate) fn telemetry(&self) -> &Arc<ModelTelemetry> {
        &self.telemetry
    }

    pub(crate) fn answered(&self, outcome: RequestOutcome, took: Duration, rows: usize) {
        self.telemetry.record_request(outcome, took, rows as u64);
    }

    pub(crate) fn begins_to_wait(&self, weight: Weight) {
        self.telemetry
            .enter_queue(weight.rows as u64, weight.bytes as u64);
    }

    pub(crate) fn waits_no_more(&self, weight: Weight) {
        self.telemetry
            .leave_queue(weight.rows as u64, weight.bytes as u64);
    }

    pub(crate) fn began(&self, waited: Duration) {
        self.telemetry.record_queue_time(waited);
    }

    pub(crate) fn expired(&self, rows: usize) {
        self.telemetry.count(ServingEvent::ExpiredRow, rows as u64);
    }

    pub(crate) fn ran(&self, rows: usize, requests: usize, took: Duration) {
        self.telemetry
            .record_execution(&Execution::new(rows as u64, requests as u64, took));
    }

    pub(crate) fn broke_its_contract(&self, rows: usize) {
        self.telemetry
            .count(ServingEvent::NonFiniteRow, rows as u64);
    }

    pub(crate) fn panicked(&self) {
        self.telemetry.count(ServingEvent::ReplicaPanic, 1);
    }

    pub(crate) fn was_replaced(&self) {
        self.telemetry.count(ServingEvent::ReplicaReplaced, 1);
    }

    pub(crate) fn scaled(&self, replicas: usize) {
        self.telemetry
            .set_replicas(u32::try_from(replicas).unwrap_or(u32::MAX));
    }

    /// One run in [`LEARNED_EVERY`] teaches what rows cost.
    pub(crate) fn is_to_be_learned_from(&self) -> bool {
        self.runs
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(LEARNED_EVERY)
    }

    /// One refusal for want of time in [`TRIED_EVERY`] is not made, so that an estimate that has become too high is found out.
    pub(crate) fn is_to_be_tried(&self) -> bool {
        self.refusals
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(TRIED_EVERY)
    }
}

pub(crate) fn outcome_of(result: &Result<Prediction, Refusal>) -> RequestOutcome {
    match result {
        Ok(prediction) if prediction.answered_by() == AnsweredBy::Fallback => {
            RequestOutcome::Fallback
        }
        Ok(_) => RequestOutcome::Success,
        Err(Refusal::Contract(_)) => RequestOutcome::Rejected,
        Err(Refusal::Overloaded) => RequestOutcome::Overloaded,
        Err(Refusal::TooLate) => RequestOutcome::DeadlineExceeded,
        Err(Refusal::Model(_)) => RequestOutcome::Failed,
    }
}

const LEARNED_EVERY: u32 = 16;
const TRIED_EVERY: u32 = 64;
