use std::sync::{Mutex, PoisonError};

use super::*;
use crate::secret::{InMemorySecrets, Secret};

/// A source in front of which a cache is behind until it is refreshed.
#[derive(Debug, Default)]
struct Cached {
    cache: InMemorySecrets,
    source: InMemorySecrets,
}

#[async_trait]
impl Secrets for Cached {
    async fn current(&self, name: &SecretName) -> Result<Secret, Error> {
        self.cache.current(name).await
    }

    async fn refresh(&self, name: &SecretName) -> Result<Secret, Error> {
        let fresh = self.source.refresh(name).await?;
        self.cache.rotate(name.clone(), fresh.clone());
        Ok(fresh)
    }
}

/// The tokens that requests came with, in order.
type Presented = Arc<Mutex<Vec<String>>>;

fn presented(tokens: &Presented) -> Vec<String> {
    tokens
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// A cluster of one running job that accepts one token.
fn guarded(accepts: &'static str) -> (String, Presented) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let tokens = Presented::default();
    let seen = Arc::clone(&tokens);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request: Vec<u8> = Vec::new();
            let mut buffer = [0u8; 4096];
            // None of these requests has a body.
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let read = stream.read(&mut buffer).unwrap();
                assert!(read > 0, "the client went away");
                request.extend_from_slice(&buffer[..read]);
            }
            let request = String::from_utf8(request).unwrap().to_lowercase();
            let token = request
                .split("authorization: bearer ")
                .nth(1)
                .and_then(|rest| rest.split("\r\n").next())
                .unwrap_or("none")
                .to_owned();
            let (status, body) = if token != accepts {
                ("401 Unauthorized", json!({ "error": token }))
            } else if request.contains("/logs http") {
                ("200 OK", json!({ "logs": "noops: step=4 value=0.5\n" }))
            } else {
                ("200 OK", json!({ "status": "RUNNING", "start_time": 0 }))
            };
            seen.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(token);
            let body = body.to_string();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            // The client may have hung up.
            stream.write_all(answer.as_bytes()).ok();
        }
    });
    (address, tokens)
}

/// Jobs of a cluster, with a cache that holds one secret and a source that holds another.
fn jobs(address: &str, cached: &str, source: &str) -> RayJobs {
    let name: SecretName = "ray-token".parse().unwrap();
    let secrets = Cached::default();
    secrets.cache.rotate(name.clone(), Secret::new(cached));
    secrets.source.rotate(name.clone(), Secret::new(source));
    let settings = RaySettings::default().with_secret(Arc::new(secrets), name);
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    RayJobs::new(address, settings, clock).unwrap()
}

#[tokio::test]
async fn a_token_that_was_rotated_is_fetched_and_the_call_made_again() {
    let (address, tokens) = guarded("rotated");
    let jobs = jobs(&address, "outdated", "rotated");
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
    assert_eq!(presented(&tokens), expected);
    let printed = format!("{jobs:?}");
    assert!(
        !printed.contains("rotated") && !printed.contains("outdated"),
        "{printed}"
    );
}

#[tokio::test]
async fn a_token_that_is_wrong_is_presented_once_and_not_shown() {
    let (address, tokens) = guarded("rotated");
    let jobs = jobs(&address, "mistaken", "mistaken");
    let error = jobs.status(&spec("true").run_id()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorised);
    assert!(!format!("{error} {error:?}").contains("mistaken"));
    assert_eq!(presented(&tokens), ["mistaken"]);
}

#[tokio::test]
async fn without_a_secret_no_token_is_sent() {
    let (address, tokens) = guarded("none");
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let jobs = RayJobs::new(&address, RaySettings::default(), clock).unwrap();
    jobs.status(&spec("true").run_id()).await.unwrap();
    assert_eq!(presented(&tokens), ["none", "none"]);
}

/// Or a run that succeeded would be told to have failed, for the length of its log.
#[tokio::test]
async fn a_token_that_no_header_takes_is_no_log_that_is_too_large() {
    let (address, tokens) = guarded("rotated");
    let jobs = jobs(&address, "line\nend", "line\nend");
    let run = spec("true").run_id();
    let error = jobs.logs(&run).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("no header takes"), "{error}");
    assert!(jobs.report(&run).await.is_err());
    assert!(presented(&tokens).is_empty());
}
