use proptest::prelude::*;

use super::*;

/// Few different values, so that ends, ties and repeats are met.
fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(f64::NAN)),
        1 => Just(Some(f64::INFINITY)),
        1 => Just(Some(-0.0)),
        6 => (-4_i32..=4).prop_map(|value| Some(f64::from(value) / 2.0)),
    ]
}

/// The rows that break the rules of the test below, found one at a time.
fn naive(values: &[Option<f64>], low: f64, high: f64, listed: &[f64]) -> Vec<usize> {
    let mut broken = Vec::new();
    for (row, value) in values.iter().enumerate() {
        let Some(value) = *value else { continue };
        let outside = value.is_nan() || value < low || value > high;
        let unlisted = !listed.contains(&value);
        let repeated = values[..row].contains(&Some(value));
        let before = values[..row]
            .iter()
            .rev()
            .flatten()
            .find(|before| !before.is_nan());
        let falls = before.is_some_and(|before| value < *before);
        if outside || unlisted || repeated || falls {
            broken.push(row);
        }
    }
    broken
}

proptest! {
    #[test]
    fn the_mask_agrees_with_a_look_at_each_row(
        values in prop::collection::vec(value(), 1..200),
        skip in 0_usize..70,
        low in -4_i32..=0,
        width in 0_i32..=6,
        listed in prop::collection::vec(-4_i32..=4, 1..9),
    ) {
        let (low, high) = (f64::from(low) / 2.0, f64::from(low + width) / 2.0);
        let listed: Vec<f64> = listed.iter().map(|value| f64::from(*value) / 2.0).collect();
        let column = ColumnExpectation::new("x")
            .with_range(Range::new(low, high).unwrap())
            .with_allowed(Domain::Numbers(listed.clone()))
            .with_unique(Uniqueness::default())
            .with_order(Order::Ascending);
        // A slice of an array starts at any bit of its null bitmap.
        let skip = skip.min(values.len() - 1);
        let array = numbers(&values).slice(skip, values.len() - skip);
        let report = check_one(column, array);
        let expected = naive(&values[skip..], low, high, &listed);
        prop_assert_eq!(blamed(&report), expected.clone());
        prop_assert_eq!(report.quarantined(), expected.len() as u64);
    }

    #[test]
    fn integers_agree_with_doubles(
        values in prop::collection::vec(prop::option::of(-9_i64..9), 1..150),
        low in -10.0_f64..10.0,
        width in 0.0_f64..10.0,
    ) {
        let column = || ColumnExpectation::new("x")
            .with_range(Range::new(low, low + width).unwrap())
            .with_order(Order::StrictlyDescending)
            .with_unique(Uniqueness::default());
        let doubles: Vec<Option<f64>> =
            values.iter().map(|value| value.map(|value| value as f64)).collect();
        let whole = blamed(&check_one(column(), integers(&values)));
        prop_assert_eq!(whole, blamed(&check_one(column(), numbers(&doubles))));
    }

    #[test]
    fn cross_rules_agree_with_a_look_at_each_row(
        rows in prop::collection::vec((value(), value()), 1..150),
    ) {
        let (left, right): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
        let columns = || vec![("a", numbers(&left)), ("b", numbers(&right))];
        let name = |name: &str| name.to_owned();
        let found = blamed(&check_frame(
            CrossRule::AtMost { left: name("a"), right: name("b") },
            columns(),
        ));
        let expected: Vec<usize> = (0..rows.len())
            .filter(|row| matches!(rows[*row], (Some(a), Some(b)) if a > b))
            .collect();
        prop_assert_eq!(found, expected);
        let found = blamed(&check_frame(
            CrossRule::NullTogether { when: name("a"), then: name("b") },
            columns(),
        ));
        let expected: Vec<usize> = (0..rows.len())
            .filter(|row| rows[*row].0.is_none() && rows[*row].1.is_some())
            .collect();
        prop_assert_eq!(found, expected);
    }
}
