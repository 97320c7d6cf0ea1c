//! Structured logs of requests, sampled.

use std::time::Duration;

use noops_core::{Share, unit_hash};

use super::requests::RequestOutcome;

/// What is logged about one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RequestLog<'a> {
    /// The id of the request.
    pub request_id: &'a str,
    /// The model that was asked.
    pub model: &'a str,
    /// The version that answered or failed.
    pub version: &'a str,
    /// What became of the request.
    pub outcome: RequestOutcome,
    /// From its arrival to its answer.
    pub latency: Duration,
    /// How many rows it had.
    pub rows: u64,
    /// What went wrong, if something did.
    pub error: Option<&'a str>,
}

/// Logs every request that was not a success, and a share of those that were.
///
/// The share is decided by a hash of the request id, so that every process that sees the request decides alike, and a larger share
/// logs all that a smaller one logs. Events have the target `noops_serve::request`: successes at `INFO`, the others at `WARN`.
///
/// # Examples
///
/// ```
/// use noops_core::Share;
/// use noops_serve::telemetry::{LogSampler, RequestOutcome};
///
/// let sampler = LogSampler::new(Share::ZERO);
/// assert!(!sampler.samples(RequestOutcome::Success, "request-1"));
/// assert!(sampler.samples(RequestOutcome::Failed, "request-1"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSampler {
    successes: Share,
}

impl LogSampler {
    /// Logs this share of the successes.
    #[must_use]
    pub fn new(successes: Share) -> Self {
        Self { successes }
    }

    /// Whether a request is logged.
    ///
    /// # Formula
    ///
    /// For a success: [`unit_hash`] of the salt `log` and the id, times a million, shifted right by 64 bits, is below the share in
    /// parts per million.
    #[must_use]
    pub fn samples(&self, outcome: RequestOutcome, request_id: &str) -> bool {
        if outcome != RequestOutcome::Success || self.successes == Share::FULL {
            return true;
        }
        if self.successes == Share::ZERO {
            return false;
        }
        let place = (u128::from(unit_hash("log", request_id)) * 1_000_000) >> 64;
        place < u128::from(self.successes.ppm())
    }

    /// Logs a request if it is to be logged. Does nothing when nobody listens.
    pub fn log(&self, request: &RequestLog<'_>) {
        if !self.samples(request.outcome, request.request_id) {
            return;
        }
        let (latency_us, outcome) = (
            request.latency.as_secs_f64() * 1e6,
            request.outcome.as_str(),
        );
        let RequestLog {
            request_id,
            model,
            version,
            rows,
            error,
            ..
        } = *request;
        if request.outcome == RequestOutcome::Success {
            tracing::info!(target: TARGET, request_id, model, version, outcome, latency_us, rows);
        } else {
            tracing::warn!(target: TARGET, request_id, model, version, outcome, latency_us, rows, error);
        }
    }
}

impl Default for LogSampler {
    /// One success in a thousand.
    fn default() -> Self {
        Self::new(Share::from_ppm(1000).unwrap_or(Share::ZERO))
    }
}

const TARGET: &str = "noops_serve::request";

#[cfg(test)]
pub(super) mod tests {
    use std::fmt::Debug;
    use std::sync::{Arc, Mutex};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    /// Writes down spans and events as text.
    #[derive(Clone, Default)]
    pub(in crate::telemetry) struct Heard(pub(in crate::telemetry) Arc<Mutex<Vec<String>>>);

    struct Line(String);

    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            self.0.push_str(&format!(" {}={value:?}", field.name()));
        }
    }

    impl Subscriber for Heard {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, span: &Attributes<'_>) -> Id {
            let mut line = Line(span.metadata().name().to_owned());
            span.record(&mut line);
            self.0.lock().unwrap().push(line.0);
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            let metadata = event.metadata();
            let mut line = Line(format!("{} {}", metadata.level(), metadata.target()));
            event.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn errors_are_always_logged_and_successes_by_their_share() {
        let heard = Heard::default();
        let mut request = RequestLog {
            request_id: "r-1",
            model: "fraud",
            version: "1f2e",
            outcome: RequestOutcome::Success,
            latency: Duration::from_micros(5),
            rows: 2,
            error: None,
        };
        tracing::subscriber::with_default(heard.clone(), || {
            LogSampler::new(Share::ZERO).log(&request);
            LogSampler::new(Share::FULL).log(&request);
            request.outcome = RequestOutcome::Failed;
            request.error = Some("boom");
            LogSampler::new(Share::ZERO).log(&request);
        });
        let lines = heard.0.lock().unwrap().clone();
        assert_eq!(
            lines,
            [
                "INFO noops_serve::request request_id=\"r-1\" model=\"fraud\" version=\"1f2e\" outcome=\"success\" latency_us=5.0 rows=2",
                "WARN noops_serve::request request_id=\"r-1\" model=\"fraud\" version=\"1f2e\" outcome=\"failed\" latency_us=5.0 rows=2 error=\"boom\"",
            ]
        );
    }

    #[test]
    fn a_larger_share_logs_all_that_a_smaller_one_logs() {
        let sampler = |ppm| LogSampler::new(Share::from_ppm(ppm).unwrap());
        let (small, large) = (sampler(50_000), sampler(100_000));
        let success = RequestOutcome::Success;
        let ids: Vec<String> = (0..10_000).map(|number| format!("r-{number}")).collect();
        let logged = ids.iter().filter(|id| large.samples(success, id)).count();
        assert!((900..1100).contains(&logged), "{logged}");
        for id in &ids {
            assert!(!small.samples(success, id) || large.samples(success, id));
        }
    }
}
