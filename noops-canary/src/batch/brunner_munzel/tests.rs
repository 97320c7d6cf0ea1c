use proptest::prelude::*;

use super::*;
use crate::batch::rank_oracle::{ALTERNATIVES, assert_agrees, numbers, oracle};
use crate::simulation::Random;

fn settings(alternative: Alternative) -> TestSettings {
    TestSettings::default().with_alternative(alternative)
}

#[test]
fn scipy_agrees() {
    let mut compared = 0;
    for case in oracle()["samples"].as_array().unwrap() {
        if case["brunner_munzel"].is_null() {
            continue;
        }
        let (champion, candidate) = (numbers(&case["champion"]), numbers(&case["candidate"]));
        for (alternative, name) in ALTERNATIVES {
            let outcome = brunner_munzel(&champion, &candidate, &settings(alternative)).unwrap();
            assert_agrees(&outcome, &case["brunner_munzel"][name]);
            compared += 1;
        }
    }
    assert_eq!(compared, 18);
}

#[test]
fn unequal_spread_does_not_raise_the_error_rate() {
    let mut random = Random::new(31);
    let refused = (0..1_000)
        .filter(|_| {
            // The smaller sample has the larger spread, which Mann and Whitney's test takes for a difference.
            let champion: Vec<f64> = (0..60).map(|_| random.normal()).collect();
            let candidate: Vec<f64> = (0..20).map(|_| 4.0 * random.normal()).collect();
            let outcome = brunner_munzel(&champion, &candidate, &TestSettings::default());
            outcome.unwrap().rejects(Alpha::FIVE_PERCENT)
        })
        .count();
    // Student's law is an approximation: 1 % is allowed for it. scipy.stats.binom.sf(85, 1000, 0.06) = 0.0006
    assert!(refused <= 85, "{refused}");
    assert!(refused >= 20, "{refused}");
}

#[test]
fn complete_separation_is_bounded_by_disjoint_pairs() {
    let (low, high) = ([1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 9.0, 9.0]);
    let up = brunner_munzel(&low, &high, &settings(Alternative::Greater)).unwrap();
    assert!((up.p_value() - 1.0 / 32.0).abs() < 1e-15);
    assert_eq!(up.statistic(), None);
    assert_eq!(up.estimate(), Some(1.0));
    let interval = up.interval().unwrap();
    // 0.05^(1/5)
    assert!((interval.lower() - 0.549_280_271_653_060_3).abs() < 1e-12);
    assert_eq!(interval.upper(), 1.0);
    let both = brunner_munzel(&high, &low, &TestSettings::default()).unwrap();
    assert!((both.p_value() - 1.0 / 16.0).abs() < 1e-15);
    assert_eq!(both.interval().unwrap().lower(), 0.0);
    let down = brunner_munzel(&low, &high, &settings(Alternative::Less)).unwrap();
    assert_eq!(down.p_value(), 1.0);
    // Two constant samples are separate as well.
    let constant = brunner_munzel(&[1.0; 3], &[2.0; 4], &TestSettings::default()).unwrap();
    assert!((constant.p_value() - 0.25).abs() < 1e-15);
}

#[test]
fn non_inferiority_is_claimed_within_the_margin_only() {
    let mut random = Random::new(8);
    let mut normal =
        |shift: f64| -> Vec<f64> { (0..300).map(|_| random.normal() + shift).collect() };
    let (champion, good, bad) = (normal(0.0), normal(0.0), normal(0.6));
    let alpha = Alpha::FIVE_PERCENT;
    let lower = Margin::new(Direction::LowerIsBetter, 0.1).unwrap();
    let higher = Margin::new(Direction::HigherIsBetter, 0.1).unwrap();
    let rejects = |candidate: &[f64], margin| {
        let outcome = brunner_munzel_non_inferiority(&champion, candidate, margin, alpha).unwrap();
        let interval = outcome.interval().unwrap();
        let limit = 0.5 + margin.limit();
        assert_eq!(
            outcome.rejects(alpha),
            !interval.contains(limit),
            "{outcome:?}"
        );
        outcome.rejects(alpha)
    };
    assert!(rejects(&good, lower) && rejects(&good, higher));
    assert!(!rejects(&bad, lower));
    assert!(rejects(&bad, higher));
    let equivalent = |candidate: &[f64]| {
        let outcome = brunner_munzel_equivalence(&champion, candidate, lower, alpha);
        outcome.unwrap().rejects(alpha)
    };
    assert!(equivalent(&good));
    assert!(!equivalent(&bad));
}

#[test]
fn margins_that_no_candidate_could_miss_are_refused() {
    let values = [1.0, 2.0, 3.0];
    let margin = Margin::new(Direction::LowerIsBetter, 0.5).unwrap();
    let alpha = Alpha::FIVE_PERCENT;
    assert!(brunner_munzel_non_inferiority(&values, &values, margin, alpha).is_err());
    assert!(brunner_munzel_equivalence(&values, &values, margin, alpha).is_err());
}

#[test]
fn hostile_samples_are_refused() {
    let settings = TestSettings::default();
    for bad in [&[][..], &[1.0], &[1.0, f64::NAN], &[f64::NEG_INFINITY, 1.0]] {
        assert!(brunner_munzel(bad, &[1.0, 2.0], &settings).is_err());
        assert!(brunner_munzel(&[1.0, 2.0], bad, &settings).is_err());
    }
    let same = brunner_munzel(&[3.0, 3.0], &[3.0, 3.0], &settings);
    assert!(matches!(same, Err(CanaryError::Constant { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn placements_are_counted(
        champion in prop::collection::vec((0_i8..9).prop_map(f64::from), 2..20),
        candidate in prop::collection::vec((0_i8..9).prop_map(f64::from), 2..20),
    ) {
        let below = |value: f64, others: &[f64]| -> f64 {
            let halves = others.iter().map(|other| {
                if *other < value { 1.0 } else if *other == value { 0.5 } else { 0.0 }
            });
            halves.sum::<f64>() / others.len() as f64
        };
        let variance = |shares: Vec<f64>| {
            let mean = shares.iter().sum::<f64>() / shares.len() as f64;
            let squares: f64 = shares.iter().map(|share| (share - mean) * (share - mean)).sum();
            squares / (shares.len() as f64 - 1.0)
        };
        let (left, right) = (SortedSample::new(&champion), SortedSample::new(&candidate));
        let placements = Placements::of(&left, &right);
        let of_champion: Vec<f64> = champion.iter().map(|x| below(*x, &candidate)).collect();
        let of_candidate: Vec<f64> = candidate.iter().map(|x| below(*x, &champion)).collect();
        let theta = of_candidate.iter().sum::<f64>() / candidate.len() as f64;
        prop_assert!((placements.theta() - theta).abs() < 1e-12);
        prop_assert!((placements.variance_of_champion() - variance(of_champion)).abs() < 1e-12);
        prop_assert!((placements.variance_of_candidate() - variance(of_candidate)).abs() < 1e-12);
    }
}
