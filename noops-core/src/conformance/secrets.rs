//! The clauses of [`Secrets`].

use super::kind;
use crate::{ErrorKind, SecretName, Secrets};

/// The clauses of [`Secrets`] that hold for every source: `known` must hold `expected`, and `absent` must not exist.
pub async fn all(secrets: &dyn Secrets, known: &SecretName, expected: &str, absent: &SecretName) {
    let current = secrets.current(known).await.unwrap();
    assert!(current.expose() == expected, "the secret is read whole");
    let fresh = secrets.refresh(known).await.unwrap();
    assert!(fresh == current, "nobody rotated the secret");

    assert_eq!(
        kind(secrets.refresh(absent).await),
        ErrorKind::NotFound,
        "a secret that does not exist is not found"
    );
    let Err(error) = secrets.current(absent).await else {
        panic!("a secret that does not exist is not found");
    };
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let printed = format!("{error} {error:?}");
    assert!(
        printed.contains(absent.as_str()),
        "the error names the secret: {printed}"
    );
    assert!(
        !format!("{secrets:?} {secrets:#?} {printed}").contains(expected),
        "a secret is never printed"
    );
}

/// The clauses of [`Secrets`] about rotation, for a source whose secret `name` the given function can set.
pub async fn rotating<R, F>(secrets: &dyn Secrets, name: &SecretName, mut rotate: R)
where
    R: FnMut(String) -> F,
    F: Future<Output = ()>,
{
    for round in 0..4 {
        let text = format!("conformance-{round}");
        rotate(text.clone()).await;
        let fresh = secrets.refresh(name).await.unwrap();
        assert!(
            fresh.expose() == text,
            "a refresh asks the source, not a cache"
        );
        let current = secrets.current(name).await.unwrap();
        assert!(current == fresh, "what a refresh returned is current");
        assert!(
            !format!("{secrets:?} {secrets:#?}").contains(&text),
            "a secret is never printed"
        );
    }
}
