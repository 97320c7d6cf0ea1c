use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::lease::FencingToken;
use crate::state::StateStore;
use crate::training::local::settings::LocalSettings;
use crate::training::log_tail::LogTail;
use crate::training::run::{RunEvent, RunId, RunStatus};
use crate::training::spec::JobSpec;

/// What the state store holds about a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) spec: JobSpec,
    pub(super) status: RunStatus,
    pub(super) logs: String,
}

/// A run of this process.
pub(super) struct LiveRun {
    run: RunId,
    spec: JobSpec,
    heartbeat_limit: Option<Duration>,
    token: FencingToken,
    status: Mutex<RunStatus>,
    log: Mutex<LogTail>,
    reserved: AtomicU64,
    /// The generation of the record in the store. Held while the record is written, so that writes do not overtake.
    stored: tokio::sync::Mutex<Stored>,
}

#[derive(Clone, Debug, Default)]
struct Stored {
    generation: u64,
    status: Option<RunStatus>,
}

impl Record {
    pub(super) fn bytes(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|error| {
            Error::new(ErrorKind::Invalid, WRITE, "it cannot be written as JSON").caused_by(error)
        })
    }
}

/// Where the record of a run is.
pub(super) fn key(run: &RunId) -> String {
    format!("training/{run}")
}

pub(super) fn read_record(run: &RunId, bytes: &[u8]) -> Result<Record, Error> {
    let corrupt = |message: &str| {
        Error::new(
            ErrorKind::Corrupt,
            "read the record of a training run",
            message,
        )
        .with("run", run)
    };
    let record: Record = serde_json::from_slice(bytes)
        .map_err(|error| corrupt("it is not the JSON that was written").caused_by(error))?;
    if record.spec.run_id() == *run {
        Ok(record)
    } else {
        Err(corrupt("it belongs to another run"))
    }
}

impl LiveRun {
    pub(super) fn new(spec: JobSpec, settings: &LocalSettings) -> Self {
        Self {
            run: spec.run_id(),
            spec,
            heartbeat_limit: settings.heartbeat_limit(),
            token: settings.token(),
            status: Mutex::new(RunStatus::Pending),
            log: Mutex::new(LogTail::default()),
            reserved: AtomicU64::new(0),
            stored: tokio::sync::Mutex::new(Stored::default()),
        }
    }

    pub(super) fn run(&self) -> &RunId {
        &self.run
    }

    pub(super) fn spec(&self) -> &JobSpec {
        &self.spec
    }

    pub(super) fn status(&self) -> RunStatus {
        lock(&self.status).clone()
    }

    pub(super) fn is_ended(&self) -> bool {
        lock(&self.status).is_terminal()
    }

    pub(super) fn advance(&self, event: RunEvent, now: Timestamp) {
        let mut status = lock(&self.status);
        let before = std::mem::replace(&mut *status, RunStatus::Pending);
        *status = before.advance(event, now);
    }

    pub(super) fn fail(&self, reason: impl Into<String>, now: Timestamp) {
        let reason = reason.into();
        self.advance(RunEvent::Failed { reason }, now);
    }

    /// Ends the run if it is late.
    pub(super) fn check(&self, now: Timestamp) {
        let event = RunEvent::Checked {
            deadline: self.spec.deadline(),
            heartbeat_limit: self.heartbeat_limit,
        };
        self.advance(event, now);
    }

    pub(super) fn log(&self, bytes: &[u8]) {
        lock(&self.log).push(bytes);
    }

    pub(super) fn log_text(&self) -> String {
        lock(&self.log).text()
    }

    pub(super) fn last_line(&self) -> Option<String> {
        lock(&self.log).last_line()
    }

    /// Takes memory from the limit, if that much is left.
    pub(super) fn reserve(&self, bytes: u64) -> Result<(), u64> {
        let limit = self.spec.memory_bytes().unwrap_or(u64::MAX);
        let more = |reserved: u64| reserved.checked_add(bytes).filter(|total| *total <= limit);
        self.reserved
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more)
            .map(|_| ())
    }

    pub(super) fn release(&self, bytes: u64) {
        self.reserved.fetch_sub(bytes, Ordering::AcqRel);
    }

    /// Writes the first record. `false` when the store knows the run.
    pub(super) async fn store_first(&self, states: &dyn StateStore) -> Result<bool, Error> {
        let mut stored = self.stored.lock().await;
        let key = key(&self.run);
        if let Some(snapshot) = states.load(&key).await? {
            // A record that cannot be read is better told now than taken for a run.
            read_record(&self.run, &snapshot.bytes)?;
            return Ok(false);
        }
        let record = self.record();
        match states.save(&key, 0, &record.bytes()?, self.token).await {
            Ok(()) => {
                stored.generation = 1;
                stored.status = Some(record.status);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes sure that a terminal status is stored before anybody is told of it.
    pub(super) async fn store_if_ended(&self, states: &dyn StateStore) -> Result<(), Error> {
        if self.is_ended() {
            self.store(states).await
        } else {
            Ok(())
        }
    }

    /// Writes the record as it is now, unless that is stored. A terminal status that somebody else stored first wins.
    pub(super) async fn store(&self, states: &dyn StateStore) -> Result<(), Error> {
        let mut stored = self.stored.lock().await;
        let key = key(&self.run);
        for _ in 0..ATTEMPTS {
            let record = self.record();
            if stored.status.as_ref() == Some(&record.status) {
                return Ok(());
            }
            match states
                .save(&key, stored.generation, &record.bytes()?, self.token)
                .await
            {
                Ok(()) => {
                    stored.generation = stored.generation.saturating_add(1);
                    stored.status = Some(record.status);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    // An earlier write that was reported as failed may have arrived, or another trainer took the run for cut off.
                    let Some(snapshot) = states.load(&key).await? else {
                        return Err(error);
                    };
                    let found = read_record(&self.run, &snapshot.bytes)?;
                    stored.generation = snapshot.generation;
                    if found.status.is_terminal() {
                        *lock(&self.status) = found.status.clone();
                    }
                    stored.status = Some(found.status);
                }
                Err(error) => return Err(error),
            }
        }
        let message = "its record keeps changing: is another trainer using the same store?";
        Err(Error::new(ErrorKind::Conflict, WRITE, message).with("run", &self.run))
    }

    fn record(&self) -> Record {
        let status = self.status();
        // The log of a run that goes on is in memory; it is written once, with the end.
        let logs = if status.is_terminal() {
            self.log_text()
        } else {
            String::new()
        };
        Record {
            spec: self.spec.clone(),
            status,
            logs,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const WRITE: &str = "write the record of a training run";
const ATTEMPTS: u32 = 8;
