use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::testing::SplitMix64;

fn oracle() -> Value {
    serde_json::from_str(include_str!("../../../testdata/performance.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

fn labels(value: &Value) -> Vec<bool> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_u64().unwrap() == 1)
        .collect()
}

#[test]
fn the_curve_is_that_of_scikit_learn() {
    let oracle = oracle();
    for case in oracle["isotonic"].as_array().unwrap() {
        let (scores, labels) = (numbers(&case["scores"]), labels(&case["labels"]));
        let calibrator =
            Calibrator::fit_weighted(&scores, &labels, &numbers(&case["weights"])).unwrap();
        for (at, expected) in numbers(&case["at"])
            .iter()
            .zip(numbers(&case["calibrated"]))
        {
            let found = calibrator.calibrate(*at);
            assert!(
                (found - expected).abs() <= 1e-12,
                "at {at}: {found}, expected {expected}"
            );
        }
    }
}

#[test]
fn the_calibration_error_is_that_of_nannyml() {
    let oracle = oracle();
    for case in oracle["calibration_error"].as_array().unwrap() {
        let found =
            expected_calibration_error(&numbers(&case["probabilities"]), &labels(&case["labels"]))
                .unwrap();
        let expected = case["error"].as_f64().unwrap();
        assert!(
            (found - expected).abs() <= 1e-12,
            "{found}, expected {expected}"
        );
    }
}

#[test]
fn calibration_helps_the_overconfident_and_not_the_wide_apart() {
    let mut random = SplitMix64(7);
    let truth: Vec<f64> = (0..5_000).map(|_| random.unit()).collect();
    let labels: Vec<bool> = truth.iter().map(|p| random.unit() < *p).collect();
    let too_steep: Vec<f64> = truth
        .iter()
        .map(|p| if *p > 0.5 { p.sqrt() } else { p * p })
        .collect();
    assert!(calibration_helps(&too_steep, &labels).unwrap());
    let single = vec![true; 100];
    assert!(!calibration_helps(&[0.5; 100], &single).unwrap());
    assert!(calibration_helps(&[2.5; 100], &single).unwrap());
}

#[test]
fn hostile_rows_are_refused_and_hostile_scores_answered() {
    assert!(Calibrator::fit(&[], &[]).is_err());
    assert!(Calibrator::fit(&[0.5], &[]).is_err());
    assert!(Calibrator::fit(&[f64::NAN], &[true]).is_err());
    assert!(Calibrator::fit_weighted(&[0.5], &[true], &[0.0]).is_err());
    assert!(Calibrator::fit_weighted(&[0.5], &[true], &[-1.0]).is_err());
    assert!(Calibrator::fit_weighted(&[0.5], &[true], &[f64::INFINITY]).is_err());
    let wide = Calibrator::fit(&[-f64::MAX, f64::MAX], &[false, true]).unwrap();
    assert_eq!(wide.calibrate(0.0), 0.5);
    assert_eq!(wide.calibrate(f64::INFINITY), 1.0);
    assert_eq!(wide.calibrate(f64::NEG_INFINITY), 0.0);
    assert_eq!(wide.calibrate(f64::NAN), 0.5);
    let tiny = f64::from_bits(1);
    let narrow = Calibrator::fit(&[0.0, tiny], &[false, true]).unwrap();
    assert_eq!(narrow.calibrate(tiny), 1.0);
}

#[test]
fn a_stored_curve_that_falls_is_refused() {
    let sound = Calibrator::fit(&[0.1, 0.4, 0.9], &[false, true, true]).unwrap();
    let text = serde_json::to_string(&sound).unwrap();
    assert_eq!(serde_json::from_str::<Calibrator>(&text).unwrap(), sound);
    let falling = r#"{"knots":[{"score":0.1,"probability":0.9},{"score":0.4,"probability":0.2}],"base_rate":0.5,"rows":2}"#;
    let error = serde_json::from_str::<Calibrator>(falling)
        .unwrap_err()
        .to_string();
    assert!(error.contains("its curve falls"), "{error}");
    let empty = r#"{"knots":[],"base_rate":0.5,"rows":2}"#;
    assert!(serde_json::from_str::<Calibrator>(empty).is_err());
}

proptest! {
    /// Isotonic regression at a point is max over starts of min over ends of the mean between (Robertson et al., 1988).
    #[test]
    fn pooling_is_the_max_min_formula(rows in prop::collection::vec((0_u8..12, any::<bool>(), 1_u8..4), 1..40)) {
        let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
        let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
        let weights: Vec<f64> = rows.iter().map(|row| f64::from(row.2)).collect();
        let calibrator = Calibrator::fit_weighted(&scores, &labels, &weights).unwrap();
        let mut distinct: Vec<u8> = rows.iter().map(|row| row.0).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let mean = |from: u8, to: u8| {
            let inside = rows.iter().filter(|row| from <= row.0 && row.0 <= to);
            let (hits, weight) = inside.fold((0.0, 0.0), |(hits, weight), row| {
                (hits + f64::from(row.2) * as_number(row.1), weight + f64::from(row.2))
            });
            hits / weight
        };
        for &at in &distinct {
            let naive = distinct.iter().filter(|from| **from <= at).map(|&from| {
                distinct.iter().filter(|to| **to >= at).map(|&to| mean(from, to)).fold(f64::INFINITY, f64::min)
            }).fold(f64::NEG_INFINITY, f64::max);
            prop_assert!((calibrator.calibrate(f64::from(at)) - naive).abs() < 1e-12);
        }
    }

    #[test]
    fn a_calibrated_score_is_a_probability_that_rises(
        rows in prop::collection::vec((-1e300_f64..1e300, any::<bool>()), 1..30),
        a in any::<f64>(),
        b in any::<f64>(),
    ) {
        let (scores, labels): (Vec<f64>, Vec<bool>) = rows.into_iter().unzip();
        let calibrator = Calibrator::fit(&scores, &labels).unwrap();
        let (low, high) = (calibrator.calibrate(a.min(b)), calibrator.calibrate(a.max(b)));
        prop_assert!((0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high));
        if !a.is_nan() && !b.is_nan() {
            prop_assert!(low <= high);
        }
    }
}
