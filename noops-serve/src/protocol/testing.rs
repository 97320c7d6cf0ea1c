//! A service whose model `m`, version 1, adds one to its two inputs, and whose model `stuck` never answers.

use std::sync::Arc;

use async_trait::async_trait;
use noops_canary::Salt;
use noops_core::{Error, ErrorKind, Share};

use super::access::{AccessRules, Limits};
use super::service::{Repository, Service};
use crate::runtime::testing::{adding, occupied};
use crate::runtime::{Deployment, Runtime};

/// The model that answers.
pub(crate) const MODEL: &str = "m";

pub(crate) fn service(rules: AccessRules, limits: Limits) -> Arc<Service> {
    let runtime = Arc::new(Runtime::new());
    runtime.deploy(MODEL.parse().unwrap(), model()).unwrap();
    let stuck = adding(1.0);
    occupied(&stuck);
    runtime
        .deploy("stuck".parse().unwrap(), deployment(stuck))
        .unwrap();
    let service = Service::new(runtime)
        .with_access(rules)
        .with_limits(limits)
        .with_repository(Arc::new(Models));
    Arc::new(service)
}

/// Requests that are waited for.
pub(crate) fn at_work(service: &Service) -> usize {
    let stuck = service.runtime().deployment("stuck").unwrap();
    stuck.champion().awaited()
}

/// Knows `m` and `n`, and can load `m`.
#[derive(Debug)]
struct Models;

#[async_trait]
impl Repository for Models {
    fn names(&self) -> Vec<String> {
        ["m", "n"].map(str::to_owned).to_vec()
    }

    async fn load(&self, name: &str) -> Result<Arc<Deployment>, Error> {
        if name == "m" {
            return Ok(model());
        }
        Err(Error::new(
            ErrorKind::NotFound,
            "load a model",
            "there is none of the name",
        )
        .with("model", name))
    }
}

fn model() -> Arc<Deployment> {
    let deployment = deployment(adding(1.0));
    deployment.challenge(adding(10.0), Salt::new("test"), Share::ZERO);
    deployment
}

fn deployment(champion: Arc<crate::runtime::ServedModel>) -> Arc<Deployment> {
    let clock = Arc::new(noops_core::SystemClock);
    Arc::new(Deployment::new(champion, clock, &Default::default()))
}
