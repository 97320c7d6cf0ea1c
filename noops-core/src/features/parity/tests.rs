use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
};
use proptest::prelude::*;

use super::*;
use crate::InMemoryFeatures;
use crate::features::OnlineFeatures as _;
use crate::features::fixture::{at, rows, view};

async fn store() -> InMemoryFeatures {
    let store = InMemoryFeatures::new(view());
    let known = [
        (1, 10, 10, Some(1.0), Some("Oslo")),
        (2, 10, 10, Some(f64::NAN), None),
        (3, 10, 10, Some(f64::INFINITY), Some("Bern")),
        (1, 20, 500, Some(9.0), Some("Rome")),
    ];
    store.push(&rows(&known)).await.unwrap();
    store
}

fn served(drivers: &[i64], scores: &[Option<f64>]) -> RecordBatch {
    let drivers: ArrayRef = Arc::new(Int64Array::from(drivers.to_vec()));
    let scores: ArrayRef = Arc::new(Float64Array::from(scores.to_vec()));
    RecordBatch::try_from_iter_with_nullable([("driver", drivers, false), ("score", scores, true)])
        .unwrap()
}

async fn score(served: &RecordBatch, tolerance: Tolerance) -> FeatureParity {
    let times = vec![at(50); served.num_rows()];
    let report = feature_parity(served, &times, &store().await, tolerance).await;
    report.unwrap().features()[0].clone()
}

#[tokio::test]
async fn what_was_known_then_agrees_whatever_became_known_later() {
    let served = served(
        &[1, 2, 3, 4],
        &[Some(1.0), Some(f64::NAN), Some(f64::INFINITY), None],
    );
    let parity = score(&served, Tolerance::EXACT).await;
    assert_eq!((parity.compared, parity.mismatches), (4, 0));
    assert_eq!(parity.largest_difference, Some(0.0));
    assert_eq!(parity.first, None);
}

#[tokio::test]
async fn a_value_for_null_and_null_for_a_value_are_mismatches() {
    let parity = score(
        &served(&[1, 4], &[None, Some(0.0)]),
        Tolerance::new(1e9, 1e9).unwrap(),
    )
    .await;
    assert_eq!(parity.mismatches, 2);
    assert!((parity.mismatch_rate() - 1.0).abs() < 1e-12);
    let first = parity.first.unwrap();
    assert_eq!(
        (first.row, first.at, first.status),
        (0, at(50), CellStatus::Present)
    );
    assert_eq!(
        (first.served.as_str(), first.recomputed.as_str()),
        ("null", "1.0")
    );
    assert_eq!(
        parity.largest_difference, None,
        "nothing was compared by size"
    );
}

#[tokio::test]
async fn stale_values_served_as_present_are_found() {
    // 10 + TTL 100 = 110 is the last moment at which the value may be used.
    let served = served(&[1, 1], &[Some(1.0), Some(1.0)]);
    let report = feature_parity(
        &served,
        &[at(110), at(111)],
        &store().await,
        Tolerance::EXACT,
    )
    .await;
    let parity = report.unwrap().features()[0].clone();
    assert_eq!(parity.mismatches, 1);
    let first = parity.first.unwrap();
    assert_eq!((first.row, first.status), (1, CellStatus::OutsideTtl));
}

#[tokio::test]
async fn the_tolerance_is_inclusive_and_infinity_is_never_near() {
    let near = served(&[1, 3], &[Some(1.5), Some(f64::MAX)]);
    let wide = Tolerance::new(0.5, 0.0).unwrap();
    assert_eq!(score(&near, wide).await.mismatches, 1);
    assert_eq!(score(&near, wide).await.largest_difference, Some(0.5));
    let narrow = Tolerance::new(0.49, 0.0).unwrap();
    assert_eq!(score(&near, narrow).await.mismatches, 2);
    assert_eq!(
        score(&near, Tolerance::new(0.0, 0.5).unwrap())
            .await
            .mismatches,
        1
    );
}

#[test]
fn a_tolerance_is_checked_however_it_comes() {
    let tolerance = Tolerance::new(0.5, 0.25).unwrap();
    let json = serde_json::to_string(&tolerance).unwrap();
    assert_eq!(serde_json::from_str::<Tolerance>(&json).unwrap(), tolerance);
    let negative = json.replace("0.5", "-0.5");
    let refused = serde_json::from_str::<Tolerance>(&negative).unwrap_err();
    assert!(refused.to_string().contains("not negative"), "{refused}");
    assert!(Tolerance::new(f64::NAN, 0.0).is_err());
    assert!(Tolerance::new(0.0, f64::INFINITY).is_err());
}

#[tokio::test]
async fn features_that_were_not_served_are_named() {
    let served = served(&[1], &[Some(1.0)]);
    let report = feature_parity(&served, &[at(50)], &store().await, Tolerance::EXACT)
        .await
        .unwrap();
    assert_eq!(report.unserved(), ["city"]);
    assert!(report.agrees());
    let text = report.to_string();
    assert!(
        text.contains("score") && text.contains("city: not among"),
        "{text}"
    );
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<ParityReport>(&json).unwrap(), report);
}

#[tokio::test]
async fn texts_are_compared_too_and_narrow_columns_are_widened() {
    let batch = RecordBatch::try_from_iter([
        ("driver", Arc::new(Int64Array::from(vec![1, 3])) as ArrayRef),
        (
            "score",
            Arc::new(Float32Array::from(vec![1.0, f32::INFINITY])) as ArrayRef,
        ),
        (
            "city",
            Arc::new(StringArray::from(vec!["Oslo", "Berlin"])) as ArrayRef,
        ),
    ]);
    let report = feature_parity(
        &batch.unwrap(),
        &[at(50); 2],
        &store().await,
        Tolerance::EXACT,
    )
    .await
    .unwrap();
    let mismatches: Vec<u64> = report.features().iter().map(|f| f.mismatches).collect();
    assert_eq!(mismatches, [0, 1]);
    assert_eq!(report.features()[1].largest_difference, None);
}

#[tokio::test]
async fn bad_input_is_refused_by_name() {
    let store = store().await;
    let short = feature_parity(&served(&[1], &[None]), &[], &store, Tolerance::EXACT).await;
    assert_eq!(short.unwrap_err().kind(), ErrorKind::Invalid);
    let batch = RecordBatch::try_from_iter([
        ("driver", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
        (
            "score",
            Arc::new(BooleanArray::from(vec![true])) as ArrayRef,
        ),
    ]);
    let typed = feature_parity(&batch.unwrap(), &[at(0)], &store, Tolerance::EXACT)
        .await
        .unwrap_err();
    assert!(typed.to_string().contains("`score`"), "{typed}");
    let keys = crate::features::fixture::drivers(&[1]);
    let none = feature_parity(&keys, &[at(0)], &store, Tolerance::EXACT).await;
    assert_eq!(none.unwrap_err().kind(), ErrorKind::Invalid);
    for (absolute, relative) in [(-1.0, 0.0), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
        assert!(Tolerance::new(absolute, relative).is_err());
    }
}

proptest! {
    #[test]
    fn a_tolerance_allows_what_its_formula_says(
        left in any::<f64>(), right in any::<f64>(), absolute in 0.0_f64..1e3, relative in 0.0_f64..2.0,
    ) {
        let tolerance = Tolerance::new(absolute, relative).unwrap();
        let naive = left == right
            || left.is_nan() && right.is_nan()
            || right.is_finite() && (left - right).abs() <= absolute + relative * right.abs()
                && tolerance != Tolerance::EXACT;
        prop_assert_eq!(tolerance.allows(Cell::Number(left), Cell::Number(right)), naive);
    }

    #[test]
    fn exact_means_exact_for_integers_beyond_floats(left in any::<i64>(), right in any::<i64>()) {
        let same = Tolerance::EXACT.allows(Cell::Integer(left), Cell::Integer(right));
        prop_assert_eq!(same, left == right);
        prop_assert!(!Tolerance::EXACT.allows(Cell::Integer(i64::MAX), Cell::Integer(i64::MAX - 1)));
    }
}
