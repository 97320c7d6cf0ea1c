//! Running a model.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::batch::{Batch, Scores};
use crate::error::Error;
use crate::registry::ModelVersion;

/// One replica of a model version, ready to score.
///
/// # Contract
///
/// * `run` MUST answer with one row of scores per row of the batch, in order; with none, of any width, for a batch without rows.
/// * A row's scores MUST NOT depend on the other rows of the batch, nor on what was run before: they are the same to the last bit.
/// * `run` gets `&mut self`, so that a replica may keep scratch space; it is never called from two threads at once.
/// * An error fails the whole batch. A panic is caught by the runtime and counts as an error.
/// * A replica MUST answer as the one it was made from does, and SHOULD share its weights.
pub trait Executor: Debug + Send + 'static {
    /// Scores the rows of a batch.
    ///
    /// # Errors
    ///
    /// When the model cannot score this batch.
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error>;

    /// Another replica of the same model, for a second thread or to replace one that panicked; `None` where there can be but one.
    fn replica(&self) -> Option<Box<dyn Executor>> {
        None
    }
}

impl Executor for Box<dyn Executor> {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        (**self).run(batch)
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        (**self).replica()
    }
}

/// Turns the verified bytes of an artifact into an executor.
///
/// # Contract
///
/// * `load` MUST NOT trust the bytes to be well formed: malformed ones are [`Corrupt`](crate::ErrorKind::Corrupt).
/// * Loading the same bytes twice MUST give executors that answer alike.
#[async_trait]
pub trait ModelLoader: Debug + Send + Sync + 'static {
    /// Builds an executor for a version.
    async fn load(
        &self,
        version: &ModelVersion,
        artifact: &[u8],
    ) -> Result<Box<dyn Executor>, Error>;
}
