//! Two models whose answers can be worked out in one's head, and which can be made to fail.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use noops_core::{
    Batch, Contract, Digest, Error, ErrorKind, Executor, Feature, FeatureRule, ModelVersion,
    OutputRule, Registration, Scores, SystemClock, Timestamp,
};
use noops_serve::{Deployment, ServedModel, ServingSettings};

/// Takes one tensor `input` of three numbers `a`, `b` and `c`, and answers with `a + 10 b + 100 c` and `a`. Some values of `a` are
/// orders: [`PANIC`], [`FAIL`], [`BREAK`] and [`WAIT`].
pub(crate) const POINTS: &str = "points";

/// Takes a tensor `amount`, from 0 to 1000, and a tensor `country`, and answers with twice the amount and 1000 for `de`, 2000 for
/// `se`.
pub(crate) const ORDERS: &str = "orders";

/// The model panics.
pub(crate) const PANIC: f32 = 6001.0;
/// The model fails.
pub(crate) const FAIL: f32 = 6002.0;
/// The model answers with what is no number.
pub(crate) const BREAK: f32 = 6003.0;
/// The model waits until its gate is open.
pub(crate) const WAIT: f32 = 6004.0;

/// What [`POINTS`] answers.
pub(crate) fn score([a, b, c]: [f32; 3]) -> [f32; 2] {
    [a + 10.0 * b + 100.0 * c, a]
}

pub(crate) fn points(gate: &Arc<Gate>) -> Arc<Deployment> {
    let rules = ["a", "b", "c"].map(|name| FeatureRule::strict(Feature::number(name)));
    let contract = Contract::new(rules, OutputRule::numbers(2).unwrap()).unwrap();
    // Never on a thread that other requests need, since it may wait.
    let settings = ServingSettings::default()
        .with_replicas(std::num::NonZeroUsize::MIN)
        .with_offload_above(Duration::ZERO);
    deployment(POINTS, contract, &settings, Points(gate.clone()))
}

pub(crate) fn orders() -> Arc<Deployment> {
    let rules = [
        Feature::number_between("amount", 0.0, 1000.0),
        Feature::category("country", ["de".into(), "se".into()]),
    ];
    let contract = Contract::new(rules.map(FeatureRule::strict), OutputRule::number()).unwrap();
    deployment(ORDERS, contract, &ServingSettings::default(), Orders)
}

fn deployment(
    name: &str,
    contract: Contract,
    settings: &ServingSettings,
    executor: impl Executor,
) -> Arc<Deployment> {
    let digest = Digest::of(name.as_bytes());
    let model = name.parse().unwrap();
    let registration = Registration::new(model, digest, contract, Timestamp::UNIX_EPOCH);
    let version = ModelVersion::new(1, registration);
    let clock = Arc::new(SystemClock);
    let served =
        ServedModel::with_settings(version, Box::new(executor), settings, clock.clone()).unwrap();
    Arc::new(Deployment::new(served, clock, &Default::default()))
}

#[derive(Clone, Debug)]
struct Points(Arc<Gate>);

impl Executor for Points {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        let mut scores = Vec::new();
        for row in batch.numbers().chunks(3) {
            let row: [f32; 3] = row.try_into().unwrap();
            match row[0] {
                // Without the noise of the hook.
                PANIC => std::panic::resume_unwind(Box::new("as ordered")),
                FAIL => return Err(Error::new(ErrorKind::Invalid, "score", "it was ordered")),
                BREAK => scores.extend([f32::NAN; 2]),
                WAIT => {
                    self.0.pass();
                    scores.extend(score(row));
                }
                _ => scores.extend(score(row)),
            }
        }
        Scores::new(2, scores)
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(self.clone()))
    }
}

#[derive(Clone, Debug)]
struct Orders;

impl Executor for Orders {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        let rows = batch.numbers().iter().zip(batch.codes());
        Scores::new(
            1,
            rows.map(|(x, code)| 2.0 * x + 1000.0 * *code as f32)
                .collect(),
        )
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(self.clone()))
    }
}

/// Where a model waits.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    open: bool,
    arrived: bool,
}

impl Gate {
    /// Lets everybody through from now on.
    pub(crate) fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.changed.notify_all();
    }

    /// Until the model has come to the gate.
    pub(crate) fn wait_for_arrival(&self) {
        let state = self.state.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(state, LONGEST, |state| !state.arrived);
        assert!(waited.unwrap().0.arrived, "nobody came");
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.arrived = true;
        self.changed.notify_all();
        let passed = self
            .changed
            .wait_timeout_while(state, LONGEST, |state| !state.open);
        drop(passed);
    }
}

/// A test that has failed does not hold its server up for longer.
const LONGEST: Duration = Duration::from_secs(10);
