use super::*;
use crate::test_server::{Cached, Guarded};

/// A cluster of one running job that accepts one token.
fn guarded(accepts: &'static str) -> Guarded {
    Guarded::new(accepts, |path, _| {
        if path.ends_with("/logs") {
            json!({ "logs": "noops: step=4 value=0.5\n" })
        } else {
            json!({ "status": "RUNNING", "start_time": 0 })
        }
    })
}

/// Jobs of a cluster, with a cache that holds one secret and a source that holds another.
fn jobs(address: &str, cached: &str, source: &str) -> RayJobs {
    let name: SecretName = "ray-token".parse().unwrap();
    let secrets = Cached::new(&name, cached, source);
    let settings = RaySettings::default().with_secret(secrets, name);
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    RayJobs::new(address, settings, clock).unwrap()
}

#[tokio::test]
async fn a_token_that_was_rotated_is_fetched_and_the_call_made_again() {
    let cluster = guarded("rotated");
    let jobs = jobs(cluster.address(), "outdated", "rotated");
    let run = spec("true").run_id();
    let status = jobs.status(&run).await.unwrap();
    assert!(
        matches!(status, RunStatus::Running { heartbeat, .. } if heartbeat.step == 4),
        "{status:?}"
    );
    jobs.cancel(&run).await.unwrap();
    assert!(jobs.logs(&run).await.unwrap().contains("step=4"));
    assert_eq!(jobs.submit(&spec("true")).await.unwrap(), run);
    let expected = [
        "outdated", "rotated", "rotated", "rotated", "rotated", "rotated",
    ];
    assert_eq!(cluster.presented(), expected);
    let printed = format!("{jobs:?}");
    assert!(
        !printed.contains("rotated") && !printed.contains("outdated"),
        "{printed}"
    );
}

#[tokio::test]
async fn a_token_that_is_wrong_is_presented_once_and_not_shown() {
    let cluster = guarded("rotated");
    let jobs = jobs(cluster.address(), "mistaken", "mistaken");
    let error = jobs.status(&spec("true").run_id()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorised);
    assert!(!format!("{error} {error:?}").contains("mistaken"));
    assert_eq!(cluster.presented(), ["mistaken"]);
}

#[tokio::test]
async fn without_a_secret_no_token_is_sent() {
    let cluster = guarded("none");
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let jobs = RayJobs::new(cluster.address(), RaySettings::default(), clock).unwrap();
    jobs.status(&spec("true").run_id()).await.unwrap();
    assert_eq!(cluster.presented(), ["none", "none"]);
}

/// Or a run that succeeded would be told to have failed, for the length of its log.
#[tokio::test]
async fn a_token_that_no_header_takes_is_no_log_that_is_too_large() {
    let cluster = guarded("rotated");
    let jobs = jobs(cluster.address(), "line\nend", "line\nend");
    let run = spec("true").run_id();
    let error = jobs.logs(&run).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("no header takes"), "{error}");
    assert!(jobs.report(&run).await.is_err());
    assert!(cluster.presented().is_empty());
}
