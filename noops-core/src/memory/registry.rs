use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::name::{Alias, ModelName};
use crate::registry::{AliasMove, AliasTarget, ModelRegistry, ModelVersion, Registration};

/// A registry in memory.
#[derive(Debug, Default)]
pub struct InMemoryRegistry {
    models: Mutex<BTreeMap<ModelName, Model>>,
}

#[derive(Debug, Default)]
struct Model {
    versions: Vec<ModelVersion>,
    aliases: BTreeMap<Alias, Vec<AliasTarget>>,
}

impl InMemoryRegistry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl ModelRegistry for InMemoryRegistry {
    async fn register(&self, registration: Registration) -> Result<ModelVersion, Error> {
        registration.check()?;
        let mut models = lock(&self.models);
        let model = models.entry(registration.model.clone()).or_default();
        if let Some(existing) = model
            .versions
            .iter()
            .find(|version| version.digest() == registration.digest)
        {
            return if *existing.registration() == registration {
                Ok(existing.clone())
            } else {
                Err(registered_otherwise(&registration))
            };
        }
        let version = ModelVersion::new(model.versions.len() as u64 + 1, registration);
        model.versions.push(version.clone());
        Ok(version)
    }

    async fn versions(&self, model: &ModelName) -> Result<Vec<ModelVersion>, Error> {
        Ok(lock(&self.models)
            .get(model)
            .map(|model| model.versions.clone())
            .unwrap_or_default())
    }

    async fn version(&self, model: &ModelName, digest: &Digest) -> Result<ModelVersion, Error> {
        let models = lock(&self.models);
        let versions = models.get(model).map_or(&[][..], |model| &model.versions);
        versions
            .iter()
            .find(|version| version.digest() == *digest)
            .cloned()
            .ok_or_else(|| no_such_version(model, digest))
    }

    async fn move_alias(&self, model: &ModelName, change: &AliasMove) -> Result<(), Error> {
        let mut models = lock(&self.models);
        let known = models.get_mut(model).filter(|known| {
            known
                .versions
                .iter()
                .any(|version| version.digest() == change.to)
        });
        let history = &mut known
            .ok_or_else(|| no_such_version(model, &change.to))?
            .aliases;
        if history
            .get(&change.alias)
            .and_then(|targets| targets.last())
            .map(|target| target.digest)
            != change.from
        {
            return Err(alias_moved_by_another(change));
        }
        history
            .entry(change.alias.clone())
            .or_default()
            .push(AliasTarget {
                digest: change.to,
                since: change.at,
            });
        Ok(())
    }

    async fn alias_history(
        &self,
        model: &ModelName,
        alias: &Alias,
    ) -> Result<Vec<AliasTarget>, Error> {
        let models = lock(&self.models);
        Ok(models
            .get(model)
            .and_then(|model| model.aliases.get(alias))
            .cloned()
            .unwrap_or_default())
    }
}

pub(crate) fn registered_otherwise(registration: &Registration) -> Error {
    Error::new(
        ErrorKind::Conflict,
        "register a model version",
        "this artifact is registered with other metadata",
    )
    .with("digest", registration.digest)
}

pub(crate) fn no_such_version(model: &ModelName, digest: &Digest) -> Error {
    Error::new(
        ErrorKind::NotFound,
        "find a model version",
        "it is not registered",
    )
    .with("model", model)
    .with("digest", digest)
}

pub(crate) fn alias_moved_by_another(change: &AliasMove) -> Error {
    Error::new(
        ErrorKind::Conflict,
        "move an alias",
        "it does not point where the caller believes; read it again",
    )
    .with("alias", &change.alias)
}
