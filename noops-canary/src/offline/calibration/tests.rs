use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn equal_count_error(predicted: &[f64], labels: &[bool]) -> f64 {
    ReliabilityCurve::of(predicted, labels, Binning::EqualCount, 10)
        .unwrap()
        .expected_calibration_error()
}

#[test]
fn curves_equal_scikit_learn() {
    let cases: Value =
        serde_json::from_str(include_str!("../../../testdata/offline.json")).unwrap();
    for case in cases["calibration"].as_array().unwrap() {
        let predicted: Vec<f64> = serde_json::from_value(case["predicted"].clone()).unwrap();
        let labels: Vec<bool> = serde_json::from_value(case["labels"].clone()).unwrap();
        let bins = case["bins"].as_u64().unwrap() as usize;
        let curve = ReliabilityCurve::of(&predicted, &labels, Binning::EqualWidth, bins).unwrap();
        let means: Vec<f64> = serde_json::from_value(case["mean_predicted"].clone()).unwrap();
        let observed: Vec<f64> = serde_json::from_value(case["observed"].clone()).unwrap();
        assert_eq!(curve.bins().len(), means.len());
        for ((bin, mean), observed) in curve.bins().iter().zip(means).zip(observed) {
            assert!((bin.mean_predicted() - mean).abs() < 1e-12);
            assert!((bin.positives().value().unwrap() - observed).abs() < 1e-12);
            assert!(bin.interval(Alpha::FIVE_PERCENT).contains(observed));
        }
        let near = |found: f64, key: &str| {
            let expected = case[key].as_f64().unwrap();
            assert!(
                (found - expected).abs() < 1e-12,
                "{key}: {found} {expected}"
            );
        };
        near(curve.expected_calibration_error(), "ece");
        near(curve.maximum_calibration_error(), "mce");
        near(curve.brier_decomposition().brier(), "brier");
        near(curve.brier_decomposition().reliability(), "reliability");
        near(curve.brier_decomposition().resolution(), "resolution");
        near(curve.brier_decomposition().uncertainty(), "uncertainty");
    }
}

#[test]
fn the_error_equals_the_definition() {
    // numpy: p = (arange(20) + .5) / 20, y = arange(20) % 3 == 0,
    // (abs(p.reshape(10, 2).mean(1) - y.reshape(10, 2).mean(1)) / 10).sum()
    let predicted: Vec<f64> = (0..20).map(|i| (f64::from(i) + 0.5) / 20.0).collect();
    let labels: Vec<bool> = (0..20).map(|i| i % 3 == 0).collect();
    let error = equal_count_error(&predicted, &labels);
    assert!((error - 0.35).abs() < 1e-12, "{error:?}");
}

#[test]
fn equal_predictions_are_one_bin_in_any_order() {
    let labels: Vec<bool> = (0..100).map(|i| i < 30).collect();
    let error = equal_count_error(&[0.3; 100], &labels);
    assert!(error < 1e-12, "{error:?}");
}

#[test]
fn fewer_rows_than_bins_are_one_bin_each() {
    let error = equal_count_error(&[0.2, 0.9], &[false, true]);
    assert!((error - 0.15).abs() < 1e-12, "{error:?}");
}

#[test]
fn a_number_of_bins_out_of_range_is_refused() {
    for bins in [0, 10_001, usize::MAX] {
        assert!(ReliabilityCurve::of(&[0.5], &[true], Binning::EqualWidth, bins).is_err());
    }
}

#[test]
fn the_ends_are_in_the_outer_bins() {
    assert_eq!((bin_of(0.0, 10), bin_of(1.0, 10)), (0, 9));
    assert_eq!((bin_of(0.1, 10), bin_of(0.100_000_1, 10)), (0, 1));
    assert_eq!(bin_of(f64::MIN_POSITIVE, 10_000), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn predictions_equal_within_bins_leave_no_remainder(
        rows in prop::collection::vec((0u8..=10, any::<bool>()), 1..80),
    ) {
        let predicted: Vec<f64> = rows.iter().map(|row| f64::from(row.0) / 10.0).collect();
        let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
        let curve = ReliabilityCurve::of(&predicted, &labels, Binning::EqualCount, 10_000).unwrap();
        prop_assert!(curve.brier_decomposition().within_bins().abs() < 1e-12);
        let rows: u64 = curve.bins().iter().map(|bin| bin.positives().rows()).sum();
        prop_assert_eq!(rows, labels.len() as u64);
    }
}
