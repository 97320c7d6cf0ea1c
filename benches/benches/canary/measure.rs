//! The loop that nearly all of these benchmarks are.

use std::error::Error;
use std::fmt::Debug;
use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};

/// The benchmarks of one operation that takes `elements` things in.
pub(crate) fn group<'a>(
    criterion: &'a mut Criterion,
    name: &str,
    elements: usize,
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(format!("canary/{name}"));
    group.throughput(Throughput::Elements(elements as u64));
    group
}

/// Measures work whose answer is the same each time, and gives the answer.
pub(crate) fn same<T: Debug + PartialEq>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    n: usize,
    work: impl Fn() -> T,
) -> T {
    let expected = work();
    group.bench_function(BenchmarkId::new(name, n), |bencher| {
        bencher.iter(|| {
            let found = work();
            assert_eq!(found, expected);
            found
        });
    });
    expected
}

/// Measures the test of another crate, which must find the p-value of ours to within `tolerance`.
pub(crate) fn peer(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    n: usize,
    expected: f64,
    tolerance: f64,
    test: impl Fn() -> Option<f64>,
) {
    group.bench_function(BenchmarkId::new(name, n), |bencher| {
        bencher.iter(|| {
            let found = test();
            assert!(
                found.is_some_and(|found| (found - expected).abs() <= tolerance),
                "{name} finds {found:?} instead of {expected}"
            );
            found
        });
    });
}

/// Measures how long observations take, beside the sum of their numbers, and then how long a look at all of them takes; gives what
/// the look shows.
pub(crate) fn sequence<T, S, L>(
    criterion: &mut Criterion,
    name: &str,
    observations: &[T],
    fill: impl Fn(&[T]) -> Option<S>,
    look: impl Fn(&S) -> L,
    sum: impl Fn(&[T]) -> f64,
) -> Result<L, Box<dyn Error>>
where
    S: Debug + PartialEq,
    L: Debug + PartialEq,
{
    let n = observations.len();
    let mut observing = group(criterion, &format!("{name}-observe"), n);
    let state = same(&mut observing, "noops", n, || fill(black_box(observations)));
    let _ = same(&mut observing, "floor-sum", n, || {
        sum(black_box(observations))
    });
    observing.finish();
    let state = state.ok_or("an observation was refused")?;

    let mut looking = group(criterion, &format!("{name}-look"), 1);
    let found = same(&mut looking, "noops", n, || look(black_box(&state)));
    looking.finish();
    Ok(found)
}
