//! One model version, ready to answer.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use noops_core::{
    Batch, Clock, Contract, Digest, Error, ErrorKind, Executor, ModelLoader, ModelVersion,
    SystemClock,
};
use tokio::runtime::{Handle, RuntimeFlavor};

use self::gather::GatherRule;
use self::lead::{BATCHES_FOR_OTHERS, Lead};
use self::replica::{TakingTurns, run};
pub use self::scored::Scored;
pub use self::settings::ServingSettings;
pub use super::cost::BatchCost;
use super::cost::CostModel;
use super::meter::Meter;
use super::queue::{Gather, Pace, Queue, QueueLimits, Turn, Urgency, Weight};
use super::request::{Priority, Refusal};
use super::slot::Slot;
use crate::telemetry::ModelTelemetry;

mod gather;
mod lead;
mod probe;
mod replica;
mod scored;
mod settings;

/// A loaded, verified and warmed-up model version behind its batch queue.
///
/// It has a queue of its own, so a batch never holds rows of two versions.
#[derive(Debug)]
pub struct ServedModel {
    version: ModelVersion,
    artifact_bytes: usize,
    queue: Queue<Job, Box<dyn Executor>>,
    /// Never run, so that nothing can have gone wrong with it: the replicas are made from it.
    template: Mutex<Box<dyn Executor>>,
    /// For rows that must not wait behind live ones, nor live ones behind them.
    background: Mutex<Box<dyn Executor>>,
    batch_invariant_up_to: usize,
    /// There can be but one executor: its replicas take turns.
    single: bool,
    cost: CostModel,
    gather: GatherRule,
    settings: ServingSettings,
    clock: Arc<dyn Clock>,
    meter: Meter,
}

/// Rows that wait.
#[derive(Debug)]
struct Job {
    batch: Batch,
    slot: Arc<Slot<Answered>>,
    since: Duration,
    /// In nanoseconds on the model's clock; `u64::MAX` for none.
    deadline: u64,
}

/// Whatever happens to a job, its caller hears of it. The first answer counts, so this one only where there was none.
impl Drop for Job {
    fn drop(&mut self) {
        self.slot
            .answer(Err(Refusal::Model("its batch was lost".to_owned())));
    }
}

impl Job {
    fn weight(&self) -> Weight {
        Weight {
            rows: self.batch.rows(),
            bytes: self.batch.bytes(),
        }
    }
}

type Answered = Result<Scored, Refusal>;

/// When a caller needs its answer, and how much it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call {
    timeout: Option<Duration>,
    priority: Priority,
}

impl Call {
    /// An answer is worth nothing after `timeout`: rows that cannot make it are refused at once, and those that did not are not run.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Rows of a higher priority are run first, and take the place of others when the queue is full.
    #[must_use]
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }
}

impl Call {
    pub(crate) fn has_timeout(self) -> bool {
        self.timeout.is_some()
    }

    /// What is left of its time when some is spent; `None` where there is no limit.
    pub(crate) fn left(self, spent: Duration) -> Option<Duration> {
        Some(self.timeout?.saturating_sub(spent))
    }

    /// The same call when some of its time is spent.
    pub(crate) fn less(mut self, spent: Duration) -> Self {
        self.timeout = self.left(spent);
        self
    }
}

impl ServedModel {
    /// Loads a version: verifies the artifact's digest, builds the executor, and probes it, see [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// `Corrupt` when the digest, the artifact or the output is wrong; `Invalid` when scores depend on the batch.
    pub async fn load(
        version: ModelVersion,
        artifact: &[u8],
        loader: &dyn ModelLoader,
    ) -> Result<Arc<Self>, Error> {
        let settings = ServingSettings::default();
        Self::load_with(version, artifact, loader, &settings, Arc::new(SystemClock)).await
    }

    /// Loads a version to be served with settings and a clock of the host's.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load).
    pub async fn load_with(
        version: ModelVersion,
        artifact: &[u8],
        loader: &dyn ModelLoader,
        settings: &ServingSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, Error> {
        if Digest::of(artifact) != version.digest() {
            return Err(Error::new(
                ErrorKind::Corrupt,
                "load a model version",
                "the artifact does not have the digest it is registered under",
            )
            .with("digest", version.digest()));
        }
        let executor = loader.load(&version, artifact).await?;
        Self::build(version, executor, settings, clock, artifact.len())
    }

    /// Serves an executor the host has built itself, with default settings on the machine's clock.
    ///
    /// It is run on probe rows in batches of every power of two up to the largest, which warms it up and shows that it keeps its
    /// output contract and up to which batch size a row's scores are those it has alone, to the last bit. Larger batches are not
    /// formed.
    ///
    /// # Errors
    ///
    /// `Corrupt` when an output breaks the contract; `Invalid` when scores depend on the batch even in small ones.
    pub fn new(version: ModelVersion, executor: Box<dyn Executor>) -> Result<Arc<Self>, Error> {
        let settings = ServingSettings::default();
        Self::with_settings(version, executor, &settings, Arc::new(SystemClock))
    }

    /// Serves an executor the host has built itself.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn with_settings(
        version: ModelVersion,
        executor: Box<dyn Executor>,
        settings: &ServingSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, Error> {
        Self::build(version, executor, settings, clock, 0)
    }

    fn build(
        version: ModelVersion,
        executor: Box<dyn Executor>,
        settings: &ServingSettings,
        clock: Arc<dyn Clock>,
        artifact_bytes: usize,
    ) -> Result<Arc<Self>, Error> {
        let (many, single): (Box<dyn Executor>, bool) = match executor.replica() {
            Some(replica) => (replica, false),
            None => (Box::new(TakingTurns::new(executor)), true),
        };
        let replicas = if single { 1 } else { settings.replica_count() };
        let replica = || {
            many.replica().ok_or_else(|| {
                Error::new(
                    ErrorKind::Invalid,
                    "serve a model",
                    "its replica has no replica",
                )
            })
        };
        let mut background = replica()?;
        let probed = probe::probe(
            &version,
            background.as_mut(),
            settings.batch_rows.get(),
            clock.as_ref(),
        )?;
        let limits = QueueLimits {
            rows: settings.queued_rows,
            bytes: settings.queued_bytes,
            batch_rows: probed.batch_invariant_up_to,
        };
        let ready = (0..replicas).map(|_| replica()).collect::<Result<_, _>>()?;
        let meter = Meter::default();
        meter.scaled(replicas);
        Ok(Arc::new(Self {
            artifact_bytes,
            queue: Queue::new(limits, ready),
            template: Mutex::new(replica()?),
            background: Mutex::new(background),
            batch_invariant_up_to: probed.batch_invariant_up_to,
            single,
            cost: probed.cost,
            gather: GatherRule::default(),
            settings: settings.clone(),
            clock,
            meter,
            version,
        }))
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> &ModelVersion {
        &self.version
    }

    /// The digest of the version.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.version.digest()
    }

    /// The input and output rules.
    #[must_use]
    pub fn contract(&self) -> &Contract {
        &self.version.registration().contract
    }

    /// The largest batch, in rows, in which a row's scores were found to be those it has alone, to the last bit. No larger batch is
    /// ever formed.
    #[must_use]
    pub fn batch_invariant_up_to(&self) -> usize {
        self.batch_invariant_up_to
    }

    /// What a batch costs at present, as learned from those that ran.
    #[must_use]
    pub fn cost(&self) -> BatchCost {
        self.cost.present()
    }

    /// How many rows wait.
    #[must_use]
    pub fn waiting_rows(&self) -> usize {
        self.queue.waits().rows
    }

    /// How many replicas answer at the same time.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.queue.replicas()
    }

    /// The size of the artifact it was loaded from; zero for an executor of the host's own.
    #[must_use]
    pub fn artifact_bytes(&self) -> usize {
        self.artifact_bytes
    }

    /// What happened to its requests.
    #[must_use]
    pub fn telemetry(&self) -> &Arc<ModelTelemetry> {
        self.meter.telemetry()
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Sets how many replicas answer at the same time. New ones begin at once; a replica that is at work is not taken away, so that
    /// fewer may go than were asked for. Says how many there are then.
    ///
    /// An executor of which there can be but one stays alone.
    pub fn scale(self: &Arc<Self>, replicas: NonZeroUsize) -> usize {
        while !self.single && self.queue.replicas() < replicas.get() {
            let Some(replica) = self.fresh_replica() else {
                break;
            };
            if let Some(replica) = self.queue.add(replica) {
                self.hand_over(Lead::new(self.clone(), replica, 0, Gather::No));
            }
        }
        while self.queue.replicas() > replicas.get() && self.queue.remove().is_some() {}
        let replicas = self.queue.replicas();
        self.meter.scaled(replicas);
        replicas
    }

    /// Scores rows, together with those of other callers who come at the same time.
    ///
    /// A caller who finds a replica idle scores its own rows at once, and then a few batches of those who came meanwhile; if more wait
    /// even then, a task of a multi-threaded runtime goes on, so that nobody works for others for long. Elsewhere the caller stays until
    /// nobody waits. Dropping the call loses its own answer and nobody else's.
    ///
    /// # Errors
    ///
    /// Refuses when too many rows wait, when the rows cannot be scored in time, and when the model fails on them.
    pub async fn score(self: &Arc<Self>, batch: Batch, call: Call) -> Result<Scored, Refusal> {
        if batch.rows() == 0 {
            return Ok(Scored::none());
        }
        let cost = self.cost.present();
        let batches = batch.rows().div_ceil(self.batch_invariant_up_to).max(1);
        let expected_ns = f64::from(cost.row_ns()) * batch.rows() as f64
            + f64::from(cost.batch_ns()) * batches as f64;
        let mut tried = false;
        if let Some(timeout) = call.timeout
            && (timeout.is_zero() || expected_ns > timeout.as_nanos() as f64)
        {
            tried = !timeout.is_zero() && self.meter.is_to_be_tried();
            if !tried {
                return Err(Refusal::TooLate);
            }
        }
        let offload = expected_ns > self.settings.offload_above.as_nanos() as f64;
        let gather = match self.gather.decide(cost) {
            // Somebody has to lead when the others have come.
            Gather::Yes if Handle::try_current().is_err() => Gather::No,
            gather => gather,
        };
        if gather == Gather::No
            && !offload
            && let Some(replica) = self.queue.try_lead(batch.rows())
        {
            let mut lead = Lead::new(self.clone(), replica, batch.rows(), Gather::No);
            let answer = lead.run_own(&batch, call);
            if self.is_much_to_do() || !lead.run(BATCHES_FOR_OTHERS) {
                self.hand_over(lead);
            }
            return answer;
        }
        self.score_in_queue(batch, call, gather, offload, tried)
            .await
    }

    async fn score_in_queue(
        self: &Arc<Self>,
        batch: Batch,
        call: Call,
        gather: Gather,
        offload: bool,
        tried: bool,
    ) -> Result<Scored, Refusal> {
        let now = self.clock.monotonic();
        let urgency = Urgency {
            priority: call.priority.rank(),
            deadline: self.deadline(call),
        };
        let slot = Arc::new(Slot::new());
        let job = Job {
            batch,
            slot: slot.clone(),
            since: now,
            deadline: urgency.deadline,
        };
        let weight = job.weight();
        self.meter.begins_to_wait(weight);
        let pace = call.timeout.filter(|_| !tried).map(|_| self.pace(now));
        let mut waiting = Waiting {
            slot,
            lead: Arc::default(),
        };
        let mut evicted = Vec::new();
        let turn = self
            .queue
            .submit(urgency, weight, job, pace, gather, &mut evicted);
        for job in evicted {
            self.meter.waits_no_more(job.weight());
            job.slot.answer(Err(Refusal::Overloaded));
        }
        match turn {
            Turn::Wait => (),
            Turn::Lead(replica) => {
                let mut lead = Lead::new(self.clone(), replica, 0, gather);
                match Handle::try_current() {
                    Ok(runtime) if offload => {
                        drop(runtime.spawn_blocking(move || drop(lead)));
                    }
                    Ok(runtime) if gather == Gather::Yes => {
                        waiting.lead = Arc::new(Mutex::new(Some(lead)));
                        drop(runtime.spawn(lead_when_polled(waiting.lead.clone())));
                    }
                    _ => {
                        if !lead.run(BATCHES_FOR_OTHERS) {
                            self.hand_over(lead);
                        }
                    }
                }
            }
            Turn::Full(job) => {
                self.meter.waits_no_more(job.weight());
                return Err(Refusal::Overloaded);
            }
            Turn::TooLate(job) => {
                self.meter.waits_no_more(job.weight());
                return Err(Refusal::TooLate);
            }
        }
        std::future::poll_fn(|context| waiting.slot.poll(context))
            .await
            .unwrap_or_else(|| Err(Refusal::Model("it was shut down".to_owned())))
    }

    /// Has somebody else go on leading, or brings the lead to its end here.
    fn hand_over(&self, mut lead: Lead) {
        let quick = !self.is_much_to_do();
        match Handle::try_current() {
            Ok(runtime) if quick && runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
                drop(runtime.spawn(async move {
                    while !lead.run(BATCHES_FOR_OTHERS) {
                        tokio::task::yield_now().await;
                    }
                }));
            }
            // A single thread has its own events to see to, and so has any thread where batches take long.
            Ok(runtime) => drop(runtime.spawn_blocking(move || drop(lead))),
            Err(_) => drop(lead),
        }
    }

    /// Scores rows on this thread, past the queue: what evaluations want. Live rows do not wait for it.
    ///
    /// # Errors
    ///
    /// When the model fails, panics, or breaks its output contract.
    pub fn score_now(&self, batch: &Batch) -> Result<Vec<f32>, Error> {
        let scores = self.score_rows_now(batch)?;
        let whole: Option<Vec<f32>> = scores.into_iter().collect();
        whole.ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                "accept a model's output",
                "a score is outside the contract",
            )
            .with("version", self.version.number())
        })
    }

    /// Scores rows on this thread, past the queue: what shadows want. `None` for a row whose output breaks the contract.
    pub(crate) fn score_rows_now(&self, batch: &Batch) -> Result<Vec<Option<f32>>, Error> {
        let rows: Vec<usize> = (0..batch.rows()).collect();
        let mut scores = Vec::with_capacity(rows.len());
        // In pieces: live rows may want the processor between them, and activations stay in the cache.
        for piece in rows.chunks(self.batch_invariant_up_to) {
            let batch = batch.take(piece);
            let mut background = self
                .background
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let ran = run(&self.version, background.as_mut(), &batch);
            if let Err(replica::RunError::Panicked(_)) = &ran
                && let Some(fresh) = self.fresh_replica()
            {
                *background = fresh;
            }
            drop(background);
            let ran = ran?;
            scores.extend(Scored::new(ran.scores, ran.broken).firsts());
        }
        Ok(scores)
    }

    #[cfg(test)]
    pub(crate) fn occupy(&self) -> bool {
        self.queue.try_lead(0).is_some()
    }

    /// How many callers wait.
    #[cfg(test)]
    pub(crate) fn awaited(&self) -> usize {
        self.queue.count(|job| !job.slot.is_closed())
    }

    fn pace(&self, now: Duration) -> Pace {
        let cost = self.cost.present();
        Pace {
            now: nanoseconds(now),
            row_ns: f64::from(cost.row_ns()),
            batch_ns: f64::from(cost.batch_ns()),
        }
    }

    /// Whether what waits takes longer than a caller or a thread of the runtime may be kept from its own work.
    fn is_much_to_do(&self) -> bool {
        let (cost, longest) = (self.cost.present(), self.settings.offload_above);
        let is_long = |rows| cost.predict_ns(rows) > longest.as_nanos() as f64;
        // Most models are quick in any batch, and their callers need not look.
        if !is_long(self.batch_invariant_up_to) {
            return false;
        }
        let rows = self.queue.waits().rows;
        rows > 0 && is_long(rows.min(self.batch_invariant_up_to))
    }

    fn deadline(&self, call: Call) -> u64 {
        call.timeout.map_or(u64::MAX, |timeout| {
            nanoseconds(self.clock.monotonic().saturating_add(timeout))
        })
    }

    fn fresh_replica(&self) -> Option<Box<dyn Executor>> {
        let template = self.template.lock().unwrap_or_else(PoisonError::into_inner);
        template.replica()
    }
}

/// A caller who waits. When it goes its slot is closed, so that nobody runs its rows, and a lead that it let others go before is
/// brought to its end.
struct Waiting {
    slot: Arc<Slot<Answered>>,
    lead: Arc<Mutex<Option<Lead>>>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.slot.close();
        drop(taken(&self.lead));
    }
}

/// Leads once everybody who was ready has been polled.
async fn lead_when_polled(lead: Arc<Mutex<Option<Lead>>>) {
    let Some(mut lead) = taken(&lead) else {
        return;
    };
    while !lead.run(BATCHES_FOR_OTHERS) {
        tokio::task::yield_now().await;
    }
}

fn taken(lead: &Mutex<Option<Lead>>) -> Option<Lead> {
    lead.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(shuttle)]
#[cfg(test)]
mod storm;
#[cfg(not(any(loom, shuttle)))]
#[cfg(test)]
mod tests;
