//! Running a model so that what goes wrong stays with the rows it went wrong on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use noops_core::{Batch, Error, ErrorKind, Executor, ModelVersion, Scores};

/// What one run gave.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) scores: Scores,
    /// Which rows broke the output contract, if any did.
    pub(super) broken: Option<Vec<bool>>,
}

/// Why a run gave nothing.
#[derive(Debug)]
pub(super) enum RunError {
    /// The model failed, or answered another number of rows.
    Failed(Error),
    /// It panicked: the replica is not to be used again.
    Panicked(Error),
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Failed(error) | RunError::Panicked(error) => error,
        }
    }
}

/// Runs a batch and looks at every row that comes out.
pub(super) fn run(
    version: &ModelVersion,
    executor: &mut dyn Executor,
    batch: &Batch,
) -> Result<Ran, RunError> {
    // What a panic leaves behind in safe code is not undefined, and whoever calls this replaces the replica.
    let Ok(scores) = catch_unwind(AssertUnwindSafe(|| executor.run(batch))) else {
        let error = Error::new(ErrorKind::Unavailable, "run a model", "it panicked");
        return Err(RunError::Panicked(error.with("version", version.number())));
    };
    let scores = scores.map_err(RunError::Failed)?;
    let rule = version.registration().contract.output();
    let Err(error) = rule.check(&scores, batch.rows()) else {
        return Ok(Ran {
            scores,
            broken: None,
        });
    };
    if scores.rows() != batch.rows() {
        return Err(RunError::Failed(error));
    }
    let broken = scores.iter().map(|row| !rule.keeps(row)).collect();
    Ok(Ran {
        scores,
        broken: Some(broken),
    })
}

/// Stands for an executor of which there can be but one: its replicas take turns.
#[derive(Debug)]
pub(super) struct TakingTurns(Arc<Mutex<Box<dyn Executor>>>);

impl TakingTurns {
    pub(super) fn new(executor: Box<dyn Executor>) -> Self {
        Self(Arc::new(Mutex::new(executor)))
    }
}

impl Executor for TakingTurns {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        let mut executor = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        executor.run(batch)
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(Self(self.0.clone())))
    }
}
