use std::sync::Arc;

use arrow_array::{Float64Array, StringArray};
use proptest::prelude::*;

use super::*;

fn contract(missing: Remedy, outside: Remedy) -> Contract {
    let rules = [
        FeatureRule::strict(Feature::number_between("x", 0.0, 10.0))
            .with_missing(missing)
            .with_outside(outside),
        FeatureRule::strict(Feature::category("c", ["a".into(), "b".into()]))
            .with_missing(missing)
            .with_outside(outside),
    ];
    Contract::new(rules, OutputRule::probability()).unwrap()
}

fn rows(x: Vec<Option<f64>>, c: Vec<Option<&str>>) -> RecordBatch {
    RecordBatch::try_from_iter([
        ("x", Arc::new(Float64Array::from(x)) as _),
        ("c", Arc::new(StringArray::from(c)) as _),
    ])
    .unwrap()
}

#[test]
fn a_missing_column_names_itself() {
    let lacking =
        RecordBatch::try_from_iter([("x", Arc::new(Float64Array::from(vec![1.0])) as _)]).unwrap();
    let error = contract(Remedy::Reject, Remedy::Reject)
        .encode(&lacking)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot check rows against the contract: a column is missing (column `c`)"
    );
}

#[test]
fn every_remedy_does_what_it_says() {
    let input = rows(
        vec![Some(f64::NAN), Some(99.0), Some(5.0)],
        vec![Some("a"), None, Some("zebra")],
    );
    let clamped = contract(Remedy::Impute(3.0), Remedy::Clamp)
        .encode(&input)
        .unwrap();
    assert_eq!(clamped.batch().numbers(), [3.0, 10.0, 5.0]);
    assert_eq!(clamped.batch().codes(), [1, 0, 0]);
    assert_eq!(clamped.violations().len(), 4);
    let strict = contract(Remedy::Reject, Remedy::Reject)
        .encode(&input)
        .unwrap();
    assert_eq!(strict.accepted(), [0usize; 0]);
    assert_eq!(strict.rejection(2).unwrap().feature(), "c");
}

#[test]
fn output_outside_the_promise_is_corrupt() {
    let rule = OutputRule::probability();
    for bad in [f32::NAN, 1.5, -0.1, f32::INFINITY] {
        let error = rule
            .check(&Scores::new(1, vec![0.5, bad]).unwrap(), 2)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
    assert!(rule.check(&Scores::new(1, vec![0.5]).unwrap(), 2).is_err());
    assert!(
        rule.check(&Scores::new(2, vec![0.5, 0.5]).unwrap(), 1)
            .is_err()
    );
}

proptest! {
    #[test]
    fn what_is_accepted_is_finite(xs in prop::collection::vec(prop::option::of(any::<f64>()), 1..40), impute in any::<f64>()) {
        let texts = vec![Some("a"); xs.len()];
        let encoded = contract(Remedy::Impute(impute), Remedy::Clamp).encode(&rows(xs.clone(), texts)).unwrap();
        prop_assert_eq!(encoded.batch().rows(), xs.len());
        prop_assert!(encoded.batch().numbers().iter().all(|value| value.is_finite()));
    }

    #[test]
    fn strict_rows_are_either_in_range_or_rejected(xs in prop::collection::vec(prop::option::of(-5.0..15.0_f64), 1..40)) {
        let texts = vec![Some("b"); xs.len()];
        let encoded = contract(Remedy::Reject, Remedy::Reject).encode(&rows(xs.clone(), texts)).unwrap();
        let legal: Vec<usize> = (0..xs.len()).filter(|&row| xs[row].is_some_and(|x| (0.0..=10.0).contains(&x))).collect();
        prop_assert_eq!(encoded.accepted(), legal);
    }
}
