use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::clock::ManualClock;
use crate::lease::FencingToken;
use crate::memory::{InMemoryArtifacts, InMemoryStates};

/// Everything that outlives a trainer.
struct Host {
    artifacts: Arc<InMemoryArtifacts>,
    states: Arc<InMemoryStates>,
    clock: Arc<ManualClock>,
}

impl Host {
    fn new() -> Self {
        Self {
            artifacts: Arc::new(InMemoryArtifacts::new()),
            states: Arc::new(InMemoryStates::new()),
            clock: Arc::new(ManualClock::new(at(0))),
        }
    }

    fn trainer(&self, work: LocalWork, settings: LocalSettings) -> LocalTrainer {
        let settings = settings.with_poll(Duration::from_millis(2));
        LocalTrainer::new(
            work,
            settings,
            self.artifacts.clone(),
            self.states.clone(),
            self.clock.clone(),
        )
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn spec() -> JobSpec {
    JobSpec::new("fraud".parse().unwrap(), at(0)).with_deadline(Duration::from_secs(60))
}

/// The status once it fits; real time passes here, as in a host.
async fn until(
    trainer: &LocalTrainer,
    run: &RunId,
    fits: impl Fn(&RunStatus) -> bool,
) -> RunStatus {
    for _ in 0..5000 {
        let status = trainer.status(run).await.unwrap();
        if fits(&status) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the run never got there: {:?}", trainer.status(run).await);
}

async fn ended(trainer: &LocalTrainer, run: &RunId) -> RunStatus {
    until(trainer, run, RunStatus::is_terminal).await
}

fn reason(status: &RunStatus) -> &str {
    match status {
        RunStatus::Failed { reason } => reason,
        other => panic!("not failed: {other:?}"),
    }
}

/// A function that goes on until it is told to stop, counting how often it was started.
fn endless(started: &Arc<AtomicUsize>) -> LocalWork {
    let started = started.clone();
    LocalWork::function(move |context| {
        started.fetch_add(1, Ordering::SeqCst);
        loop {
            context.check()?;
            std::thread::sleep(Duration::from_millis(1));
        }
    })
}

#[tokio::test]
async fn a_function_gives_an_artifact_metrics_and_a_log() {
    let host = Host::new();
    let work = LocalWork::function(|context| {
        context.log(&format!("seed {}", context.spec().seed()));
        Ok(JobOutput::new(b"weights".to_vec()).with_metric("auc", 0.9))
    });
    let trainer = host.trainer(work, LocalSettings::default());
    let run = trainer.submit(&spec().with_seed(7)).await.unwrap();
    let RunStatus::Succeeded { artifact, metrics } = ended(&trainer, &run).await else {
        panic!("not succeeded");
    };
    assert_eq!(host.artifacts.load(&artifact).await.unwrap(), b"weights");
    assert_eq!(metrics["auc"], 0.9);
    assert_eq!(trainer.logs(&run).await.unwrap(), "seed 7\n");
}

#[tokio::test]
async fn the_same_specification_is_started_once_also_after_it_ended_and_after_a_restart() {
    let host = Host::new();
    let started = Arc::new(AtomicUsize::new(0));
    let trainer = host.trainer(endless(&started), LocalSettings::default());
    let submissions = (0..20).map(|_| {
        let trainer = trainer.clone();
        tokio::spawn(async move { trainer.submit(&spec()).await.unwrap() })
    });
    let submissions: Vec<_> = submissions.collect();
    for submission in submissions {
        assert_eq!(submission.await.unwrap(), spec().run_id());
    }
    let run = spec().run_id();
    until(&trainer, &run, |status| {
        matches!(status, RunStatus::Running { .. })
    })
    .await;
    trainer.submit(&spec()).await.unwrap();
    trainer.cancel(&run).await.unwrap();
    assert_eq!(trainer.status(&run).await.unwrap(), RunStatus::Cancelled);

    trainer.submit(&spec()).await.unwrap();
    let restarted = host.trainer(endless(&started), LocalSettings::default());
    restarted.submit(&spec()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(restarted.status(&run).await.unwrap(), RunStatus::Cancelled);
    assert!(started.load(Ordering::SeqCst) <= 1);
}

#[tokio::test]
async fn a_run_that_failed_stays_failed_when_it_is_asked_for_again() {
    let host = Host::new();
    let broken = LocalWork::function(|_| {
        Err(Error::new(
            ErrorKind::Invalid,
            "read rows",
            "there are none",
        ))
    });
    let trainer = host.trainer(broken, LocalSettings::default());
    let run = trainer.submit(&spec()).await.unwrap();
    let status = ended(&trainer, &run).await;
    assert_eq!(reason(&status), "cannot read rows: there are none");

    let fine = LocalWork::function(|_| Ok(JobOutput::new(Vec::new())));
    let repaired = host.trainer(fine, LocalSettings::default());
    repaired.submit(&spec()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(repaired.status(&run).await.unwrap(), status);
}

#[tokio::test]
async fn a_panic_fails_the_run_and_nothing_else() {
    let host = Host::new();
    let work = LocalWork::function(|context| {
        if context.spec().seed() == 1 {
            panic!("the matrix is singular");
        }
        Ok(JobOutput::new(Vec::new()))
    });
    let trainer = host.trainer(work, LocalSettings::default());
    let broken = trainer.submit(&spec().with_seed(1)).await.unwrap();
    let fine = trainer.submit(&spec().with_seed(2)).await.unwrap();
    let status = ended(&trainer, &broken).await;
    assert_eq!(
        reason(&status),
        "the training panicked: the matrix is singular"
    );
    assert!(ended(&trainer, &fine).await.artifact().is_some());
}

#[tokio::test]
async fn the_deadline_of_the_hosts_clock_ends_a_run() {
    let host = Host::new();
    let started = Arc::new(AtomicUsize::new(0));
    let trainer = host.trainer(endless(&started), LocalSettings::default());
    let run = trainer.submit(&spec()).await.unwrap();
    until(&trainer, &run, |status| {
        matches!(status, RunStatus::Running { .. })
    })
    .await;
    host.clock.set(at(59));
    assert!(!trainer.status(&run).await.unwrap().is_terminal());
    host.clock.set(at(60));
    assert_eq!(trainer.status(&run).await.unwrap(), RunStatus::TimedOut);
    host.clock.set(at(0));
    assert_eq!(trainer.status(&run).await.unwrap(), RunStatus::TimedOut);
}

#[tokio::test]
async fn silence_beyond_the_limit_fails_the_run() {
    let host = Host::new();
    let is_over = Arc::new(AtomicBool::new(false));
    let seen = is_over.clone();
    let silent = LocalWork::function(move |context| {
        context.heartbeat(1, Some(f64::NAN));
        while !seen.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(JobOutput::new(Vec::new()))
    });
    let settings = LocalSettings::default().with_heartbeat_limit(Duration::from_secs(5));
    let trainer = host.trainer(silent, settings);
    let run = trainer.submit(&spec()).await.unwrap();
    let beating = |status: &RunStatus| matches!(status, RunStatus::Running { heartbeat, .. } if heartbeat.step == 1);
    let RunStatus::Running { heartbeat, .. } = until(&trainer, &run, beating).await else {
        panic!("not running");
    };
    assert_eq!(heartbeat.value, None);
    host.clock.set(at(6));
    let status = trainer.status(&run).await.unwrap();
    assert!(
        reason(&status).starts_with("no heartbeat since 1970-01-01T00:00:00Z"),
        "{status:?}"
    );
    is_over.store(true, Ordering::SeqCst);
    assert_eq!(ended(&trainer, &run).await, status);
}

#[tokio::test]
async fn a_cancelled_run_that_comes_to_an_end_anyway_stays_cancelled() {
    let host = Host::new();
    let is_over = Arc::new(AtomicBool::new(false));
    let knew = Arc::new(AtomicBool::new(false));
    let (seen, told) = (is_over.clone(), knew.clone());
    let deaf = LocalWork::function(move |context| {
        while !seen.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        told.store(context.is_cancelled(), Ordering::SeqCst);
        Ok(JobOutput::new(b"late".to_vec()))
    });
    let trainer = host.trainer(deaf, LocalSettings::default());
    let run = trainer.submit(&spec()).await.unwrap();
    until(&trainer, &run, |status| {
        matches!(status, RunStatus::Running { .. })
    })
    .await;
    trainer.cancel(&run).await.unwrap();
    trainer.cancel(&run).await.unwrap();
    is_over.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(trainer.status(&run).await.unwrap(), RunStatus::Cancelled);
    assert!(knew.load(Ordering::SeqCst));
    let late = crate::digest::Digest::of(b"late");
    assert!(host.artifacts.load(&late).await.is_err());
}

#[tokio::test]
async fn no_more_runs_go_on_than_there_are_places() {
    let host = Host::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, peak) = (now.clone(), most.clone());
    let work = LocalWork::function(move |_| {
        let running = counted.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(running, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(10));
        counted.fetch_sub(1, Ordering::SeqCst);
        Ok(JobOutput::new(Vec::new()))
    });
    let settings = LocalSettings::default().with_parallel_runs(NonZeroUsize::new(3).unwrap());
    let trainer = host.trainer(work, settings);
    let mut runs: Vec<RunId> = Vec::new();
    for seed in 0..12 {
        runs.push(trainer.submit(&spec().with_seed(seed)).await.unwrap());
    }
    for run in &runs {
        assert!(ended(&trainer, run).await.artifact().is_some());
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
    assert_eq!(now.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_run_that_is_cancelled_while_it_waits_never_starts() {
    let host = Host::new();
    let started = Arc::new(AtomicUsize::new(0));
    let trainer = host.trainer(endless(&started), LocalSettings::default());
    let first = trainer.submit(&spec().with_seed(1)).await.unwrap();
    until(&trainer, &first, |status| {
        matches!(status, RunStatus::Running { .. })
    })
    .await;
    let second = trainer.submit(&spec().with_seed(2)).await.unwrap();
    assert_eq!(trainer.status(&second).await.unwrap(), RunStatus::Pending);
    trainer.cancel(&second).await.unwrap();
    trainer.cancel(&first).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(trainer.status(&second).await.unwrap(), RunStatus::Cancelled);
    assert_eq!(started.load(Ordering::SeqCst), 1);
}

#[test]
fn a_restart_reports_a_run_that_was_cut_off_as_failed() {
    let host = Host::new();
    let started = Arc::new(AtomicUsize::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    let seen = is_over.clone();
    let work = LocalWork::function(move |_| {
        while !seen.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(JobOutput::new(Vec::new()))
    });
    let runtime = |name: &str| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(name)
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime("first");
    let run = first.block_on(async {
        let trainer = host.trainer(work, LocalSettings::default());
        let run = trainer.submit(&spec()).await.unwrap();
        until(&trainer, &run, |status| {
            matches!(status, RunStatus::Running { .. })
        })
        .await;
        run
    });
    // All tasks of the first life are gone, as after a crash; only the store is left.
    first.shutdown_background();
    runtime("second").block_on(async {
        let trainer = host.trainer(endless(&started), LocalSettings::default());
        let status = trainer.status(&run).await.unwrap();
        assert!(reason(&status).contains("cut off"), "{status:?}");
        trainer.submit(&spec()).await.unwrap();
        assert_eq!(trainer.status(&run).await.unwrap(), status);
        assert_eq!(started.load(Ordering::SeqCst), 0);
    });
    is_over.store(true, Ordering::SeqCst);
}

#[tokio::test]
async fn memory_is_reserved_up_to_the_limit_and_given_back() {
    let host = Host::new();
    let work = LocalWork::function(|context| {
        let most = context.reserve(80)?;
        let refused = context.reserve(21).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Overloaded);
        assert_eq!(
            context.reserve(u64::MAX).unwrap_err().kind(),
            ErrorKind::Overloaded
        );
        drop(most);
        let all = context.reserve(100)?;
        Ok(JobOutput::new(all.bytes().to_le_bytes().to_vec()))
    });
    let trainer = host.trainer(work, LocalSettings::default());
    let run = trainer
        .submit(&spec().with_memory_bytes(100))
        .await
        .unwrap();
    let status = ended(&trainer, &run).await;
    assert!(status.artifact().is_some(), "{status:?}");
}

#[tokio::test]
async fn a_metric_that_is_not_finite_fails_the_run() {
    let host = Host::new();
    let work =
        LocalWork::function(|_| Ok(JobOutput::new(Vec::new()).with_metric("loss", f64::NAN)));
    let trainer = host.trainer(work, LocalSettings::default());
    let run = trainer.submit(&spec()).await.unwrap();
    let status = ended(&trainer, &run).await;
    assert_eq!(
        reason(&status),
        "the metric `loss` is NaN, not a finite number"
    );
}

#[tokio::test]
async fn what_was_never_submitted_is_not_found() {
    let host = Host::new();
    let trainer = host.trainer(
        LocalWork::function(|_| Ok(JobOutput::new(Vec::new()))),
        LocalSettings::default(),
    );
    let run = spec().run_id();
    let kind = |error: Error| error.kind();
    assert_eq!(
        trainer.status(&run).await.map_err(kind),
        Err(ErrorKind::NotFound)
    );
    assert_eq!(
        trainer.cancel(&run).await.map_err(kind),
        Err(ErrorKind::NotFound)
    );
    assert_eq!(
        trainer.logs(&run).await.map_err(kind),
        Err(ErrorKind::NotFound)
    );
    let command = trainer.submit(&spec().with_entrypoint(["true"])).await;
    assert_eq!(command.map_err(kind), Err(ErrorKind::Invalid));
}

#[tokio::test]
async fn a_record_that_is_damaged_or_of_another_run_is_corrupt() {
    let host = Host::new();
    let trainer = host.trainer(
        LocalWork::function(|_| Ok(JobOutput::new(Vec::new()))),
        LocalSettings::default(),
    );
    let other = Record {
        spec: spec().with_seed(9),
        status: RunStatus::Pending,
        logs: String::new(),
    };
    for (seed, bytes) in [(1, b"{".to_vec()), (2, other.bytes().unwrap())] {
        let spec = spec().with_seed(seed);
        let run = spec.run_id();
        host.states
            .save(&live::key(&run), 0, &bytes, FencingToken::NONE)
            .await
            .unwrap();
        assert_eq!(
            trainer.status(&run).await.unwrap_err().kind(),
            ErrorKind::Corrupt
        );
        assert_eq!(
            trainer.submit(&spec).await.unwrap_err().kind(),
            ErrorKind::Corrupt
        );
    }
}

#[cfg(unix)]
mod commands;
mod contract;

#[tokio::test]
async fn a_trainer_that_was_replaced_starts_nothing() {
    let host = Host::new();
    let started = Arc::new(AtomicUsize::new(0));
    let old = LocalSettings::default().with_token(FencingToken::new(1));
    let new = LocalSettings::default().with_token(FencingToken::new(2));
    let old = host.trainer(endless(&started), old);
    let new = host.trainer(LocalWork::function(|_| Ok(JobOutput::new(Vec::new()))), new);
    // Both wait behind the first, then the newer trainer takes the second for cut off.
    let first = old.submit(&spec().with_seed(1)).await.unwrap();
    until(&old, &first, |status| {
        matches!(status, RunStatus::Running { .. })
    })
    .await;
    let second = old.submit(&spec().with_seed(2)).await.unwrap();
    let status = new.status(&second).await.unwrap();
    assert!(reason(&status).contains("cut off"), "{status:?}");
    old.cancel(&first).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(started.load(Ordering::SeqCst), 1);
    assert_eq!(new.status(&second).await.unwrap(), status);
}

#[tokio::test]
async fn a_trainer_that_was_replaced_starts_nothing_that_its_successor_never_heard_of() {
    let host = Host::new();
    let started = Arc::new(AtomicUsize::new(0));
    let old = LocalSettings::default().with_token(FencingToken::new(1));
    let new = LocalSettings::default().with_token(FencingToken::new(2));
    let old = host.trainer(endless(&started), old);
    let new = host.trainer(LocalWork::function(|_| Ok(JobOutput::new(Vec::new()))), new);
    let first = old.submit(&spec().with_seed(1)).await.unwrap();
    until(&old, &first, |status| {
        matches!(status, RunStatus::Running { .. })
    })
    .await;
    let waiting = old.submit(&spec().with_seed(2)).await.unwrap();
    let other = new.submit(&spec().with_seed(3)).await.unwrap();
    assert!(ended(&new, &other).await.artifact().is_some());

    let refused = old.submit(&spec().with_seed(4)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Fenced);
    old.cancel(&first).await.unwrap();
    let status = ended(&old, &waiting).await;
    assert_eq!(reason(&status), "a newer trainer has taken over");
    assert_eq!(started.load(Ordering::SeqCst), 1);
}
