//! Which model versions exist, and which of them are live.

pub(crate) mod refusal;
mod retention;

pub use retention::{Retention, apply_retention};

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactStore;
use crate::contract::Contract;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::lease::FencingToken;
use crate::name::{Alias, ModelName};

/// Where a version came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The run that trained it.
    pub training_run: String,
    /// The digest of the rows it was trained on.
    pub dataset: Option<Digest>,
    /// The version of the feature view that made the rows.
    pub feature_view: Option<Digest>,
    /// The revision of the training code.
    pub code_revision: String,
    /// The version that was champion when the training began.
    pub parent: Option<Digest>,
}

/// What is put into the registry: everything a version is, but its number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The model it is a version of.
    pub model: ModelName,
    /// The digest of the artifact, which is the version's identity.
    pub digest: Digest,
    /// The input and output rules.
    pub contract: Contract,
    /// The measured quality, by name.
    pub metrics: BTreeMap<String, f64>,
    /// The training parameters, by name.
    pub parameters: BTreeMap<String, String>,
    /// The reference profile of the training rows, as JSON.
    pub profile: Option<serde_json::Value>,
    /// Where it came from.
    pub lineage: Lineage,
    /// When it was registered.
    pub registered_at: Timestamp,
}

impl Registration {
    /// A registration without metrics, parameters, profile and lineage; set those that are known.
    #[must_use]
    pub fn new(
        model: ModelName,
        digest: Digest,
        contract: Contract,
        registered_at: Timestamp,
    ) -> Self {
        Self {
            model,
            digest,
            contract,
            metrics: BTreeMap::new(),
            parameters: BTreeMap::new(),
            profile: None,
            lineage: Lineage::default(),
            registered_at,
        }
    }

    /// Checks that the registration is read back as it is written. JSON has no NaN and no infinities: one of them among the
    /// metrics would make the whole model unreadable later.
    ///
    /// # Errors
    ///
    /// `Invalid` when it is not. Every registry implementation calls this before it stores anything.
    pub fn check(&self) -> Result<(), Error> {
        let same = |text: String| {
            serde_json::from_str::<Self>(&text).is_ok_and(|read_back| read_back == *self)
        };
        if serde_json::to_string(self).is_ok_and(same) {
            return Ok(());
        }
        let message = "it would not be read back as it is: a number in it is not finite, or the profile is null or too deep";
        Err(Error::new(ErrorKind::Invalid, refusal::REGISTER, message).with("digest", self.digest))
    }

    /// Registers it, if its artifact is stored and whole. [`ModelRegistry::register`] by itself takes every digest, because a registry does not know
    /// where artifacts are.
    ///
    /// # Errors
    ///
    /// `NotFound` when the artifact is not stored, `Corrupt` when it is damaged, and those of the stores. Nothing is registered then.
    ///
    /// # Complexity
    ///
    /// Reads the artifact once, piece by piece.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_core::{ArtifactStore, Contract, Digest, ErrorKind, InMemoryArtifacts, InMemoryRegistry, OutputRule, Registration, Timestamp};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (registry, artifacts) = (InMemoryRegistry::new(), InMemoryArtifacts::new());
    /// let contract = Contract::new([], OutputRule::probability())?;
    /// let promised = Registration::new("fraud".parse()?, Digest::of(b"weights"), contract, Timestamp::UNIX_EPOCH);
    /// let refused = promised.clone().register_stored(&registry, &artifacts).await.unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::NotFound);
    ///
    /// artifacts.put(b"weights").await?;
    /// assert_eq!(promised.register_stored(&registry, &artifacts).await?.number(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn register_stored(
        self,
        registry: &dyn ModelRegistry,
        artifacts: &dyn ArtifactStore,
    ) -> Result<ModelVersion, Error> {
        let mut download = artifacts.download(&self.digest).await?;
        while download.next().await?.is_some() {}
        registry.register(self).await
    }
}

/// An immutable version of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelVersion {
    number: u64,
    #[serde(flatten)]
    registration: Registration,
}

impl ModelVersion {
    /// A version as a registry implementation reads it back.
    #[must_use]
    pub fn new(number: u64, registration: Registration) -> Self {
        Self {
            number,
            registration,
        }
    }

    /// The number, counting from 1 in the order of registration.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The digest of the artifact.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.registration.digest
    }

    /// Everything that was registered.
    #[must_use]
    pub fn registration(&self) -> &Registration {
        &self.registration
    }
}

/// A move of an alias, guarded by what the caller believes it points at now and by the token of its lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasMove {
    /// The alias.
    pub alias: Alias,
    /// Where the caller believes it points; `None` when it believes the alias points nowhere.
    pub from: Option<Digest>,
    /// Where it shall point; `None` to let it point nowhere.
    pub to: Option<Digest>,
    /// When.
    pub at: Timestamp,
    /// The caller's right to act.
    pub token: FencingToken,
}

impl AliasMove {
    /// The end of the history after this move: no earlier than the end before it.
    #[must_use]
    pub fn after(&self, newest: Option<AliasTarget>) -> AliasTarget {
        AliasTarget {
            digest: self.to,
            since: newest.map_or(self.at, |newest| newest.since.max(self.at)),
            token: self.token,
        }
    }
}

/// Where an alias has pointed since a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasTarget {
    /// The version, or nothing.
    pub digest: Option<Digest>,
    /// Since when.
    pub since: Timestamp,
    /// The token of whoever moved it.
    pub token: FencingToken,
}

impl AliasTarget {
    /// Where an alias with this history, oldest first, pointed at a time.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_core::{AliasTarget, Digest, FencingToken, Timestamp};
    ///
    /// let since = Timestamp::from_second(100)?;
    /// let history = [AliasTarget { digest: Some(Digest::of(b"one")), since, token: FencingToken::NONE }];
    /// assert_eq!(AliasTarget::live_at(&history, Timestamp::from_second(99)?), None);
    /// assert_eq!(AliasTarget::live_at(&history, since), Some(Digest::of(b"one")));
    /// # Ok::<(), noops_core::jiff::Error>(())
    /// ```
    #[must_use]
    pub fn live_at(history: &[Self], at: Timestamp) -> Option<Digest> {
        let newest = history.iter().rev().find(|target| target.since <= at);
        newest.and_then(|target| target.digest)
    }
}

/// The end of a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// The version.
    pub digest: Digest,
    /// When.
    pub at: Timestamp,
    /// The caller's right to act.
    pub token: FencingToken,
}

/// The list of a model's versions and the aliases that point at them.
///
/// # Contract
///
/// * A version MUST be immutable. `register` MUST be idempotent: the same registration again returns the version that exists;
///   the same digest with anything else changed is [`Conflict`](crate::ErrorKind::Conflict). Numbers count from 1 and are never used again.
/// * `move_alias` MUST be atomic, MUST fail with `Conflict` when the alias does not point at `from`, and MUST fail with
///   [`NotFound`](crate::ErrorKind::NotFound) when `to` is not registered. History MUST be kept, and its times never run backwards: a move
///   dated before the one it follows, because clocks differ, counts from the time of that one.
/// * `delete` MUST fail with `Conflict` while any alias points at the version. A deleted version is [`Gone`](crate::ErrorKind::Gone): for
///   `version`, for `move_alias` and for `register`. Deleting it again changes nothing. Its place in histories stays.
/// * What carries a token MUST be refused as [`Fenced`](crate::ErrorKind::Fenced) when the model has seen a greater one, before anything else about
///   it is looked at, and MUST raise what the model has seen otherwise, also when it then fails for another reason.
/// * A call that returned MUST survive a crash of the process if the implementation is durable at all.
/// * Cancelling a call MUST leave it either done or not begun.
#[async_trait]
pub trait ModelRegistry: Debug + Send + Sync + 'static {
    /// Adds a version. Whether its artifact is stored is not looked at: [`Registration::register_stored`] does.
    async fn register(&self, registration: Registration) -> Result<ModelVersion, Error>;

    /// All models that have or had versions, by name.
    async fn models(&self) -> Result<Vec<ModelName>, Error>;

    /// All versions of a model that are not deleted, by number. An unknown model has none.
    async fn versions(&self, model: &ModelName) -> Result<Vec<ModelVersion>, Error>;

    /// The version with a digest.
    async fn version(&self, model: &ModelName, digest: &Digest) -> Result<ModelVersion, Error>;

    /// Points an alias at a version or at nothing, if it still points where the caller believes. Returns the end of its history now.
    async fn move_alias(&self, model: &ModelName, change: &AliasMove)
    -> Result<AliasTarget, Error>;

    /// Every alias that a model has ever had, by name.
    async fn aliases(&self, model: &ModelName) -> Result<Vec<Alias>, Error>;

    /// Everywhere an alias has pointed, oldest first; the last entry is where it points now.
    async fn alias_history(
        &self,
        model: &ModelName,
        alias: &Alias,
    ) -> Result<Vec<AliasTarget>, Error>;

    /// Removes a version that no alias points at. Its artifact is not touched.
    async fn delete(&self, model: &ModelName, deletion: &Deletion) -> Result<(), Error>;
}
