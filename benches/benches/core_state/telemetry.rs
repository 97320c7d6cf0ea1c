//! Taking in the record of a prediction.

use std::error::Error;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use noops_benches::SplitMix64;
use noops_core::{
    Alias, Digest, PredictionRecord, PredictionStatus, Share, TelemetryBuffer, TelemetrySettings,
    Timestamp,
};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let records = records()?;
    let empty = TelemetryBuffer::new(TelemetrySettings::default())?;

    let mut group = criterion.benchmark_group("core/telemetry");
    group.throughput(Throughput::Elements(RECORDS as u64));
    group.bench_function(BenchmarkId::new("noops", RECORDS), |bencher| {
        bencher.iter_with_large_drop(|| {
            let mut buffer = empty.clone();
            buffer.predictions(black_box(&records));
            assert_eq!(buffer.held_requests(), RECORDS);
            buffer
        });
    });
    group.bench_function(BenchmarkId::new("floor-copy", RECORDS), |bencher| {
        bencher.iter_with_large_drop(|| {
            let copied = black_box(&records).clone();
            assert_eq!(copied.len(), RECORDS);
            copied
        });
    });
    group.finish();
    Ok(())
}

fn records() -> Result<Vec<PredictionRecord>, Box<dyn Error>> {
    let mut generator = SplitMix64::new(9);
    let version = Digest::of(b"weights");
    let mut records = Vec::with_capacity(RECORDS);
    for number in 0..RECORDS {
        records.push(PredictionRecord {
            request: format!("request-{:016x}", generator.next_u64()),
            unit: format!("user-{}", number % 1000),
            at: Timestamp::from_second(i64::try_from(number)?)?,
            model: "arrival-delay".parse()?,
            version,
            arm: Alias::champion(),
            share: Share::ZERO,
            status: PredictionStatus::Answered,
            score: Some(generator.next_f64()),
        });
    }
    Ok(records)
}

const RECORDS: usize = 10_000;
