use noops_core::Alpha;

use super::*;
use crate::batch::reference::{cases, close, close_interval, count, number};
use crate::direction::Direction;
use crate::simulation::Random;

#[test]
fn tests_and_estimates_agree_with_statsmodels() {
    for case in cases("mantel_haenszel") {
        let strata: Vec<Stratum> = case["strata"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| stratum([0, 1, 2, 3].map(|i| count(&row[i]))))
            .collect();
        let outcome = mantel_haenszel(&strata, &TestSettings::default()).unwrap();
        close(
            outcome.statistic().unwrap(),
            number(&case["statistic"]),
            1e-10,
        );
        close(outcome.p_value(), number(&case["p_far"]), 1e-9);
        close(
            outcome.estimate().unwrap(),
            number(&case["odds_ratio"]),
            1e-10,
        );
        close_interval(&outcome, &case, 1e-9);
        let difference = &case["difference"];
        let found = mantel_haenszel_difference(&strata, &TestSettings::default()).unwrap();
        close(
            found.estimate().unwrap(),
            number(&difference["estimate"]),
            1e-10,
        );
        close(found.p_value(), number(&difference["p"]), 1e-8);
        close_interval(&found, difference, 1e-9);
        let margin = Margin::new(Direction::LowerIsBetter, 0.05).unwrap();
        let passed = mantel_haenszel_non_inferiority(&strata, margin, Alpha::FIVE_PERCENT).unwrap();
        if number(&difference["p_non_inferior"]) > 1e-300 {
            close(
                passed.p_value(),
                number(&difference["p_non_inferior"]),
                1e-8,
            );
        }
    }
}

#[test]
fn the_candidate_of_simpsons_paradox_is_better() {
    let strata = [
        stratum([20_000, 990_000, 230, 10_000]),
        stratum([5_000, 500_000, 6_000, 500_000]),
    ];
    let outcome = mantel_haenszel(&strata, &TestSettings::default()).unwrap();
    assert!((outcome.estimate().unwrap() - 1.198_0).abs() < 5e-5);
    assert!((outcome.statistic().unwrap() - 95.3).abs() < 0.05);
    assert!(outcome.interval().unwrap().is_above(1.0));
}

#[test]
fn identical_arms_on_a_ramp_rarely_alarm() {
    let mut random = Random::new(11);
    let mut draw = |n: u64, rate: f64| {
        Proportion::new((0..n).filter(|_| random.uniform() < rate).count() as u64, n).unwrap()
    };
    let alarms = (0..1_000)
        .filter(|_| {
            let strata = [(2_000, 100, 0.01), (1_500, 400, 0.02), (900, 900, 0.06)]
                .map(|(old, new, rate)| Stratum::new(draw(old, rate), draw(new, rate)));
            mantel_haenszel(&strata, &TestSettings::default())
                .unwrap()
                .rejects(Alpha::FIVE_PERCENT)
        })
        .count();
    // scipy.stats.binom.sf(73, 1000, 0.05) = 0.0006; the correction makes it err on the safe side.
    assert!((15..=73).contains(&alarms), "{alarms}");
}

#[test]
fn strata_that_say_nothing_are_refused() {
    let settings = TestSettings::default();
    assert_eq!(mantel_haenszel(&[], &settings), Err(CanaryError::Empty));
    let silent = [stratum([0, 5, 0, 7]), stratum([4, 4, 6, 6])];
    assert!(mantel_haenszel(&silent, &settings).is_err());
    assert!(mantel_haenszel_difference(&silent, &settings).is_err());
    let most = Proportion::MAX_TRIALS;
    let huge = [stratum([most / 2, most, most / 2, most]); 2];
    assert!(mantel_haenszel(&huge, &settings).is_err());
    // The odds ratio is infinite, the test is not.
    let outcome = mantel_haenszel(&[stratum([0, 10, 6, 10])], &settings).unwrap();
    assert_eq!(outcome.estimate(), None);
    assert!(outcome.p_value() < 0.02);
}

fn stratum([x1, n1, x2, n2]: [u64; 4]) -> Stratum {
    Stratum::new(
        Proportion::new(x1, n1).unwrap(),
        Proportion::new(x2, n2).unwrap(),
    )
}
