//! `cargo run --release --example quickstart`: what a platform builder copies into a service.
#![expect(clippy::print_stdout, reason = "an example speaks to its user")]

use std::{error::Error, sync::Arc};

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, activation::sigmoid};
use noops_core::arrow_array::{Float64Array, RecordBatch};
use noops_core::{ArtifactStore, Clock, Contract, Feature, FeatureRule, ModelRegistry, Observed};
use noops_core::{OutputRule, Probability, Registration, SqlDatabase, SystemClock};
use noops_drift::{CalibrationMonitor, CalibrationSettings};
use noops_policy::{Action, Facts, PolicySet};
use noops_serve::{BurnExecutor, Deployment, Request, ServedModel};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Your trained model, and what it demands of its input.
    let model = LinearConfig::new(1, 1).init(&Device::flex());
    let amount = FeatureRule::strict(Feature::number_between("amount", 0.0, 1e4));
    let contract = Contract::new([amount], OutputRule::probability())?;

    // Open a registry: one SQLite file holds versions, artifacts, decisions and state.
    let database = SqlDatabase::open(&std::env::temp_dir().join("quickstart.sqlite")).await?;
    let weights = model.clone().into_record().into_bytes()?;
    let digest = database.artifacts().put(&weights).await?;
    let now = SystemClock.now();
    let new = Registration::new("fraud".parse()?, digest, contract, now);
    let version = database.registry().register(new).await?;

    // Put it into service: it is probed and warmed up before it answers.
    let model = BurnExecutor::new(model, Device::flex(), |model: &Linear, inputs| {
        sigmoid(model.forward(inputs.numbers()))
    });
    let model = ServedModel::new(version, Box::new(model))?;
    let deployment = Deployment::new(model, Arc::new(SystemClock), &Default::default());

    // Predict: contract check, routing, batching and exposure record included.
    let amounts = Float64Array::from(vec![Some(120.0), None]);
    let rows = RecordBatch::try_from_iter([("amount", Arc::new(amounts) as _)])?;
    let request = Request::new(vec!["order-1".into(), "order-2".into()], rows)?;
    let reply = deployment.predict(&request).await?;

    // Report labels when they come: evidence of harm that may be looked at at any time.
    let mut harm = CalibrationMonitor::new(CalibrationSettings::default())?;
    for prediction in reply.iter().flatten() {
        let score = Probability::new(prediction.score().into())?;
        harm.observe(0, score, Observed::Negative);
    }

    // Load a policy, checked against the declared facts, and ask it.
    let folder = env!("CARGO_MANIFEST_DIR");
    let policy = std::fs::read_to_string(format!("{folder}/policies/retrain.yaml"))?;
    let policies = PolicySet::load(&[("retrain.yaml", &policy)], &noops_serve::fact_schema()?)?;
    let mut facts = Facts::new(policies.schema());
    facts.set("harm.max_e", harm.evidence().max().value(), now)?;
    let decision = policies.decide(Action::Retrain, &facts, now);
    println!("{}", decision.explain());
    Ok(())
}
