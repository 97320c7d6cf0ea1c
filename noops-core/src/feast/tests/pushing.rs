//! Pushing to a running Feast.

use serde_json::json;

use super::*;

#[tokio::test]
async fn f4_an_older_row_does_not_replace_a_newer() {
    let Some(plain) = Plain::find() else { return };
    plain
        .push(7, "2020-01-01T00:00:00Z", json!(-1.0), json!(-1))
        .await;
    let (value, _, event) = plain.serve("driver_daily", 7).await;
    assert_eq!(
        (value, event.as_str()),
        (json!(-1.0), "2020-01-01T00:00:00Z")
    );

    let features = daily(&plain).await;
    let driver = driver(1);
    let pushed = features
        .push(&rows(&[(
            driver,
            "2025-06-02T10:00:00Z",
            Some(7.0),
            Some(70),
        )]))
        .await
        .unwrap();
    assert_eq!((pushed.newest, pushed.older, pushed.repeated), (1, 0, 0));
    let pushed = features
        .push(&rows(&[(
            driver,
            "2020-01-01T00:00:00Z",
            Some(-1.0),
            Some(-1),
        )]))
        .await
        .unwrap();
    assert_eq!((pushed.newest, pushed.older, pushed.repeated), (0, 1, 0));
    let frame = features
        .online(&drivers(&[driver]), at(HALF_PAST_TEN), DEADLINE)
        .await
        .unwrap();
    assert_eq!(
        (rates(&frame), trips(&frame)),
        (vec![Some(7.0)], vec![Some(70)])
    );
}

#[tokio::test]
async fn pushing_again_changes_nothing_and_a_contradiction_is_a_conflict() {
    let Some(plain) = Plain::find() else { return };
    let features = daily(&plain).await;
    let (one, two) = (driver(11), driver(12));
    let batch = rows(&[
        (one, "2025-06-02T09:00:00Z", Some(0.5), Some(1)),
        (
            one,
            "2025-06-02T10:00:00.75Z",
            Some(0.1 + 0.2),
            Some(i64::MAX),
        ),
        (two, "2025-06-02T10:00:00Z", Some(1e300), Some(-5)),
        (two, "2025-06-02T10:00:00Z", Some(1e300), Some(-5)),
    ]);
    let first = features.push(&batch).await.unwrap();
    assert_eq!((first.newest, first.older, first.repeated), (2, 1, 1));
    let second = features.push(&batch).await.unwrap();
    assert_eq!((second.newest, second.older, second.repeated), (0, 1, 3));
    let now = at(HALF_PAST_TEN);
    let frame = features
        .online(&drivers(&[two, one]), now, DEADLINE)
        .await
        .unwrap();
    assert_eq!(rates(&frame), [Some(1e300), Some(0.1 + 0.2)]);
    assert_eq!(trips(&frame), [Some(-5), Some(i64::MAX)]);
    assert_eq!(
        frame.event_time(1, 0),
        Some(at("2025-06-02T10:00:00Z")),
        "to the second"
    );

    let other = rows(&[(one, "2025-06-02T10:00:00.25Z", Some(0.4), Some(1))]);
    assert_eq!(
        features.push(&other).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
    let freshness = features.freshness().await.unwrap();
    assert_eq!(freshness.newest_event, Some(at("2025-06-02T10:00:00.75Z")));
    assert_eq!(freshness.watermark, None);
}

#[tokio::test]
async fn nulls_are_pushed_and_what_feast_would_forget_is_refused() {
    let Some(plain) = Plain::find() else { return };
    let forgotten = driver(21);
    plain
        .push(forgotten, "2025-06-02T10:00:00Z", json!(null), json!(null))
        .await;
    let (_, status, _) = plain.serve("driver_daily", forgotten).await;
    assert_eq!(status, "NOT_FOUND", "feast took the push and forgot it");

    let features = daily(&plain).await;
    let empty: Row<'_> = (driver(22), "2025-06-02T10:00:00Z", None, None);
    let error = features.push(&rows(&[empty])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let large: Row<'_> = (
        driver(23),
        "2025-06-02T10:00:00Z",
        Some(1.0),
        Some((1 << 53) + 1),
    );
    let error = features.push(&rows(&[empty, large])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "feast would round it");
    let small: Row<'_> = (driver(23), "2025-06-02T10:00:00Z", Some(1.0), Some(3));
    let pushed = features.push(&rows(&[empty, small])).await.unwrap();
    assert_eq!(pushed.newest, 2);
    let asked = drivers(&[driver(22), driver(23)]);
    let frame = features
        .online(&asked, at(HALF_PAST_TEN), DEADLINE)
        .await
        .unwrap();
    assert_eq!(
        statuses(&frame),
        [CellStatus::NullValue, CellStatus::Present]
    );
    assert_eq!(trips(&frame), [None, Some(3)]);
}

#[tokio::test]
async fn a_push_is_taken_whole_or_not_at_all() {
    let Some(plain) = Plain::find() else { return };
    let features = daily(&plain).await;
    let (one, two) = (driver(31), driver(32));
    let with_nan = rows(&[
        (one, "2025-06-02T10:00:00Z", Some(1.0), Some(1)),
        (two, "2025-06-02T10:00:00Z", Some(f64::NAN), Some(2)),
    ]);
    let error = features.push(&with_nan).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("row `1`"), "{error}");
    let frame = features
        .online(&drivers(&[one, two]), at(HALF_PAST_TEN), DEADLINE)
        .await
        .unwrap();
    assert_eq!(
        statuses(&frame),
        [CellStatus::NotFound, CellStatus::NotFound]
    );
}
