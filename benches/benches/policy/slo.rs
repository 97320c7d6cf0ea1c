//! Counting the events of an objective, and observing it after a month of them.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use noops_core::Timestamp;
use noops_policy::slo::{
    BurnRateRules, Kind, Objective, Outcome, Recorded, SloSettings, SloTracker, Target, Window,
};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let mut tracker = a_month()?;
    let now = Timestamp::from_second(MONTH)?;

    // Ten events a second, over the last minutes.
    let events: Vec<(Timestamp, Outcome)> = (0..EVENTS)
        .map(|event| {
            let at = now.checked_sub(Duration::from_millis((EVENTS - event) * 100))?;
            let outcome = if event % 1000 == 0 {
                Outcome::Bad
            } else {
                Outcome::Good
            };
            Ok((at, outcome))
        })
        .collect::<Result<_, Box<dyn Error>>>()?;
    let mut group = criterion.benchmark_group("slo/record");
    group.throughput(Throughput::Elements(EVENTS));
    group.bench_function(BenchmarkId::new("noops", EVENTS), |bencher| {
        bencher.iter(|| {
            for (at, outcome) in black_box(&events) {
                assert_eq!(tracker.record(*at, *outcome), Recorded::Counted);
            }
        });
    });
    group.bench_function(BenchmarkId::new("floor-count", EVENTS), |bencher| {
        bencher.iter(|| {
            let (mut good, mut bad) = (0_u64, 0_u64);
            for (_, outcome) in black_box(&events) {
                match outcome {
                    Outcome::Good => good += 1,
                    Outcome::Bad => bad += 1,
                }
            }
            assert_eq!(good + bad, EVENTS);
            (good, bad)
        });
    });
    group.finish();

    let mut tracker = a_month()?;
    let mut group = criterion.benchmark_group("slo/observe");
    group.bench_function(BenchmarkId::new("noops", MONTH / MINUTE), |bencher| {
        bencher.iter(|| {
            assert_eq!(tracker.record(now, Outcome::Good), Recorded::Counted);
            let report = tracker.observe(now);
            assert!(!report.alerts().is_empty());
            report
        });
    });
    group.finish();
    Ok(())
}

/// A thousand events a minute for thirty days, one of which is bad.
fn a_month() -> Result<SloTracker, Box<dyn Error>> {
    let month = Duration::from_secs(MONTH.unsigned_abs());
    let target = Target::from_percent(99.9)?;
    let objective = Objective::new(
        "checkout",
        Kind::Availability,
        target,
        Window::rolling(month)?,
    )?;
    let rules = BurnRateRules::for_target(target, month)?;
    let start = Timestamp::UNIX_EPOCH;
    let mut tracker = SloTracker::new(objective, rules, SloSettings::default(), start)?;
    for second in (0..MONTH).step_by(60) {
        let at = Timestamp::from_second(second)?;
        tracker.advance(at);
        assert_eq!(tracker.record_many(at, 999, 1), Recorded::Counted);
    }
    let _ = tracker.observe(Timestamp::from_second(MONTH)?);
    Ok(tracker)
}

const MINUTE: i64 = 60;
const MONTH: i64 = 30 * 86_400;
const EVENTS: u64 = 4_096;
