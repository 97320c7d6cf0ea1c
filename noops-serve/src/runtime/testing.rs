//! Models for tests that do what they are told.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Float64Array, RecordBatch};
use noops_core::{
    Batch, Contract, Digest, Error, Executor, Feature, FeatureRule, Lineage, ModelVersion,
    OutputRule, Registration, Scores, Timestamp,
};

use super::served::ServedModel;

/// A model that answers with a function of its only feature, `x`.
pub(crate) struct Formula(pub(crate) Box<Answers>);

type Answers = dyn FnMut(&[f32]) -> Vec<f32> + Send;

impl Executor for Formula {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        Scores::new(1, (self.0)(batch.numbers()))
    }
}

impl std::fmt::Debug for Formula {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Formula")
    }
}

pub(crate) fn version(name: &str) -> ModelVersion {
    let rule = FeatureRule::strict(Feature::number_between("x", 0.0, 1.0));
    let registration = Registration {
        model: "test".parse().unwrap(),
        digest: Digest::of(name.as_bytes()),
        contract: Contract::new([rule], OutputRule::probability()).unwrap(),
        metrics: BTreeMap::new(),
        parameters: BTreeMap::new(),
        profile: None,
        lineage: Lineage::default(),
        registered_at: Timestamp::UNIX_EPOCH,
    };
    ModelVersion::new(1, registration)
}

/// A served model that answers each row with `answer` of its `x`.
pub(crate) fn served(name: &str, answer: impl Fn(f32) -> f32 + Send + 'static) -> Arc<ServedModel> {
    let formula = Formula(Box::new(move |xs| xs.iter().map(|&x| answer(x)).collect()));
    ServedModel::new(version(name), Box::new(formula)).unwrap()
}

pub(crate) fn rows(xs: &[Option<f64>]) -> RecordBatch {
    RecordBatch::try_from_iter([("x", Arc::new(Float64Array::from(xs.to_vec())) as _)]).unwrap()
}

/// Answers each of its two inputs with itself and `more`.
#[derive(Clone, Debug)]
struct Adding(f32);

impl Executor for Adding {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        Scores::new(2, batch.numbers().iter().map(|x| x + self.0).collect())
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(self.clone()))
    }
}

pub(crate) fn adding(more: f32) -> Arc<ServedModel> {
    let rules = ["a", "b"].map(|name| FeatureRule::strict(Feature::number(name)));
    let contract = Contract::new(rules, OutputRule::numbers(2).unwrap()).unwrap();
    let digest = Digest::of(&more.to_le_bytes());
    let registration = Registration::new(
        "test".parse().unwrap(),
        digest,
        contract,
        Timestamp::UNIX_EPOCH,
    );
    ServedModel::new(ModelVersion::new(1, registration), Box::new(Adding(more))).unwrap()
}

/// Takes all replicas away for ever.
pub(crate) fn occupied(model: &ServedModel) {
    while model.occupy() {}
}
