use noops_core::Alpha;

use super::{STATISTICS, Statistic, TENTHS, tilted, true_value};
use crate::statistic::{TestSettings, psi};
use crate::testing::{Draws as _, SplitMix64};

fn zero_inflated(cells: usize) -> Vec<f64> {
    let mut shares = vec![0.1 / (cells - 1) as f64; cells];
    shares[0] = 0.9;
    shares
}

/// Those whose tests differ: another base is the same test.
fn tests() -> impl Iterator<Item = (&'static str, Statistic)> {
    STATISTICS
        .into_iter()
        .filter(|(name, _)| !name.ends_with("base e"))
}

/// How often each statistic calls it drift, over the same simulated tables.
fn false_alarms(shares: &[f64], n: u64, m: u64, runs: u64) -> Vec<(&'static str, u64)> {
    let mut random = SplitMix64(n ^ (m << 20) ^ shares.len() as u64);
    let mut found: Vec<(&'static str, u64)> = tests().map(|(name, _)| (name, 0)).collect();
    let settings = TestSettings::default();
    for _ in 0..runs {
        let reference = random.counts(shares, n);
        let current = random.counts(shares, m);
        for ((_, count), (_, statistic)) in found.iter_mut().zip(tests()) {
            let outcome = statistic(&reference, &current, &settings).unwrap();
            *count += u64::from(outcome.verdict().is_drift());
        }
    }
    found
}

#[track_caller]
fn within(alarms: Vec<(&str, u64)>, least: u64, most: u64, case: &str) {
    for (name, count) in alarms {
        // The law of total variation and the smoothing of PSI err on the side of fewer alarms.
        let cautious = matches!(name, "total_variation" | "psi");
        let least = if cautious { 0 } else { least };
        assert!((least..=most).contains(&count), "{name} {case}: {count}");
    }
}

#[track_caller]
fn unchanged(tables: [Vec<f64>; 2]) {
    for shares in tables {
        for (n, m) in [(1_000, 250), (250, 1_000), (400, 300)] {
            let alarms = false_alarms(&shares, n, m, 200);
            // Binomial(200, 0.05) is below 2 or above 22 with a probability of 0.0004 and 0.0003.
            within(alarms, 2, 22, &format!("{shares:?} at {n}, {m}"));
        }
    }
}

#[test]
fn few_unchanged_categories_raise_the_false_alarms_they_may() {
    unchanged([vec![0.5; 2], vec![1.0 / 3.0; 3]]);
}

#[test]
fn many_unchanged_categories_raise_the_false_alarms_they_may() {
    unchanged([vec![0.05; 20], vec![0.02; 50]]);
}

#[test]
fn unchanged_categories_that_are_mostly_one_raise_the_false_alarms_they_may() {
    unchanged([zero_inflated(2), zero_inflated(10)]);
}

#[test]
fn many_unchanged_categories_that_are_mostly_one_raise_the_false_alarms_they_may() {
    unchanged([zero_inflated(20), zero_inflated(50)]);
}

#[test]
fn ten_equal_categories_raise_one_false_alarm_in_twenty() {
    // Against the reference as truth a chi-square test raises 47 % and 97 % here.
    for (n, m) in [(1_000, 1_000), (1_000, 5_000)] {
        let alarms = false_alarms(&TENTHS, n, m, 500);
        // Binomial(500, 0.05) is below 11 or above 43 with a probability of 0.0003 each.
        within(alarms, 11, 43, &format!("at {n}, {m}"));
    }
}

fn share_of_drift(
    statistic: Statistic,
    shares: &[f64],
    (n, m): (u64, u64),
    settings: &TestSettings,
    runs: u64,
) -> f64 {
    let mut random = SplitMix64(n ^ (m << 20));
    let found = (0..runs)
        .filter(|_| {
            let reference = random.counts(&TENTHS, n);
            let current = random.counts(shares, m);
            statistic(&reference, &current, settings)
                .unwrap()
                .verdict()
                .is_drift()
        })
        .count();
    found as f64 / runs as f64
}

#[test]
fn a_shift_at_the_tolerance_is_rarely_called_drift() {
    let rows = (1_000, 500);
    for tilt in [0.05, 0.12, 0.3] {
        let shares = tilted(tilt);
        for (name, statistic) in tests() {
            let edge = true_value(name, statistic, &TENTHS, &shares, rows.0, rows.1);
            let settings = TestSettings::default().with_tolerance(edge);
            let share = share_of_drift(statistic, &shares, rows, &settings, 200);
            // Binomial(200, 0.05) is above 20 with a probability of 0.001.
            assert!(share <= 0.1, "{name} at {edge}: {share}");
        }
    }
}

#[test]
fn a_shift_far_beyond_the_tolerance_is_called_drift() {
    let rows = (1_000, 500);
    for (name, statistic) in tests() {
        let edge = true_value(name, statistic, &TENTHS, &tilted(0.05), rows.0, rows.1);
        let settings = TestSettings::default().with_tolerance(edge);
        let share = share_of_drift(statistic, &tilted(0.25), rows, &settings, 100);
        assert!(share >= 0.95, "{name} at {edge}: {share}");
    }
}

#[test]
fn a_rare_reference_cell_that_grew_to_the_tolerance_is_rarely_called_drift() {
    let (reference, current) = ([0.003, 0.997], [0.078, 0.922]);
    let tolerance = true_value("psi", psi, &reference, &current, 1_000, 500);
    let settings = TestSettings::default()
        .with_alpha(Alpha::ONE_PERCENT)
        .with_tolerance(tolerance);
    let mut random = SplitMix64(12);
    let found = (0..1_000)
        .filter(|_| {
            let reference = random.counts(&reference, 1_000);
            let current = random.counts(&current, 500);
            psi(&reference, &current, &settings)
                .unwrap()
                .verdict()
                .is_drift()
        })
        .count();
    // The non-central chi-square law alone calls some 45 drifted.
    assert!(found < 20, "{found} of 1000");
}

#[test]
fn a_visible_shift_is_seen_four_times_in_five() {
    let rows = (1_000, 500);
    let settings = TestSettings::default();
    for (name, statistic) in tests() {
        let visible = statistic(&[100; 10], &[50; 10], &settings)
            .unwrap()
            .visible_from()
            .unwrap();
        let (mut low, mut high) = (0.0, 2.0);
        for _ in 0..40 {
            let middle = 0.5 * (low + high);
            if true_value(name, statistic, &TENTHS, &tilted(middle), rows.0, rows.1) < visible {
                low = middle;
            } else {
                high = middle;
            }
        }
        let share = share_of_drift(statistic, &tilted(high), rows, &settings, 300);
        // For total variation the visible shift is an upper bound.
        let most = if name == "total_variation" { 1.0 } else { 0.88 };
        assert!((0.72..=most).contains(&share), "{name}: {share}");
    }
}
