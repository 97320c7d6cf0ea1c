use noops_core::Alpha;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{normal, normal_reference};
use crate::error::DriftError;
use crate::sequential::change_prior::Stake;
use crate::sequential::{
    CategoryBet, CategoryReference, ColumnReference, DriftMonitor, Intake, KsBand, Observation,
    PitBet, ReferenceCdf,
};
use crate::statistic::SortedSample;
use crate::testing::SplitMix64;

fn monitor() -> DriftMonitor {
    let mut random = SplitMix64(3);
    let columns = [
        ColumnReference::number("age", normal_reference(300, &mut random).with_missing(20)),
        ColumnReference::category("city", CategoryReference::new(&[200, 90, 10]).unwrap()),
    ];
    DriftMonitor::new(&columns, Alpha::FIVE_PERCENT).unwrap()
}

fn row(random: &mut SplitMix64) -> [Observation; 2] {
    let number = if random.unit() < 0.1 {
        Observation::Missing
    } else {
        Observation::Number(0.3 + normal(random))
    };
    let category = match random.next() % 5 {
        3 => Observation::Unlisted,
        4 => Observation::Missing,
        place => Observation::Category(place as usize),
    };
    [number, category]
}

fn stored_and_read<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

/// The error of reading a state in which the value at the pointer was replaced.
fn altered<T: Serialize + DeserializeOwned>(
    state: &T,
    pointer: &str,
    value: Value,
) -> Option<String> {
    let mut json = serde_json::to_value(state).unwrap();
    *json.pointer_mut(pointer).unwrap() = value;
    serde_json::from_value::<T>(json)
        .err()
        .map(|error| error.to_string())
}

#[test]
fn a_stored_monitor_goes_on_to_the_same_bytes() {
    let mut random = SplitMix64(4);
    let mut unbroken = monitor();
    let mut broken = monitor();
    for offset in 0..400 {
        let row = row(&mut random);
        unbroken.observe(offset, &row).unwrap();
        broken.observe(offset, &row).unwrap();
        if offset % 97 == 0 {
            broken = stored_and_read(&broken);
        }
    }
    assert_eq!(unbroken, broken);
    assert_eq!(
        serde_json::to_string(&unbroken).unwrap(),
        serde_json::to_string(&broken).unwrap()
    );
}

#[test]
fn a_stored_band_goes_on_to_the_same_bytes() {
    let mut random = SplitMix64(5);
    let mut unbroken = KsBand::new(normal_reference(300, &mut random), Alpha::FIVE_PERCENT);
    let mut broken = unbroken.clone();
    for step in 0..500 {
        let value = 1.0 + normal(&mut random);
        unbroken.observe(value);
        broken.observe(value);
        if step % 83 == 0 {
            broken = stored_and_read(&broken);
        }
    }
    assert_eq!(unbroken, broken);
    assert!(unbroken.look().alarmed_at().is_some());
}

#[test]
fn a_row_that_was_counted_before_changes_nothing() {
    let mut random = SplitMix64(6);
    let mut monitor = monitor();
    for offset in 0..10 {
        let counted = monitor.observe(offset, &row(&mut random));
        assert_eq!(counted, Ok(Intake::Counted));
    }
    let before = monitor.clone();
    for offset in 0..10 {
        let counted = monitor.observe(offset, &row(&mut random));
        assert_eq!(counted, Ok(Intake::AlreadyCounted));
    }
    assert_eq!(monitor, before);
}

#[test]
fn a_gap_a_wrong_length_and_a_wrong_kind_count_nothing() {
    let mut monitor = monitor();
    let before = monitor.clone();
    let row = row(&mut SplitMix64(7));
    assert!(matches!(
        monitor.observe(1, &row),
        Err(DriftError::InvalidInput {
            input: "offset",
            ..
        })
    ));
    assert!(matches!(
        monitor.observe(0, &row[..1]),
        Err(DriftError::InvalidInput { input: "row", .. })
    ));
    assert!(matches!(
        monitor.observe(0, &[Observation::Number(0.0), Observation::Number(0.0)]),
        Err(DriftError::TypeChanged { .. })
    ));
    assert!(matches!(
        monitor.observe(0, &[Observation::Unlisted, Observation::Missing]),
        Err(DriftError::TypeChanged { .. })
    ));
    assert!(monitor.observe_numbers(0, &[0.0, 0.0]).is_err());
    assert!(monitor.observe(u64::MAX, &row).is_err());
    assert_eq!(monitor, before);
}

#[test]
fn a_row_of_numbers_is_counted_as_the_same_observations() {
    let mut random = SplitMix64(14);
    let columns: Vec<ColumnReference> = (0..70)
        .map(|place| {
            ColumnReference::number(format!("{place}"), normal_reference(500, &mut random))
        })
        .collect();
    let mut numbers = DriftMonitor::new(&columns, Alpha::ONE_PERCENT).unwrap();
    let mut observations = numbers.clone();
    for offset in 0..80 {
        let row: Vec<f64> = (0..70)
            .map(|_| match random.next() % 20 {
                0 => f64::NAN,
                1 => f64::INFINITY,
                2 => f64::NEG_INFINITY,
                _ => 2.0 + normal(&mut random),
            })
            .collect();
        let same: Vec<Observation> = row
            .iter()
            .map(|value| Observation::Number(*value))
            .collect();
        numbers.observe_numbers(offset, &row).unwrap();
        observations.observe(offset, &same).unwrap();
        if offset == 20 {
            numbers = stored_and_read(&numbers);
        }
    }
    assert_eq!(numbers, observations);
    assert!(numbers.evidence().alarmed_at().is_some());
}

#[test]
fn a_row_of_numbers_does_not_fit_a_category_wherever_it_stands() {
    let mut random = SplitMix64(15);
    let mut columns: Vec<ColumnReference> = (0..40)
        .map(|place| ColumnReference::number(format!("{place}"), normal_reference(50, &mut random)))
        .collect();
    let words = CategoryReference::new(&[10, 20]).unwrap();
    columns.push(ColumnReference::category("word", words));
    let monitor = DriftMonitor::new(&columns, Alpha::ONE_PERCENT).unwrap();
    for mut monitor in [monitor.clone(), stored_and_read(&monitor)] {
        let before = monitor.clone();
        assert!(matches!(
            monitor.observe_numbers(0, &[0.0; 41]),
            Err(DriftError::TypeChanged { column, .. }) if column == "word"
        ));
        assert_eq!(monitor, before);
    }
}

/// An alarm is not undone by a state that has forgotten its largest evidence.
#[test]
fn a_state_with_more_evidence_than_ever_is_refused() {
    let mut random = SplitMix64(16);
    let column = ColumnReference::number("x", normal_reference(2_000, &mut random));
    let mut monitor = DriftMonitor::new(&[column], Alpha::ONE_PERCENT).unwrap();
    for offset in 0..200 {
        monitor.observe_numbers(offset, &[3.0]).unwrap();
    }
    assert!(monitor.evidence().alarmed_at().is_some());
    let mut json = serde_json::to_value(&monitor).unwrap();
    json["alarmed_at"] = Value::Null;
    json["max"] = json!(1.0);
    let error = serde_json::from_value::<DriftMonitor>(json).unwrap_err();
    assert!(error.to_string().contains("largest evidence"), "{error}");
}

#[test]
fn a_monitor_needs_columns_with_distinct_names() {
    assert!(DriftMonitor::new(&[], Alpha::ONE_PERCENT).is_err());
    let cdf = ReferenceCdf::of_sample(&SortedSample::new(&[1.0, 2.0]));
    let twice = ["age", "age"].map(|name| ColumnReference::number(name, cdf.clone()));
    assert!(matches!(
        DriftMonitor::new(&twice, Alpha::ONE_PERCENT),
        Err(DriftError::DuplicateColumn { .. })
    ));
}

#[test]
fn reset_forgets_the_rows_and_keeps_the_place() {
    let mut random = SplitMix64(8);
    let mut monitor = monitor().starting_at(70);
    for offset in 70..100 {
        monitor.observe(offset, &row(&mut random)).unwrap();
    }
    monitor.reset();
    assert_eq!(monitor.next_offset(), 100);
    let fresh = self::monitor().starting_at(100);
    assert_eq!(monitor, fresh);
}

#[test]
fn states_that_contradict_themselves_are_refused() {
    let mut random = SplitMix64(9);
    let mut monitor = monitor();
    let mut band = KsBand::new(normal_reference(300, &mut random), Alpha::FIVE_PERCENT);
    for offset in 0..20 {
        monitor.observe(offset, &row(&mut random)).unwrap();
        band.observe(normal(&mut random));
    }
    for (pointer, value) in [
        ("/rows", json!(19)),
        ("/next_offset", json!(3)),
        ("/max", json!(0.0)),
        ("/max", json!(1e9)),
        ("/alarmed_at", json!(900)),
        ("/alpha", json!(2.0)),
        ("/alpha", json!(0.02)),
        ("/columns", json!([])),
        ("/columns/1/name", json!("age")),
        ("/columns/0/gate/Number/missing", json!(21)),
        ("/columns/0/gate/Number/max", json!(-1.0)),
        ("/columns/0/gate/Number/budget/alarm", json!(0.0)),
        ("/columns/0/gate/Number/wealth/up/0/0", json!(-1.0)),
        ("/columns/0/gate/Number/wealth/up/0/0", json!(1e300)),
        ("/columns/0/gate/Number/missing_wealth/0", json!(1e100)),
        ("/columns/0/gate/Number/reference/values", json!(299)),
        ("/columns/0/gate/Number/reference/sketch_error", json!(2.0)),
        ("/columns/0/gate/Number/reference/edges/0", json!(1e9)),
        ("/columns/1/gate/Category/wealth", json!([])),
        ("/columns/1/gate/Category/wealth/0/0", json!(-1.0)),
        (
            "/columns/1/gate/Category/reference/missing",
            json!(u64::MAX),
        ),
    ] {
        assert!(altered(&monitor, pointer, value).is_some(), "{pointer}");
    }
    for (pointer, value) in [
        ("/counts", json!([1])),
        ("/values", json!(21)),
        ("/alarmed_at", json!(0)),
        ("/next_look", json!(1_000)),
    ] {
        assert!(altered(&band, pointer, value).is_some(), "{pointer}");
    }
    let fresh = PitBet::new(normal_reference(9, &mut random), Alpha::ONE_PERCENT);
    let evidence = altered(&fresh, "/wealth/up/0/0", json!(0.5)).unwrap();
    assert!(evidence.contains("evidence without a row"), "{evidence}");
}

#[test]
fn a_reference_without_values_never_alarms_on_values() {
    let mut gate = PitBet::new(
        ReferenceCdf::of_sample(&SortedSample::new(&[])),
        Alpha::ONE_PERCENT,
    );
    let mut band = KsBand::new(gate.reference().clone(), Alpha::ONE_PERCENT);
    for value in 0..2_000 {
        gate.observe(f64::from(value));
        band.observe(f64::from(value));
    }
    assert!(!gate.evidence().alarmed());
    assert!((gate.evidence().log_e().get()).abs() < 1e-9);
    assert_eq!(band.look().distance(), 0.0);
    assert_eq!(band.look().at(), None);
}

#[test]
fn overwhelming_evidence_stays_a_number() {
    let mut gate = PitBet::new(
        normal_reference(20_000, &mut SplitMix64(10)),
        Alpha::ONE_PERCENT,
    );
    let mut city = CategoryBet::new(
        CategoryReference::new(&[1_000_000, 0]).unwrap(),
        Alpha::ONE_PERCENT,
    );
    for _ in 0..20_000 {
        gate.observe(1e9);
        city.observe(1);
    }
    for evidence in [gate.evidence(), city.evidence()] {
        assert!(evidence.log_e().get() > 400.0 && evidence.log_e().get() < 500.0);
        assert!(evidence.alarmed());
    }
    assert_eq!(stored_and_read(&gate), gate);
    assert_eq!(stored_and_read(&city), city);
}

proptest! {
    #[test]
    fn the_evidence_now_is_that_of_the_last_row_to_the_bit(
        stream in prop::collection::vec((prop_oneof![-3.0_f64..3.0, Just(f64::NAN), Just(1e9)], 0_usize..5), 1..200),
    ) {
        let mut number = PitBet::new(normal_reference(500, &mut SplitMix64(17)), Alpha::ONE_PERCENT);
        let mut category = CategoryBet::new(CategoryReference::new(&[500, 300, 20]).unwrap(), Alpha::ONE_PERCENT);
        for (row, (value, place)) in (1..).zip(stream) {
            let stake = Stake::at(row);
            prop_assert_eq!(number.bet(value, stake), number.current());
            prop_assert_eq!(category.bet((place < 4).then_some(place), stake), category.current());
        }
        prop_assert_eq!(stored_and_read(&number), number);
        prop_assert_eq!(stored_and_read(&category), category);
    }

    #[test]
    fn any_stream_against_any_reference_leaves_numbers(
        reference in prop::collection::vec(any::<f64>(), 0..40),
        stream in prop::collection::vec(any::<f64>(), 0..60),
        alpha in 1e-300_f64..1.0,
    ) {
        let cdf = ReferenceCdf::of_sample(&SortedSample::new(&reference));
        let alpha = Alpha::new(alpha).unwrap();
        let mut gate = PitBet::new(cdf.clone(), alpha);
        let mut band = KsBand::new(cdf, alpha);
        for value in stream.iter().copied().chain([f64::INFINITY, f64::NEG_INFINITY, f64::NAN]) {
            gate.observe(value);
            band.observe(value);
        }
        let reading = band.look();
        prop_assert!(gate.evidence().log_e().get().is_finite());
        prop_assert!(gate.evidence().max_log_e() >= gate.evidence().log_e());
        prop_assert!((0.0..=1.0).contains(&reading.distance()));
        prop_assert!(reading.bound() > 0.0 && reading.bound() <= 2.0);
        prop_assert_eq!(stored_and_read(&gate), gate);
    }
}
