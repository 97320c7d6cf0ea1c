//! A prediction from rows to reply, and the check of its contract alone.
//!
//! `cargo bench -p noops-benches --bench serve`

use std::error::Error;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor, TensorData};
use criterion::{BenchmarkId, Criterion, Throughput};
use noops_benches::{
    PERCEPTRON_FEATURES as FEATURES, SplitMix64, perceptron, perceptron_batch, perceptron_feature,
    perceptron_version,
};
use noops_core::{Executor, Rows, Share, SystemClock};
use noops_serve::model::tree::{Branch, Comparison, ForestBuilder, Split, TreeNode};
use noops_serve::{
    BurnExecutor, Call, Deployment, DeploymentSettings, Reply, Request, ServedModel,
    ServingSettings,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = noops_benches::criterion();
    predict(&mut criterion)?;
    row(&mut criterion)?;
    callers(&mut criterion)?;
    trees(&mut criterion)?;
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
    let served = ServedModel::new(perceptron_version(1)?, Box::new(executor))?;
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

/// One row through everything, with the fused network, beside the network alone.
fn row(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let network = perceptron(7)?;
    let served = ServedModel::new(perceptron_version(1)?, Box::new(network.clone()))?;
    let settings = DeploymentSettings::default().with_observation_sample(Share::FULL);
    let clock = Arc::new(SystemClock);
    let deployment = Deployment::new(served.clone(), clock, &settings);
    let inputs = row_major(&columns(1), 1);
    let request = Request::of_rows(vec!["request-0".to_owned()], Rows::one(inputs.clone()))?
        .with_timeout(Duration::from_millis(10));
    let batch = perceptron_batch(1, inputs)?;
    let mut bare = network;
    let expected = bare.run(&batch)?.into_values();

    let mut group = criterion.benchmark_group("serve/row");
    let mut calls = 0_u32;
    group.bench_function("noops", |bencher| {
        bencher.iter(|| {
            let reply = ask(&deployment, black_box(&request));
            assert!(reply.as_ref().is_some_and(|reply| agree(reply, &expected)));
            calls += 1;
            if calls.is_multiple_of(CALLS_PER_DRAIN) {
                drop(black_box(deployment.drain_exposures()));
                drop(black_box(deployment.drain_observations()));
            }
            reply
        });
    });
    assert_eq!(deployment.dropped().exposures, 0);
    group.bench_function("noops-served-model", |bencher| {
        bencher.iter(|| {
            let mut context = Context::from_waker(Waker::noop());
            let mut asked = pin!(served.score(black_box(&batch).clone(), Call::default()));
            let Poll::Ready(Ok(scored)) = asked.as_mut().poll(&mut context) else {
                return false;
            };
            assert!(scored.firsts().eq(expected.iter().copied().map(Some)));
            true
        });
    });
    group.bench_function("floor-forward", |bencher| {
        bencher.iter(|| {
            let scores = bare.run(black_box(&batch));
            assert!(
                scores
                    .as_ref()
                    .is_ok_and(|scores| scores.values() == expected)
            );
            scores
        });
    });
    group.finish();
    Ok(())
}

/// Many callers on two threads of a runtime, each of whom asks again when it is answered.
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn callers(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let device = Device::flex();
    device.seed(4);
    let module = mlp(&device);
    let burn = || {
        BurnExecutor::new(module.clone(), device.clone(), |module: &Mlp, inputs| {
            forward(module, inputs.numbers())
        })
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()?;
    let batched = ServingSettings::default();
    let alone = ServingSettings::default().with_batch_rows(NonZeroUsize::MIN);
    let mut group = criterion.benchmark_group("serve/callers");
    group.sample_size(10);
    for callers in [1, 2, 8, 64, 256] {
        group.throughput(Throughput::Elements(1));
        let executors: [(&str, Box<dyn Executor>, &ServingSettings); 3] = [
            ("noops-burn", Box::new(burn()), &batched),
            ("noops-burn-unbatched", Box::new(burn()), &alone),
            ("noops-fused", Box::new(perceptron(7)?), &batched),
        ];
        for (name, executor, settings) in executors {
            let clock = Arc::new(SystemClock);
            let served = ServedModel::with_settings(
                perceptron_version(1)?,
                executor,
                settings,
                clock.clone(),
            )?;
            let settings = DeploymentSettings::default();
            let deployment = Arc::new(Deployment::new(served, clock, &settings));
            let inputs = row_major(&columns(1), 1);
            group.bench_function(BenchmarkId::new(name, callers), |bencher| {
                bencher.iter_custom(|calls| {
                    let each = calls / callers + 1;
                    let start = Instant::now();
                    let took = runtime.block_on(ask_from_many(&deployment, &inputs, callers, each));
                    assert!(took, "every call is answered");
                    // As long as the calls that were wanted would have taken.
                    start
                        .elapsed()
                        .mul_f64(calls as f64 / (each * callers) as f64)
                });
            });
            drop(deployment.drain_exposures());
        }
    }
    group.finish();
    Ok(())
}

async fn ask_from_many(
    deployment: &Arc<Deployment>,
    inputs: &[f32],
    callers: u64,
    each: u64,
) -> bool {
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let deployment = deployment.clone();
            let request = Request::of_rows(vec![format!("{caller}")], Rows::one(inputs.to_vec()));
            tokio::spawn(async move {
                let Ok(request) = request else {
                    return false;
                };
                for call in 0..each {
                    let reply = deployment.predict(&request).await;
                    if !reply.is_ok_and(|reply| reply.iter().all(Result::is_ok)) {
                        return false;
                    }
                    if call.is_multiple_of(256) {
                        drop(deployment.drain_exposures());
                    }
                }
                true
            })
        })
        .collect();
    let mut all = true;
    for task in tasks {
        all &= task.await.unwrap_or(false);
    }
    all
}

/// 100 trees of depth 6 on 32 features, beside walking them one after another.
fn trees(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let mut generator = SplitMix64::new(6);
    let mut builder = ForestBuilder::new(FEATURES, 1)?;
    let mut naive = Vec::new();
    for _ in 0..TREES {
        let splits: Vec<(usize, f32)> = generator
            .numbers(63)
            .into_iter()
            .zip(generator.numbers(63))
            .map(|(feature, threshold)| ((feature * FEATURES as f64) as usize, threshold as f32))
            .collect();
        let leaves: Vec<f32> = generator
            .numbers(64)
            .into_iter()
            .map(|leaf| leaf as f32 / 100.0)
            .collect();
        builder.tree(nodes(&splits, &leaves))?;
        naive.push((splits, leaves));
    }
    let forest = builder.build()?;
    let mut group = criterion.benchmark_group("serve/trees");
    for rows in ROWS {
        let inputs = row_major(&columns(rows), rows);
        let mut scores = Vec::new();
        group.throughput(Throughput::Elements(rows as u64));
        group.bench_function(BenchmarkId::new("noops", rows), |bencher| {
            bencher.iter(|| {
                scores.clear();
                let scored = forest.score(black_box(&inputs), FEATURES, &mut scores);
                assert!(scored.is_ok() && scores.len() == rows);
            });
        });
        group.bench_function(BenchmarkId::new("floor-naive", rows), |bencher| {
            bencher.iter(|| {
                let scores: Vec<f32> = black_box(&inputs)
                    .chunks_exact(FEATURES)
                    .map(|row| {
                        naive
                            .iter()
                            .map(|(splits, leaves)| walk(splits, leaves, row))
                            .sum()
                    })
                    .collect();
                assert_eq!(scores.len(), rows);
                scores
            });
        });
    }
    group.finish();
    Ok(())
}

/// A perfect tree: node `n` goes to `2n + 1` and `2n + 2`.
fn nodes(splits: &[(usize, f32)], leaves: &[f32]) -> Vec<TreeNode> {
    let inner = splits
        .iter()
        .enumerate()
        .map(|(node, (feature, threshold))| TreeNode::Split {
            feature: *feature,
            split: Split::Threshold {
                comparison: Comparison::Less,
                threshold: f64::from(*threshold),
            },
            missing: Branch::Left,
            left: 2 * node + 1,
            right: 2 * node + 2,
        });
    let leaves = leaves
        .iter()
        .map(|leaf| TreeNode::leaf(0, f64::from(*leaf)));
    inner.chain(leaves).collect()
}

fn walk(splits: &[(usize, f32)], leaves: &[f32], row: &[f32]) -> f32 {
    let mut node = 0;
    while let Some((feature, threshold)) = splits.get(node) {
        let below = row.get(*feature).is_some_and(|value| value < threshold);
        node = 2 * node + if below { 1 } else { 2 };
    }
    leaves.get(node - splits.len()).copied().unwrap_or_default()
}

fn encode(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let version = perceptron_version(1)?;
    let contract = &version.registration().contract;
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

/// A lone caller runs its own rows on its own thread, so the answer is there at once; now and then it lets others go first, who
/// are not there.
fn ask(deployment: &Deployment, request: &Request) -> Option<Reply> {
    let mut context = Context::from_waker(Waker::noop());
    let mut asked = pin!(deployment.predict(request));
    for _ in 0..POLLS {
        if let Poll::Ready(reply) = asked.as_mut().poll(&mut context) {
            return reply.ok();
        }
    }
    None
}

fn agree(reply: &Reply, expected: &[f32]) -> bool {
    reply.len() == expected.len()
        && reply.iter().zip(expected).all(|(answer, expected)| {
            answer
                .as_ref()
                .is_ok_and(|prediction| (prediction.score() - expected).abs() < 1e-5)
        })
}

fn columns(rows: usize) -> Vec<Vec<f64>> {
    let mut generator = SplitMix64::new(5);
    (0..FEATURES).map(|_| generator.numbers(rows)).collect()
}

fn frame(columns: &[Vec<f64>]) -> Result<RecordBatch, Box<dyn Error>> {
    let arrays = columns.iter().enumerate().map(|(index, column)| {
        let array: ArrayRef = Arc::new(Float64Array::from(column.clone()));
        (perceptron_feature(index), array)
    });
    Ok(RecordBatch::try_from_iter(arrays)?)
}

fn row_major(columns: &[Vec<f64>], rows: usize) -> Vec<f32> {
    (0..rows)
        .flat_map(|row| columns.iter().filter_map(move |column| column.get(row)))
        .map(|value| *value as f32)
        .collect()
}

const TREES: usize = 100;
const POLLS: usize = 3;
const ROWS: [usize; 2] = [1, 64];
/// At 64 rows a call, half of what the outbox holds.
const CALLS_PER_DRAIN: u32 = 512;
