//! The clauses of [`ArtifactStore`].

use std::pin::{Pin, pin};
use std::task::Poll;

use super::kind;
use crate::{ArtifactStore, Digest, ErrorKind};

/// Every clause.
pub async fn all(artifacts: &dyn ArtifactStore) {
    the_address_is_the_digest(artifacts).await;
    what_is_not_there_is_not_found(artifacts).await;
    pieces_make_the_same_artifact(artifacts).await;
    an_upload_given_up_leaves_nothing(artifacts).await;
    a_call_that_was_cut_off_is_not_the_end(artifacts).await;
    many_writers_of_one_digest_agree(artifacts).await;
    what_is_deleted_is_gone_and_may_come_back(artifacts).await;
}

/// Putting again changes nothing.
pub async fn the_address_is_the_digest(artifacts: &dyn ArtifactStore) {
    let bytes = b"conformance artifact";
    let digest = artifacts.put(bytes).await.unwrap();
    assert_eq!(digest, Digest::of(bytes));
    assert_eq!(artifacts.put(bytes).await.unwrap(), digest);
    assert_eq!(artifacts.load(&digest).await.unwrap(), bytes);
    let empty = artifacts.put(b"").await.unwrap();
    assert!(
        artifacts.load(&empty).await.unwrap().is_empty(),
        "no bytes are bytes too"
    );
    assert_eq!(download(artifacts, &empty).await, b"");
}

/// Not empty, not an error of the connection.
pub async fn what_is_not_there_is_not_found(artifacts: &dyn ArtifactStore) {
    let none = Digest::of(b"none");
    assert_eq!(kind(artifacts.load(&none).await), ErrorKind::NotFound);
    let begun = artifacts.download(&none).await;
    let found = match begun {
        Ok(mut begun) => kind(begun.next().await),
        Err(error) => error.kind(),
    };
    assert_eq!(found, ErrorKind::NotFound);
}

/// Streaming and whole are one store.
pub async fn pieces_make_the_same_artifact(artifacts: &dyn ArtifactStore) {
    // More than one part of any store's multi-part upload, and not a multiple of anything.
    let bytes: Vec<u8> = (0..11_000_003_u32)
        .map(|n| (n.wrapping_mul(n) >> 7) as u8)
        .collect();
    let mut upload = artifacts.upload().await.unwrap();
    for chunk in bytes.chunks(700_001) {
        upload.write(chunk).await.unwrap();
    }
    upload.write(b"").await.unwrap();
    let digest = upload.finish().await.unwrap();
    assert_eq!(digest, Digest::of(&bytes));
    assert!(artifacts.load(&digest).await.unwrap() == bytes);
    assert!(download(artifacts, &digest).await == bytes);
    let nothing = artifacts.upload().await.unwrap().finish().await.unwrap();
    assert_eq!(nothing, Digest::of(b""));
}

/// Nobody sees half of it.
pub async fn an_upload_given_up_leaves_nothing(artifacts: &dyn ArtifactStore) {
    let before = artifacts.list().await.unwrap();
    // So much that some of it has left for any store.
    let bytes = vec![9; 9_000_000];
    let mut upload = artifacts.upload().await.unwrap();
    upload.write(&bytes).await.unwrap();
    drop(upload);
    assert_eq!(artifacts.list().await.unwrap(), before);
    let given_up = Digest::of(&bytes);
    assert_eq!(kind(artifacts.load(&given_up).await), ErrorKind::NotFound);
}

/// A call that is dropped while it waits, as by a timeout, must not make a part look like the whole.
pub async fn a_call_that_was_cut_off_is_not_the_end(artifacts: &dyn ArtifactStore) {
    let bytes = vec![5; 3_000_000];
    let digest = artifacts.put(&bytes).await.unwrap();
    let mut download = artifacts.download(&digest).await.unwrap();
    let mut seen = Vec::new();
    if let Some(first) = cut_off(download.next()).await {
        seen.extend(first.unwrap().unwrap_or_default());
    }
    loop {
        match download.next().await {
            Ok(Some(chunk)) => seen.extend(chunk),
            Ok(None) => {
                assert!(seen == bytes, "a part was taken for the whole");
                break;
            }
            Err(_) => break,
        }
    }
    let large = vec![6; 9_000_000];
    let mut upload = artifacts.upload().await.unwrap();
    cut_off(upload.write(&large)).await;
    // It may be refused here or at the end, or be as it should.
    upload.write(b"the end").await.ok();
    if let Ok(digest) = upload.finish().await {
        let stored = artifacts.load(&digest).await;
        assert_eq!(Digest::of(&stored.unwrap()), digest);
    }
}

/// Twenty at once, and readers between them see all or nothing.
pub async fn many_writers_of_one_digest_agree(artifacts: &dyn ArtifactStore) {
    let bytes = vec![7; 100_000];
    let digest = Digest::of(&bytes);
    let mut calls: Vec<Pin<Box<dyn Future<Output = ()> + Send + '_>>> = Vec::new();
    for _ in 0..20 {
        calls.push(Box::pin(async {
            assert_eq!(artifacts.put(&bytes).await.unwrap(), digest);
        }));
        calls.push(Box::pin(async {
            match artifacts.load(&digest).await {
                Ok(seen) => assert!(seen == bytes, "half of it was seen"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{error}"),
            }
        }));
    }
    together(calls).await;
    assert!(artifacts.load(&digest).await.unwrap() == bytes);
    let listed = artifacts.list().await.unwrap();
    assert_eq!(listed.iter().filter(|seen| **seen == digest).count(), 1);
    assert!(listed.is_sorted(), "the list is in order");
}

/// Deleting again, or what was never there, changes nothing.
pub async fn what_is_deleted_is_gone_and_may_come_back(artifacts: &dyn ArtifactStore) {
    let digest = artifacts.put(b"for a while").await.unwrap();
    artifacts.delete(&digest).await.unwrap();
    artifacts.delete(&digest).await.unwrap();
    assert_eq!(kind(artifacts.load(&digest).await), ErrorKind::NotFound);
    assert!(!artifacts.list().await.unwrap().contains(&digest));
    artifacts.put(b"for a while").await.unwrap();
    assert_eq!(artifacts.load(&digest).await.unwrap(), b"for a while");
}

async fn download(artifacts: &dyn ArtifactStore, digest: &Digest) -> Vec<u8> {
    let mut download = artifacts.download(digest).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = download.next().await.unwrap() {
        bytes.extend(chunk);
    }
    let after = download.next().await.unwrap();
    assert_eq!(after, None, "nothing comes after the end");
    bytes
}

/// Polls a future once, and drops it if it is not ready.
async fn cut_off<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

/// Polls futures side by side until all are ready.
pub(super) async fn together<F: Future + Unpin>(futures: Vec<F>) -> Vec<F::Output> {
    let mut waiting: Vec<Option<F>> = futures.into_iter().map(Some).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (waiting, done) in waiting.iter_mut().zip(&mut done) {
            if let Some(future) = waiting
                && let Poll::Ready(output) = Pin::new(future).poll(context)
            {
                *done = Some(output);
                *waiting = None;
            }
        }
        if waiting.iter().any(Option::is_some) {
            return Poll::Pending;
        }
        Poll::Ready(done.iter_mut().filter_map(Option::take).collect())
    })
    .await
}
