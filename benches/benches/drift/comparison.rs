//! A frame of 200,000 rows and 20 columns against a stored profile: counting it, and comparing the counts.

use std::error::Error;
use std::hint::black_box;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Float64Array, RecordBatch, StringArray};
use criterion::{BenchmarkId, Criterion, Throughput};
use noops_benches::{SplitMix64, frame, normal_numbers, read_batch};
use noops_drift::{Counts, DriftReport, DriftSettings, Profile, ProfileSettings};

use crate::naive;
use crate::peers::Driftwatch;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    numbers(criterion)?;
    texts(criterion)
}

fn numbers(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let (reference, current) = (columns(1, 0.0), columns(101, 0.01));
    let profile = Profile::fit(&[with_nulls(&reference)?], &ProfileSettings::default())?;
    let batch = with_nulls(&current)?;
    let expected = compare(&profile, &batch).ok_or("the frame does not fit its profile")?;
    let mut counts = Counts::new(&profile);
    counts.observe(&profile, &batch)?;
    let total = read_batch(&batch).ok_or("a column is no `Float64`")?;
    let driftwatch = Driftwatch::fit(&reference)?;

    let mut group = criterion.benchmark_group("drift/comparison");
    group.throughput(Throughput::BytesDecimal((8 * ROWS * COLUMNS) as u64));
    group.sample_size(20);
    group.bench_function(BenchmarkId::new("noops", ROWS), |bencher| {
        bencher.iter(|| {
            let report = compare(&profile, black_box(&batch));
            assert_eq!(report.as_ref(), Some(&expected));
            report
        });
    });
    group.bench_function(BenchmarkId::new("noops-observe", ROWS), |bencher| {
        bencher.iter(|| {
            let mut found = Counts::new(&profile);
            assert!(found.observe(&profile, black_box(&batch)).is_ok());
            assert_eq!(found, counts);
            found
        });
    });
    group.bench_function(BenchmarkId::new("noops-compare", ROWS), |bencher| {
        bencher.iter(|| {
            let report = profile.compare(black_box(&counts), &DriftSettings::default());
            assert!(report.as_ref().is_ok_and(|report| *report == expected));
            report
        });
    });
    group.bench_function(BenchmarkId::new("floor-sum", ROWS), |bencher| {
        bencher.iter(|| {
            let sum = read_batch(black_box(&batch));
            assert!(sum.is_some_and(|sum| naive::agree(sum, total)));
            sum
        });
    });
    // Slower by far.
    group.sample_size(10);
    group.bench_function(BenchmarkId::new("driftwatch", ROWS), |bencher| {
        bencher.iter(|| {
            let checked = driftwatch.check(black_box(&current));
            assert!(checked.is_some_and(|found| found.columns == COLUMNS && found.drifted == 0));
            checked
        });
    });
    group.finish();
    Ok(())
}

fn texts(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let (reference, current) = (words(201), words(301));
    let profile = Profile::fit(&[plain(&reference)?], &ProfileSettings::default())?;
    let strings = plain(&current)?;
    let dictionaries = in_dictionaries(&current)?;
    let expected = compare(&profile, &strings).ok_or("the frame does not fit its profile")?;
    assert_eq!(expected.columns().len(), COLUMNS);

    let mut group = criterion.benchmark_group("drift/comparison-texts");
    group.throughput(Throughput::Elements((ROWS * COLUMNS) as u64));
    group.sample_size(10);
    for (name, batch) in [("noops", &strings), ("noops-dictionary", &dictionaries)] {
        group.bench_function(BenchmarkId::new(name, ROWS), |bencher| {
            bencher.iter(|| {
                let report = compare(&profile, black_box(batch));
                assert_eq!(report.as_ref(), Some(&expected));
                report
            });
        });
    }
    group.bench_function(BenchmarkId::new("floor-length", ROWS), |bencher| {
        bencher.iter(|| {
            let bytes: usize = black_box(&current)
                .iter()
                .flatten()
                .map(|word| word.len())
                .sum();
            assert!(bytes >= ROWS * COLUMNS);
            bytes
        });
    });
    group.finish();
    Ok(())
}

fn compare(profile: &Profile, batch: &RecordBatch) -> Option<DriftReport> {
    let mut counts = Counts::new(profile);
    counts.observe(profile, batch).ok()?;
    profile.compare(&counts, &DriftSettings::default()).ok()
}

fn columns(seed: u64, mean: f64) -> Vec<Vec<f64>> {
    (0..COLUMNS as u64)
        .map(|column| normal_numbers(seed + column, ROWS, mean))
        .collect()
}

/// Every fourth column has five nulls in a hundred.
fn with_nulls(columns: &[Vec<f64>]) -> Result<RecordBatch, noops_core::Error> {
    frame(columns.iter().enumerate().map(|(place, values)| {
        if place % 4 > 0 {
            return Arc::new(Float64Array::from(values.clone())) as ArrayRef;
        }
        let mut chance = SplitMix64::new(place as u64);
        let values: Vec<Option<f64>> = values
            .iter()
            .map(|value| (chance.next_f64() >= 0.05).then_some(*value))
            .collect();
        Arc::new(Float64Array::from(values)) as ArrayRef
    }))
}

/// One of fifty words in each row, the first ones more often.
fn words(seed: u64) -> Vec<Vec<String>> {
    (0..COLUMNS as u64)
        .map(|column| {
            let mut generator = SplitMix64::new(seed + column);
            let mut word = || {
                let (a, b) = (generator.next_f64(), generator.next_f64());
                format!("category {:02}", (a * b * 50.0) as u32)
            };
            (0..ROWS).map(|_| word()).collect()
        })
        .collect()
}

fn plain(columns: &[Vec<String>]) -> Result<RecordBatch, noops_core::Error> {
    frame(columns.iter().map(|words| {
        Arc::new(StringArray::from_iter_values(
            words.iter().map(String::as_str),
        )) as ArrayRef
    }))
}

fn in_dictionaries(columns: &[Vec<String>]) -> Result<RecordBatch, noops_core::Error> {
    frame(columns.iter().map(|words| {
        let words: DictionaryArray<Int32Type> = words.iter().map(String::as_str).collect();
        Arc::new(words) as ArrayRef
    }))
}

const ROWS: usize = 200_000;
const COLUMNS: usize = 20;
