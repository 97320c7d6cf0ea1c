//! The clauses of [`FeatureSource`], [`OnlineFeatures`] and [`FeatureHistory`].

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use jiff::Timestamp;

use super::{at, kind};
use crate::error::ErrorKind;
use crate::features::instant::read_micros;
use crate::features::{
    CellStatus, EVENT_TIME, FeatureFrame, FeatureHistory, FeatureSource, FeatureType, FeatureView,
    KNOWN_AT, Knowledge, OnlineFeatures,
};
use crate::memory::InMemoryFeatures;
use crate::trainer::TimeSpan;

/// The view that the clauses about features are checked on: build an empty store of it.
#[must_use]
pub fn feature_view() -> FeatureView {
    FeatureView::new("conformance", "features of a driver")
        .with_key("driver", FeatureType::Integer)
        .with_feature("trips", FeatureType::Integer)
        .with_feature("rating", FeatureType::Number)
        .with_feature("city", FeatureType::Text)
        .with_feature("active", FeatureType::Flag)
        .with_ttl(Duration::from_secs(TTL_SECONDS.unsigned_abs()))
}

/// Every clause of [`FeatureSource`] and [`OnlineFeatures`], on an empty store of [`feature_view`] that `source` reads and `online` fills.
pub async fn all(source: &dyn FeatureSource, online: &dyn OnlineFeatures) {
    let fill = async |rows: RecordBatch| {
        online.push(&rows).await.unwrap();
    };
    feature_source(source, &fill).await;
    online_features(online).await;
    serving_answers_as_training(source, online).await;
}

/// Every clause of [`FeatureSource`], on an empty source of [`feature_view`] that has the rows that `fill` was given: the key columns,
/// the event time, the known-at time and the features of the view.
pub async fn feature_source(source: &dyn FeatureSource, fill: &impl AsyncFn(RecordBatch)) {
    assert_eq!(
        source.view(),
        &feature_view(),
        "the view is that of the suite"
    );
    every_row_is_answered_in_order(source, fill).await;
    late_knowledge_does_not_leak(source, fill).await;
    the_ttl_ends_after_its_boundary(source, fill).await;
    the_newest_row_counts_even_without_a_value(source, fill).await;
    the_later_of_equal_rows_counts(source, fill).await;
    unusable_entities_are_refused(source).await;
}

/// Every clause of [`OnlineFeatures`].
pub async fn online_features(online: &dyn OnlineFeatures) {
    assert_eq!(
        online.view(),
        &feature_view(),
        "the view is that of the suite"
    );
    an_older_row_does_not_replace_a_newer(online).await;
    pushing_again_changes_nothing(online).await;
    a_push_is_taken_whole_or_not_at_all(online).await;
    the_ttl_holds_online(online).await;
    no_time_is_no_answer(online).await;
    the_watermark_does_not_move_back(online).await;
}

/// Every clause of [`FeatureHistory`], on a history of [`feature_view`] that has the rows that `fill` was given. Rows of other clauses
/// are in nobody's way.
pub async fn feature_history(history: &dyn FeatureHistory, fill: &impl AsyncFn(RecordBatch)) {
    assert_eq!(
        history.view(),
        &feature_view(),
        "the view is that of the suite"
    );
    a_span_has_what_became_known_within(history, fill).await;
    history_pushed_elsewhere_answers_alike(history, fill).await;
}

/// One row per entity row, in order: the unknown and the stale are answered and not dropped.
pub async fn every_row_is_answered_in_order(
    source: &dyn FeatureSource,
    fill: &impl AsyncFn(RecordBatch),
) {
    fill(rows(&[(1, 10_000, 10_000, Some(1)), (2, 0, 0, Some(2))])).await;
    let asked = [
        (3, 10_000),
        (1, 10_000),
        (2, 10_000),
        (1, 9_999),
        (1, 10_000),
    ];
    let frame = as_of(source, &asked, Knowledge::AtRowTime).await;
    let statuses: Vec<Option<CellStatus>> =
        (0..asked.len()).map(|row| frame.status(row, 0)).collect();
    let expected = [
        CellStatus::NotFound,
        CellStatus::Present,
        CellStatus::OutsideTtl,
        CellStatus::NotFound,
        CellStatus::Present,
    ];
    assert!(
        statuses.into_iter().eq(expected.map(Some)),
        "one row per entity row, in order"
    );
    assert_eq!(trips(&frame), [None, Some(1), None, None, Some(1)]);
    assert_eq!(frame.event_time(1, 0), Some(at(10_000)));
    assert_eq!(frame.event_time(0, 0), None);
    assert_eq!(frame.age(2, 0), Some(Duration::from_secs(10_000)));
    let whole = rows(&[(1, 0, 0, Some(1))]);
    for column in 0..frame.values().num_columns() {
        assert_eq!(
            frame.values().column(column).slice(1, 1).to_data(),
            whole.column(column + 3).to_data(),
            "a value comes back as it was pushed"
        );
    }
    let nobody = as_of(source, &[], Knowledge::AtRowTime).await;
    assert_eq!(
        nobody.values().num_rows(),
        0,
        "nothing asked, nothing answered"
    );
}

/// A row for time t depends on what was known at t, however old the event is that became known later.
pub async fn late_knowledge_does_not_leak(
    source: &dyn FeatureSource,
    fill: &impl AsyncFn(RecordBatch),
) {
    fill(rows(&[(11, 100, 100, Some(1))])).await;
    let asked = [(11, 300), (11, 499), (11, 500)];
    let before = as_of(source, &asked, Knowledge::AtRowTime).await;
    fill(rows(&[(11, 200, 500, Some(99))])).await;
    let after = as_of(source, &asked, Knowledge::AtRowTime).await;
    assert_eq!(trips(&before), [Some(1), Some(1), Some(1)]);
    assert_eq!(
        trips(&after),
        [Some(1), Some(1), Some(99)],
        "a late row changes no earlier answer"
    );
    let later = as_of(source, &asked, Knowledge::Until(at(500))).await;
    assert_eq!(
        trips(&later),
        [Some(99), Some(99), Some(99)],
        "later knowledge may be asked for"
    );
    let earlier = as_of(source, &asked, Knowledge::Until(at(499))).await;
    assert_eq!(trips(&earlier), [Some(1), Some(1), Some(1)]);

    fill(rows(&[(12, 400, 100, Some(5))])).await;
    let announced = as_of(source, &[(12, 399), (12, 400)], Knowledge::AtRowTime).await;
    assert_eq!(
        trips(&announced),
        [None, Some(5)],
        "what is known ahead counts once it happens"
    );
}

/// A value is used while t - event time <= TTL.
pub async fn the_ttl_ends_after_its_boundary(
    source: &dyn FeatureSource,
    fill: &impl AsyncFn(RecordBatch),
) {
    fill(rows(&[(21, 100, 100, Some(1))])).await;
    let last = at(100 + TTL_SECONDS);
    let past = last + Duration::from_micros(1);
    let frame = source
        .as_of(&drivers(&[21, 21]), &[last, past], Knowledge::AtRowTime)
        .await
        .unwrap();
    assert_eq!(
        frame.status(0, 0),
        Some(CellStatus::Present),
        "the boundary is inside"
    );
    assert_eq!(frame.status(1, 0), Some(CellStatus::OutsideTtl));
    assert_eq!(trips(&frame), [Some(1), None], "a stale value is null");
    let expected = Duration::from_secs(TTL_SECONDS.unsigned_abs()) + Duration::from_micros(1);
    assert_eq!(frame.age(1, 0), Some(expected), "and its age is told");
}

/// An older value does not shine through a newer row without one.
pub async fn the_newest_row_counts_even_without_a_value(
    source: &dyn FeatureSource,
    fill: &impl AsyncFn(RecordBatch),
) {
    fill(rows(&[(31, 100, 100, Some(1)), (31, 200, 200, None)])).await;
    let frame = as_of(source, &[(31, 199), (31, 200)], Knowledge::AtRowTime).await;
    assert_eq!(trips(&frame), [Some(1), None]);
    for column in 0..frame.values().num_columns() {
        assert_eq!(frame.status(1, column), Some(CellStatus::NullValue));
    }
    assert_eq!(frame.event_time(1, 0), Some(at(200)));
}

/// Of two rows with one event time the one known later counts, and of two with both alike the one that came later.
pub async fn the_later_of_equal_rows_counts(
    source: &dyn FeatureSource,
    fill: &impl AsyncFn(RecordBatch),
) {
    fill(rows(&[(41, 100, 120, Some(2)), (41, 100, 110, Some(1))])).await;
    let frame = as_of(source, &[(41, 115), (41, 120)], Knowledge::AtRowTime).await;
    assert_eq!(trips(&frame), [Some(1), Some(2)]);
    fill(rows(&[(41, 100, 120, Some(3))])).await;
    let frame = as_of(source, &[(41, 120)], Knowledge::AtRowTime).await;
    assert_eq!(trips(&frame), [Some(3)]);
}

/// Entities without the key columns, with a null key, or without a time each are refused.
pub async fn unusable_entities_are_refused(source: &dyn FeatureSource) {
    let keyless: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let keyless = RecordBatch::try_from_iter([("somebody", keyless)]).unwrap();
    let null: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let null = RecordBatch::try_from_iter([("driver", null)]).unwrap();
    for (entities, times) in [
        (&keyless, vec![at(0)]),
        (&null, vec![at(0), at(0)]),
        (&drivers(&[1]), vec![]),
    ] {
        let refused = source.as_of(entities, &times, Knowledge::AtRowTime).await;
        assert_eq!(kind(refused), ErrorKind::Invalid);
    }
}

/// A push never takes an entity back in time.
pub async fn an_older_row_does_not_replace_a_newer(online: &dyn OnlineFeatures) {
    push(online, &[(51, 1_000, 1_000, Some(1))]).await;
    let pushed = online
        .push(&rows(&[(51, 500, 1_100, Some(-1))]))
        .await
        .unwrap();
    assert_eq!((pushed.newest, pushed.older, pushed.repeated), (0, 1, 0));
    let frame = read(online, &[51], at(1_200)).await;
    assert_eq!(trips(&frame), [Some(1)], "the newer event stays");
    let pushed = online
        .push(&rows(&[(51, 1_000, 1_150, Some(2))]))
        .await
        .unwrap();
    assert_eq!((pushed.newest, pushed.older, pushed.repeated), (1, 0, 0));
    let frame = read(online, &[51], at(1_200)).await;
    assert_eq!(trips(&frame), [Some(2)], "a correction counts");
}

/// The same push twice is one push.
pub async fn pushing_again_changes_nothing(online: &dyn OnlineFeatures) {
    let batch = rows(&[
        (61, 100, 100, Some(1)),
        (61, 200, 200, None),
        (62, 100, 100, Some(3)),
    ]);
    let first = online.push(&batch).await.unwrap();
    assert_eq!((first.newest, first.older, first.repeated), (2, 1, 0));
    let before = read(online, &[61, 62], at(300)).await;
    let second = online.push(&batch).await.unwrap();
    assert_eq!((second.newest, second.older, second.repeated), (0, 0, 3));
    assert_eq!(read(online, &[61, 62], at(300)).await, before);
}

/// One unusable row fails the whole push.
pub async fn a_push_is_taken_whole_or_not_at_all(online: &dyn OnlineFeatures) {
    let whole = rows(&[(71, 100, 100, Some(1)), (72, 100, 100, Some(2))]);
    let instant: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None]).with_timezone("UTC"));
    let key: ArrayRef = Arc::new(Int64Array::from(vec![Some(71), None]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["1", "2"]));
    for (name, column) in [
        ("driver", key),
        ("event_time", ArrayRef::clone(&instant)),
        ("known_at", instant),
        ("trips", text),
    ] {
        let refused = online.push(&with_column(&whole, name, column)).await;
        assert_eq!(kind(refused), ErrorKind::Invalid, "column {name}");
    }
    let frame = read(online, &[71, 72], at(200)).await;
    assert_eq!(
        trips(&frame),
        [None, None],
        "nothing of a failed push is there"
    );
}

/// Serving knows the TTL.
pub async fn the_ttl_holds_online(online: &dyn OnlineFeatures) {
    push(online, &[(81, 100, 100, Some(1))]).await;
    let last = at(100 + TTL_SECONDS);
    let frame = read(online, &[81], last).await;
    assert_eq!(frame.status(0, 0), Some(CellStatus::Present));
    let frame = read(online, &[81], last + Duration::from_micros(1)).await;
    assert_eq!(
        frame.status(0, 0),
        Some(CellStatus::OutsideTtl),
        "stale is not present"
    );
    assert_eq!(trips(&frame), [None]);
}

/// A deadline that leaves no time is answered by an error that says so.
pub async fn no_time_is_no_answer(online: &dyn OnlineFeatures) {
    let answer = online.online(&drivers(&[1]), at(0), Duration::ZERO).await;
    let kind = kind(answer);
    assert!(
        matches!(kind, ErrorKind::Overloaded | ErrorKind::Unavailable),
        "{kind:?}"
    );
}

/// The watermark only advances, and freshness tells it.
pub async fn the_watermark_does_not_move_back(online: &dyn OnlineFeatures) {
    push(online, &[(91, 20_000, 20_100, Some(1))]).await;
    online.advance(at(10)).await.unwrap();
    online.advance(at(10)).await.unwrap();
    assert_eq!(kind(online.advance(at(9)).await), ErrorKind::Conflict);
    let freshness = online.freshness().await.unwrap();
    assert_eq!(freshness.watermark, Some(at(10)));
    assert!(freshness.newest_event >= Some(at(20_000)));
    assert!(freshness.newest_known >= Some(at(20_100)));
}

/// Serving at a moment and training as of it answer alike, whatever there is to say of an entity.
pub async fn serving_answers_as_training(source: &dyn FeatureSource, online: &dyn OnlineFeatures) {
    push(
        online,
        &[
            (101, 100, 100, Some(1)),
            (102, 100, 9_000, Some(2)),
            (103, 200, 200, None),
            (104, 100, 100, Some(4)),
            (104, 5_000, 5_000, Some(5)),
        ],
    )
    .await;
    let entities = drivers(&[101, 102, 103, 104, 105]);
    for second in [99, 100, 200, 3_700, 3_701, 5_000, 8_600, 8_601, 9_000] {
        let now = at(second);
        let times = vec![now; entities.num_rows()];
        let trained = source
            .as_of(&entities, &times, Knowledge::AtRowTime)
            .await
            .unwrap();
        let served = online.online(&entities, now, DEADLINE).await.unwrap();
        for row in 0..entities.num_rows() {
            for column in 0..trained.values().num_columns() {
                assert_eq!(
                    (served.status(row, column), served.event_time(row, column)),
                    (trained.status(row, column), trained.event_time(row, column)),
                    "row {row}, column {column} at second {second}"
                );
            }
        }
        assert_eq!(served.values().columns(), trained.values().columns());
    }
}

/// The first moment of a span is inside and its last is not, and it is the known-at that counts, whenever the event was.
pub async fn a_span_has_what_became_known_within(
    history: &dyn FeatureHistory,
    fill: &impl AsyncFn(RecordBatch),
) {
    fill(rows(&[
        (111, 49_900, 50_000, Some(1)),
        (112, 50_050, 49_999, Some(2)),
        (112, 50_100, 50_099, None),
        (111, 49_950, 50_100, Some(4)),
    ]))
    .await;
    let span = |from: i64, until: i64| TimeSpan {
        from: at(from),
        until: at(until),
    };
    let mut found: Vec<(Option<i64>, i64, i64, Option<i64>)> = Vec::new();
    for batch in history.known_within(span(50_000, 50_100)).await.unwrap() {
        let events = read_micros(&batch, EVENT_TIME, "check").unwrap();
        let knowns = read_micros(&batch, KNOWN_AT, "check").unwrap();
        let times = events.into_iter().zip(knowns);
        let numbers = integers(&batch, "driver")
            .into_iter()
            .zip(integers(&batch, "trips"));
        found.extend(
            numbers
                .zip(times)
                .map(|((driver, trips), (event, known))| (driver, event, known, trips)),
        );
    }
    found.sort_unstable();
    let expected = [
        (Some(111), 49_900_000_000, 50_000_000_000, Some(1)),
        (Some(112), 50_100_000_000, 50_099_000_000, None),
    ];
    assert_eq!(found, expected);
    let none = history.known_within(span(50_000, 50_000)).await.unwrap();
    let rows: usize = none.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 0, "nothing becomes known in no time");
}

/// What comes back can be pushed as it is, and of rows with the same times the later one still counts.
pub async fn history_pushed_elsewhere_answers_alike(
    history: &dyn FeatureHistory,
    fill: &impl AsyncFn(RecordBatch),
) {
    let last = rows(&[(121, 51_000, 51_000, Some(9))]);
    for trips in [7, 8] {
        fill(rows(&[(121, 51_000, 51_000, Some(trips))])).await;
    }
    fill(last.clone()).await;
    let copy = InMemoryFeatures::new(feature_view());
    let span = TimeSpan {
        from: at(51_000),
        until: at(51_001),
    };
    for batch in history.known_within(span).await.unwrap() {
        copy.push(&batch).await.unwrap();
    }
    let frame = read(&copy, &[121], at(51_000)).await;
    for column in 0..frame.values().num_columns() {
        assert_eq!(
            frame.values().column(column).to_data(),
            last.column(column + 3).to_data(),
            "a value comes back as it was pushed"
        );
    }
}

/// Driver, event second, known second, and the trips that the other features follow.
type Row = (i64, i64, i64, Option<i64>);

fn rows(rows: &[Row]) -> RecordBatch {
    let instants = |seconds: Vec<i64>| -> ArrayRef {
        let micros: Vec<i64> = seconds.iter().map(|second| second * 1_000_000).collect();
        Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
    };
    let trips: Vec<Option<i64>> = rows.iter().map(|row| row.3).collect();
    let ratings: Float64Array = trips
        .iter()
        .map(|trips| trips.map(|trips| trips as f64 / 4.0))
        .collect();
    let cities: StringArray = trips
        .iter()
        .map(|trips| trips.map(|trips| format!("city {trips}")))
        .collect();
    let active: BooleanArray = trips
        .iter()
        .map(|trips| trips.map(|trips| trips % 2 == 1))
        .collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
        instants(rows.iter().map(|row| row.1).collect()),
        instants(rows.iter().map(|row| row.2).collect()),
        Arc::new(Int64Array::from(trips)),
        Arc::new(ratings),
        Arc::new(cities),
        Arc::new(active),
    ];
    RecordBatch::try_new(Arc::new(feature_view().row_schema()), columns).unwrap()
}

/// The batch with another column under a name.
fn with_column(batch: &RecordBatch, name: &str, column: ArrayRef) -> RecordBatch {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let columns = columns.map(|(field, kept)| {
        let replaced = field.name() == name;
        let column = if replaced { &column } else { kept };
        (field.name().clone(), ArrayRef::clone(column), true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn drivers(drivers: &[i64]) -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from(drivers.to_vec()));
    RecordBatch::try_from_iter([("driver", column)]).unwrap()
}

async fn push(online: &dyn OnlineFeatures, batch: &[Row]) {
    online.push(&rows(batch)).await.unwrap();
}

async fn as_of(
    source: &dyn FeatureSource,
    asked: &[(i64, i64)],
    knowledge: Knowledge,
) -> FeatureFrame {
    let entities: Vec<i64> = asked.iter().map(|(driver, _)| *driver).collect();
    let times: Vec<Timestamp> = asked.iter().map(|(_, second)| at(*second)).collect();
    source
        .as_of(&drivers(&entities), &times, knowledge)
        .await
        .unwrap()
}

async fn read(online: &dyn OnlineFeatures, entities: &[i64], now: Timestamp) -> FeatureFrame {
    online
        .online(&drivers(entities), now, DEADLINE)
        .await
        .unwrap()
}

fn trips(frame: &FeatureFrame) -> Vec<Option<i64>> {
    integers(frame.values(), "trips")
}

fn integers(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    let column = batch.column_by_name(name).unwrap();
    let column = column.as_any().downcast_ref::<Int64Array>().unwrap();
    column.iter().collect()
}

const TTL_SECONDS: i64 = 3_600;

/// Long enough for any store that answers at all.
const DEADLINE: Duration = Duration::from_secs(30);
