use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Error;
use crate::training::run::{RunId, RunStatus};
use crate::training::spec::JobSpec;

/// A place where training runs happen: this process, a cluster.
///
/// # Contract
///
/// * `submit` MUST be idempotent: the same specification is the same run, which MUST NOT be started twice — not while it runs,
///   not when two callers submit at once, and not after it ended, however it ended. Change the seed or a parameter for another
///   attempt.
/// * `submit` MUST NOT wait for the run.
/// * A terminal status MUST be final: once reported it MUST be reported ever after. A run that was cut off by a crash of what ran
///   it MUST become [`Failed`](RunStatus::Failed).
/// * `cancel` MUST be idempotent and MUST leave a run that has ended as it is.
/// * `status`, `cancel` and `logs` of a run that was never submitted MUST fail with [`NotFound`](crate::ErrorKind::NotFound).
/// * `status` of a run that is past its deadline MUST stop it, and its end MUST be [`TimedOut`](RunStatus::TimedOut).
/// * `logs` MUST be bounded; it SHOULD hold the end of what the run wrote.
#[async_trait]
pub trait TrainingJobs: Debug + Send + Sync + 'static {
    /// Starts a run, unless it was started before.
    async fn submit(&self, spec: &JobSpec) -> Result<RunId, Error>;

    /// How far a run is.
    async fn status(&self, run: &RunId) -> Result<RunStatus, Error>;

    /// Stops a run, if it has not ended.
    async fn cancel(&self, run: &RunId) -> Result<(), Error>;

    /// The end of what a run wrote.
    async fn logs(&self, run: &RunId) -> Result<String, Error>;
}
