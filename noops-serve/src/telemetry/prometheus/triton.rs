//! The names, units and labels of Triton, so that dashboards made for it show our figures.

use super::{Exposition, Metric, MetricKind};
use crate::telemetry::histogram::HistogramSnapshot;
use crate::telemetry::model::ModelSnapshot;
use crate::telemetry::requests::RequestOutcome;

/// Everything about one version. Durations are cumulative microseconds.
///
/// A fallback is a failure here with the reason `OTHER`, as is a request that broke the contract.
pub(in crate::telemetry) fn write_triton(
    to: &mut Exposition,
    model: &str,
    version: &str,
    seen: &ModelSnapshot,
) {
    let labels = [("model", model), ("version", version)];
    let (requests, executions) = (seen.requests(), seen.executions());
    let success = requests.of(RequestOutcome::Success);
    to.sample(&SUCCESS, &labels, success.requests());
    for (reason, outcomes) in FAILURES {
        let labels = [("model", model), ("reason", reason), ("version", version)];
        to.sample(&FAILURE, &labels, requests.of_any(outcomes).requests());
    }
    to.sample(&COUNT, &labels, success.rows());
    to.sample(&EXECUTION_COUNT, &labels, executions.executions());
    to.sample(&PENDING, &labels, seen.pending_requests());
    to.sample(&REQUEST_DURATION, &labels, success.nanoseconds() / 1000);
    let phases: [(&Metric, &Metric, &HistogramSnapshot); 4] = [
        (&QUEUE_DURATION, &QUEUE_SUMMARY, seen.queue()),
        (&INPUT_DURATION, &INPUT_SUMMARY, executions.input()),
        (&INFER_DURATION, &INFER_SUMMARY, executions.infer()),
        (&OUTPUT_DURATION, &OUTPUT_SUMMARY, executions.output()),
    ];
    for (duration, summary, histogram) in phases {
        to.sample(duration, &labels, histogram.sum() / 1000);
        to.summary_microseconds(summary, &labels, histogram);
    }
    to.summary_microseconds(&REQUEST_SUMMARY, &labels, requests.latency());
}

const FAILURES: [(&str, &[RequestOutcome]); 4] = [
    (
        "REJECTED",
        &[RequestOutcome::Overloaded, RequestOutcome::DeadlineExceeded],
    ),
    ("CANCELED", &[RequestOutcome::Cancelled]),
    ("BACKEND", &[RequestOutcome::Failed]),
    (
        "OTHER",
        &[RequestOutcome::Rejected, RequestOutcome::Fallback],
    ),
];

const SUCCESS: Metric = Metric::constant(
    "nv_inference_request_success",
    "Number of successful inference requests, all batch sizes",
    MetricKind::Counter,
);
const FAILURE: Metric = Metric::constant(
    "nv_inference_request_failure",
    "Number of failed inference requests, all batch sizes",
    MetricKind::Counter,
);
const COUNT: Metric = Metric::constant(
    "nv_inference_count",
    "Number of inferences performed (does not include cached requests)",
    MetricKind::Counter,
);
const EXECUTION_COUNT: Metric = Metric::constant(
    "nv_inference_exec_count",
    "Number of model executions performed (does not include cached requests)",
    MetricKind::Counter,
);
const PENDING: Metric = Metric::constant(
    "nv_inference_pending_request_count",
    "Instantaneous number of pending requests awaiting execution per-model.",
    MetricKind::Gauge,
);
const REQUEST_DURATION: Metric = Metric::constant(
    "nv_inference_request_duration_us",
    "Cumulative inference request duration in microseconds (includes cached requests)",
    MetricKind::Counter,
);
const QUEUE_DURATION: Metric = Metric::constant(
    "nv_inference_queue_duration_us",
    "Cumulative inference queuing duration in microseconds (includes cached requests)",
    MetricKind::Counter,
);
const INPUT_DURATION: Metric = Metric::constant(
    "nv_inference_compute_input_duration_us",
    "Cumulative compute input duration in microseconds (does not include cached requests)",
    MetricKind::Counter,
);
const INFER_DURATION: Metric = Metric::constant(
    "nv_inference_compute_infer_duration_us",
    "Cumulative compute inference duration in microseconds (does not include cached requests)",
    MetricKind::Counter,
);
const OUTPUT_DURATION: Metric = Metric::constant(
    "nv_inference_compute_output_duration_us",
    "Cumulative inference compute output duration in microseconds (does not include cached requests)",
    MetricKind::Counter,
);
const REQUEST_SUMMARY: Metric = Metric::constant(
    "nv_inference_request_summary_us",
    "Summary of inference request duration in microseconds (includes cached requests)",
    MetricKind::Summary,
);
const QUEUE_SUMMARY: Metric = Metric::constant(
    "nv_inference_queue_summary_us",
    "Summary of inference queuing duration in microseconds (includes cached requests)",
    MetricKind::Summary,
);
const INPUT_SUMMARY: Metric = Metric::constant(
    "nv_inference_compute_input_summary_us",
    "Summary of inference compute input duration in microseconds",
    MetricKind::Summary,
);
const INFER_SUMMARY: Metric = Metric::constant(
    "nv_inference_compute_infer_summary_us",
    "Summary of inference compute infer duration in microseconds",
    MetricKind::Summary,
);
const OUTPUT_SUMMARY: Metric = Metric::constant(
    "nv_inference_compute_output_summary_us",
    "Summary of inference compute output duration in microseconds",
    MetricKind::Summary,
);
