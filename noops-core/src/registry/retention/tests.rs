use super::*;
use crate::conformance::registry::registration;
use crate::{
    Alias, AliasMove, ArtifactStore, InMemoryArtifacts, InMemoryRegistry, ModelRegistry,
    Registration,
};

/// A registry with `count` versions, registered a day apart from day 0 on.
async fn daily_versions(count: u64) -> (InMemoryRegistry, InMemoryArtifacts, Vec<Digest>) {
    let (registry, artifacts) = (InMemoryRegistry::new(), InMemoryArtifacts::new());
    let mut digests = Vec::new();
    for n in 0..count {
        let bytes = n.to_le_bytes();
        artifacts.put(&bytes).await.unwrap();
        let registered_at = day(n as i64);
        let version = Registration {
            registered_at,
            ..registration(&model(), &bytes)
        };
        digests.push(registry.register(version).await.unwrap().digest());
    }
    (registry, artifacts, digests)
}

async fn point(registry: &InMemoryRegistry, from: Option<Digest>, to: Option<Digest>, at: i64) {
    let change = AliasMove {
        alias: Alias::champion(),
        from,
        to,
        at: day(at),
        token: FencingToken::NONE,
    };
    registry.move_alias(&model(), &change).await.unwrap();
}

#[tokio::test]
async fn what_no_rule_keeps_is_deleted_with_its_artifact() {
    let (registry, artifacts, digests) = daily_versions(20).await;
    point(&registry, None, Some(digests[0]), 0).await;
    point(&registry, Some(digests[0]), Some(digests[1]), 5).await;
    point(&registry, Some(digests[1]), Some(digests[2]), 15).await;
    let retention = Retention::default()
        .with_keep_newest(3)
        .with_keep_after_registration(DAY * 14)
        .with_keep_after_use(DAY * 10);
    let deleted = apply_retention(
        &registry,
        &artifacts,
        &model(),
        &retention,
        day(20),
        FencingToken::NONE,
    )
    .await
    .unwrap();
    // 0 was last used on day 5; 1 was used until day 15; 2 is live; 3 to 6 are older than 14 days; 17 to 19 are the newest.
    let expected: Vec<Digest> = [0, 3, 4, 5, 6].map(|n: usize| digests[n]).to_vec();
    assert_eq!(deleted, expected);
    for digest in &digests {
        let gone = deleted.contains(digest);
        assert_eq!(artifacts.load(digest).await.is_err(), gone);
        assert_eq!(registry.version(&model(), digest).await.is_err(), gone);
    }
}

#[tokio::test]
async fn an_artifact_that_another_model_uses_stays() {
    let (registry, artifacts, digests) = daily_versions(2).await;
    let other: ModelName = "other".parse().unwrap();
    let shared = registration(&other, &0_u64.to_le_bytes());
    registry.register(shared).await.unwrap();
    let nothing = Retention {
        keep_newest: 0,
        keep_after_registration: Duration::ZERO,
        keep_after_use: Duration::ZERO,
    };
    let deleted = apply_retention(
        &registry,
        &artifacts,
        &model(),
        &nothing,
        day(9),
        FencingToken::NONE,
    )
    .await
    .unwrap();
    assert_eq!(deleted, digests);
    assert!(artifacts.load(&digests[0]).await.is_ok());
    assert!(artifacts.load(&digests[1]).await.is_err());
}

#[test]
fn absurd_times_keep_rather_than_overflow() {
    let versions = [ModelVersion::new(1, registration(&model(), b"one"))];
    let forever = Retention::default()
        .with_keep_newest(0)
        .with_keep_after_registration(Duration::MAX);
    assert!(forever.expired(&versions, &[], Timestamp::MAX).is_empty());
}

fn model() -> ModelName {
    "retained".parse().unwrap()
}

fn day(n: i64) -> Timestamp {
    Timestamp::from_second(n * 86_400).unwrap()
}
