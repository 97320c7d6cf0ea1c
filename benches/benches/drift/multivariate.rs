//! Twenty columns at once: random Fourier features per row, and a sliced Wasserstein test.

use std::error::Error;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use noops_benches::normal_numbers;
use noops_drift::multivariate::{
    MmdSettings, RandomFourierMmd, SlicedWasserstein, SlicedWassersteinSettings,
};
use noops_drift::{DriftError, Matrix};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let reference = rows(1, 0.0)?;
    let current = rows(101, 0.5)?;
    embed(criterion, &reference, &current)?;
    slice(criterion, &reference, &current)
}

fn embed(
    criterion: &mut Criterion,
    reference: &Matrix,
    current: &Matrix,
) -> Result<(), Box<dyn Error>> {
    let settings = MmdSettings::default();
    let mmd = RandomFourierMmd::fit(reference, &settings)?;
    let expected = mmd.embed(current)?;
    assert!(mmd.compare(&expected)?.verdict().is_drift());

    let mut group = criterion.benchmark_group("drift/mmd");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.sample_size(20);
    group.bench_function(BenchmarkId::new("noops", ROWS), |bencher| {
        bencher.iter(|| {
            let seen = mmd.embed(black_box(current));
            assert!(seen.as_ref().is_ok_and(|seen| *seen == expected));
            seen
        });
    });
    // As many sines and cosines as there are features, and nothing else.
    let features = settings.features() as usize;
    let angles = normal_numbers(7, features / 2, 0.0);
    group.bench_function(BenchmarkId::new("floor-sin-cos", ROWS), |bencher| {
        bencher.iter(|| {
            let mut sums = vec![0.0_f64; features];
            for row in 0..ROWS {
                let shift = row as f64;
                let pairs = sums.as_chunks_mut::<2>().0;
                for ([sine, cosine], angle) in pairs.iter_mut().zip(black_box(&angles)) {
                    let (s, c) = (angle + shift).sin_cos();
                    *sine += s;
                    *cosine += c;
                }
            }
            assert!(sums.iter().all(|sum| sum.abs() <= ROWS as f64));
            sums
        });
    });
    group.finish();
    Ok(())
}

fn slice(
    criterion: &mut Criterion,
    reference: &Matrix,
    current: &Matrix,
) -> Result<(), Box<dyn Error>> {
    let test = SlicedWasserstein::fit(reference, &SlicedWassersteinSettings::default())?;
    let expected = test.compare(current)?;
    assert!(expected.verdict().is_drift());
    let mut group = criterion.benchmark_group("drift/sliced-wasserstein");
    group.sample_size(10);
    group.bench_function(BenchmarkId::new("noops", ROWS), |bencher| {
        bencher.iter(|| {
            let found = test.compare(black_box(current));
            assert!(found.as_ref().is_ok_and(|found| *found == expected));
            found
        });
    });
    group.finish();
    Ok(())
}

fn rows(seed: u64, mean: f64) -> Result<Matrix, DriftError> {
    let columns = (0..COLUMNS).map(|column| normal_numbers(seed + column, ROWS, mean));
    Matrix::from_columns(columns.collect())
}

const ROWS: usize = 10_000;
const COLUMNS: u64 = 20;
