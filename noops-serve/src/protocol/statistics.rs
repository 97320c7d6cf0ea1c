//! The statistics extension.

use serde::Serialize;

use crate::runtime::ServedModel;
use crate::telemetry::{DurationTotal, StatisticsView};

/// What a version of a model has done since it was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ModelStatistics {
    /// The model's name.
    pub name: String,
    /// The version.
    pub version: String,
    /// When it last answered, in milliseconds since the epoch; 0 when it never has.
    #[serde(rename = "last_inference")]
    pub last_inference_ms: u64,
    /// Rows answered.
    pub inference_count: u64,
    /// Batches executed.
    pub execution_count: u64,
    /// Where the time of requests went.
    #[serde(rename = "inference_stats")]
    pub inference: InferenceStatistics,
    /// Where the time of batches went, by their size.
    #[serde(rename = "batch_stats")]
    pub batches: Vec<BatchStatistics>,
}

/// Where the time of requests went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InferenceStatistics {
    /// Requests answered, from arrival to answer.
    pub success: DurationCount,
    /// Requests that failed, from arrival to error.
    pub fail: DurationCount,
    /// Waiting for a batch.
    pub queue: DurationCount,
    /// Checking and encoding inputs.
    pub compute_input: DurationCount,
    /// Executing the model.
    pub compute_infer: DurationCount,
    /// Writing outputs.
    pub compute_output: DurationCount,
}

/// Where the time of batches of one size went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BatchStatistics {
    /// Rows in the batch.
    pub batch_size: u64,
    /// Checking and encoding inputs.
    pub compute_input: DurationCount,
    /// Executing the model.
    pub compute_infer: DurationCount,
    /// Writing outputs.
    pub compute_output: DurationCount,
}

/// How often, and how long in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DurationCount {
    /// How often.
    pub count: u64,
    /// How long in all, in nanoseconds.
    pub ns: u64,
}

impl ModelStatistics {
    /// What a served version has counted.
    #[must_use]
    pub fn of(name: &str, model: &ServedModel) -> Self {
        let view = StatisticsView::of(&model.telemetry().snapshot());
        let batches = view.batches().iter().map(|class| {
            let of = |ns| DurationCount {
                count: class.executions(),
                ns,
            };
            BatchStatistics {
                batch_size: class.size(),
                compute_input: of(class.input_nanoseconds()),
                compute_infer: of(class.infer_nanoseconds()),
                compute_output: of(class.output_nanoseconds()),
            }
        });
        Self {
            name: name.to_owned(),
            version: model.version().number().to_string(),
            last_inference_ms: view.last_inference_milliseconds(),
            inference_count: view.inference_count(),
            execution_count: view.execution_count(),
            inference: InferenceStatistics {
                success: view.success().into(),
                fail: view.fail().into(),
                queue: view.queue().into(),
                compute_input: view.compute_input().into(),
                compute_infer: view.compute_infer().into(),
                compute_output: view.compute_output().into(),
            },
            batches: batches.collect(),
        }
    }
}

impl From<DurationTotal> for DurationCount {
    fn from(total: DurationTotal) -> Self {
        Self {
            count: total.count(),
            ns: total.nanoseconds(),
        }
    }
}
