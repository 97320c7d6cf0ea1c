//! Reserving and booking money in the budgets of a job, its model, its team and the organisation.

use std::error::Error;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use noops_core::Timestamp;
use noops_policy::cost::{CostBudget, CostGovernor, Money, SpendRequest};
use noops_policy::slo::{CalendarUnit, Window};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let now = Timestamp::UNIX_EPOCH;
    let month = Window::calendar(CalendarUnit::Month, "UTC")?;
    let mut governor = CostGovernor::new("EUR".parse()?);
    for path in [
        "acme",
        "acme/risk",
        "acme/risk/fraud",
        "acme/risk/fraud/retrain",
    ] {
        let budget = CostBudget::new(path.parse()?, month.clone(), "1000000".parse()?)?;
        governor.set_budget(budget, now);
    }
    let amount: Money = "0.25".parse()?;
    let requests = (0..REQUESTS)
        .map(|number| {
            Ok(SpendRequest::new(
                format!("retrain-{number}"),
                "acme/risk/fraud/retrain".parse()?,
                amount,
                Duration::from_secs(3600),
            )?)
        })
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;

    let mut group = criterion.benchmark_group("cost/reserve");
    group.throughput(Throughput::Elements(REQUESTS as u64));
    // From the same ledger each time, copied outside of the measurement: it knows the keys of earlier requests.
    group.bench_function(BenchmarkId::new("noops", REQUESTS), |bencher| {
        bencher.iter_batched_ref(
            || governor.clone(),
            |governor| {
                for request in &requests {
                    assert!(governor.reserve(request, now).is_ok());
                }
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function(BenchmarkId::new("noops-commit", REQUESTS), |bencher| {
        bencher.iter_batched_ref(
            || governor.clone(),
            |governor| {
                for request in &requests {
                    assert!(governor.reserve(request, now).is_ok());
                    assert!(governor.commit(request.key(), amount, now).is_ok());
                }
            },
            BatchSize::PerIteration,
        );
    });
    // Four sums compared with four caps and added to.
    group.bench_function(BenchmarkId::new("floor-sums", REQUESTS), |bencher| {
        bencher.iter(|| {
            let mut used = [0_i128; 4];
            for request in std::hint::black_box(&requests) {
                for sum in &mut used {
                    *sum += request.amount().micros();
                    assert!(*sum <= CAP);
                }
            }
            used
        });
    });
    group.finish();
    Ok(())
}

const REQUESTS: usize = 1_000;
const CAP: i128 = 1_000_000_000_000;
