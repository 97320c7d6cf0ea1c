//! All models of a process in one place.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use noops_core::{Error, ErrorKind, ModelName};

use super::deployment::Deployment;
use super::request::{Reply, Request};
use super::served::ServedModel;
use crate::telemetry::TelemetryHub;

/// The deployments of a process, by name.
///
/// Looking one up takes no lock, so that deploying and withdrawing others costs nobody anything. A host with one model needs none of
/// this: a [`Deployment`] answers by itself.
///
/// # Examples
///
/// See `examples/embed_axum.rs` of the project.
#[derive(Debug, Default)]
pub struct Runtime {
    deployments: ArcSwap<BTreeMap<ModelName, Arc<Deployment>>>,
    memory_ceiling: Option<usize>,
    closed: AtomicBool,
    /// Deployments that were taken out of service. A request may still use one, and is not to be the one who frees it.
    retired: Mutex<Vec<Arc<Deployment>>>,
    telemetry: TelemetryHub,
}

impl Runtime {
    /// A runtime without models.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses to deploy what would take the artifacts of all versions together above a number of bytes. A model in memory takes about
    /// what its artifact does, and replicas share it.
    #[must_use]
    pub fn with_memory_ceiling(mut self, bytes: usize) -> Self {
        self.memory_ceiling = Some(bytes);
        self
    }

    /// Puts a deployment into service, in the place of any other of the name.
    ///
    /// # Errors
    ///
    /// `Overloaded` when the memory ceiling forbids it; then nothing has changed.
    pub fn deploy(&self, name: ModelName, deployment: Arc<Deployment>) -> Result<(), Error> {
        // Held while it is put in, so that two do not take the same room.
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        self.room_for(&name, deployment.artifact_bytes())?;
        retired.extend(self.deployment(name.as_str()));
        self.deployments.rcu(|deployments| {
            let mut deployments = BTreeMap::clone(deployments);
            deployments.insert(name.clone(), deployment.clone());
            deployments
        });
        drop(unused(&mut retired));
        Ok(())
    }

    /// Takes a deployment out of service. Requests that have begun are answered by it to their end.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none of the name.
    pub fn withdraw(&self, name: &str) -> Result<Arc<Deployment>, Error> {
        let Some(deployment) = self.deployment(name) else {
            return Err(unknown(name));
        };
        self.deployments.rcu(|deployments| {
            let mut deployments = BTreeMap::clone(deployments);
            deployments.retain(|other, _| other.as_str() != name);
            deployments
        });
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.push(deployment.clone());
        drop(unused(&mut retired));
        Ok(deployment)
    }

    /// The deployment of a name.
    #[must_use]
    pub fn deployment(&self, name: &str) -> Option<Arc<Deployment>> {
        let deployments = self.deployments.load();
        let (_, found) = deployments
            .iter()
            .find(|(other, _)| other.as_str() == name)?;
        Some(found.clone())
    }

    /// All deployments, by name.
    #[must_use]
    pub fn deployments(&self) -> BTreeMap<ModelName, Arc<Deployment>> {
        BTreeMap::clone(&self.deployments.load())
    }

    /// Answers each row of a request by the deployment of a name, see [`Deployment::predict`].
    ///
    /// # Errors
    ///
    /// `NotFound` when there is none of the name, `Unavailable` when the runtime was closed, and as for [`Deployment::predict`].
    pub async fn predict(&self, name: &str, request: &Request) -> Result<Reply, Error> {
        if self.is_closed() {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "predict",
                "the runtime is closing; ask another instance",
            ));
        }
        let deployment = self.deployment(name).ok_or_else(|| unknown(name))?;
        deployment.predict(request).await
    }

    /// Accepts no more requests. Those that have begun are answered.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// How many rows wait, in all deployments together.
    #[must_use]
    pub fn waiting_rows(&self) -> usize {
        let deployments = self.deployments.load();
        let models = deployments
            .values()
            .flat_map(|deployment| deployment.models());
        models.map(|model| model.waiting_rows()).sum()
    }

    /// The telemetry of all versions in service. Here the host sets the indicators that only it can know.
    #[must_use]
    pub fn telemetry(&self) -> &TelemetryHub {
        let (mut live, mut arms) = (Vec::new(), Vec::new());
        for (name, deployment) in self.deployments.load().iter() {
            for model in deployment.models() {
                let version = model.version().number().to_string();
                live.push((name.to_string(), version, model.telemetry().clone()));
            }
            arms.push((name.to_string(), deployment.telemetry().clone()));
        }
        self.telemetry.tell_of_only(live, arms);
        &self.telemetry
    }

    fn room_for(&self, name: &ModelName, bytes: usize) -> Result<(), Error> {
        let Some(ceiling) = self.memory_ceiling else {
            return Ok(());
        };
        let deployments = self.deployments.load();
        let others = deployments.iter().filter(|(other, _)| *other != name);
        let used: usize = others
            .map(|(_, deployment)| deployment.artifact_bytes())
            .sum();
        if used.saturating_add(bytes) <= ceiling {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Overloaded,
            "deploy a model",
            "the artifacts together would exceed the memory ceiling; withdraw a model or raise it",
        )
        .with("model", name)
        .with("bytes", bytes)
        .with("used", used)
        .with("ceiling", ceiling))
    }
}

impl Deployment {
    /// Every version that it holds: champion, challengers, shadows and the fallback, if it is a model.
    #[must_use]
    pub fn models(&self) -> Vec<Arc<ServedModel>> {
        let mut models = vec![self.champion()];
        models.extend(self.challengers());
        models.extend(self.shadows());
        models.extend(self.fallback_model());
        models
    }

    /// The bytes of all their artifacts.
    #[must_use]
    pub fn artifact_bytes(&self) -> usize {
        let models = self.models().into_iter();
        models.map(|model| model.artifact_bytes()).sum()
    }
}

/// The deployments that nobody else holds.
fn unused(retired: &mut Vec<Arc<Deployment>>) -> Vec<Arc<Deployment>> {
    let (unused, used) = std::mem::take(retired)
        .into_iter()
        .partition(|deployment| Arc::strong_count(deployment) == 1);
    *retired = used;
    unused
}

fn unknown(name: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        "find a model",
        "there is none of this name in service",
    )
    .with("model", name)
}
