//! Streaming change detectors over a stream of errors whose rate jumps from 0.2 to 0.8 in the middle.

use std::error::Error;
use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use noops_benches::SplitMix64;
use noops_drift::detector::{
    Adwin, AdwinSettings, AnyDetector, Detector, DetectorKind, PageHinkley, PageHinkleySettings,
};

use crate::peers;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    adwin(criterion)?;
    page_hinkley(criterion)?;
    others(criterion)
}

fn adwin(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let detector = Adwin::new(AdwinSettings::default())?;
    let mut group = criterion.benchmark_group("drift/adwin");
    ours(&mut group, "noops", &detector, &stream(ROWS));
    // Every update of rill-ml looks at each of its last thousand values.
    group.sample_size(10);
    let short = stream(SHORT);
    ours(&mut group, "noops", &detector, &short);
    theirs(&mut group, "rill-ml", peers::rill_adwin, &short);
    group.finish();
    Ok(())
}

fn page_hinkley(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let detector = PageHinkley::new(PageHinkleySettings::default())?;
    let stream = stream(ROWS);
    let mut group = criterion.benchmark_group("drift/page-hinkley");
    ours(&mut group, "noops", &detector, &stream);
    theirs(&mut group, "rill-ml", peers::rill_page_hinkley, &stream);
    theirs(
        &mut group,
        "driftwatch",
        peers::driftwatch_page_hinkley,
        &stream,
    );
    group.finish();
    Ok(())
}

fn others(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let stream = stream(ROWS);
    let reference: Vec<f64> = stream.iter().copied().take(1_000).collect();
    let mut group = criterion.benchmark_group("drift/detector");
    for kind in DetectorKind::ALL {
        let detector = AnyDetector::fit(kind, &reference)?;
        if kind == DetectorKind::Kswin {
            // It compares two windows in every row.
            group.sample_size(10);
        }
        ours(&mut group, &format!("noops-{kind}"), &detector, &stream);
    }
    group.finish();
    Ok(())
}

fn ours<D: Detector + Clone>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    detector: &D,
    stream: &[f64],
) {
    let alarms = |stream: &[f64]| {
        let mut detector = detector.clone();
        stream
            .iter()
            .filter(|value| detector.update(**value).is_drift())
            .count()
    };
    theirs(group, name, alarms, stream);
}

fn theirs(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    alarms: impl Fn(&[f64]) -> usize,
    stream: &[f64],
) {
    let expected = alarms(stream);
    assert!(expected > 0, "{name} misses the jump");
    group.throughput(Throughput::Elements(stream.len() as u64));
    group.bench_function(BenchmarkId::new(name, stream.len()), |bencher| {
        bencher.iter(|| {
            let found = alarms(black_box(stream));
            assert_eq!(found, expected);
            found
        });
    });
}

fn stream(rows: usize) -> Vec<f64> {
    let mut generator = SplitMix64::new(1);
    (0..rows)
        .map(|row| {
            let rate = if row < rows / 2 { 0.2 } else { 0.8 };
            f64::from(u8::from(generator.next_f64() < rate))
        })
        .collect()
}

const ROWS: usize = 100_000;
const SHORT: usize = 10_000;
