use super::super::laws::oracle::{
    Pair, SHAPES, alarms, assert_no_more_than_five_percent, assert_sane, close, draw, hostile,
    normal,
};
use super::*;
use crate::testing::SplitMix64;

#[test]
fn statistics_agree_with_scipy() {
    for pair in Pair::all() {
        let settings = TestSettings::default();
        let outcome = energy_distance(&pair.reference, &pair.current, &settings).unwrap();
        let call = "energy_distance(reference, current)";
        close(outcome.statistic(), pair.says(call).unwrap(), 1e-10);
    }
}

#[test]
fn no_more_false_alarms_than_promised() {
    let settings = TestSettings::default();
    for shape in SHAPES {
        for sizes in [(300, 40), (60, 90)] {
            let found = alarms(150, sizes, (shape, shape), |reference, current| {
                let outcome = energy_distance(reference, current, &settings).unwrap();
                outcome.verdict().is_drift()
            });
            assert_no_more_than_five_percent(found, 150);
        }
    }
    let found = alarms(600, (300, 100), (normal, normal), |reference, current| {
        let outcome = energy_distance(reference, current, &settings).unwrap();
        outcome.verdict().is_drift()
    });
    assert!(found >= 12, "{found}");
}

#[test]
fn a_visible_distance_shows_four_times_in_five() {
    let settings = TestSettings::default();
    let mut random = SplitMix64(9);
    let one = draw(&mut random, 400, normal);
    let other = draw(&mut random, 200, normal);
    let outcome = energy_distance(&one, &other, &settings).unwrap();
    // D² of normal samples a small shift s apart is s²/√π.
    let shift = outcome.visible_from().unwrap() * std::f64::consts::PI.powf(0.25);
    let moved = |random: &mut SplitMix64| normal(random) + 1.03 * shift;
    let found = alarms(300, (400, 200), (normal, moved), |reference, current| {
        let outcome = energy_distance(reference, current, &settings).unwrap();
        outcome.verdict().is_drift()
    });
    assert!(found >= 240 - 28, "{found}");
}

#[test]
fn a_tolerated_distance_is_no_drift_and_a_larger_one_is() {
    let shift = 0.3;
    let tolerance = shift / std::f64::consts::PI.powf(0.25);
    let settings = TestSettings::default().with_tolerance(tolerance);
    let by = |shift: f64| move |random: &mut SplitMix64| normal(random) + shift;
    let count = |shift: f64| {
        alarms(
            400,
            (400, 200),
            (normal, by(shift)),
            |reference, current| {
                let outcome = energy_distance(reference, current, &settings).unwrap();
                outcome.verdict().is_drift()
            },
        )
    };
    assert_no_more_than_five_percent(count(shift), 400);
    assert!(count(0.9) >= 390);
}

#[test]
fn hostile_values_give_an_error_or_numbers() {
    let all = hostile();
    for settings in [
        TestSettings::default(),
        TestSettings::default().with_tolerance(0.5),
    ] {
        for reference in &all {
            for current in &all {
                if let Ok(outcome) = energy_distance(reference, current, &settings) {
                    assert_sane(&outcome);
                }
            }
        }
    }
}
