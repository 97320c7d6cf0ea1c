//! The champion replaced again and again while many ask.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use noops_benches::{perceptron, perceptron_batch};
use noops_core::{Digest, Executor};
use noops_serve::{Deployment, DeploymentSettings, ServedModel};
use serde_json::json;

use crate::Arguments;
use crate::setting::{deployment, now, numbers, percentiles, request, say, served};

const CALLERS: usize = 64;
const ROWS: usize = 4;

/// A version, and what it says of the rows.
struct Version {
    model: Arc<ServedModel>,
    digest: Digest,
    scores: Vec<f32>,
}

/// How long calls took, and how many failed or were answered by two versions.
#[derive(Default)]
struct Calls {
    times: Vec<Duration>,
    failed: usize,
    mixed: usize,
}

pub(crate) fn measure(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let deployment = Arc::new(deployment(&DeploymentSettings::default())?);
    let versions: Arc<[Version]> = Arc::new([version(1)?, version(2)?]);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()?;
    deployment.crown(versions.first().ok_or("no version")?.model.clone());
    let load = Duration::from_millis(arguments.load_ms);
    let (mut still, _) = runtime.block_on(under_load(&deployment, &versions, 0, load))?;
    let (mut swapping, took) =
        runtime.block_on(under_load(&deployment, &versions, arguments.swaps, load))?;
    let (failed, mixed) = (still.failed + swapping.failed, still.mixed + swapping.mixed);
    say(&json!({
        "measurement": "swaps",
        "callers": CALLERS,
        "rows_a_call": ROWS,
        "swaps": arguments.swaps,
        "seconds": took.as_secs_f64(),
        "calls": swapping.times.len(),
        "failed": failed,
        "mixed": mixed,
        "without": percentiles(&mut still.times),
        "with": percentiles(&mut swapping.times),
    }));
    if failed + mixed > 0 {
        return Err("a call failed or was answered by two versions".into());
    }
    Ok(())
}

fn version(number: u64) -> Result<Version, Box<dyn Error>> {
    let model = served(number)?;
    let batch = perceptron_batch(ROWS, numbers(ROWS))?;
    Ok(Version {
        digest: model.digest(),
        scores: perceptron(number)?.run(&batch)?.into_values(),
        model,
    })
}

/// Calls for as long as `swaps` take, spread over `least`.
async fn under_load(
    deployment: &Arc<Deployment>,
    versions: &Arc<[Version]>,
    swaps: u64,
    least: Duration,
) -> Result<(Calls, Duration), Box<dyn Error>> {
    let over = Arc::new(AtomicBool::new(false));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (deployment, versions) = (deployment.clone(), versions.clone());
            tokio::spawn(ask(deployment, versions, over.clone(), caller))
        })
        .collect();
    let start = now();
    swap(deployment, versions, swaps, start, least).await;
    tokio::time::sleep(least.saturating_sub(start.elapsed())).await;
    over.store(true, Ordering::Relaxed);
    let took = start.elapsed();
    let mut calls = Calls::default();
    for caller in callers {
        let one = caller.await??;
        calls.times.extend(one.times);
        calls.failed += one.failed;
        calls.mixed += one.mixed;
    }
    Ok((calls, took))
}

async fn swap(
    deployment: &Deployment,
    versions: &[Version],
    swaps: u64,
    start: Instant,
    least: Duration,
) {
    let mut next = versions.iter().cycle().skip(1);
    for swap in 0..swaps {
        if let Some(version) = next.next() {
            deployment.crown(version.model.clone());
        }
        let due = least.mul_f64(swap as f64 / swaps as f64);
        if let Some(early) = due
            .checked_sub(start.elapsed())
            .filter(|early| early.as_millis() > 0)
        {
            tokio::time::sleep(early).await;
        } else {
            tokio::task::yield_now().await;
        }
    }
}

async fn ask(
    deployment: Arc<Deployment>,
    versions: Arc<[Version]>,
    over: Arc<AtomicBool>,
    caller: usize,
) -> Result<Calls, noops_core::Error> {
    let asked = request(&caller.to_string(), ROWS)?;
    let mut calls = Calls::default();
    while !over.load(Ordering::Relaxed) {
        let start = now();
        let reply = deployment.predict(&asked).await?;
        calls.times.push(start.elapsed());
        let answers: Vec<_> = reply.iter().filter_map(|row| row.as_ref().ok()).collect();
        calls.failed += usize::from(answers.len() != ROWS);
        let of_one = versions.iter().any(|version| {
            let mut rows = answers.iter().zip(&version.scores);
            rows.all(|(answer, score)| {
                answer.version() == version.digest && answer.score() == *score
            })
        });
        calls.mixed += usize::from(!of_one);
        if caller == 0 && calls.times.len().is_multiple_of(64) {
            drop(deployment.drain_exposures());
        }
    }
    Ok(calls)
}
