//! The log itself, for one caller at a time, all of it blocking.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::bundle::{self, WIDTH};
use super::edge::{Edge, TileData};
use super::journal;
use super::keys::KeyIndex;
use super::leaf;
use super::reader::{load_tiles, read_bundle};
use super::signed_checkpoint::SignedCheckpoint;
use super::storage::{Storage, WRITE};
use crate::audit::{AuditEntry, AuditRecord, other_record_under_key};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::lease::FencingToken;
use crate::merkle::{NoteSigner, Tile, TileSet, leaf_hash};

/// The state of a log that is open for writing.
pub(super) struct Engine {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) signer: Arc<NoteSigner>,
    pub(super) checkpoint_every: u64,
    /// What every checkpoint of this writer carries so that it differs from those of others.
    pub(super) extension: Option<String>,
    /// The newest checkpoint.
    pub(super) published: SignedCheckpoint,
    /// The right edge of the tree that the checkpoint covers.
    pub(super) edge: Edge,
    /// The last bundle of that tree, when it is not full.
    pub(super) last_bundle: Vec<u8>,
    /// The leaves behind that tree.
    pub(super) pending: Vec<Vec<u8>>,
    pub(super) pending_bytes: usize,
    pub(super) head: Digest,
    pub(super) token: FencingToken,
    pub(super) keys: KeyIndex,
    pub(super) fault: Option<ErrorKind>,
}

impl Engine {
    /// How many entries there are.
    pub(super) fn size(&self) -> u64 {
        self.edge.size().saturating_add(self.pending.len() as u64)
    }

    /// Refuses when the log can no longer vouch for what is stored.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self.fault {
            None => Ok(()),
            Some(ErrorKind::Fenced) => Err(Error::new(
                ErrorKind::Fenced,
                WRITE,
                "somebody else writes this log; stop, or open it again",
            )),
            Some(_) => Err(Error::new(
                ErrorKind::Unavailable,
                WRITE,
                "an earlier write failed, so what is stored is not certain; open the log again",
            )),
        }
    }

    /// Appends groups of records, each whole or not at all, with one write and one sync for all of them.
    pub(super) fn commit(
        &mut self,
        groups: Vec<Vec<AuditRecord>>,
    ) -> Vec<Result<Vec<AuditEntry>, Error>> {
        let from = self.pending.len();
        let mut evidence = BTreeMap::new();
        let mut results: Vec<Result<Vec<AuditEntry>, Error>> = groups
            .into_iter()
            .map(|records| {
                self.check()?;
                self.stage(records, &mut evidence)
            })
            .collect();
        if self.pending.len() == from {
            return results;
        }
        let Err(error) = self.make_durable(from, evidence) else {
            return results;
        };
        self.poison(&error);
        let mut cause = Some(error);
        for result in results.iter_mut().filter(|result| result.is_ok()) {
            *result = match (cause.take(), self.check()) {
                (Some(cause), _) => Err(cause),
                (None, Err(error)) => Err(error),
                (None, Ok(())) => continue,
            };
        }
        results
    }

    /// Publishes a checkpoint when enough has gathered behind the last one.
    pub(super) fn integrate_when_due(&mut self) -> Result<(), Error> {
        let due = self.pending.len() as u64 >= self.checkpoint_every
            || self.pending_bytes >= MAX_PENDING_BYTES;
        if due { self.integrate() } else { Ok(()) }
    }

    /// Publishes a checkpoint of all there is, if the newest does not cover it already.
    pub(super) fn integrate(&mut self) -> Result<(), Error> {
        self.check()?;
        if self.pending.is_empty() {
            return Ok(());
        }
        let done = self.write_tree();
        if let Err(error) = &done {
            self.poison(error);
        }
        done
    }

    /// The entry at a place.
    pub(super) fn entry(&self, sequence: u64) -> Result<AuditEntry, Error> {
        let bytes = self.leaf(sequence)?;
        leaf::decode(&bytes, sequence, &|path, limit| {
            self.storage.read(path, limit)
        })
    }

    /// The leaf at a place.
    pub(super) fn leaf(&self, sequence: u64) -> Result<Vec<u8>, Error> {
        let size = self.edge.size();
        let found = if let Some(behind) = sequence.checked_sub(size) {
            usize::try_from(behind)
                .ok()
                .and_then(|behind| self.pending.get(behind).cloned())
        } else {
            let read = |path: &str, limit: u64| self.storage.read(path, limit);
            let leaves = read_bundle(&read, sequence / WIDTH, size)?;
            leaves.into_iter().nth((sequence % WIDTH) as usize)
        };
        found.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                super::storage::READ,
                "there is no such entry",
            )
            .with("entry", sequence)
            .with("size", self.size())
        })
    }

    /// Loads tiles as they are, or were, in this log: a wider tile holds all hashes of a narrower one.
    pub(super) fn load_tiles(&self, tiles: &[Tile]) -> Result<TileSet, Error> {
        let read = |path: &str, limit: u64| self.storage.read(path, limit);
        load_tiles(&read, tiles, self.edge.size())
    }

    /// Takes leaves that are durable already into the state.
    pub(super) fn adopt(&mut self, bytes: Vec<u8>, key: &str, hash: Digest, token: FencingToken) {
        self.keys.insert(key, self.size());
        self.head = hash;
        self.token = token;
        self.pending_bytes = self.pending_bytes.saturating_add(bytes.len());
        self.pending.push(bytes);
    }

    /// The paths of the files at the right edge that later ones replace.
    pub(super) fn partial_paths(&self) -> Result<BTreeSet<String>, Error> {
        let mut paths: BTreeSet<String> = self
            .edge
            .partial_tiles()?
            .into_iter()
            .map(|tile| tile.path)
            .collect();
        let width = self.edge.size() % WIDTH;
        if width > 0 {
            paths.insert(Tile::entries_path(self.edge.size() / WIDTH, width as u16));
        }
        Ok(paths)
    }

    fn stage(
        &mut self,
        records: Vec<AuditRecord>,
        evidence: &mut BTreeMap<String, Vec<u8>>,
    ) -> Result<Vec<AuditEntry>, Error> {
        let mark = (
            self.pending.len(),
            self.pending_bytes,
            self.head,
            self.token,
        );
        let mut added = BTreeMap::new();
        let mut entries = Vec::with_capacity(records.len());
        for record in records {
            let staged = self
                .stage_one(record, evidence, &mut added)
                .and_then(|entry| {
                    let bytes = self.pending_bytes.saturating_sub(mark.1);
                    if bytes > MAX_GROUP_BYTES {
                        return Err(journal::too_much_at_once());
                    }
                    Ok(entry)
                });
            match staged {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    self.roll_back(mark);
                    return Err(error);
                }
            }
        }
        evidence.append(&mut added);
        Ok(entries)
    }

    fn stage_one(
        &mut self,
        record: AuditRecord,
        earlier: &BTreeMap<String, Vec<u8>>,
        evidence: &mut BTreeMap<String, Vec<u8>>,
    ) -> Result<AuditEntry, Error> {
        record.token.check(self.token, WRITE)?;
        if let Some(existing) = self.existing(&record, [earlier, &*evidence])? {
            return Ok(existing);
        }
        leaf::check(&record)?;
        let entry = AuditEntry::chain(self.size(), record, self.head);
        let leaf = leaf::encode(&entry)?;
        evidence.extend(leaf.evidence);
        self.adopt(
            leaf.bytes,
            &entry.record.key,
            entry.hash,
            entry.record.token,
        );
        Ok(entry)
    }

    fn roll_back(&mut self, mark: (usize, usize, Digest, FencingToken)) {
        let first = self.edge.size().saturating_add(mark.0 as u64);
        for (sequence, leaf) in (first..).zip(self.pending.drain(mark.0..)) {
            if let Ok(header) = leaf::header(&leaf, sequence) {
                self.keys.remove(&header.record.key, sequence);
            }
        }
        (_, self.pending_bytes, self.head, self.token) = mark;
    }

    /// The entry that tells of the same event, if there is one.
    fn existing(
        &self,
        record: &AuditRecord,
        staged: [&BTreeMap<String, Vec<u8>>; 2],
    ) -> Result<Option<AuditEntry>, Error> {
        for sequence in self.keys.candidates(&record.key) {
            let bytes = self.leaf(sequence)?;
            if leaf::header(&bytes, sequence)?.record.key != record.key {
                continue;
            }
            let read = |path: &str, limit: u64| {
                let found = staged.iter().find_map(|files| files.get(path));
                match found {
                    Some(bytes) => Ok(Some(bytes.clone())),
                    None => self.storage.read(path, limit),
                }
            };
            let entry = leaf::decode(&bytes, sequence, &read)?;
            if entry.record.same_event(record) {
                return Ok(Some(entry));
            }
            return Err(other_record_under_key(&record.key));
        }
        Ok(None)
    }

    fn make_durable(
        &mut self,
        from: usize,
        evidence: BTreeMap<String, Vec<u8>>,
    ) -> Result<(), Error> {
        let evidence: Vec<(String, Vec<u8>)> = evidence.into_iter().collect();
        if !evidence.is_empty() {
            self.storage.put(&evidence)?;
        }
        let first = self.edge.size().saturating_add(from as u64);
        let leaves = self.pending.get(from..).unwrap_or_default();
        if let Some(journal) = self.storage.journal() {
            return journal.append(&journal::frame(first, leaves)?);
        }
        self.write_tree()
    }

    /// Writes bundles and tiles, then the checkpoint, then empties the journal: what a checkpoint covers is durable before it.
    fn write_tree(&mut self) -> Result<(), Error> {
        let superseded = self.partial_paths()?;
        let mut edge = self.edge.clone();
        let mut bundle = self.last_bundle.clone();
        let mut tiles: Vec<TileData> = Vec::new();
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for leaf in &self.pending {
            edge.push(leaf_hash(leaf), &mut tiles)?;
            if !bundle::push(&mut bundle, leaf) {
                return Err(journal::too_much_at_once());
            }
            if edge.size().is_multiple_of(WIDTH) {
                let index = (edge.size() / WIDTH).saturating_sub(1);
                let path = Tile::entries_path(index, WIDTH as u16);
                files.push((path, std::mem::take(&mut bundle)));
            }
        }
        let width = edge.size() % WIDTH;
        if width > 0 {
            let path = Tile::entries_path(edge.size() / WIDTH, width as u16);
            files.push((path, bundle.clone()));
        }
        tiles.extend(edge.partial_tiles()?);
        files.extend(tiles.into_iter().map(|tile| (tile.path, tile.bytes)));
        self.storage.put(&files)?;

        let published = SignedCheckpoint::sign(
            &self.signer,
            edge.size(),
            edge.root(),
            self.extension.as_deref(),
        )?;
        self.storage.publish(&published.to_bytes())?;
        self.published = published;
        self.edge = edge;
        self.last_bundle = bundle;
        self.pending.clear();
        self.pending_bytes = 0;

        let written: BTreeSet<&String> = files.iter().map(|(path, _)| path).collect();
        let superseded: Vec<String> = superseded
            .into_iter()
            .filter(|path| !written.contains(path))
            .collect();
        self.storage.discard(&superseded);
        match self.storage.journal() {
            Some(journal) => journal.truncate(0),
            None => Ok(()),
        }
    }

    /// After a failed write nobody knows what is on the disk: a sync that is tried again may succeed without having written anything.
    pub(super) fn poison(&mut self, error: &Error) {
        self.fault = Some(match error.kind() {
            ErrorKind::Fenced => ErrorKind::Fenced,
            _ => ErrorKind::Unavailable,
        });
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("storage", &self.storage)
            .field("size", &self.size())
            .field("head", &self.head)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

/// A checkpoint is due when so much waits in the journal.
const MAX_PENDING_BYTES: usize = 16 << 20;

/// The most one group may have; with what may join it in one commit it still fits a frame.
const MAX_GROUP_BYTES: usize = 96 << 20;
