//! The promotion gate, ours beside other policy engines.
//!
//! `cargo bench`, in this package's own folder.

mod cedar;
mod cel_core_peer;
mod cel_peer;
mod measured;
mod ours;
mod regorus_peer;

use std::error::Error;
use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion};
use measured::{CLAUSES, Measured};

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("policy/gate");
    let good = Measured::good();
    group.bench_function(BenchmarkId::new("floor-native", CLAUSES), |bencher| {
        bencher.iter(|| {
            let allowed = black_box(&good).is_allowed();
            assert!(allowed);
            allowed
        });
    });
    ours::bench(&mut group)?;
    cel_core_peer::bench(&mut group)?;
    cel_peer::bench(&mut group)?;
    regorus_peer::bench(&mut group)?;
    cedar::bench(&mut group)?;
    group.finish();
    criterion.final_summary();
    Ok(())
}

/// Measures what opens the gate on good facts, once it is seen to close it on facts that have drifted.
fn gate(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    on_drifted: Option<bool>,
    mut on_good: impl FnMut() -> Option<bool>,
) {
    assert_eq!(
        on_drifted,
        Some(false),
        "{name} opens the gate on drifted facts"
    );
    group.bench_function(BenchmarkId::new(name, CLAUSES), |bencher| {
        bencher.iter(|| {
            let open = on_good();
            assert_eq!(open, Some(true));
            open
        });
    });
}
