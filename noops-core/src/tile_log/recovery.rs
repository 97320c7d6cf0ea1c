//! Opening a log: everything that is stored is read and checked once, which also rebuilds the index of keys.

use std::sync::Arc;

use super::bundle::{self, WIDTH};
use super::edge::Edge;
use super::engine::Engine;
use super::journal::{self, Scan};
use super::keys::KeyIndex;
use super::leaf;
use super::reader::{MAX_TILE, read_bundle};
use super::signed_checkpoint::SignedCheckpoint;
use super::storage::{CHECKPOINT, MAX_CHECKPOINT, Storage, corrupt};
use crate::audit::AuditEntry;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::lease::FencingToken;
use crate::merkle::{NoteSigner, leaf_hash};

impl Engine {
    /// Opens what is stored, or begins a log where nothing is.
    pub(super) fn open(
        storage: Arc<dyn Storage>,
        signer: Arc<NoteSigner>,
        checkpoint_every: u64,
        extension: Option<String>,
    ) -> Result<Self, Error> {
        admit_key(storage.as_ref(), &signer)?;
        let published = match storage.read(CHECKPOINT, MAX_CHECKPOINT)? {
            Some(bytes) => SignedCheckpoint::open(&bytes, &signer.verifier())?,
            None => begin(storage.as_ref(), &signer, extension.as_deref())?,
        };
        let mut engine = Self {
            storage,
            signer,
            checkpoint_every: checkpoint_every.max(1),
            extension,
            published,
            edge: Edge::default(),
            last_bundle: Vec::new(),
            pending: Vec::new(),
            pending_bytes: 0,
            head: AuditEntry::ORIGIN,
            token: FencingToken::NONE,
            keys: KeyIndex::default(),
            fault: None,
        };
        engine.read_tree()?;
        engine.read_journal()?;
        let in_use = engine.partial_paths()?;
        engine.storage.tidy(&in_use)?;
        if engine.storage.journal().is_none() {
            engine.take_over()?;
        }
        engine.integrate_when_due()?;
        Ok(engine)
    }

    /// Reads every entry that the checkpoint covers and compares the root with the one that was signed.
    fn read_tree(&mut self) -> Result<(), Error> {
        let size = self.published.checkpoint().size();
        let storage = Arc::clone(&self.storage);
        let read = |path: &str, limit: u64| storage.read(path, limit);
        let mut full = Vec::new();
        for index in 0..size.div_ceil(WIDTH) {
            self.last_bundle.clear();
            full.clear();
            for leaf in read_bundle(&read, index, size)? {
                let sequence = self.edge.size();
                let header = leaf::header(&leaf, sequence)?;
                if header.previous != self.head || header.record.token < self.token {
                    let message = "an entry does not follow the entry before it";
                    return Err(corrupt("entry bundle", message).with("entry", sequence));
                }
                self.keys.insert(&header.record.key, sequence);
                self.head = header.hash;
                self.token = header.record.token;
                self.edge.push(leaf_hash(&leaf), &mut full)?;
                bundle::push(&mut self.last_bundle, &leaf);
            }
        }
        if size.is_multiple_of(WIDTH) {
            self.last_bundle.clear();
        }
        if self.edge.root() != self.published.checkpoint().root() {
            let message = "the entries are not those that were signed; restore them from a copy";
            return Err(corrupt(CHECKPOINT, message).with("size", size));
        }
        for tile in self.edge.partial_tiles()? {
            if read(&tile.path, MAX_TILE)?.is_none_or(|bytes| bytes != tile.bytes) {
                let message = "a tile does not fit the entries; restore it from a copy";
                return Err(corrupt(tile.path, message));
            }
        }
        Ok(())
    }

    /// Takes in what was acknowledged after the checkpoint, and drops what never was.
    fn read_journal(&mut self) -> Result<(), Error> {
        let storage = Arc::clone(&self.storage);
        let Some(journal) = storage.journal() else {
            return Ok(());
        };
        let Scan { leaves, end, torn } = journal::scan(&journal.read()?)?;
        if torn {
            journal.truncate(end)?;
        }
        let covered = self.edge.size();
        let mut known: (u64, Vec<Vec<u8>>) = (u64::MAX, Vec::new());
        let read = |path: &str, limit: u64| storage.read(path, limit);
        let found_any = !leaves.is_empty();
        for found in leaves {
            let contradiction = |message: &str| {
                corrupt(journal::NAME, message)
                    .with("offset", found.offset)
                    .with("entry", found.sequence)
            };
            if found.sequence < covered {
                let index = found.sequence / WIDTH;
                if known.0 != index {
                    known = (index, read_bundle(&read, index, covered)?);
                }
                if known.1.get((found.sequence % WIDTH) as usize) != Some(&found.bytes) {
                    return Err(contradiction(
                        "an entry differs from the one that was signed",
                    ));
                }
                continue;
            }
            if found.sequence != self.size() {
                return Err(contradiction("entries before this one are missing"));
            }
            let entry = leaf::decode(&found.bytes, found.sequence, &read)
                .map_err(|error| contradiction("an entry cannot be read").caused_by(error))?;
            follows(&entry, self.head, self.token)
                .map_err(|()| contradiction("an entry does not follow the entry before it"))?;
            let (hash, token) = (entry.hash, entry.record.token);
            self.adopt(found.bytes.clone(), &entry.record.key, hash, token);
        }
        // A crash came between a checkpoint and the emptying of the journal.
        if found_any && self.pending.is_empty() {
            journal.truncate(0)?;
        }
        Ok(())
    }

    /// Publishes a checkpoint of the same tree that nobody else has published, so that whoever wrote before cannot any more.
    fn take_over(&mut self) -> Result<(), Error> {
        let published = SignedCheckpoint::sign(
            &self.signer,
            self.edge.size(),
            self.edge.root(),
            self.extension.as_deref(),
        )?;
        self.storage.publish(&published.to_bytes())?;
        self.published = published;
        Ok(())
    }
}

/// Whether an entry is whole and continues a chain.
pub(super) fn follows(entry: &AuditEntry, head: Digest, token: FencingToken) -> Result<(), ()> {
    let chained = entry.previous == head && entry.record.token >= token && entry.is_whole();
    if chained { Ok(()) } else { Err(()) }
}

/// Leaves the public key beside the log, or finds that it is the same.
fn admit_key(storage: &dyn Storage, signer: &NoteSigner) -> Result<(), Error> {
    let text = format!("{}\n", signer.verifier());
    match storage.read(PUBLIC_KEY, MAX_CHECKPOINT)? {
        Some(bytes) if bytes == text.as_bytes() => Ok(()),
        Some(_) => {
            let message =
                "the log belongs to another key; open it with that key, or use another place";
            Err(
                Error::new(ErrorKind::Conflict, "open the audit log", message)
                    .with("file", PUBLIC_KEY),
            )
        }
        None => storage.put(&[(PUBLIC_KEY.to_owned(), text.into_bytes())]),
    }
}

fn begin(
    storage: &dyn Storage,
    signer: &NoteSigner,
    extension: Option<&str>,
) -> Result<SignedCheckpoint, Error> {
    if !storage.is_fresh()? {
        let message = "the checkpoint is missing while there are entries; restore it from a copy";
        return Err(corrupt(CHECKPOINT, message));
    }
    let published = SignedCheckpoint::sign(signer, 0, Edge::default().root(), extension)?;
    storage.publish(&published.to_bytes())?;
    Ok(published)
}

/// The name of the file with the public key.
pub(super) const PUBLIC_KEY: &str = "public-key";
