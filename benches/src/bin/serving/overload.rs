//! More requests than the model can answer.

use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use noops_benches::{PERCEPTRON_FEATURES, perceptron_version};
use noops_core::{Batch, Executor, Rows, Scores, SystemClock};
use noops_serve::{Deployment, DeploymentSettings, Refusal, Request, ServedModel, ServingSettings};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use crate::Arguments;
use crate::setting::{now, numbers, percentiles, say};

const CALLERS: usize = 64;
const DEADLINE: Duration = Duration::from_millis(20);
const TICK: Duration = Duration::from_millis(1);
const QUEUED_ROWS: usize = 4_096;

/// A model that keeps one core busy for a time that is known: 20 µs a batch and 40 µs a row.
#[derive(Clone, Debug)]
struct Busy;

impl Executor for Busy {
    fn run(&mut self, batch: &Batch) -> Result<Scores, noops_core::Error> {
        let rows = u32::try_from(batch.rows()).unwrap_or(u32::MAX);
        let wanted = Duration::from_micros(20) + rows * Duration::from_micros(40);
        let start = now();
        while start.elapsed() < wanted {
            std::hint::spin_loop();
        }
        Scores::new(1, vec![0.5; batch.rows()])
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(self.clone()))
    }
}

/// What became of the calls.
#[derive(Debug, Default)]
struct Outcomes {
    in_time: AtomicU64,
    late: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

pub(crate) fn measure(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let load = Duration::from_millis(arguments.load_ms);
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()?;
    let capacity = capacity(&runtime, load)?;
    for times in [2.0, 5.0, 10.0] {
        overload(&runtime, load, capacity, times)?;
    }
    Ok(())
}

fn busy() -> Result<Arc<Deployment>, Box<dyn Error>> {
    let settings = ServingSettings::default()
        .with_replicas(NonZeroUsize::MIN)
        .with_queued_rows(QUEUED_ROWS);
    let clock = Arc::new(SystemClock);
    let model = ServedModel::with_settings(
        perceptron_version(1)?,
        Box::new(Busy),
        &settings,
        clock.clone(),
    )?;
    let settings = DeploymentSettings::default();
    Ok(Arc::new(Deployment::new(model, clock, &settings)))
}

fn request(id: u64) -> Result<Request, noops_core::Error> {
    debug_assert_eq!(numbers(1).len(), PERCEPTRON_FEATURES);
    let rows = Rows::one(numbers(1));
    Ok(Request::of_rows(vec![id.to_string()], rows)?.with_timeout(DEADLINE))
}

/// Answers a second to callers who each ask again when they are answered.
fn capacity(runtime: &Runtime, load: Duration) -> Result<f64, Box<dyn Error>> {
    let deployment = busy()?;
    let outcomes = Arc::new(Outcomes::default());
    let over = Arc::new(AtomicBool::new(false));
    let asked = request(0)?;
    let took = runtime.block_on(async {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (deployment, outcomes, over) =
                    (deployment.clone(), outcomes.clone(), over.clone());
                let asked = asked.clone();
                tokio::spawn(async move {
                    while !over.load(Ordering::Relaxed) {
                        ask(&deployment, &asked, &outcomes, None).await;
                    }
                })
            })
            .collect();
        let start = now();
        tokio::time::sleep(load).await;
        over.store(true, Ordering::Relaxed);
        for caller in callers {
            caller.await?;
        }
        Ok::<_, tokio::task::JoinError>(start.elapsed())
    })?;
    let answers = outcomes.in_time.load(Ordering::Relaxed);
    let capacity = answers as f64 / took.as_secs_f64();
    say(&json!({ "measurement": "capacity", "callers": CALLERS, "answers_per_second": capacity }));
    Ok(capacity)
}

/// Callers who come at a rate, whatever becomes of those before them.
fn overload(
    runtime: &Runtime,
    load: Duration,
    capacity: f64,
    times: f64,
) -> Result<(), Box<dyn Error>> {
    let deployment = busy()?;
    let outcomes = Arc::new(Outcomes::default());
    let asked = request(0)?;
    let rate = capacity * times;
    let (refusals, refused_in) = std::sync::mpsc::channel();
    let (offered, most_waiting, took) = runtime.block_on(async {
        let start = now();
        let (mut offered, mut most_waiting) = (0_u64, 0);
        let mut calls = tokio::task::JoinSet::new();
        while start.elapsed() < load {
            let due = (rate * start.elapsed().as_secs_f64()) as u64;
            for _ in offered..due {
                let (deployment, outcomes, asked) =
                    (deployment.clone(), outcomes.clone(), asked.clone());
                let refusals = refusals.clone();
                calls.spawn(async move {
                    ask(&deployment, &asked, &outcomes, Some(&refusals)).await;
                });
            }
            offered = offered.max(due);
            most_waiting = most_waiting.max(deployment.champion().waiting_rows());
            drop(deployment.drain_exposures());
            while calls.try_join_next().is_some() {}
            tokio::time::sleep(TICK).await;
        }
        let took = start.elapsed();
        while calls.join_next().await.is_some() {}
        (offered, most_waiting, took)
    });
    drop(refusals);
    let recovered = runtime.block_on(recovery(&deployment, &asked))?;
    let mut refused_in: Vec<Duration> = refused_in.into_iter().collect();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let in_time = count(&outcomes.in_time);
    let accounted =
        in_time + count(&outcomes.late) + count(&outcomes.refused) + count(&outcomes.failed);
    say(&json!({
        "measurement": "overload",
        "times_capacity": times,
        "offered": offered,
        "in_time": in_time,
        "late": count(&outcomes.late),
        "refused": count(&outcomes.refused),
        "failed": count(&outcomes.failed),
        "share_of_capacity": in_time as f64 / took.as_secs_f64() / capacity,
        "refusal": percentiles(&mut refused_in),
        "most_waiting_rows": most_waiting,
        "normal_again_after_milliseconds": recovered.as_secs_f64() * 1e3,
    }));
    if accounted != offered || count(&outcomes.failed) > 0 || most_waiting > QUEUED_ROWS {
        return Err("a call was lost or failed, or the queue grew beyond its bound".into());
    }
    Ok(())
}

/// Asks once. A refusal that was made at once, without waiting, tells how long it took.
async fn ask(
    deployment: &Deployment,
    asked: &Request,
    outcomes: &Outcomes,
    refusals: Option<&std::sync::mpsc::Sender<Duration>>,
) {
    let mut asking = std::pin::pin!(deployment.predict(asked));
    let start = now();
    let at_once = std::future::poll_fn(|context| {
        std::task::Poll::Ready(match asking.as_mut().poll(context) {
            std::task::Poll::Ready(reply) => Some(reply),
            std::task::Poll::Pending => None,
        })
    });
    let first = at_once.await;
    let waited = first.is_none();
    let reply = match first {
        Some(reply) => reply,
        None => asking.await,
    };
    let took = start.elapsed();
    let answer = reply.ok().and_then(|rows| rows.into_iter().next());
    let counter = match answer {
        Some(Ok(_)) if took <= DEADLINE => &outcomes.in_time,
        Some(Ok(_)) => &outcomes.late,
        Some(Err(Refusal::TooLate | Refusal::Overloaded)) => {
            if let Some(refusals) = refusals.filter(|_| !waited) {
                // The receiver outlives every caller.
                let _ = refusals.send(took);
            }
            &outcomes.refused
        }
        _ => &outcomes.failed,
    };
    counter.fetch_add(1, Ordering::Relaxed);
}

/// How long after the load a lone caller is answered within twice the time that the model takes.
async fn recovery(deployment: &Deployment, asked: &Request) -> Result<Duration, Box<dyn Error>> {
    let begun = now();
    while begun.elapsed() < Duration::from_secs(10) {
        let start = now();
        let reply = deployment.predict(asked).await?;
        let took = start.elapsed();
        if reply.iter().all(Result::is_ok) && took <= Duration::from_micros(2 * 60) {
            return Ok(begun.elapsed());
        }
        tokio::time::sleep(TICK).await;
    }
    Err("ten seconds after the load a lone caller is not answered in time".into())
}
