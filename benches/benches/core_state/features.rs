//! Joining entity rows with what was known at their time, and the digest of the frame that comes of it.

use std::error::Error;
use std::hint::black_box;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, RecordBatch};
use criterion::{BenchmarkId, Criterion, Throughput};
use noops_benches::{AsOfOracle, AsOfWorkload, SplitMix64};
use noops_core::{AsOfIndex, AsOfJoin, FeatureFrame, Knowledge, Timestamp, dataset_digest};
use sha2::{Digest as _, Sha256};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let workload = AsOfWorkload::new(5 * ROWS, ROWS, ROWS / 10);
    let features = workload.features(BATCH).collect::<Result<Vec<_>, _>>()?;
    let mut index = AsOfIndex::new(workload.view())?;
    for batch in &features {
        index.insert(batch)?;
    }
    let sorted: Vec<u64> = (0..ROWS).collect();
    as_of(
        criterion,
        "core/as-of-sorted",
        &workload,
        &features,
        &index,
        &sorted,
    )?;
    let shuffled = shuffled(&sorted);
    as_of(
        criterion,
        "core/as-of-shuffled",
        &workload,
        &features,
        &index,
        &shuffled,
    )?;
    build(criterion, &workload, &features)?;
    digest(criterion, &features)
}

fn as_of(
    criterion: &mut Criterion,
    name: &str,
    workload: &AsOfWorkload,
    features: &[RecordBatch],
    index: &AsOfIndex,
    order: &[u64],
) -> Result<(), Box<dyn Error>> {
    let (entities, times) = workload.entities(order.iter().copied())?;
    let frame = index.as_of(&entities, &times, Knowledge::AtRowTime)?;
    let oracle = AsOfOracle::new(workload, order.iter().copied());
    let wrong = order.iter().enumerate().step_by(97);
    let wrong = wrong.filter(|(at, row)| !oracle.agrees(**row, &frame, *at));
    assert_eq!(wrong.count(), 0, "the index and the naive rule differ");
    let streamed = stream(workload, features, &entities, &times)?;
    assert!(
        frame.values() == streamed.values(),
        "the stream and the index differ"
    );
    let nulls = nulls(&frame);
    let values = bare(frame.values());

    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    group.throughput(Throughput::Elements(ROWS));
    // Reads all feature rows, five for each entity row, every time.
    group.bench_function(BenchmarkId::new("noops-join", ROWS), |bencher| {
        bencher.iter_with_large_drop(|| {
            let frame = stream(workload, features, black_box(&entities), black_box(&times));
            assert!(
                frame
                    .as_ref()
                    .is_ok_and(|frame| self::nulls(frame) == nulls)
            );
            frame
        });
    });
    group.bench_function(BenchmarkId::new("noops-index", ROWS), |bencher| {
        bencher.iter_with_large_drop(|| {
            let frame = index.as_of(
                black_box(&entities),
                black_box(&times),
                Knowledge::AtRowTime,
            );
            assert!(
                frame
                    .as_ref()
                    .is_ok_and(|frame| self::nulls(frame) == nulls)
            );
            frame
        });
    });
    group.bench_function(BenchmarkId::new("floor-copy", ROWS), |bencher| {
        bencher.iter_with_large_drop(|| {
            let copied = black_box(&values).clone();
            assert_eq!(copied.len(), AsOfWorkload::FEATURES);
            copied
        });
    });
    group.finish();
    Ok(())
}

fn build(
    criterion: &mut Criterion,
    workload: &AsOfWorkload,
    features: &[RecordBatch],
) -> Result<(), Box<dyn Error>> {
    let rows: usize = features.iter().map(RecordBatch::num_rows).sum();
    let columns: Vec<Vec<Vec<f64>>> = features
        .iter()
        .map(|batch| batch.project(&(KEYS_AND_TIMES..batch.num_columns()).collect::<Vec<_>>()))
        .map(|batch| batch.map(|batch| bare(&batch)))
        .collect::<Result<_, _>>()?;

    let mut group = criterion.benchmark_group("core/as-of-index");
    group.sample_size(10);
    group.throughput(Throughput::Elements(rows as u64));
    group.bench_function(BenchmarkId::new("noops", rows), |bencher| {
        bencher.iter_with_large_drop(|| {
            let index = AsOfIndex::new(workload.view()).and_then(|mut index| {
                for batch in black_box(features) {
                    index.insert(batch)?;
                }
                Ok(index)
            });
            assert!(index.as_ref().is_ok_and(|index| index.len() == rows));
            index
        });
    });
    group.bench_function(BenchmarkId::new("floor-copy", rows), |bencher| {
        bencher.iter_with_large_drop(|| {
            let copied = black_box(&columns).clone();
            assert_eq!(copied.len(), features.len());
            copied
        });
    });
    group.finish();
    Ok(())
}

fn digest(criterion: &mut Criterion, features: &[RecordBatch]) -> Result<(), Box<dyn Error>> {
    let batch = features.first().ok_or("no feature rows")?.clone();
    let rows = batch.num_rows();
    let batches = [batch];
    let expected = dataset_digest(&batches)?;
    // Keys, times and features all have eight bytes.
    let columns = KEYS_AND_TIMES + AsOfWorkload::FEATURES;
    let bytes: Vec<u8> = SplitMix64::new(8)
        .numbers(rows * columns)
        .into_iter()
        .flat_map(f64::to_le_bytes)
        .collect();
    let hash: [u8; 32] = Sha256::digest(&bytes).into();

    let mut group = criterion.benchmark_group("core/dataset-digest");
    group.throughput(Throughput::BytesDecimal(bytes.len() as u64));
    group.bench_function(BenchmarkId::new("noops", rows), |bencher| {
        bencher.iter(|| {
            let digest = dataset_digest(black_box(&batches));
            assert!(digest.as_ref().is_ok_and(|digest| *digest == expected));
            digest
        });
    });
    group.bench_function(BenchmarkId::new("floor-sha256", rows), |bencher| {
        bencher.iter(|| {
            let found: [u8; 32] = Sha256::digest(black_box(&bytes)).into();
            assert_eq!(found, hash);
            found
        });
    });
    group.finish();
    Ok(())
}

fn stream(
    workload: &AsOfWorkload,
    features: &[RecordBatch],
    entities: &RecordBatch,
    times: &[Timestamp],
) -> Result<FeatureFrame, noops_core::Error> {
    let rows = features.iter().cloned().map(Ok);
    AsOfJoin::new(workload.view(), Knowledge::AtRowTime, rows)?.join(entities, times)
}

fn nulls(frame: &FeatureFrame) -> usize {
    let columns = frame.values().columns().iter();
    columns.map(|column| column.null_count()).sum()
}

/// The numbers alone.
fn bare(batch: &RecordBatch) -> Vec<Vec<f64>> {
    let columns = batch.columns().iter();
    columns
        .filter_map(|column| column.as_primitive_opt::<Float64Type>())
        .map(|column| column.values().to_vec())
        .collect()
}

/// Fisher and Yates, from the seeded generator.
fn shuffled(rows: &[u64]) -> Vec<u64> {
    let mut shuffled = rows.to_vec();
    let mut generator = SplitMix64::new(7);
    for last in (1..shuffled.len()).rev() {
        let other = (generator.next_u64() % (last as u64 + 1)) as usize;
        shuffled.swap(last, other);
    }
    shuffled
}

const ROWS: u64 = 100_000;
const BATCH: u64 = 65_536;
/// The columns of feature rows before the features.
const KEYS_AND_TIMES: usize = 3;
