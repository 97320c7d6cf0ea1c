use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::training::local::live::LiveRun;
use crate::training::run::{RunEvent, RunId, RunStatus};
use crate::training::spec::JobSpec;

/// What a training function gives.
#[derive(Clone, Debug, PartialEq)]
pub struct JobOutput {
    artifact: Vec<u8>,
    metrics: BTreeMap<String, f64>,
}

impl JobOutput {
    /// An artifact without metrics.
    #[must_use]
    pub fn new(artifact: Vec<u8>) -> Self {
        Self {
            artifact,
            metrics: BTreeMap::new(),
        }
    }

    /// Adds a metric. One that is not finite makes the run fail.
    #[must_use]
    pub fn with_metric(mut self, name: impl Into<String>, value: f64) -> Self {
        self.metrics.insert(name.into(), value);
        self
    }

    pub(super) fn into_parts(self) -> (Vec<u8>, BTreeMap<String, f64>) {
        (self.artifact, self.metrics)
    }
}

/// What a training function knows of its run, and how it tells that it is alive.
pub struct JobContext {
    live: Arc<LiveRun>,
    clock: Arc<dyn Clock>,
}

impl JobContext {
    pub(super) fn new(live: Arc<LiveRun>, clock: Arc<dyn Clock>) -> Self {
        Self { live, clock }
    }

    /// The specification: parameters, seed, snapshot, dataset.
    #[must_use]
    pub fn spec(&self) -> &JobSpec {
        self.live.spec()
    }

    /// The name of the run.
    #[must_use]
    pub fn run(&self) -> &RunId {
        self.live.run()
    }

    /// Tells that a step is done, and the measure at it if there is one. A value that is not finite counts as none.
    pub fn heartbeat(&self, step: u64, value: Option<f64>) {
        self.live
            .advance(RunEvent::Progressed { step, value }, self.clock.now());
    }

    /// Adds a line to the log.
    pub fn log(&self, line: &str) {
        self.live.log(line.as_bytes());
        self.live.log(b"\n");
    }

    /// Whether the run was told to stop. Asks for nothing but that: [`check`](Self::check) sees the deadline too.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.live.status(), RunStatus::Cancelled)
    }

    /// Goes on only if the run has not ended: call it between steps, and return its error.
    ///
    /// # Errors
    ///
    /// `Gone` when the run was cancelled, is past its deadline, or was given up for its silence.
    pub fn check(&self) -> Result<(), Error> {
        self.live.check(self.clock.now());
        let message = match self.live.status() {
            RunStatus::Pending | RunStatus::Running { .. } => return Ok(()),
            RunStatus::Cancelled => "the run was cancelled",
            RunStatus::TimedOut => "the run is past its deadline",
            _ => "the run was given up",
        };
        Err(
            Error::new(ErrorKind::Gone, "go on with a training run", message)
                .with("run", self.run()),
        )
    }

    /// Takes memory from the limit of the run until the reservation is dropped.
    ///
    /// The limit is cooperative: reserve before a large allocation. Nothing is measured.
    ///
    /// # Errors
    ///
    /// `Overloaded` when less than that is left.
    pub fn reserve(&self, bytes: u64) -> Result<Reservation, Error> {
        match self.live.reserve(bytes) {
            Ok(()) => Ok(Reservation {
                live: self.live.clone(),
                bytes,
            }),
            Err(reserved) => {
                let limit = self.spec().memory_bytes().unwrap_or(u64::MAX);
                let message = "the run would exceed its memory limit";
                Err(Error::new(ErrorKind::Overloaded, "reserve memory", message)
                    .with("wanted", bytes)
                    .with("reserved", reserved)
                    .with("limit", limit))
            }
        }
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext")
            .field("run", self.run())
            .finish_non_exhaustive()
    }
}

/// Memory that a run may use until this is dropped.
#[must_use = "the memory is given back when the reservation is dropped"]
pub struct Reservation {
    live: Arc<LiveRun>,
    bytes: u64,
}

impl Reservation {
    /// How much.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.live.release(self.bytes);
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}
