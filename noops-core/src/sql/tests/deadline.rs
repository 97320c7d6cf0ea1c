use std::time::Duration;

use super::*;
use crate::features::fixture::{at, drivers, rows, view};
use crate::{CellStatus, OnlineFeatures};

/// More than any answer takes that is not waited for.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_deadline_ends_the_wait_for_the_only_connection() {
    let folder = Folder::new("deadline");
    let database = SqlDatabase::open(&folder.file()).await.unwrap();
    let features = database.features(view()).unwrap();
    let row = rows(&[(7, 100, 100, Some(4.5), Some("Bern"))]);
    features.push(&row).await.unwrap();
    let (asked, now) = (drivers(&[7]), at(150));

    let held = database.pool.acquire().await.unwrap();
    let answer = features.online(&asked, now, Duration::from_millis(50));
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    let error = answer.expect("an answer in time").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded, "{error}");
    drop(held);

    let frame = features.online(&asked, now, PATIENCE).await.unwrap();
    assert_eq!(frame.status(0, 0), Some(CellStatus::Present));
}
