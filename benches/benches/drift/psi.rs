//! The population stability index of two counts.

use std::error::Error;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use noops_benches::SplitMix64;
use noops_drift::statistic::{TestSettings, psi};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let mut group = criterion.benchmark_group("drift/psi");
    for cells in [10_usize, 50] {
        let mut generator = SplitMix64::new(cells as u64);
        let mut counts = || -> Vec<u64> {
            (0..cells)
                .map(|_| 1_000 + generator.next_u64() % 200)
                .collect()
        };
        let (reference, current) = (counts(), counts());
        let settings = TestSettings::default();
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
