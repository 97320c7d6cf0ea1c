//! Where an alias has pointed, as tags of the registered model that nobody can overwrite by accident.
//!
//! One tag per move. Its key ends with who wrote it, so that two who act at once, which an expired lease makes possible, write two
//! tags. Each entry carries the checksum of the one before it: the history is what is reached from its newest end, an entry beside
//! it is a move that was lost, and one that was edited or removed is missed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::lease::FencingToken;
use crate::name::Alias;
use crate::registry::AliasTarget;

/// The moves of one alias.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct History {
    /// Oldest first.
    kept: Vec<Entry>,
    lost: Vec<Entry>,
}

/// One move.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) alias: Alias,
    pub(super) sequence: u64,
    pub(super) writer: Writer,
    pub(super) target: AliasTarget,
    /// The number of the version it moved to.
    pub(super) version: Option<u64>,
    /// Whether MLflow's alias is known to have followed.
    pub(super) state: State,
    pub(super) previous: Digest,
}

/// Whose move it is: newer leases win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Writer {
    pub(super) lease: FencingToken,
    pub(super) act: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum State {
    Intended,
    Settled,
}

impl History {
    /// The history that some entries make, or the key of the tag after which it breaks off.
    pub(super) fn new(entries: Vec<Entry>) -> Result<Self, String> {
        let mut rows: BTreeMap<u64, Vec<Entry>> = BTreeMap::new();
        for entry in entries {
            rows.entry(entry.sequence).or_default().push(entry);
        }
        let mut history = Self::default();
        let mut expected: Option<(u64, Digest, String)> = None;
        while let Some((sequence, mut row)) = rows.pop_last() {
            row.sort_by_key(|entry| entry.writer);
            let kept = match &expected {
                None => row.len().checked_sub(1),
                Some((before, digest, _)) => row
                    .iter()
                    .position(|entry| sequence == *before && entry.check() == *digest),
            };
            let Some(kept) = kept else {
                return Err(expected.map(|(_, _, key)| key).unwrap_or_default());
            };
            let entry = row.remove(kept);
            history.lost.append(&mut row);
            let before = entry.sequence.saturating_sub(1);
            expected = Some((before, entry.previous, entry.key()));
            history.kept.push(entry);
        }
        history.kept.reverse();
        history
            .lost
            .sort_by_key(|entry| (entry.sequence, entry.writer));
        match expected {
            Some((before, digest, key)) if before != 0 || digest != Digest::ZERO => Err(key),
            _ => Ok(history),
        }
    }

    pub(super) fn newest(&self) -> Option<&Entry> {
        self.kept.last()
    }

    /// The entry before the newest.
    pub(super) fn before(&self) -> Option<&Entry> {
        self.kept.iter().rev().nth(1)
    }

    /// Moves that were written beside the history.
    pub(super) fn lost(&self) -> &[Entry] {
        &self.lost
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = AliasTarget> + '_ {
        self.kept.iter().map(|entry| entry.target)
    }

    /// The entry that comes after the newest.
    pub(super) fn next(
        &self,
        alias: Alias,
        writer: Writer,
        target: AliasTarget,
        version: Option<u64>,
    ) -> Entry {
        let newest = self.newest();
        Entry {
            alias,
            sequence: newest.map_or(1, |newest| newest.sequence.saturating_add(1)),
            writer,
            target,
            version,
            state: State::Intended,
            previous: newest.map_or(Digest::ZERO, Entry::check),
        }
    }
}

impl Entry {
    /// The key of the tag.
    pub(super) fn key(&self) -> String {
        let (alias, sequence) = (&self.alias, self.sequence);
        let (lease, act) = (self.writer.lease, self.writer.act);
        format!("{PREFIX}{alias}.{sequence:010}.{lease}-{act}")
    }

    /// The value of the tag.
    pub(super) fn value(&self) -> String {
        let written = Written {
            digest: self.target.digest,
            version: self.version,
            since: self.target.since,
            token: self.target.token,
            state: self.state,
            previous: self.previous,
            check: self.check(),
        };
        // A struct of plain fields is always JSON.
        serde_json::to_string(&written).unwrap_or_default()
    }

    /// The entry in a tag; `None` when it is not as it was written.
    pub(super) fn parse(key: &str, value: &str) -> Option<Self> {
        let mut parts = key.strip_prefix(PREFIX)?.rsplitn(3, '.');
        let (lease, act) = parts.next()?.split_once('-')?;
        let sequence: u64 = parts.next()?.parse().ok()?;
        let alias: Alias = parts.next()?.parse().ok()?;
        let written: Written = serde_json::from_str(value).ok()?;
        let entry = Self {
            alias,
            sequence,
            writer: Writer {
                lease: FencingToken::new(lease.parse().ok()?),
                act: act.parse().ok()?,
            },
            target: AliasTarget {
                digest: written.digest,
                since: written.since,
                token: written.token,
            },
            version: written.version,
            state: written.state,
            previous: written.previous,
        };
        let same = entry.check() == written.check
            && entry.key() == key
            && entry.target.digest.is_some() == entry.version.is_some()
            && sequence > 0;
        same.then_some(entry)
    }

    /// The checksum of everything but the state, which changes.
    fn check(&self) -> Digest {
        Digest::of_json(&(self.key(), self.target, self.version, self.previous))
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    digest: Option<Digest>,
    version: Option<u64>,
    since: Timestamp,
    token: FencingToken,
    state: State,
    previous: Digest,
    check: Digest,
}

pub(super) const PREFIX: &str = "noops.alias.";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn writer(lease: u64) -> Writer {
        Writer {
            lease: FencingToken::new(lease),
            act: 1,
        }
    }

    fn target(second: i64) -> AliasTarget {
        AliasTarget {
            digest: Some(Digest::of(&second.to_le_bytes())),
            since: Timestamp::from_second(second).unwrap(),
            token: FencingToken::new(u64::MAX),
        }
    }

    fn after(entries: &[Entry], lease: u64, second: i64) -> Entry {
        let history = History::new(entries.to_vec()).unwrap();
        let alias = "champion.v2.3".parse().unwrap();
        history.next(alias, writer(lease), target(second), Some(7))
    }

    fn three() -> Vec<Entry> {
        let mut entries = Vec::new();
        for (lease, second) in [(1, 10), (2, 20), (4, 30)] {
            entries.push(after(&entries, lease, second));
        }
        entries
    }

    #[test]
    fn what_is_written_is_read_and_anything_else_is_not() {
        let entry = three().pop().unwrap();
        let (key, value) = (entry.key(), entry.value());
        assert!(key.len() <= 250, "what MLflow takes as a key");
        assert_eq!(Entry::parse(&key, &value), Some(entry.clone()));
        let settled = Entry {
            state: State::Settled,
            ..entry
        };
        assert_eq!(Entry::parse(&key, &settled.value()), Some(settled));
        let other = key.replace("0000000003", "0000000004");
        assert_eq!(Entry::parse(&other, &value), None, "moved to another place");
        let later = value.replace("00:00:30", "00:00:31");
        assert_ne!(later, value);
        assert_eq!(Entry::parse(&key, &later), None, "another time");
        for key in [
            "",
            "noops.alias.",
            "noops.alias.champion.1",
            "noops.alias.a.1.x-1",
        ] {
            assert_eq!(Entry::parse(key, &value), None, "{key}");
        }
        for value in ["", "{}", "null", "[1]", &"[".repeat(10_000)] {
            assert_eq!(Entry::parse(&key, value), None);
        }
    }

    #[test]
    fn an_entry_that_is_removed_or_that_another_stands_in_for_is_missed() {
        let entries = three();
        for missing in 0..2 {
            let mut rest = entries.clone();
            rest.remove(missing);
            let named = rest[missing].key();
            assert_eq!(History::new(rest), Err(named));
        }
        let mut far = entries[0].clone();
        far.sequence = u64::MAX;
        assert!(History::new(vec![far]).is_err());
    }

    #[test]
    fn of_two_who_acted_at_once_the_newer_lease_wins_and_the_other_is_kept_beside() {
        let mut entries = three();
        let (late, newer) = (after(&entries, 5, 40), after(&entries, 6, 50));
        entries.extend([newer.clone(), late.clone()]);
        let history = History::new(entries.clone()).unwrap();
        assert_eq!(history.newest(), Some(&newer));
        assert_eq!(history.lost(), std::slice::from_ref(&late));
        let next = after(&entries, 7, 60);
        entries.push(next.clone());
        // One more that comes after the fact, under a lease that is newer than that of the entry in its place.
        let mut latest = late.clone();
        latest.writer = writer(8);
        entries.push(latest.clone());
        let history = History::new(entries).unwrap();
        assert_eq!(history.newest(), Some(&next));
        assert_eq!(history.before(), Some(&newer));
        assert_eq!(history.lost(), [late, latest]);
        assert_eq!(history.targets().count(), 5);
    }

    proptest! {
        #[test]
        fn no_tag_panics(key in "noops\\.alias\\.[a-z0-9.\\-]{0,40}", value in ".{0,200}") {
            prop_assert_eq!(Entry::parse(&key, &value), None);
        }

        #[test]
        fn the_order_of_the_tags_does_not_matter(swaps in proptest::collection::vec((0usize..3, 0usize..3), 0..6)) {
            let mut entries = three();
            for (left, right) in swaps {
                entries.swap(left, right);
            }
            prop_assert_eq!(History::new(entries), History::new(three()));
        }
    }
}
