use serde::Deserialize;

use super::kuiper;
use super::law::{kuiper_sf, kuiper_upper_quantile, stephens};
use crate::statistic::comparison::{Comparison, Verdict};
use crate::statistic::settings::TestSettings;
use crate::testing::{Draws as _, SplitMix64};
use noops_stats::SortedSample;
use noops_stats::special::binomial_sf;

#[derive(Deserialize)]
struct Oracle {
    continuous: Vec<Case>,
    tied: Vec<Case>,
    limits: Vec<Limit>,
}

#[derive(Deserialize)]
struct Case {
    x: Vec<f64>,
    y: Vec<f64>,
    kuiper: f64,
}

#[derive(Deserialize)]
struct Limit {
    x: f64,
    kuiper: f64,
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("../../../../testdata/ks.json")).unwrap()
}

fn compare(reference: &[f64], current: &[f64], settings: &TestSettings) -> Comparison {
    let (reference, current) = (SortedSample::new(reference), SortedSample::new(current));
    kuiper(&reference, &current, settings).unwrap()
}

#[test]
fn statistics_agree_with_the_definition() {
    let oracle = oracle();
    for case in oracle.continuous.iter().chain(&oracle.tied) {
        let found = compare(&case.x, &case.y, &TestSettings::default());
        assert!((found.statistic() - case.kuiper).abs() <= 1e-15 * case.kuiper);
    }
}

#[test]
fn small_tails_and_large_samples_follow_the_limiting_law() {
    let ramp =
        |rows: i32, shift: f64| -> Vec<f64> { (0..rows).map(|k| f64::from(k) + shift).collect() };
    for (rows, shift) in [(5_000, 190.5), (60, 50.5)] {
        let found = compare(
            &ramp(rows, 0.0),
            &ramp(rows, shift),
            &TestSettings::default(),
        );
        let limit = kuiper_sf(found.statistic() * stephens(f64::from(rows) / 2.0));
        assert_eq!(found.p_value(), limit);
    }
}

#[test]
fn the_exact_law_joins_the_limiting_law() {
    let mut random = SplitMix64(21);
    let x: Vec<f64> = (0..300).map(|_| random.unit()).collect();
    for shift in [0.05, 0.1, 0.15] {
        let y: Vec<f64> = (0..300).map(|_| random.unit() * (1.0 - shift)).collect();
        let found = compare(&x, &y, &TestSettings::default());
        let limit = kuiper_sf(found.statistic() * stephens(150.0));
        assert!(found.p_value() != limit);
        let ratio = found.p_value() / limit;
        assert!((0.7..1.3).contains(&ratio), "{found:?} {limit}");
    }
}

#[test]
fn the_verdict_is_drift_exactly_beyond_the_critical_value() {
    let mut random = SplitMix64(4);
    let mut drifted = 0;
    for run in 0..200_usize {
        let (n, m) = (9 + run % 20, 8 + run % 13);
        let width = random.unit();
        let x: Vec<f64> = (0..n).map(|_| (random.bell() * 6.0).round()).collect();
        let y: Vec<f64> = (0..m)
            .map(|_| (random.bell() * 6.0 * width).round())
            .collect();
        let found = compare(&x, &y, &TestSettings::default());
        let beyond = found
            .critical()
            .is_some_and(|critical| found.statistic() > critical);
        assert_eq!(found.verdict().is_drift(), beyond, "{found:?}");
        drifted += usize::from(beyond);
    }
    assert!((10..190).contains(&drifted), "both sides occur: {drifted}");
}

#[test]
fn the_limiting_tail_agrees_with_mpmath() {
    let limits = oracle().limits;
    for limit in &limits {
        let found = kuiper_sf(limit.x);
        assert!(
            (found - limit.kuiper).abs() <= 1e-12 * limit.kuiper,
            "{found} {} at {}",
            limit.kuiper,
            limit.x
        );
    }
    assert!(limits.iter().any(|limit| limit.kuiper < 1e-290));
}

#[test]
fn the_ends_are_one_and_zero_and_the_quantile_inverts() {
    for x in [0.0, -1.0, f64::NAN, 5e-324, 1e-150] {
        assert_eq!(kuiper_sf(x), 1.0, "at {x}");
    }
    for x in [30.0, 1e200, f64::INFINITY] {
        assert_eq!(kuiper_sf(x), 0.0, "at {x}");
    }
    for tail in [0.9, 0.05, 1e-9, 1e-200] {
        let found = kuiper_sf(kuiper_upper_quantile(tail));
        assert!((found / tail - 1.0).abs() < 1e-10, "{found} {tail}");
    }
}

fn alarms(
    runs: u64,
    sizes: (usize, usize),
    settings: &TestSettings,
    mut draw: impl FnMut(&mut SplitMix64, bool) -> f64,
) -> u64 {
    let mut random = SplitMix64(sizes.0 as u64 * 31 + sizes.1 as u64);
    let mut alarms = 0;
    for _ in 0..runs {
        let x: Vec<f64> = (0..sizes.0).map(|_| draw(&mut random, false)).collect();
        let y: Vec<f64> = (0..sizes.1).map(|_| draw(&mut random, true)).collect();
        alarms += u64::from(compare(&x, &y, settings).verdict().is_drift());
    }
    alarms
}

#[track_caller]
fn at_most(alarms: u64, runs: u64, rate: f64) {
    assert!(
        binomial_sf(alarms, runs, rate) > 1e-4,
        "{alarms} alarms in {runs} runs"
    );
}

#[track_caller]
fn at_least(alarms: u64, runs: u64, rate: f64) {
    assert!(
        binomial_sf(runs - alarms, runs, 1.0 - rate) > 1e-4,
        "{alarms} alarms in {runs} runs"
    );
}

#[test]
fn unchanged_data_raise_at_most_one_alarm_in_twenty() {
    let plain = TestSettings::default();
    for (sizes, runs) in [
        ((1_500, 701), 300),
        ((60, 90), 150),
        ((10, 10), 1_500),
        ((3, 8), 2_000),
    ] {
        let continuous = alarms(runs, sizes, &plain, |random, _| random.unit());
        at_most(continuous, runs, 0.05);
        let rounded = alarms(runs, sizes, &plain, |random, _| random.bell().round());
        at_most(rounded, runs, 0.05);
        let inflated = alarms(runs, sizes, &plain, |random, _| {
            (random.unit() - 0.7).max(0.0)
        });
        at_most(inflated, runs, 0.05);
    }
    let many = alarms(600, (900, 1_300), &plain, |random, _| random.unit());
    at_least(many, 600, 0.025);
}

#[test]
fn a_visible_change_of_spread_shows_four_times_in_five() {
    let plain = TestSettings::default();
    let sizes = (400, 251);
    let visible = compare(&[0.0; 400], &[1.0; 251], &plain)
        .visible_from()
        .unwrap();
    // Uniform on [0, 1] against uniform on an interval in its middle that is narrower by δ: V is δ.
    let found = alarms(400, sizes, &plain, |random, current| {
        let width = if current { 1.0 - visible } else { 1.0 };
        0.5 + (random.unit() - 0.5) * width
    });
    at_least(found, 400, 0.8);
}

#[test]
fn a_tolerated_change_raises_no_more_alarms_than_alpha() {
    let tolerant = TestSettings::default().with_tolerance(0.2);
    let narrowed = |by: f64| {
        move |random: &mut SplitMix64, current: bool| {
            random.unit() * if current { 1.0 - by } else { 1.0 }
        }
    };
    at_most(alarms(200, (300, 500), &tolerant, narrowed(0.2)), 200, 0.05);
    at_least(alarms(200, (300, 500), &tolerant, narrowed(0.5)), 200, 0.8);
}

#[test]
fn nothing_and_one_value_are_undecided() {
    let undecided = Verdict::Undecided { visible_from: None };
    for (x, y) in [
        (vec![], vec![1.0]),
        (vec![f64::NAN], vec![1.0]),
        (vec![3.0; 20], vec![3.0; 9]),
        (vec![1.0], vec![2.0]),
    ] {
        assert_eq!(
            compare(&x, &y, &TestSettings::default()).verdict(),
            undecided
        );
    }
}

#[test]
fn where_a_circle_is_cut_does_not_matter() {
    let mut random = SplitMix64(8);
    let x: Vec<f64> = (0..70).map(|_| random.unit()).collect();
    let y: Vec<f64> = (0..50).map(|_| random.unit() * 0.8).collect();
    let cut_at = |at: f64, values: &[f64]| -> Vec<f64> {
        values
            .iter()
            .map(|value| if *value < at { value + 1.0 } else { *value })
            .collect()
    };
    let whole = compare(&x, &y, &TestSettings::default());
    for at in [0.2, 0.5, 0.77] {
        let cut = compare(&cut_at(at, &x), &cut_at(at, &y), &TestSettings::default());
        assert_eq!(cut.statistic(), whole.statistic());
    }
}
