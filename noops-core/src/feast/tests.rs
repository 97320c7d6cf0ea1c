//! Against a running Feast: each defect is shown first by asking plainly, then to be absent here.

mod hostile;
mod plain;
mod pushing;
mod secret;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Float64Array, Int64Array, TimestampMicrosecondArray};
use serde_json::json;

use super::*;
use crate::features::CellStatus;
use crate::memory::InMemoryStates;
use plain::Plain;

/// The moment that the rows served by the script are arranged around.
const HALF_PAST_TEN: &str = "2025-06-02T10:30:00Z";
const DEADLINE: Duration = Duration::from_secs(10);
const HOUR: Duration = Duration::from_secs(3_600);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A view by the name of a feature view, with a TTL of ours.
fn view(name: &str, ttl: Duration) -> FeatureView {
    FeatureView::new(name, "as the script defines it")
        .with_key("driver_id", FeatureType::Integer)
        .with_feature("conv_rate", FeatureType::Number)
        .with_feature("trips", FeatureType::Integer)
        .with_ttl(ttl)
}

fn settings(plain: &Plain) -> FeastSettings {
    FeastSettings::new(
        plain.online(),
        plain.offline(),
        Arc::new(InMemoryStates::new()),
    )
    .with_data_source("driver_stats")
    .with_push_source("driver_push")
}

async fn hourly(plain: &Plain) -> FeastFeatures {
    let view = view("driver_hourly", HOUR);
    FeastFeatures::connect(settings(plain), view).await.unwrap()
}

async fn daily(plain: &Plain) -> FeastFeatures {
    let view = view("driver_daily", 72 * HOUR);
    FeastFeatures::connect(settings(plain), view).await.unwrap()
}

fn drivers(drivers: &[i64]) -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from(drivers.to_vec()));
    RecordBatch::try_from_iter([("driver_id", column)]).unwrap()
}

/// A driver that no other test and no earlier run pushes to.
fn driver(number: i64) -> i64 {
    1_000_000 + i64::from(std::process::id()) * 1_000 + number
}

/// Driver, event, conversion rate, trips; known when it happened.
type Row<'a> = (i64, &'a str, Option<f64>, Option<i64>);

fn rows(rows: &[Row<'_>]) -> RecordBatch {
    let times = rows.iter().map(|row| at(row.1).as_microsecond());
    let times: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"));
    let columns: [(&str, ArrayRef, bool); 5] = [
        (
            "driver_id",
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
            false,
        ),
        ("event_time", Arc::clone(&times), false),
        ("known_at", times, false),
        (
            "conv_rate",
            Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.2))),
            true,
        ),
        (
            "trips",
            Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.3))),
            true,
        ),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn rates(frame: &FeatureFrame) -> Vec<Option<f64>> {
    frame
        .values()
        .column(0)
        .as_primitive::<Float64Type>()
        .iter()
        .collect()
}

fn trips(frame: &FeatureFrame) -> Vec<Option<i64>> {
    frame
        .values()
        .column(1)
        .as_primitive::<Int64Type>()
        .iter()
        .collect()
}

fn statuses(frame: &FeatureFrame) -> Vec<CellStatus> {
    (0..frame.values().num_rows())
        .map(|row| frame.status(row, 0).unwrap())
        .collect()
}

#[tokio::test]
async fn f1_what_was_backfilled_does_not_leak_into_training() {
    let Some(plain) = Plain::find() else { return };
    let row = [(1, at(HALF_PAST_TEN))];
    assert_eq!(
        plain.historical("driver_hourly", &row).await,
        [(1, Some(99.0))]
    );

    let features = hourly(&plain).await;
    let times = [at(HALF_PAST_TEN)];
    let frame = features
        .as_of(&drivers(&[1]), &times, Knowledge::AtRowTime)
        .await
        .unwrap();
    assert_eq!(
        (rates(&frame), trips(&frame)),
        (vec![Some(1.0)], vec![Some(10)])
    );
    let later = Knowledge::Until(at("2025-06-03T12:00:00Z"));
    let frame = features.as_of(&drivers(&[1]), &times, later).await.unwrap();
    assert_eq!(
        (rates(&frame), trips(&frame)),
        (vec![Some(99.0)], vec![Some(990)])
    );
}

#[tokio::test]
async fn f2_every_row_is_answered_in_its_place() {
    let Some(plain) = Plain::find() else { return };
    let now = at(HALF_PAST_TEN);
    let asked = [(1, now), (2, now), (3, now)];
    let answered = plain.historical("driver_hourly", &asked).await;
    assert_eq!(answered.len(), 2, "feast loses driver 3: {answered:?}");
    let doubles = plain
        .historical("driver_hourly", &[(2, now), (2, now)])
        .await;
    assert_eq!(doubles.len(), 1, "and one of two that are alike");

    let features = hourly(&plain).await;
    let asked = [8, 3, 2, 6, 2, 4, 5, 1];
    let frame = features
        .as_of(&drivers(&asked), &[now; 8], Knowledge::AtRowTime)
        .await
        .unwrap();
    let expected = [
        CellStatus::NotFound,
        CellStatus::OutsideTtl,
        CellStatus::Present,
        CellStatus::NotFound,
        CellStatus::Present,
        CellStatus::Present,
        CellStatus::NullValue,
        CellStatus::Present,
    ];
    assert_eq!(statuses(&frame), expected);
    let expected = [
        None,
        None,
        Some(2.0),
        None,
        Some(2.0),
        Some(4.0),
        None,
        Some(1.0),
    ];
    assert_eq!(rates(&frame), expected);
    assert_eq!(
        trips(&frame)[6],
        Some(50),
        "the null is of one feature alone"
    );
    assert_eq!(frame.event_time(1, 0), Some(at("2025-06-01T10:00:00Z")));
}

#[tokio::test]
async fn f3_the_ttl_holds_online_and_its_boundary_is_inside() {
    let Some(plain) = Plain::find() else { return };
    let (value, status, event) = plain.serve("driver_hourly", 3).await;
    assert_eq!(value, json!(3.0));
    assert_eq!(
        (status.as_str(), event.as_str()),
        ("PRESENT", "2025-06-01T10:00:00Z")
    );

    let features = hourly(&plain).await;
    let asked = drivers(&[3, 4, 8, 5, 4]);
    let frame = features
        .online(&asked, at(HALF_PAST_TEN), DEADLINE)
        .await
        .unwrap();
    let mut expected = [
        CellStatus::OutsideTtl,
        CellStatus::Present,
        CellStatus::NotFound,
        CellStatus::NullValue,
        CellStatus::Present,
    ];
    assert_eq!(statuses(&frame), expected);
    assert_eq!(rates(&frame), [None, Some(4.0), None, None, Some(4.0)]);
    assert_eq!(trips(&frame), [None, Some(40), None, Some(50), Some(40)]);
    assert_eq!(frame.age(0, 0), Some(24 * HOUR + HOUR / 2));
    let past = at("2025-06-02T10:30:00.000001Z");
    let frame = features.online(&asked, past, DEADLINE).await.unwrap();
    (expected[1], expected[4]) = (CellStatus::OutsideTtl, CellStatus::OutsideTtl);
    assert_eq!(statuses(&frame), expected);
}

#[tokio::test]
async fn f5_a_feature_that_feast_lacks_is_named_when_connecting() {
    let Some(plain) = Plain::find() else { return };
    let (status, _) = plain
        .post(
            "get-online-features",
            &json!({ "features": ["driver_hourly:nothing"], "entities": { "driver_id": [1] } }),
        )
        .await;
    assert_eq!(status, 500);

    let wrong = view("driver_hourly", HOUR).with_feature("nothing", FeatureType::Number);
    let error = FeastFeatures::connect(settings(&plain), wrong)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("feature `nothing`"), "{error}");
    let nowhere = FeastFeatures::connect(settings(&plain), view("nowhere", HOUR)).await;
    assert_eq!(nowhere.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn f6_serving_answers_as_training_once_everything_is_known() {
    let Some(plain) = Plain::find() else { return };
    let now = at(HALF_PAST_TEN);
    let (served, _, _) = plain.serve("driver_hourly", 3).await;
    let trained = plain.historical("driver_hourly", &[(3, now)]).await;
    assert_eq!(
        (served, trained.len()),
        (json!(3.0), 0),
        "feast differs from itself"
    );

    // Long enough for all but driver 3.
    let view = view("driver_hourly", 30 * HOUR);
    let features = FeastFeatures::connect(settings(&plain), view)
        .await
        .unwrap();
    let asked = drivers(&[1, 2, 3, 4, 5, 6, 7, 8]);
    let now = at("2025-06-03T12:00:00Z");
    let trained = features
        .as_of(&asked, &[now; 8], Knowledge::AtRowTime)
        .await
        .unwrap();
    let served = features.online(&asked, now, DEADLINE).await.unwrap();
    assert_eq!(served, trained);
    assert_eq!(trained.count(0, CellStatus::Present), 5);
    assert_eq!(trained.count(0, CellStatus::OutsideTtl), 1);
    assert_eq!(trained.count(0, CellStatus::NullValue), 1);
    assert_eq!(trained.count(0, CellStatus::NotFound), 1);
}

#[tokio::test]
async fn a_row_of_later_than_now_hides_the_one_that_counts() {
    let Some(plain) = Plain::find() else { return };
    let features = hourly(&plain).await;
    let frame = features
        .online(&drivers(&[6]), at(HALF_PAST_TEN), DEADLINE)
        .await
        .unwrap();
    assert_eq!(statuses(&frame), [CellStatus::Error]);
    assert_eq!(rates(&frame), [None]);
}

#[tokio::test]
async fn nobody_is_answered_with_nothing() {
    let Some(plain) = Plain::find() else { return };
    let features = hourly(&plain).await;
    let now = at(HALF_PAST_TEN);
    let served = features.online(&drivers(&[]), now, DEADLINE).await.unwrap();
    let trained = features
        .as_of(&drivers(&[]), &[], Knowledge::AtRowTime)
        .await
        .unwrap();
    assert_eq!(served.values().num_rows(), 0);
    assert_eq!(served, trained);
}

#[tokio::test]
async fn history_is_what_became_known_within_a_span() {
    let Some(plain) = Plain::find() else { return };
    let features = hourly(&plain).await;
    let span = TimeSpan {
        from: at("2025-06-02T10:01:00Z"),
        until: at("2025-06-03T12:00:00Z"),
    };
    let batches = features.known_within(span).await.unwrap();
    let mut found: Vec<i64> = Vec::new();
    for batch in &batches {
        assert_eq!(batch.schema().as_ref(), &features.view.row_schema());
        let keys = batch.column_by_name("driver_id").unwrap();
        found.extend(keys.as_primitive::<Int64Type>().values().iter());
    }
    found.sort_unstable();
    assert_eq!(found, [1, 2, 5, 6, 7], "the backfill at the end is outside");
}

#[tokio::test]
async fn what_the_offline_server_lacks_is_named() {
    let Some(plain) = Plain::find() else { return };
    let now = at(HALF_PAST_TEN);
    let cases = [
        (
            settings(&plain).with_data_source("nope"),
            ErrorKind::NotFound,
            "nope",
        ),
        (
            settings(&plain).with_known_column("nope"),
            ErrorKind::Invalid,
            "nope",
        ),
        (
            settings(&plain).with_data_source("driver_push"),
            ErrorKind::Invalid,
            "driver_push",
        ),
        (
            settings(&plain).with_offline_limit(64),
            ErrorKind::Invalid,
            "limit",
        ),
    ];
    for (settings, kind, culprit) in cases {
        let view = view("driver_hourly", HOUR);
        let features = FeastFeatures::connect(settings, view).await.unwrap();
        let error = features
            .as_of(&drivers(&[1]), &[now], Knowledge::AtRowTime)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(culprit), "{error}");
    }
}

#[tokio::test]
async fn without_a_known_column_every_row_was_known_when_it_happened() {
    let Some(plain) = Plain::find() else { return };
    let settings = settings(&plain).with_never_backfilled();
    let features = FeastFeatures::connect(settings, view("driver_hourly", HOUR))
        .await
        .unwrap();
    let frame = features
        .as_of(
            &drivers(&[2]),
            &[at("2025-06-02T10:00:00Z")],
            Knowledge::AtRowTime,
        )
        .await
        .unwrap();
    assert_eq!(rates(&frame), [Some(2.0)], "a minute before `created`");
}
