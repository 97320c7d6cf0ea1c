use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch};

use super::*;
use crate::InMemoryFeatures;
use crate::features::OnlineFeatures as _;
use crate::features::fixture::{at, drivers, rows, view};

/// Driver 1 is backfilled: the value of second 15 becomes known at second 90. Driver 2 is corrected to null at second 95.
async fn store() -> InMemoryFeatures {
    let store = InMemoryFeatures::new(view());
    let known = [
        (1, 10, 10, Some(1.0), None),
        (1, 15, 90, Some(99.0), None),
        (2, 10, 10, Some(2.0), None),
        (2, 10, 95, None, None),
        (3, 10, 10, Some(3.0), None),
    ];
    store.push(&rows(&known)).await.unwrap();
    store
}

fn trained(scores: &[Option<f64>]) -> RecordBatch {
    let scores: ArrayRef = Arc::new(Float64Array::from(scores.to_vec()));
    RecordBatch::try_from_iter_with_nullable([("score", scores, true)]).unwrap()
}

async fn look(scores: &[Option<f64>]) -> Result<LeakageReport, Error> {
    let (entities, times) = (drivers(&[1, 2, 3]), [at(50); 3]);
    leakage(&store().await, &entities, &times, &trained(scores), at(100)).await
}

#[tokio::test]
async fn rows_joined_by_what_was_known_are_clean() {
    let (entities, times) = (drivers(&[1, 2, 3]), [at(50); 3]);
    let store = store().await;
    let frame = store
        .as_of(&entities, &times, Knowledge::AtRowTime)
        .await
        .unwrap();
    let report = leakage(&store, &entities, &times, frame.values(), at(100))
        .await
        .unwrap();
    assert!(report.is_clean());
    let score = &report.features()[0];
    assert_eq!(
        (score.compared, score.telling, score.unexplained),
        (3, 2, 0)
    );
}

#[tokio::test]
async fn a_backfilled_value_and_a_later_null_are_leaks() {
    let report = look(&[Some(99.0), None, Some(3.0)]).await.unwrap();
    assert!(!report.is_clean());
    let score = &report.features()[0];
    assert_eq!((score.leaked, score.unexplained), (2, 0));
    let first = score.first.as_ref().unwrap();
    assert_eq!((first.row, first.at), (0, at(50)));
    assert_eq!(
        (first.trained.as_str(), first.known_then.as_str()),
        ("99.0", "1.0")
    );
    let text = report.to_string();
    assert!(text.contains("first leak in row 0"), "{text}");
}

#[tokio::test]
async fn a_value_from_nowhere_is_unexplained_not_leaked() {
    let report = look(&[Some(1.0), Some(2.0), Some(-3.0)]).await.unwrap();
    let score = &report.features()[0];
    assert_eq!((score.leaked, score.unexplained), (0, 1));
    assert_eq!(report.untrained(), ["city"]);
}

#[tokio::test]
async fn bad_input_is_refused() {
    let two = look(&[None, None]).await.unwrap_err();
    assert_eq!(two.kind(), ErrorKind::Invalid);
    let (entities, rows) = (drivers(&[1]), trained(&[None]));
    let early = leakage(&store().await, &entities, &[at(101)], &rows, at(100)).await;
    assert_eq!(early.unwrap_err().kind(), ErrorKind::Invalid);
    let times = [at(1)];
    let keyless = leakage(&store().await, &rows, &times, &rows, at(100)).await;
    assert_eq!(keyless.unwrap_err().kind(), ErrorKind::Invalid);
}
