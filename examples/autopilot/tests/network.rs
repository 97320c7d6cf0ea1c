//! The model keeps the contracts of what runs it and of what reads it back.

use noops_core::{
    Batch, Column, Contract, Digest, Feature, FeatureRule, ModelName, ModelVersion, OutputRule,
    Registration, Timestamp, conformance,
};

use crate::network::{Network, Schedule};
use crate::trainer::NetworkLoader;

#[tokio::test]
async fn a_trained_network_and_its_loader_keep_their_contracts() {
    let carriers = ["aa".to_owned(), "bb".to_owned()];
    let rules = [
        FeatureRule::strict(Feature::number_between("hour", 0.0, 24.0)),
        FeatureRule::strict(Feature::category("carrier", carriers)),
    ];
    let contract = Contract::new(rules, OutputRule::probability()).unwrap();
    let hours = (0..48).map(|row| (row % 24) as f32).collect();
    let codes = (0..48).map(|row| row % 3).collect();
    let batch = Batch::new(vec![Column::Number(hours), Column::Category(codes)]).unwrap();
    let late: Vec<bool> = (0..48).map(|row| row % 24 > 12).collect();
    let schedule = Schedule {
        rows_seen: 480,
        most_epochs: 10,
        learning_rate: 3e-3,
        batch: 16,
    };
    let network = Network::train(&contract, &batch, &late, &schedule, 7);
    let artifact = network.to_bytes().unwrap();
    let model: ModelName = "arrival-delay".parse().unwrap();
    let digest = Digest::of(&artifact);
    let registration = Registration::new(model, digest, contract, Timestamp::UNIX_EPOCH);
    let version = ModelVersion::new(1, registration);
    conformance::executor::loader(&NetworkLoader, &version, &artifact, &batch).await;
}
