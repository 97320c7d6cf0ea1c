//! Putting a new version into the registry.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use noops_core::{
    Clock, Contract, Digest, ErrorKind, Feature, FeatureRule, Lineage, ModelName, ModelRegistry,
    ModelVersion, OutputRule, Registration, Timestamp,
};
use serde_json::json;

use crate::failure::{Failure, fail};
use crate::find;
use crate::store::{Acting, Store};

/// What a new version is made of.
#[derive(Debug, Args)]
pub(crate) struct NewVersion {
    /// The model
    model: ModelName,
    /// The artifact
    file: PathBuf,
    /// The inputs of the model, all of them numbers
    #[arg(long, value_name = "NAME", required = true, num_args = 1..)]
    feature: Vec<String>,
    /// Something that was measured
    #[arg(long, value_name = "NAME=NUMBER", value_parser = parse_metric)]
    metric: Vec<(String, f64)>,
    /// Something that the training was told
    #[arg(long, value_name = "NAME=TEXT", value_parser = parse_parameter)]
    parameter: Vec<(String, String)>,
    /// The training run it came from
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    run: String,
    /// The version that it was to replace: its digest, its number or an alias
    #[arg(long, value_name = "VERSION")]
    parent: Option<String>,
}

impl NewVersion {
    /// Refuses what can be refused before anything is written.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.contract()?;
        once("metric", self.metric.iter().map(|(name, _)| name))?;
        once("parameter", self.parameter.iter().map(|(name, _)| name))?;
        match std::fs::metadata(&self.file) {
            Ok(found) if !found.is_file() => Err(unusable(&self.file, "it is not a file")),
            Ok(found) if found.len() == 0 => Err(unusable(&self.file, "it is empty")),
            Ok(_) => Ok(()),
            Err(error) => Err(unusable(&self.file, error)),
        }
    }

    fn contract(&self) -> Result<Contract, Failure> {
        let rules = self
            .feature
            .iter()
            .map(|name| FeatureRule::strict(Feature::number(name)));
        Ok(Contract::new(rules, OutputRule::number())?)
    }

    async fn parent(&self, store: &Store) -> Result<Option<Digest>, Failure> {
        let Some(text) = &self.parent else {
            return Ok(None);
        };
        // A parent may have been deleted since, or never have been in this registry.
        if let Ok(digest) = text.parse::<Digest>() {
            return Ok(Some(digest));
        }
        let parent = find::version(store, &self.model, text).await?;
        Ok(Some(parent.digest()))
    }
}

/// Stores the artifact and registers it.
pub(crate) async fn register(
    store: &Store,
    new: NewVersion,
    clock: &dyn Clock,
) -> Result<String, Failure> {
    let contract = new.contract()?;
    let parent = new.parent(store).await?;
    let digest = upload(store, &new.file).await?;
    let now = clock.now();
    let lineage = Lineage {
        training_run: new.run,
        parent,
        ..Lineage::default()
    };
    let mut registration = Registration::new(new.model, digest, contract, now);
    registration.metrics = new.metric.into_iter().collect();
    registration.parameters = new
        .parameter
        .into_iter()
        .collect::<BTreeMap<String, String>>();
    registration.lineage = lineage;

    let registry = store.registry();
    match registry.version(&registration.model, &digest).await {
        Ok(existing) => return repeated(&existing, registration),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) if error.kind() == ErrorKind::Gone => {
            return Err(fail(format!(
                "this file was a version of `{}` that was deleted, and a deleted version does not come back; train another, or register it as another model",
                registration.model
            )));
        }
        Err(error) => return Err(error.into()),
    }
    let model = registration.model.clone();
    let version = enter(store, registration, now).await?;
    Ok(format!(
        "`{model}` version {} is {digest}",
        version.number()
    ))
}

/// Registers what has been uploaded.
async fn enter(
    store: &Store,
    registration: Registration,
    now: Timestamp,
) -> Result<ModelVersion, Failure> {
    let digest = registration.digest;
    let acting = Acting::begin(store, now).await?;
    let body = json!({
        "model": registration.model,
        "digest": digest,
        "registration": Digest::of_json(&registration),
    });
    // Before we had the lease, `retain` may have deleted another version of the same bytes.
    let done = match store.artifacts().download(&digest).await {
        Ok(_) => match acting.record(REGISTER, body).await {
            Ok(()) => store.registry().register(registration).await,
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    let entered = acting.end(REGISTER, done).await;
    entered.map_err(|error| match error.kind() {
        ErrorKind::NotFound => fail(format!(
            "the artifact {digest} was deleted before it could be registered; register it again"
        )),
        _ => error.into(),
    })
}

/// The same file again is no mistake, unless something else is said about it.
fn repeated(existing: &ModelVersion, mut again: Registration) -> Result<String, Failure> {
    let known = existing.registration();
    again.registered_at = known.registered_at;
    let (model, number) = (&known.model, existing.number());
    if again == *known {
        let digest = existing.digest();
        return Ok(format!("`{model}` version {number} is {digest} already"));
    }
    Err(fail(format!(
        "this file is version {number} of `{model}` already, with other features, metrics, parameters or lineage; a version never changes, see `show {model} {number}`"
    )))
}

async fn upload(store: &Store, path: &Path) -> Result<Digest, Failure> {
    let mut file = File::open(path).map_err(|error| unusable(path, error))?;
    let mut upload = store.artifacts().upload().await?;
    let mut chunk: Vec<u8> = Vec::with_capacity(CHUNK);
    loop {
        chunk.clear();
        let most = CHUNK as u64;
        let read = (&mut file).take(most).read_to_end(&mut chunk);
        if read.map_err(|error| unusable(path, error))? == 0 {
            return Ok(upload.finish().await?);
        }
        upload.write(&chunk).await?;
    }
}

fn once<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<(), Failure> {
    let mut seen: BTreeSet<&String> = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(fail(format!("the {what} `{name}` is given twice")));
        }
    }
    Ok(())
}

fn unusable(path: &Path, reason: impl std::fmt::Display) -> Failure {
    fail(format!(
        "cannot take `{}` as a model: {reason}",
        path.display()
    ))
}

fn parse_parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=TEXT".to_owned()),
    }
}

fn parse_metric(text: &str) -> Result<(String, f64), String> {
    let refuse = || "write NAME=NUMBER, with a finite number".to_owned();
    let (name, value) = parse_parameter(text).map_err(|_| refuse())?;
    let value = value.parse::<f64>().ok().filter(|value| value.is_finite());
    Ok((name, value.ok_or_else(refuse)?))
}

/// What the registration of a version is called in the audit log.
pub(crate) const REGISTER: &str = "register";
const CHUNK: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Access;
    use crate::tests::Folder;

    #[tokio::test]
    async fn what_retention_removed_meanwhile_is_not_registered() {
        let folder = Folder::new("meanwhile");
        folder.register("fraud", b"one", 10, &[]).await;
        let store = Store::open(&folder.registry(), Access::Change)
            .await
            .unwrap();
        let rule = FeatureRule::strict(Feature::number("amount"));
        let contract = Contract::new([rule], OutputRule::number()).unwrap();
        let model: ModelName = "fraud".parse().unwrap();
        let (digest, now) = (Digest::of(b"two"), folder.clock(20).now());
        let registration = Registration::new(model.clone(), digest, contract, now);
        let failure = enter(&store, registration, now).await.unwrap_err();
        assert!(
            failure.to_string().contains("register it again"),
            "{failure}"
        );
        assert_eq!(store.registry().versions(&model).await.unwrap().len(), 1);
        store.close().await;
        // The lease was given back.
        folder.register("fraud", b"two", 21, &[]).await;
    }
}
