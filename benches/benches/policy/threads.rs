//! Threads that ask one set of policies about the same facts.

use std::error::Error;
use std::hint::black_box;
use std::thread;

use criterion::{BenchmarkId, Criterion, Throughput};
use noops_core::Timestamp;
use noops_policy::Action;

use crate::gate::{Measured, policies, schema};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let schema = schema()?;
    let policies = policies(&schema)?;
    let now = Timestamp::UNIX_EPOCH;
    let facts = Measured::good().facts(&schema, now)?;
    let ask = || {
        (0..VERDICTS)
            .filter(|_| {
                policies
                    .check(Action::Promote, black_box(&facts), now)
                    .is_allowed()
            })
            .count()
    };

    let mut group = criterion.benchmark_group("policy/threads");
    for threads in [1, 2] {
        group.throughput(Throughput::Elements((threads * VERDICTS) as u64));
        group.bench_function(BenchmarkId::new("noops", threads), |bencher| {
            bencher.iter(|| {
                thread::scope(|scope| {
                    let asking: Vec<_> = (0..threads).map(|_| scope.spawn(ask)).collect();
                    for thread in asking {
                        assert_eq!(thread.join().ok(), Some(VERDICTS));
                    }
                });
            });
        });
    }
    group.finish();
    Ok(())
}

/// So many for each thread that starting it does not count.
const VERDICTS: usize = 50_000;
