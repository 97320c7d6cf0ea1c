use proptest::prelude::*;

use super::*;
use crate::batch::rank_oracle::{ALTERNATIVES, assert_agrees, numbers, oracle};
use crate::simulation::Random;

fn settings(alternative: Alternative) -> TestSettings {
    TestSettings::default().with_alternative(alternative)
}

#[test]
fn scipy_agrees_where_no_values_are_equal() {
    let mut compared = 0;
    for case in oracle()["samples"].as_array().unwrap() {
        if case["kolmogorov_smirnov"].is_null() {
            continue;
        }
        let (champion, candidate) = (numbers(&case["champion"]), numbers(&case["candidate"]));
        for (alternative, name) in ALTERNATIVES {
            let outcome =
                kolmogorov_smirnov(&champion, &candidate, &settings(alternative)).unwrap();
            assert_agrees(&outcome, &case["kolmogorov_smirnov"][name]);
            assert_eq!(outcome.method(), Method::KolmogorovSmirnovExact);
            compared += 1;
        }
    }
    assert_eq!(compared, 15);
}

#[test]
fn equal_samples_give_one_and_end() {
    for (alternative, _) in ALTERNATIVES {
        for rows in [1, 10, 100_000] {
            let values: Vec<f64> = (0..rows).map(f64::from).collect();
            let outcome = kolmogorov_smirnov(&values, &values, &settings(alternative)).unwrap();
            assert_eq!(outcome.p_value(), 1.0);
            assert_eq!(outcome.statistic(), Some(0.0));
        }
    }
}

#[test]
fn one_side_sees_its_own_gap_only() {
    let champion: Vec<f64> = (0..30).map(f64::from).collect();
    let candidate: Vec<f64> = champion.iter().map(|value| value + 15.5).collect();
    let p_value = |alternative| {
        let outcome = kolmogorov_smirnov(&champion, &candidate, &settings(alternative));
        outcome.unwrap().p_value()
    };
    assert!(p_value(Alternative::Greater) < 0.001);
    assert_eq!(p_value(Alternative::Less), 1.0);
}

#[test]
fn the_limit_law_of_one_side_meets_the_exact_one() {
    let champion: Vec<f64> = (0..1_200).map(f64::from).collect();
    for shift in [20.5, 40.5, 80.5] {
        let candidate: Vec<f64> = (0..1_500).map(|k| f64::from(k) * 0.8 + shift).collect();
        let (left, right) = (SortedSample::new(&champion), SortedSample::new(&candidate));
        let found = OneSided::of(&left, &right);
        let (gap, exact, is_exact) = found.told();
        assert!(is_exact);
        let limit = found.limit_sf(gap);
        assert!((exact / limit - 1.0).abs() < 0.05, "{exact} {limit}");
    }
}

#[test]
fn large_samples_are_told_by_the_limit_law() {
    let mut random = Random::new(2);
    let champion: Vec<f64> = (0..30_000).map(|_| random.normal()).collect();
    let candidate: Vec<f64> = (0..20_000).map(|_| random.normal() + 0.2).collect();
    for (alternative, _) in ALTERNATIVES {
        let outcome = kolmogorov_smirnov(&champion, &candidate, &settings(alternative)).unwrap();
        let p_value = outcome.p_value();
        if alternative == Alternative::Less {
            assert!(p_value > 0.5);
        } else {
            assert!(p_value > 1e-120 && p_value < 1e-40, "{p_value}");
        }
    }
}

#[test]
fn hostile_samples_are_refused() {
    let settings = TestSettings::default();
    for bad in [&[][..], &[f64::NAN], &[f64::INFINITY, 1.0]] {
        assert!(kolmogorov_smirnov(bad, &[1.0], &settings).is_err());
        assert!(kolmogorov_smirnov(&[1.0], bad, &settings).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_side_counts_labellings(
        left in prop::collection::vec((0_i8..5).prop_map(f64::from), 1..6),
        right in prop::collection::vec((0_i8..5).prop_map(f64::from), 1..6),
    ) {
        let of = |left: &[f64], right: &[f64]| {
            OneSided::of(&SortedSample::new(left), &SortedSample::new(right)).told()
        };
        let (gap, p_value, is_exact) = of(&left, &right);
        prop_assert!(is_exact);
        let pooled: Vec<f64> = left.iter().chain(&right).copied().collect();
        let (mut all, mut far) = (0_u32, 0_u32);
        for labels in 0_u32..1 << pooled.len() {
            if labels.count_ones() as usize != left.len() {
                continue;
            }
            let side = |wanted: u32| -> Vec<f64> {
                let labelled = pooled.iter().enumerate();
                let of_side = labelled.filter(|(k, _)| (labels >> k) & 1 == wanted);
                of_side.map(|(_, value)| *value).collect()
            };
            all += 1;
            far += u32::from(of(&side(1), &side(0)).0 >= gap);
        }
        let expected = f64::from(far) / f64::from(all);
        prop_assert!((p_value - expected).abs() < 1e-12, "{p_value} {expected}");
    }
}
