//! A secret that rotates, in front of a server of this test alone.

use serde_json::Value;

use super::hostile::document;
use super::*;
use crate::secret::SecretName;
use crate::test_server::{Cached, Guarded};

/// When what is pushed happened.
const EVENT: &str = "2025-06-02T10:00:00Z";

/// A server that knows nobody until something is pushed, and settings with a cache that holds one secret and a source that holds another;
/// the cache is behind again after each answer.
fn guarded(cached: &'static str, source: &str) -> (Guarded, FeastSettings) {
    let name: SecretName = "feast-token".parse().unwrap();
    let secrets = Cached::new(&name, cached, source);
    let behind = Arc::clone(&secrets);
    let mut is_pushed = false;
    let server = Guarded::new("rotated", move |path, body| {
        behind.fall_behind(cached);
        if path == "/push" {
            is_pushed = body["df"]["trips"] == json!([10]);
            Value::Null
        } else if is_pushed {
            document(body, &json!(1.0), &json!(10), "PRESENT", EVENT)
        } else {
            let never = "1970-01-01T00:00:00Z";
            document(body, &Value::Null, &Value::Null, "NOT_FOUND", never)
        }
    });
    let states = Arc::new(InMemoryStates::new());
    let settings = FeastSettings::new(server.address(), "grpc://127.0.0.1:1", states)
        .with_secret(secrets, name);
    (server, settings)
}

#[tokio::test]
async fn reading_and_pushing_follow_a_secret_that_was_rotated() {
    let (server, settings) = guarded("outdated", "rotated");
    let connected = FeastFeatures::connect(settings, view("driver_hourly", HOUR)).await;
    let features = connected.unwrap();
    assert_eq!(server.presented(), ["outdated", "rotated"]);

    let (asked, now) = (drivers(&[1]), at(HALF_PAST_TEN));
    let frame = features.online(&asked, now, DEADLINE).await.unwrap();
    assert_eq!(statuses(&frame), [CellStatus::NotFound]);
    assert_eq!(server.presented().len(), 4);

    let row = rows(&[(1, EVENT, Some(1.0), Some(10))]);
    assert_eq!(features.push(&row).await.unwrap().newest, 1);
    assert_eq!(server.presented().len(), 10, "it looks, sends, looks again");

    let frame = features.online(&asked, now, DEADLINE).await.unwrap();
    assert_eq!(rates(&frame), [Some(1.0)]);
    let presented = server.presented();
    assert_eq!(presented.len(), 12);
    for pair in presented.chunks(2) {
        assert_eq!(pair, ["outdated", "rotated"]);
    }
    let printed = format!("{features:?}");
    assert!(
        !printed.contains("rotated") && !printed.contains("outdated"),
        "{printed}"
    );
}

#[tokio::test]
async fn a_secret_that_is_wrong_is_presented_once_and_not_shown() {
    let (server, settings) = guarded("mistaken", "mistaken");
    let connected = FeastFeatures::connect(settings, view("driver_hourly", HOUR)).await;
    let error = connected.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorised);
    assert!(!format!("{error} {error:?}").contains("mistaken"));
    assert_eq!(server.presented(), ["mistaken"]);
}
