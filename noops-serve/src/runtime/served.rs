//! One model version, ready to answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use noops_core::{
    Batch, Column, Contract, Digest, Error, ErrorKind, Executor, FeatureKind, ModelLoader,
    ModelVersion, Scores,
};
use tokio::sync::oneshot;

use super::combiner::Combiner;
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
    /// # Errors
    ///
    /// Refuses when too many rows wait, and when the model fails on the rows.
    pub async fn score(&self, batch: Batch) -> Result<Vec<f32>, Refusal> {
        if batch.rows() == 0 {
            return Ok(Vec::new());
        }
        let (reply, answer) = oneshot::channel();
        let submitted = self
            .queue
            .submit(batch.rows(), Job { batch, reply }, |jobs| {
                self.run_jobs(jobs)
            });
        if submitted.is_err() {
            return Err(Refusal::Overloaded);
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

    fn run_jobs(&self, jobs: Vec<Job>) {
        // Rows of a caller who has gone are not worth computing.
        let mut jobs = jobs.into_iter().filter(|job| !job.reply.is_closed());
        let Some(first) = jobs.next() else { return };
        let mut batch = first.batch;
        let mut waiting = vec![(batch.rows(), first.reply)];
        for job in jobs {
            match batch.append(&job.batch) {
                Ok(()) => waiting.push((job.batch.rows(), job.reply)),
                Err(error) => drop(job.reply.send(Err(Refusal::Model(error.to_string())))),
            }
        }
        match self.score_now(&batch) {
            Ok(scores) => {
                let mut rest = scores.into_iter();
                for (rows, reply) in waiting {
                    // A caller may have gone meanwhile; its neighbours must not notice.
                    drop(reply.send(Ok(rest.by_ref().take(rows).collect())));
                }
            }
            Err(error) => {
                for (_, reply) in waiting {
                    drop(reply.send(Err(Refusal::Model(error.to_string()))));
                }
            }
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
const PROBE_ROWS: usize = 16;

#[cfg(test)]
mod tests;
