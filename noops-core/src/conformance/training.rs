//! The clauses of [`TrainingJobs`], and the one of [`Trainer`] that can be seen from outside.

use std::time::Duration;

use super::artifacts::together;
use super::kind;
use crate::{ErrorKind, JobSpec, RunId, RunStatus, Trainer, TrainingJobs, TrainingRequest};

/// What a job of these clauses does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// It writes the line [`STARTED`] and succeeds with an artifact.
    Short,
    /// It writes the line [`STARTED`] and fails.
    Failing,
    /// It writes the line [`STARTED`] and goes on until it is stopped.
    Endless,
    /// It writes more than [`LOG_LIMIT`] bytes and succeeds with an artifact.
    Flooding,
}

/// The line by which it is counted how often a job was started.
pub const STARTED: &str = "conformance: started";

/// No log is longer, in bytes, whatever its run writes.
pub const LOG_LIMIT: usize = 1 << 20;

/// Every clause, on jobs that `spec` describes and that `jobs` has not run before. The clauses tell their runs apart by the seed. `pause`
/// lets some time pass: a few milliseconds for jobs of this process, more for those of a cluster.
pub async fn all(
    jobs: &dyn TrainingJobs,
    spec: &impl Fn(JobKind) -> JobSpec,
    pause: &impl AsyncFn(),
) {
    what_was_never_submitted_is_not_found(jobs, spec).await;
    submissions_at_once_are_one_run(jobs, spec, pause).await;
    a_run_that_goes_on_is_not_started_again(jobs, spec, pause).await;
    a_run_that_ended_stays_as_it_is(jobs, spec, pause).await;
    cancelling_again_changes_nothing(jobs, spec, pause).await;
    a_run_past_its_deadline_is_stopped(jobs, spec, pause).await;
    a_log_is_bounded(jobs, spec, pause).await;
}

/// Not pending, not an error of the connection.
pub async fn what_was_never_submitted_is_not_found(
    jobs: &dyn TrainingJobs,
    spec: &impl Fn(JobKind) -> JobSpec,
) {
    let never = spec(JobKind::Short).with_seed(1).run_id();
    assert_eq!(kind(jobs.status(&never).await), ErrorKind::NotFound);
    assert_eq!(kind(jobs.cancel(&never).await), ErrorKind::NotFound);
    assert_eq!(kind(jobs.logs(&never).await), ErrorKind::NotFound);
}

/// However many callers there are, the run is named after its specification and started once.
pub async fn submissions_at_once_are_one_run(
    jobs: &dyn TrainingJobs,
    spec: &impl Fn(JobKind) -> JobSpec,
    pause: &impl AsyncFn(),
) {
    let once = spec(JobKind::Short).with_seed(11);
    let callers = (0..4).map(|_| jobs.submit(&once)).collect();
    for submitted in together(callers).await {
        assert_eq!(submitted.unwrap(), once.run_id());
    }
    let other = spec(JobKind::Short).with_seed(12);
    let another = jobs.submit(&other).await.unwrap();
    assert_ne!(another, once.run_id(), "another seed is another run");
    for run in [once.run_id(), another] {
        let status = ended(jobs, &run, pause).await;
        assert!(status.artifact().is_some(), "{status:?}");
        assert_eq!(starts(jobs, &run).await, 1, "{run} was started once");
    }
}

/// A run that was accepted or is running is left alone by those who ask for it again.
pub async fn a_run_that_goes_on_is_not_started_again(
    jobs: &dyn TrainingJobs,
    spec: &impl Fn(JobKind) -> JobSpec,
    pause: &impl AsyncFn(),
) {
    let endless = spec(JobKind::Endless).with_seed(21);
    let run = jobs.submit(&endless).await.unwrap();
    assert_eq!(jobs.submit(&endless).await.unwrap(), run);
    let before = since(&until(jobs, &run, pause, is_running).await);
    assert_eq!(jobs.submit(&endless).await.unwrap(), run);
    pause().await;
    let after = since(&jobs.status(&run).await.unwrap());
    assert_eq!(after, before, "it goes on as it was");
    jobs.cancel(&run).await.unwrap();
    assert_eq!(ended(jobs, &run, pause).await, RunStatus::Cancelled);
    assert!(
        starts(jobs, &run).await <= 1,
        "{run} was started once at most"
    );
}

/// Neither another submission nor a late cancellation touches a run that succeeded or failed.
pub async fn a_run_that_ended_stays_as_it_is(
    jobs: &dyn TrainingJobs,
    spec: &impl Fn(JobKind) -> JobSpec,
    pause: &impl AsyncFn(),
) {
    for job in [JobKind::Short, JobKind::Failing] {
        let spec = spec(job).with_seed(31);
        let run = jobs.submit(&spec).await.unwrap();
        let status = ended(jobs, &run, pause).await;
        match job {
            JobKind::Short => assert!(status.artifact().is_some(), "{status:?}"),
            _ => assert!(matches!(status, RunStatus::Failed { .. }), "{status:?}"),
        }
        jobs.cancel(&run).await.unwrap();
        assert_eq!(jobs.submit(&spec).await.unwrap(), run);
        stays(jobs, &run, &status, pause).await;
        assert_eq!(starts(jobs, &run).await, 1, "{run} was started once");
    }
}

/// A run ends by being cancelled, and stays cancelled.
pub async fn cancelling_again_changes_nothing(
    jobs: &dyn TrainingJobs,
    spec: &impl Fn(JobKind) -> JobSpec,
    pause: &impl AsyncFn(),
) {
    let endless = spec(JobKind::Endless).with_seed(41);
    let run = jobs.submit(&endless).await.unwrap();
    until(jobs, &run, pause, is_running).await;
    jobs.cancel(&run).await.unwrap();
    jobs.cancel(&run).await.unwrap();
    assert_eq!(ended(jobs, &run, pause).await, RunStatus::Cancelled);
    jobs.cancel(&run).await.unwrap();
    assert_eq!(jobs.submit(&endless).await.unwrap(), run);
    stays(jobs, &run, &RunStatus::Cancelled, pause).await;
}

/// Asking for the status of a run that is late stops it, and how it ended does not change when it is cancelled or asked for afterwards.
pub async fn a_run_past_its_deadline_is_stopped(
    jobs: &dyn TrainingJobs,
    spec: &impl Fn(JobKind) -> JobSpec,
    pause: &impl AsyncFn(),
) {
    let late = spec(JobKind::Endless).with_seed(51).with_deadline(DEADLINE);
    let run = jobs.submit(&late).await.unwrap();
    assert_eq!(ended(jobs, &run, pause).await, RunStatus::TimedOut);
    jobs.cancel(&run).await.unwrap();
    assert_eq!(jobs.submit(&late).await.unwrap(), run);
    stays(jobs, &run, &RunStatus::TimedOut, pause).await;
}

/// A run that writes without end does not fill the memory of who reads it.
pub async fn a_log_is_bounded(
    jobs: &dyn TrainingJobs,
    spec: &impl Fn(JobKind) -> JobSpec,
    pause: &impl AsyncFn(),
) {
    let flooding = spec(JobKind::Flooding).with_seed(61);
    let run = jobs.submit(&flooding).await.unwrap();
    let status = ended(jobs, &run, pause).await;
    assert!(status.artifact().is_some(), "{status:?}");
    let length = jobs.logs(&run).await.unwrap().len();
    assert!(length <= LOG_LIMIT, "the log has {length} bytes");
}

/// A [`Trainer`] that is asked again for what it was asked for before gives the same artifact, and what it gives can be judged: as
/// many labels and blocks as rows are held out, and a contract that knows their features.
pub async fn a_request_that_is_repeated_gives_the_same_artifact(
    trainer: &dyn Trainer,
    request: &TrainingRequest,
) {
    let first = trainer.train(request).await.unwrap();
    let again = trainer.train(request).await.unwrap();
    assert_eq!(first.artifact, again.artifact);
    let rows = first.holdout.features.num_rows();
    assert_eq!(first.holdout.labels.len(), rows, "a label for each row");
    assert_eq!(first.holdout.blocks.len(), rows, "a block for each row");
    for batch in first.reference.iter().chain([&first.holdout.features]) {
        first.contract.encode(batch).unwrap();
    }
}

/// The status once it fits.
async fn until(
    jobs: &dyn TrainingJobs,
    run: &RunId,
    pause: &impl AsyncFn(),
    fits: impl Fn(&RunStatus) -> bool,
) -> RunStatus {
    for _ in 0..PATIENCE {
        let status = jobs.status(run).await.unwrap();
        if fits(&status) {
            return status;
        }
        assert!(!status.is_terminal(), "{run} ended too early: {status:?}");
        pause().await;
    }
    panic!("{run} never got there: {:?}", jobs.logs(run).await);
}

async fn ended(jobs: &dyn TrainingJobs, run: &RunId, pause: &impl AsyncFn()) -> RunStatus {
    until(jobs, run, pause, RunStatus::is_terminal).await
}

/// A terminal status is final.
async fn stays(jobs: &dyn TrainingJobs, run: &RunId, status: &RunStatus, pause: &impl AsyncFn()) {
    for _ in 0..3 {
        assert_eq!(jobs.status(run).await.unwrap(), *status);
        pause().await;
    }
}

async fn starts(jobs: &dyn TrainingJobs, run: &RunId) -> usize {
    let log = jobs.logs(run).await.unwrap();
    log.lines().filter(|line| *line == STARTED).count()
}

fn is_running(status: &RunStatus) -> bool {
    matches!(status, RunStatus::Running { .. })
}

#[track_caller]
fn since(status: &RunStatus) -> jiff::Timestamp {
    match status {
        RunStatus::Running { since, .. } => *since,
        other => panic!("not running: {other:?}"),
    }
}

/// Long enough for a run to begin, and not longer than a test may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// How many pauses a run may take to get somewhere.
const PATIENCE: usize = 2_000;
