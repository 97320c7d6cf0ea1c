use proptest::prelude::*;

use super::*;
use crate::batch::pairwise::select;
use crate::batch::rank_oracle::{ALTERNATIVES, assert_agrees, numbers, oracle};
use crate::direction::Direction;
use crate::interval::Interval;
use crate::simulation::Random;

fn settings(alternative: Alternative) -> TestSettings {
    TestSettings::default().with_alternative(alternative)
}

#[test]
fn scipy_agrees() {
    for case in oracle()["paired"].as_array().unwrap() {
        let (champion, candidate) = (numbers(&case["champion"]), numbers(&case["candidate"]));
        for (alternative, name) in ALTERNATIVES {
            let outcome =
                wilcoxon_signed_rank(&champion, &candidate, &settings(alternative)).unwrap();
            assert_agrees(&outcome, &case["wilcoxon"][name]);
            let median = case["pseudo_median"]["median"].as_f64().unwrap();
            assert!((outcome.estimate().unwrap() - median).abs() < 1e-12);
            assert!(outcome.interval().unwrap().contains(median));
        }
    }
}

#[test]
fn the_law_of_four_ranks_is_that_of_counting() {
    // 16 ways to sign: 1 1 1 2 2 2 2 2 1 1 1
    let counts = [1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0];
    let found: Vec<f64> = signed_rank_law(4)
        .iter()
        .map(|share| share * 16.0)
        .collect();
    assert_eq!(found, counts);
    assert_eq!(signed_rank_law(0), [1.0]);
}

#[test]
fn zeros_are_dropped_from_the_test_and_kept_in_the_estimate() {
    let champion = [0.0; 8];
    let candidate = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0];
    let outcome = wilcoxon_signed_rank(&champion, &candidate, &TestSettings::default()).unwrap();
    assert_eq!(outcome.statistic(), Some(6.0));
    assert!((outcome.p_value() - 0.25).abs() < 1e-15);
    assert_eq!(outcome.effect().unwrap().value(), 1.0);
    // 15 of 36 means are 0, 5 are 0.5: the middle two are 0.5.
    assert_eq!(outcome.estimate(), Some(0.5));
    assert_eq!(outcome.n_champion(), 8);
}

#[test]
fn the_interval_holds_what_the_test_does_not_refuse() {
    let mut random = Random::new(41);
    for rows in [4, 12, 230] {
        let champion: Vec<f64> = (0..rows).map(|_| random.normal()).collect();
        let candidate: Vec<f64> = champion.iter().map(|x| x + random.normal() + 0.3).collect();
        for (alternative, _) in ALTERNATIVES {
            let outcome =
                wilcoxon_signed_rank(&champion, &candidate, &settings(alternative)).unwrap();
            let interval = outcome.interval().unwrap();
            for step in -100..=100 {
                let shift = f64::from(step) / 37.0;
                let moved: Vec<f64> = candidate.iter().map(|value| value - shift).collect();
                let tested = wilcoxon_signed_rank(&champion, &moved, &settings(alternative));
                let kept = !tested.unwrap().rejects(outcome.alpha());
                assert_eq!(
                    interval.contains(shift),
                    kept,
                    "{shift} {alternative:?} {rows}"
                );
            }
        }
    }
}

#[test]
fn too_few_pairs_bound_nothing() {
    let outcome = wilcoxon_signed_rank(&[0.0; 3], &[1.0, 2.0, 3.0], &TestSettings::default());
    assert_eq!(outcome.unwrap().interval(), Some(Interval::UNBOUNDED));
}

#[test]
fn non_inferiority_errs_no_more_often_than_promised() {
    let alpha = Alpha::FIVE_PERCENT;
    let margin = Margin::new(Direction::HigherIsBetter, 0.2).unwrap();
    let mut random = Random::new(55);
    let claimed = (0..1_000)
        .filter(|_| {
            let champion: Vec<f64> = (0..25).map(|_| 5.0 * random.normal()).collect();
            let candidate: Vec<f64> = champion.iter().map(|x| x - 0.2 + random.normal()).collect();
            wilcoxon_non_inferiority(&champion, &candidate, margin, alpha)
                .unwrap()
                .rejects(alpha)
        })
        .count();
    // scipy.stats.binom.sf(75, 1000, 0.05) = 0.0003
    assert!(claimed <= 75, "{claimed}");
    assert!(claimed >= 20, "{claimed}: the test must not be idle");
}

#[test]
fn equivalence_needs_both_sides() {
    let champion: Vec<f64> = (0..40).map(f64::from).collect();
    let alpha = Alpha::FIVE_PERCENT;
    let margin = Margin::new(Direction::LowerIsBetter, 0.5).unwrap();
    let equivalent = |shift: f64| {
        let near = champion.iter().zip(0..);
        let candidate: Vec<f64> = near
            .map(|(x, k)| x + shift + 0.01 * f64::from(k * 7 % 11))
            .collect();
        let outcome = wilcoxon_equivalence(&champion, &candidate, margin, alpha);
        outcome.unwrap().rejects(alpha)
    };
    assert!(equivalent(0.1));
    assert!(!equivalent(0.6));
    assert!(!equivalent(-0.7));
}

#[test]
fn hostile_pairs_are_refused() {
    let settings = TestSettings::default();
    assert!(wilcoxon_signed_rank(&[], &[], &settings).is_err());
    let lengths = wilcoxon_signed_rank(&[1.0, 2.0], &[1.0], &settings);
    assert!(matches!(lengths, Err(CanaryError::Length { .. })));
    let overflow = wilcoxon_signed_rank(&[-1.7e308], &[1.7e308], &settings);
    assert!(matches!(overflow, Err(CanaryError::NotFinite { .. })));
    let same = wilcoxon_signed_rank(&[1.0, 2.0], &[1.0, 2.0], &settings);
    assert!(matches!(same, Err(CanaryError::Constant { .. })));
    assert!(wilcoxon_signed_rank(&[f64::NAN], &[1.0], &settings).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counting_finds_the_means_that_listing_finds(
        differences in prop::collection::vec((-6_i8..6).prop_map(f64::from), 1..30)
    ) {
        let averages = WalshAverages::of(&differences);
        let mut listed = Vec::new();
        for (start, one) in differences.iter().enumerate() {
            listed.extend(differences[start..].iter().map(|other| (one + other) / 2.0));
        }
        listed.sort_by(f64::total_cmp);
        prop_assert_eq!(averages.total(), listed.len() as u128);
        for (value, rank) in listed.iter().zip(1..) {
            prop_assert_eq!(select(&averages, rank), *value);
            let at_most = listed.iter().filter(|other| *other <= value).count();
            prop_assert_eq!(averages.at_most(*value), at_most as u128);
            let above = averages.between(*value, f64::INFINITY).len();
            prop_assert_eq!(above, listed.len() - at_most);
        }
    }
}
