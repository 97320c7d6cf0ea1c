//! The contracts of the traits as functions that panic where an implementation breaks one.
//!
//! Run them from your own tests against a fresh, empty instance. Not covered by semver: a clause may be added at any time.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "these are assertions for tests"
)]

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use crate::{
    Alias, AliasMove, ArtifactStore, AuditEntry, AuditLog, AuditRecord, Contract, Digest,
    ErrorKind, Feature, FeatureRule, Lineage, ModelName, ModelRegistry, OutputRule, Registration,
    StateStore, verify_chain,
};

/// Every clause of [`ModelRegistry`].
pub async fn registry(registry: &dyn ModelRegistry) {
    let model: ModelName = "conformance".parse().unwrap();
    let champion = Alias::champion();
    assert!(
        registry.versions(&model).await.unwrap().is_empty(),
        "an unknown model has no versions"
    );

    let first = registry
        .register(registration(&model, b"one"))
        .await
        .unwrap();
    let second = registry
        .register(registration(&model, b"two"))
        .await
        .unwrap();
    assert_eq!(
        (first.number(), second.number()),
        (1, 2),
        "numbers count from 1"
    );
    assert_eq!(
        registry
            .register(registration(&model, b"one"))
            .await
            .unwrap(),
        first,
        "registering again returns what exists"
    );
    let mut changed = registration(&model, b"one");
    changed.metrics.insert("brier".into(), 0.1);
    assert_eq!(
        kind(registry.register(changed).await),
        ErrorKind::Conflict,
        "a version is immutable"
    );
    assert_eq!(
        registry.versions(&model).await.unwrap(),
        [first.clone(), second.clone()]
    );
    assert_eq!(
        registry.version(&model, &second.digest()).await.unwrap(),
        second
    );
    assert_eq!(
        kind(registry.version(&model, &Digest::of(b"none")).await),
        ErrorKind::NotFound
    );

    let mut unreadable = registration(&model, b"three");
    unreadable.metrics.insert("auc".into(), f64::NAN);
    assert_eq!(
        kind(registry.register(unreadable).await),
        ErrorKind::Invalid,
        "what cannot be read back is refused"
    );

    let to_first = AliasMove {
        alias: champion.clone(),
        from: None,
        to: first.digest(),
        at: at(1),
    };
    registry.move_alias(&model, &to_first).await.unwrap();
    assert_eq!(
        kind(registry.move_alias(&model, &to_first).await),
        ErrorKind::Conflict,
        "a move from a wrong belief is refused"
    );
    let to_nothing = AliasMove {
        alias: champion.clone(),
        from: Some(first.digest()),
        to: Digest::of(b"none"),
        at: at(2),
    };
    assert_eq!(
        kind(registry.move_alias(&model, &to_nothing).await),
        ErrorKind::NotFound,
        "an alias never dangles"
    );
    let to_second = AliasMove {
        alias: champion.clone(),
        from: Some(first.digest()),
        to: second.digest(),
        at: at(3),
    };
    registry.move_alias(&model, &to_second).await.unwrap();
    let history = registry.alias_history(&model, &champion).await.unwrap();
    let expected = [(first.digest(), at(1)), (second.digest(), at(3))];
    assert!(
        history
            .iter()
            .map(|target| (target.digest, target.since))
            .eq(expected),
        "history is kept"
    );
    assert!(
        registry
            .alias_history(&model, &Alias::challenger())
            .await
            .unwrap()
            .is_empty()
    );
}

/// Every clause of [`ArtifactStore`].
pub async fn artifacts(artifacts: &dyn ArtifactStore) {
    let bytes = b"conformance artifact";
    let digest = artifacts.put(bytes).await.unwrap();
    assert_eq!(
        digest,
        Digest::of(bytes),
        "the address is the content's digest"
    );
    assert_eq!(
        artifacts.put(bytes).await.unwrap(),
        digest,
        "putting again changes nothing"
    );
    assert_eq!(artifacts.load(&digest).await.unwrap(), bytes);
    let empty = artifacts.put(b"").await.unwrap();
    assert!(
        artifacts.load(&empty).await.unwrap().is_empty(),
        "no bytes are bytes too"
    );
    assert_eq!(
        kind(artifacts.load(&Digest::of(b"none")).await),
        ErrorKind::NotFound
    );
}

/// Every clause of [`AuditLog`].
pub async fn audit_log(log: &dyn AuditLog) {
    let first = log.append(record("a", 1)).await.unwrap();
    assert_eq!((first.sequence, first.previous), (0, AuditEntry::ORIGIN));
    let second = log.append(record("b", 2)).await.unwrap();
    assert_eq!(second.previous, first.hash);
    assert_eq!(
        log.append(record("a", 1)).await.unwrap(),
        first,
        "the same record again is the same entry"
    );
    assert_eq!(
        kind(log.append(record("a", 2)).await),
        ErrorKind::Conflict,
        "another record under a used key is refused"
    );
    let entries = log.entries().await.unwrap();
    assert_eq!(entries, [first, second]);
    assert_eq!(verify_chain(&entries), Ok(()));
}

/// Every clause of [`StateStore`].
pub async fn states(states: &dyn StateStore) {
    assert_eq!(states.load("conformance").await.unwrap(), None);
    assert_eq!(
        kind(states.save("conformance", 1, b"x").await),
        ErrorKind::Conflict,
        "nothing is stored at generation 1"
    );
    states.save("conformance", 0, b"one").await.unwrap();
    assert_eq!(
        kind(states.save("conformance", 0, b"x").await),
        ErrorKind::Conflict,
        "somebody was first"
    );
    states.save("conformance", 1, b"two").await.unwrap();
    let snapshot = states.load("conformance").await.unwrap().unwrap();
    assert_eq!(
        (snapshot.generation, snapshot.bytes.as_slice()),
        (2, &b"two"[..])
    );
}

fn registration(model: &ModelName, artifact: &[u8]) -> Registration {
    let rule = FeatureRule::strict(Feature::number("x"));
    Registration {
        model: model.clone(),
        digest: Digest::of(artifact),
        contract: Contract::new([rule], OutputRule::probability()).unwrap(),
        metrics: BTreeMap::from([("brier".to_owned(), 0.166)]),
        parameters: BTreeMap::new(),
        profile: Some(json!({ "rows": 1 })),
        lineage: Lineage {
            training_run: "run-1".into(),
            ..Lineage::default()
        },
        registered_at: at(0),
    }
}

fn record(key: &str, value: u64) -> AuditRecord {
    AuditRecord {
        key: key.into(),
        at: at(0),
        kind: "conformance".into(),
        body: json!({ "value": value }),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn kind<T>(result: Result<T, crate::Error>) -> ErrorKind {
    match result {
        Ok(_) => panic!("this call must fail"),
        Err(error) => error.kind(),
    }
}
