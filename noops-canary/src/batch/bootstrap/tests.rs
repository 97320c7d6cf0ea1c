use noops_core::Alpha;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::simulation::Random;

#[test]
fn intervals_and_p_values_agree_with_an_independent_program_that_draws_the_same_resamples() {
    let text = include_str!("../../../testdata/resampling.json");
    let all: Value = serde_json::from_str(text).unwrap();
    let cases = all["bootstraps"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let sample =
            |name: &str| -> Vec<f64> { serde_json::from_value(case[name].clone()).unwrap() };
        // The settings are stored under the names they serialise with.
        let settings: BootstrapSettings = serde_json::from_value(case.clone()).unwrap();
        let statistic = serde_json::from_value(case["statistic"].clone()).unwrap();
        let outcome = bootstrap(
            &sample("champion"),
            &sample("candidate"),
            statistic,
            &settings,
        )
        .unwrap();
        let interval = outcome.interval().unwrap();
        let close = |found: f64, expected: &Value, otherwise: f64| {
            let expected = expected.as_f64().unwrap_or(otherwise);
            assert!(
                found == expected || (found - expected).abs() < 1e-8 * expected.abs().max(1.0),
                "{case}: found {found}"
            );
        };
        close(interval.lower(), &case["lower"], f64::NEG_INFINITY);
        close(interval.upper(), &case["upper"], f64::INFINITY);
        close(outcome.p_value(), &case["p_value"], f64::NAN);
        close(outcome.estimate().unwrap(), &case["estimate"], f64::NAN);
    }
}

#[test]
fn a_named_mean_is_the_mean_given_as_a_function() {
    let champion: Vec<f64> = (0..25).map(|i| f64::from(i * i % 23)).collect();
    let candidate: Vec<f64> = (0..35).map(|i| f64::from(i * i % 31)).collect();
    let settings = BootstrapSettings::default().with_resamples(299);
    let by = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert_eq!(
        bootstrap(&champion, &candidate, BootstrapStatistic::Mean, &settings).unwrap(),
        bootstrap_by(&champion, &candidate, by, &settings).unwrap()
    );
}

#[test]
fn units_of_one_value_are_plain_values() {
    let values: Vec<f64> = (0..30).map(|i| f64::from(i * 11 % 30)).collect();
    let units: Vec<u64> = (0..30).collect();
    let others: Vec<u64> = (30..60).collect();
    for kind in [
        BootstrapInterval::Percentile,
        BootstrapInterval::Bca,
        BootstrapInterval::Studentised,
    ] {
        let settings = BootstrapSettings::default()
            .with_resamples(199)
            .with_interval(kind);
        let statistic = BootstrapStatistic::Mean;
        let one = Clusters::new(&values, &units).unwrap();
        let other = Clusters::new(&values, &others).unwrap();
        assert_eq!(
            cluster_bootstrap(&one, &other, statistic, &settings).unwrap(),
            bootstrap(&values, &values, statistic, &settings).unwrap()
        );
    }
}

#[test]
fn intervals_of_skewed_means_cover_about_as_often_as_they_say() {
    // 400 times at 90 %: scipy.stats.binom.cdf(335, 400, .9) = 7e-5, and the bootstrap of 60 values is itself off by a percent or two.
    let mut random = Random::new(21);
    for kind in [BootstrapInterval::Bca, BootstrapInterval::Studentised] {
        let settings = BootstrapSettings::default()
            .with_alpha(Alpha::new(0.1).unwrap())
            .with_interval(kind)
            .with_resamples(299);
        let mut covered = 0;
        for _ in 0..400 {
            let mut side =
                || -> Vec<f64> { (0..60).map(|_| -(1.0 - random.uniform()).ln()).collect() };
            let (champion, mut candidate) = (side(), side());
            candidate.iter_mut().for_each(|x| *x += 0.5);
            let outcome =
                bootstrap(&champion, &candidate, BootstrapStatistic::Mean, &settings).unwrap();
            covered += u32::from(outcome.interval().unwrap().contains(0.5));
        }
        assert!((336..=384).contains(&covered), "{kind:?}: {covered}");
    }
}

#[test]
fn bad_input_is_refused() {
    let settings = BootstrapSettings::default();
    let mean = BootstrapStatistic::Mean;
    let good = [1.0, 2.0, 3.0];
    for bad in [
        &[][..],
        &[1.0],
        &[1.0, f64::NAN],
        &[1.0, f64::INFINITY],
        &[1.0, 1e200],
    ] {
        assert!(bootstrap(bad, &good, mean, &settings).is_err());
        assert!(bootstrap(&good, bad, mean, &settings).is_err());
    }
    for resamples in [0, 98, 1_000_001, u32::MAX] {
        assert!(bootstrap(&good, &good, mean, &settings.with_resamples(resamples)).is_err());
    }
    let studentised = settings.with_interval(BootstrapInterval::Studentised);
    assert!(bootstrap(&good, &good, BootstrapStatistic::Median, &studentised).is_err());
    assert!(bootstrap_by(&good, &good, |values| values.len() as f64, &studentised).is_err());
    assert!(bootstrap(&[1.0; 4], &[1.0; 4], mean, &studentised).is_err());
    assert!(bootstrap_by(&good, &good, |_| f64::NAN, &settings).is_err());
    let one = Clusters::new(&good, &[1, 1, 1]).unwrap();
    let other = Clusters::new(&good, &[2, 3, 4]).unwrap();
    assert!(cluster_bootstrap(&one, &other, mean, &settings).is_err());
    assert!(cluster_bootstrap(&other, &other, mean, &settings).is_err());
}

#[test]
fn equal_constants_are_no_evidence() {
    let settings = BootstrapSettings::default().with_resamples(99);
    for statistic in [BootstrapStatistic::Mean, BootstrapStatistic::Median] {
        let outcome = bootstrap(&[7.0; 5], &[7.0; 9], statistic, &settings).unwrap();
        assert_eq!(outcome.p_value(), 1.0);
        assert_eq!(outcome.interval(), Interval::new(0.0, 0.0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_finite_samples_give_numbers(
        champion in prop::collection::vec(-1e6_f64..1e6, 2..12),
        candidate in prop::collection::vec(-1e6_f64..1e6, 2..12),
        alpha in 0.001_f64..0.999,
    ) {
        for kind in [
            BootstrapInterval::Percentile,
            BootstrapInterval::Bca,
            BootstrapInterval::Studentised,
        ] {
            let settings = BootstrapSettings::default()
                .with_alpha(Alpha::new(alpha).unwrap())
                .with_resamples(99)
                .with_interval(kind);
            if let Ok(outcome) = bootstrap(&champion, &candidate, BootstrapStatistic::Mean, &settings) {
                let interval = outcome.interval().unwrap();
                prop_assert!(interval.lower() <= interval.upper());
                prop_assert!((0.0..=1.0).contains(&outcome.p_value()));
            }
        }
    }
}
