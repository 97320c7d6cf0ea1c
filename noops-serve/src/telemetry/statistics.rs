//! The figures of the statistics extension of the Open Inference Protocol.

use super::executions::BatchClass;
use super::histogram::HistogramSnapshot;
use super::model::ModelSnapshot;
use super::requests::RequestOutcome;

/// How often something was done and how long it took in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct DurationTotal {
    count: u64,
    nanoseconds: u64,
}

impl DurationTotal {
    pub(crate) fn new(count: u64, nanoseconds: u64) -> Self {
        Self { count, nanoseconds }
    }

    fn of(histogram: &HistogramSnapshot) -> Self {
        Self::new(histogram.count(), histogram.sum())
    }

    /// How often.
    #[must_use]
    pub fn count(self) -> u64 {
        self.count
    }

    /// How long in all.
    #[must_use]
    pub fn nanoseconds(self) -> u64 {
        self.nanoseconds
    }
}

/// The figures of one version as Triton's statistics extension defines them.
///
/// A request of a batch is charged with the time of the whole batch, as there. Two things differ: a fallback counts as a failure,
/// and batches are told by size classes (see [`BatchClass::size`]) instead of by every size.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use noops_serve::telemetry::{ModelTelemetry, RequestOutcome, StatisticsView};
///
/// let telemetry = ModelTelemetry::new();
/// telemetry.record_request(RequestOutcome::Success, Duration::from_micros(3), 8);
/// let statistics = StatisticsView::of(&telemetry.snapshot());
/// assert_eq!(statistics.inference_count(), 8);
/// assert_eq!(statistics.success().nanoseconds(), 3000);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct StatisticsView {
    inference_count: u64,
    execution_count: u64,
    last_inference_milliseconds: u64,
    success: DurationTotal,
    fail: DurationTotal,
    queue: DurationTotal,
    compute_input: DurationTotal,
    compute_infer: DurationTotal,
    compute_output: DurationTotal,
    batches: Vec<BatchClass>,
}

impl StatisticsView {
    /// The figures of a snapshot.
    pub fn of(snapshot: &ModelSnapshot) -> Self {
        let (requests, executions) = (snapshot.requests(), snapshot.executions());
        let success = requests.of(RequestOutcome::Success);
        let fail = requests.of_any(&NOT_SUCCESS);
        let last = snapshot.last_inference().map(|at| at.as_millisecond());
        Self {
            inference_count: success.rows(),
            execution_count: executions.executions(),
            last_inference_milliseconds: last.and_then(|at| at.try_into().ok()).unwrap_or(0),
            success: DurationTotal::new(success.requests(), success.nanoseconds()),
            fail: DurationTotal::new(fail.requests(), fail.nanoseconds()),
            queue: DurationTotal::of(snapshot.queue()),
            compute_input: DurationTotal::of(executions.input()),
            compute_infer: DurationTotal::of(executions.infer()),
            compute_output: DurationTotal::of(executions.output()),
            batches: executions.classes().to_vec(),
        }
    }

    /// Rows of the requests that succeeded.
    #[must_use]
    pub fn inference_count(&self) -> u64 {
        self.inference_count
    }

    /// Runs of the model.
    #[must_use]
    pub fn execution_count(&self) -> u64 {
        self.execution_count
    }

    /// When the model ran last, in milliseconds since 1970; 0 when it never did.
    #[must_use]
    pub fn last_inference_milliseconds(&self) -> u64 {
        self.last_inference_milliseconds
    }

    /// Requests that succeeded.
    pub fn success(&self) -> DurationTotal {
        self.success
    }

    /// Requests that did not.
    pub fn fail(&self) -> DurationTotal {
        self.fail
    }

    /// Waiting before the batch.
    pub fn queue(&self) -> DurationTotal {
        self.queue
    }

    /// Putting the batch together.
    pub fn compute_input(&self) -> DurationTotal {
        self.compute_input
    }

    /// Running the model.
    pub fn compute_infer(&self) -> DurationTotal {
        self.compute_infer
    }

    /// Handing out the scores.
    pub fn compute_output(&self) -> DurationTotal {
        self.compute_output
    }

    /// The runs by size of the batch.
    pub fn batches(&self) -> &[BatchClass] {
        &self.batches
    }
}

const NOT_SUCCESS: [RequestOutcome; 6] = [
    RequestOutcome::Fallback,
    RequestOutcome::Rejected,
    RequestOutcome::Overloaded,
    RequestOutcome::DeadlineExceeded,
    RequestOutcome::Cancelled,
    RequestOutcome::Failed,
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::telemetry::{Execution, ModelTelemetry};

    #[test]
    fn figures_are_those_that_were_recorded() {
        let telemetry = ModelTelemetry::new();
        let micro = Duration::from_micros;
        telemetry.record_request(RequestOutcome::Success, micro(10), 3);
        telemetry.record_request(RequestOutcome::Fallback, micro(20), 1);
        telemetry.record_request(RequestOutcome::Failed, micro(30), 1);
        telemetry.record_queue_time(micro(2));
        telemetry.record_execution(&Execution::new(3, 1, micro(5)).with_output(micro(1)));
        telemetry.record_inference_at(Timestamp::from_millisecond(77).unwrap());

        let statistics = StatisticsView::of(&telemetry.snapshot());
        assert_eq!(statistics.inference_count(), 3);
        assert_eq!(statistics.execution_count(), 1);
        assert_eq!(statistics.last_inference_milliseconds(), 77);
        assert_eq!(statistics.success(), DurationTotal::new(1, 10_000));
        assert_eq!(statistics.fail(), DurationTotal::new(2, 50_000));
        assert_eq!(statistics.queue(), DurationTotal::new(1, 2_000));
        assert_eq!(statistics.compute_input(), DurationTotal::new(0, 0));
        assert_eq!(statistics.compute_infer(), DurationTotal::new(1, 5_000));
        assert_eq!(statistics.compute_output(), DurationTotal::new(1, 1_000));
        let [class] = statistics.batches() else {
            panic!("one size")
        };
        assert_eq!((class.size(), class.executions()), (4, 1));
    }
}
