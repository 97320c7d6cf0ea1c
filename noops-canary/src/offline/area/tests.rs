use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn naive(scores: &[f64], labels: &[bool]) -> (f64, f64) {
    let of = |wanted: bool| -> Vec<f64> {
        let rows = scores.iter().zip(labels);
        rows.filter(|(_, label)| **label == wanted)
            .map(|(score, _)| *score)
            .collect()
    };
    let (positive, negative) = (of(true), of(false));
    let won = |p: f64, n: f64| f64::from(u8::from(p > n)) + 0.5 * f64::from(u8::from(p == n));
    let variance = |places: &[f64]| {
        let mean = places.iter().sum::<f64>() / places.len() as f64;
        let squares: f64 = places.iter().map(|v| (v - mean) * (v - mean)).sum();
        squares / (places.len() - 1) as f64 / places.len() as f64
    };
    let over_negatives: Vec<f64> = positive
        .iter()
        .map(|p| negative.iter().map(|n| won(*p, *n)).sum::<f64>() / negative.len() as f64)
        .collect();
    let over_positives: Vec<f64> = negative
        .iter()
        .map(|n| positive.iter().map(|p| won(*p, *n)).sum::<f64>() / positive.len() as f64)
        .collect();
    (
        over_negatives.iter().sum::<f64>() / positive.len() as f64,
        (variance(&over_negatives) + variance(&over_positives)).sqrt(),
    )
}

#[test]
fn areas_and_variances_equal_numpy() {
    let cases: Value =
        serde_json::from_str(include_str!("../../../testdata/offline.json")).unwrap();
    for case in cases["area"].as_array().unwrap() {
        let scores: Vec<f64> = serde_json::from_value(case["scores"].clone()).unwrap();
        let labels: Vec<bool> = serde_json::from_value(case["labels"].clone()).unwrap();
        let area = area_under_curve(&scores, &labels).unwrap();
        let near = |found: f64, key: &str| {
            let expected = case[key].as_f64().unwrap();
            assert!(
                (found - expected).abs() <= 1e-10 * expected.abs(),
                "{key}: {found} {expected}"
            );
        };
        near(area.value(), "auc");
        near(area.standard_error().unwrap(), "standard_error");
        let interval = area.logit_interval(Alpha::FIVE_PERCENT).unwrap();
        near(interval.lower(), "logit_lower");
        near(interval.upper(), "logit_upper");
    }
}

#[test]
fn a_class_that_is_missing_is_named() {
    let refused = area_under_curve(&[0.1, 0.2], &[true, true]).unwrap_err();
    assert!(refused.to_string().contains("negative"), "{refused}");
}

#[test]
fn hostile_scores_are_refused() {
    for wrong in [f64::NAN, f64::INFINITY] {
        assert!(area_under_curve(&[0.1, wrong], &[true, false]).is_err());
    }
    assert_eq!(area_under_curve(&[], &[]), Err(CanaryError::Empty));
    assert!(area_under_curve(&[0.1], &[true, false]).is_err());
}

#[test]
fn perfect_order_has_no_interval_on_the_scale_of_odds() {
    let area = area_under_curve(&[1.0, 2.0, 3.0, 4.0], &[false, false, true, true]).unwrap();
    assert_eq!(area.value(), 1.0);
    assert_eq!(area.standard_error(), Some(0.0));
    assert_eq!(area.logit_interval(Alpha::FIVE_PERCENT), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn area_and_error_equal_the_comparison_of_every_pair(
        rows in prop::collection::vec((0u8..12, any::<bool>()), 4..60),
    ) {
        let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.0) / 12.0 - 0.5).collect();
        let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
        let positives = labels.iter().filter(|label| **label).count();
        prop_assume!(positives >= 2 && labels.len() - positives >= 2);
        let (value, error) = naive(&scores, &labels);
        let area = area_under_curve(&scores, &labels).unwrap();
        prop_assert!((area.value() - value).abs() < 1e-12);
        prop_assert!((area.standard_error().unwrap() - error).abs() < 1e-12);
    }
}
