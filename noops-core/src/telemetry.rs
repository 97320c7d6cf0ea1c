//! What was predicted, joined with what became of it: bounded in memory, sampled, and written down with an end date.

mod buffer;
mod counts;
#[cfg(feature = "parquet")]
mod file;
mod held;
mod labels;
mod manifest;
mod outcome;
mod record;
mod sampling;
mod settings;
mod state;
mod table;

pub use buffer::TelemetryBuffer;
pub use counts::TelemetryCounts;
#[cfg(feature = "parquet")]
pub use file::write_parquet;
pub use manifest::{TelemetryFile, TelemetryManifest};
pub use outcome::LabelOutcome;
pub use record::{PredictionRecord, PredictionStatus};
pub use sampling::sampling_bucket;
pub use settings::TelemetrySettings;
pub use table::telemetry_schema;

use std::time::Duration;

use jiff::Timestamp;

/// A time later, and the end of time when there is no such time.
fn after(at: Timestamp, span: Duration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
