//! What became of requests, and how long it took.

use std::time::Duration;

use super::histogram::{Histogram, HistogramSnapshot, nanoseconds};
use super::shards::Shards;

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RequestOutcome {
    /// Answered by the model that was to answer.
    Success,
    /// Answered by another model or with a default: answered, and no success.
    Fallback,
    /// Not answered: the request broke the contract.
    Rejected,
    /// Refused: too much waits already.
    Overloaded,
    /// Refused or abandoned: it could not be answered in time.
    DeadlineExceeded,
    /// The caller went away.
    Cancelled,
    /// The model failed.
    Failed,
}

impl RequestOutcome {
    /// All outcomes.
    pub const ALL: [Self; 7] = [
        Self::Success,
        Self::Fallback,
        Self::Rejected,
        Self::Overloaded,
        Self::DeadlineExceeded,
        Self::Cancelled,
        Self::Failed,
    ];

    /// The word that stands for it in labels and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Fallback => "fallback",
            Self::Rejected => "rejected",
            Self::Overloaded => "overloaded",
            Self::DeadlineExceeded => "deadline",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Whether the caller got an answer.
    #[must_use]
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Success | Self::Fallback)
    }

    fn word(self) -> usize {
        self as usize * WORDS_PER_OUTCOME
    }
}

/// The requests of one version or of one arm, by outcome, with the distribution of the latency of those that were answered.
///
/// Refusals are quick and would flatter the percentiles, so they have no place in the distribution; the time they took is in
/// [`OutcomeTotals::nanoseconds`].
#[derive(Debug)]
pub struct RequestTelemetry {
    outcomes: Shards<WORDS>,
    latency: Histogram,
}

impl RequestTelemetry {
    /// No requests yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            outcomes: Shards::new(),
            latency: Histogram::new(),
        }
    }

    /// Records a request that is over: five relaxed additions when it was answered, three otherwise. Nothing is allocated.
    pub fn record(&self, outcome: RequestOutcome, latency: Duration, rows: u64) {
        let (word, took) = (outcome.word(), nanoseconds(latency));
        self.outcomes
            .add_all([(word, 1), (word + NANOSECONDS, took), (word + ROWS, rows)]);
        if outcome.is_answered() {
            self.latency.record(took);
        }
    }

    /// What was recorded.
    pub fn snapshot(&self) -> RequestSnapshot {
        let sums = self.outcomes.sums();
        let mut totals = [OutcomeTotals::default(); RequestOutcome::ALL.len()];
        for (totals, words) in totals.iter_mut().zip(sums.chunks(WORDS_PER_OUTCOME)) {
            let mut words = words.iter().copied();
            *totals = OutcomeTotals {
                requests: words.next().unwrap_or(0),
                nanoseconds: words.next().unwrap_or(0),
                rows: words.next().unwrap_or(0),
            };
        }
        RequestSnapshot {
            totals,
            latency: self.latency.snapshot(),
        }
    }
}

impl Default for RequestTelemetry {
    fn default() -> Self {
        Self::new()
    }
}

/// The requests of one outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct OutcomeTotals {
    requests: u64,
    nanoseconds: u64,
    rows: u64,
}

impl OutcomeTotals {
    /// How many there were.
    #[must_use]
    pub fn requests(self) -> u64 {
        self.requests
    }

    /// How long they took together.
    #[must_use]
    pub fn nanoseconds(self) -> u64 {
        self.nanoseconds
    }

    /// How many rows they had.
    #[must_use]
    pub fn rows(self) -> u64 {
        self.rows
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            nanoseconds: self.nanoseconds.saturating_add(other.nanoseconds),
            rows: self.rows.saturating_add(other.rows),
        }
    }
}

/// What a [`RequestTelemetry`] held at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct RequestSnapshot {
    totals: [OutcomeTotals; RequestOutcome::ALL.len()],
    latency: HistogramSnapshot,
}

impl RequestSnapshot {
    /// The requests of one outcome.
    pub fn of(&self, outcome: RequestOutcome) -> OutcomeTotals {
        self.totals
            .get(outcome as usize)
            .copied()
            .unwrap_or_default()
    }

    /// The requests that ended in any of several ways.
    pub fn of_any(&self, outcomes: &[RequestOutcome]) -> OutcomeTotals {
        outcomes
            .iter()
            .fold(OutcomeTotals::default(), |sum, outcome| {
                sum.plus(self.of(*outcome))
            })
    }

    /// All requests.
    pub fn total(&self) -> OutcomeTotals {
        self.of_any(&RequestOutcome::ALL)
    }

    /// The requests that got an answer, fallbacks among them.
    pub fn answered(&self) -> OutcomeTotals {
        self.of_any(&[RequestOutcome::Success, RequestOutcome::Fallback])
    }

    /// The latency of the answered requests, in nanoseconds.
    pub fn latency(&self) -> &HistogramSnapshot {
        &self.latency
    }

    /// The share of successes, if there were requests.
    ///
    /// # Formula
    ///
    /// Successes / (all requests − cancelled ones). A fallback, a rejection and a refusal are requests without success; a caller that
    /// went away asked for nothing any more.
    #[must_use]
    pub fn success_ratio(&self) -> Option<f64> {
        let cancelled = self.of(RequestOutcome::Cancelled).requests;
        let asked = self.total().requests.saturating_sub(cancelled);
        let successes = self.of(RequestOutcome::Success).requests;
        (asked > 0).then(|| successes as f64 / asked as f64)
    }

    /// Adds the requests of another version, replica or process.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.totals.iter_mut().zip(&other.totals) {
            *mine = mine.plus(*theirs);
        }
        self.latency.merge(&other.latency);
    }
}

const WORDS_PER_OUTCOME: usize = 3;
const NANOSECONDS: usize = 1;
const ROWS: usize = 2;
const WORDS: usize = RequestOutcome::ALL.len() * WORDS_PER_OUTCOME;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fallback_is_answered_and_no_success() {
        let requests = RequestTelemetry::new();
        requests.record(RequestOutcome::Success, Duration::from_micros(10), 2);
        requests.record(RequestOutcome::Fallback, Duration::from_micros(20), 3);
        let seen = requests.snapshot();
        assert_eq!(seen.answered().requests(), 2);
        assert_eq!(seen.answered().rows(), 5);
        assert_eq!(seen.answered().nanoseconds(), 30_000);
        assert_eq!(seen.success_ratio(), Some(0.5));
    }

    #[test]
    fn refusals_do_not_flatter_the_percentiles() {
        let requests = RequestTelemetry::new();
        requests.record(RequestOutcome::Success, Duration::from_millis(10), 1);
        for _ in 0..99 {
            requests.record(RequestOutcome::Overloaded, Duration::from_nanos(900), 1);
        }
        let seen = requests.snapshot();
        assert_eq!(seen.latency().count(), 1);
        assert_eq!(seen.success_ratio(), Some(0.01));
        assert_eq!(seen.of(RequestOutcome::Overloaded).nanoseconds(), 99 * 900);
    }

    #[test]
    fn a_caller_that_went_away_is_neither_success_nor_failure() {
        let requests = RequestTelemetry::new();
        requests.record(RequestOutcome::Cancelled, Duration::ZERO, 1);
        assert_eq!(requests.snapshot().success_ratio(), None);
        requests.record(RequestOutcome::Success, Duration::ZERO, 1);
        assert_eq!(requests.snapshot().success_ratio(), Some(1.0));
    }

    #[test]
    fn every_outcome_is_counted_under_its_own_name() {
        let requests = RequestTelemetry::new();
        for (index, outcome) in RequestOutcome::ALL.into_iter().enumerate() {
            for _ in 0..=index {
                requests.record(outcome, Duration::ZERO, 0);
            }
        }
        let mut seen = requests.snapshot();
        seen.merge(&requests.snapshot());
        let counts = RequestOutcome::ALL.map(|outcome| seen.of(outcome).requests());
        assert_eq!(counts, [2, 4, 6, 8, 10, 12, 14]);
        let words: std::collections::BTreeSet<_> =
            RequestOutcome::ALL.map(RequestOutcome::as_str).into();
        assert_eq!(words.len(), 7);
    }
}
