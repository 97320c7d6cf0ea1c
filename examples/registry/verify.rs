//! Whether everything in a registry is what it was.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use noops_core::model_signing::{Bundle, VerifyingKey, verify_artifact};
use noops_core::{
    Alias, AliasTarget, AuditEntry, AuditLog, Digest, Error, ErrorKind, FencingToken, ModelName,
    ModelRegistry, ModelVersion, verify_chain,
};
use serde_json::Value;

use crate::act::{PROMOTE, ROLL_BACK};
use crate::failure::{Failure, fail};
use crate::find;
use crate::register::REGISTER;
use crate::store::Store;

/// Checks all models, or one, and the audit log.
pub(crate) async fn verify(
    store: &Store,
    only: Option<&ModelName>,
    public_key: Option<&Path>,
) -> Result<String, Failure> {
    let key = public_key.map(VerifyingKey::from_pem_file).transpose()?;
    if let Some(model) = only {
        find::versions(store, model).await?;
    }
    let mut report = Report::default();
    let entries = report.unless_wrong("the audit log", store.audit_log().entries().await);
    let entries = entries.unwrap_or_default();
    if let Err(error) = verify_chain(&entries) {
        report.wrong(error.to_string());
    }
    let log = Recorded::of(&entries);
    let mut count = entries.len();
    if let Some(signed) = store.signed_log() {
        match signed.verify(&mut report.notes) {
            Ok(verified) => count += verified.entries().len(),
            Err(failure) => report.wrong(failure.to_string()),
        }
    }

    let registry = store.registry();
    let mut in_use: BTreeSet<Digest> = BTreeSet::new();
    let mut all_read = true;
    for model in registry.models().await? {
        let read = registry.versions(&model).await;
        let Some(versions) = report.unless_wrong(&format!("`{model}`"), read) else {
            all_read = false;
            continue;
        };
        in_use.extend(versions.iter().map(ModelVersion::digest));
        if only.is_some_and(|only| *only != model) {
            continue;
        }
        for version in &versions {
            report.artifact(store, &model, version).await;
            report.registration(&model, version, &log);
            if let Some(key) = &key {
                report.signature(store, &model, version, key);
            }
        }
        report.aliases(store, &model, &log).await;
    }
    // An artifact of a version that cannot be read looks like one of no version.
    if all_read {
        let stored = report.unless_wrong("the artifacts", store.artifacts().list().await);
        report.orphans(&stored.unwrap_or_default(), &in_use);
    }
    report.finish(store, count)
}

/// What was found.
#[derive(Debug, Default)]
struct Report {
    wrong: Vec<String>,
    notes: Vec<String>,
    versions: usize,
    bytes: u64,
    moves: usize,
}

impl Report {
    fn wrong(&mut self, finding: String) {
        self.wrong.push(finding);
    }

    /// What was read; that it could not be is a finding and not the end.
    fn unless_wrong<T>(&mut self, what: &str, read: Result<T, Error>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(format!("{what} cannot be read: {}", Failure::from(error)));
                None
            }
        }
    }

    async fn artifact(&mut self, store: &Store, model: &ModelName, version: &ModelVersion) {
        self.versions += 1;
        let (number, digest) = (version.number(), version.digest());
        match store.read_artifact(&digest).await {
            Ok(length) => self.bytes = self.bytes.saturating_add(length),
            Err(error) => {
                let what = match error.kind() {
                    ErrorKind::NotFound => "is missing".to_owned(),
                    ErrorKind::Corrupt => "is damaged: its bytes do not have its digest".to_owned(),
                    _ => format!("cannot be read: {}", Failure::from(error)),
                };
                self.wrong(format!(
                    "the artifact {digest} of `{model}` version {number} {what}"
                ));
            }
        }
    }

    /// Compares a version with what the audit log says was registered.
    fn registration(&mut self, model: &ModelName, version: &ModelVersion, log: &Recorded) {
        let key = (model.to_string(), version.digest().to_string());
        let now = Digest::of_json(version.registration()).to_string();
        // What another program registered is not recorded in this form.
        if log
            .registrations
            .get(&key)
            .is_some_and(|then| !then.contains(&now))
        {
            self.wrong(format!(
                "`{model}` version {} was changed after it was registered",
                version.number()
            ));
        }
    }

    fn signature(
        &mut self,
        store: &Store,
        model: &ModelName,
        version: &ModelVersion,
        key: &VerifyingKey,
    ) {
        let (number, digest) = (version.number(), version.digest());
        let path = store.signature(model, &digest);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return self.wrong(format!("`{model}` version {number} is not signed"));
            }
            Err(error) => {
                return self.wrong(format!("cannot read `{}`: {error}", path.display()));
            }
        };
        let verified = Bundle::from_bytes(&bytes)
            .and_then(|bundle| verify_artifact(digest, model.as_str(), key, &bundle));
        if let Err(error) = verified {
            self.wrong(format!(
                "the signature `{}` of `{model}` version {number} does not hold: {}",
                path.display(),
                Failure::from(error)
            ));
        }
    }

    async fn aliases(&mut self, store: &Store, model: &ModelName, log: &Recorded) {
        let registry = store.registry();
        let aliases = registry.aliases(model).await;
        let aliases = self.unless_wrong(&format!("the aliases of `{model}`"), aliases);
        for alias in aliases.unwrap_or_default() {
            let history = registry.alias_history(model, &alias).await;
            let what = format!("the history of `{alias}` of `{model}`");
            if let Some(history) = self.unless_wrong(&what, history) {
                self.moves += history.len();
                self.order(model, &alias, &history);
                self.moves(store, model, &alias, &history, log);
                self.targets(store, model, &alias, &history).await;
            }
        }
    }

    fn order(&mut self, model: &ModelName, alias: &Alias, history: &[AliasTarget]) {
        for (place, (one, next)) in history.iter().zip(history.iter().skip(1)).enumerate() {
            if next.since < one.since || next.token < one.token {
                self.wrong(format!(
                    "the history of `{alias}` of `{model}` runs backwards from move {} to the next",
                    place + 1
                ));
            }
        }
    }

    /// Compares the moves of an alias with what the audit log says was to be done.
    fn moves(
        &mut self,
        store: &Store,
        model: &ModelName,
        alias: &Alias,
        history: &[AliasTarget],
        log: &Recorded,
    ) {
        for (place, target) in (1..).zip(history) {
            let key = (model.to_string(), alias.to_string(), target.token);
            let to = target.digest.map(|digest| digest.to_string());
            match log.moves.get(&key) {
                Some(recorded) if *recorded == to => {}
                Some(_) => self.wrong(format!(
                    "move {place} of `{alias}` of `{model}` is not the one in the audit log under its token {}",
                    target.token
                )),
                // What another program does is not recorded in this form.
                None if store.is_ours() => self.notes.push(format!(
                    "note: move {place} of `{alias}` of `{model}` is not in the audit log: it was not made by this program"
                )),
                None => {}
            }
        }
    }

    async fn targets(
        &mut self,
        store: &Store,
        model: &ModelName,
        alias: &Alias,
        history: &[AliasTarget],
    ) {
        let live = history.last().and_then(|target| target.digest);
        let targets: BTreeSet<Digest> = history.iter().filter_map(|target| target.digest).collect();
        for digest in targets {
            let error = match store.registry().version(model, &digest).await {
                Ok(_) => continue,
                Err(error) => error,
            };
            match error.kind() {
                ErrorKind::Gone if live != Some(digest) => {}
                ErrorKind::Gone => self.wrong(format!(
                    "`{alias}` of `{model}` points at {digest}, which was deleted"
                )),
                ErrorKind::NotFound => self.wrong(format!(
                    "`{alias}` of `{model}` points or pointed at {digest}, which was never registered"
                )),
                _ => self.wrong(Failure::from(error).to_string()),
            }
        }
    }

    fn orphans(&mut self, stored: &[Digest], in_use: &BTreeSet<Digest>) {
        let orphans: Vec<&Digest> = stored
            .iter()
            .filter(|digest| !in_use.contains(*digest))
            .collect();
        for digest in orphans.iter().take(SHOWN) {
            self.notes.push(format!(
                "note: the artifact {digest} belongs to no version; it costs space and nothing else"
            ));
        }
        if let Some(more) = orphans.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            self.notes.push(format!("note: so do {more} others"));
        }
    }

    fn finish(self, store: &Store, entries: usize) -> Result<String, Failure> {
        let mut text = format!(
            "{} versions, {} bytes of artifacts, {} moves of aliases, {entries} audit entries\n",
            self.versions, self.bytes, self.moves
        );
        for note in &self.notes {
            text.push_str(&format!("{note}\n"));
        }
        if self.wrong.is_empty() {
            text.push_str("nothing is wrong");
            return Ok(text);
        }
        for finding in &self.wrong {
            text.push_str(&format!("wrong: {finding}\n"));
        }
        let things = match self.wrong.len() {
            1 => "1 thing is".to_owned(),
            more => format!("{more} things are"),
        };
        Err(fail(format!(
            "{things} wrong in `{}`\n{}",
            store.place(),
            text.trim_end()
        )))
    }
}

/// What the audit log says was to be done.
#[derive(Debug, Default)]
struct Recorded {
    /// By model and digest, the digests of what was to be registered. Several when an attempt failed.
    registrations: BTreeMap<(String, String), BTreeSet<String>>,
    /// By model, alias and token, where the alias was to point.
    moves: BTreeMap<(String, String, FencingToken), Option<String>>,
}

impl Recorded {
    fn of(entries: &[AuditEntry]) -> Self {
        let mut recorded = Self::default();
        for entry in entries {
            let record = &entry.record;
            let text = |name: &str| record.body.get(name).and_then(Value::as_str);
            match record.kind.as_str() {
                REGISTER => {
                    if let (Some(model), Some(digest), Some(registration)) =
                        (text("model"), text("digest"), text("registration"))
                    {
                        let key = (model.to_owned(), digest.to_owned());
                        let known = recorded.registrations.entry(key).or_default();
                        known.insert(registration.to_owned());
                    }
                }
                PROMOTE | ROLL_BACK => {
                    if let (Some(model), Some(alias)) = (text("model"), text("alias")) {
                        let key = (model.to_owned(), alias.to_owned(), record.token);
                        recorded.moves.insert(key, text("to").map(str::to_owned));
                    }
                }
                _ => {}
            }
        }
        recorded
    }
}

const SHOWN: usize = 10;
