//! What a server tells about itself: counters and distributions recorded on the hot path at the price of a few atomic additions,
//! and their readings for Prometheus, for OpenTelemetry, for the statistics of the protocol and for the mission's indicators.
//!
//! Recording never allocates, waits or fails. Reading takes a snapshot and does the work: start at [`TelemetryHub`].

mod arm;
mod counter;
mod executions;
mod histogram;
mod hub;
mod labels;
mod mission;
mod model;
#[cfg(feature = "otel")]
mod otlp;
mod prometheus;
mod records;
mod requests;
mod sampling;
mod shards;
mod statistics;
mod trace;

pub use arm::{ArmRole, ArmTelemetry};
pub use counter::{Counter, Gauge, UpDownCounter};
pub use executions::{BatchClass, Execution, ExecutionSnapshot};
pub use histogram::{Bucket, Histogram, HistogramSnapshot};
pub use hub::{TelemetryHub, VersionReading};
pub use labels::{LabelLimit, OTHER_LABEL};
pub use mission::{Indicator, Mission};
pub use model::{ModelSnapshot, ModelTelemetry, ServingEvent};
#[cfg(feature = "otel")]
pub use otlp::OpenTelemetryMetrics;
pub use prometheus::{Exposition, Metric, MetricKind, SampleValue};
pub use records::{PredictionLog, ServedRow, Taken};
pub use requests::{OutcomeTotals, RequestOutcome, RequestSnapshot, RequestTelemetry};
pub use sampling::{LogSampler, RequestLog};
pub use statistics::{DurationTotal, StatisticsView};
pub use trace::{TraceContext, request_span};
