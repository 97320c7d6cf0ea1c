use std::sync::Arc;

use super::TileLog;
use super::bundle::WIDTH;
use super::edge::Edge;
use super::leaf;
use super::queue;
use super::reader::read_bundle;
use super::signed_checkpoint::SignedCheckpoint;
use super::storage::{CHECKPOINT, Storage, corrupt};
use crate::audit::AuditEntry;
use crate::error::Error;
use crate::merkle::leaf_hash;

/// All leaves of a log at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The newest checkpoint.
    pub(super) published: SignedCheckpoint,
    /// What it covers.
    pub(super) covered: Vec<Vec<u8>>,
    /// What came after.
    pub(super) pending: Vec<Vec<u8>>,
    storage: Arc<dyn Storage>,
}

impl Snapshot {
    /// The entries, read back from their leaves.
    pub(super) fn entries(&self) -> Result<Vec<AuditEntry>, Error> {
        let mut entries = Vec::with_capacity(self.covered.len().saturating_add(self.pending.len()));
        let mut head = AuditEntry::ORIGIN;
        for (sequence, leaf) in (0..).zip(self.covered.iter().chain(&self.pending)) {
            let entry = leaf::decode(leaf, sequence, &|path: &str, limit: u64| {
                self.read(path, limit)
            })?;
            if entry.previous != head {
                let message = "an entry does not follow the entry before it";
                return Err(corrupt("entry bundle", message).with("entry", sequence));
            }
            head = entry.hash;
            entries.push(entry);
        }
        Ok(entries)
    }

    /// Reads a file of the log.
    pub(super) fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        self.storage.read(path, limit)
    }
}

impl TileLog {
    /// Reads all leaves while others go on appending.
    pub(super) async fn snapshot(&self) -> Result<Snapshot, Error> {
        let mut attempts = 0;
        loop {
            let (published, pending, storage) = self
                .queue
                .with_engine(|engine| {
                    let storage = Arc::clone(&engine.storage);
                    Ok((engine.published.clone(), engine.pending.clone(), storage))
                })
                .await?;
            let size = published.checkpoint().size();
            let from = Arc::clone(&storage);
            let checkpoint = published.clone();
            match queue::blocking(move || read_covered(from.as_ref(), &checkpoint)).await {
                Ok(covered) => {
                    return Ok(Snapshot {
                        published,
                        covered,
                        pending,
                        storage,
                    });
                }
                Err(error) => {
                    // A checkpoint that was published meanwhile has removed the partial bundle.
                    attempts += 1;
                    let now = self
                        .queue
                        .with_engine(|engine| Ok(engine.edge.size()))
                        .await?;
                    if now == size || attempts >= MAX_ATTEMPTS {
                        return Err(error);
                    }
                }
            }
        }
    }
}

fn read_covered(
    storage: &dyn Storage,
    published: &SignedCheckpoint,
) -> Result<Vec<Vec<u8>>, Error> {
    let size = published.checkpoint().size();
    let read = |path: &str, limit: u64| storage.read(path, limit);
    let mut leaves = Vec::new();
    let mut edge = Edge::default();
    let mut full = Vec::new();
    for index in 0..size.div_ceil(WIDTH) {
        full.clear();
        for leaf in read_bundle(&read, index, size)? {
            edge.push(leaf_hash(&leaf), &mut full)?;
            leaves.push(leaf);
        }
    }
    if edge.root() != published.checkpoint().root() {
        let message = "the entries are not those that were signed; restore them from a copy";
        return Err(corrupt(CHECKPOINT, message).with("size", size));
    }
    Ok(leaves)
}

const MAX_ATTEMPTS: u32 = 8;
