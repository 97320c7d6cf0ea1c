//! Our own metrics.

use super::{Exposition, Metric, MetricKind};
use crate::telemetry::model::{ModelSnapshot, ServingEvent};
use crate::telemetry::requests::{RequestOutcome, RequestSnapshot};

/// Everything about one version.
pub(in crate::telemetry) fn write_model(
    to: &mut Exposition,
    model: &str,
    version: &str,
    seen: &ModelSnapshot,
) {
    let labels = [("model", model), ("version", version)];
    for outcome in RequestOutcome::ALL {
        let totals = seen.requests().of(outcome);
        let by_outcome = [
            ("model", model),
            ("version", version),
            ("outcome", outcome.as_str()),
        ];
        to.sample(&REQUESTS, &by_outcome, totals.requests());
        to.sample(&ROWS, &by_outcome, totals.rows());
    }
    to.durations(&LATENCY, &labels, seen.requests().latency());
    to.durations(&QUEUE, &labels, seen.queue());
    to.durations(&COMPUTE_INPUT, &labels, seen.executions().input());
    to.durations(&COMPUTE_INFER, &labels, seen.executions().infer());
    to.durations(&COMPUTE_OUTPUT, &labels, seen.executions().output());
    for class in seen.executions().classes() {
        let size = class.size().to_string();
        let by_size = [
            ("model", model),
            ("version", version),
            ("batch_size", size.as_str()),
        ];
        to.sample(&EXECUTIONS, &by_size, class.executions());
        to.sample(&EXECUTED_ROWS, &by_size, class.rows());
    }
    for event in ServingEvent::ALL {
        let by_event = [
            ("model", model),
            ("version", version),
            ("event", event.as_str()),
        ];
        to.sample(&EVENTS, &by_event, seen.events_of(event));
    }
    to.sample(&PENDING_REQUESTS, &labels, seen.pending_requests());
    to.sample(&PENDING_ROWS, &labels, seen.pending_rows());
    to.sample(&PENDING_BYTES, &labels, seen.pending_bytes());
    to.sample(&REPLICAS, &labels, seen.replicas());
    if let Some(at) = seen.last_inference() {
        let seconds = at.as_millisecond() as f64 / 1e3;
        to.sample(&LAST_INFERENCE, &labels, seconds);
    }
}

/// The service levels of one arm of a deployment.
pub(in crate::telemetry) fn write_arm(
    to: &mut Exposition,
    model: &str,
    arm: &str,
    seen: &RequestSnapshot,
) {
    for outcome in RequestOutcome::ALL {
        let labels = [
            ("model", model),
            ("arm", arm),
            ("outcome", outcome.as_str()),
        ];
        to.sample(&ARM_REQUESTS, &labels, seen.of(outcome).requests());
    }
    to.durations(
        &ARM_LATENCY,
        &[("model", model), ("arm", arm)],
        seen.latency(),
    );
}

/// What is known about the telemetry itself.
pub(in crate::telemetry) fn write_hub(to: &mut Exposition, overflowed_labels: u64) {
    to.sample(&LABEL_OVERFLOWS, &[], overflowed_labels);
}

const REQUESTS: Metric = Metric::constant(
    "noops_serve_requests_total",
    "Requests that are over, by outcome. A fallback is answered and no success.",
    MetricKind::Counter,
);
const ROWS: Metric = Metric::constant(
    "noops_serve_rows_total",
    "Rows of the requests that are over, by outcome.",
    MetricKind::Counter,
);
const LATENCY: Metric = Metric::constant(
    "noops_serve_request_duration_seconds",
    "Time from arrival to answer of the requests that were answered.",
    MetricKind::Histogram,
);
const QUEUE: Metric = Metric::constant(
    "noops_serve_queue_duration_seconds",
    "Time a request waited before its batch began.",
    MetricKind::Histogram,
);
const COMPUTE_INPUT: Metric = Metric::constant(
    "noops_serve_compute_input_duration_seconds",
    "Time to put together the batch of a request.",
    MetricKind::Histogram,
);
const COMPUTE_INFER: Metric = Metric::constant(
    "noops_serve_compute_infer_duration_seconds",
    "Time the model took for the batch of a request.",
    MetricKind::Histogram,
);
const COMPUTE_OUTPUT: Metric = Metric::constant(
    "noops_serve_compute_output_duration_seconds",
    "Time to hand out the scores of the batch of a request.",
    MetricKind::Histogram,
);
const EXECUTIONS: Metric = Metric::constant(
    "noops_serve_executions_total",
    "Runs of the model, by the batch size rounded up to a power of two.",
    MetricKind::Counter,
);
const EXECUTED_ROWS: Metric = Metric::constant(
    "noops_serve_executed_rows_total",
    "Rows the model ran on, by the batch size rounded up to a power of two.",
    MetricKind::Counter,
);
const EVENTS: Metric = Metric::constant(
    "noops_serve_events_total",
    "Things that happened to a version, by kind.",
    MetricKind::Counter,
);
const PENDING_REQUESTS: Metric = Metric::constant(
    "noops_serve_pending_requests",
    "Requests that wait.",
    MetricKind::Gauge,
);
const PENDING_ROWS: Metric = Metric::constant(
    "noops_serve_pending_rows",
    "Rows that wait.",
    MetricKind::Gauge,
);
const PENDING_BYTES: Metric = Metric::constant(
    "noops_serve_pending_bytes",
    "Bytes of the rows that wait.",
    MetricKind::Gauge,
);
const REPLICAS: Metric = Metric::constant(
    "noops_serve_replicas",
    "Replicas of the version.",
    MetricKind::Gauge,
);
const LAST_INFERENCE: Metric = Metric::constant(
    "noops_serve_last_inference_timestamp_seconds",
    "When the model ran last, in seconds since 1970.",
    MetricKind::Gauge,
);
const ARM_REQUESTS: Metric = Metric::constant(
    "noops_serve_arm_requests_total",
    "Requests that are over, by the arm that answered and by outcome.",
    MetricKind::Counter,
);
const ARM_LATENCY: Metric = Metric::constant(
    "noops_serve_arm_request_duration_seconds",
    "Time from arrival to answer of the requests an arm answered.",
    MetricKind::Histogram,
);
const LABEL_OVERFLOWS: Metric = Metric::constant(
    "noops_serve_label_overflows_total",
    "Names that found no room among the labels and were put under `other`.",
    MetricKind::Counter,
);
