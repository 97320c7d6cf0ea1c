//! A prediction from rows to reply, and the check of its contract alone.
//!
//! `cargo bench -p noops-benches --bench serve`

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor, TensorData};
use criterion::{BenchmarkId, Criterion, Throughput};
use noops_benches::SplitMix64;
use noops_core::{
    Contract, Digest, Feature, FeatureRule, Lineage, ModelVersion, OutputRule, Registration,
    SystemClock, Timestamp,
};
use noops_serve::{BurnExecutor, Deployment, DeploymentSettings, Reply, Request, ServedModel};

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = noops_benches::criterion();
    predict(&mut criterion)?;
    encode(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

fn predict(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let device = Device::flex();
    device.seed(4);
    let module = mlp(&device);
    let executor = BurnExecutor::new(module.clone(), device.clone(), |module: &Mlp, inputs| {
        forward(module, inputs.numbers())
    });
    let served = ServedModel::new(version()?, Box::new(executor))?;
    let deployment = Deployment::new(
        served,
        Arc::new(SystemClock),
        &DeploymentSettings::default(),
    );

    let mut group = criterion.benchmark_group("serve/predict");
    for rows in ROWS {
        let columns = columns(rows);
        let ids = (0..rows).map(|row| format!("request-{row}")).collect();
        let request = Request::new(ids, frame(&columns)?)?;
        let inputs = row_major(&columns, rows);
        let expected = run_bare(&module, &inputs, rows, &device).ok_or("burn gave no scores")?;
        let reply = ask(&deployment, &request).ok_or("the deployment did not answer")?;
        assert!(
            agree(&reply, &expected),
            "the deployment and the module differ"
        );

        group.throughput(Throughput::Elements(rows as u64));
        let mut calls = 0_u32;
        group.bench_function(BenchmarkId::new("noops", rows), |bencher| {
            bencher.iter(|| {
                let reply = ask(&deployment, black_box(&request));
                assert!(reply.as_ref().is_some_and(|reply| agree(reply, &expected)));
                // As a host would: records that nobody takes away would be dropped, and dropping is cheaper than keeping.
                calls += 1;
                if calls.is_multiple_of(CALLS_PER_DRAIN) {
                    drop(black_box(deployment.drain_exposures()));
                }
                reply
            });
        });
        assert_eq!(deployment.dropped().exposures, 0);
        drop(deployment.drain_exposures());
        group.bench_function(BenchmarkId::new("floor-forward", rows), |bencher| {
            bencher.iter(|| {
                let scores = run_bare(&module, black_box(&inputs), rows, &device);
                assert!(scores.as_ref().is_some_and(|scores| scores.len() == rows));
                scores
            });
        });
    }
    group.finish();
    Ok(())
}

fn encode(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let contract = contract()?;
    let mut group = criterion.benchmark_group("serve/encode");
    for rows in ROWS {
        let columns = columns(rows);
        let frame = frame(&columns)?;
        group.throughput(Throughput::Elements(rows as u64));
        group.bench_function(BenchmarkId::new("noops", rows), |bencher| {
            bencher.iter(|| {
                let encoded = contract.encode(black_box(&frame));
                assert!(
                    encoded
                        .as_ref()
                        .is_ok_and(|encoded| encoded.accepted().len() == rows)
                );
                encoded
            });
        });
        // The same numbers as 32-bit columns, unchecked.
        group.bench_function(BenchmarkId::new("floor-copy", rows), |bencher| {
            bencher.iter(|| {
                let copied: Vec<Vec<f32>> = black_box(&columns)
                    .iter()
                    .map(|column| column.iter().map(|value| *value as f32).collect())
                    .collect();
                assert_eq!(copied.len(), FEATURES);
                copied
            });
        });
    }
    group.finish();
    Ok(())
}

/// 32 numbers, two hidden layers of 64, one probability.
type Mlp = (Linear, Linear, Linear);

fn mlp(device: &Device) -> Mlp {
    (
        LinearConfig::new(FEATURES, 64).init(device),
        LinearConfig::new(64, 64).init(device),
        LinearConfig::new(64, 1).init(device),
    )
}

fn forward(module: &Mlp, inputs: Tensor<2>) -> Tensor<2> {
    let (first, second, last) = module;
    let hidden = relu(second.forward(relu(first.forward(inputs))));
    sigmoid(last.forward(hidden))
}

/// From numbers to numbers without anything of ours around the module.
fn run_bare(module: &Mlp, inputs: &[f32], rows: usize, device: &Device) -> Option<Vec<f32>> {
    let inputs = Tensor::from_data(TensorData::new(inputs.to_vec(), [rows, FEATURES]), device);
    let scores = forward(module, inputs).try_into_data().ok()?;
    scores.try_into_vec::<f32>().ok()
}

/// One poll: a lone caller runs its own rows on its own thread, so the answer is there at once, and no runtime is measured.
fn ask(deployment: &Deployment, request: &Request) -> Option<Reply> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(deployment.predict(request)).poll(&mut context) {
        Poll::Ready(reply) => reply.ok(),
        Poll::Pending => None,
    }
}

fn agree(reply: &Reply, expected: &[f32]) -> bool {
    reply.len() == expected.len()
        && reply.iter().zip(expected).all(|(answer, expected)| {
            answer
                .as_ref()
                .is_ok_and(|prediction| (prediction.score() - expected).abs() < 1e-5)
        })
}

fn version() -> Result<ModelVersion, Box<dyn Error>> {
    let registration = Registration {
        model: "bench".parse()?,
        digest: Digest::of(b"bench"),
        contract: contract()?,
        metrics: BTreeMap::new(),
        parameters: BTreeMap::new(),
        profile: None,
        lineage: Lineage::default(),
        registered_at: Timestamp::UNIX_EPOCH,
    };
    Ok(ModelVersion::new(1, registration))
}

fn contract() -> Result<Contract, noops_core::Error> {
    let rules = (0..FEATURES)
        .map(|index| FeatureRule::strict(Feature::number_between(name(index), 0.0, 1.0)));
    Contract::new(rules, OutputRule::probability())
}

fn name(feature: usize) -> String {
    format!("x{feature:02}")
}

fn columns(rows: usize) -> Vec<Vec<f64>> {
    let mut generator = SplitMix64::new(5);
    (0..FEATURES).map(|_| generator.numbers(rows)).collect()
}

fn frame(columns: &[Vec<f64>]) -> Result<RecordBatch, Box<dyn Error>> {
    let arrays = columns.iter().enumerate().map(|(index, column)| {
        let array: ArrayRef = Arc::new(Float64Array::from(column.clone()));
        (name(index), array)
    });
    Ok(RecordBatch::try_from_iter(arrays)?)
}

fn row_major(columns: &[Vec<f64>], rows: usize) -> Vec<f32> {
    (0..rows)
        .flat_map(|row| columns.iter().filter_map(move |column| column.get(row)))
        .map(|value| *value as f32)
        .collect()
}

const FEATURES: usize = 32;
const ROWS: [usize; 2] = [1, 64];
/// At 64 rows a call, half of what the outbox holds.
const CALLS_PER_DRAIN: u32 = 512;
