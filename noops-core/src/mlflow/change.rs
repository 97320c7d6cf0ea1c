//! Moving and adopting aliases, and deleting versions.

use jiff::Timestamp;

use super::MlflowRegistry;
use super::act::Act;
use super::history::State;
use super::ledger::{Tombstone, deleted_key, to_text};
use crate::error::{Error, ErrorKind};
use crate::lease::FencingToken;
use crate::name::{Alias, ModelName};
use crate::registry::refusal::{
    DELETE, MOVE, alias_moved_by_another, live_version, no_such_version,
};
use crate::registry::{AliasMove, AliasTarget, Deletion};

impl MlflowRegistry {
    pub(super) async fn move_in(
        &self,
        act: &mut Act<'_>,
        model: &ModelName,
        change: &AliasMove,
    ) -> Result<AliasTarget, Error> {
        let seen = act.enter_with(change.token).await?;
        let number = match &change.to {
            Some(to) => Some(self.find_in(&seen, model, to).await?.0.number()),
            None => None,
        };
        let newest = seen.newest(&change.alias).map(|entry| entry.target);
        if newest.and_then(|target| target.digest) != change.from {
            return Err(alias_moved_by_another(change));
        }
        seen.agreed(MOVE, &change.alias)?;
        act.ensure(&seen).await?;
        let target = change.after(newest);
        let entry = act
            .append(&seen, &change.alias, target, number, State::Intended)
            .await?;
        act.follow(&entry).await?;
        Ok(target)
    }

    pub(super) async fn delete_in(
        &self,
        act: &mut Act<'_>,
        model: &ModelName,
        deletion: &Deletion,
    ) -> Result<(), Error> {
        let seen = act.enter_with(deletion.token).await?;
        let digest = &deletion.digest;
        for (alias, history) in seen.ledger.histories() {
            let newest = history.newest().and_then(|entry| entry.target.digest);
            if newest == Some(*digest) {
                return Err(live_version(model, digest, alias));
            }
        }
        let (number, _) = seen
            .ledger
            .version(digest)
            .ok_or_else(|| no_such_version(model, digest))?;
        if seen.ledger.is_deleted(number) {
            return Ok(());
        }
        // Somebody may serve by an alias that only MLflow knows.
        let mut aliases = seen.remote.aliases.iter();
        if let Some((alias, _)) = aliases.find(|(_, version)| **version == number) {
            let message = "an alias of MLflow points at it; move the alias there first";
            return Err(Error::new(ErrorKind::Conflict, DELETE, message)
                .with("model", model)
                .with("digest", digest)
                .with("alias", alias.escape_debug()));
        }
        let tombstone = Tombstone {
            at: deletion.at,
            token: deletion.token,
        };
        act.set_tag(&deleted_key(number), &to_text(&tombstone)?)
            .await?;
        // It is deleted. The mark is for people who look at the version in MLflow, and not worth failing for.
        let at = deletion.at.to_string();
        let mark = self
            .api
            .set_version_tag(DELETE, act.name(), number, (DELETED_AT, at.as_str()));
        mark.await.ok();
        Ok(())
    }
}

pub(super) async fn adopt_in(
    act: &mut Act<'_>,
    alias: &Alias,
    token: FencingToken,
    at: Timestamp,
) -> Result<AliasTarget, Error> {
    let seen = act.enter_with(token).await?;
    let newest = seen.newest(alias);
    let found = seen.found(alias);
    let digest = match found {
        None => None,
        Some(number) => {
            let indexed = seen.ledger.numbered(number);
            let live = indexed.filter(|_| !seen.ledger.is_deleted(number));
            let message = "it points at a version that is not registered here: register it, or move the alias in MLflow";
            let unknown = || {
                Error::new(ErrorKind::Conflict, ADOPT, message)
                    .with("alias", alias)
                    .with("version", number)
            };
            Some(live.ok_or_else(unknown)?.digest)
        }
    };
    match newest {
        Some(newest) if newest.version == found => return Ok(newest.target),
        None if found.is_none() => {
            let message = "it points nowhere, here and in MLflow";
            return Err(Error::new(ErrorKind::NotFound, ADOPT, message).with("alias", alias));
        }
        _ => {}
    }
    let newest = newest.map(|entry| entry.target);
    let change = AliasMove {
        alias: alias.clone(),
        from: newest.and_then(|target| target.digest),
        to: digest,
        at,
        token,
    };
    let target = change.after(newest);
    act.append(&seen, alias, target, found, State::Settled)
        .await?;
    Ok(target)
}

/// Refuses an alias that MLflow would refuse.
pub(super) fn takes_alias(alias: &Alias) -> Result<(), Error> {
    let text = alias.as_str();
    let number = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit());
    if text == "latest" || text.strip_prefix('v').is_some_and(number) || text.contains('.') {
        let message = "MLflow takes no alias with a dot, and keeps `latest` and `v` with a number for itself: choose another";
        return Err(Error::new(ErrorKind::Invalid, MOVE, message).with("alias", alias));
    }
    Ok(())
}

const DELETED_AT: &str = "noops.deleted_at";
pub(super) const ADOPT: &str = "adopt an alias";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_aliases_that_mlflow_takes_are_let_through() {
        let takes = |text: &str| takes_alias(&text.parse().unwrap());
        for text in ["champion", "v", "v1a", "version1", "latest-1", "v1-", "a_b"] {
            takes(text).unwrap();
        }
        // MLflow answered 400 to each of these.
        for text in ["latest", "v1", "v0", "v123456789", "champion.v2"] {
            assert_eq!(
                takes(text).unwrap_err().kind(),
                ErrorKind::Invalid,
                "{text}"
            );
        }
    }
}
