use noops_core::Alpha;

use super::*;
use crate::batch::reference::{cases, close, close_interval, number, numbers, sides};
use crate::direction::Direction;
use crate::simulation::Random;

#[test]
fn all_alternatives_agree_with_scipy() {
    for case in cases("welch") {
        let (champion, candidate) = (numbers(&case["champion"]), numbers(&case["candidate"]));
        for (name, settings) in sides() {
            let reference = &case[name];
            let outcome = welch_t_test(&champion, &candidate, &settings).unwrap();
            close(outcome.statistic().unwrap(), number(&reference["t"]), 1e-10);
            close(
                outcome.degrees_of_freedom().unwrap(),
                number(&reference["df"]),
                1e-10,
            );
            // A tail of 1e-300 moves by 700 times the error of its statistic, in the reference too.
            close(
                outcome.p_value(),
                number(&reference["p"]),
                if case["name"] == "far_tail" {
                    1e-6
                } else {
                    1e-10
                },
            );
            close_interval(&outcome, reference, 1e-10);
            close(
                outcome.effect().unwrap().value(),
                number(&case["hedges_g"]),
                1e-10,
            );
        }
        let two_sided = welch_t_test(&champion, &candidate, &TestSettings::default()).unwrap();
        close(two_sided.p_value(), number(&case["p_mpmath"]), 1e-9);
    }
}

#[test]
fn margins_agree_with_shifted_samples_in_scipy() {
    let margin = Margin::new(Direction::LowerIsBetter, 2.0).unwrap();
    for case in cases("welch") {
        let (champion, candidate) = (numbers(&case["champion"]), numbers(&case["candidate"]));
        let worse =
            welch_non_inferiority(&champion, &candidate, margin, Alpha::FIVE_PERCENT).unwrap();
        let equal = welch_equivalence(&champion, &candidate, margin, Alpha::FIVE_PERCENT).unwrap();
        close(worse.p_value(), number(&case["non_inferiority"]["p"]), 1e-9);
        close(equal.p_value(), number(&case["equivalence"]["p"]), 1e-9);
        let (upper, both) = (worse.interval().unwrap(), equal.interval().unwrap());
        assert_eq!(worse.rejects(Alpha::FIVE_PERCENT), upper.upper() < 2.0);
        let inside = both.is_below(2.0) && both.is_above(-2.0);
        assert_eq!(equal.rejects(Alpha::FIVE_PERCENT), inside);
        assert!((equal.alpha().get() - 0.1).abs() < 1e-15);
    }
}

#[test]
fn where_higher_is_better_a_fall_is_the_harm() {
    let (champion, candidate) = ([5.0, 5.1, 4.9, 5.0], [5.9, 6.0, 6.1, 6.0]);
    let margin = |direction| Margin::new(direction, 0.5).unwrap();
    let p = |direction| {
        welch_non_inferiority(
            &champion,
            &candidate,
            margin(direction),
            Alpha::FIVE_PERCENT,
        )
        .unwrap()
        .p_value()
    };
    assert!(p(Direction::HigherIsBetter) < 1e-4);
    assert!(p(Direction::LowerIsBetter) > 0.99);
}

#[test]
fn the_error_rate_holds_for_unequal_spread() {
    let mut random = Random::new(5);
    let (mut alarms, mut passes) = (0, 0);
    for _ in 0..4_000 {
        let champion: Vec<f64> = (0..12).map(|_| random.normal()).collect();
        let candidate: Vec<f64> = (0..25).map(|_| 4.0 * random.normal()).collect();
        let outcome = welch_t_test(&champion, &candidate, &TestSettings::default()).unwrap();
        alarms += u32::from(outcome.rejects(Alpha::FIVE_PERCENT));
        let at_the_margin: Vec<f64> = candidate.iter().map(|value| value + 1.0).collect();
        let margin = Margin::new(Direction::LowerIsBetter, 1.0).unwrap();
        let passed =
            welch_non_inferiority(&champion, &at_the_margin, margin, Alpha::FIVE_PERCENT).unwrap();
        passes += u32::from(passed.rejects(Alpha::FIVE_PERCENT));
    }
    // scipy.stats.binom.sf(245, 4000, 0.05) = 0.0007; binom.cdf(154, 4000, 0.05) = 0.0003
    for found in [alarms, passes] {
        assert!((155..=245).contains(&found), "{found}");
    }
}

#[test]
fn samples_that_cannot_be_compared_are_refused() {
    let fine = [1.0, 2.0, 4.0];
    let settings = TestSettings::default();
    for bad in [
        &[][..],
        &[1.0],
        &[1.0, f64::NAN],
        &[f64::INFINITY, 1.0],
        &[1e300, -1e300],
    ] {
        assert!(welch_t_test(bad, &fine, &settings).is_err(), "{bad:?}");
        assert!(welch_t_test(&fine, bad, &settings).is_err(), "{bad:?}");
    }
    for constants in [[3.0, 3.0], [9.0, 9.0]] {
        assert_eq!(
            welch_t_test(&[3.0; 5], &constants, &settings),
            Err(CanaryError::Constant {
                column: "champion and candidate"
            })
        );
    }
    let margin = Margin::new(Direction::LowerIsBetter, 1.0).unwrap();
    let half = Alpha::new(0.5).unwrap();
    assert!(welch_equivalence(&fine, &fine, margin, half).is_err());
}

#[test]
fn tiny_and_huge_values_are_compared_alike() {
    let (champion, candidate) = ([1.0, 2.0, 4.0, 3.0], [3.0, 5.0, 6.0, 4.5]);
    let p = |scale: f64| {
        let scaled = |values: [f64; 4]| values.map(|value| value * scale);
        welch_t_test(
            &scaled(champion),
            &scaled(candidate),
            &TestSettings::default(),
        )
        .unwrap()
        .p_value()
    };
    for scale in [1e-140, 1e140] {
        close(p(scale), p(1.0), 1e-12);
    }
}
