use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::digest::Digest;
use crate::error::Error;
use crate::lease::FencingToken;
use crate::name::{Alias, ModelName};
use crate::registry::refusal::{
    DELETE, MOVE, alias_moved_by_another, deleted_version, live_version, no_such_version,
    registered_otherwise,
};
use crate::registry::{
    AliasMove, AliasTarget, Deletion, ModelRegistry, ModelVersion, Registration,
};

/// A registry in memory.
#[derive(Debug, Default)]
pub struct InMemoryRegistry {
    models: Mutex<BTreeMap<ModelName, Model>>,
}

#[derive(Debug, Default)]
struct Model {
    versions: Vec<Stored>,
    aliases: BTreeMap<Alias, Vec<AliasTarget>>,
    token: FencingToken,
}

#[derive(Debug)]
struct Stored {
    version: ModelVersion,
    deleted: bool,
}

impl InMemoryRegistry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Model {
    fn stored(&self, digest: &Digest) -> Option<&Stored> {
        self.versions
            .iter()
            .find(|stored| stored.version.digest() == *digest)
    }

    /// The version with a digest, if it is there and not deleted.
    fn version(&self, model: &ModelName, digest: &Digest) -> Result<&ModelVersion, Error> {
        match self.stored(digest) {
            None => Err(no_such_version(model, digest)),
            Some(stored) if stored.deleted => Err(deleted_version(model, digest)),
            Some(stored) => Ok(&stored.version),
        }
    }

    fn see(&mut self, token: FencingToken, operation: &'static str) -> Result<(), Error> {
        token.check(self.token, operation)?;
        self.token = token;
        Ok(())
    }
}

#[async_trait]
impl ModelRegistry for InMemoryRegistry {
    async fn register(&self, registration: Registration) -> Result<ModelVersion, Error> {
        registration.check()?;
        let mut models = lock(&self.models);
        let model = models.entry(registration.model.clone()).or_default();
        if let Some(stored) = model.stored(&registration.digest) {
            return if stored.deleted {
                Err(deleted_version(&registration.model, &registration.digest))
            } else if *stored.version.registration() == registration {
                Ok(stored.version.clone())
            } else {
                Err(registered_otherwise(&registration))
            };
        }
        let version = ModelVersion::new(model.versions.len() as u64 + 1, registration);
        model.versions.push(Stored {
            version: version.clone(),
            deleted: false,
        });
        Ok(version)
    }

    async fn models(&self) -> Result<Vec<ModelName>, Error> {
        let models = lock(&self.models);
        let used = models
            .iter()
            .filter(|(_, model)| !model.versions.is_empty());
        Ok(used.map(|(name, _)| name.clone()).collect())
    }

    async fn versions(&self, model: &ModelName) -> Result<Vec<ModelVersion>, Error> {
        let models = lock(&self.models);
        let stored = models.get(model).map_or(&[][..], |model| &model.versions);
        let kept = stored.iter().filter(|stored| !stored.deleted);
        Ok(kept.map(|stored| stored.version.clone()).collect())
    }

    async fn version(&self, model: &ModelName, digest: &Digest) -> Result<ModelVersion, Error> {
        let models = lock(&self.models);
        let known = models
            .get(model)
            .ok_or_else(|| no_such_version(model, digest))?;
        known.version(model, digest).cloned()
    }

    async fn move_alias(
        &self,
        model: &ModelName,
        change: &AliasMove,
    ) -> Result<AliasTarget, Error> {
        let mut models = lock(&self.models);
        let known = models.entry(model.clone()).or_default();
        known.see(change.token, MOVE)?;
        if let Some(to) = &change.to {
            known.version(model, to)?;
        }
        let newest = known
            .aliases
            .get(&change.alias)
            .and_then(|history| history.last())
            .copied();
        if newest.and_then(|target| target.digest) != change.from {
            return Err(alias_moved_by_another(change));
        }
        let target = change.after(newest);
        let history = known.aliases.entry(change.alias.clone()).or_default();
        history.push(target);
        Ok(target)
    }

    async fn aliases(&self, model: &ModelName) -> Result<Vec<Alias>, Error> {
        let models = lock(&self.models);
        let known = models.get(model);
        Ok(known
            .map(|model| model.aliases.keys().cloned().collect())
            .unwrap_or_default())
    }

    async fn alias_history(
        &self,
        model: &ModelName,
        alias: &Alias,
    ) -> Result<Vec<AliasTarget>, Error> {
        let models = lock(&self.models);
        let history = models
            .get(model)
            .and_then(|model| model.aliases.get(alias).cloned());
        Ok(history.unwrap_or_default())
    }

    async fn delete(&self, model: &ModelName, deletion: &Deletion) -> Result<(), Error> {
        let mut models = lock(&self.models);
        let known = models.entry(model.clone()).or_default();
        known.see(deletion.token, DELETE)?;
        let live = known.aliases.iter().find(|(_, history)| {
            history.last().and_then(|target| target.digest) == Some(deletion.digest)
        });
        if let Some((alias, _)) = live {
            return Err(live_version(model, &deletion.digest, alias));
        }
        let stored = known
            .versions
            .iter_mut()
            .find(|stored| stored.version.digest() == deletion.digest);
        stored
            .ok_or_else(|| no_such_version(model, &deletion.digest))?
            .deleted = true;
        Ok(())
    }
}
