//! A secret that rotates, in front of a server of this test alone.

use super::*;
use crate::secret::SecretName;
use crate::test_server::{Cached, Guarded};

/// A registry with a cache that holds one secret and a source that holds another; the cache is behind again after each answer.
fn guarded(cached: &'static str, source: &str) -> (Guarded, MlflowRegistry) {
    let name: SecretName = "mlflow-token".parse().unwrap();
    let secrets = Cached::new(&name, cached, source);
    let behind = Arc::clone(&secrets);
    let server = Guarded::new("rotated", move |path, body| {
        behind.fall_behind(cached);
        if path.contains("/registered-models/get") {
            json!({ "registered_model": { "name": "guarded", "tags": [], "aliases": [] } })
        } else {
            // Of a list, the last page and without items.
            json!({ "posted": body })
        }
    });
    let settings = MlflowSettings::new(server.address()).with_secret(secrets, name);
    let leases = Arc::new(InMemoryLeases::new());
    let clock = Arc::new(ManualClock::new(at(0)));
    let registry = MlflowRegistry::new(settings, leases, clock, "one").unwrap();
    (server, registry)
}

#[tokio::test]
async fn each_call_follows_a_secret_that_was_rotated() {
    let (server, registry) = guarded("outdated", "rotated");
    let versions = registry.versions(&model("guarded")).await.unwrap();
    assert!(versions.is_empty());
    assert_eq!(
        server.presented(),
        ["outdated", "rotated", "outdated", "rotated"],
        "the model and its versions"
    );
    assert!(registry.models().await.unwrap().is_empty());
    assert_eq!(server.presented().len(), 6);
    let printed = format!("{registry:?}");
    assert!(
        !printed.contains("rotated") && !printed.contains("outdated"),
        "{printed}"
    );
}

#[tokio::test]
async fn what_is_posted_goes_along_with_the_fresh_secret() {
    let (server, registry) = guarded("outdated", "rotated");
    let body = json!({ "name": "guarded" });
    let answer = registry.api.post("test", &["anything"], &body).await;
    let answer = answer.unwrap().done("test").unwrap();
    assert_eq!(answer["posted"], body);
    assert_eq!(server.presented(), ["outdated", "rotated"]);
}

#[tokio::test]
async fn a_secret_that_is_wrong_is_presented_once_and_not_shown() {
    let (server, registry) = guarded("mistaken", "mistaken");
    let error = registry.versions(&model("guarded")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorised);
    assert!(!format!("{error} {error:?}").contains("mistaken"));
    assert_eq!(server.presented(), ["mistaken"]);
}
