use noops_core::Alpha;
use proptest::prelude::*;

use super::*;
use crate::slo::{
    AlertState, BudgetTier, CalendarUnit, Kind, LowTraffic, Slice, Target, Threshold,
};

const MONTH: Duration = Duration::from_secs(30 * 86_400);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn tracker(percent: f64, settings: SloSettings, window: Window) -> SloTracker {
    let target = Target::from_percent(percent).unwrap();
    let rules = BurnRateRules::for_target(target, MONTH).unwrap();
    let objective = Objective::new("o", Kind::Availability, target, window).unwrap();
    SloTracker::new(objective, rules, settings, at(0)).unwrap()
}

fn rolling(percent: f64) -> SloTracker {
    let window = Window::rolling(MONTH).unwrap();
    tracker(percent, SloSettings::default(), window)
}

/// The bad ratio from the bucket of the window's start to the end of the bucket of `now`, over the budget.
fn naive(events: &[(i64, Outcome)], now: i64, window: i64, budget: f64) -> Option<f64> {
    let width = if window <= 43_200 { 10 } else { 900 };
    let first = (now - window).div_euclid(width) * width;
    let end = now.div_euclid(10) * 10 + 10;
    let inside: Vec<&(i64, Outcome)> = events
        .iter()
        .filter(|(second, _)| (first..end).contains(second))
        .collect();
    let bad = inside
        .iter()
        .filter(|(_, outcome)| *outcome == Outcome::Bad)
        .count();
    (!inside.is_empty()).then(|| bad as f64 / inside.len() as f64 / budget)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn burn_equals_brute_force_in_any_order_of_arrival(
        ages in prop::collection::vec((0i64..4 * 86_400, prop::bool::weighted(0.3)), 0..300),
        rotate in 0usize..300,
    ) {
        let now = 10 * 86_400 + 137;
        let mut events: Vec<(i64, Outcome)> = ages
            .iter()
            .map(|(age, bad)| (now - age, if *bad { Outcome::Bad } else { Outcome::Good }))
            .collect();
        let by = rotate.min(events.len());
        events.rotate_left(by);
        let mut tracker = rolling(99.0);
        tracker.advance(at(now));
        for (index, (second, outcome)) in events.iter().enumerate() {
            prop_assert_eq!(tracker.record(at(*second), *outcome), Recorded::Counted);
            if index % 50 == 0 {
                let _ = tracker.observe(at(now));
            }
        }
        let report = tracker.observe(at(now));
        for burn in report.burns() {
            let window = burn.window().as_secs() as i64;
            prop_assert_eq!(burn.rate(), naive(&events, now, window, 0.01), "{}", window);
        }
    }

    #[test]
    fn a_stored_tracker_goes_on_as_if_nothing_had_happened(
        steps in prop::collection::vec((1i64..2_000, 0u32..4, 0u32..4), 1..60),
        cut in 0usize..60,
        guard in prop::sample::select(vec![
            LowTraffic::None,
            LowTraffic::Bound(Alpha::ONE_PERCENT),
            LowTraffic::EProcess(Alpha::FIVE_PERCENT),
        ]),
    ) {
        let window = Window::rolling(MONTH).unwrap();
        let settings = SloSettings::default().with_low_traffic(guard);
        let mut kept = tracker(99.0, settings, window);
        let mut stored = kept.clone();
        let mut now = 0;
        for (index, (step, good, bad)) in steps.iter().enumerate() {
            now += step;
            if index == cut {
                let json = serde_json::to_string(&stored).unwrap();
                stored = serde_json::from_str(&json).unwrap();
            }
            for tracker in [&mut kept, &mut stored] {
                tracker.record_many(at(now), *good, *bad);
            }
            prop_assert_eq!(kept.observe(at(now)), stored.observe(at(now)));
        }
        prop_assert_eq!(
            serde_json::to_string(&kept).unwrap(),
            serde_json::to_string(&stored).unwrap()
        );
    }
}

#[test]
fn an_empty_window_is_unknown_not_calm() {
    let mut tracker = rolling(99.9);
    let report = tracker.observe(at(600));
    assert!(report.burns().iter().all(|burn| burn.rate().is_none()));
    assert!(
        report
            .alerts()
            .iter()
            .all(|alert| alert.state() == AlertState::Unknown)
    );
    assert_eq!(report.budget().consumed(), None);
}

// fedora-homelab issue 165: eight days at 27 times the budget, and no page.
#[test]
fn a_slow_burn_at_low_traffic_is_told_at_last() {
    let mut tracker = rolling(99.0);
    let mut told = false;
    // One event in ten minutes, more than every fourth bad: 27 times the budget.
    for step in 0..8 * 144 {
        let now = at(step * 600);
        let bad = step % 100 < 27;
        tracker.record(now, if bad { Outcome::Bad } else { Outcome::Good });
        let report = tracker.observe(now);
        told |= report
            .alerts()
            .iter()
            .any(|alert| alert.state() == AlertState::Firing);
    }
    assert!(told);
}

#[test]
fn an_outage_fires_in_the_predicted_time_and_resolves_after_the_short_window() {
    let mut tracker = rolling(99.9);
    let (mut fired, mut resolved) = (None, None);
    // A hundred events every ten seconds; all bad from 7 200 s to 7 800 s.
    for step in 0..1_500 {
        let second = step * 10;
        let bad = (7_200..7_800).contains(&second);
        let (good, bad) = if bad { (0, 100) } else { (100, 0) };
        tracker.record_many(at(second), good, bad);
        let report = tracker.observe(at(second));
        let page = &report.alerts()[0];
        match page.changed_from() {
            Some(_) if page.state() == AlertState::Firing => fired = Some(second),
            Some(AlertState::Firing) => resolved = Some(second),
            _ => {}
        }
    }
    // 51.84 s by the formula, to the buckets of ten seconds.
    let fired = fired.unwrap() - 7_200;
    assert!((40..=60).contains(&fired), "{fired}");
    let resolved = resolved.unwrap() - 7_800;
    assert!((280..=320).contains(&resolved), "{resolved}");
}

#[test]
fn coverage_says_what_a_restart_missed() {
    let mut tracker = rolling(99.0);
    for minute in 0..30 {
        tracker.advance(at(minute * 60));
    }
    let report = tracker.observe(at(3_600));
    let hour = report
        .burns()
        .iter()
        .find(|burn| burn.window().as_secs() == 3_600)
        .unwrap();
    assert!((hour.coverage() - 29.0 / 60.0).abs() < 1e-9);
}

#[test]
fn the_budget_ladder_rises_and_a_new_month_resets_it() {
    let window = Window::calendar(CalendarUnit::Month, "UTC").unwrap();
    let mut tracker = tracker(99.0, SloSettings::default(), window);
    let mut tiers = Vec::new();
    for day in 0..35 {
        let now = at(day * 86_400 + 43_200);
        tracker.advance(now);
        let bad = if day < 20 { 3 } else { 0 };
        tracker.record_many(now, 100 - bad, bad);
        let report = tracker.observe(now);
        if let Some(change) = report.tier_change() {
            tiers.push((day, change.to()));
        }
    }
    let reached: Vec<BudgetTier> = tiers.iter().map(|(_, tier)| *tier).collect();
    assert_eq!(
        reached[..3],
        [
            BudgetTier::Awareness,
            BudgetTier::Mitigation,
            BudgetTier::Frozen
        ]
    );
    assert_eq!(tiers.last(), Some(&(31, BudgetTier::Healthy)));
}

#[test]
fn values_are_judged_by_the_threshold_and_refused_without_one() {
    let target = Target::new(0.9).unwrap();
    let window = Window::rolling(MONTH).unwrap();
    let objective = Objective::new("latency", Kind::Latency, target, window)
        .unwrap()
        .with_indicator(Threshold::at_most(0.05).unwrap().into());
    let rules = BurnRateRules::for_target(target, MONTH).unwrap();
    let mut tracker = SloTracker::new(objective, rules, SloSettings::default(), at(0)).unwrap();
    for value in [0.01, 0.05, 0.06, f64::NAN] {
        assert_eq!(tracker.record_value(at(1), value), Ok(Recorded::Counted));
    }
    assert_eq!(tracker.observe(at(2)).budget().tally(), Tally::of(2, 4));
    assert!(rolling(99.0).record_value(at(1), 0.5).is_err());
}

#[test]
fn rules_of_another_target_and_slices_that_fit_no_window_are_refused() {
    let window = Window::rolling(MONTH).unwrap();
    let target = Target::new(0.9).unwrap();
    let objective = Objective::new("o", Kind::Cost, target, window).unwrap();
    let settings = SloSettings::default();
    let strict = BurnRateRules::for_target(Target::new(0.99).unwrap(), MONTH).unwrap();
    assert!(SloTracker::new(objective.clone(), strict, settings, at(0)).is_err());
    let rules = BurnRateRules::for_target(target, MONTH).unwrap();
    let slice = Slice::new(Duration::from_secs(600)).unwrap();
    let sliced = objective
        .clone()
        .with_budgeting(BudgetingMethod::RatioTimeslices { slice });
    assert!(SloTracker::new(sliced, rules.clone(), settings, at(0)).is_err());
    let lead = settings.with_lead(Duration::MAX);
    assert!(SloTracker::new(objective, rules, lead, at(0)).is_err());
}

#[test]
fn replicas_merge_and_strangers_do_not() {
    let (mut left, mut right) = (rolling(99.0), rolling(99.0));
    left.record_many(at(10), 5, 1);
    right.record_many(at(20), 4, 0);
    left.merge(&right).unwrap();
    assert_eq!(left.observe(at(30)).budget().tally(), Tally::of(1, 10));
    let before = left.clone();
    assert!(left.merge(&rolling(98.0)).is_err());
    assert_eq!(left, before);
}

#[test]
fn far_times_are_no_trap() {
    for window in [
        Window::rolling(MONTH).unwrap(),
        Window::calendar(CalendarUnit::Year, "Asia/Kathmandu").unwrap(),
    ] {
        let target = Target::new(0.99).unwrap();
        let rules = BurnRateRules::for_target(target, MONTH).unwrap();
        let objective = Objective::new("o", Kind::Drift, target, window).unwrap();
        for start in [Timestamp::MIN, Timestamp::MAX] {
            let settings = SloSettings::default();
            let mut tracker =
                SloTracker::new(objective.clone(), rules.clone(), settings, start).unwrap();
            for moment in [Timestamp::MIN, at(0), Timestamp::MAX, at(-1)] {
                tracker.record_many(moment, u32::MAX, u32::MAX);
                let _ = tracker.observe(moment);
            }
            let json = serde_json::to_string(&tracker).unwrap();
            let back: SloTracker = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&back).unwrap(), json);
        }
    }
}
