//! A model on another server.

mod sending;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use noops_core::{Batch, Clock, Contract, Error, ErrorKind, Scores};

use super::binding::{self, Binding};
use super::breaker::{Breaker, BreakerState};
use super::channel::{CONNECT, Channel};
use super::codec::Wire;
use super::elapsed::elapsed;
use super::failure::{Failure, INFER};
use super::hedge::Hedges;
use super::probe::ProbeReport;
use super::retry::Retries;
use super::settings::{Encoding, RemoteSettings};

/// A model of an Open Inference Protocol server, asked over REST.
///
/// Clones are handles of one client: they share its connections, its budgets of retries and hedges, and its circuit breaker. Requests
/// are binary where the server announces the extension for binary tensors, and JSON elsewhere. A prediction is taken to change nothing
/// on the server, so that it may be sent again.
///
/// The contract decides what is sent: one matrix of all features as numbers (category `i` as the number `i`, a missing one as NaN) where
/// the model has one input of two dimensions, and otherwise one tensor per feature, by name. Numbers need FP32 or FP64. A missing or unknown
/// category is an empty text, -1, or NaN, as the datatype has it.
///
/// # Limits
///
/// Whether a row's scores depend on the others of its batch is the server's affair: [`probe`](Self::probe) tells, and
/// [`RemoteSettings::with_rows`] prevents it. Models whose metadata lists no tensors cannot be checked and are refused.
#[derive(Clone, Debug)]
pub struct RemoteModel {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: RemoteSettings,
    channel: Channel,
    binding: Binding,
    wire: Wire,
    /// Whether the server knows what to do with a request's time limit.
    scheduled: bool,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    retries: Retries,
    hedges: Hedges,
    breaker: Breaker,
    counts: RemoteCounts,
}

/// What a client has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemoteCounts {
    /// The requests that callers made; a batch sent in parts makes several.
    pub requests: u64,
    /// The requests that were sent: first ones, retries and hedges.
    pub sent: u64,
    /// The retries among them.
    pub retries: u64,
    /// The hedges among them.
    pub hedges: u64,
    /// The hedges that answered first.
    pub hedges_won: u64,
    /// The requests that the circuit breaker stopped.
    pub stopped: u64,
}

impl RemoteModel {
    /// Asks the server what its model takes and gives, and checks that against the contract.
    ///
    /// # Errors
    ///
    /// `Invalid` when the address or the metadata does not fit, `NotFound` and `Unauthorised` as the server says, `Unavailable` when no
    /// answer came in time.
    pub async fn connect(
        settings: RemoteSettings,
        contract: &Contract,
        clock: Arc<dyn Clock>,
        deadline: Duration,
    ) -> Result<Self, Error> {
        on_a_runtime(CONNECT)?;
        let channel = Channel::new(
            &settings.url,
            settings.bearer.clone(),
            settings.answer_bytes,
        )?;
        let ask = async {
            let server = channel.document(&["v2"], clock.now()).await?;
            let model = channel
                .document(&model_path(&settings), clock.now())
                .await?;
            Ok((server, model))
        };
        let (server, model) = tokio::time::timeout(deadline, ask)
            .await
            .map_err(|_| late(CONNECT))?
            .map_err(|failure: Failure| failure.error)?;
        let extensions = binding::extensions(&server)?;
        let announced = |name: &str| extensions.iter().any(|extension| extension == name);
        let binding = Binding::new(
            &binding::model(&model)?,
            contract,
            settings.output.as_deref(),
        )?;
        let wire = match settings.encoding {
            Encoding::Automatic if announced("binary_tensor_data") => Wire::Binary,
            Encoding::Automatic | Encoding::Json => Wire::Json,
            Encoding::Binary => Wire::Binary,
        };
        let state = State {
            retries: Retries::new(settings.retries.clone(), settings.seed),
            hedges: Hedges::new(settings.hedges.clone()),
            breaker: Breaker::new(settings.breaker.clone()),
            counts: RemoteCounts::default(),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                scheduled: announced("schedule_policy"),
                settings,
                channel,
                binding,
                wire,
                clock,
                state: Mutex::new(state),
            }),
        })
    }

    /// Scores the rows of a batch, within `deadline` from now.
    ///
    /// Runs on a tokio runtime with timers and networking. Dropping the future cancels what is under way.
    ///
    /// # Errors
    ///
    /// `Unavailable` when no answer came in time, the server failed, or the circuit breaker is open; `Overloaded`, `Unauthorised` and
    /// `NotFound` as the server says; `Invalid` when it refuses the request or answers with something else than scores.
    pub async fn infer(&self, batch: &Batch, deadline: Duration) -> Result<Scores, Error> {
        on_a_runtime(INFER)?;
        let width = self.inner.binding.width();
        if batch.rows() == 0 {
            return Scores::new(width, Vec::new());
        }
        let limit = Limit {
            start: self.inner.clock.now(),
            deadline,
        };
        tokio::time::timeout(deadline, self.inner.parts(batch, limit))
            .await
            .map_err(|_| late(INFER))?
    }

    /// Finds out whether the server answers the same row alike: asked twice, and alone instead of in a batch. Looks at the first 16 rows.
    ///
    /// # Errors
    ///
    /// As [`infer`](Self::infer); `deadline` holds for each of its requests.
    pub async fn probe(&self, batch: &Batch, deadline: Duration) -> Result<ProbeReport, Error> {
        ProbeReport::of(self, batch, deadline).await
    }

    /// What was sent so far.
    #[must_use]
    pub fn counts(&self) -> RemoteCounts {
        self.inner.state().counts
    }

    /// Where the circuit breaker stands.
    #[must_use]
    pub fn breaker(&self) -> BreakerState {
        self.inner.state().breaker.state()
    }

    /// Whether tensors travel in binary.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.inner.wire == Wire::Binary
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole: one that panicked half way does not exist.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request after the other for as many rows as one may have.
    async fn parts(&self, batch: &Batch, limit: Limit) -> Result<Scores, Error> {
        let most = self
            .settings
            .rows
            .map_or(batch.rows(), |most| most.get())
            .max(1);
        if batch.rows() <= most {
            return self.request(batch, limit).await;
        }
        let rows: Vec<usize> = (0..batch.rows()).collect();
        let mut values = Vec::new();
        for part in rows.chunks(most) {
            let scores = self.request(&batch.take(part), limit).await?;
            values.extend(scores.into_values());
        }
        Scores::new(self.binding.width(), values)
    }
}

/// Until when a caller waits.
#[derive(Clone, Copy, Debug)]
struct Limit {
    start: Timestamp,
    deadline: Duration,
}

impl Limit {
    fn left(self, now: Timestamp) -> Duration {
        self.deadline.saturating_sub(elapsed(self.start, now))
    }
}

fn model_path(settings: &RemoteSettings) -> Vec<&str> {
    let mut path = vec!["v2", "models", settings.model.as_str()];
    if let Some(version) = &settings.version {
        path.extend(["versions", version]);
    }
    path
}

/// Timers and sockets need a runtime; without one they would panic.
fn on_a_runtime(operation: &'static str) -> Result<(), Error> {
    tokio::runtime::Handle::try_current()
        .map(drop)
        .map_err(|error| {
            Error::new(ErrorKind::Invalid, operation, "call it on a tokio runtime").caused_by(error)
        })
}

fn late(operation: &'static str) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        operation,
        "no answer came within the deadline",
    )
}
