use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::MlflowRegistry;
use super::history::{Entry, State, Writer};
use super::ledger::{Ledger, epoch_key};
use super::remote::RemoteModel;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::lease::{FencingToken, Lease};
use crate::name::{Alias, LeaseName, ModelName};
use crate::registry::AliasTarget;

/// The time in which one of us, and nobody else of us, changes a registered model.
pub(super) struct Act<'a> {
    registry: &'a MlflowRegistry,
    name: String,
    model: ModelName,
    operation: &'static str,
    lease: Lease,
    number: u64,
    _turn: OwnedMutexGuard<()>,
}

/// A registered model as it was read: what MLflow says, and what its tags say.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) remote: RemoteModel,
    pub(super) ledger: Ledger,
    /// Whether MLflow has it.
    pub(super) exists: bool,
}

impl Seen {
    pub(super) fn new(remote: Option<RemoteModel>) -> Self {
        let exists = remote.is_some();
        let remote = remote.unwrap_or_default();
        let ledger = Ledger::read(&remote);
        Self {
            remote,
            ledger,
            exists,
        }
    }

    pub(super) fn newest(&self, alias: &Alias) -> Option<&Entry> {
        self.ledger
            .history(alias)
            .and_then(|history| history.newest())
    }

    /// The number of the version an alias points at in MLflow.
    pub(super) fn found(&self, alias: &Alias) -> Option<u64> {
        self.remote.aliases.get(alias.as_str()).copied()
    }

    /// Refuses to go on when MLflow's alias is not where its history says.
    pub(super) fn agreed(&self, operation: &'static str, alias: &Alias) -> Result<(), Error> {
        let recorded = self.newest(alias).and_then(|entry| entry.version);
        let found = self.found(alias);
        if found == recorded {
            return Ok(());
        }
        let message = "the alias was moved in MLflow and not here: adopt what it points at there, or move it back there";
        let shown = |version: Option<u64>| {
            version.map_or("nothing".to_owned(), |number| format!("version {number}"))
        };
        Err(Error::new(ErrorKind::Conflict, operation, message)
            .with("alias", alias)
            .with("recorded", shown(recorded))
            .with("found", shown(found)))
    }
}

impl<'a> Act<'a> {
    /// Waits for the others, in this process and elsewhere.
    pub(super) async fn begin(
        registry: &'a MlflowRegistry,
        model: &ModelName,
        operation: &'static str,
    ) -> Result<Self, Error> {
        let name = registry.registered(model);
        let turn = registry.turn(&name).lock_owned().await;
        let lease = acquire(registry, &name, operation).await?;
        Ok(Self {
            registry,
            name,
            model: model.clone(),
            operation,
            lease,
            number: registry.acts.fetch_add(1, Ordering::Relaxed),
            _turn: turn,
        })
    }

    /// Lets the others act. A lease that cannot be given back ends by itself.
    pub(super) async fn end(self) {
        self.registry.leases.release(&self.lease).await.ok();
    }

    /// The registered model as it is, also when a tag of it was changed.
    pub(super) async fn look(&self) -> Result<Seen, Error> {
        let remote = self.registry.api.model(self.operation, &self.name).await?;
        Ok(Seen::new(remote))
    }

    /// The registered model, after what a crash cut off was finished.
    pub(super) async fn enter(&mut self) -> Result<Seen, Error> {
        let seen = self.look().await?;
        seen.ledger.intact(self.operation)?;
        self.repair(seen).await
    }

    /// The same, unless a greater token has been seen; the token is seen from now on.
    pub(super) async fn enter_with(&mut self, token: FencingToken) -> Result<Seen, Error> {
        let mut seen = self.look().await?;
        token.check(seen.ledger.epoch(), self.operation)?;
        if token > seen.ledger.epoch() {
            self.ensure(&seen).await?;
            let now = self.registry.clock.now().to_string();
            self.set_tag(&epoch_key(token), &now).await?;
            seen = self.look().await?;
        }
        seen.ledger.intact(self.operation)?;
        self.repair(seen).await
    }

    /// Makes the registered model, and marks it as one of ours.
    pub(super) async fn ensure(&mut self, seen: &Seen) -> Result<(), Error> {
        if !seen.exists {
            self.hold().await?;
            let api = &self.registry.api;
            api.create_model(self.operation, &self.name).await?;
        }
        let model = self.model.to_string();
        for (key, value) in [(FORMAT.0, FORMAT.1), (MODEL, model.as_str())] {
            if seen.remote.tags.get(key).map(String::as_str) != Some(value) {
                self.set_tag(key, value).await?;
            }
        }
        Ok(())
    }

    /// Finishes moves that are in a history but were cut off before MLflow's alias is known to have followed.
    async fn repair(&mut self, seen: Seen) -> Result<Seen, Error> {
        let mut repaired = false;
        for (alias, history) in seen.ledger.histories() {
            let Some(newest) = history.newest() else {
                continue;
            };
            if newest.state == State::Settled {
                continue;
            }
            let before = history.before().and_then(|entry| entry.version);
            let found = seen.found(alias);
            // Anywhere else, somebody has moved it meanwhile: that is for a person to decide.
            if found != newest.version && found == before {
                self.hold().await?;
                let api = &self.registry.api;
                api.set_alias(self.operation, &self.name, alias.as_str(), newest.version)
                    .await?;
            }
            self.settle(newest).await?;
            repaired = true;
        }
        if !repaired {
            return Ok(seen);
        }
        let seen = self.look().await?;
        seen.ledger.intact(self.operation)?;
        Ok(seen)
    }

    /// Adds a move to the history of an alias. From here on, it is done.
    pub(super) async fn append(
        &mut self,
        seen: &Seen,
        alias: &Alias,
        target: AliasTarget,
        version: Option<u64>,
        state: State,
    ) -> Result<Entry, Error> {
        let writer = Writer {
            lease: self.lease.token,
            act: self.number,
        };
        let history = seen.ledger.history(alias).cloned().unwrap_or_default();
        let mut entry = history.next(alias.clone(), writer, target, version);
        entry.state = state;
        self.set_tag(&entry.key(), &entry.value()).await?;
        Ok(entry)
    }

    /// Lets MLflow's alias follow a move, and reads it back.
    pub(super) async fn follow(&mut self, entry: &Entry) -> Result<(), Error> {
        self.hold().await?;
        let (api, alias) = (&self.registry.api, entry.alias.as_str());
        api.set_alias(self.operation, &self.name, alias, entry.version)
            .await?;
        let seen = self.look().await?;
        if seen.newest(&entry.alias).map(Entry::key) != Some(entry.key()) {
            let message = "somebody else moved it at the same time, because the lease ended meanwhile; read it again";
            return Err(Error::new(ErrorKind::Conflict, self.operation, message)
                .with("alias", &entry.alias));
        }
        // The move is done: if this fails, the next act does it.
        self.settle(entry).await.ok();
        seen.agreed(self.operation, &entry.alias)
    }

    async fn settle(&mut self, entry: &Entry) -> Result<(), Error> {
        let settled = Entry {
            state: State::Settled,
            ..entry.clone()
        };
        self.set_tag(&settled.key(), &settled.value()).await
    }

    pub(super) async fn set_tag(&mut self, key: &str, value: &str) -> Result<(), Error> {
        self.hold().await?;
        let api = &self.registry.api;
        api.set_model_tag(self.operation, &self.name, key, value)
            .await
    }

    /// Makes sure before a write that the lease outlives it.
    pub(super) async fn hold(&mut self) -> Result<(), Error> {
        let settings = &self.registry.settings;
        let now = self.registry.clock.now();
        let needed = settings.timeout().saturating_mul(2);
        if now
            .checked_add(needed)
            .is_ok_and(|end| end <= self.lease.until)
        {
            return Ok(());
        }
        let renewed = self
            .registry
            .leases
            .renew(&self.lease, now, settings.lease_time())
            .await;
        self.lease = renewed.map_err(|error| {
            if error.kind() != ErrorKind::Fenced {
                return error;
            }
            // Not the caller's lease: it may try again.
            let message = "it took so long that others may change the model now; read it again";
            Error::new(ErrorKind::Conflict, self.operation, message).caused_by(error)
        })?;
        Ok(())
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

async fn acquire(
    registry: &MlflowRegistry,
    name: &str,
    operation: &'static str,
) -> Result<Lease, Error> {
    let lease = lease_name(name, operation)?;
    let patience = registry.settings.patience();
    let time = registry.settings.lease_time();
    let mut waited = Duration::ZERO;
    let mut pause = SHORTEST_PAUSE;
    loop {
        let now = registry.clock.now();
        let granted = registry
            .leases
            .acquire(&lease, &registry.holder, now, time)
            .await;
        match granted {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                if waited >= patience {
                    let message =
                        "others have been changing this model all the time; try again later";
                    return Err(Error::new(ErrorKind::Overloaded, operation, message)
                        .with("model", name)
                        .caused_by(error));
                }
            }
            granted => return granted,
        }
        tokio::time::sleep(pause).await;
        waited = waited.saturating_add(pause);
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

/// The name of the lease on a registered model.
fn lease_name(name: &str, operation: &'static str) -> Result<LeaseName, Error> {
    let plain: Result<LeaseName, _> = format!("mlflow.{name}").parse();
    let named = plain.or_else(|_| format!("mlflow.{}", Digest::of(name.as_bytes())).parse());
    named.map_err(|error| {
        let message = "its name makes no lease";
        Error::new(ErrorKind::Invalid, operation, message).caused_by(error)
    })
}

/// The tag by which our registered models are found among those of others.
pub(super) const FORMAT: (&str, &str) = ("noops.format", "1");
/// The tag with the name of the model, without the namespace.
pub(super) const MODEL: &str = "noops.model";
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(80);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_makes_a_lease_of_its_own() {
        let long = |end: &str| format!("{}{end}", "a".repeat(200));
        let names = ["a.b".to_owned(), long("1"), long("2")];
        let leases: std::collections::BTreeSet<LeaseName> = names
            .iter()
            .map(|name| lease_name(name, "test").unwrap())
            .collect();
        assert_eq!(leases.len(), 3);
        assert!(leases.iter().any(|lease| lease.as_str() == "mlflow.a.b"));
    }
}
