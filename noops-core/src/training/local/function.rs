use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinError;
use tokio::time::timeout;

use crate::training::local::Shared;
use crate::training::local::context::JobContext;
use crate::training::local::live::LiveRun;
use crate::training::local::settings::Function;
use crate::training::run::RunEvent;

/// Runs a function until it returns or its run has ended.
pub(super) async fn run(
    shared: &Shared,
    live: &Arc<LiveRun>,
    function: Function,
    place: OwnedSemaphorePermit,
) {
    let context = JobContext::new(live.clone(), shared.clock.clone());
    let mut work = tokio::task::spawn_blocking(move || {
        let output = function(&context);
        // The place is free when the thread is, also when nobody waits for the result any more.
        drop(place);
        output
    });
    let returned = loop {
        match timeout(shared.settings.poll(), &mut work).await {
            Ok(returned) => break returned,
            Err(_) => live.check(shared.clock.now()),
        }
        if live.is_ended() {
            return;
        }
    };
    live.check(shared.clock.now());
    match returned {
        Ok(Ok(output)) => {
            let (artifact, metrics) = output.into_parts();
            finish(shared, live, &artifact, metrics).await;
        }
        Ok(Err(error)) => live.fail(error.to_string(), shared.clock.now()),
        Err(lost) => live.fail(describe(lost), shared.clock.now()),
    }
}

/// Stores the artifact of a run that has not ended otherwise.
async fn finish(shared: &Shared, live: &LiveRun, artifact: &[u8], metrics: BTreeMap<String, f64>) {
    if live.is_ended() {
        return;
    }
    match shared.artifacts.put(artifact).await {
        Ok(artifact) => {
            let event = RunEvent::Succeeded { artifact, metrics };
            live.advance(event, shared.clock.now());
        }
        Err(error) => live.fail(
            format!("the artifact could not be stored: {error}"),
            shared.clock.now(),
        ),
    }
}

fn describe(lost: JoinError) -> String {
    match lost.try_into_panic() {
        Ok(payload) => format!("the training panicked: {}", message(payload.as_ref())),
        Err(_) => "the runtime shut down before the training ran".to_owned(),
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
