//! An event among ten thousand alerts that fire, a hundred to a group.

use std::collections::BTreeMap;
use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use noops_core::Timestamp;
use noops_policy::alert::{Alert, AlertEvent, Config, Outcome, Router};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let start = Timestamp::UNIX_EPOCH;
    let alerts: Vec<Alert> = (0..ALERTS).map(|number| alert(number, start)).collect();
    let mut group = criterion.benchmark_group("alert/step");

    // Each alert is heard of again in turn, as Prometheus sends them.
    let (mut router, told) = firing(&alerts)?;
    let mut now = told;
    let mut again = alerts.iter().cycle();
    group.bench_function(BenchmarkId::new("noops", ALERTS), |bencher| {
        bencher.iter(|| {
            now = now.saturating_add(STEP).unwrap_or(now);
            let heard = again.next().map(|alert| AlertEvent::Firing(alert.clone()));
            let outcomes = router.step(now, black_box(heard.unwrap_or(AlertEvent::Tick)));
            assert!(outcomes.is_empty(), "{outcomes:?}");
            outcomes
        });
    });
    assert_eq!(router.firing().count(), ALERTS);

    // Each alert in turn ends and begins again: two steps, with its group, its timers and what it inhibits.
    let (mut router, told) = firing(&alerts)?;
    let mut now = told;
    let mut again = alerts.iter().cycle();
    group.throughput(Throughput::Elements(2));
    group.bench_function(BenchmarkId::new("noops-turnover", ALERTS), |bencher| {
        bencher.iter(|| {
            now = now.saturating_add(STEP).unwrap_or(now);
            let Some(alert) = again.next() else {
                return;
            };
            let over = AlertEvent::Resolved(alert.fingerprint());
            black_box(router.step(now, black_box(over)));
            black_box(router.step(now, AlertEvent::Firing(alert.clone())));
        });
    });
    assert_eq!(router.firing().count(), ALERTS);

    // Finding the alert is the least of it.
    group.throughput(Throughput::Elements(1));
    let by_fingerprint: BTreeMap<_, _> = alerts
        .iter()
        .map(|alert| (alert.fingerprint(), alert.clone()))
        .collect();
    let mut again = alerts.iter().cycle();
    group.bench_function(BenchmarkId::new("floor-map", ALERTS), |bencher| {
        bencher.iter(|| {
            let found = again
                .next()
                .and_then(|alert| by_fingerprint.get(black_box(&alert.fingerprint())));
            assert!(found.is_some());
            found
        });
    });
    group.finish();
    Ok(())
}

/// A router that has told of every alert once, and when it had.
fn firing(alerts: &[Alert]) -> Result<(Router, Timestamp), Box<dyn Error>> {
    let mut router = Router::new(Config::from_yaml("alerts.yaml", CONFIG)?);
    let start = Timestamp::UNIX_EPOCH;
    for alert in alerts {
        assert!(
            router
                .step(start, AlertEvent::Firing(alert.clone()))
                .is_empty()
        );
    }
    let due = router.next_wakeup().ok_or("no group waits")?;
    let told = router.step(due, AlertEvent::Tick);
    let notified = told
        .iter()
        .filter(|outcome| matches!(outcome, Outcome::Notify(_)))
        .count();
    assert_eq!(notified, ALERTS / GROUP);
    Ok((router, due))
}

fn alert(number: usize, starts_at: Timestamp) -> Alert {
    Alert::new(
        [
            ("alertname", "Drift".to_owned()),
            ("model", format!("model-{}", number / GROUP)),
            ("feature", format!("feature-{}", number % GROUP)),
            ("severity", "ticket".to_owned()),
        ],
        starts_at,
    )
}

const ALERTS: usize = 10_000;
const GROUP: usize = 100;
/// All are heard of within a second, and nothing is repeated while the benchmark runs.
const STEP: Duration = Duration::from_micros(100);
const CONFIG: &str = "
receivers: [{name: tickets}]
route:
  receiver: tickets
  group_by: [alertname, model]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 30d
inhibit_rules:
  - source_matchers: [alertname = ModelDown]
    target_matchers: [alertname = Drift]
    equal: [model]
";
