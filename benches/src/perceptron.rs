//! The perceptron of the serving benchmarks: 32 numbers, two hidden layers of 64, one probability.

use std::collections::BTreeMap;
use std::sync::Arc;

use noops_core::{
    Batch, ColumnKind, Contract, Digest, Error, Feature, FeatureRule, Lineage, ModelVersion,
    OutputRule, Registration, Timestamp,
};
use noops_serve::model::mlp::{Activation, Layer, Mlp};

use crate::SplitMix64;

/// How many features it reads.
pub const PERCEPTRON_FEATURES: usize = 32;

/// The perceptron with weights of a seed, without a framework around it.
///
/// # Errors
///
/// Never with these sizes.
pub fn perceptron(seed: u64) -> Result<Mlp, Error> {
    let mut generator = SplitMix64::new(seed);
    let mut layer = |inputs: usize, outputs: usize, activation| {
        let weights = generator.numbers(inputs * outputs).into_iter();
        let weights = weights.map(|weight| (weight as f32 - 0.5) / 4.0).collect();
        let layer = Layer::new(inputs, outputs, weights)?;
        Ok::<Layer, Error>(layer.with_activation(activation))
    };
    Mlp::new(vec![
        layer(PERCEPTRON_FEATURES, 64, Activation::Relu)?,
        layer(64, 64, Activation::Relu)?,
        layer(64, 1, Activation::Sigmoid)?,
    ])
}

/// Its version number `number`, whose contract wants 32 numbers between zero and one.
///
/// # Errors
///
/// Never with these names.
pub fn perceptron_version(number: u64) -> Result<ModelVersion, Box<dyn std::error::Error>> {
    let rules = (0..PERCEPTRON_FEATURES).map(|index| {
        FeatureRule::strict(Feature::number_between(perceptron_feature(index), 0.0, 1.0))
    });
    let registration = Registration {
        model: "bench".parse()?,
        digest: Digest::of(&number.to_le_bytes()),
        contract: Contract::new(rules, OutputRule::probability())?,
        metrics: BTreeMap::new(),
        parameters: BTreeMap::new(),
        profile: None,
        lineage: Lineage::default(),
        registered_at: Timestamp::UNIX_EPOCH,
    };
    Ok(ModelVersion::new(number, registration))
}

/// The name of a feature.
#[must_use]
pub fn perceptron_feature(index: usize) -> String {
    format!("x{index:02}")
}

/// Rows, row by row, as a model that has been checked is shown them.
///
/// # Errors
///
/// When the numbers are not 32 for each row.
pub fn perceptron_batch(rows: usize, numbers: Vec<f32>) -> Result<Batch, Error> {
    let kinds: Arc<[ColumnKind]> = [ColumnKind::Number; PERCEPTRON_FEATURES].into();
    Batch::from_rows(rows, kinds, numbers, Vec::new())
}
