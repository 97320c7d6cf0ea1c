//! Counting a batch in the cells of a profile, and the population stability index.
//!
//! `cargo bench -p noops-benches --bench drift`

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use criterion::{BenchmarkId, Criterion, Throughput};
use noops_benches::SplitMix64;
use noops_drift::{Binning, ColumnCounts, Counts, Profile, ProfileSettings, PsiSettings, psi};

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = noops_benches::criterion();
    observe(&mut criterion)?;
    stability_index(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

fn observe(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let reference = SplitMix64::new(1).numbers(20_000);
    let profile = Profile::fit(&[frame(reference)?], &ProfileSettings::default())?;
    let values = SplitMix64::new(2).numbers(ROWS);
    let batch = frame(values.clone())?;
    let edges = edges_of(&profile).ok_or("the profile has no numeric column")?;
    let total: f64 = values.iter().sum();

    let mut expected = Counts::new(&profile);
    expected.observe(&profile, &batch)?;
    let expected_bins = expected
        .columns()
        .first()
        .map(ColumnCounts::bins)
        .ok_or("the counts have no column")?;

    let mut group = criterion.benchmark_group("drift/observe");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.bench_function(BenchmarkId::new("noops", ROWS), |bencher| {
        bencher.iter(|| {
            let mut counts = Counts::new(&profile);
            assert!(counts.observe(&profile, black_box(&batch)).is_ok());
            assert_eq!(counts.rows(), ROWS as u64);
            counts
        });
    });
    group.bench_function(BenchmarkId::new("partition-point", ROWS), |bencher| {
        bencher.iter(|| {
            let bins = count_naively(&edges, black_box(&values));
            assert_eq!(bins, expected_bins);
            bins
        });
    });
    group.bench_function(BenchmarkId::new("floor-sum", ROWS), |bencher| {
        bencher.iter(|| {
            let sum = sum_in_lanes(black_box(&values));
            assert!((sum - total).abs() < 1e-6);
            sum
        });
    });
    group.finish();
    Ok(())
}

fn stability_index(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let mut group = criterion.benchmark_group("drift/psi");
    for cells in [10_usize, 50] {
        let mut generator = SplitMix64::new(cells as u64);
        let mut counts = || -> Vec<u64> {
            (0..cells)
                .map(|_| 1_000 + generator.next_u64() % 200)
                .collect()
        };
        let (reference, current) = (counts(), counts());
        let settings = PsiSettings::default();
        let expected = psi(&reference, &current, &settings)?;
        // The floor leaves out the smoothing, which hardly moves cells of a thousand rows.
        assert!((expected.statistic() - bare_index(&reference, &current)).abs() < 1e-3);

        group.bench_function(BenchmarkId::new("noops", cells), |bencher| {
            bencher.iter(|| {
                let found = psi(black_box(&reference), black_box(&current), &settings);
                assert!(found.as_ref().is_ok_and(|found| *found == expected));
                found
            });
        });
        group.bench_function(BenchmarkId::new("floor-formula", cells), |bencher| {
            bencher.iter(|| {
                let index = bare_index(black_box(&reference), black_box(&current));
                assert!(index > 0.0);
                index
            });
        });
    }
    group.finish();
    Ok(())
}

fn frame(values: Vec<f64>) -> Result<RecordBatch, Box<dyn Error>> {
    let column: ArrayRef = Arc::new(Float64Array::from(values));
    Ok(RecordBatch::try_from_iter([("x", column)])?)
}

fn edges_of(profile: &Profile) -> Option<Vec<f64>> {
    match profile.columns().first()?.binning() {
        Binning::Number { edges, .. } => Some(edges.clone()),
        Binning::Category { .. } => None,
    }
}

/// What a program without a library would write: no nulls, no NaN, no range.
fn count_naively(edges: &[f64], values: &[f64]) -> Vec<u64> {
    let mut bins = vec![0_u64; edges.len() + 1];
    for value in values {
        if let Some(bin) = bins.get_mut(edges.partition_point(|edge| edge < value)) {
            *bin += 1;
        }
    }
    bins
}

/// Reads every value once and does next to nothing with it. Eight sums, because one would wait for its own additions.
fn sum_in_lanes(values: &[f64]) -> f64 {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0_f64; 8];
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value;
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().sum::<f64>()
}

fn bare_index(reference: &[u64], current: &[u64]) -> f64 {
    let n = reference.iter().sum::<u64>() as f64;
    let m = current.iter().sum::<u64>() as f64;
    reference
        .iter()
        .zip(current)
        .map(|(r, c)| {
            let (p, q) = (*r as f64 / n, *c as f64 / m);
            (p - q) * (p / q).ln()
        })
        .sum()
}

const ROWS: usize = 100_000;
