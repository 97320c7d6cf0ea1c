//! What is done beside the answers: models are shown what they did not answer, and records are counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use noops_core::Digest;
use noops_serve::{ExposureOutcome, Runtime};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

use crate::failure::{Failure, fail};

/// A task that looks after all deployments of a runtime.
#[derive(Debug)]
pub(crate) struct Watch {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Tally, JoinError>>,
}

/// What every version of every model has said.
#[derive(Debug, Default)]
struct Tally {
    versions: BTreeMap<(String, u64), Said>,
}

/// Rows of a version with the sums of their scores.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    answered: Rows,
    shadowed: Rows,
}

#[derive(Clone, Copy, Debug, Default)]
struct Rows {
    count: u64,
    sum: f64,
}

impl Watch {
    pub(crate) fn start(runtime: Arc<Runtime>) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut tally = Tally::default();
            loop {
                let wait = tokio::time::timeout(EVERY, &mut stopped).await;
                let runtime = runtime.clone();
                // Models take their time, and live answers must not wait for it.
                let looked = tokio::task::spawn_blocking(move || tally.look(&runtime));
                tally = looked.await?;
                if wait.is_ok() {
                    return Ok(tally);
                }
            }
        });
        Self { stop, task }
    }

    /// Looks one last time, and says what was compared.
    pub(crate) async fn stop(self) -> Result<String, Failure> {
        drop(self.stop);
        let failed = |error: JoinError| fail(format!("the shadows could not be scored: {error}"));
        let tally = self.task.await.map_err(failed)?.map_err(failed)?;
        Ok(tally.told())
    }
}

impl Tally {
    fn look(mut self, runtime: &Runtime) -> Self {
        for (name, deployment) in runtime.deployments() {
            let models = deployment.models();
            let number = |digest: Digest| {
                let model = models.iter().find(|model| model.digest() == digest);
                model.map(|model| (name.to_string(), model.version().number()))
            };
            for exposure in deployment.drain_exposures() {
                if let ExposureOutcome::Answered { score, .. } = exposure.outcome
                    && let Some(version) = number(exposure.version)
                {
                    self.versions
                        .entry(version)
                        .or_default()
                        .answered
                        .add(score);
                }
            }
            for shadow in deployment.score_shadows() {
                if let Some(score) = shadow.score
                    && let Some(version) = number(shadow.version)
                {
                    self.versions
                        .entry(version)
                        .or_default()
                        .shadowed
                        .add(score);
                }
            }
        }
        self
    }

    fn told(&self) -> String {
        let versions = self.versions.iter().map(|((name, version), said)| {
            let mut told = format!("; {name} version {version}");
            for (what, rows) in [("answered", said.answered), ("was shown", said.shadowed)] {
                if rows.count > 0 {
                    let mean = rows.sum / rows.count as f64;
                    told.push_str(&format!(
                        " {what} {} rows, mean score {mean:.4}",
                        rows.count
                    ));
                }
            }
            told
        });
        versions.collect()
    }
}

impl Rows {
    fn add(&mut self, score: f32) {
        self.count += 1;
        self.sum += f64::from(score);
    }
}

const EVERY: Duration = Duration::from_millis(50);
