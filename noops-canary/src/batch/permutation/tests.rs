use noops_core::Alpha;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::simulation::Random;

#[test]
fn exact_p_values_agree_with_scipy() {
    let text = include_str!("../../../testdata/resampling.json");
    let all: Value = serde_json::from_str(text).unwrap();
    let cases = all["exact"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let sample =
            |name: &str| -> Vec<f64> { serde_json::from_value(case[name].clone()).unwrap() };
        let (champion, candidate) = (sample("champion"), sample("candidate"));
        let statistic = serde_json::from_value(case["statistic"].clone()).unwrap();
        let settings = PermutationSettings::default()
            .with_alternative(serde_json::from_value(case["alternative"].clone()).unwrap());
        let test = if case["paired"] == true {
            paired_permutation_test
        } else {
            permutation_test
        };
        let outcome = test(&champion, &candidate, statistic, &settings).unwrap();
        let (p_value, value) = (
            case["p_value"].as_f64().unwrap(),
            case["value"].as_f64().unwrap(),
        );
        assert!(
            (outcome.p_value() / p_value - 1.0).abs() < 1e-10,
            "{case}: {}",
            outcome.p_value()
        );
        assert!(
            (outcome.statistic().unwrap() - value).abs() < 1e-10 * value.abs().max(1.0),
            "{case}"
        );
    }
}

#[test]
fn random_permutations_come_near_the_exact_p_value_and_are_never_zero() {
    let champion = [3.1, 2.7, 4.0, 3.3, 2.9, 3.6, 3.0, 3.4];
    let candidate = [3.9, 3.5, 4.4, 2.8, 4.1, 3.7, 4.6, 3.8];
    // 12,870 arrangements, and 256 signs.
    for test in [permutation_test, paired_permutation_test] {
        let p_value = |permutations| {
            let settings = PermutationSettings::default()
                .with_permutations(permutations)
                .with_seed(3);
            test(
                &champion,
                &candidate,
                PermutationStatistic::MeanDifference,
                &settings,
            )
            .unwrap()
            .p_value()
        };
        let (exact, random) = (p_value(20_000), p_value(200));
        let error = (exact / 2.0 / 200.0).sqrt() * 2.0;
        assert!(
            (random - exact).abs() < 4.0 * error + 0.01,
            "{random} {exact}"
        );
    }
    let far = permutation_test(
        &[0.0; 20],
        &[1.0; 20],
        PermutationStatistic::MeanDifference,
        &PermutationSettings::default().with_permutations(99),
    )
    .unwrap();
    assert!((far.p_value() - 0.02).abs() < 1e-15);
}

#[test]
fn the_same_seed_gives_the_same_p_value_and_another_one_another() {
    let champion: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 30)).collect();
    let candidate: Vec<f64> = champion.iter().map(|x| x * 1.2).collect();
    let with = |seed| {
        let settings = PermutationSettings::default().with_seed(seed);
        permutation_test(
            &champion,
            &candidate,
            PermutationStatistic::MedianDifference,
            &settings,
        )
        .unwrap()
    };
    assert_eq!(with(1), with(1));
    assert_ne!(with(1).p_value(), with(2).p_value());
}

#[test]
fn false_alarms_are_as_rare_as_promised_where_requests_of_a_user_agree() {
    // Eight users a side with six equal requests each. At a rate of .05, scipy.stats.binom.sf(40, 500, .05) = 1.5e-3; a test of the
    // single requests would raise hundreds.
    let mut random = Random::new(11);
    let settings = PermutationSettings::default().with_permutations(199);
    let users: Vec<u64> = (0..48).map(|row| row / 6).collect();
    let others: Vec<u64> = users.iter().map(|user| user + 100).collect();
    let (mut by_user, mut by_request) = (0, 0);
    for _ in 0..500 {
        let mut side = || -> Vec<f64> { (0..8).flat_map(|_| [random.normal(); 6]).collect() };
        let (a, b) = (side(), side());
        let clusters = |values: &[f64], units: &[u64]| Clusters::new(values, units).unwrap();
        let statistic = PermutationStatistic::MeanDifference;
        by_user += u32::from(
            cluster_permutation_test(
                &clusters(&a, &users),
                &clusters(&b, &others),
                statistic,
                &settings,
            )
            .unwrap()
            .rejects(Alpha::FIVE_PERCENT),
        );
        by_request += u32::from(
            permutation_test(&a, &b, statistic, &settings)
                .unwrap()
                .rejects(Alpha::FIVE_PERCENT),
        );
    }
    assert!((8..=40).contains(&by_user), "{by_user}");
    assert!(by_request > 150, "{by_request}");
}

#[test]
fn bad_input_is_refused() {
    let settings = PermutationSettings::default();
    let mean = PermutationStatistic::MeanDifference;
    for bad in [&[][..], &[f64::NAN], &[f64::INFINITY], &[1e200]] {
        assert!(permutation_test(bad, &[1.0], mean, &settings).is_err());
        assert!(permutation_test(&[1.0], bad, mean, &settings).is_err());
        assert!(paired_permutation_test(&[1.0], bad, mean, &settings).is_err());
    }
    assert!(paired_permutation_test(&[1.0, 2.0], &[1.0], mean, &settings).is_err());
    let studentised = PermutationStatistic::StudentisedMeanDifference;
    assert!(permutation_test(&[1.0], &[1.0, 2.0], studentised, &settings).is_err());
    for permutations in [0, 18, 10_000_001, u32::MAX] {
        let settings = settings.with_permutations(permutations);
        assert!(permutation_test(&[1.0], &[2.0], mean, &settings).is_err());
        assert!(paired_permutation_test(&[1.0], &[2.0], mean, &settings).is_err());
    }
    let one = Clusters::new(&[1.0], &[1]).unwrap();
    assert!(cluster_permutation_test(&one, &one, mean, &settings).is_err());
}

#[test]
fn counts_of_arrangements_do_not_overflow() {
    assert_eq!(arrangements(5, 5), 252);
    assert_eq!(arrangements(0, 9), 1);
    assert_eq!(arrangements(1_000_000, 1), 1_000_001);
    assert_eq!(arrangements(usize::MAX, usize::MAX), u64::MAX);
}

proptest! {
    #[test]
    fn every_arrangement_comes_once(n in 0_usize..6, m in 0_usize..6) {
        let mut sides: Vec<bool> = (0..n + m).map(|i| i < n).collect();
        let mut seen = vec![sides.clone()];
        while next_arrangement(&mut sides) {
            seen.push(sides.clone());
        }
        let found = seen.len() as u64;
        seen.sort();
        seen.dedup();
        prop_assert_eq!(seen.len() as u64, found);
        prop_assert_eq!(found, arrangements(n, m));
    }

    #[test]
    fn equal_values_are_no_evidence(value in -1e100_f64..1e100, n in 2_usize..20, m in 2_usize..20) {
        let settings = PermutationSettings::default().with_permutations(50);
        for statistic in [
            PermutationStatistic::MeanDifference,
            PermutationStatistic::MedianDifference,
            PermutationStatistic::StudentisedMeanDifference,
        ] {
            let outcome = permutation_test(&vec![value; n], &vec![value; m], statistic, &settings).unwrap();
            prop_assert_eq!(outcome.p_value(), 1.0);
        }
    }
}
