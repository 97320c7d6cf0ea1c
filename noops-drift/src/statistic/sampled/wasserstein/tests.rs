use super::super::laws::oracle::{
    Pair, SHAPES, alarms, assert_no_more_than_five_percent, assert_sane, close, hostile, normal,
};
use super::*;
use crate::statistic::comparison::Verdict;
use crate::testing::SplitMix64;

#[test]
fn statistics_agree_with_scipy() {
    for pair in Pair::all() {
        let settings = WassersteinSettings::default();
        let outcome = wasserstein(&pair.reference, &pair.current, &settings).unwrap();
        let call = "wasserstein_distance(reference, current)";
        close(outcome.statistic(), pair.says(call).unwrap(), 1e-10);
    }
}

#[test]
fn no_more_false_alarms_than_promised() {
    let settings = WassersteinSettings::default();
    for shape in SHAPES {
        for sizes in [(300, 40), (60, 90)] {
            let found = alarms(150, sizes, (shape, shape), |reference, current| {
                let outcome = wasserstein(reference, current, &settings).unwrap();
                outcome.verdict().is_drift()
            });
            assert_no_more_than_five_percent(found, 150);
        }
    }
    let found = alarms(400, (300, 100), (normal, normal), |reference, current| {
        let outcome = wasserstein(reference, current, &settings).unwrap();
        outcome.verdict().is_drift()
    });
    assert!(found >= 4, "{found}");
}

#[test]
fn a_visible_shift_shows_four_times_in_five() {
    let settings = WassersteinSettings::default();
    let mut random = SplitMix64(9);
    let one = super::super::laws::oracle::draw(&mut random, 400, normal);
    let other = super::super::laws::oracle::draw(&mut random, 200, normal);
    let outcome = wasserstein(&one, &other, &settings).unwrap();
    let visible = outcome.visible_from().unwrap();
    let moved = |random: &mut SplitMix64| normal(random) + visible;
    let found = alarms(300, (400, 200), (normal, moved), |reference, current| {
        let outcome = wasserstein(reference, current, &settings).unwrap();
        outcome.verdict().is_drift()
    });
    assert!(found >= 240 - 28, "{found}");
}

#[test]
fn a_tolerated_shift_is_no_drift_and_a_larger_one_is() {
    let settings = WassersteinSettings::default().with_tolerance(0.3);
    let by = |shift: f64| move |random: &mut SplitMix64| normal(random) + shift;
    let count = |shift: f64| {
        alarms(
            500,
            (400, 200),
            (normal, by(shift)),
            |reference, current| {
                let outcome = wasserstein(reference, current, &settings).unwrap();
                outcome.verdict().is_drift()
            },
        )
    };
    assert_no_more_than_five_percent(count(0.3), 500);
    assert!(count(0.9) >= 490);
}

#[test]
fn a_scale_takes_out_the_unit_and_has_no_floor() {
    let small: Vec<f64> = (0..200).map(|i| f64::from(i) * 1e-9).collect();
    let moved: Vec<f64> = small.iter().map(|value| value + 5e-8).collect();
    let (small, moved) = (SortedSample::new(&small), SortedSample::new(&moved));
    for scale in [Scale::StandardDeviation, Scale::InterquartileRange] {
        let settings = WassersteinSettings::default().with_scale(scale);
        let outcome = wasserstein(&small, &moved, &settings).unwrap();
        assert!(outcome.verdict().is_drift());
        assert!(outcome.statistic() > 0.4, "{outcome:?}");
        let constant = SortedSample::new(&[1.0; 50]);
        let blind = wasserstein(&constant, &small, &settings).unwrap();
        assert_eq!(blind.verdict(), Verdict::Undecided { visible_from: None });
    }
    let settings = WassersteinSettings::default().with_scale(Scale::InterquartileRange);
    close(
        wasserstein(&small, &moved, &settings).unwrap().statistic(),
        5e-8 / (99.5e-9),
        1e-9,
    );
}

#[test]
fn an_outlier_neither_hides_a_shift_nor_makes_one() {
    let settings = WassersteinSettings::default();
    let mut values: Vec<f64> = (0..200).map(f64::from).collect();
    let reference = SortedSample::new(&values);
    values.push(1e4);
    let outcome = wasserstein(&reference, &SortedSample::new(&values), &settings).unwrap();
    assert!(!outcome.verdict().is_drift());
}

#[test]
fn settings_survive_a_round_trip() {
    let settings = WassersteinSettings::default()
        .with_tolerance(0.1)
        .with_relevant(0.5)
        .with_scale(Scale::StandardDeviation);
    let text = serde_json::to_string(&settings).unwrap();
    assert_eq!(
        serde_json::from_str::<WassersteinSettings>(&text).unwrap(),
        settings
    );
    assert!(
        wasserstein(
            &SortedSample::new(&[1.0]),
            &SortedSample::new(&[2.0]),
            &settings.with_tolerance(f64::NAN)
        )
        .is_err()
    );
}

#[test]
fn hostile_values_give_an_error_or_numbers() {
    let all = hostile();
    for scale in [
        Scale::None,
        Scale::StandardDeviation,
        Scale::InterquartileRange,
    ] {
        for tolerance in [0.0, 0.5] {
            let settings = WassersteinSettings::default()
                .with_scale(scale)
                .with_tolerance(tolerance);
            for reference in &all {
                for current in &all {
                    if let Ok(outcome) = wasserstein(reference, current, &settings) {
                        assert_sane(&outcome);
                    }
                }
            }
        }
    }
}
