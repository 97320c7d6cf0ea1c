use noops_core::Alpha;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::testing::SplitMix64;

fn losses(random: &mut SplitMix64, risk: f64, rows: usize) -> Vec<f64> {
    (0..rows)
        .map(|_| if random.unit() < risk { 1.0 } else { 0.0 })
        .collect()
}

/// The row at which the alarm rises, if it does.
fn first_alarm(
    monitor: &mut RiskMonitor,
    random: &mut SplitMix64,
    risk: f64,
    rows: u64,
) -> Option<u64> {
    for row in 0..rows {
        let loss = if random.unit() < risk { 1.0 } else { 0.0 };
        assert_eq!(monitor.observe(row, row, loss), Arrival::Kept);
        monitor.close_before(row + 1);
        if monitor.evidence().alarmed() {
            return Some(row + 1);
        }
    }
    None
}

#[test]
fn the_bound_of_the_reference_agrees_with_scipy() {
    let text = include_str!("../../../testdata/performance.json");
    let oracle: Value = serde_json::from_str(text).unwrap();
    for case in oracle["source_risk"].as_array().unwrap() {
        let losses: Vec<f64> = case["losses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().unwrap())
            .collect();
        let alpha = Alpha::new(case["alpha"].as_f64().unwrap()).unwrap();
        let found = SourceRisk::fit(&losses).unwrap().upper_bound(alpha);
        let expected = case["bound"].as_f64().unwrap();
        assert!(
            (found - expected).abs() <= 1e-9 * expected,
            "{}: {found}, expected {expected}",
            case["name"]
        );
    }
}

#[test]
fn at_the_edge_of_what_is_tolerated_ten_thousand_looks_rarely_raise_an_alarm() {
    let mut random = SplitMix64(3);
    let settings = RiskSettings::default().with_tolerance(0.02);
    let runs = 100;
    let mut alarms = 0;
    for _ in 0..runs {
        let source = SourceRisk::fit(&losses(&mut random, 0.2, 500)).unwrap();
        let mut monitor = RiskMonitor::new(source, settings.clone()).unwrap();
        alarms += i32::from(first_alarm(&mut monitor, &mut random, 0.22, 10_000).is_some());
    }
    // scipy.stats.binom.sf(12, 100, 0.05) is 1.5e-3.
    assert!(alarms <= 12, "{alarms} of {runs}");
}

#[test]
fn a_risk_that_grew_by_half_is_found() {
    let mut random = SplitMix64(4);
    let mut delays: Vec<u64> = (0..40)
        .map(|_| {
            let source = SourceRisk::fit(&losses(&mut random, 0.2, 20_000)).unwrap();
            let mut monitor = RiskMonitor::new(source, RiskSettings::default()).unwrap();
            first_alarm(&mut monitor, &mut random, 0.3, 5_000).unwrap_or(u64::MAX)
        })
        .collect();
    delays.sort_unstable();
    assert!(delays[20] <= 450, "median of {delays:?}");
    assert!(delays[39] <= 5_000, "{delays:?}");
}

#[test]
fn a_risk_below_what_is_tolerated_is_shown_to_be_harmless() {
    let mut random = SplitMix64(6);
    let source = SourceRisk::fit(&losses(&mut random, 0.2, 20_000)).unwrap();
    let mut monitor = RiskMonitor::new(source, RiskSettings::default()).unwrap();
    assert!(!monitor.evidence().shown_harmless());
    assert_eq!(first_alarm(&mut monitor, &mut random, 0.15, 5_000), None);
    let evidence = monitor.evidence();
    assert!(evidence.shown_harmless() && !evidence.alarmed());
    assert_eq!((evidence.labels(), evidence.bets()), (5_000, 5_000));
}

#[test]
fn no_label_counts_twice_and_late_or_broken_ones_not_at_all() {
    let source = SourceRisk::fit(&[0.0; 1_000]).unwrap();
    let mut monitor = RiskMonitor::new(source, RiskSettings::default()).unwrap();
    assert_eq!(monitor.observe(3, 7, 1.0), Arrival::Kept);
    assert_eq!(monitor.observe(3, 7, 0.0), Arrival::Repeated);
    assert_eq!(monitor.observe(4, 8, f64::NAN), Arrival::Refused);
    assert_eq!(monitor.observe(4, 8, 1.5), Arrival::Refused);
    monitor.close_before(4);
    assert_eq!(monitor.observe(3, 9, 1.0), Arrival::Late);
    monitor.close_before(2);
    assert_eq!(monitor.observe(3, 7, 1.0), Arrival::Late);
    let evidence = monitor.evidence();
    assert_eq!(
        (
            evidence.labels(),
            evidence.repeated(),
            evidence.refused(),
            evidence.late()
        ),
        (1, 1, 2, 2)
    );
    assert_eq!(evidence.target_mean(), 1.0);
    monitor.reset();
    assert_eq!(monitor.evidence().labels(), 0);
}

#[test]
fn a_block_is_one_bet() {
    let source = SourceRisk::fit(&[0.0; 1_000]).unwrap();
    let mut monitor =
        RiskMonitor::new(source, RiskSettings::default().with_unit(BetUnit::Block)).unwrap();
    for row in 0..10 {
        assert_eq!(
            monitor.observe(0, row, if row < 5 { 1.0 } else { 0.0 }),
            Arrival::Kept
        );
    }
    monitor.close_before(1);
    assert_eq!(
        (monitor.evidence().bets(), monitor.evidence().labels()),
        (1, 10)
    );
    assert_eq!(monitor.evidence().target_mean(), 0.5);
}

#[test]
fn what_cannot_be_watched_is_refused() {
    assert!(SourceRisk::fit(&[]).is_err());
    assert!(SourceRisk::fit(&[0.5, f64::NAN]).is_err());
    assert!(SourceRisk::fit(&[-0.1]).is_err());
    let certain = SourceRisk::fit(&[1.0; 10]).unwrap();
    assert!(RiskMonitor::new(certain, RiskSettings::default()).is_err());
    let source = SourceRisk::fit(&[0.0; 1_000]).unwrap();
    for wrong in [f64::NAN, -0.1, 1.0] {
        assert!(
            RiskMonitor::new(
                source.clone(),
                RiskSettings::default().with_tolerance(wrong)
            )
            .is_err()
        );
    }
}

#[test]
fn a_stored_state_that_contradicts_itself_is_refused() {
    let source = SourceRisk::fit(&[0.0; 1_000]).unwrap();
    let mut monitor = RiskMonitor::new(source, RiskSettings::default()).unwrap();
    assert_eq!(monitor.observe(2, 1, 0.5), Arrival::Kept);
    let stored = serde_json::to_value(&monitor).unwrap();
    let alter = |pointer: &str, value: Value| {
        let mut altered = stored.clone();
        *altered.pointer_mut(pointer).unwrap() = value;
        serde_json::from_value::<RiskMonitor>(altered)
    };
    assert_eq!(
        serde_json::from_value::<RiskMonitor>(stored.clone()).unwrap(),
        monitor
    );
    assert!(alter("/allowed", 0.9.into()).is_err());
    assert!(alter("/closed_before", 9.into()).is_err());
    assert!(alter("/open/2/1", 7.5.into()).is_err());
    assert!(alter("/source/rows", 0.into()).is_err());
    assert!(alter("/source/sum", (-4.0).into()).is_err());
    assert!(alter("/harmful/observations", 3.into()).is_err());
}

proptest! {
    #[test]
    fn the_order_of_arrival_within_a_block_does_not_matter(values in prop::collection::vec(0.0..=1.0_f64, 1..30)) {
        let source = SourceRisk::fit(&[0.0, 0.5, 0.1, 0.2]).unwrap();
        let settings = RiskSettings::default().with_alpha(Alpha::new(0.5).unwrap());
        let Ok(mut forwards) = RiskMonitor::new(source, settings) else { return Ok(()) };
        let mut backwards = forwards.clone();
        let rows: Vec<(u64, f64)> = (0..).zip(values).collect();
        for (offset, loss) in &rows {
            prop_assert_eq!(forwards.observe(0, *offset, *loss), Arrival::Kept);
        }
        for (offset, loss) in rows.iter().rev() {
            prop_assert_eq!(backwards.observe(0, *offset, *loss), Arrival::Kept);
        }
        forwards.close_before(1);
        backwards.close_before(1);
        prop_assert_eq!(forwards, backwards);
    }

    #[test]
    fn the_bound_is_above_the_mean_and_parts_add_up(a in prop::collection::vec(0.0..=1.0_f64, 1..40), b in prop::collection::vec(0.0..=1.0_f64, 1..40)) {
        let mut parts = SourceRisk::fit(&a).unwrap();
        parts.merge(&SourceRisk::fit(&b).unwrap());
        let whole = SourceRisk::fit(&[a, b].concat()).unwrap();
        prop_assert_eq!(parts.rows(), whole.rows());
        let (one, other) = (parts.upper_bound(Alpha::FIVE_PERCENT), whole.upper_bound(Alpha::FIVE_PERCENT));
        prop_assert!((one - other).abs() < 1e-9);
        prop_assert!(one >= parts.mean() && one <= 1.0);
    }
}
