use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

use super::SortedSample;
use crate::random::SplitMix64;

/// The same by the standard library's comparison sort.
fn naive(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values
        .iter()
        .filter(|value| !value.is_nan())
        .map(|value| value + 0.0)
        .collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[track_caller]
fn sorts_as_the_comparison_sort_does(values: &[f64]) {
    let sample = SortedSample::new(values);
    let bits =
        |values: &[f64]| -> Vec<u64> { values.iter().map(|value| value.to_bits()).collect() };
    assert_eq!(bits(sample.values()), bits(&naive(values)));
    assert_eq!(sample.len() as u64 + sample.nans(), values.len() as u64);
}

proptest! {
    #[test]
    fn any_bits_are_sorted(bits in prop::collection::vec(any::<u64>(), 0..300)) {
        let values: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
        sorts_as_the_comparison_sort_does(&values);
    }

    #[test]
    fn stored_values_come_back_the_same(values in prop::collection::vec(-1e9_f64..1e9, 0..50)) {
        let sample = SortedSample::new(&values);
        let text = serde_json::to_string(&sample).unwrap();
        prop_assert_eq!(serde_json::from_str::<SortedSample>(&text).unwrap(), sample);
    }

    #[test]
    fn stored_values_out_of_order_are_refused(values in prop::collection::vec(-9_i32..9, 2..20)) {
        let text = format!(r#"{{"values":{values:?},"nans":0}}"#);
        let read = serde_json::from_str::<SortedSample>(&text);
        prop_assert!(read.is_ok() == values.is_sorted());
    }
}

#[test]
fn many_values_of_every_kind_are_sorted() {
    let mut random = SplitMix64(11);
    let rows = 20_000;
    let mut draw = |make: &dyn Fn(&mut SplitMix64) -> f64| -> Vec<f64> {
        (0..rows).map(|_| make(&mut random)).collect()
    };
    sorts_as_the_comparison_sort_does(&draw(&|random| random.unit() + random.unit() - 1.0));
    sorts_as_the_comparison_sort_does(&draw(&|random| f64::from_bits(random.next())));
    sorts_as_the_comparison_sort_does(&draw(&|random| {
        ((random.unit() + random.unit() - 1.0) * 3.0).round()
    }));
    // Neighbouring doubles: only the lowest bits differ.
    sorts_as_the_comparison_sort_does(&draw(&|random| {
        f64::from_bits(1.0_f64.to_bits() + (random.next() & 0xfff))
    }));
    // As many of them in one bucket of the first pass, with less than one digit or two left to sort by.
    for spread in [0x3_ffff_u64, 0xff_ffff] {
        sorts_as_the_comparison_sort_does(&draw(&|random| {
            let near = (random.next() & 1) * (spread >> 12);
            let offset = random.next() & if near > 0 { near } else { spread };
            f64::from_bits(1.0_f64.to_bits() + offset)
        }));
    }
    // Two clusters that the counted bits cannot tell apart inside.
    sorts_as_the_comparison_sort_does(&draw(&|random| {
        let sign = if random.next() & 1 == 0 { 1.0 } else { -1.0 };
        sign * (1e9 + random.unit() * 1e-3)
    }));
    sorts_as_the_comparison_sort_does(&draw(&|random| match random.next() % 6 {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => f64::NEG_INFINITY,
        3 => -0.0,
        4 => f64::MIN_POSITIVE * random.unit(),
        _ => -random.unit(),
    }));
}

#[test]
fn equal_sorted_and_reversed_values_are_sorted() {
    sorts_as_the_comparison_sort_does(&[7.0; 10_000]);
    let ascending: Vec<f64> = (0..10_000).map(f64::from).collect();
    sorts_as_the_comparison_sort_does(&ascending);
    let descending: Vec<f64> = ascending.iter().rev().copied().collect();
    sorts_as_the_comparison_sort_does(&descending);
}

#[test]
fn nan_is_counted_and_left_out() {
    let sample = SortedSample::from([f64::NAN, 1.0, -f64::NAN].as_slice());
    assert_eq!(sample.values(), [1.0]);
    assert_eq!(sample.nans(), 2);
    assert!(!sample.is_empty());
    assert!(SortedSample::new(&[f64::NAN]).is_empty());
}

#[test]
fn a_contradiction_in_a_stored_sample_is_named() {
    let read = |text: &str| serde_json::from_str::<SortedSample>(text);
    let error = read(r#"{"values":[1.0,0.5],"nans":0}"#).unwrap_err();
    assert!(error.to_string().contains("value `1` is less"), "{error}");
    assert!(read(r#"{"values":[null],"nans":0}"#).is_err());
    assert!(read(r#"{"values":[1.0],"nans":-1}"#).is_err());
    assert!(read(r#"{"values":[1.0]"#).is_err());
    let zero = read(r#"{"values":[-0.0,0.0],"nans":3}"#).unwrap();
    assert_eq!(
        zero,
        SortedSample {
            values: vec![0.0, 0.0],
            nans: 3
        }
    );
    assert!(zero.values().iter().all(|value| value.is_sign_positive()));
}
