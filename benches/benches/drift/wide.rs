//! A batch of a thousand columns, as it comes in a stream. The program `drift_wide` reads a whole stream.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use criterion::{BenchmarkId, Criterion, Throughput};
use noops_benches::{SplitMix64, frame, read_batch, reference_numbers};
use noops_drift::{Counts, Profile, ProfileSettings};

use crate::naive;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let reference = batch_of(|column| reference_numbers(column, ROWS))?;
    let profile = Profile::fit(&[reference], &ProfileSettings::default())?;
    let batch = batch_of(|column| SplitMix64::new(COLUMNS + column).numbers(ROWS))?;
    let total = read_batch(&batch).ok_or("a column is no `Float64`")?;
    let mut expected = Counts::new(&profile);
    expected.observe(&profile, &batch)?;

    let mut group = criterion.benchmark_group("drift/wide");
    group.throughput(Throughput::BytesDecimal(8 * COLUMNS * ROWS as u64));
    group.bench_function(BenchmarkId::new("noops", COLUMNS), |bencher| {
        bencher.iter(|| {
            let mut counts = Counts::new(&profile);
            assert!(counts.observe(&profile, black_box(&batch)).is_ok());
            assert_eq!(counts, expected);
            counts
        });
    });
    group.bench_function(BenchmarkId::new("floor-sum", COLUMNS), |bencher| {
        bencher.iter(|| {
            let sum = read_batch(black_box(&batch));
            assert!(sum.is_some_and(|sum| naive::agree(sum, total)));
            sum
        });
    });
    group.finish();
    Ok(())
}

fn batch_of(values: impl Fn(u64) -> Vec<f64>) -> Result<RecordBatch, noops_core::Error> {
    frame((0..COLUMNS).map(|column| Arc::new(Float64Array::from(values(column))) as ArrayRef))
}

const COLUMNS: u64 = 1_000;
const ROWS: usize = 8_192;
