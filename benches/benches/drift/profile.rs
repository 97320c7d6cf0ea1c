//! Learning the profile of a column: with exact quantiles, and with bounded memory.

use std::error::Error;
use std::hint::black_box;
use std::num::NonZeroUsize;

use criterion::{BenchmarkId, Criterion, Throughput};
use noops_benches::normal_numbers;
use noops_drift::{Profile, ProfileSettings, Quantiles};

use crate::{naive, peers};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let values = normal_numbers(1, ROWS, 0.0);
    let mut group = criterion.benchmark_group("drift/profile");
    group.throughput(Throughput::Elements(ROWS as u64));
    group.sample_size(10);

    let buckets = NonZeroUsize::MIN.saturating_add(4_095);
    for (name, quantiles) in [
        ("noops", Quantiles::Exact),
        ("noops-bounded", Quantiles::Bounded { buckets }),
    ] {
        let settings = ProfileSettings::default().with_quantiles(quantiles);
        let expected = Profile::of_values("x", &values, &settings)?;
        let edges = naive::edges(&expected).ok_or("the profile has no numeric column")?;
        assert_eq!(edges.len(), 9);
        group.bench_function(BenchmarkId::new(name, ROWS), |bencher| {
            bencher.iter(|| {
                let profile = Profile::of_values("x", black_box(&values), &settings);
                let digest = profile.as_ref().map(Profile::digest);
                assert_eq!(digest, Ok(expected.digest()));
                profile
            });
        });
    }
    let sorted = naive::sorted(&values);
    group.bench_function(BenchmarkId::new("floor-sort", ROWS), |bencher| {
        bencher.iter(|| {
            let found = naive::sorted(black_box(&values));
            assert_eq!(found.first(), sorted.first());
            assert_eq!(found.last(), sorted.last());
            found
        });
    });
    group.bench_function(BenchmarkId::new("driftwatch", ROWS), |bencher| {
        bencher.iter(|| {
            let found = peers::driftwatch_profile(black_box(&values));
            let bins = found.as_ref().map(|found| found.histogram().len());
            assert_eq!(bins, Some(10));
            found
        });
    });
    group.finish();
    Ok(())
}

const ROWS: usize = 1_000_000;
