use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow_array::Float64Array;
use jiff::Timestamp;

use super::*;
use crate::contract::{FeatureRule, OutputRule};
use crate::memory::InMemoryArtifacts;
use crate::schema::Feature;
use crate::trainer::TimeSpan;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn rows(values: &[f64]) -> RecordBatch {
    let column = Arc::new(Float64Array::from(values.to_vec()));
    RecordBatch::try_from_iter([("x", column as _)]).unwrap()
}

fn request(run: &str) -> TrainingRequest {
    TrainingRequest {
        run: run.to_owned(),
        snapshot_at: at(100),
        parent: Some(Digest::of(b"champion")),
        quarantined: vec![TimeSpan {
            from: at(1),
            until: at(2),
        }],
    }
}

fn plan() -> JobPlan {
    let spec = JobSpec::new("fraud".parse().unwrap(), at(0))
        .with_parameter("depth", "6")
        .with_parameter("run", "of the planner")
        .with_dataset(Digest::of(b"rows"))
        .with_seed(7);
    let rule = FeatureRule::strict(Feature::number_between("x", 0.0, 1.0));
    let contract = Contract::new([rule], OutputRule::probability()).unwrap();
    let holdout = Holdout {
        features: rows(&[0.25]),
        labels: vec![true],
        blocks: vec![0],
    };
    let mut plan = JobPlan::new(spec, contract, holdout);
    plan.reference = vec![rows(&[0.5])];
    plan.feature_view = Some(Digest::of(b"view"));
    plan.code_revision = "abc".to_owned();
    plan
}

#[derive(Debug)]
struct Planner;

#[async_trait]
impl JobPlanner for Planner {
    async fn plan(&self, _: &TrainingRequest) -> Result<JobPlan, Error> {
        Ok(plan())
    }
}

/// Answers to `status` in order, the last one again and again; submissions are written down.
#[derive(Debug, Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<RunStatus, ErrorKind>>>,
    submitted: Mutex<Vec<JobSpec>>,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Result<RunStatus, ErrorKind>>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            submitted: Mutex::new(Vec::new()),
        })
    }

    fn submitted(&self) -> Vec<JobSpec> {
        lock(&self.submitted).clone()
    }
}

#[async_trait]
impl TrainingJobs for Scripted {
    async fn submit(&self, spec: &JobSpec) -> Result<RunId, Error> {
        lock(&self.submitted).push(spec.clone());
        Ok(spec.run_id())
    }

    async fn status(&self, _: &RunId) -> Result<RunStatus, Error> {
        let mut answers = lock(&self.answers);
        let answer = match answers.len() {
            1 => answers.front().cloned().unwrap(),
            _ => answers.pop_front().unwrap(),
        };
        answer.map_err(|kind| Error::new(kind, "ask", "the script says so"))
    }

    async fn cancel(&self, run: &RunId) -> Result<(), Error> {
        panic!("{run} was cancelled");
    }

    async fn logs(&self, _: &RunId) -> Result<String, Error> {
        Ok(String::new())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn settings() -> JobTrainerSettings {
    JobTrainerSettings::default()
        .with_poll(Duration::ZERO)
        .with_tolerated_failures(3)
}

async fn trainer(jobs: &Arc<Scripted>) -> JobTrainer {
    let artifacts = Arc::new(InMemoryArtifacts::new());
    artifacts.put(b"weights").await.unwrap();
    JobTrainer::new(jobs.clone(), artifacts, Arc::new(Planner), settings())
}

fn succeeded() -> Result<RunStatus, ErrorKind> {
    Ok(RunStatus::Succeeded {
        artifact: Digest::of(b"weights"),
        metrics: std::collections::BTreeMap::new(),
    })
}

fn failed() -> Result<RunStatus, ErrorKind> {
    let reason = "the machine is on fire".to_owned();
    Ok(RunStatus::Failed { reason })
}

#[tokio::test]
async fn what_the_job_gave_and_what_was_planned_make_the_candidate() {
    let jobs = Scripted::new([Ok(RunStatus::Pending), succeeded()]);
    let trained = trainer(&jobs)
        .await
        .train(&request("fraud-1"))
        .await
        .unwrap();
    let submitted = jobs.submitted();
    assert_eq!(submitted.len(), 1);
    let parameters = submitted[0].parameters();
    assert_eq!(parameters["depth"], "6");
    assert_eq!(parameters["run"], "fraud-1");
    assert_eq!(parameters["parent"], Digest::of(b"champion").to_string());
    assert_eq!(
        parameters["quarantined"],
        r#"[{"from":"1970-01-01T00:00:01Z","until":"1970-01-01T00:00:02Z"}]"#
    );
    assert_eq!(submitted[0].snapshot_at(), at(100));

    assert_eq!(trained.artifact, b"weights");
    assert_eq!(trained.contract, plan().contract);
    assert_eq!(trained.holdout, plan().holdout);
    assert_eq!(trained.reference, plan().reference);
    assert_eq!(trained.parameters["seed"], "7");
    let lineage = Lineage {
        training_run: submitted[0].run_id().to_string(),
        dataset: Some(Digest::of(b"rows")),
        feature_view: Some(Digest::of(b"view")),
        code_revision: "abc".to_owned(),
        parent: Some(Digest::of(b"champion")),
    };
    assert_eq!(trained.lineage, lineage);
}

#[tokio::test]
async fn the_same_request_is_the_same_run_and_another_is_another() {
    let jobs = Scripted::new([succeeded()]);
    let trainer = trainer(&jobs).await;
    for run in ["fraud-1", "fraud-1", "fraud-2"] {
        trainer.train(&request(run)).await.unwrap();
    }
    let runs: Vec<RunId> = jobs.submitted().iter().map(JobSpec::run_id).collect();
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn a_run_that_failed_or_was_forgotten_is_attempted_again_as_another() {
    for lost in [failed(), Err(ErrorKind::NotFound)] {
        let jobs = Scripted::new([lost, succeeded()]);
        trainer(&jobs).await.train(&request("a")).await.unwrap();
        let submitted = jobs.submitted();
        assert_eq!(submitted.len(), 2);
        assert!(!submitted[0].parameters().contains_key("attempt"));
        assert_eq!(submitted[1].parameters()["attempt"], "2");
    }
}

#[tokio::test]
async fn attempts_come_to_an_end_and_tell_why() {
    let cases = [
        (failed(), 2, "cannot train as a job: the machine is on fire"),
        (
            Ok(RunStatus::Cancelled),
            1,
            "cannot train as a job: the run was cancelled",
        ),
        (
            Ok(RunStatus::TimedOut),
            1,
            "cannot train as a job: the run took longer than its deadline",
        ),
        (Err(ErrorKind::NotFound), 2, "cannot ask"),
        (Err(ErrorKind::Unauthorised), 1, "cannot ask"),
    ];
    for (answer, submissions, expected) in cases {
        let jobs = Scripted::new([answer]);
        let error = trainer(&jobs).await.train(&request("a")).await.unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert_eq!(jobs.submitted().len(), submissions, "{expected}");
    }
    let jobs = Scripted::new([failed()]);
    let once = JobTrainer {
        settings: settings().with_attempts(NonZeroU32::MIN),
        ..trainer(&jobs).await
    };
    assert!(once.train(&request("a")).await.is_err());
    assert_eq!(jobs.submitted().len(), 1);
}

#[tokio::test]
async fn a_cluster_that_is_away_for_a_while_is_waited_for() {
    let away = || Err(ErrorKind::Unavailable);
    let jobs = Scripted::new([
        away(),
        away(),
        away(),
        Ok(RunStatus::Pending),
        away(),
        succeeded(),
    ]);
    trainer(&jobs).await.train(&request("a")).await.unwrap();
    assert_eq!(jobs.submitted().len(), 1);

    let jobs = Scripted::new([away()]);
    let error = trainer(&jobs).await.train(&request("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn an_artifact_that_is_not_in_the_store_is_told() {
    let artifact = Digest::of(b"claimed");
    let metrics = std::collections::BTreeMap::new();
    let jobs = Scripted::new([Ok(RunStatus::Succeeded { artifact, metrics })]);
    let error = trainer(&jobs).await.train(&request("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[cfg(feature = "local-training")]
mod over_a_local_trainer {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::clock::ManualClock;
    use crate::memory::InMemoryStates;
    use crate::training::local::{JobOutput, LocalSettings, LocalTrainer, LocalWork};

    #[tokio::test]
    async fn the_contract_of_a_trainer_is_kept() {
        let artifacts = Arc::new(InMemoryArtifacts::new());
        // Another artifact every time, if it were run every time.
        let counted = AtomicUsize::new(0);
        let work = LocalWork::function(move |_| {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            Ok(JobOutput::new(number.to_string().into()))
        });
        let jobs = LocalTrainer::new(
            work,
            LocalSettings::default(),
            artifacts.clone(),
            Arc::new(InMemoryStates::new()),
            Arc::new(ManualClock::new(at(0))),
        );
        let trainer = JobTrainer::new(Arc::new(jobs), artifacts, Arc::new(Planner), settings());
        crate::conformance::training::a_request_that_is_repeated_gives_the_same_artifact(
            &trainer,
            &request("a"),
        )
        .await;
    }

    #[tokio::test]
    async fn a_host_that_gives_up_waiting_and_asks_again_finds_the_run() {
        let started = Arc::new(AtomicUsize::new(0));
        let counted = started.clone();
        let work = LocalWork::function(move |context| {
            counted.fetch_add(1, Ordering::SeqCst);
            for _ in 0..50 {
                context.check()?;
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(JobOutput::new(context.run().as_str().into()))
        });
        let artifacts = Arc::new(InMemoryArtifacts::new());
        let jobs = LocalTrainer::new(
            work,
            LocalSettings::default().with_poll(Duration::from_millis(1)),
            artifacts.clone(),
            Arc::new(InMemoryStates::new()),
            Arc::new(ManualClock::new(at(0))),
        );
        let trainer = JobTrainer::new(Arc::new(jobs), artifacts, Arc::new(Planner), settings());
        let asked = request("a");
        let dropped = tokio::time::timeout(Duration::from_millis(10), trainer.train(&asked)).await;
        assert!(dropped.is_err(), "it takes 50 ms");
        let trained = trainer.train(&asked).await.unwrap();
        assert_eq!(trained.artifact, trained.lineage.training_run.as_bytes());
        assert_eq!(started.load(Ordering::SeqCst), 1);
    }
}
