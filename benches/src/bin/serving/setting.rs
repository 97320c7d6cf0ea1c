//! What all measurements have in common.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use noops_benches::{
    PERCEPTRON_FEATURES, SplitMix64, microseconds, perceptron, perceptron_version,
};
use noops_core::{Rows, SystemClock};
use noops_serve::{Deployment, DeploymentSettings, Request, ServedModel};
use serde_json::{Value, json};

pub(crate) fn served(number: u64) -> Result<Arc<ServedModel>, Box<dyn Error>> {
    let network = Box::new(perceptron(number)?);
    Ok(ServedModel::new(perceptron_version(number)?, network)?)
}

pub(crate) fn deployment(settings: &DeploymentSettings) -> Result<Deployment, Box<dyn Error>> {
    Ok(Deployment::new(served(1)?, Arc::new(SystemClock), settings))
}

/// Numbers that keep the contract.
pub(crate) fn numbers(rows: usize) -> Vec<f32> {
    let mut generator = SplitMix64::new(5);
    let numbers = generator.numbers(rows * PERCEPTRON_FEATURES).into_iter();
    numbers.map(|number| number as f32).collect()
}

pub(crate) fn request(id: &str, rows: usize) -> Result<Request, noops_core::Error> {
    let ids = (0..rows).map(|row| format!("{id}-{row}")).collect();
    Request::of_rows(ids, Rows::new(rows, numbers(rows), Vec::new())?)
}

/// The 50th and the 99th percentile.
pub(crate) fn percentiles(times: &mut [Duration]) -> Value {
    times.sort_unstable();
    json!({
        "p50_microseconds": microseconds(times, 0.5),
        "p99_microseconds": microseconds(times, 0.99),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement is the one thing that needs the real clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::print_stdout, reason = "a program speaks to its user")]
pub(crate) fn say(line: &Value) {
    println!("{line}");
}
