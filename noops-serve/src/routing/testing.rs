//! Deployments that do what they are told, for the tests of routing.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;

use async_trait::async_trait;
use noops_core::{
    Batch, Clock, Contract, Digest, Error, Executor, Feature, FeatureRule, ManualClock,
    ModelVersion, OutputRule, Registration, Rows, Scores, Timestamp,
};

use super::{Routed, Router, Target};
use crate::runtime::testing::occupied;
use crate::runtime::{Call, Deployment, DeploymentSettings, Request, ServedModel, ServingSettings};

pub(super) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH))
}

pub(super) fn advance(clock: &ManualClock, by: Duration) {
    clock.set(clock.now() + by);
}

/// A contract of one number between 0 and 1.
pub(super) fn contract() -> Contract {
    contract_of([FeatureRule::strict(Feature::number_between("x", 0.0, 1.0))])
}

pub(super) fn contract_of(rules: impl IntoIterator<Item = FeatureRule>) -> Contract {
    Contract::new(rules, OutputRule::probability()).unwrap()
}

/// A deployment whose model answers each row with a function of its first number.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) deployment: Arc<Deployment>,
    served: Arc<ServedModel>,
    rows: Arc<AtomicUsize>,
    runs: Arc<AtomicUsize>,
}

impl Model {
    pub(super) fn new(name: &str, answer: impl Fn(f32) -> f32 + Send + 'static) -> Self {
        Self::on(name, &clock(), contract(), answer)
    }

    pub(super) fn on(
        name: &str,
        clock: &Arc<ManualClock>,
        contract: Contract,
        answer: impl Fn(f32) -> f32 + Send + 'static,
    ) -> Self {
        let (rows, runs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let acting = Acting {
            answer: Box::new(answer),
            rows: rows.clone(),
            runs: runs.clone(),
        };
        let digest = Digest::of(name.as_bytes());
        let name = "test".parse().unwrap();
        let registration = Registration::new(name, digest, contract, Timestamp::UNIX_EPOCH);
        let settings = ServingSettings::default()
            .with_queued_rows(0)
            .with_offload_above(Duration::MAX);
        let version = ModelVersion::new(1, registration);
        let served =
            ServedModel::with_settings(version, Box::new(acting), &settings, clock.clone())
                .unwrap();
        rows.store(0, Ordering::Relaxed);
        runs.store(0, Ordering::Relaxed);
        let settings = DeploymentSettings::default();
        Self {
            deployment: Arc::new(Deployment::new(served.clone(), clock.clone(), &settings)),
            served,
            rows,
            runs,
        }
    }

    pub(super) fn target(&self, name: &str) -> Target {
        Target::new(name.parse().unwrap(), self.deployment.clone())
    }

    /// Takes its replica away and fills its queue, until what comes is dropped.
    pub(super) fn overload(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        occupied(&self.served);
        let served = self.served.clone();
        let rows = Rows::one(vec![0.5]);
        let batch = served.contract().encode_rows(&rows).unwrap().into_batch();
        let mut waits = Box::pin(async move {
            let _ = served.score(batch, Call::default()).await;
        });
        let mut context = Context::from_waker(Waker::noop());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        waits
    }

    /// How many rows it ran since it was made.
    pub(super) fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// How many batches it ran since it was made.
    pub(super) fn runs(&self) -> usize {
        self.runs.load(Ordering::Relaxed)
    }
}

struct Acting {
    answer: Box<dyn Fn(f32) -> f32 + Send>,
    rows: Arc<AtomicUsize>,
    runs: Arc<AtomicUsize>,
}

impl Executor for Acting {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        self.rows.fetch_add(batch.rows(), Ordering::Relaxed);
        self.runs.fetch_add(1, Ordering::Relaxed);
        let width = batch.number_columns().max(1);
        let firsts = batch.numbers().iter().step_by(width);
        Scores::new(1, firsts.map(|&x| (self.answer)(x)).collect())
    }
}

impl std::fmt::Debug for Acting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acting")
    }
}

/// A router that answers nothing before it is let go, and counts who asked.
#[derive(Debug, Default)]
pub(super) struct Stuck {
    pub(super) asked: Mutex<Vec<Vec<String>>>,
}

#[async_trait]
impl Router for Stuck {
    async fn route(&self, request: &Request) -> Result<Routed, Error> {
        self.asked.lock().unwrap().push(request.ids().to_vec());
        std::future::pending().await
    }

    fn features(&self) -> Arc<[String]> {
        contract().names()
    }
}

pub(super) fn request(xs: &[f32]) -> Request {
    let ids = (0..xs.len()).map(|id| format!("r{id}")).collect();
    Request::of_rows(ids, Rows::new(xs.len(), xs.to_vec(), Vec::new()).unwrap()).unwrap()
}

/// The first number of each answer, NaN where there is none.
pub(super) fn scores(routed: &Routed) -> Vec<f32> {
    let rows = routed.rows().iter();
    rows.map(|row| row.answer().map_or(f32::NAN, |answer| answer.score()))
        .collect()
}

/// The name on each answer, `-` where there is none.
pub(super) fn names(routed: &Routed) -> Vec<&str> {
    let rows = routed.rows().iter();
    rows.map(|row| row.target().map_or("-", |name| name.as_str()))
        .collect()
}
