use noops_core::Alpha;
use serde_json::Value;

use super::*;
use crate::simulation::Random;

#[test]
fn the_test_equals_numpy() {
    let cases: Value =
        serde_json::from_str(include_str!("../../../testdata/offline.json")).unwrap();
    for case in cases["delong"].as_array().unwrap() {
        let column = |key: &str| -> Vec<f64> { serde_json::from_value(case[key].clone()).unwrap() };
        let labels: Vec<bool> = serde_json::from_value(case["labels"].clone()).unwrap();
        let (champion, candidate) = (column("champion"), column("candidate"));
        let alternatives = [
            (Alternative::TwoSided, "p_two_sided"),
            (Alternative::Greater, "p_greater"),
            (Alternative::Less, "p_less"),
        ];
        for (alternative, p_value) in alternatives {
            let settings = TestSettings::default().with_alternative(alternative);
            let outcome = delong_test(&champion, &candidate, &labels, &settings).unwrap();
            let found = [
                (outcome.statistic(), "z"),
                (outcome.estimate(), "difference"),
                (Some(outcome.p_value()), p_value),
            ];
            for (found, key) in found {
                let (found, expected) = (found.unwrap(), case[key].as_f64().unwrap());
                let slack = if expected < 1e-12 { 1e-6 } else { 1e-10 };
                assert!(
                    (found - expected).abs() <= slack * expected.abs(),
                    "{key}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn models_that_order_rows_alike_do_not_differ() {
    let scores = [0.3, 0.1, 0.8, 0.5, 0.9, 0.2];
    let cubes = scores.map(|score: f64| score * score * score);
    let labels = [false, true, true, false, true, false];
    let outcome = delong_test(&scores, &cubes, &labels, &TestSettings::default()).unwrap();
    assert_eq!(outcome.p_value(), 1.0);
    assert_eq!(outcome.estimate(), Some(0.0));
    assert_eq!(outcome.interval(), None);
}

#[test]
fn perfectly_right_against_perfectly_wrong_shows_no_certainty() {
    let scores = [0.1, 0.2, 0.8, 0.9];
    let reversed = scores.map(|score: f64| -score);
    let labels = [false, false, true, true];
    let outcome = delong_test(&reversed, &scores, &labels, &TestSettings::default()).unwrap();
    assert_eq!(outcome.estimate(), Some(1.0));
    assert_eq!(outcome.p_value(), 1.0);
}

#[test]
fn one_row_in_a_class_is_refused() {
    let scores = [0.1, 0.2, 0.3];
    let labels = [true, false, false];
    let refused = delong_test(&scores, &scores, &labels, &TestSettings::default()).unwrap_err();
    assert!(refused.to_string().contains("positive"), "{refused}");
}

#[test]
fn a_score_that_is_no_number_is_refused() {
    let labels = [true, false, true, false];
    let fine = [0.1, 0.2, 0.3, 0.4];
    for wrong in [f64::NAN, f64::NEG_INFINITY] {
        let mut scores = fine;
        scores[2] = wrong;
        assert!(delong_test(&fine, &scores, &labels, &TestSettings::default()).is_err());
        assert!(delong_test(&scores, &fine, &labels, &TestSettings::default()).is_err());
    }
}

/// Two correlated models of 200 rows; the candidate's noise is scaled by `noise`.
fn rejections(noise: f64) -> usize {
    (0..400)
        .filter(|seed| {
            let mut random = Random::new(*seed);
            let labels: Vec<bool> = (0..200).map(|row| row % 2 == 0).collect();
            let (mut champion, mut candidate) = (Vec::new(), Vec::new());
            for label in &labels {
                let signal = f64::from(u8::from(*label)) + 0.5 * random.normal();
                champion.push(signal + random.normal());
                candidate.push(signal + noise * random.normal());
            }
            delong_test(&champion, &candidate, &labels, &TestSettings::default())
                .unwrap()
                .rejects(Alpha::FIVE_PERCENT)
        })
        .count()
}

#[test]
fn equal_models_are_told_apart_one_time_in_twenty() {
    let rejections = rejections(1.0);
    // scipy.stats.binom.sf(34, 400, 0.05) = 0.0011, binom.cdf(7, 400, 0.05) = 0.0005
    assert!((8..=34).contains(&rejections), "{rejections}");
}

#[test]
fn a_model_with_half_the_noise_is_found() {
    let rejections = rejections(0.5);
    assert!(rejections > 300, "{rejections}");
}
