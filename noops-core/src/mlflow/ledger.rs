//! What the tags of a registered model say: this, and not MLflow's own rows, is what we go by.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::history::{self, Entry, History};
use super::remote::RemoteModel;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::lease::FencingToken;
use crate::name::Alias;

/// The tags of a registered model, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ledger {
    versions: BTreeMap<u64, Indexed>,
    deleted: BTreeSet<u64>,
    epoch: FencingToken,
    histories: BTreeMap<Alias, History>,
    changed: Vec<String>,
}

/// What is known of a version besides its own tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Indexed {
    /// The digest of the artifact.
    pub(super) digest: Digest,
    /// The digest of the registration's text.
    pub(super) registration: Digest,
}

/// The end of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tombstone {
    pub(super) at: Timestamp,
    pub(super) token: FencingToken,
}

impl Ledger {
    pub(super) fn read(model: &RemoteModel) -> Self {
        let mut ledger = Self::default();
        let mut entries: BTreeMap<Alias, Vec<Entry>> = BTreeMap::new();
        for (key, value) in &model.tags {
            if ledger.note(&mut entries, key, value).is_none() {
                ledger.changed.push(key.clone());
            }
        }
        for (alias, entries) in entries {
            match History::new(entries) {
                Ok(history) => {
                    ledger.histories.insert(alias, history);
                }
                Err(key) => ledger.changed.push(key),
            }
        }
        ledger
    }

    /// Takes up one tag; `None` when it is ours and not as we wrote it.
    fn note(
        &mut self,
        entries: &mut BTreeMap<Alias, Vec<Entry>>,
        key: &str,
        value: &str,
    ) -> Option<()> {
        if let Some(number) = key.strip_prefix(VERSION) {
            let indexed: Indexed = serde_json::from_str(value).ok()?;
            self.versions.insert(whole(number)?, indexed);
        } else if let Some(number) = key.strip_prefix(DELETED) {
            let _: Tombstone = serde_json::from_str(value).ok()?;
            self.deleted.insert(whole(number)?);
        } else if let Some(token) = key.strip_prefix(EPOCH) {
            self.epoch = self.epoch.max(FencingToken::new(whole(token)?));
        } else if key.starts_with(history::PREFIX) {
            let entry = Entry::parse(key, value)?;
            entries.entry(entry.alias.clone()).or_default().push(entry);
        }
        Some(())
    }

    /// Refuses to go on when a tag of ours is not as we wrote it.
    pub(super) fn intact(&self, operation: &'static str) -> Result<(), Error> {
        match self.changed.first() {
            None => Ok(()),
            Some(tag) => {
                let message =
                    "a tag that belongs to it was changed or removed in MLflow: restore it there";
                let shown: String = tag.chars().take(LONGEST_SHOWN).collect();
                Err(Error::new(ErrorKind::Corrupt, operation, message)
                    .with("tag", shown.escape_debug()))
            }
        }
    }

    /// The keys of tags that are ours and not as we wrote them.
    pub(super) fn changed(&self) -> &[String] {
        &self.changed
    }

    /// The greatest token that was shown.
    pub(super) fn epoch(&self) -> FencingToken {
        self.epoch
    }

    /// Our versions by number, also the deleted ones. Of two with one digest, which an expired lease makes possible, the older.
    pub(super) fn versions(&self) -> impl Iterator<Item = (u64, Indexed)> + '_ {
        let mut seen: BTreeSet<Digest> = BTreeSet::new();
        let first = move |(_, indexed): &(u64, Indexed)| seen.insert(indexed.digest);
        self.versions
            .iter()
            .map(|(number, indexed)| (*number, *indexed))
            .filter(first)
    }

    /// The version with a digest, also when it is deleted.
    pub(super) fn version(&self, digest: &Digest) -> Option<(u64, Indexed)> {
        self.versions()
            .find(|(_, indexed)| indexed.digest == *digest)
    }

    /// The version with a number, also when it is deleted.
    pub(super) fn numbered(&self, number: u64) -> Option<Indexed> {
        self.versions()
            .find(|(candidate, _)| *candidate == number)
            .map(|(_, indexed)| indexed)
    }

    pub(super) fn is_deleted(&self, number: u64) -> bool {
        self.deleted.contains(&number)
    }

    pub(super) fn histories(&self) -> &BTreeMap<Alias, History> {
        &self.histories
    }

    pub(super) fn history(&self, alias: &Alias) -> Option<&History> {
        self.histories.get(alias)
    }
}

/// The key of the tag of a version.
pub(super) fn version_key(number: u64) -> String {
    format!("{VERSION}{number}")
}

/// The key of the tag of a deletion.
pub(super) fn deleted_key(number: u64) -> String {
    format!("{DELETED}{number}")
}

/// The key of the tag of a token. One tag per token: a write that was held up on its way cannot lower what was seen.
pub(super) fn epoch_key(token: FencingToken) -> String {
    format!("{EPOCH}{token}")
}

/// The value of a tag.
pub(super) fn to_text<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| {
        let message = "it cannot be written as JSON";
        Error::new(ErrorKind::Invalid, "write to the registry", message).caused_by(error)
    })
}

/// A number as we write it: without sign and leading zeros.
fn whole(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

const VERSION: &str = "noops.version.";
const DELETED: &str = "noops.deleted.";
const EPOCH: &str = "noops.epoch.";
const LONGEST_SHOWN: usize = 250;

#[cfg(test)]
mod tests {
    use super::*;

    fn model(tags: &[(&str, &str)]) -> RemoteModel {
        let tags = tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        RemoteModel {
            tags: tags.collect(),
            ..RemoteModel::default()
        }
    }

    #[test]
    fn tags_of_others_are_left_alone() {
        let others = model(&[
            ("team", "a"),
            ("noops", "x"),
            ("noops.model", "delay"),
            ("", ""),
        ]);
        assert_eq!(Ledger::read(&others), Ledger::default());
    }

    #[test]
    fn the_epoch_is_the_greatest_token_in_any_order() {
        let tags = [
            ("noops.epoch.9", ""),
            ("noops.epoch.10", ""),
            ("noops.epoch.2", ""),
        ];
        assert_eq!(Ledger::read(&model(&tags)).epoch(), FencingToken::new(10));
    }

    #[test]
    fn of_two_versions_with_one_digest_the_older_counts() {
        let digest = Digest::of(b"one");
        let value = serde_json::to_string(&Indexed {
            digest,
            registration: digest,
        })
        .unwrap();
        let tags = [
            ("noops.version.10", value.as_str()),
            ("noops.version.9", &value),
        ];
        let ledger = Ledger::read(&model(&tags));
        assert_eq!(ledger.version(&digest).unwrap().0, 9);
        assert_eq!(ledger.versions().count(), 1);
        assert!(ledger.numbered(10).is_none());
    }

    #[test]
    fn tags_of_ours_that_were_changed_are_named() {
        let huge = "9".repeat(100);
        let cases = [
            ("noops.version.1", "{}"),
            ("noops.version.x", r#"{"digest":"0","registration":"0"}"#),
            ("noops.deleted.1", "yes"),
            ("noops.epoch.-1", ""),
            ("noops.epoch.01", ""),
            ("noops.alias.champion.1.1-1", "{}"),
            ("noops.alias.", ""),
        ];
        for (key, value) in cases {
            let ledger = Ledger::read(&model(&[(key, value)]));
            assert_eq!(ledger.changed(), [key]);
            let error = ledger.intact("read").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains(key), "{error}");
        }
        let key = format!("noops.epoch.{huge}");
        assert_eq!(Ledger::read(&model(&[(&key, "")])).changed(), [key]);
    }
}
