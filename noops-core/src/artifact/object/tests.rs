use object_store::aws::AmazonS3Builder;
use object_store::memory::InMemory;

use super::*;
use crate::conformance;

/// A prefix of its own in the bucket of the tests.
fn s3(prefix: &str) -> Option<(Arc<dyn ObjectStore>, ObjectArtifacts)> {
    let store = crate::test_server::s3()?;
    let prefix = format!("{prefix}-{}", std::process::id());
    Some((store.clone(), ObjectArtifacts::new(store, &prefix, "test")))
}

#[tokio::test]
async fn a_store_in_memory_keeps_the_contract() {
    let artifacts = ObjectArtifacts::new(Arc::new(InMemory::new()), "a/b", "test");
    conformance::artifacts::all(&artifacts).await;
}

#[tokio::test]
async fn s3_keeps_the_contract() {
    let Some((_, artifacts)) = s3("conformance") else {
        return;
    };
    conformance::artifacts::all(&artifacts).await;
}

#[tokio::test]
async fn damage_is_corrupt_and_putting_again_repairs_what_has_another_length() {
    let store = Arc::new(InMemory::new());
    let artifacts = ObjectArtifacts::new(store.clone(), "", "test");
    damage_is_found(store.as_ref(), &artifacts).await;
    if let Some((store, artifacts)) = s3("damage") {
        damage_is_found(store.as_ref(), &artifacts).await;
    }
}

async fn damage_is_found(store: &dyn ObjectStore, artifacts: &ObjectArtifacts) {
    let digest = artifacts.put(b"weights").await.unwrap();
    let place = artifacts.place(&digest);
    for damaged in [&b"weighty"[..], b"", b"weights and more"] {
        let put = store.put(&place, PutPayload::from(damaged.to_vec()));
        put.await.unwrap();
        let error = artifacts.load(&digest).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        let mut download = artifacts.download(&digest).await.unwrap();
        let end = loop {
            match download.next().await {
                Ok(Some(_)) => {}
                end => break end,
            }
        };
        assert_eq!(end.unwrap_err().kind(), ErrorKind::Corrupt);
        let after = download.next().await;
        assert!(after.is_err(), "who asks again is not told that it ended");
    }
    artifacts.put(b"weights").await.unwrap();
    assert_eq!(artifacts.load(&digest).await.unwrap(), b"weights");
}

#[tokio::test]
async fn nothing_stays_in_incoming_after_an_upload_that_was_finished() {
    let store = Arc::new(InMemory::new());
    let artifacts = ObjectArtifacts::new(store.clone(), "models", "test");
    let mut upload = artifacts.upload().await.unwrap();
    for _ in 0..5 {
        upload.write(&vec![1; PART / 2 + 1]).await.unwrap();
    }
    upload.finish().await.unwrap();
    let incoming = Path::from("models/incoming");
    let left: Vec<_> = store.list(Some(&incoming)).try_collect().await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn what_does_not_lie_at_its_address_is_not_listed() {
    let store = Arc::new(InMemory::new());
    let artifacts = ObjectArtifacts::new(store.clone(), "models", "test");
    let digest = artifacts.put(b"weights").await.unwrap();
    for name in [digest.to_string(), "x".to_owned()] {
        let place = Path::from(format!("models/sha256/x/{name}"));
        let put = store.put(&place, PutPayload::from_static(b"weights"));
        put.await.unwrap();
    }
    assert_eq!(artifacts.list().await.unwrap(), [digest]);
}

#[test]
fn two_stores_of_one_name_upload_to_different_places() {
    let store = Arc::new(InMemory::new());
    let one = ObjectArtifacts::new(store.clone(), "models", "test");
    let other = ObjectArtifacts::new(store, "models", "test");
    assert_ne!(one.incoming(), other.incoming());
}

#[tokio::test]
async fn an_upload_of_which_a_part_may_be_missing_is_not_finished() {
    let artifacts = ObjectArtifacts::new(away(), "x", "test");
    let mut upload = artifacts.upload().await.unwrap();
    let error = upload.write(&vec![1; PART + 1]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let again = upload.write(b"more").await.unwrap_err();
    assert!(again.to_string().contains("begin again"), "{again}");
    let error = upload.finish().await.unwrap_err();
    assert!(error.to_string().contains("begin again"), "{error}");
}

#[tokio::test]
async fn a_store_that_is_away_is_unavailable() {
    let artifacts = ObjectArtifacts::new(away(), "x", "test");
    let error = artifacts.put(b"weights").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_retryable());
}

/// A server where nobody listens.
fn away() -> Arc<dyn ObjectStore> {
    let away = AmazonS3Builder::new()
        .with_endpoint("http://127.0.0.1:1")
        .with_bucket_name("none")
        .with_access_key_id("a")
        .with_secret_access_key("b")
        .with_region("us-east-1")
        .with_allow_http(true)
        .with_retry(object_store::RetryConfig {
            max_retries: 0,
            ..Default::default()
        })
        .build()
        .unwrap();
    Arc::new(away)
}
