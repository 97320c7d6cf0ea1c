use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::clock::ManualClock;
use crate::memory::InMemoryStates;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH))
}

fn square() -> SearchSpace {
    SearchSpace::new()
        .with_float("x", 0.0, 1.0, Scale::Linear)
        .unwrap()
        .with_float("y", 0.0, 1.0, Scale::Linear)
        .unwrap()
}

fn sweep(settings: SweepSettings) -> Sweep {
    Sweep::new(square(), settings, clock()).unwrap()
}

fn parallel(trials: usize) -> NonZeroUsize {
    NonZeroUsize::new(trials).unwrap()
}

/// Least at x = 0.3, y = 0.8. Both parameters have the same range: a sampler that mixes them up does not find it.
fn quadratic(trial: &Trial) -> Result<f64, Error> {
    let (x, y) = (trial.float("x")?, trial.float("y")?);
    Ok((x - 0.3).powi(2) + (y - 0.8).powi(2))
}

async fn best(sampling: Sampling, seed: u64) -> f64 {
    let settings = SweepSettings::default()
        .with_sampling(sampling)
        .with_seed(seed)
        .with_max_trials(60);
    let report = sweep(settings)
        .run(&InMemoryStates::new(), "sweep", |trial| async move {
            quadratic(&trial)
        })
        .await
        .unwrap();
    assert_eq!(report.trials().len(), 60);
    report.best().unwrap().value().unwrap()
}

#[tokio::test]
async fn tpe_gets_closer_than_random_with_the_same_budget() {
    let (mut tpe, mut random) = (0.0, 0.0);
    for seed in 0..10 {
        tpe += best(Sampling::default(), seed).await;
        random += best(Sampling::Random, seed).await;
    }
    // An independent simulation of both over 50 seeds gives a ratio of 0.05 to 0.17 for every ten of them.
    assert!(tpe < 0.5 * random, "{tpe} is not far below {random}");
}

#[tokio::test]
async fn maximising_is_minimising_the_negative() {
    let settings = SweepSettings::default().with_seed(3).with_max_trials(30);
    let least = sweep(settings.clone())
        .run(&InMemoryStates::new(), "a", |trial| async move {
            quadratic(&trial)
        })
        .await
        .unwrap();
    let most = sweep(settings.with_direction(Direction::Maximise))
        .run(&InMemoryStates::new(), "a", |trial| async move {
            Ok(-quadratic(&trial)?)
        })
        .await
        .unwrap();
    let parameters = |report: &SweepReport| report.best().unwrap().parameters().clone();
    assert_eq!(parameters(&least), parameters(&most));
}

/// An objective that reports on its way, breaks now and then, and takes its time in an order of its own.
async fn eventful(trial: Trial, pauses: u64) -> Result<f64, Error> {
    let value = quadratic(&trial)?;
    for step in 1..=9u64 {
        for _ in 0..(trial.index() * 7 + step * pauses) % 5 {
            tokio::task::yield_now().await;
        }
        if trial.report(step, value + 1.0 / step as f64) == Verdict::Stop {
            return Ok(f64::NAN);
        }
    }
    if trial.index() % 11 == 5 {
        return Err(Error::new(ErrorKind::Invalid, "train", "it diverged"));
    }
    Ok(value)
}

fn halving(trials: usize) -> SweepSettings {
    SweepSettings::default()
        .with_seed(9)
        .with_max_trials(40)
        .with_parallel_trials(parallel(trials))
        .with_pruning(Pruning::SuccessiveHalving {
            min_step: 1,
            reduction: 3,
        })
}

#[tokio::test]
async fn how_long_trials_take_does_not_change_them() {
    for trials in [1, 4] {
        let mut reports: Vec<SweepReport> = Vec::new();
        for pauses in 0..4 {
            let report = sweep(halving(trials))
                .run(&InMemoryStates::new(), "a", |trial| eventful(trial, pauses))
                .await
                .unwrap();
            reports.push(report);
        }
        assert!(reports.windows(2).all(|pair| pair[0] == pair[1]));
        let outcomes = reports[0].trials().iter().map(TrialRecord::outcome);
        let pruned = outcomes.filter(|outcome| **outcome == TrialOutcome::Pruned);
        let pruned = pruned.count();
        assert!((5..35).contains(&pruned), "{pruned} of 40 were pruned");
    }
}

#[tokio::test]
async fn a_sweep_that_was_interrupted_anywhere_goes_on_to_the_same_trials() {
    let whole = sweep(halving(3))
        .run(&InMemoryStates::new(), "a", |trial| eventful(trial, 1))
        .await
        .unwrap();
    for life in [1, 2, 7, 13] {
        let states = InMemoryStates::new();
        let mut rounds = 0;
        let resumed = loop {
            rounds += 1;
            let calls = AtomicU64::new(0);
            let calls = &calls;
            let result = sweep(halving(3))
                .run(&states, "a", |trial| async move {
                    let result = eventful(trial, 2).await;
                    // Every so many trials the cluster is lost.
                    if calls.fetch_add(1, Ordering::SeqCst) >= life {
                        return Err(Error::new(ErrorKind::Unavailable, "train", "it is gone"));
                    }
                    result
                })
                .await;
            match result {
                Ok(report) => break report,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
            }
            assert!(rounds < 200, "no progress");
        };
        assert!(rounds > 1);
        assert_eq!(resumed, whole, "interrupted every {life} trials");
    }
}

#[tokio::test]
async fn more_trials_go_on_from_those_there_are() {
    let states = InMemoryStates::new();
    let few = sweep(halving(2).with_max_trials(10))
        .run(&states, "a", |trial| eventful(trial, 0))
        .await
        .unwrap();
    let started = AtomicU64::new(0);
    let count = &started;
    let more = sweep(halving(2).with_max_trials(25))
        .run(&states, "a", |trial| {
            count.fetch_add(1, Ordering::SeqCst);
            eventful(trial, 0)
        })
        .await
        .unwrap();
    assert_eq!(started.load(Ordering::SeqCst), 15);
    assert_eq!(&more.trials()[..10], few.trials());
}

#[tokio::test]
async fn no_more_trials_run_side_by_side_than_allowed() {
    let running = Mutex::new((0usize, 0usize));
    let running = &running;
    sweep(
        SweepSettings::default()
            .with_max_trials(20)
            .with_parallel_trials(parallel(4)),
    )
    .run(&InMemoryStates::new(), "a", |trial| async move {
        {
            let mut counts = running.lock().unwrap();
            counts.0 += 1;
            counts.1 = counts.1.max(counts.0);
        }
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        running.lock().unwrap().0 -= 1;
        quadratic(&trial)
    })
    .await
    .unwrap();
    assert_eq!(*running.lock().unwrap(), (0, 4));
}

#[tokio::test]
async fn the_deadline_ends_the_sweep_and_what_it_stopped_is_not_counted() {
    let clock = clock();
    let deadline = Timestamp::from_second(5).unwrap();
    let plan = SweepSettings::default().with_max_trials(20);
    let timed = Sweep::new(
        square(),
        plan.clone().with_deadline(deadline),
        clock.clone(),
    )
    .unwrap();
    let states = InMemoryStates::new();
    let hands = clock.clone();
    let report = timed
        .run(&states, "a", |trial| {
            let hands = hands.clone();
            async move {
                let second = i64::try_from(trial.index()).unwrap_or(0);
                hands.set(Timestamp::from_second(second).unwrap());
                let _ = trial.report(1, 0.5);
                quadratic(&trial)
            }
        })
        .await
        .unwrap();
    assert_eq!(
        (report.end(), report.trials().len()),
        (SweepEnd::Deadline, 5)
    );
    let untimed = Sweep::new(square(), plan, clock).unwrap();
    let report = untimed
        .run(&states, "a", |trial| async move { quadratic(&trial) })
        .await
        .unwrap();
    assert_eq!(
        (report.end(), report.trials().len()),
        (SweepEnd::Trials, 20)
    );
}

#[tokio::test]
async fn failed_trials_are_no_best_and_not_finite_is_failed() {
    let report = sweep(SweepSettings::default().with_max_trials(3))
        .run(&InMemoryStates::new(), "a", |trial| async move {
            match trial.index() {
                0 => Ok(f64::NAN),
                1 => Ok(f64::NEG_INFINITY),
                _ => trial.float("z"),
            }
        })
        .await
        .unwrap();
    assert!(report.best().is_none());
    let is_failed = |trial: &TrialRecord| matches!(trial.outcome(), TrialOutcome::Failed { .. });
    assert!(report.trials().iter().all(is_failed));
}

#[tokio::test]
async fn a_key_of_another_plan_or_of_something_else_is_refused() {
    let states = InMemoryStates::new();
    let objective = |trial: Trial| async move { quadratic(&trial) };
    sweep(SweepSettings::default().with_max_trials(2))
        .run(&states, "a", objective)
        .await
        .unwrap();
    let other = sweep(SweepSettings::default().with_max_trials(2).with_seed(1));
    let error = other.run(&states, "a", objective).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let token = crate::lease::FencingToken::NONE;
    let stored = states.load("a").await.unwrap().unwrap().bytes;
    let stored = String::from_utf8(stored).unwrap();
    let moved = stored.replace("\"index\":1", "\"index\":0");
    assert_ne!(moved, stored);
    for (key, text) in [("b", "{}"), ("c", moved.as_str())] {
        states.save(key, 0, text.as_bytes(), token).await.unwrap();
        let error = other.run(&states, key, objective).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
}

#[tokio::test]
async fn two_processes_do_not_run_one_sweep() {
    let states = InMemoryStates::new();
    let states = &states;
    let error = sweep(SweepSettings::default().with_max_trials(5))
        .run(states, "a", |trial| async move {
            if trial.index() == 2 {
                let other = sweep(SweepSettings::default().with_max_trials(4));
                other
                    .run(states, "a", |trial| async move { quadratic(&trial) })
                    .await?;
            }
            quadratic(&trial)
        })
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[test]
fn what_cannot_be_swept_is_refused() {
    let empty = Sweep::new(SearchSpace::new(), SweepSettings::default(), clock());
    assert_eq!(empty.unwrap_err().kind(), ErrorKind::Invalid);
    let pruning = Pruning::SuccessiveHalving {
        min_step: 0,
        reduction: 0,
    };
    let settings = SweepSettings::default().with_pruning(pruning);
    assert!(Sweep::new(square(), settings, clock()).is_err());
}

#[cfg(feature = "local-training")]
mod over_jobs {
    use std::time::Duration;

    use super::*;
    use crate::memory::InMemoryArtifacts;
    use crate::training::jobs::TrainingJobs;
    use crate::training::local::{JobOutput, LocalSettings, LocalTrainer, LocalWork};
    use crate::training::run::RunStatus;
    use crate::training::spec::JobSpec;

    fn trainer() -> LocalTrainer {
        let work = LocalWork::function(|context| {
            let x: f64 = context.spec().parameters()["x"].parse().unwrap_or(f64::NAN);
            let value = (x - 0.3).powi(2);
            context.heartbeat(1, Some(value));
            // Long enough to be seen by a poll, and to be stopped.
            for _ in 0..100 {
                context.check()?;
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(JobOutput::new(Vec::new()).with_metric("loss", value))
        });
        LocalTrainer::new(
            work,
            LocalSettings::default()
                .with_parallel_runs(parallel(2))
                .with_poll(Duration::from_millis(1)),
            Arc::new(InMemoryArtifacts::new()),
            Arc::new(InMemoryStates::new()),
            clock(),
        )
    }

    #[tokio::test]
    async fn parameters_reach_the_job_and_bad_trials_are_cancelled() {
        let trainer = trainer();
        let base = JobSpec::new("fraud".parse().unwrap(), Timestamp::UNIX_EPOCH);
        let settings = SweepSettings::default()
            .with_max_trials(30)
            .with_sampling(Sampling::Random)
            .with_parallel_trials(parallel(2))
            .with_pruning(Pruning::Median {
                warmup_steps: 0,
                min_trials: 1,
            });
        let space = SearchSpace::new()
            .with_float("x", 0.0, 1.0, Scale::Linear)
            .unwrap();
        let sweep = Sweep::new(space, settings, clock()).unwrap();
        let states = InMemoryStates::new();
        let poll = Duration::from_millis(2);
        let running = sweep.run_jobs(&states, "a", &trainer, &base, "loss", poll);
        let report = tokio::time::timeout(Duration::from_secs(60), running)
            .await
            .unwrap()
            .unwrap();
        let best = report.best().unwrap();
        assert!(best.value().unwrap() < 0.05, "{best:?}");
        let mut cancelled = 0usize;
        for trial in report.trials() {
            let parameters = trial.parameters().iter();
            let texts = parameters.map(|(name, value)| (name.clone(), value.to_string()));
            let run = base.clone().with_parameters(texts.collect()).run_id();
            let status = trainer.status(&run).await.unwrap();
            let fits = match trial.outcome() {
                // It may have come to its end in the moment in which it was given up.
                TrialOutcome::Pruned => status.is_terminal(),
                _ => status.artifact().is_some(),
            };
            assert!(fits, "{trial:?}: {status:?}");
            cancelled += usize::from(status == RunStatus::Cancelled);
        }
        assert!(cancelled > 0);
    }

    #[tokio::test]
    async fn what_the_deadline_stopped_is_run_again_and_is_not_pruned() {
        let trainer = trainer();
        let base = JobSpec::new("fraud".parse().unwrap(), Timestamp::UNIX_EPOCH);
        // Three points: trials with the same parameters share their runs.
        let space = || SearchSpace::new().with_category("x", ["0.1", "0.3", "0.9"]);
        let plan = SweepSettings::default()
            .with_max_trials(6)
            .with_sampling(Sampling::Random)
            .with_parallel_trials(parallel(2));
        let states = InMemoryStates::new();
        let poll = Duration::from_millis(1);

        let hands = clock();
        let deadline = Timestamp::from_second(5).unwrap();
        let timed = plan.clone().with_deadline(deadline);
        let timed = Sweep::new(space().unwrap(), timed, hands.clone()).unwrap();
        let late = async {
            // By now the first trials have been proposed.
            tokio::task::yield_now().await;
            hands.set(deadline);
        };
        let running = timed.run_jobs(&states, "a", &trainer, &base, "loss", poll);
        let (report, ()) = tokio::join!(running, late);
        let report = report.unwrap();
        assert_eq!(
            (report.end(), report.trials().len()),
            (SweepEnd::Deadline, 0)
        );
        let state = timed.state(&states, "a").await.unwrap();
        assert_eq!(state.trials().count(), 0);

        let untimed = Sweep::new(space().unwrap(), plan, clock()).unwrap();
        let running = untimed.run_jobs(&states, "a", &trainer, &base, "loss", poll);
        let report = running.await.unwrap();
        assert_eq!((report.end(), report.trials().len()), (SweepEnd::Trials, 6));
        for trial in report.trials() {
            assert!(trial.value().is_some(), "{trial:?}");
        }
    }
}
