use noops_core::Alpha;
use serde::Deserialize;

use super::ks_two_sample;
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Verdict};
use crate::statistic::settings::TestSettings;
use crate::testing::{Draws as _, SplitMix64};
use noops_stats::SortedSample;
use noops_stats::special::{binomial_sf, kolmogorov_sf};

#[derive(Deserialize)]
struct Oracle {
    continuous: Vec<Case>,
    tied: Vec<Case>,
    limits: Vec<Limit>,
}

#[derive(Deserialize)]
struct Case {
    call: String,
    x: Vec<f64>,
    y: Vec<f64>,
    statistic: f64,
    p_value: f64,
}

#[derive(Deserialize)]
struct Limit {
    x: f64,
    kolmogorov: f64,
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("../../../../testdata/ks.json")).unwrap()
}

fn compare(reference: &[f64], current: &[f64], settings: &TestSettings) -> Comparison {
    let (reference, current) = (SortedSample::new(reference), SortedSample::new(current));
    ks_two_sample(&reference, &current, settings).unwrap()
}

#[track_caller]
fn close(found: f64, expected: f64, relative: f64, what: &str) {
    assert!(
        (found - expected).abs() <= relative * expected.abs(),
        "found {found}, expected {expected}: {what}"
    );
}

#[test]
fn statistics_and_exact_tails_agree_with_scipy_and_whole_numbers() {
    let oracle = oracle();
    let mut smallest = 1.0_f64;
    for case in oracle.continuous.iter().chain(&oracle.tied) {
        let what = format!("{} and {}, {}", case.x.len(), case.y.len(), case.call);
        for (x, y) in [(&case.x, &case.y), (&case.y, &case.x)] {
            let found = compare(x, y, &TestSettings::default());
            close(found.statistic(), case.statistic, 1e-15, &what);
            close(found.p_value(), case.p_value, 1e-11, &what);
        }
        smallest = smallest.min(case.p_value);
    }
    assert!(smallest < 1e-290, "the far tail is among the cases");
}

#[test]
fn the_limiting_tail_agrees_with_mpmath_to_a_part_in_a_million_everywhere() {
    let limits = oracle().limits;
    for limit in &limits {
        close(kolmogorov_sf(limit.x), limit.kolmogorov, 1e-12, "mpmath");
    }
    assert!(limits.iter().any(|limit| limit.kolmogorov < 1e-290));
}

#[test]
fn the_verdict_is_drift_exactly_beyond_the_critical_value() {
    let mut random = SplitMix64(3);
    let mut drifted = 0;
    for run in 0..300_usize {
        let (n, m) = (10 + run % 40, 8 + run % 23);
        let shift = random.unit();
        let x: Vec<f64> = (0..n).map(|_| (random.bell() * 4.0).round()).collect();
        let y: Vec<f64> = (0..m)
            .map(|_| ((random.bell() + shift) * 4.0).round())
            .collect();
        let found = compare(&x, &y, &TestSettings::default());
        let beyond = found
            .critical()
            .is_some_and(|critical| found.statistic() > critical);
        assert_eq!(found.verdict().is_drift(), beyond, "{found:?}");
        drifted += usize::from(beyond);
    }
    assert!((30..270).contains(&drifted), "both sides occur: {drifted}");
}

#[test]
fn large_samples_follow_the_limit_and_join_the_exact_law() {
    let x: Vec<f64> = (0..7_000).map(f64::from).collect();
    let y: Vec<f64> = (0..7_000).map(|k| f64::from(k) + 190.5).collect();
    let exact = compare(&x, &y, &TestSettings::default());
    let limit = kolmogorov_sf(exact.statistic() * 3_500.0_f64.sqrt());
    assert!(exact.p_value() != limit);
    close(exact.p_value(), limit, 0.03, "exact against the limit");

    let x: Vec<f64> = (0..60_000).map(f64::from).collect();
    let y: Vec<f64> = (0..60_000).map(|k| f64::from(k) + 600.5).collect();
    let found = compare(&x, &y[..30_000], &TestSettings::default());
    assert_eq!(
        found.p_value(),
        kolmogorov_sf(found.statistic() * 20_000.0_f64.sqrt())
    );
    // Equal sizes: 2 * sum((-1) ** (j - 1) * comb(2 * n, n - j * k)) / comb(2 * n, n) in whole numbers, n 10000, k 2600.
    let y: Vec<f64> = (0..10_000).map(|k| f64::from(k) + 2_599.5).collect();
    let found = compare(&x[..10_000], &y, &TestSettings::default());
    assert_eq!(found.statistic(), 0.26);
    close(
        found.p_value(),
        2.150_967_497_373_788_5e-297,
        1e-9,
        "whole numbers",
    );
}

/// Share of runs called drifted, as a count.
fn alarms(
    runs: u64,
    sizes: (usize, usize),
    settings: &TestSettings,
    mut draw: impl FnMut(&mut SplitMix64, bool) -> f64,
) -> u64 {
    let mut random = SplitMix64(sizes.0 as u64 * 7 + sizes.1 as u64);
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
fn unchanged_continuous_data_raise_one_alarm_in_twenty() {
    let plain = TestSettings::default();
    for sizes in [(200, 60), (90, 130), (37, 400)] {
        let found = alarms(1_500, sizes, &plain, |random, _| random.bell());
        at_most(found, 1_500, 0.05);
        at_least(found, 1_500, 0.035);
    }
}

#[test]
fn unchanged_rounded_and_zero_inflated_data_raise_no_more() {
    let plain = TestSettings::default();
    for sizes in [(150, 40), (60, 100)] {
        let rounded = alarms(1_000, sizes, &plain, |random, _| random.bell().round());
        at_most(rounded, 1_000, 0.05);
        at_least(rounded, 1_000, 0.015);
        let inflated = alarms(1_000, sizes, &plain, |random, _| {
            if random.unit() < 0.6 {
                0.0
            } else {
                -random.unit().ln()
            }
        });
        at_most(inflated, 1_000, 0.05);
        at_least(inflated, 1_000, 0.015);
    }
}

#[test]
fn a_shift_that_is_visible_shows_four_times_in_five() {
    let plain = TestSettings::default();
    let sizes = (300, 120);
    let visible = {
        let mut random = SplitMix64(1);
        let x: Vec<f64> = (0..sizes.0).map(|_| random.unit()).collect();
        let y: Vec<f64> = (0..sizes.1).map(|_| random.unit()).collect();
        compare(&x, &y, &plain).visible_from().unwrap()
    };
    // Uniform values moved by δ are δ apart at their largest.
    let found = alarms(500, sizes, &plain, |random, current| {
        random.unit() + if current { visible } else { 0.0 }
    });
    at_least(found, 500, 0.8);
}

#[test]
fn a_tolerated_shift_raises_no_more_alarms_than_alpha() {
    let tolerant = TestSettings::default().with_tolerance(0.1);
    let shifted = |by: f64| {
        move |random: &mut SplitMix64, current: bool| random.unit() + if current { by } else { 0.0 }
    };
    at_most(alarms(400, (400, 700), &tolerant, shifted(0.1)), 400, 0.05);
    at_least(alarms(200, (400, 700), &tolerant, shifted(0.35)), 200, 0.8);
}

#[test]
fn the_tolerance_bound_is_above_massarts_one_sample_tail_and_below_certainty() {
    // With a reference as good as known, the excess is the current sample's own error: 2 exp(−2mx²).
    let many: Vec<f64> = (0..1_000_000).map(|k| f64::from(k) / 1e6).collect();
    let few: Vec<f64> = (0..500).map(|k| f64::from(k) / 500.0 * 0.7).collect();
    let found = compare(&many, &few, &TestSettings::default().with_tolerance(0.2));
    let excess = found.statistic() - 0.2;
    let known = 2.0 * (-2.0 * 500.0 * excess * excess).exp();
    assert!(found.p_value() > known, "{found:?}");
    assert!(found.p_value() < known * 3.0, "{found:?} {known}");
}

#[test]
fn nothing_and_one_value_are_undecided() {
    let undecided = Verdict::Undecided { visible_from: None };
    for (x, y) in [
        (vec![], vec![1.0]),
        (vec![f64::NAN; 3], vec![f64::NAN]),
        (vec![2.0; 50], vec![2.0; 70]),
        (vec![0.0; 9], vec![-0.0; 9]),
        (vec![1.0], vec![9.0]),
        (vec![1.0, 2.0, 3.0], vec![7.0, 8.0, 9.0]),
    ] {
        let found = compare(&x, &y, &TestSettings::default());
        assert_eq!(found.verdict(), undecided, "{x:?} {y:?}");
        assert!(found.p_value() > 0.05);
        assert_eq!(found.critical(), None);
    }
}

#[test]
fn two_constants_apart_have_drifted() {
    let found = compare(&[2.0; 50], &[3.0; 70], &TestSettings::default());
    assert_eq!(found.statistic(), 1.0);
    assert!(found.p_value() < 1e-33);
    assert_eq!(found.verdict(), Verdict::Drift);
}

#[test]
fn hostile_values_and_rates_give_probabilities() {
    let hostile = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        -f64::MIN_POSITIVE,
        5e-324,
        -0.0,
    ];
    for rows in 1..=hostile.len() {
        for alpha in [f64::MIN_POSITIVE, 0.05, 1.0 - f64::EPSILON] {
            for tolerance in [0.0, 1e-300, 0.5, 1e12] {
                let settings = TestSettings::default()
                    .with_alpha(Alpha::new(alpha).unwrap())
                    .with_tolerance(tolerance);
                let found = compare(
                    &hostile[..rows],
                    &hostile[hostile.len() - rows..],
                    &settings,
                );
                assert!((0.0..=1.0).contains(&found.p_value()), "{found:?}");
                assert!((0.0..=1.0).contains(&found.statistic()), "{found:?}");
                assert!(
                    found
                        .critical()
                        .is_none_or(|critical| (0.0..=1.0).contains(&critical))
                );
                assert!(
                    found
                        .visible_from()
                        .is_none_or(|visible| (0.0..=1.0).contains(&visible))
                );
            }
        }
    }
}

#[test]
fn a_tolerance_that_is_no_number_is_refused() {
    let sample = SortedSample::new(&[1.0]);
    let settings = TestSettings::default().with_tolerance(f64::NAN);
    assert!(matches!(
        ks_two_sample(&sample, &sample, &settings),
        Err(DriftError::InvalidSetting {
            setting: "tolerance",
            ..
        })
    ));
}
