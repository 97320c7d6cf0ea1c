//! The clauses of [`ModelRegistry`].

use std::collections::BTreeMap;

use serde_json::json;

use super::artifacts::together;
use super::{at, kind};
use crate::{
    Alias, AliasMove, AliasTarget, Contract, Deletion, Digest, ErrorKind, Feature, FeatureRule,
    FencingToken, Lineage, ModelName, ModelRegistry, ModelVersion, OutputRule, Registration,
};

/// Every clause.
pub async fn all(registry: &dyn ModelRegistry) {
    versions_are_numbered_and_immutable(registry).await;
    registrations_at_once_are_one_version_each(registry).await;
    what_cannot_be_read_back_is_refused(registry).await;
    an_alias_moves_only_from_where_it_is(registry).await;
    of_many_moves_from_one_place_one_is_done(registry).await;
    an_alias_never_points_at_what_is_not_there(registry).await;
    history_is_kept_and_never_runs_backwards(registry).await;
    a_live_version_cannot_be_deleted(registry).await;
    a_deleted_version_stays_gone(registry).await;
    a_stale_token_is_refused(registry).await;
    models_do_not_see_each_other(registry).await;
}

/// Numbers count from 1, the same registration again is the same version, and another under its digest is refused.
pub async fn versions_are_numbered_and_immutable(registry: &dyn ModelRegistry) {
    let model = name("conformance-versions");
    assert!(
        registry.versions(&model).await.unwrap().is_empty(),
        "an unknown model has no versions"
    );
    let first = register(registry, &model, b"one").await;
    let second = register(registry, &model, b"two").await;
    assert_eq!((first.number(), second.number()), (1, 2));
    assert_eq!(
        register(registry, &model, b"one").await,
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
    let versions = registry.versions(&model).await.unwrap();
    assert_eq!(versions, [first, second.clone()]);
    let read = registry.version(&model, &second.digest()).await.unwrap();
    assert_eq!(read, second, "what is read is what was registered");
    assert_eq!(
        kind(registry.version(&model, &Digest::of(b"none")).await),
        ErrorKind::NotFound
    );
}

/// Four versions, each registered twice at the same time.
pub async fn registrations_at_once_are_one_version_each(registry: &dyn ModelRegistry) {
    let model = name("conformance-at-once");
    let calls = (0..8_u8).map(|n| registry.register(registration(&model, &[n / 2])));
    let mut versions = BTreeMap::new();
    for version in together(calls.collect()).await {
        let version = version.unwrap();
        let number = *versions.entry(version.digest()).or_insert(version.number());
        assert_eq!(number, version.number(), "one digest is one version");
    }
    let mut numbers: Vec<u64> = versions.into_values().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let listed = registry.versions(&model).await.unwrap();
    let listed: Vec<u64> = listed.iter().map(ModelVersion::number).collect();
    assert_eq!(listed, [1, 2, 3, 4], "versions come by number");
}

/// A number that JSON cannot hold would make the whole model unreadable.
pub async fn what_cannot_be_read_back_is_refused(registry: &dyn ModelRegistry) {
    let model = name("conformance-unreadable");
    let mut unreadable = registration(&model, b"nan");
    unreadable.metrics.insert("auc".into(), f64::NAN);
    assert_eq!(
        kind(registry.register(unreadable).await),
        ErrorKind::Invalid
    );
    assert!(registry.versions(&model).await.unwrap().is_empty());
}

/// The compare of compare-and-swap.
pub async fn an_alias_moves_only_from_where_it_is(registry: &dyn ModelRegistry) {
    let model = name("conformance-swap");
    let one = register(registry, &model, b"one").await.digest();
    let two = register(registry, &model, b"two").await.digest();
    let to_one = champion(None, Some(one), 1);
    assert_eq!(
        registry.move_alias(&model, &to_one).await.unwrap().digest,
        Some(one)
    );
    assert_eq!(
        kind(registry.move_alias(&model, &to_one).await),
        ErrorKind::Conflict,
        "it points somewhere already"
    );
    let from_two = champion(Some(two), None, 2);
    assert_eq!(
        kind(registry.move_alias(&model, &from_two).await),
        ErrorKind::Conflict,
        "it points elsewhere"
    );
    let to_two = champion(Some(one), Some(two), 3);
    registry.move_alias(&model, &to_two).await.unwrap();
    let nowhere = champion(Some(two), None, 4);
    registry.move_alias(&model, &nowhere).await.unwrap();
    let again = champion(None, Some(one), 5);
    registry.move_alias(&model, &again).await.unwrap();
}

/// Six at once, and the one that was told that it moved the alias is the one that did.
pub async fn of_many_moves_from_one_place_one_is_done(registry: &dyn ModelRegistry) {
    let model = name("conformance-race");
    let mut changes = Vec::new();
    for n in 0..6_u8 {
        let to = register(registry, &model, &[n]).await.digest();
        changes.push(champion(None, Some(to), 1));
    }
    let calls = changes.iter();
    let calls = calls.map(|change| registry.move_alias(&model, change));
    let mut done = Vec::new();
    for result in together(calls.collect()).await {
        match result {
            Ok(target) => done.push(target),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
        }
    }
    assert_eq!(done.len(), 1, "one and no other");
    let history = registry.alias_history(&model, &Alias::champion()).await;
    assert_eq!(history.unwrap(), done);
}

/// An alias never dangles.
pub async fn an_alias_never_points_at_what_is_not_there(registry: &dyn ModelRegistry) {
    let model = name("conformance-dangling");
    let change = champion(None, Some(Digest::of(b"none")), 1);
    assert_eq!(
        kind(registry.move_alias(&model, &change).await),
        ErrorKind::NotFound
    );
    register(registry, &model, b"one").await;
    assert_eq!(
        kind(registry.move_alias(&model, &change).await),
        ErrorKind::NotFound
    );
    let history = registry.alias_history(&model, &Alias::champion()).await;
    assert!(history.unwrap().is_empty());
}

/// Which digest was live at T has one answer, also when the clocks of those who moved the alias differ.
pub async fn history_is_kept_and_never_runs_backwards(registry: &dyn ModelRegistry) {
    let model = name("conformance-history");
    let one = register(registry, &model, b"one").await.digest();
    let two = register(registry, &model, b"two").await.digest();
    let moves = [
        champion(None, Some(one), 10),
        champion(Some(one), Some(two), 30),
        champion(Some(two), None, 20),
    ];
    for change in &moves {
        registry.move_alias(&model, change).await.unwrap();
    }
    let history = registry
        .alias_history(&model, &Alias::champion())
        .await
        .unwrap();
    let seen: Vec<_> = history
        .iter()
        .map(|target| (target.digest, target.since))
        .collect();
    assert_eq!(
        seen,
        [(Some(one), at(10)), (Some(two), at(30)), (None, at(30))]
    );
    assert_eq!(AliasTarget::live_at(&history, at(9)), None);
    assert_eq!(AliasTarget::live_at(&history, at(29)), Some(one));
    assert_eq!(AliasTarget::live_at(&history, at(30)), None);
    assert_eq!(
        registry.aliases(&model).await.unwrap(),
        [Alias::champion()],
        "an alias that points nowhere is remembered"
    );
    let unused = registry.alias_history(&model, &Alias::shadow()).await;
    assert!(unused.unwrap().is_empty());
}

/// Nobody can delete what answers requests.
pub async fn a_live_version_cannot_be_deleted(registry: &dyn ModelRegistry) {
    let model = name("conformance-live");
    let one = register(registry, &model, b"one").await.digest();
    let two = register(registry, &model, b"two").await.digest();
    let shadow = AliasMove {
        alias: Alias::shadow(),
        ..champion(None, Some(one), 1)
    };
    registry.move_alias(&model, &shadow).await.unwrap();
    assert_eq!(
        kind(registry.delete(&model, &deletion(one)).await),
        ErrorKind::Conflict
    );
    registry.version(&model, &one).await.unwrap();
    let away = AliasMove {
        from: Some(one),
        to: Some(two),
        ..shadow
    };
    registry.move_alias(&model, &away).await.unwrap();
    registry.delete(&model, &deletion(one)).await.unwrap();
}

/// What was deleted does not come back under another meaning, and its history stays.
pub async fn a_deleted_version_stays_gone(registry: &dyn ModelRegistry) {
    let model = name("conformance-deleted");
    let one = register(registry, &model, b"one").await.digest();
    let two = register(registry, &model, b"two").await;
    let there = champion(None, Some(one), 1);
    let back = champion(Some(one), None, 2);
    registry.move_alias(&model, &there).await.unwrap();
    registry.move_alias(&model, &back).await.unwrap();
    registry.delete(&model, &deletion(one)).await.unwrap();
    registry.delete(&model, &deletion(one)).await.unwrap();
    assert_eq!(
        registry.versions(&model).await.unwrap(),
        [two],
        "and nothing else is deleted"
    );
    assert_eq!(kind(registry.version(&model, &one).await), ErrorKind::Gone);
    assert_eq!(
        kind(registry.move_alias(&model, &there).await),
        ErrorKind::Gone
    );
    let again = registry.register(registration(&model, b"one")).await;
    assert_eq!(kind(again), ErrorKind::Gone);
    let history = registry.alias_history(&model, &Alias::champion()).await;
    assert_eq!(
        history.unwrap().first().and_then(|target| target.digest),
        Some(one)
    );
    assert_eq!(
        register(registry, &model, b"three").await.number(),
        3,
        "a number is never used again"
    );
    let unknown = deletion(Digest::of(b"none"));
    assert_eq!(
        kind(registry.delete(&model, &unknown).await),
        ErrorKind::NotFound
    );
    let only = name("conformance-deleted-all");
    let digest = register(registry, &only, b"one").await.digest();
    registry.delete(&only, &deletion(digest)).await.unwrap();
    assert!(registry.versions(&only).await.unwrap().is_empty());
    assert!(
        registry.models().await.unwrap().contains(&only),
        "a model that had versions is still known"
    );
}

/// Who has lost the lease cannot act any more, whatever it believes.
pub async fn a_stale_token_is_refused(registry: &dyn ModelRegistry) {
    let model = name("conformance-fenced");
    let one = register(registry, &model, b"one").await.digest();
    let two = register(registry, &model, b"two").await.digest();
    let with = |token: u64, change: AliasMove| AliasMove {
        token: FencingToken::new(token),
        ..change
    };
    let first = with(7, champion(None, Some(one), 1));
    let target = registry.move_alias(&model, &first).await.unwrap();
    assert_eq!(
        target.token,
        FencingToken::new(7),
        "history says who moved it"
    );
    let stale = with(6, champion(Some(one), Some(two), 2));
    assert_eq!(
        kind(registry.move_alias(&model, &stale).await),
        ErrorKind::Fenced
    );
    let wrong_and_stale = with(6, champion(None, Some(Digest::of(b"none")), 2));
    assert_eq!(
        kind(registry.move_alias(&model, &wrong_and_stale).await),
        ErrorKind::Fenced,
        "the token is looked at first"
    );
    let mut gone = deletion(two);
    gone.token = FencingToken::new(6);
    assert_eq!(
        kind(registry.delete(&model, &gone).await),
        ErrorKind::Fenced
    );
    let newer_but_wrong = with(8, champion(None, Some(two), 3));
    assert_eq!(
        kind(registry.move_alias(&model, &newer_but_wrong).await),
        ErrorKind::Conflict
    );
    let no_longer_newest = with(7, champion(Some(one), Some(two), 4));
    assert_eq!(
        kind(registry.move_alias(&model, &no_longer_newest).await),
        ErrorKind::Fenced,
        "a refused move has shown its token all the same"
    );
    let newest = with(8, champion(Some(one), Some(two), 5));
    registry.move_alias(&model, &newest).await.unwrap();
}

/// Models are apart: in their versions, their aliases and their tokens.
pub async fn models_do_not_see_each_other(registry: &dyn ModelRegistry) {
    let (left, right) = (name("conformance-left"), name("conformance-right"));
    let version = register(registry, &left, b"same").await;
    let other = register(registry, &right, b"same").await;
    assert_eq!(version.digest(), other.digest());
    let fenced = AliasMove {
        token: FencingToken::new(9),
        ..champion(None, Some(version.digest()), 1)
    };
    registry.move_alias(&left, &fenced).await.unwrap();
    let unfenced = champion(None, Some(version.digest()), 1);
    registry.move_alias(&right, &unfenced).await.unwrap();
    let models = registry.models().await.unwrap();
    assert!(models.contains(&left) && models.contains(&right));
    assert!(models.is_sorted(), "models come by name");
}

/// A registration as these clauses use it.
pub fn registration(model: &ModelName, artifact: &[u8]) -> Registration {
    let rule = FeatureRule::strict(Feature::number("x"));
    Registration {
        model: model.clone(),
        digest: Digest::of(artifact),
        contract: Contract::new([rule], OutputRule::probability()).unwrap(),
        metrics: BTreeMap::from([("brier".to_owned(), 0.166)]),
        parameters: BTreeMap::from([("rate".to_owned(), "0.1".to_owned())]),
        profile: Some(json!({ "rows": 1 })),
        lineage: Lineage {
            training_run: "run-1".into(),
            dataset: Some(Digest::of(b"rows")),
            feature_view: Some(Digest::of(b"view")),
            code_revision: "4f5e".into(),
            parent: Some(Digest::of(b"parent")),
        },
        registered_at: at(0),
    }
}

async fn register(registry: &dyn ModelRegistry, model: &ModelName, bytes: &[u8]) -> ModelVersion {
    registry.register(registration(model, bytes)).await.unwrap()
}

fn champion(from: Option<Digest>, to: Option<Digest>, second: i64) -> AliasMove {
    AliasMove {
        alias: Alias::champion(),
        from,
        to,
        at: at(second),
        token: FencingToken::NONE,
    }
}

fn deletion(digest: Digest) -> Deletion {
    Deletion {
        digest,
        at: at(100),
        token: FencingToken::NONE,
    }
}

fn name(text: &str) -> ModelName {
    text.parse().unwrap()
}
