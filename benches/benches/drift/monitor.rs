//! A live row of twenty features, watched under one error budget.

use std::error::Error;
use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use noops_benches::normal_numbers;
use noops_core::Alpha;
use noops_drift::sequential::{ColumnReference, DriftMonitor, Intake, ReferenceCdf};
use noops_drift::statistic::SortedSample;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let references: Vec<ReferenceCdf> = (0..FEATURES as u64)
        .map(|column| {
            let sample = SortedSample::new(&normal_numbers(column, REFERENCE, 0.0));
            ReferenceCdf::of_sample(&sample)
        })
        .collect();
    let columns: Vec<ColumnReference> = references
        .iter()
        .enumerate()
        .map(|(place, reference)| {
            ColumnReference::number(noops_benches::column_name(place), reference.clone())
        })
        .collect();
    let monitor = DriftMonitor::new(&columns, Alpha::ONE_PERCENT)?;
    let values = normal_numbers(FEATURES as u64, ROWS * FEATURES, 0.0);

    let mut group = criterion.benchmark_group("drift/monitor");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function(BenchmarkId::new("noops", ROWS), |bencher| {
        // From the same state each time, copied outside of the measurement: rows that came again and again would be drift.
        bencher.iter_batched_ref(
            || monitor.clone(),
            |monitor| {
                for (offset, row) in (0..).zip(black_box(&values).chunks_exact(FEATURES)) {
                    let intake = monitor.observe_numbers(offset, row);
                    assert_eq!(intake, Ok(Intake::Counted));
                }
                assert_eq!(monitor.rows(), ROWS as u64);
            },
            BatchSize::PerIteration,
        );
    });
    // Where each value lies in its reference, and nothing of what is made of it.
    group.bench_function(BenchmarkId::new("floor-search", ROWS), |bencher| {
        bencher.iter(|| {
            let mut below = 0;
            for row in black_box(&values).chunks_exact(FEATURES) {
                for (value, reference) in row.iter().zip(&references) {
                    below += reference.edges().partition_point(|edge| edge < value);
                }
            }
            assert!(below > 0);
            below
        });
    });
    group.finish();
    Ok(())
}

const FEATURES: usize = 20;
const REFERENCE: usize = 20_000;
const ROWS: usize = 1_000;
