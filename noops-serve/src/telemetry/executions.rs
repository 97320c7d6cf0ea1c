//! Runs of a model, by the size of the batch.

use std::time::Duration;

use super::histogram::{Histogram, HistogramSnapshot, nanoseconds};
use super::shards::Shards;

/// One run of a model on one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Execution {
    rows: u64,
    requests: u64,
    infer: Duration,
    input: Option<Duration>,
    output: Option<Duration>,
}

impl Execution {
    /// A run on `rows` rows of `requests` requests that took `infer`.
    pub fn new(rows: u64, requests: u64, infer: Duration) -> Self {
        Self {
            rows,
            requests,
            infer,
            input: None,
            output: None,
        }
    }

    /// The time to check the rows and to put the batch together.
    pub fn with_input(mut self, took: Duration) -> Self {
        self.input = Some(took);
        self
    }

    /// The time to take the scores apart and to hand them out.
    pub fn with_output(mut self, took: Duration) -> Self {
        self.output = Some(took);
        self
    }
}

/// The runs of one version.
#[derive(Debug)]
pub(super) struct ExecutionTelemetry {
    classes: Shards<WORDS>,
    input: Histogram,
    infer: Histogram,
    output: Histogram,
}

impl ExecutionTelemetry {
    pub(super) fn new() -> Self {
        Self {
            classes: Shards::new(),
            input: Histogram::new(),
            infer: Histogram::new(),
            output: Histogram::new(),
        }
    }

    /// Five relaxed additions, and three for each further phase that was measured.
    pub(super) fn record(&self, execution: &Execution) {
        let word = class(execution.rows) * WORDS_PER_CLASS;
        let infer = nanoseconds(execution.infer);
        self.classes.add_all([
            (word, 1),
            (word + ROWS, execution.rows),
            (word + INFER, infer),
        ]);
        self.infer.record_n(infer, execution.requests);
        let others = [
            (execution.input, INPUT, &self.input),
            (execution.output, OUTPUT, &self.output),
        ];
        for (took, offset, histogram) in others {
            if let Some(took) = took.map(nanoseconds) {
                self.classes.add(word + offset, took);
                histogram.record_n(took, execution.requests);
            }
        }
    }

    pub(super) fn snapshot(&self) -> ExecutionSnapshot {
        let sums = self.classes.sums();
        let classes = sums.chunks(WORDS_PER_CLASS).enumerate();
        let classes = classes.map(|(index, words)| {
            let word = |offset| words.get(offset).copied().unwrap_or(0);
            BatchClass {
                size: 1 << index.min(LAST_CLASS),
                executions: word(0),
                rows: word(ROWS),
                input_nanoseconds: word(INPUT),
                infer_nanoseconds: word(INFER),
                output_nanoseconds: word(OUTPUT),
            }
        });
        ExecutionSnapshot {
            classes: classes.filter(|class| class.executions > 0).collect(),
            input: self.input.snapshot(),
            infer: self.infer.snapshot(),
            output: self.output.snapshot(),
        }
    }
}

/// Runs on batches of similar size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct BatchClass {
    size: u64,
    executions: u64,
    rows: u64,
    input_nanoseconds: u64,
    infer_nanoseconds: u64,
    output_nanoseconds: u64,
}

impl BatchClass {
    /// The most rows of a batch of this class, a power of two: the batches of class 8 had 5 to 8 rows. The last class, 1,048,576, has
    /// all larger ones too.
    #[must_use]
    pub fn size(self) -> u64 {
        self.size
    }

    /// How often the model ran.
    #[must_use]
    pub fn executions(self) -> u64 {
        self.executions
    }

    /// On how many rows in all.
    #[must_use]
    pub fn rows(self) -> u64 {
        self.rows
    }

    /// How long putting the batches together took, in all.
    #[must_use]
    pub fn input_nanoseconds(self) -> u64 {
        self.input_nanoseconds
    }

    /// How long the model took, in all.
    #[must_use]
    pub fn infer_nanoseconds(self) -> u64 {
        self.infer_nanoseconds
    }

    /// How long handing out the scores took, in all.
    #[must_use]
    pub fn output_nanoseconds(self) -> u64 {
        self.output_nanoseconds
    }
}

/// The runs of one version up to one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct ExecutionSnapshot {
    classes: Vec<BatchClass>,
    input: HistogramSnapshot,
    infer: HistogramSnapshot,
    output: HistogramSnapshot,
}

impl ExecutionSnapshot {
    /// The classes of batch sizes in which the model ran, in ascending order.
    pub fn classes(&self) -> &[BatchClass] {
        &self.classes
    }

    /// How often the model ran.
    #[must_use]
    pub fn executions(&self) -> u64 {
        let runs = self.classes.iter().map(|class| class.executions);
        runs.fold(0, u64::saturating_add)
    }

    /// On how many rows it ran.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let rows = self.classes.iter().map(|class| class.rows);
        rows.fold(0, u64::saturating_add)
    }

    /// How long the batch of each request took to put together, in nanoseconds; empty when nobody measured.
    pub fn input(&self) -> &HistogramSnapshot {
        &self.input
    }

    /// How long the model took for the batch of each request, in nanoseconds.
    pub fn infer(&self) -> &HistogramSnapshot {
        &self.infer
    }

    /// How long the scores of the batch of each request took to hand out, in nanoseconds; empty when nobody measured.
    pub fn output(&self) -> &HistogramSnapshot {
        &self.output
    }
}

/// The power of two that is at least `rows`.
fn class(rows: u64) -> usize {
    let class = u64::BITS - rows.saturating_sub(1).leading_zeros();
    (class as usize).min(LAST_CLASS)
}

const LAST_CLASS: usize = 20;
const WORDS_PER_CLASS: usize = 5;
const ROWS: usize = 1;
const INPUT: usize = 2;
const INFER: usize = 3;
const OUTPUT: usize = 4;
const WORDS: usize = (LAST_CLASS + 1) * WORDS_PER_CLASS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_belongs_to_the_next_power_of_two() {
        let classes = [0, 1, 2, 3, 4, 5, 8, 9, 1 << 20, (1 << 20) + 1, u64::MAX].map(class);
        assert_eq!(classes, [0, 0, 1, 2, 2, 3, 3, 4, 20, 20, 20]);
    }

    #[test]
    fn every_request_of_a_batch_has_waited_for_the_whole_batch() {
        let telemetry = ExecutionTelemetry::new();
        let took = Duration::from_micros(8);
        telemetry.record(&Execution::new(6, 3, took));
        telemetry.record(&Execution::new(1, 1, took).with_input(Duration::from_nanos(40)));
        let seen = telemetry.snapshot();
        assert_eq!((seen.executions(), seen.rows()), (2, 7));
        assert_eq!((seen.infer().count(), seen.infer().sum()), (4, 32_000));
        assert_eq!((seen.input().count(), seen.input().sum()), (1, 40));
        assert!(seen.output().is_empty());
        let [one, eight] = seen.classes() else {
            panic!("two sizes")
        };
        assert_eq!(
            (one.size(), one.rows(), one.input_nanoseconds()),
            (1, 1, 40)
        );
        assert_eq!((eight.size(), eight.rows()), (8, 6));
        assert_eq!(eight.infer_nanoseconds(), 8_000, "once for the batch");
    }
}
