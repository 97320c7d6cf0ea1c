//! Everything that changes what is there.

use std::path::Path;
use std::time::Duration;

use noops_core::model_signing::sign_artifact;
use noops_core::{
    Alias, AliasMove, AliasTarget, Clock, Digest, Error, ErrorKind, ModelName, ModelRegistry,
    ModelVersion, Retention, apply_retention,
};
use serde_json::json;

use crate::failure::{Failure, fail};
use crate::store::{Acting, Store};
use crate::{find, key, read};

/// Points an alias at a version.
pub(crate) async fn promote(
    store: &Store,
    model: &ModelName,
    version: &str,
    alias: Alias,
    because: &str,
    clock: &dyn Clock,
) -> Result<String, Failure> {
    let version = find::version(store, model, version).await?;
    let history = store.registry().alias_history(model, &alias).await?;
    let from = history.last().and_then(|target| target.digest);
    let change = Change {
        kind: PROMOTE,
        alias,
        from,
        to: &version,
        because,
    };
    change.make(store, model, clock).await
}

/// Points an alias back at what it pointed at before.
pub(crate) async fn roll_back(
    store: &Store,
    model: &ModelName,
    alias: Alias,
    to: Option<&str>,
    because: &str,
    clock: &dyn Clock,
) -> Result<String, Failure> {
    find::versions(store, model).await?;
    let history = store.registry().alias_history(model, &alias).await?;
    if history.is_empty() {
        let known = store.registry().aliases(model).await?;
        return Err(read::unknown_alias(model, &alias, &known));
    }
    let from = history.last().and_then(|target| target.digest);
    let to = match to {
        Some(text) => find::version(store, model, text).await?,
        None => {
            let before = before(&history, from).ok_or_else(|| {
                fail(format!(
                    "`{alias}` of `{model}` has not pointed at another version before; choose one with `promote`"
                ))
            })?;
            match store.registry().version(model, &before).await {
                Err(error) if error.kind() == ErrorKind::Gone => {
                    return Err(fail(format!(
                        "`{alias}` of `{model}` pointed at {} before, which was deleted; choose a version with --to",
                        before.short()
                    )));
                }
                found => found?,
            }
        }
    };
    let change = Change {
        kind: ROLL_BACK,
        alias,
        from,
        to: &to,
        because,
    };
    change.make(store, model, clock).await
}

/// Signs a version, and makes the key if there is none.
pub(crate) async fn sign(
    store: &Store,
    model: &ModelName,
    version: &str,
    key_file: &Path,
    clock: &dyn Clock,
) -> Result<String, Failure> {
    let version = find::version(store, model, version).await?;
    let digest = version.digest();
    intact(store, model, &version).await?;
    let (key, told) = key::read_or_make(key_file)?;
    let bundle = sign_artifact(digest, model.as_str(), &key)?;
    let path = store.signature(model, &digest);

    let acting = Acting::begin(store, clock.now()).await?;
    let body = json!({ "model": model, "digest": digest, "key": key.public_key().hint() });
    let recorded = acting.record(SIGN, body).await;
    acting.end(SIGN, recorded).await?;
    key::write_whole(&path, &bundle.to_bytes())?;
    Ok(format!(
        "{told}signed `{model}` version {} in `{}`",
        version.number(),
        path.display()
    ))
}

/// Deletes what no rule keeps.
pub(crate) async fn retain(
    store: &Store,
    model: &ModelName,
    keep: usize,
    days: u32,
    clock: &dyn Clock,
) -> Result<String, Failure> {
    let registry = store.registry();
    let versions = find::versions(store, model).await?;
    let mut histories: Vec<Vec<AliasTarget>> = Vec::new();
    for alias in registry.aliases(model).await? {
        histories.push(registry.alias_history(model, &alias).await?);
    }
    let time = DAY * days;
    let retention = Retention::default()
        .with_keep_newest(keep)
        .with_keep_after_registration(time)
        .with_keep_after_use(time);
    let now = clock.now();
    let expired = retention.expired(&versions, &histories, now);
    if expired.is_empty() {
        return Ok(format!("nothing of `{model}` has to go"));
    }

    let acting = Acting::begin(store, now).await?;
    let body = json!({ "model": model, "keep": keep, "days": days, "expired": expired });
    let done = match acting.record(RETAIN, body).await {
        Ok(()) => {
            let token = acting.token();
            apply_retention(&registry, store.artifacts(), model, &retention, now, token).await
        }
        Err(error) => Err(error),
    };
    let deleted = acting.end(RETAIN, done).await?;
    for digest in &deleted {
        // A signature that stays behind signs nothing that could be loaded.
        drop(std::fs::remove_file(store.signature(model, digest)));
    }
    let numbers = versions
        .iter()
        .filter(|version| deleted.contains(&version.digest()))
        .map(|version| version.number().to_string());
    let numbers: Vec<String> = numbers.collect();
    Ok(format!(
        "deleted {} of {} versions of `{model}`: {}",
        deleted.len(),
        versions.len(),
        numbers.join(", ")
    ))
}

/// A move of an alias that a person asked for.
struct Change<'a> {
    kind: &'static str,
    alias: Alias,
    from: Option<Digest>,
    to: &'a ModelVersion,
    because: &'a str,
}

impl Change<'_> {
    async fn make(
        self,
        store: &Store,
        model: &ModelName,
        clock: &dyn Clock,
    ) -> Result<String, Failure> {
        let (alias, to) = (self.alias, self.to.digest());
        let number = self.to.number();
        if self.from == Some(to) {
            return Ok(format!(
                "`{alias}` of `{model}` points at version {number} already"
            ));
        }
        intact(store, model, self.to).await?;

        let acting = Acting::begin(store, clock.now()).await?;
        let body = json!({
            "model": model,
            "alias": alias,
            "from": self.from,
            "to": to,
            "because": self.because,
        });
        let change = AliasMove {
            alias: alias.clone(),
            from: self.from,
            to: Some(to),
            at: acting.now(),
            token: acting.token(),
        };
        let done = match acting.record(self.kind, body).await {
            Ok(()) => store.registry().move_alias(model, &change).await,
            Err(error) => Err(error),
        };
        let moved = acting
            .end(self.kind, done)
            .await
            .map_err(|error| lost(error, model, &alias))?;
        let from = match self.from {
            Some(from) => format!("{}, was {}", to.short(), from.short()),
            None => to.short(),
        };
        Ok(format!(
            "`{alias}` of `{model}` points at version {number} ({from}) since {:.0}",
            moved.since
        ))
    }
}

/// The newest version in a history that is not the present one.
fn before(history: &[AliasTarget], now: Option<Digest>) -> Option<Digest> {
    let mut earlier = history.iter().rev().filter_map(|target| target.digest);
    earlier.find(|digest| Some(*digest) != now)
}

/// Reads a version's artifact to its end before anybody relies on it.
async fn intact(store: &Store, model: &ModelName, version: &ModelVersion) -> Result<(), Failure> {
    let number = version.number();
    match store.read_artifact(&version.digest()).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(fail(format!(
            "the artifact of `{model}` version {number} is missing; restore {} from a copy",
            version.digest()
        ))),
        Err(error) if error.kind() == ErrorKind::Corrupt => Err(fail(format!(
            "the artifact of `{model}` version {number} is damaged: its bytes do not have the digest {}; restore it from a copy",
            version.digest()
        ))),
        Err(error) => Err(error.into()),
    }
}

fn lost(error: Error, model: &ModelName, alias: &Alias) -> Failure {
    match error.kind() {
        ErrorKind::Conflict => fail(format!(
            "somebody else moved `{alias}` of `{model}` meanwhile; look at `history {model} {alias}`, and decide again"
        )),
        ErrorKind::Gone => fail(format!(
            "somebody else deleted this version of `{model}` meanwhile; choose another"
        )),
        _ => error.into(),
    }
}

/// What the moves of an alias are called in the audit log.
pub(crate) const PROMOTE: &str = "promote";
pub(crate) const ROLL_BACK: &str = "rollback";
const SIGN: &str = "sign";
const RETAIN: &str = "retain";
const DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Access;
    use crate::tests::Folder;

    #[tokio::test]
    async fn a_move_from_where_the_alias_no_longer_points_is_refused_and_recorded() {
        let folder = Folder::new("lost");
        let first = folder.register("fraud", b"one", 10, &[]).await;
        let second = folder.register("fraud", b"two", 20, &[]).await;
        let model: ModelName = "fraud".parse().unwrap();
        folder.run(30, &["promote", "fraud", "1"]).await.unwrap();

        let store = Store::open(&folder.registry(), Access::Change)
            .await
            .unwrap();
        let version = store.registry().version(&model, &second).await.unwrap();
        let change = Change {
            kind: "promote",
            alias: Alias::champion(),
            // It was read before somebody promoted the first version.
            from: None,
            to: &version,
            because: "a test",
        };
        let failure = change.make(&store, &model, &folder.clock(40)).await;
        let failure = failure.unwrap_err().to_string();
        assert!(
            failure.contains("somebody else moved `champion`"),
            "{failure}"
        );
        let alias = Alias::champion();
        let history = store
            .registry()
            .alias_history(&model, &alias)
            .await
            .unwrap();
        assert_eq!(history.last().unwrap().digest, Some(first));
        let entries = noops_core::AuditLog::entries(&store.audit_log())
            .await
            .unwrap();
        assert_eq!(entries.last().unwrap().record.kind, "failed");
        store.close().await;
        folder.run(50, &["promote", "fraud", "2"]).await.unwrap();
    }
}
