//! Which model versions exist, and which of them are live.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::contract::Contract;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
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
        let message = "a number in it is not finite or cannot be written";
        Err(
            Error::new(ErrorKind::Invalid, "register a model version", message)
                .with("digest", self.digest),
        )
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

/// A move of an alias, guarded by what the caller believes it points at now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasMove {
    /// The alias.
    pub alias: Alias,
    /// Where the caller believes it points; `None` when it believes the alias does not exist.
    pub from: Option<Digest>,
    /// Where it shall point.
    pub to: Digest,
    /// When.
    pub at: Timestamp,
}

/// Where an alias has pointed since a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasTarget {
    /// The version.
    pub digest: Digest,
    /// Since when.
    pub since: Timestamp,
}

/// The list of a model's versions and the aliases that point at them.
///
/// # Contract
///
/// * A version MUST be immutable. `register` MUST be idempotent: the same registration again returns the version that exists;
///   the same digest with anything else changed is [`Conflict`](crate::ErrorKind::Conflict).
/// * `move_alias` MUST be atomic, MUST fail with `Conflict` when the alias does not point at `from`, and MUST fail with
///   [`NotFound`](crate::ErrorKind::NotFound) when `to` is not registered. History MUST be kept.
/// * A call that returned MUST survive a crash of the process if the implementation is durable at all.
/// * Cancelling a call MUST leave it either done or not begun.
#[async_trait]
pub trait ModelRegistry: Debug + Send + Sync + 'static {
    /// Adds a version.
    async fn register(&self, registration: Registration) -> Result<ModelVersion, Error>;

    /// All versions of a model, by number. An unknown model has none.
    async fn versions(&self, model: &ModelName) -> Result<Vec<ModelVersion>, Error>;

    /// The version with a digest.
    async fn version(&self, model: &ModelName, digest: &Digest) -> Result<ModelVersion, Error>;

    /// Points an alias at a version, if it still points where the caller believes.
    async fn move_alias(&self, model: &ModelName, change: &AliasMove) -> Result<(), Error>;

    /// Everywhere an alias has pointed, oldest first; the last entry is where it points now.
    async fn alias_history(
        &self,
        model: &ModelName,
        alias: &Alias,
    ) -> Result<Vec<AliasTarget>, Error>;
}
