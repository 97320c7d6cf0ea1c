mod fixture;
mod oracle;

use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, TimestampMicrosecondArray};

use super::*;
use crate::features::{CellStatus, FeatureSource, FeatureType, OnlineFeatures, ViewFeature};
use crate::memory::InMemoryFeatures;

use fixture::{Keys, Row, at, questions, wait};

fn row(event: i64, known: i64, value: i64) -> Row {
    Row {
        entity: 1,
        event,
        known,
        value: Some(value),
    }
}

/// The integers found for entity 1 at some times, by the streamed join and by the index alike.
#[track_caller]
fn found(rows: &[Row], ttl: Option<i64>, times: &[i64]) -> Vec<Option<i64>> {
    let keys = Keys::Integer;
    let asked: Vec<(i64, i64)> = times.iter().map(|now| (1, *now)).collect();
    let (entities, instants) = questions(keys, &asked);
    let mut index = AsOfIndex::new(keys.view(ttl)).unwrap();
    index.insert(&keys.rows(rows)).unwrap();
    let frame = index
        .as_of(&entities, &instants, Knowledge::AtRowTime)
        .unwrap();
    let mut sorted = rows.to_vec();
    sorted.sort_by_key(|row| row.event.max(row.known));
    let batches = [Ok(keys.rows(&sorted))].into_iter();
    let mut join = AsOfJoin::new(keys.view(ttl), Knowledge::AtRowTime, batches).unwrap();
    let streamed = join.join(&entities, &instants).unwrap();
    let integers = |frame: &FeatureFrame| -> Vec<Option<i64>> {
        let column = frame.values().column(1).as_primitive::<Int64Type>();
        column.iter().collect()
    };
    assert_eq!(integers(&frame), integers(&streamed));
    integers(&frame)
}

#[test]
fn a_backfilled_value_does_not_leak_into_the_past() {
    let day = 86_400_000_000;
    let rows = [row(0, 0, 1), row(day, 3 * day, 99)];
    let times = [2 * day, 3 * day - 1, 3 * day];
    assert_eq!(found(&rows, None, &times), [Some(1), Some(1), Some(99)]);
}

#[test]
fn an_entity_outside_its_ttl_keeps_its_row() {
    let rows = [row(0, 0, 1)];
    let times = [-1, 0, 10, 11];
    assert_eq!(
        found(&rows, Some(10), &times),
        [None, Some(1), Some(1), None]
    );
}

#[test]
fn a_stale_value_is_not_served_as_present() {
    let hour = 3_600_000_000;
    let features = InMemoryFeatures::new(Keys::Integer.view(Some(hour)));
    let entities = Keys::Integer.entities(&[1]);
    let frame = wait(async {
        features
            .push(&Keys::Integer.rows(&[row(0, 0, 7)]))
            .await
            .unwrap();
        features
            .online(&entities, at(48 * hour), Duration::from_secs(1))
            .await
            .unwrap()
    });
    assert_eq!(frame.status(0, 1), Some(CellStatus::OutsideTtl));
    assert!(frame.values().column(1).is_null(0));
    assert_eq!(frame.age(0, 1), Some(Duration::from_secs(48 * 3_600)));
}

#[test]
fn pushing_an_old_event_does_not_replace_the_value_of_now() {
    let features = InMemoryFeatures::new(Keys::Integer.view(None));
    let entities = Keys::Integer.entities(&[1]);
    let frame = wait(async {
        features
            .push(&Keys::Integer.rows(&[row(1_000, 1_000, 7)]))
            .await
            .unwrap();
        let old = features
            .push(&Keys::Integer.rows(&[row(-1_000, 2_000, 1)]))
            .await
            .unwrap();
        assert_eq!((old.newest, old.older, old.repeated), (0, 1, 0));
        features
            .online(&entities, at(3_000), Duration::from_secs(1))
            .await
            .unwrap()
    });
    assert_eq!(frame.event_time(0, 1), Some(at(1_000)));
    assert_eq!(
        frame
            .values()
            .column(1)
            .as_primitive::<Int64Type>()
            .value(0),
        7
    );
}

#[test]
fn serving_and_training_agree_where_a_value_is_stale() {
    let features = InMemoryFeatures::new(Keys::Integer.view(Some(10)));
    let entities = Keys::Integer.entities(&[1, 2]);
    wait(async {
        features
            .push(&Keys::Integer.rows(&[row(0, 0, 3)]))
            .await
            .unwrap();
        for now in [10, 11] {
            let times = [at(now), at(now)];
            let trained = features
                .as_of(&entities, &times, Knowledge::AtRowTime)
                .await
                .unwrap();
            let served = features
                .online(&entities, at(now), Duration::from_secs(1))
                .await
                .unwrap();
            assert_eq!(trained, served);
        }
    });
}

#[test]
fn a_future_event_waits_for_its_time_and_a_late_one_for_its_knowledge() {
    let rows = [row(50, 10, 1), row(20, 60, 2)];
    let times = [49, 50, 59, 60];
    assert_eq!(
        found(&rows, None, &times),
        [None, Some(1), Some(1), Some(1)],
        "the later event stays the newest"
    );
}

#[test]
fn rounding_never_lets_a_row_see_what_came_after_it() {
    let keys = Keys::Integer;
    let rows = keys.rows(&[row(10, 10, 1)]);
    let mut index = AsOfIndex::new(keys.view(None)).unwrap();
    index.insert(&rows).unwrap();
    let entities = keys.entities(&[1, 1]);
    let times = [Timestamp::from_nanosecond(9_999).unwrap(), at(10)];
    let frame = index
        .as_of(&entities, &times, Knowledge::AtRowTime)
        .unwrap();
    assert_eq!(frame.status(0, 1), Some(CellStatus::NotFound));
    assert_eq!(frame.status(1, 1), Some(CellStatus::Present));
    assert_eq!(
        frame.times(),
        times,
        "times are kept as they were asked for"
    );
}

#[test]
fn rows_out_of_order_name_their_place_and_stop_the_join() {
    let keys = Keys::Integer;
    let batches = [
        Ok(keys.rows(&[row(0, 0, 1), row(5, 5, 2)])),
        Ok(keys.rows(&[row(6, 6, 3), row(1, 4, 4)])),
    ];
    let mut join =
        AsOfJoin::new(keys.view(None), Knowledge::AtRowTime, batches.into_iter()).unwrap();
    let entities = keys.entities(&[1]);
    assert!(join.join(&entities, &[at(4)]).is_ok());
    let error = join.join(&entities, &[at(9)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let said = error.to_string();
    assert!(
        said.contains("row `1`") && said.contains("batch `1`"),
        "{said}"
    );
    assert!(join.join(&entities, &[at(9)]).is_err(), "rows were lost");
}

#[test]
fn a_time_before_an_earlier_call_is_refused_by_row_and_harmless() {
    let keys = Keys::Integer;
    let batches = [Ok(keys.rows(&[row(0, 0, 1), row(5, 5, 2)]))];
    let mut join =
        AsOfJoin::new(keys.view(None), Knowledge::AtRowTime, batches.into_iter()).unwrap();
    assert!(join.join(&keys.entities(&[1]), &[at(5)]).is_ok());
    let error = join
        .join(&keys.entities(&[1, 1]), &[at(5), at(4)])
        .unwrap_err();
    assert!(error.to_string().contains("row `1`"), "{error}");
    let frame = join.join(&keys.entities(&[1]), &[at(5)]).unwrap();
    assert_eq!(
        frame
            .values()
            .column(1)
            .as_primitive::<Int64Type>()
            .value(0),
        2
    );
}

#[test]
fn an_error_of_the_source_is_handed_on() {
    let keys = Keys::Integer;
    let failure = Error::new(ErrorKind::Unavailable, "read rows", "the disk is gone");
    let batches = [Ok(keys.rows(&[row(0, 0, 1)])), Err(failure)];
    let mut join =
        AsOfJoin::new(keys.view(None), Knowledge::AtRowTime, batches.into_iter()).unwrap();
    let error = join.join(&keys.entities(&[1]), &[at(1)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(join.join(&keys.entities(&[1]), &[at(1)]).is_err());
}

#[test]
fn a_view_with_two_columns_of_one_name_is_refused() {
    for name in ["k", "event_time", "known_at", "text"] {
        let view = Keys::Integer
            .view(None)
            .with_feature(name, FeatureType::Number);
        let rows = std::iter::empty::<Result<RecordBatch, Error>>();
        let error = AsOfJoin::new(view.clone(), Knowledge::AtRowTime, rows).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert!(AsOfIndex::new(view).is_err());
    }
}

#[test]
fn the_ends_of_time_are_ordinary_instants() {
    let (first, last) = (-377_705_000_000_000_000, 253_402_000_000_000_000);
    let rows = [row(first, first, 1), row(last, last, 2)];
    let times = [first - 1, first, last - 1, last];
    assert_eq!(
        found(&rows, Some(i64::MAX), &times),
        [None, Some(1), Some(1), Some(2)]
    );
    assert_eq!(
        found(&rows, Some(1), &times),
        [None, Some(1), None, Some(2)]
    );
}

#[test]
fn wide_rows_keep_their_values_and_nulls() {
    let names: Vec<String> = (0..130).map(|column| format!("f{column}")).collect();
    let view = names.iter().fold(
        FeatureView::new("wide", "x").with_key("k", FeatureType::Integer),
        |view, name| view.with_feature(name, FeatureType::Number),
    );
    let value = |row: usize, column: usize| {
        (!(row + column).is_multiple_of(3)).then_some((row * 1_000 + column) as f64)
    };
    let rows: Vec<usize> = (0..600).collect();
    let instants =
        || -> ArrayRef { Arc::new(TimestampMicrosecondArray::from_iter_values(0..600_i64)) };
    let mut columns: Vec<(String, ArrayRef, bool)> = vec![
        (
            "k".into(),
            Arc::new(Int64Array::from_iter_values(0..600_i64)),
            false,
        ),
        ("event_time".into(), instants(), false),
        ("known_at".into(), instants(), false),
    ];
    for (column, ViewFeature { name, .. }) in view.features().iter().enumerate() {
        let values: Float64Array = rows.iter().map(|row| value(*row, column)).collect();
        columns.push((name.clone(), Arc::new(values), true));
    }
    let whole = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let halves = [Ok(whole.slice(0, 300)), Ok(whole.slice(300, 300))];
    let mut join = AsOfJoin::new(view.clone(), Knowledge::AtRowTime, halves.into_iter()).unwrap();
    let mut index = AsOfIndex::new(view).unwrap();
    index.insert(&whole).unwrap();
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values((0..600_i64).rev()));
    let entities = RecordBatch::try_from_iter([("k", column)]).unwrap();
    let times = vec![at(1_000); 600];
    let streamed = join.join(&entities, &times).unwrap();
    let indexed = index
        .as_of(&entities, &times, Knowledge::AtRowTime)
        .unwrap();
    assert_eq!(streamed, indexed);
    for (column, array) in streamed.values().columns().iter().enumerate() {
        let expected: Float64Array = rows.iter().rev().map(|row| value(*row, column)).collect();
        assert_eq!(
            array.as_primitive::<Float64Type>(),
            &expected,
            "column {column}"
        );
    }
}
