//! What MLflow shows beside what we recorded.

use std::collections::{BTreeMap, BTreeSet};

use super::act::Seen;
use super::foreign::ForeignWrite;
use super::remote::RemoteVersion;
use super::version::changed_tag;
use crate::name::Alias;

/// Everything in which they differ.
pub(super) fn differences(seen: &Seen, versions: &[RemoteVersion]) -> Vec<ForeignWrite> {
    let mut writes = aliases_elsewhere(seen);
    writes.extend(versions_otherwise(seen, versions));
    let changed = seen.ledger.changed().iter();
    writes.extend(changed.map(|tag| ForeignWrite::TagsChanged {
        tag: tag.clone(),
        version: None,
    }));
    writes
}

fn aliases_elsewhere(seen: &Seen) -> Vec<ForeignWrite> {
    let mut writes: Vec<ForeignWrite> = Vec::new();
    for (alias, history) in seen.ledger.histories() {
        let newest = history.newest();
        let version = newest.and_then(|entry| entry.version);
        let recorded = newest.and_then(|entry| entry.target.digest);
        match (seen.found(alias), recorded) {
            (Some(found), recorded) if Some(found) != version => {
                writes.push(ForeignWrite::AliasMoved {
                    alias: alias.to_string(),
                    recorded,
                    found,
                });
            }
            (None, Some(recorded)) => writes.push(ForeignWrite::AliasRemoved {
                alias: alias.clone(),
                recorded,
            }),
            _ => {}
        }
        writes.extend(history.lost().iter().map(|entry| ForeignWrite::MoveLost {
            alias: alias.clone(),
            target: entry.target,
        }));
    }
    for (alias, found) in &seen.remote.aliases {
        let parsed: Option<Alias> = alias.parse().ok();
        if parsed.is_none_or(|alias| seen.ledger.history(&alias).is_none()) {
            writes.push(ForeignWrite::AliasMoved {
                alias: alias.clone(),
                recorded: None,
                found: *found,
            });
        }
    }
    writes
}

fn versions_otherwise(seen: &Seen, remote: &[RemoteVersion]) -> Vec<ForeignWrite> {
    let mut writes: Vec<ForeignWrite> = Vec::new();
    let mut there: BTreeMap<u64, &RemoteVersion> = BTreeMap::new();
    there.extend(remote.iter().map(|version| (version.number, version)));
    let live: BTreeSet<u64> = seen
        .ledger
        .histories()
        .values()
        .filter_map(|history| history.newest()?.version)
        .collect();
    for (number, indexed) in seen.ledger.versions() {
        let deleted = seen.ledger.is_deleted(number);
        let remote = there.remove(&number);
        if (deleted && live.contains(&number)) || (!deleted && remote.is_none()) {
            writes.push(ForeignWrite::VersionDeleted {
                number,
                digest: indexed.digest,
            });
        }
        let changed = remote.and_then(|remote| changed_tag(indexed, remote));
        if let Some(tag) = changed {
            writes.push(ForeignWrite::TagsChanged {
                tag: tag.to_owned(),
                version: Some(number),
            });
        }
    }
    let unknown = there.keys();
    writes.extend(unknown.map(|number| ForeignWrite::UnknownVersion { number: *number }));
    writes
}
