use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::state::StateStore;
use crate::training::jobs::TrainingJobs;
use crate::training::run::{RunId, RunStatus};
use crate::training::spec::JobSpec;
use crate::training::sweep::Sweep;
use crate::training::sweep::state::SweepReport;
use crate::training::sweep::trial::{Trial, Verdict};

impl Sweep {
    /// Runs every trial as a training run: `base` with the parameters of the trial as text. The measure is a metric of the run; what
    /// pruning judges is the heartbeat, looked at every `poll`.
    ///
    /// A trial that is pruned is cancelled; one that was cancelled by somebody else counts as pruned. Since a specification is one
    /// run for ever, two trials with the same parameters share it.
    ///
    /// Trials under way at the deadline are cancelled once the state says so. When the sweep goes on with a later deadline they are
    /// other runs, told apart by the parameter `sweep_attempt` (2 for the second attempt). A process that dies in between leaves
    /// such runs to their own deadline.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run), and retryable errors of `jobs`.
    pub async fn run_jobs(
        &self,
        states: &dyn StateStore,
        key: &str,
        jobs: &dyn TrainingJobs,
        base: &JobSpec,
        metric: &str,
        poll: Duration,
    ) -> Result<SweepReport, Error> {
        let stopped: Mutex<Vec<RunId>> = Mutex::new(Vec::new());
        let place = Place {
            jobs,
            base,
            metric,
            poll,
            stopped: &stopped,
        };
        let report = self
            .run(states, key, |trial| place.run_trial(trial))
            .await?;
        // Not before it is stored that these are to be other runs: a cancelled run is cancelled for ever.
        for run in stopped.into_inner().unwrap_or_else(PoisonError::into_inner) {
            jobs.cancel(&run).await?;
        }
        Ok(report)
    }
}

/// Where trials run, and as what.
#[derive(Clone, Copy)]
struct Place<'a> {
    jobs: &'a dyn TrainingJobs,
    base: &'a JobSpec,
    metric: &'a str,
    poll: Duration,
    /// The runs that were under way at the deadline.
    stopped: &'a Mutex<Vec<RunId>>,
}

impl Place<'_> {
    async fn run_trial(self, trial: Trial) -> Result<f64, Error> {
        let run = self.jobs.submit(&self.spec(&trial)).await?;
        let failed = |message: &str| {
            Error::new(ErrorKind::Invalid, "run a trial", message).with("run", &run)
        };
        loop {
            match self.jobs.status(&run).await? {
                RunStatus::Succeeded { metrics, .. } => {
                    let missing = || {
                        failed("the run gave no metric of this name").with("metric", self.metric)
                    };
                    return metrics.get(self.metric).copied().ok_or_else(missing);
                }
                RunStatus::Failed { reason } => return Err(failed(&reason)),
                RunStatus::TimedOut => {
                    return Err(failed("the run took longer than its deadline"));
                }
                RunStatus::Cancelled => {
                    trial.give_up();
                    return Err(failed("the run was cancelled"));
                }
                RunStatus::Running { heartbeat, .. } => {
                    let verdict = heartbeat.value.map_or(Verdict::Continue, |value| {
                        trial.report(heartbeat.step, value)
                    });
                    if verdict == Verdict::Stop && !trial.is_out_of_time() {
                        self.jobs.cancel(&run).await?;
                        return Err(failed("the trial was pruned"));
                    }
                }
                RunStatus::Pending => (),
            }
            if trial.is_out_of_time() {
                self.stopped
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(run.clone());
                return Err(failed("the sweep is past its deadline"));
            }
            tokio::time::sleep(self.poll).await;
        }
    }

    fn spec(&self, trial: &Trial) -> JobSpec {
        let parameters: BTreeMap<String, String> = trial
            .parameters()
            .iter()
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect();
        let spec = self.base.clone().with_parameters(parameters);
        match trial.interruptions() {
            0 => spec,
            times => spec.with_parameter("sweep_attempt", times.saturating_add(1).to_string()),
        }
    }
}
