//! The registry of a team that has one already.

mod act;
mod api;
mod change;
mod chunks;
mod comparison;
mod foreign;
mod history;
mod ledger;
mod lineage;
mod register;
mod remote;
mod settings;
mod transport;
mod version;

pub use foreign::ForeignWrite;
pub use settings::MlflowSettings;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use self::act::{Act, FORMAT, MODEL, Seen};
use self::api::Api;
use self::change::{ADOPT, adopt_in, takes_alias};
use self::comparison::differences;
use self::remote::RemoteVersion;
use self::transport::{Direct, Transport};
use self::version::decode;
use crate::artifact::corrupt_artifact;
use crate::clock::Clock;
use crate::digest::Digest;
use crate::error::Error;
use crate::http::HttpClient;
use crate::lease::{FencingToken, LeaseStore};
use crate::name::{Alias, ModelName};
use crate::registry::refusal::{DELETE, FIND, MOVE, REGISTER, deleted_version, no_such_version};
use crate::registry::{
    AliasMove, AliasTarget, Deletion, ModelRegistry, ModelVersion, Registration,
};

/// A registry that keeps its versions and aliases in a running MLflow server, where the team sees them.
///
/// MLflow lets anybody move an alias without looking where it was, keeps no history of it, and deletes the version that answers
/// requests. So we keep our own record in tags of the registered model, act only under a lease, read back what was written, and say
/// so when somebody else has written there:
///
/// | here | in MLflow |
/// |---|---|
/// | model | registered model, its name behind the [namespace](MlflowSettings::with_namespace) |
/// | version, with MLflow's number | model version; the digest in the tag `noops.digest`, the registration in `noops.registration.*`, and an index entry `noops.version.<number>` in the model, without which it does not count |
/// | metrics, parameters, data set | also a run and a logged model in the experiment `noops/<registered model>`, for people; what MLflow does not take as a name is left out and long texts are cut |
/// | move of an alias | tag `noops.alias.<alias>.<sequence>.<writer>`, each with the checksum of the one before; then MLflow's alias |
/// | deletion | tag `noops.deleted.<number>`; MLflow keeps the version, marked `noops.deleted_at`, because its own deletion would take the metadata along |
/// | fencing token seen | tag `noops.epoch.<token>` |
///
/// Each change is done once one tag is written, and not begun before. When a crash or a lost connection comes between the tag of a move
/// and MLflow's alias, the history already says where the alias points, whoever reads the alias from MLflow still sees where it
/// was, and the next change of the model finishes the move, as does [`repair`](Self::repair). A registration that was cut off
/// leaves a version that does not count; the same registration again takes it over.
///
/// # Limits
///
/// * A new alias must be one that MLflow takes: no dots, not `latest`, not `v` and a number.
/// * The server has no conditional write. Should a request be held up on its way for longer than the [timeout](MlflowSettings::with_timeout), after
///   which it is given up and the lease is let go, two may act at once. Both moves are then in the tags: that of the newer lease counts, the
///   other is reported as [`ForeignWrite::MoveLost`], and an alias that the late request moved as [`ForeignWrite::AliasMoved`].
/// * A change that failed as [`Unavailable`](crate::ErrorKind::Unavailable) may have been done, or may still be: read before trying again.
/// * A registration takes up to 1 MiB as JSON, its profile included. A file of [`load_artifact`](Self::load_artifact) may have up to 64 MiB.
/// * Every read of a model fetches all its tags: one for each version, each move and each change of leader. No more than 64 MiB of them are
///   read, some hundred thousand.
/// * Who deletes or renames the registered model in MLflow takes the record along. Keep the audit log elsewhere.
/// * The tags guard against accidents and against tools, not against somebody who forges them.
///
/// # Examples
///
/// ```no_run
/// use std::sync::Arc;
/// use noops_core::{InMemoryLeases, MlflowRegistry, MlflowSettings, ModelName, ModelRegistry, SystemClock};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = MlflowSettings::new("http://mlflow.internal:5000").with_namespace("team-a.");
/// // Several processes share an `SqlLeases` instead.
/// let leases = Arc::new(InMemoryLeases::new());
/// let registry = MlflowRegistry::new(settings, leases, Arc::new(SystemClock), "host-1.4711")?;
/// let model: ModelName = "arrival-delay".parse()?;
/// for version in registry.versions(&model).await? {
///     println!("{} {}", version.number(), version.digest());
/// }
/// for write in registry.foreign_writes(&model).await? {
///     println!("not ours: {write:?}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct MlflowRegistry {
    api: Api,
    settings: MlflowSettings,
    leases: Arc<dyn LeaseStore>,
    clock: Arc<dyn Clock>,
    holder: String,
    acts: AtomicU64,
    turns: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl MlflowRegistry {
    /// A registry in the server that the settings name. Nothing is asked of the server yet.
    ///
    /// `leases` must be shared with all who change the same models, and `holder` must be a text that no other process uses nor an
    /// earlier run of this one, such as the host's name with the process id and the time it started.
    ///
    /// # Errors
    ///
    /// `Invalid` for an address that is none or holds a credential, an illegal namespace, and a lease that is shorter than four timeouts.
    pub fn new(
        settings: MlflowSettings,
        leases: Arc<dyn LeaseStore>,
        clock: Arc<dyn Clock>,
        holder: &str,
    ) -> Result<Self, Error> {
        let client = HttpClient::new(settings.url())?.with_timeout(settings.timeout());
        let transport = Arc::new(Direct::new(client, settings.secret()));
        Self::over(transport, settings, leases, clock, holder)
    }

    fn over(
        transport: Arc<dyn Transport>,
        settings: MlflowSettings,
        leases: Arc<dyn LeaseStore>,
        clock: Arc<dyn Clock>,
        holder: &str,
    ) -> Result<Self, Error> {
        settings.check()?;
        // Two registries of one process are two holders.
        let instance = INSTANCES.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            api: Api::new(transport),
            settings,
            leases,
            clock,
            holder: format!("{holder}/{instance}"),
            acts: AtomicU64::new(1),
            turns: Mutex::default(),
        })
    }

    /// What somebody else has changed in MLflow since we last wrote there, after finishing what a crash of ours cut off.
    ///
    /// # Errors
    ///
    /// `Overloaded` when others act on the model all the time, and those of the server and the lease store.
    pub async fn foreign_writes(&self, model: &ModelName) -> Result<Vec<ForeignWrite>, Error> {
        let mut act = Act::begin(self, model, CHECK).await?;
        let found = self.find_foreign_writes(&mut act).await;
        act.end().await;
        found
    }

    /// Records where an alias points in MLflow as where it points here, after somebody moved it there on purpose.
    ///
    /// # Errors
    ///
    /// `Fenced` when the model has seen a greater token; `NotFound` when the alias is neither here nor there; `Conflict` when
    /// it points at a version that is not registered here or was deleted here.
    pub async fn adopt(
        &self,
        model: &ModelName,
        alias: &Alias,
        token: FencingToken,
        at: Timestamp,
    ) -> Result<AliasTarget, Error> {
        let mut act = Act::begin(self, model, ADOPT).await?;
        let adopted = adopt_in(&mut act, alias, token, at).await;
        act.end().await;
        adopted
    }

    /// Finishes a move that a crash cut off, so that MLflow's alias follows at once and not with the next change.
    ///
    /// # Errors
    ///
    /// `Corrupt` when a tag of the model was changed; those of the server and the lease store.
    pub async fn repair(&self, model: &ModelName) -> Result<(), Error> {
        let mut act = Act::begin(self, model, REPAIR).await?;
        let done = act.enter().await.map(drop);
        act.end().await;
        done
    }

    /// A file that MLflow keeps with a version, such as one that a training job logged there, if it is the artifact that was registered.
    ///
    /// # Errors
    ///
    /// `Corrupt` when its bytes do not have the digest of the version, because somebody has overwritten it; `Invalid` when MLflow keeps no files
    /// of this version, and for a file of more than 64 MiB; `NotFound` and `Gone` when there is no such version or no such file.
    pub async fn load_artifact(
        &self,
        model: &ModelName,
        digest: &Digest,
        file: &str,
    ) -> Result<Vec<u8>, Error> {
        let (_, remote) = self.find(model, digest).await?;
        let mut path = lineage::files(&self.api, LOAD, &remote.source).await?;
        path.extend(file.split('/').map(str::to_owned));
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let bytes = self.api.artifact(LOAD, &path).await?.into_body();
        if Digest::of(&bytes) != *digest {
            return Err(corrupt_artifact(digest)
                .with("model", model)
                .with("file", file.escape_debug()));
        }
        Ok(bytes)
    }

    /// The name of the registered model.
    fn registered(&self, model: &ModelName) -> String {
        format!("{}{model}", self.settings.namespace())
    }

    /// Whose turn it is in this process.
    fn turn(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(name.to_owned()).or_default().clone()
    }

    /// The registered model, if its tags are as we wrote them.
    async fn read(&self, model: &ModelName, operation: &'static str) -> Result<Seen, Error> {
        let name = self.registered(model);
        let seen = Seen::new(self.api.model(operation, &name).await?);
        seen.ledger.intact(operation)?;
        Ok(seen)
    }

    /// A version that is there, as we and as MLflow have it.
    async fn find(
        &self,
        model: &ModelName,
        digest: &Digest,
    ) -> Result<(ModelVersion, RemoteVersion), Error> {
        let seen = self.read(model, FIND).await?;
        self.find_in(&seen, model, digest).await
    }

    async fn find_in(
        &self,
        seen: &Seen,
        model: &ModelName,
        digest: &Digest,
    ) -> Result<(ModelVersion, RemoteVersion), Error> {
        let (number, indexed) = seen
            .ledger
            .version(digest)
            .ok_or_else(|| no_such_version(model, digest))?;
        if seen.ledger.is_deleted(number) {
            return Err(deleted_version(model, digest));
        }
        let name = self.registered(model);
        // Whoever deleted it in MLflow meant it.
        let remote = self
            .api
            .version(FIND, &name, number)
            .await?
            .ok_or_else(|| deleted_version(model, digest))?;
        let version = decode(model, indexed, &remote)?;
        Ok((version, remote))
    }

    async fn find_foreign_writes(&self, act: &mut Act<'_>) -> Result<Vec<ForeignWrite>, Error> {
        let mut seen = act.look().await?;
        if !seen.exists {
            return Ok(Vec::new());
        }
        if seen.ledger.changed().is_empty() {
            seen = act.enter().await?;
        }
        let versions = self.api.versions(CHECK, act.name(), None).await?;
        Ok(differences(&seen, &versions))
    }
}

#[async_trait]
impl ModelRegistry for MlflowRegistry {
    async fn register(&self, registration: Registration) -> Result<ModelVersion, Error> {
        registration.check()?;
        let text = chunks::text(&registration)?;
        let mut act = Act::begin(self, &registration.model, REGISTER).await?;
        let registered = self.register_in(&mut act, registration, &text).await;
        act.end().await;
        registered
    }

    async fn models(&self) -> Result<Vec<ModelName>, Error> {
        let mut names: BTreeSet<ModelName> = BTreeSet::new();
        for remote in self.api.models(READ, FORMAT).await? {
            let name: Option<ModelName> = remote.tags.get(MODEL).and_then(|name| name.parse().ok());
            let Some(name) = name else { continue };
            // Those of other namespaces carry the tags too.
            if self.registered(&name) != remote.name {
                continue;
            }
            let seen = Seen::new(Some(remote));
            if seen.ledger.versions().next().is_some() {
                names.insert(name);
            }
        }
        Ok(names.into_iter().collect())
    }

    async fn versions(&self, model: &ModelName) -> Result<Vec<ModelVersion>, Error> {
        let seen = self.read(model, READ).await?;
        if !seen.exists {
            return Ok(Vec::new());
        }
        let name = self.registered(model);
        let remote = self.api.versions(READ, &name, None).await?;
        let remote: BTreeMap<u64, RemoteVersion> = remote
            .into_iter()
            .map(|version| (version.number, version))
            .collect();
        let kept = seen
            .ledger
            .versions()
            .filter(|(number, _)| !seen.ledger.is_deleted(*number));
        let found = kept.filter_map(|(number, indexed)| {
            let remote = remote.get(&number)?;
            Some(decode(model, indexed, remote))
        });
        found.collect()
    }

    async fn version(&self, model: &ModelName, digest: &Digest) -> Result<ModelVersion, Error> {
        Ok(self.find(model, digest).await?.0)
    }

    async fn move_alias(
        &self,
        model: &ModelName,
        change: &AliasMove,
    ) -> Result<AliasTarget, Error> {
        takes_alias(&change.alias)?;
        let mut act = Act::begin(self, model, MOVE).await?;
        let moved = self.move_in(&mut act, model, change).await;
        act.end().await;
        moved
    }

    async fn aliases(&self, model: &ModelName) -> Result<Vec<Alias>, Error> {
        let seen = self.read(model, READ).await?;
        Ok(seen.ledger.histories().keys().cloned().collect())
    }

    async fn alias_history(
        &self,
        model: &ModelName,
        alias: &Alias,
    ) -> Result<Vec<AliasTarget>, Error> {
        let seen = self.read(model, READ).await?;
        let history = seen.ledger.history(alias);
        Ok(history
            .map(|history| history.targets().collect())
            .unwrap_or_default())
    }

    async fn delete(&self, model: &ModelName, deletion: &Deletion) -> Result<(), Error> {
        let mut act = Act::begin(self, model, DELETE).await?;
        let deleted = self.delete_in(&mut act, model, deletion).await;
        act.end().await;
        deleted
    }
}

impl fmt::Debug for MlflowRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MlflowRegistry")
            .field("api", &self.api)
            .field("settings", &self.settings)
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

static INSTANCES: AtomicU64 = AtomicU64::new(0);
const READ: &str = "read the registry";
const CHECK: &str = "look for foreign writes";
const REPAIR: &str = "repair a model";
const LOAD: &str = "load an artifact";

#[cfg(test)]
mod tests;
