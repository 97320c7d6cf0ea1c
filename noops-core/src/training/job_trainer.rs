mod settings;

pub use settings::JobTrainerSettings;

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use async_trait::async_trait;

use crate::artifact::ArtifactStore;
use crate::contract::Contract;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::registry::Lineage;
use crate::trainer::{Holdout, TrainedModel, Trainer, TrainingRequest};
use crate::training::jobs::TrainingJobs;
use crate::training::run::{RunId, RunStatus};
use crate::training::spec::JobSpec;

/// What a host decides about a training before it runs: what to run, and what a job does not bring back.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JobPlan {
    /// What to run. [`JobTrainer`] sets the snapshot and adds the parameters that it names.
    pub spec: JobSpec,
    /// The input and output rules of the model.
    pub contract: Contract,
    /// The training features, for the reference profile.
    pub reference: Vec<RecordBatch>,
    /// Rows to compare the candidate with the champion on, which the job must not learn from.
    pub holdout: Holdout,
    /// The version of the feature view that made the rows.
    pub feature_view: Option<Digest>,
    /// The revision of the training code.
    pub code_revision: String,
}

impl JobPlan {
    /// A plan without reference features, feature view and code revision; set those that are known.
    #[must_use]
    pub fn new(spec: JobSpec, contract: Contract, holdout: Holdout) -> Self {
        Self {
            spec,
            contract,
            reference: Vec::new(),
            holdout,
            feature_view: None,
            code_revision: String::new(),
        }
    }
}

/// Turns what a controller asks for into a job.
///
/// # Contract
///
/// * The same request MUST give the same plan: a run that was cut off is planned again, and found by its specification.
/// * Nothing in the plan may come from after [`TrainingRequest::snapshot_at`] or from a quarantined span.
/// * `plan` MUST NOT block the thread it is polled on.
#[async_trait]
pub trait JobPlanner: Debug + Send + Sync + 'static {
    /// Plans a training.
    async fn plan(&self, request: &TrainingRequest) -> Result<JobPlan, Error>;
}

/// Trains candidates as runs of a [`TrainingJobs`]: what puts a [`LocalTrainer`](crate::LocalTrainer) or a
/// [`RayJobs`](crate::RayJobs) behind the [`Trainer`] of a controller.
///
/// The run of a request is that of its plan with the snapshot of the request and these parameters, which take the place of those
/// of the plan with the same name:
///
/// | Parameter | Value |
/// |---|---|
/// | `run` | the name of the request, so that another request is another run |
/// | `parent` | the digest of the champion, if there is one |
/// | `quarantined` | the spans not to learn from, as a JSON array of objects with `from` and `until` |
/// | `attempt` | 2 for the second attempt and so on; the artifact must not depend on it |
///
/// # Crashes
///
/// A host that crashes and asks again for the same request finds the run where it is, as it goes on or as it ended. Therefore a
/// future of `train` that is dropped does not stop its run, against what a [`Trainer`] should do: a cancelled run could never be
/// asked for again. The [deadline](JobSpec::deadline) of the specification ends what nobody waits for, where somebody asks for its
/// status.
///
/// A run that failed is attempted again, [`JobTrainerSettings::with_attempts`] times in all, since it may have been cut off with
/// the process or the machine that ran it; so is one that the cluster has forgotten. One that was cancelled or timed out is not.
/// Errors that are [retryable](Error::is_retryable) are waited out, [`JobTrainerSettings::with_tolerated_failures`] in a row.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use noops_core::{
///     Contract, Digest, Error, Feature, FeatureRule, Holdout, InMemoryArtifacts, InMemoryStates, JobOutput, JobPlan, JobPlanner,
///     JobSpec, JobTrainer, JobTrainerSettings, LocalSettings, LocalTrainer, LocalWork, ModelName, OutputRule, SystemClock,
///     Timestamp, Trainer, TrainingRequest, arrow_array::{Float64Array, RecordBatch}, async_trait,
/// };
///
/// #[derive(Debug)]
/// struct Planner {
///     model: ModelName,
///     held_out: RecordBatch,
/// }
///
/// #[async_trait]
/// impl JobPlanner for Planner {
///     async fn plan(&self, request: &TrainingRequest) -> Result<JobPlan, Error> {
///         let spec = JobSpec::new(self.model.clone(), request.snapshot_at);
///         let rule = FeatureRule::strict(Feature::number_between("x", 0.0, 1.0));
///         let contract = Contract::new([rule], OutputRule::probability())?;
///         let holdout = Holdout { features: self.held_out.clone(), labels: vec![true], blocks: vec![0] };
///         Ok(JobPlan::new(spec, contract, holdout))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let artifacts = Arc::new(InMemoryArtifacts::new());
/// // Or `RayJobs`, whose jobs put their artifacts into a store that this process reads too.
/// let jobs = LocalTrainer::new(
///     LocalWork::function(|_| Ok(JobOutput::new(b"weights".to_vec()))),
///     LocalSettings::default(),
///     artifacts.clone(),
///     Arc::new(InMemoryStates::new()),
///     Arc::new(SystemClock),
/// );
/// let x = Float64Array::from(vec![0.5]);
/// let planner = Planner { model: "fraud".parse()?, held_out: RecordBatch::try_from_iter([("x", Arc::new(x) as _)])? };
/// let settings = JobTrainerSettings::default().with_poll(Duration::from_millis(5));
/// let trainer = JobTrainer::new(Arc::new(jobs), artifacts, Arc::new(planner), settings);
///
/// let request = TrainingRequest {
///     run: "fraud-1".into(),
///     snapshot_at: Timestamp::UNIX_EPOCH,
///     parent: Some(Digest::of(b"champion")),
///     quarantined: Vec::new(),
/// };
/// assert_eq!(trainer.train(&request).await?.artifact, b"weights");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct JobTrainer {
    jobs: Arc<dyn TrainingJobs>,
    artifacts: Arc<dyn ArtifactStore>,
    planner: Arc<dyn JobPlanner>,
    settings: JobTrainerSettings,
}

impl JobTrainer {
    /// A trainer that plans with `planner`, runs on `jobs`, and loads what a run gave from `artifacts`, the store that the runs
    /// put it into.
    #[must_use]
    pub fn new(
        jobs: Arc<dyn TrainingJobs>,
        artifacts: Arc<dyn ArtifactStore>,
        planner: Arc<dyn JobPlanner>,
        settings: JobTrainerSettings,
    ) -> Self {
        Self {
            jobs,
            artifacts,
            planner,
            settings,
        }
    }

    /// The artifact of the first attempt that succeeds, and its run.
    async fn succeed(&self, spec: &JobSpec) -> Result<(Digest, RunId), Error> {
        let attempts = self.settings.attempts().get();
        let mut attempt: u32 = 1;
        loop {
            let spec = match attempt {
                1 => spec.clone(),
                later => spec.clone().with_parameter("attempt", later.to_string()),
            };
            let run = self.patiently(|| self.jobs.submit(&spec)).await?;
            match self.ended(&run).await {
                Ok(RunStatus::Succeeded { artifact, .. }) => return Ok((artifact, run)),
                Ok(RunStatus::Failed { .. }) if attempt < attempts => (),
                Ok(status) => return Err(no_artifact(&run, &status)),
                // It was submitted just now, so the cluster has forgotten it.
                Err(error) if error.kind() == ErrorKind::NotFound && attempt < attempts => (),
                Err(error) => return Err(error),
            }
            attempt = attempt.saturating_add(1);
        }
    }

    async fn ended(&self, run: &RunId) -> Result<RunStatus, Error> {
        loop {
            let status = self.patiently(|| self.jobs.status(run)).await?;
            if status.is_terminal() {
                return Ok(status);
            }
            tokio::time::sleep(self.settings.poll()).await;
        }
    }

    /// Does something until it is done or fails for good.
    async fn patiently<T, W>(&self, mut work: impl FnMut() -> W) -> Result<T, Error>
    where
        W: Future<Output = Result<T, Error>>,
    {
        let mut failures: u32 = 0;
        loop {
            match work().await {
                Err(error)
                    if error.is_retryable() && failures < self.settings.tolerated_failures() =>
                {
                    failures = failures.saturating_add(1);
                }
                result => return result,
            }
            tokio::time::sleep(self.settings.poll()).await;
        }
    }
}

#[async_trait]
impl Trainer for JobTrainer {
    fn expected_duration(&self) -> Duration {
        self.settings.expected_duration()
    }

    async fn train(&self, request: &TrainingRequest) -> Result<TrainedModel, Error> {
        let plan = self.patiently(|| self.planner.plan(request)).await?;
        let spec = specification(&plan.spec, request)?;
        let (digest, run) = self.succeed(&spec).await?;
        let artifact = self.patiently(|| self.artifacts.load(&digest)).await?;
        let mut parameters = plan.spec.parameters().clone();
        parameters
            .entry("seed".to_owned())
            .or_insert_with(|| plan.spec.seed().to_string());
        Ok(TrainedModel {
            artifact,
            contract: plan.contract,
            parameters,
            lineage: Lineage {
                training_run: run.to_string(),
                dataset: plan.spec.dataset(),
                feature_view: plan.feature_view,
                code_revision: plan.code_revision,
                parent: request.parent,
            },
            reference: plan.reference,
            holdout: plan.holdout,
        })
    }
}

/// A plan's specification for one request.
fn specification(planned: &JobSpec, request: &TrainingRequest) -> Result<JobSpec, Error> {
    let quarantined = serde_json::to_string(&request.quarantined).map_err(|error| {
        let message = "the quarantined spans cannot be written as JSON";
        Error::new(ErrorKind::Invalid, TRAIN, message).caused_by(error)
    })?;
    let spec = planned
        .clone()
        .with_snapshot_at(request.snapshot_at)
        .with_parameter("run", request.run.as_str())
        .with_parameter("quarantined", quarantined);
    Ok(match request.parent {
        Some(parent) => spec.with_parameter("parent", parent.to_string()),
        None => spec,
    })
}

fn no_artifact(run: &RunId, status: &RunStatus) -> Error {
    let message = match status {
        RunStatus::Failed { reason } => reason.as_str(),
        RunStatus::TimedOut => "the run took longer than its deadline",
        RunStatus::Cancelled => "the run was cancelled",
        _ => "the run gave no artifact",
    };
    Error::new(ErrorKind::Invalid, TRAIN, message).with("run", run)
}

const TRAIN: &str = "train as a job";

#[cfg(test)]
mod tests;
