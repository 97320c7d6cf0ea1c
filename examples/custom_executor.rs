//! `cargo run --release --example custom_executor`: a host's own model type, served in process.
//!
//! The model looks prices up in a table, which no framework has a name for. It also has a fault: it panics on one input, which harms
//! nobody else.
#![expect(clippy::print_stdout, reason = "an example speaks to its user")]

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use noops_core::{Batch, Contract, Digest, Executor, Feature, FeatureRule, ModelVersion, Rows};
use noops_core::{OutputRule, Registration, Scores, SystemClock, Timestamp};
use noops_serve::{Deployment, DeploymentSettings, Fallback, Reply, Request, ServedModel};

/// Prices of whole numbers of items; replicas share the table.
#[derive(Clone, Debug)]
struct PriceTable {
    prices: Arc<BTreeMap<i64, f32>>,
}

impl Executor for PriceTable {
    fn run(&mut self, batch: &Batch) -> Result<Scores, noops_core::Error> {
        let mut scores = Vec::with_capacity(batch.rows());
        for items in batch.numbers() {
            let items = *items as i64;
            assert!(items != CURSED, "nobody buys thirteen");
            // The price of the next smaller number that the table has.
            let found = self.prices.range(..=items).next_back();
            scores.push(found.map_or(0.0, |(_, price)| price * items as f32));
        }
        Scores::new(1, scores)
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(self.clone()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // What the model demands and promises, and which artifact it is: here, the table itself.
    let prices = BTreeMap::from([(1, 2.0), (10, 1.75), (100, 1.5)]);
    let digest = Digest::of_json(&prices);
    let items = FeatureRule::strict(Feature::number_between("items", 0.0, 1e6));
    let contract = Contract::new([items], OutputRule::between(1, 0.0, 1e7)?)?;
    let registration = Registration::new("price".parse()?, digest, contract, Timestamp::UNIX_EPOCH);
    let version = ModelVersion::new(1, registration);

    // It is probed before it answers: with its contract, and up to which batch rows keep their scores to the last bit.
    let model = PriceTable {
        prices: Arc::new(prices),
    };
    let model = ServedModel::new(version, Box::new(model))?;
    println!(
        "version {} is served, {} replicas, batches of up to {} rows",
        model.version().number(),
        model.replicas(),
        model.batch_invariant_up_to()
    );
    let clock = Arc::new(SystemClock);
    let deployment = Deployment::new(model, clock, &DeploymentSettings::default());

    println!(
        "one row:        {}",
        told(&ask(&deployment, &[20.0]).await?)
    );
    println!(
        "three rows:     {}",
        told(&ask(&deployment, &[1.0, 12.0, 500.0]).await?)
    );
    println!(
        "a bad row:      {}",
        told(&ask(&deployment, &[5.0, -1.0]).await?)
    );

    // The panic answers its batch with an error, and the replica is replaced. Its message on the error stream is Rust's own.
    println!(
        "a panic:        {}",
        told(&ask(&deployment, &[CURSED as f32]).await?)
    );
    println!(
        "afterwards:     {}",
        told(&ask(&deployment, &[20.0]).await?)
    );

    // A deadline that cannot be made is refused at once, and nothing is run for it.
    let request = request(&[20.0])?.with_timeout(Duration::ZERO);
    println!(
        "no time at all: {}",
        told(&deployment.predict(&request).await?)
    );

    // With a fallback the caller gets an answer, which is counted as what it is.
    deployment.fall_back_to(Fallback::constant(&[0.0]));
    let reply = ask(&deployment, &[CURSED as f32]).await?;
    println!("with fallback:  {}", told(&reply));
    Ok(())
}

fn request(items: &[f32]) -> Result<Request, noops_core::Error> {
    let ids = (0..items.len()).map(|row| format!("basket-{row}"));
    let rows = Rows::new(items.len(), items.to_vec(), Vec::new())?;
    Request::of_rows(ids.collect(), rows)
}

async fn ask(deployment: &Deployment, items: &[f32]) -> Result<Reply, noops_core::Error> {
    deployment.predict(&request(items)?).await
}

fn told(reply: &Reply) -> String {
    let rows = reply.iter().map(|row| match row {
        Ok(answer) => format!("{} ({:?})", answer.score(), answer.answered_by()),
        Err(refusal) => format!("refused: {refusal}"),
    });
    rows.collect::<Vec<_>>().join(", ")
}

const CURSED: i64 = 13;

#[cfg(test)]
mod tests {
    use noops_core::{Column, conformance};

    use super::*;

    #[test]
    fn the_table_keeps_the_contract_of_executors() {
        let prices = Arc::new(BTreeMap::from([(1, 2.0), (10, 1.75)]));
        let items = vec![0.0, 1.0, 5.0, 10.0, 40.0];
        let batch = Batch::new(vec![Column::Number(items)]).unwrap();
        conformance::executor::all(&mut PriceTable { prices }, &batch);
    }
}
