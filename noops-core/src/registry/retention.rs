use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AliasTarget, Deletion, ModelRegistry, ModelVersion};
use crate::artifact::ArtifactStore;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::lease::FencingToken;
use crate::name::ModelName;

/// Which versions are kept: those an alias points at always, and of the others those for which any of the rules speaks.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Retention;
///
/// let year = Duration::from_secs(365 * 86_400);
/// let retention = Retention::default().with_keep_newest(20).with_keep_after_use(year);
/// # let _ = retention;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Retention {
    keep_newest: usize,
    keep_after_registration: Duration,
    keep_after_use: Duration,
}

impl Default for Retention {
    /// The newest ten, everything for thirty days, and what was live until ninety days after.
    fn default() -> Self {
        Self {
            keep_newest: 10,
            keep_after_registration: DAY * 30,
            keep_after_use: DAY * 90,
        }
    }
}

impl Retention {
    /// Keeps this many of the newest versions.
    #[must_use]
    pub fn with_keep_newest(mut self, versions: usize) -> Self {
        self.keep_newest = versions;
        self
    }

    /// Keeps every version this long after it was registered.
    #[must_use]
    pub fn with_keep_after_registration(mut self, time: Duration) -> Self {
        self.keep_after_registration = time;
        self
    }

    /// Keeps what an alias pointed at this long after the alias moved on: what may have to be rolled back to, or explained.
    #[must_use]
    pub fn with_keep_after_use(mut self, time: Duration) -> Self {
        self.keep_after_use = time;
        self
    }

    /// The versions that no rule keeps. `versions` are all of the model that are not deleted, by number, and `histories` those of all its aliases.
    #[must_use]
    pub fn expired(
        &self,
        versions: &[ModelVersion],
        histories: &[Vec<AliasTarget>],
        now: Timestamp,
    ) -> Vec<Digest> {
        let older =
            |at: Timestamp, limit: Duration| at.checked_add(limit).is_ok_and(|until| until <= now);
        let mut used: BTreeSet<Digest> = BTreeSet::new();
        for history in histories {
            let ends = history.iter().skip(1).map(|next| Some(next.since));
            for (target, end) in history.iter().zip(ends.chain([None])) {
                if end.is_none_or(|end| !older(end, self.keep_after_use)) {
                    used.extend(target.digest);
                }
            }
        }
        let beyond_newest = versions.len().saturating_sub(self.keep_newest);
        let expired = versions.iter().take(beyond_newest).filter(|version| {
            older(
                version.registration().registered_at,
                self.keep_after_registration,
            ) && !used.contains(&version.digest())
        });
        expired.map(ModelVersion::digest).collect()
    }
}

/// Deletes the expired versions of a model, and their artifacts unless a version of another model is made of the same bytes. Returns what was deleted.
///
/// A version that an alias points at when its turn comes is kept. When a call fails or is cut off between the two, the artifacts of versions that are gone stay
/// behind; they cost space and nothing else.
///
/// Another model's version that is registered while this runs, and is made of the same bytes, loses its artifact: it is
/// [`NotFound`](crate::ErrorKind::NotFound) then, until the bytes are put again. So are those of other registries on the same store: give each registry a store,
/// or a prefix of one, of its own.
///
/// # Errors
///
/// `Fenced` when a newer holder of the lease has acted, and those of the stores.
pub async fn apply_retention(
    registry: &dyn ModelRegistry,
    artifacts: &dyn ArtifactStore,
    model: &ModelName,
    retention: &Retention,
    now: Timestamp,
    token: FencingToken,
) -> Result<Vec<Digest>, Error> {
    let versions = registry.versions(model).await?;
    let mut histories = Vec::new();
    for alias in registry.aliases(model).await? {
        histories.push(registry.alias_history(model, &alias).await?);
    }
    let mut deleted = Vec::new();
    for digest in retention.expired(&versions, &histories, now) {
        let deletion = Deletion {
            digest,
            at: now,
            token,
        };
        match registry.delete(model, &deletion).await {
            Ok(()) => deleted.push(digest),
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    let mut in_use = BTreeSet::new();
    for other in registry.models().await? {
        let versions = registry.versions(&other).await?;
        in_use.extend(versions.iter().map(ModelVersion::digest));
    }
    for digest in deleted.iter().filter(|digest| !in_use.contains(digest)) {
        artifacts.delete(digest).await?;
    }
    Ok(deleted)
}

const DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests;
