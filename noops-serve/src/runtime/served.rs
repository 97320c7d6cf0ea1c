//! One model version, ready to answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use noops_core::{
    Batch, Column, Contract, Digest, Error, ErrorKind, Executor, FeatureKind, ModelLoader,
    ModelVersion, Scores,
};
use tokio::runtime::RuntimeFlavor;
use tokio::sync::oneshot;

use super::combiner::{Combiner, Left, Turn};
use super::request::Refusal;

/// A loaded, verified and warmed-up model version behind its batch queue.
#[derive(Debug)]
pub struct ServedModel {
    version: ModelVersion,
    executor: Mutex<Box<dyn Executor>>,
    queue: Combiner<Job>,
}

#[derive(Debug)]
struct Job {
    batch: Batch,
    reply: oneshot::Sender<Result<Vec<f32>, Refusal>>,
}

impl ServedModel {
    /// Loads a version: verifies the artifact's digest, builds the executor, and runs it on probe rows, which warms it up and
    /// shows that it keeps its output contract and that a row's score does not depend on its batch.
    ///
    /// # Errors
    ///
    /// `Corrupt` when the digest, the artifact or the output is wrong; `Invalid` when scores depend on the batch.
    pub async fn load(
        version: ModelVersion,
        artifact: &[u8],
        loader: &dyn ModelLoader,
    ) -> Result<Arc<Self>, Error> {
        if Digest::of(artifact) != version.digest() {
            return Err(Error::new(
                ErrorKind::Corrupt,
                LOAD,
                "the artifact does not have the digest it is registered under",
            )
            .with("digest", version.digest()));
        }
        let executor = loader.load(&version, artifact).await?;
        Self::new(version, executor)
    }

    /// Serves an executor the host has built itself. It is probed like a loaded one.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load).
    pub fn new(version: ModelVersion, executor: Box<dyn Executor>) -> Result<Arc<Self>, Error> {
        let served = Self {
            version,
            executor: Mutex::new(executor),
            queue: Combiner::new(QUEUED_ROWS, BATCH_ROWS),
        };
        served.probe()?;
        Ok(Arc::new(served))
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

    /// Scores rows, together with those of other callers who come at the same time: the first number of each row's output.
    ///
    /// A caller who finds nobody at work scores its own rows at once, and then a few batches of those who came meanwhile; if
    /// more wait even then, a task of a multi-threaded runtime goes on, so that nobody works for others for long. Elsewhere
    /// the caller stays until nobody waits. Dropping the call loses its own answer and nobody else's.
    ///
    /// # Errors
    ///
    /// Refuses when too many rows wait, and when the model fails on the rows.
    pub async fn score(self: &Arc<Self>, batch: Batch) -> Result<Vec<f32>, Refusal> {
        if batch.rows() == 0 {
            return Ok(Vec::new());
        }
        let (reply, answer) = oneshot::channel();
        match self.queue.submit(batch.rows(), Job { batch, reply }) {
            Err(_) => return Err(Refusal::Overloaded),
            Ok(Turn::Wait) => (),
            Ok(Turn::Lead) => self.lead(),
        }
        answer
            .await
            .unwrap_or_else(|_| Err(Refusal::Model("it was shut down".to_owned())))
    }

    /// Scores rows on this thread, past the queue.
    ///
    /// # Errors
    ///
    /// When the model fails, panics, or breaks its output contract.
    pub fn score_now(&self, batch: &Batch) -> Result<Vec<f32>, Error> {
        if batch.rows() <= BATCH_ROWS {
            return self.score_batch(batch);
        }
        // In pieces: live rows may wait between them, and activations stay in the cache.
        let rows: Vec<usize> = (0..batch.rows()).collect();
        let mut scores = Vec::with_capacity(rows.len());
        for piece in rows.chunks(BATCH_ROWS) {
            scores.extend(self.score_batch(&batch.take(piece))?);
        }
        Ok(scores)
    }

    fn score_batch(&self, batch: &Batch) -> Result<Vec<f32>, Error> {
        let mut executor = self.executor.lock().unwrap_or_else(PoisonError::into_inner);
        // The executor is not observed after a panic in a way that could break its invariants in safe code; a model that
        // panics twice fails twice.
        let scores =
            catch_unwind(AssertUnwindSafe(|| executor.run(batch))).unwrap_or_else(|_| {
                Err(
                    Error::new(ErrorKind::Unavailable, "run a model", "it panicked")
                        .with("version", self.version.number()),
                )
            })?;
        drop(executor);
        self.contract().output().check(&scores, batch.rows())?;
        Ok(first_of_each_row(&scores))
    }

    fn lead(self: &Arc<Self>) {
        let left = self
            .queue
            .lead(BATCHES_FOR_OTHERS, |jobs| self.run_jobs(jobs));
        if left == Left::Nothing {
            return;
        }
        let successor = Successor {
            model: self.clone(),
            left,
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
                drop(runtime.spawn(successor.lead()));
            }
            // A single thread may never poll the task again: better to bring the lead to its end here.
            _ => drop(successor),
        }
    }

    fn run_jobs(&self, jobs: Vec<Job>) {
        // Rows of a caller who has gone are not worth computing.
        let jobs: Vec<Job> = jobs
            .into_iter()
            .filter(|job| !job.reply.is_closed())
            .collect();
        let scored = match jobs.as_slice() {
            [] | [_] => None,
            [first, rest @ ..] => {
                let mut together = first.batch.clone();
                let joined = rest.iter().all(|job| together.append(&job.batch).is_ok());
                joined.then(|| self.score_now(&together).ok()).flatten()
            }
        };
        let Some(scores) = scored else {
            // Alone: there is nobody else, or one caller's rows are what the model fails on, and that must not cost the others
            // their answers.
            for job in jobs {
                let scores = self.score_now(&job.batch);
                // A caller may have gone meanwhile; its neighbours must not notice.
                drop(
                    job.reply
                        .send(scores.map_err(|error| Refusal::Model(error.to_string()))),
                );
            }
            return;
        };
        let mut rest = scores.into_iter();
        for job in jobs {
            drop(
                job.reply
                    .send(Ok(rest.by_ref().take(job.batch.rows()).collect())),
            );
        }
    }

    fn probe(&self) -> Result<(), Error> {
        let batch = probe_rows(self.contract())?;
        let together = self.score_now(&batch)?;
        for (row, batched) in together.iter().enumerate() {
            let alone = self.score_now(&batch.take(&[row]))?;
            if alone.first().map(|score| score.to_bits()) != Some(batched.to_bits()) {
                let error = Error::new(
                    ErrorKind::Invalid,
                    LOAD,
                    "the score of a row depends on the batch it is in",
                );
                return Err(error
                    .with("version", self.version.number())
                    .with("probe row", row));
            }
        }
        Ok(())
    }
}

/// Goes on leading in a task. Dropped with its runtime, it brings the lead to its end first.
struct Successor {
    model: Arc<ServedModel>,
    left: Left,
}

impl Successor {
    async fn lead(mut self) {
        while self.left == Left::Perhaps {
            self.lead_on();
            tokio::task::yield_now().await;
        }
    }

    fn lead_on(&mut self) {
        // Should a batch unwind, the lead has ended with it.
        self.left = Left::Nothing;
        let run = |jobs| self.model.run_jobs(jobs);
        self.left = self.model.queue.lead(BATCHES_FOR_OTHERS, run);
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        while self.left == Left::Perhaps {
            self.lead_on();
        }
    }
}

fn first_of_each_row(scores: &Scores) -> Vec<f32> {
    scores
        .iter()
        .filter_map(|row| row.first().copied())
        .collect()
}

/// Rows that touch the ends and the middle of every number and walk through every category.
fn probe_rows(contract: &Contract) -> Result<Batch, Error> {
    let columns = contract
        .rules()
        .iter()
        .map(|rule| match rule.feature().kind() {
            FeatureKind::Number { min, max } => {
                let (min, max) = if max - min < f64::from(f32::MAX) {
                    (*min, *max)
                } else {
                    (-1.0, 1.0)
                };
                let at = |row: usize| (min + (max - min) * (row % 3) as f64 / 2.0) as f32;
                Column::Number((0..PROBE_ROWS).map(at).collect())
            }
            FeatureKind::Category { categories } => {
                let codes = categories.len() as u32 + 1;
                Column::Category((0..PROBE_ROWS as u32).map(|row| row % codes).collect())
            }
        });
    Batch::new(columns.collect())
}

const LOAD: &str = "load a model version";
/// How many rows may wait for one version.
const QUEUED_ROWS: usize = 65_536;
/// How many rows are run at once. Beyond this a batch saves no more time, and activations would outgrow the cache.
const BATCH_ROWS: usize = 256;
/// How many batches a caller runs before it leaves the rest to a task.
const BATCHES_FOR_OTHERS: usize = 4;
const PROBE_ROWS: usize = 16;

#[cfg(test)]
mod tests;
