#[cfg(unix)]
mod command;
mod context;
mod function;
mod live;
mod settings;

pub use context::{JobContext, JobOutput, Reservation};
pub use settings::{LocalSettings, LocalWork};

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::artifact::ArtifactStore;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::state::StateStore;
use crate::training::jobs::TrainingJobs;
use crate::training::local::live::{LiveRun, Record, read_record};
use crate::training::local::settings::Work;
use crate::training::run::{RunEvent, RunId, RunStatus};
use crate::training::spec::JobSpec;

/// Runs trainings in this process or in child processes of it, a bounded number at a time.
///
/// # Limits
///
/// | | a Rust function | a command (Unix) |
/// |---|---|---|
/// | stop, deadline | the status changes at once; the function ends when it next asks [`JobContext::check`] and keeps its place until then | its process group is killed |
/// | memory | what it [reserves](JobContext::reserve): cooperative, nothing is measured | its address space, by `ulimit -v`: hard, per process |
/// | heartbeat | what it tells; silence fails the run where [`LocalSettings::with_heartbeat_limit`] is set | that it is alive |
/// | panic, crash | the run fails with the message | the run fails with the exit status |
/// | log | what it [logs](JobContext::log) | what it prints, both streams |
/// | artifact | what it returns | the file it leaves at `$NOOPS_OUTPUT` |
///
/// The last 64 KiB of a log are kept. A command sees nothing of this process's environment but `PATH`, what
/// [`LocalSettings::with_environment`] gives and [`JobSpec::environment`]; it tells progress and metrics as
/// [`JobReport`](crate::JobReport) says.
///
/// # Durability
///
/// Every run has a record in the state store under `training/` and its name, written before it starts and never removed: that a
/// run ended is what keeps it from being started again. A new trainer over the same store knows the runs that ended, and reports
/// one that was cut off as failed when it is asked about it. One store belongs to one trainer at a time, which
/// [`LocalSettings::with_token`] enforces: a second one takes runs of the first for cut off.
///
/// It runs on the tokio runtime that `submit` is called on, which needs its timer, and for commands its I/O driver. A host that
/// is killed leaves running commands behind as orphans; they are not adopted.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use noops_core::{
///     InMemoryArtifacts, InMemoryStates, JobOutput, JobSpec, LocalSettings, LocalTrainer, LocalWork, RunStatus, SystemClock,
///     Timestamp, TrainingJobs,
/// };
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let work = LocalWork::function(|context| {
///     context.heartbeat(1, Some(0.25));
///     context.check()?;
///     Ok(JobOutput::new(b"weights".to_vec()).with_metric("auc", 0.9))
/// });
/// let artifacts = Arc::new(InMemoryArtifacts::new());
/// let states = Arc::new(InMemoryStates::new());
/// let trainer = LocalTrainer::new(work, LocalSettings::default(), artifacts, states, Arc::new(SystemClock));
///
/// let run = trainer.submit(&JobSpec::new("fraud".parse()?, Timestamp::UNIX_EPOCH)).await?;
/// let status = loop {
///     let status = trainer.status(&run).await?;
///     if status.is_terminal() {
///         break status;
///     }
///     tokio::time::sleep(Duration::from_millis(5)).await;
/// };
/// assert!(status.artifact().is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LocalTrainer {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    work: Work,
    settings: LocalSettings,
    artifacts: Arc<dyn ArtifactStore>,
    states: Arc<dyn StateStore>,
    clock: Arc<dyn Clock>,
    places: Arc<Semaphore>,
    live: Mutex<BTreeMap<RunId, Arc<LiveRun>>>,
    /// Held while it is decided whether a run is new, known or cut off.
    admission: tokio::sync::Mutex<()>,
}

impl LocalTrainer {
    /// A trainer that puts artifacts and records into the given stores.
    #[must_use]
    pub fn new(
        work: LocalWork,
        settings: LocalSettings,
        artifacts: Arc<dyn ArtifactStore>,
        states: Arc<dyn StateStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(settings.parallel_runs().get()));
        Self {
            shared: Arc::new(Shared {
                work: work.into_work(),
                settings,
                artifacts,
                states,
                clock,
                places,
                live: Mutex::new(BTreeMap::new()),
                admission: tokio::sync::Mutex::new(()),
            }),
        }
    }
}

#[async_trait]
impl TrainingJobs for LocalTrainer {
    async fn submit(&self, spec: &JobSpec) -> Result<RunId, Error> {
        self.shared.work.accepts(spec)?;
        let runtime = Handle::try_current().map_err(|error| {
            let message = "there is no tokio runtime to run it on";
            Error::new(ErrorKind::Invalid, SUBMIT, message).caused_by(error)
        })?;
        let (shared, spec) = (self.shared.clone(), spec.clone());
        // In a task of its own: a caller that gives up waiting must not leave a run that is recorded and never started.
        let begun = runtime.spawn(async move { begin(shared, spec).await });
        begun.await.unwrap_or_else(|lost| {
            let message = "the runtime is shutting down";
            Err(Error::new(ErrorKind::Unavailable, SUBMIT, message).caused_by(lost))
        })
    }

    async fn status(&self, run: &RunId) -> Result<RunStatus, Error> {
        match self.shared.locate(run).await? {
            Located::Here(live) => {
                live.check(self.shared.clock.now());
                live.store_if_ended(self.shared.states.as_ref()).await?;
                Ok(live.status())
            }
            Located::Ended(record) => Ok(record.status),
        }
    }

    async fn cancel(&self, run: &RunId) -> Result<(), Error> {
        match self.shared.locate(run).await? {
            Located::Here(live) => {
                live.advance(RunEvent::Cancelled, self.shared.clock.now());
                live.store_if_ended(self.shared.states.as_ref()).await
            }
            Located::Ended(_) => Ok(()),
        }
    }

    async fn logs(&self, run: &RunId) -> Result<String, Error> {
        match self.shared.locate(run).await? {
            Located::Here(live) => Ok(live.log_text()),
            Located::Ended(record) => Ok(record.logs),
        }
    }
}

impl fmt::Debug for LocalTrainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalTrainer")
            .field("work", &self.shared.work)
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn find(&self, run: &RunId) -> Option<Arc<LiveRun>> {
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(run)
            .cloned()
    }

    fn insert(&self, live: Arc<LiveRun>) {
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(live.run().clone(), live);
    }

    fn remove(&self, run: &RunId) {
        self.live
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(run);
    }

    async fn locate(&self, run: &RunId) -> Result<Located, Error> {
        if let Some(live) = self.find(run) {
            return Ok(Located::Here(live));
        }
        // A run that is just being taken in has a record and is not running yet; it must not be taken for cut off.
        let _admission = self.admission.lock().await;
        match self.find(run) {
            Some(live) => Ok(Located::Here(live)),
            None => Ok(Located::Ended(Box::new(self.ended(run).await?))),
        }
    }

    /// Fails as fenced once a trainer with a newer token has used the store, for runs that the newer one has not seen as well: a
    /// state store refuses old tokens under each key by itself.
    async fn claim(&self) -> Result<(), Error> {
        let token = self.settings.token();
        for _ in 0..ATTEMPTS {
            let owner = self.states.load(OWNER).await?;
            let generation = owner.map_or(0, |snapshot| snapshot.generation);
            match self.states.save(OWNER, generation, b"{}", token).await {
                Err(error) if error.kind() == ErrorKind::Conflict => (),
                claimed => return claimed,
            }
        }
        let message = "other trainers keep using the same store";
        Err(Error::new(ErrorKind::Conflict, SUBMIT, message))
    }

    /// The record of a run that this trainer is not running: one that has not ended was cut off.
    async fn ended(&self, run: &RunId) -> Result<Record, Error> {
        let key = live::key(run);
        for _ in 0..ATTEMPTS {
            let Some(snapshot) = self.states.load(&key).await? else {
                let message = "it was never submitted";
                return Err(Error::new(ErrorKind::NotFound, FIND, message).with("run", run));
            };
            let mut record = read_record(run, &snapshot.bytes)?;
            if record.status.is_terminal() {
                return Ok(record);
            }
            self.claim().await?;
            let reason = "what ran it ended before the run did: the run was cut off".to_owned();
            record.status = record
                .status
                .advance(RunEvent::Failed { reason }, self.clock.now());
            let bytes = record.bytes()?;
            let token = self.settings.token();
            match self
                .states
                .save(&key, snapshot.generation, &bytes, token)
                .await
            {
                Ok(()) => return Ok(record),
                Err(error) if error.kind() == ErrorKind::Conflict => (),
                Err(error) => return Err(error),
            }
        }
        let message = "its record keeps changing: is another trainer using the same store?";
        Err(Error::new(ErrorKind::Conflict, FIND, message).with("run", run))
    }
}

/// Where a run is.
enum Located {
    /// In this process.
    Here(Arc<LiveRun>),
    /// In the store, for good.
    Ended(Box<Record>),
}

/// Records a run and starts it, unless it is known.
async fn begin(shared: Arc<Shared>, spec: JobSpec) -> Result<RunId, Error> {
    let run = spec.run_id();
    let _admission = shared.admission.lock().await;
    if shared.find(&run).is_some() {
        return Ok(run);
    }
    shared.claim().await?;
    let live = Arc::new(LiveRun::new(spec, &shared.settings));
    if live.store_first(shared.states.as_ref()).await? {
        shared.insert(live.clone());
        tokio::spawn(supervise(shared.clone(), live));
    }
    Ok(run)
}

/// Sees a run through to its end, and forgets it once the end is stored.
async fn supervise(shared: Arc<Shared>, live: Arc<LiveRun>) {
    if let Some(place) = wait_for_place(&shared, &live).await {
        live.advance(RunEvent::Started, shared.clock.now());
        let begun = match shared.claim().await {
            Ok(()) => live.store(shared.states.as_ref()).await,
            Err(error) => Err(error),
        };
        match begun {
            Err(error) if error.kind() == ErrorKind::Fenced => {
                live.fail("a newer trainer has taken over", shared.clock.now());
            }
            // That it began is told by the end as well: a store that fails now does not stop the run.
            _ => (),
        }
        match &shared.work {
            _ if live.is_ended() => (),
            Work::Function(function) => {
                function::run(&shared, &live, function.clone(), place).await;
            }
            #[cfg(unix)]
            Work::Commands { directory } => {
                command::run(&shared, &live, directory).await;
                drop(place);
            }
        }
    }
    if live.store(shared.states.as_ref()).await.is_ok() {
        shared.remove(live.run());
    }
}

/// A place among the parallel runs, or `None` when the run has ended before it began.
async fn wait_for_place(shared: &Shared, live: &LiveRun) -> Option<OwnedSemaphorePermit> {
    let mut place = Box::pin(shared.places.clone().acquire_owned());
    loop {
        let waiting: Pin<&mut _> = place.as_mut();
        match timeout(shared.settings.poll(), waiting).await {
            Ok(got) => return got.ok().filter(|_| !live.is_ended()),
            Err(_) if live.is_ended() => return None,
            Err(_) => (),
        }
    }
}

const SUBMIT: &str = "submit a training run";
const FIND: &str = "find a training run";
const ATTEMPTS: u32 = 8;
/// The key that every trainer writes before it takes in or starts a run. No run has this name.
const OWNER: &str = "training/owner";

#[cfg(test)]
mod tests;
