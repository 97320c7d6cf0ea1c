//! One request: sent, sent again, and sent beside itself.

use std::pin::{Pin, pin};
use std::time::Duration;

use jiff::Timestamp;
use noops_core::{Batch, Error, ErrorKind, Scores};
use reqwest::Request;

use super::{Inner, Limit, model_path};
use crate::protocol::{InferRequest, Parameter, Parameters, RequestedOutput};
use crate::remote::breaker::{CallOutcome, Permit};
use crate::remote::codec;
use crate::remote::elapsed::elapsed;
use crate::remote::failure::{Failure, INFER};
use crate::remote::retry::RetryDecision;

impl Inner {
    /// The scores of one request, with as many retries as the settings, the budget and the deadline allow.
    pub(super) async fn request(&self, batch: &Batch, limit: Limit) -> Result<Scores, Error> {
        {
            let mut state = self.state();
            state.retries.request();
            state.hedges.request();
            state.counts.requests += 1;
        }
        let mut attempt = 1;
        loop {
            let failure = match self.attempt(batch, limit).await {
                Ok(scores) => return Ok(scores),
                Err(failure) => failure,
            };
            let now = self.clock.now();
            let decision =
                self.state()
                    .retries
                    .failed(now, failure.retryable, attempt, limit.left(now));
            match decision {
                RetryDecision::After(pause) => tokio::time::sleep(pause).await,
                RetryDecision::GiveUp(_) => {
                    return Err(failure
                        .error
                        .with("model", &self.settings.model)
                        .with("attempts", attempt));
                }
            }
            attempt = attempt.saturating_add(1);
            self.state().counts.retries += 1;
        }
    }

    /// Sends a request, and a second one beside it when the first takes long.
    async fn attempt(&self, batch: &Batch, limit: Limit) -> Result<Scores, Failure> {
        let rows = batch.rows();
        let start = self.clock.now();
        let request = self.encoded(batch, limit.left(start))?;
        let spare = request.try_clone();
        let delay = self.state().hedges.delay();
        let mut first = pin!(self.send(request, rows));
        let answer = match (spare, delay) {
            (Some(spare), Some(delay)) => {
                tokio::select! {
                    biased;
                    answer = &mut first => answer,
                    () = tokio::time::sleep(delay) => self.beside(first, spare, rows).await,
                }
            }
            _ => first.await,
        };
        if answer.is_ok() {
            let took = elapsed(start, self.clock.now());
            self.state().hedges.answered(took);
        }
        answer
    }

    /// Sends a second request if the budget has one; the first good answer wins, and the other request is cancelled.
    async fn beside<F: Future<Output = Result<Scores, Failure>>>(
        &self,
        mut first: Pin<&mut F>,
        spare: Request,
        rows: usize,
    ) -> Result<Scores, Failure> {
        let now = self.clock.now();
        if !self.state().hedges.take(now) {
            return first.await;
        }
        self.state().counts.hedges += 1;
        let mut second = pin!(self.send(spare, rows));
        tokio::select! {
            biased;
            answer = &mut first => match answer {
                Ok(scores) => Ok(scores),
                Err(_) => second.await,
            },
            answer = &mut second => match answer {
                Ok(scores) => {
                    self.state().counts.hedges_won += 1;
                    Ok(scores)
                }
                Err(_) => first.await,
            },
        }
    }

    /// Sends a request if the breaker lets it pass, and tells the breaker what became of it.
    async fn send(&self, request: Request, rows: usize) -> Result<Scores, Failure> {
        let call = self.admitted()?;
        let answer = self.answer(request, rows).await;
        let outcome = match &answer {
            Ok(_) => CallOutcome::Answered(elapsed(call.start, self.clock.now())),
            Err(failure) => failure.outcome,
        };
        call.report(outcome);
        answer
    }

    fn admitted(&self) -> Result<Call<'_>, Failure> {
        let start = self.clock.now();
        let mut state = self.state();
        match state.breaker.admit(start) {
            Ok(permit) => {
                state.counts.sent += 1;
                Ok(Call {
                    inner: self,
                    permit: Some(permit),
                    start,
                })
            }
            Err(open) => {
                state.counts.stopped += 1;
                let message = "the circuit breaker is open: the server has failed too often";
                Err(Failure::unsent(
                    Error::new(ErrorKind::Unavailable, INFER, message)
                        .with("milliseconds left", open.left().as_millis()),
                ))
            }
        }
    }

    async fn answer(&self, request: Request, rows: usize) -> Result<Scores, Failure> {
        let answer = self.channel.send(request, self.clock.now()).await?;
        let response = codec::decode(&answer.body, answer.header).map_err(|error| {
            let message = "the answer is not one of the protocol";
            Failure::unreadable(Error::new(ErrorKind::Invalid, INFER, message).caused_by(error))
        })?;
        self.binding
            .scores(response, rows)
            .map_err(Failure::unreadable)
    }

    fn encoded(&self, batch: &Batch, left: Duration) -> Result<Request, Failure> {
        let inputs = self.binding.inputs(batch).map_err(Failure::unsent)?;
        let mut request = InferRequest::new(&self.settings.model, inputs)
            .with_outputs(vec![RequestedOutput::new(self.binding.output())]);
        if self.scheduled {
            // Zero would mean no limit.
            let microseconds = u64::try_from(left.as_micros()).unwrap_or(u64::MAX).max(1);
            request = request.with_parameters(Parameters::from([(
                "timeout".to_owned(),
                Parameter::Uint64(microseconds),
            )]));
        }
        let mut path = model_path(&self.settings);
        path.push("infer");
        self.channel.post(&path, codec::encode(&request, self.wire))
    }
}

/// A request under way, which is reported to the breaker also when nobody waits for it any longer.
struct Call<'a> {
    inner: &'a Inner,
    permit: Option<Permit>,
    start: Timestamp,
}

impl Call<'_> {
    fn report(mut self, outcome: CallOutcome) {
        self.tell(outcome);
    }

    fn tell(&mut self, outcome: CallOutcome) {
        if let Some(permit) = self.permit.take() {
            let now = self.inner.clock.now();
            self.inner.state().breaker.report(now, permit, outcome);
        }
    }
}

impl Drop for Call<'_> {
    /// A caller that gave up early was impatient; one that waited as long as a slow answer takes was let down.
    fn drop(&mut self) {
        let waited = elapsed(self.start, self.inner.clock.now());
        self.tell(if waited >= self.inner.settings.breaker.slow_after() {
            CallOutcome::Failed
        } else {
            CallOutcome::Neither
        });
    }
}
