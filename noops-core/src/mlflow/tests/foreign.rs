//! Somebody else writes in MLflow.

use super::*;

/// A model with two versions whose champion is the first.
async fn two_versions(
    bench: &Bench,
    registry: &MlflowRegistry,
    text: &str,
) -> (ModelName, Digest, Digest) {
    let model = model(text);
    let one = registry.register(registration(&model, b"one")).await;
    let two = registry.register(registration(&model, b"two")).await;
    let (one, two) = (one.unwrap().digest(), two.unwrap().digest());
    move_to(registry, &model, None, Some(one), 1).await;
    assert_eq!(bench.pointed_at(&model, "champion").await, Some(1));
    assert!(registry.foreign_writes(&model).await.unwrap().is_empty());
    (model, one, two)
}

async fn ends_at(registry: &MlflowRegistry, model: &ModelName) -> (usize, Option<Digest>) {
    let history = registry.alias_history(model, &Alias::champion()).await;
    let history = history.unwrap();
    (history.len(), history.last().and_then(|end| end.digest))
}

#[tokio::test]
async fn an_alias_moved_in_mlflow_is_reported_never_overwritten_and_adopted_on_request() {
    let Some(bench) = Bench::new() else { return };
    let registry = bench.registry("one");
    let (model, one, two) = two_versions(&bench, &registry, "alias-moved").await;
    let route = ["registered-models", "alias"];
    let foreign = json!({"name": bench.name(&model), "alias": "champion", "version": "2"});
    bench.call(Method::POST, &route, foreign).await;

    let moved = ForeignWrite::AliasMoved {
        alias: "champion".into(),
        recorded: Some(one),
        found: 2,
    };
    assert_eq!(registry.foreign_writes(&model).await.unwrap(), [moved]);
    for to in [None, Some(one), Some(two)] {
        let change = champion(Some(one), to, 2);
        let refused = registry.move_alias(&model, &change).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Conflict);
        let text = refused.to_string();
        assert!(
            text.contains("version 1") && text.contains("version 2"),
            "{text}"
        );
    }
    registry.repair(&model).await.unwrap();
    assert_eq!(bench.pointed_at(&model, "champion").await, Some(2));
    assert_eq!(ends_at(&registry, &model).await, (1, Some(one)));
    let live = Deletion {
        digest: two,
        at: at(3),
        token: FencingToken::NONE,
    };
    let refused = registry.delete(&model, &live).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "somebody serves it");

    let token = FencingToken::new(5);
    let alias = Alias::champion();
    let adopted = registry.adopt(&model, &alias, token, at(4)).await.unwrap();
    assert_eq!((adopted.digest, adopted.token), (Some(two), token));
    let again = registry.adopt(&model, &alias, token, at(5)).await.unwrap();
    assert_eq!(again, adopted, "what agrees is not recorded again");
    assert_eq!(ends_at(&registry, &model).await, (2, Some(two)));
    assert!(registry.foreign_writes(&model).await.unwrap().is_empty());
    let stale = registry
        .adopt(&model, &alias, FencingToken::new(4), at(6))
        .await;
    assert_eq!(stale.unwrap_err().kind(), ErrorKind::Fenced);
    let change = AliasMove {
        token,
        ..champion(Some(two), Some(one), 7)
    };
    registry.move_alias(&model, &change).await.unwrap();
    assert_eq!(bench.pointed_at(&model, "champion").await, Some(1));
}

#[tokio::test]
async fn an_alias_removed_in_mlflow_is_reported_and_adopted_as_pointing_nowhere() {
    let Some(bench) = Bench::new() else { return };
    let registry = bench.registry("one");
    let (model, one, _) = two_versions(&bench, &registry, "alias-removed").await;
    let route = ["registered-models", "alias"];
    let foreign = json!({"name": bench.name(&model), "alias": "champion"});
    bench.call(Method::DELETE, &route, foreign).await;
    let removed = ForeignWrite::AliasRemoved {
        alias: Alias::champion(),
        recorded: one,
    };
    assert_eq!(registry.foreign_writes(&model).await.unwrap(), [removed]);
    let token = FencingToken::NONE;
    let adopted = registry
        .adopt(&model, &Alias::champion(), token, at(2))
        .await;
    assert_eq!(adopted.unwrap().digest, None);
    assert_eq!(ends_at(&registry, &model).await, (2, None));
    let neither = registry.adopt(&model, &Alias::shadow(), token, at(2)).await;
    assert_eq!(neither.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn the_live_version_is_not_deleted_by_us_and_missed_when_others_do() {
    let Some(bench) = Bench::new() else { return };
    let registry = bench.registry("one");
    let (model, one, two) = two_versions(&bench, &registry, "version-deleted").await;
    let deletion = Deletion {
        digest: one,
        at: at(2),
        token: FencingToken::NONE,
    };
    let refused = registry.delete(&model, &deletion).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);

    let name = bench.name(&model);
    let foreign = json!({"name": name, "version": "1"});
    let route = ["model-versions", "delete"];
    bench.call(Method::DELETE, &route, foreign).await;
    assert_eq!(bench.pointed_at(&model, "champion").await, None);
    let writes = registry.foreign_writes(&model).await.unwrap();
    let removed = ForeignWrite::AliasRemoved {
        alias: Alias::champion(),
        recorded: one,
    };
    let deleted = ForeignWrite::VersionDeleted {
        number: 1,
        digest: one,
    };
    assert_eq!(deleted.version(), Some(1));
    assert_eq!(removed.alias(), Some("champion"));
    assert_eq!(writes, [removed, deleted]);
    let gone = registry.version(&model, &one).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Gone);
    let again = registry.register(registration(&model, b"one")).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Gone);
    let listed = registry.versions(&model).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].digest(), two);

    let foreign = json!({"name": name, "version": "2"});
    bench.call(Method::DELETE, &route, foreign).await;
    let third = registry.register(registration(&model, b"three")).await;
    assert_eq!(third.unwrap().number(), 3, "also MLflow counts on");
}

#[tokio::test]
async fn a_tag_of_a_version_that_was_changed_is_corrupt_and_named() {
    let Some(bench) = Bench::new() else { return };
    let registry = bench.registry("one");
    let (model, one, two) = two_versions(&bench, &registry, "version-tag").await;
    let name = bench.name(&model);
    let remote = bench.api.version("test", &name, 1).await.unwrap().unwrap();
    for tag in ["noops.digest", "noops.registration.0000"] {
        let good = remote.tags[tag].as_str();
        let bad = good.replace('1', "2");
        assert_ne!(bad, good);
        let set = |value: &str| bench_tag(&bench, name.clone(), tag, value.to_owned());
        set(&bad).await;
        let corrupt = registry.version(&model, &one).await.unwrap_err();
        assert_eq!(corrupt.kind(), ErrorKind::Corrupt);
        let listed = registry.versions(&model).await.unwrap_err();
        assert_eq!(listed.kind(), ErrorKind::Corrupt);
        let changed = ForeignWrite::TagsChanged {
            tag: tag.into(),
            version: Some(1),
        };
        assert_eq!(registry.foreign_writes(&model).await.unwrap(), [changed]);
        registry.version(&model, &two).await.unwrap();
        set(good).await;
        registry.version(&model, &one).await.unwrap();
    }
}

async fn bench_tag(bench: &Bench, name: String, tag: &str, value: String) {
    let tag = (tag, value.as_str());
    let set = bench.api.set_version_tag("test", &name, 1, tag).await;
    set.unwrap();
}

#[tokio::test]
async fn a_history_that_was_edited_or_shortened_is_corrupt_until_it_is_restored() {
    let Some(bench) = Bench::new() else { return };
    let registry = bench.registry("one");
    let (model, one, two) = two_versions(&bench, &registry, "history-tag").await;
    move_to(&registry, &model, Some(one), Some(two), 2).await;
    let name = bench.name(&model);
    let remote = bench.api.model("test", &name).await.unwrap().unwrap();
    let first = remote
        .tags
        .iter()
        .find(|(key, _)| key.starts_with("noops.alias.champion.0000000001."));
    let (key, good) = first.unwrap();
    let bad = good.replace("00:00:01", "00:00:00");
    assert_ne!(bad, *good);
    let set = bench.api.set_model_tag("test", &name, key, &bad).await;
    set.unwrap();
    let read = registry.alias_history(&model, &Alias::champion()).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Corrupt);
    let change = champion(Some(two), Some(one), 3);
    let moved = registry.move_alias(&model, &change).await;
    assert_eq!(moved.unwrap_err().kind(), ErrorKind::Corrupt);
    let reported = registry.foreign_writes(&model).await.unwrap();
    let changed = ForeignWrite::TagsChanged {
        tag: key.clone(),
        version: None,
    };
    assert!(reported.contains(&changed), "{reported:?}");

    let delete = json!({"name": name, "key": key});
    let route = ["registered-models", "delete-tag"];
    bench.call(Method::DELETE, &route, delete).await;
    let read = registry.alias_history(&model, &Alias::champion()).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Corrupt);

    let set = bench.api.set_model_tag("test", &name, key, good).await;
    set.unwrap();
    assert_eq!(ends_at(&registry, &model).await, (2, Some(two)));
    registry.move_alias(&model, &change).await.unwrap();
}

#[tokio::test]
async fn what_others_put_into_mlflow_is_reported_and_is_none_of_our_versions() {
    let Some(bench) = Bench::new() else { return };
    let registry = bench.registry("one");
    let (model, ..) = two_versions(&bench, &registry, "unknown-version").await;
    let name = bench.name(&model);
    // MLflow calls it ready although nothing is there.
    let foreign = json!({"name": name, "source": "s3://nowhere/none"});
    let route = ["model-versions", "create"];
    let made = bench.call(Method::POST, &route, foreign).await;
    assert_eq!(made.pointer("/model_version/status").unwrap(), "READY");
    let route = ["registered-models", "alias"];
    let foreign = json!({"name": name, "alias": "Production", "version": "3"});
    bench.call(Method::POST, &route, foreign).await;
    let foreign = json!({"name": name, "alias": "shadow", "version": "3"});
    bench.call(Method::POST, &route, foreign).await;

    let numbers: Vec<u64> = registry
        .versions(&model)
        .await
        .unwrap()
        .iter()
        .map(ModelVersion::number)
        .collect();
    assert_eq!(numbers, [1, 2]);
    let moved = |alias: &str| ForeignWrite::AliasMoved {
        alias: alias.into(),
        recorded: None,
        found: 3,
    };
    let unknown = ForeignWrite::UnknownVersion { number: 3 };
    assert_eq!(
        registry.foreign_writes(&model).await.unwrap(),
        [moved("Production"), moved("shadow"), unknown]
    );
    let token = FencingToken::NONE;
    let refused = registry.adopt(&model, &Alias::shadow(), token, at(2)).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Conflict);
    let fourth = registry.register(registration(&model, b"three")).await;
    assert_eq!(fourth.unwrap().number(), 4);
}
