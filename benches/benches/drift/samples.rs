//! Statistics of two samples of a million values: from unsorted values, against a stored sorted reference, and of two sorted samples.

use std::error::Error;
use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use noops_benches::normal_numbers;
use noops_drift::DriftError;
use noops_drift::statistic::{
    Comparison, SortedSample, TestSettings, WassersteinSettings, anderson_darling,
    cramer_von_mises, energy_distance, ks_two_sample, kuiper, mann_whitney, wasserstein,
};

use crate::naive::{self, Distances};
use crate::peers;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let pair = Pair::new();
    let distances = Distances::between(&pair.reference, &pair.current);
    sort(criterion, &pair);
    kolmogorov(criterion, &pair, distances.kolmogorov)?;

    let area = compare(criterion, "wasserstein", &pair, transport)?;
    assert!(naive::agree(area.statistic(), distances.wasserstein));
    let energy = compare(criterion, "energy", &pair, energy_of)?;
    assert!(naive::agree(energy.statistic(), distances.energy));
    let larger = compare(criterion, "mann-whitney", &pair, mann_whitney_of)?;
    assert!(naive::agree(larger.statistic(), distances.larger));
    let _ = compare(criterion, "cramer-von-mises", &pair, cramer_of)?;
    let _ = compare(criterion, "anderson-darling", &pair, anderson_of)?;
    let _ = compare(criterion, "kuiper", &pair, kuiper_of)?;
    Ok(())
}

fn sort(criterion: &mut Criterion, pair: &Pair) {
    let mut group = group(criterion, "sort");
    group.bench_function(BenchmarkId::new("noops", ROWS), |bencher| {
        bencher.iter(|| {
            let sorted = SortedSample::new(black_box(&pair.current));
            assert_eq!(sorted.len(), ROWS);
            sorted
        });
    });
    group.bench_function(BenchmarkId::new("std-unstable", ROWS), |bencher| {
        bencher.iter(|| {
            let sorted = naive::sorted(black_box(&pair.current));
            assert_eq!(sorted.first(), pair.current_sorted.values().first());
            sorted
        });
    });
    group.finish();
}

fn kolmogorov(criterion: &mut Criterion, pair: &Pair, distance: f64) -> Result<(), Box<dyn Error>> {
    let expected = compare(criterion, "ks", pair, kolmogorov_of)?;
    assert!(naive::agree(expected.statistic(), distance));
    let mut group = group(criterion, "ks");
    for (name, peer) in [
        ("statrs", peers::statrs_ks as Peer),
        ("driftwatch", peers::driftwatch_ks as Peer),
    ] {
        group.bench_function(BenchmarkId::new(name, ROWS), |bencher| {
            bencher.iter(|| {
                let found = peer(black_box(&pair.reference), black_box(&pair.current));
                // One of them adds up a million steps of 1/n.
                assert!(found.is_some_and(|found| (found - distance).abs() < 1e-8));
                found
            });
        });
    }
    group.finish();
    Ok(())
}

/// Measures a statistic in all three ways, and gives what it found.
fn compare(
    criterion: &mut Criterion,
    name: &str,
    pair: &Pair,
    statistic: Statistic,
) -> Result<Comparison, DriftError> {
    let expected = statistic(&pair.reference_sorted, &pair.current_sorted)?;
    let found_again = |found: &Result<Comparison, DriftError>| {
        found.as_ref().is_ok_and(|found| *found == expected)
    };
    let mut group = group(criterion, name);
    group.bench_function(BenchmarkId::new("noops", ROWS), |bencher| {
        bencher.iter(|| {
            let reference = SortedSample::new(black_box(&pair.reference));
            let current = SortedSample::new(black_box(&pair.current));
            let found = statistic(&reference, &current);
            assert!(found_again(&found));
            found
        });
    });
    group.bench_function(BenchmarkId::new("noops-stored", ROWS), |bencher| {
        bencher.iter(|| {
            let current = SortedSample::new(black_box(&pair.current));
            let found = statistic(&pair.reference_sorted, &current);
            assert!(found_again(&found));
            found
        });
    });
    group.bench_function(BenchmarkId::new("noops-sorted", ROWS), |bencher| {
        bencher.iter(|| {
            let found = statistic(
                black_box(&pair.reference_sorted),
                black_box(&pair.current_sorted),
            );
            assert!(found_again(&found));
            found
        });
    });
    group.finish();
    Ok(expected)
}

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(format!("drift/{name}"));
    group.throughput(Throughput::Elements(2 * ROWS as u64));
    group.sample_size(10);
    group
}

fn kolmogorov_of(a: &SortedSample, b: &SortedSample) -> Result<Comparison, DriftError> {
    ks_two_sample(a, b, &TestSettings::default())
}

fn transport(a: &SortedSample, b: &SortedSample) -> Result<Comparison, DriftError> {
    wasserstein(a, b, &WassersteinSettings::default())
}

fn energy_of(a: &SortedSample, b: &SortedSample) -> Result<Comparison, DriftError> {
    energy_distance(a, b, &TestSettings::default())
}

fn mann_whitney_of(a: &SortedSample, b: &SortedSample) -> Result<Comparison, DriftError> {
    mann_whitney(a, b, &TestSettings::default())
}

fn cramer_of(a: &SortedSample, b: &SortedSample) -> Result<Comparison, DriftError> {
    cramer_von_mises(a, b, &TestSettings::default())
}

fn anderson_of(a: &SortedSample, b: &SortedSample) -> Result<Comparison, DriftError> {
    anderson_darling(a, b, &TestSettings::default())
}

fn kuiper_of(a: &SortedSample, b: &SortedSample) -> Result<Comparison, DriftError> {
    kuiper(a, b, &TestSettings::default())
}

struct Pair {
    reference: Vec<f64>,
    current: Vec<f64>,
    reference_sorted: SortedSample,
    current_sorted: SortedSample,
}

impl Pair {
    fn new() -> Self {
        let reference = normal_numbers(1, ROWS, 0.0);
        let current = normal_numbers(2, ROWS, 0.01);
        Self {
            reference_sorted: SortedSample::new(&reference),
            current_sorted: SortedSample::new(&current),
            reference,
            current,
        }
    }
}

type Statistic = fn(&SortedSample, &SortedSample) -> Result<Comparison, DriftError>;
type Peer = fn(&[f64], &[f64]) -> Option<f64>;

const ROWS: usize = 1_000_000;
