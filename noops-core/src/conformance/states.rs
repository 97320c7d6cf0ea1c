//! The clauses of [`StateStore`].

use super::artifacts::together;
use super::kind;
use crate::{ErrorKind, FencingToken, StateStore};

/// Every clause.
pub async fn all(states: &dyn StateStore) {
    a_save_needs_the_generation_it_read(states).await;
    of_many_saves_of_one_generation_one_is_done(states).await;
    a_stale_token_is_refused(states).await;
}

/// Compare-and-swap.
pub async fn a_save_needs_the_generation_it_read(states: &dyn StateStore) {
    let (key, none) = ("conformance", FencingToken::NONE);
    assert_eq!(states.load(key).await.unwrap(), None);
    assert_eq!(
        kind(states.save(key, 1, b"x", none).await),
        ErrorKind::Conflict,
        "nothing is stored at generation 1"
    );
    states.save(key, 0, b"one", none).await.unwrap();
    assert_eq!(
        kind(states.save(key, 0, b"x", none).await),
        ErrorKind::Conflict,
        "somebody was first"
    );
    states.save(key, 1, b"two", none).await.unwrap();
    let snapshot = states.load(key).await.unwrap().unwrap();
    assert_eq!(snapshot.generation, 2);
    assert_eq!(snapshot.bytes, b"two");
}

/// Eight at once, and the one that was told that it saved is the one that did.
pub async fn of_many_saves_of_one_generation_one_is_done(states: &dyn StateStore) {
    let key = "conformance-at-once";
    let saved: Vec<Vec<u8>> = (0..8).map(|n| vec![n]).collect();
    let saves = saved.iter();
    let saves = saves.map(|bytes| states.save(key, 0, bytes, FencingToken::NONE));
    let mut done = Vec::new();
    for (bytes, result) in saved.iter().zip(together(saves.collect()).await) {
        match result {
            Ok(()) => done.push(bytes.clone()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
        }
    }
    let snapshot = states.load(key).await.unwrap().unwrap();
    assert_eq!(snapshot.generation, 1);
    assert_eq!(done, [snapshot.bytes], "one and no other");
}

/// Who has lost the lease cannot save any more.
pub async fn a_stale_token_is_refused(states: &dyn StateStore) {
    let (key, token) = ("conformance-fenced", FencingToken::new);
    states.save(key, 0, b"one", token(3)).await.unwrap();
    assert_eq!(
        kind(states.save(key, 1, b"x", token(2)).await),
        ErrorKind::Fenced
    );
    assert_eq!(
        kind(states.save(key, 9, b"x", token(2)).await),
        ErrorKind::Fenced,
        "the token is looked at first"
    );
    states.save(key, 1, b"two", token(4)).await.unwrap();
    assert_eq!(
        kind(states.save(key, 1, b"x", token(5)).await),
        ErrorKind::Conflict
    );
    assert_eq!(
        kind(states.save(key, 2, b"x", token(4)).await),
        ErrorKind::Fenced,
        "a refused save has shown its token all the same"
    );
    states.save(key, 2, b"three", token(5)).await.unwrap();
    states
        .save("conformance-unfenced", 0, b"other keys are apart", token(0))
        .await
        .unwrap();
}
