//! Counting numbers in the cells of a profile, beside a read of the same memory.
//!
//! The arrays are larger than caches: 16 million values.

use std::error::Error;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float32Array, Float64Array, RecordBatch};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use noops_benches::{SplitMix64, frame, read_f32, read_f64, reference_numbers};
use noops_drift::{ColumnCounts, Counts, Profile, ProfileSettings};

use crate::naive;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let inputs = Inputs::new();
    for edges in [9, 10, 32, 256] {
        let profile = profile_of(edges)?;
        wide(criterion, &inputs, &profile, edges)?;
        narrow(criterion, &inputs, &profile, edges)?;
    }
    Ok(())
}

fn wide(
    criterion: &mut Criterion,
    inputs: &Inputs,
    profile: &Profile,
    edges: usize,
) -> Result<(), Box<dyn Error>> {
    let bounds = naive::edges(profile).ok_or("the profile has no numeric column")?;
    let values: &[f64] = inputs.wide.values();
    let total: f64 = values.iter().sum();
    let expected = naive::count(&bounds, values.iter().copied());

    let mut group = criterion.benchmark_group(format!("drift/observe-{edges}-edges"));
    group.throughput(Throughput::BytesDecimal(8 * ROWS as u64));
    group.sample_size(SAMPLES);
    group.bench_function(BenchmarkId::new("floor-sum", ROWS), |bencher| {
        bencher.iter(|| {
            let sum = read_f64(black_box(values));
            assert!(naive::agree(sum, total));
            sum
        });
    });
    group.bench_function(BenchmarkId::new("noops-slice", ROWS), |bencher| {
        bencher.iter(|| {
            let mut counts = Counts::new(profile);
            assert!(counts.observe_values(profile, black_box(values)).is_ok());
            assert_eq!(bins(&counts), expected);
            counts
        });
    });
    let array: ArrayRef = Arc::new(inputs.wide.clone());
    counted(&mut group, "noops", profile, array, &expected)?;
    let present = inputs.wide_with_nulls.iter().flatten();
    let expected_present = naive::count(&bounds, present);
    let array: ArrayRef = Arc::new(inputs.wide_with_nulls.clone());
    counted(&mut group, "noops-nulls", profile, array, &expected_present)?;
    if edges == 9 {
        // Two in a hundred are outside the range of the reference, so no block is without one.
        let outside: Vec<f64> = values.iter().map(|value| value * 1.02 - 0.01).collect();
        let expected_outside = naive::count(&bounds, outside.iter().copied());
        let array: ArrayRef = Arc::new(Float64Array::from(outside));
        counted(
            &mut group,
            "noops-outside",
            profile,
            array,
            &expected_outside,
        )?;
    }
    group.bench_function(BenchmarkId::new("partition-point", ROWS), |bencher| {
        bencher.iter(|| {
            let found = naive::count(&bounds, black_box(values).iter().copied());
            assert_eq!(found, expected);
            found
        });
    });
    group.finish();
    Ok(())
}

fn narrow(
    criterion: &mut Criterion,
    inputs: &Inputs,
    profile: &Profile,
    edges: usize,
) -> Result<(), Box<dyn Error>> {
    let bounds = naive::edges(profile).ok_or("the profile has no numeric column")?;
    let values: &[f32] = inputs.narrow.values();
    let total: f64 = values.iter().copied().map(f64::from).sum();
    let expected = naive::count(&bounds, values.iter().copied().map(f64::from));

    let mut group = criterion.benchmark_group(format!("drift/observe-f32-{edges}-edges"));
    group.throughput(Throughput::BytesDecimal(4 * ROWS as u64));
    group.sample_size(SAMPLES);
    group.bench_function(BenchmarkId::new("floor-sum", ROWS), |bencher| {
        bencher.iter(|| {
            let sum = read_f32(black_box(values));
            // The sums of a lane are `f32`.
            assert!((sum - total).abs() < 1e-5 * total);
            sum
        });
    });
    let array: ArrayRef = Arc::new(inputs.narrow.clone());
    counted(&mut group, "noops", profile, array, &expected)?;
    let present = inputs.narrow_with_nulls.iter().flatten().map(f64::from);
    let expected_present = naive::count(&bounds, present);
    let array: ArrayRef = Arc::new(inputs.narrow_with_nulls.clone());
    counted(&mut group, "noops-nulls", profile, array, &expected_present)?;
    group.finish();
    Ok(())
}

fn counted(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    profile: &Profile,
    array: ArrayRef,
    expected: &[u64],
) -> Result<(), Box<dyn Error>> {
    let missing = array.null_count() as u64;
    let batch: RecordBatch = frame([array])?;
    group.bench_function(BenchmarkId::new(name, ROWS), |bencher| {
        bencher.iter(|| {
            let mut counts = Counts::new(profile);
            assert!(counts.observe(profile, black_box(&batch)).is_ok());
            assert_eq!(bins(&counts), expected);
            assert_eq!(
                counts.columns().first().map(ColumnCounts::missing),
                Some(missing)
            );
            counts
        });
    });
    Ok(())
}

fn bins(counts: &Counts) -> &[u64] {
    counts.columns().first().map_or(&[], ColumnCounts::bins)
}

fn profile_of(edges: usize) -> Result<Profile, Box<dyn Error>> {
    let bins = NonZeroUsize::MIN.saturating_add(edges);
    let reference: ArrayRef = Arc::new(Float64Array::from(reference_numbers(1, REFERENCE)));
    let settings = ProfileSettings::default().with_bins(bins);
    let profile = Profile::fit(&[frame([reference])?], &settings)?;
    match naive::edges(&profile) {
        Some(found) if found.len() == edges => Ok(profile),
        _ => Err(format!("the profile does not have {edges} edges").into()),
    }
}

struct Inputs {
    wide: Float64Array,
    wide_with_nulls: Float64Array,
    narrow: Float32Array,
    narrow_with_nulls: Float32Array,
}

impl Inputs {
    fn new() -> Self {
        let values = SplitMix64::new(2).numbers(ROWS);
        let mut chance = SplitMix64::new(3);
        let nulls: Vec<bool> = (0..ROWS).map(|_| chance.next_f64() < NULL_RATE).collect();
        let of_wide: Vec<Option<f64>> = values
            .iter()
            .zip(&nulls)
            .map(|(value, null)| (!null).then_some(*value))
            .collect();
        let of_narrow: Vec<Option<f32>> = of_wide
            .iter()
            .map(|value| value.map(|value| value as f32))
            .collect();
        let narrow: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        Self {
            wide: Float64Array::from(values),
            wide_with_nulls: Float64Array::from(of_wide),
            narrow: Float32Array::from(narrow),
            narrow_with_nulls: Float32Array::from(of_narrow),
        }
    }
}

const ROWS: usize = 16_000_000;
const REFERENCE: usize = 200_000;
const NULL_RATE: f64 = 0.1;
const SAMPLES: usize = 20;
