//! One caller at a time.

use std::error::Error;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use noops_benches::{perceptron, perceptron_batch};
use noops_core::{Executor, Share};
use noops_serve::{Call, Deployment, DeploymentSettings, Request};
use serde_json::json;

use crate::Arguments;
use crate::setting::{deployment, now, numbers, percentiles, request, say, served};

/// One row through the network alone, through the batch queue, and through everything, in turns.
pub(crate) fn measure(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let settings = DeploymentSettings::default().with_observation_sample(Share::FULL);
    let everything = deployment(&settings)?;
    let asked = request("idle", 1)?.with_timeout(Duration::from_millis(10));
    let queue = served(1)?;
    let batch = perceptron_batch(1, numbers(1))?;
    let mut network = perceptron(1)?;
    let expected = network.run(&batch)?.into_values();

    let (mut bare, mut queued, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for call in 0..arguments.calls {
        let start = now();
        let scores = network.run(&batch)?;
        bare.push(start.elapsed());
        let start = now();
        let scored = poll(queue.score(batch.clone(), Call::default()))??;
        queued.push(start.elapsed());
        let answer = timed(&everything, &asked, &mut whole)?;
        let right = scores.values() == expected
            && scored.firsts().eq(expected.iter().copied().map(Some))
            && expected.first() == Some(&answer);
        if !right {
            return Err("the deployment and the network differ".into());
        }
        drain(&everything, call)?;
    }
    say(&json!({
        "measurement": "idle",
        "calls": arguments.calls,
        "floor_forward": percentiles(&mut bare),
        "noops_queue": percentiles(&mut queued),
        "noops_everything": percentiles(&mut whole),
    }));
    Ok(())
}

/// The same with every request copied to a shadow, which another thread scores, and without one.
pub(crate) fn measure_shadow(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let settings = DeploymentSettings::default();
    let (alone, shadowed) = (deployment(&settings)?, deployment(&settings)?);
    shadowed.shadow(served(2)?, Share::FULL);
    let asked = request("shadow", 1)?;
    let over = AtomicBool::new(false);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    let scored = std::thread::scope(|threads| {
        let shadows = threads.spawn(|| {
            let mut scored = 0;
            while !over.load(Ordering::Relaxed) {
                scored += shadowed.score_shadows().len();
                std::thread::sleep(Duration::from_micros(200));
            }
            scored + shadowed.score_shadows().len()
        });
        let mut asked_all = || {
            for call in 0..arguments.calls {
                timed(&alone, &asked, &mut without)?;
                timed(&shadowed, &asked, &mut with)?;
                drain(&alone, call)?;
                drain(&shadowed, call)?;
            }
            Ok::<(), Box<dyn Error>>(())
        };
        let result = asked_all();
        over.store(true, Ordering::Relaxed);
        let scored = shadows.join().map_err(|_| "the shadow's thread panicked")?;
        result.map(|()| scored as u64)
    })?;
    let dropped = shadowed.dropped().shadow_copies;
    if scored + dropped != arguments.calls {
        return Err(format!(
            "of {} copies {scored} were scored and {dropped} dropped",
            arguments.calls
        )
        .into());
    }
    say(&json!({
        "measurement": "shadow",
        "calls": arguments.calls,
        "without": percentiles(&mut without),
        "with": percentiles(&mut with),
        "copies_scored": scored,
        "copies_dropped": dropped,
    }));
    Ok(())
}

fn timed(
    deployment: &Deployment,
    asked: &Request,
    times: &mut Vec<Duration>,
) -> Result<f32, Box<dyn Error>> {
    let start = now();
    let reply = poll(deployment.predict(asked))??;
    times.push(start.elapsed());
    let answer = reply.into_iter().next().ok_or("no row was answered")?;
    Ok(answer?.score())
}

/// As a host would: records that nobody takes away would be dropped, and dropping is cheaper than keeping.
fn drain(deployment: &Deployment, call: u64) -> Result<(), Box<dyn Error>> {
    if call.is_multiple_of(512) {
        drop(deployment.drain_exposures());
        drop(deployment.drain_observations()?);
    }
    Ok(())
}

/// A lone caller is answered on its own thread, so the answer is there at once; now and then it lets others go first, who are not
/// there.
fn poll<F: Future>(future: F) -> Result<F::Output, Box<dyn Error>> {
    let mut future = pin!(future);
    for _ in 0..3 {
        if let Poll::Ready(output) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return Ok(output);
        }
    }
    Err("a lone caller waits".into())
}
