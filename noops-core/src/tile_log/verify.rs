use std::collections::BTreeSet;
use std::path::Path;

use super::bundle::WIDTH;
use super::directory::{self, LOCK, all_files};
use super::edge::{Edge, TileData};
use super::file_system::{FileSystem, RealFileSystem};
use super::journal;
use super::leaf;
use super::reader::{MAX_TILE, read_bundle};
use super::recovery::PUBLIC_KEY;
use super::signed_checkpoint::SignedCheckpoint;
use super::storage::{CHECKPOINT, MAX_CHECKPOINT, READ, corrupt};
use crate::audit::{AuditEntry, verify_chain};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::merkle::{Checkpoint, NoteVerifier, Tile, leaf_hash};

/// A log of which every byte was checked.
#[derive(Clone, Debug)]
pub struct VerifiedLog {
    entries: Vec<AuditEntry>,
    checkpoint: SignedCheckpoint,
    strays: Vec<String>,
}

impl VerifiedLog {
    /// All entries in order, first those that the checkpoint covers and then those in the journal.
    #[must_use]
    pub fn entries(&self) -> &[AuditEntry] {
        &self.entries
    }

    /// The entries, without copying them.
    #[must_use]
    pub fn into_entries(self) -> Vec<AuditEntry> {
        self.entries
    }

    /// The checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// How many entries are in the journal only. They are chained to the others but not signed: whoever can write the file could have
    /// replaced them by others.
    #[must_use]
    pub fn journalled(&self) -> u64 {
        (self.entries.len() as u64).saturating_sub(self.checkpoint.checkpoint().size())
    }

    /// The hash of the last entry.
    #[must_use]
    pub fn head(&self) -> Digest {
        self.entries
            .last()
            .map_or(AuditEntry::ORIGIN, |last| last.hash)
    }

    /// Files that are not part of the log: left behind by a process that ended without notice, or put there by somebody.
    #[must_use]
    pub fn strays(&self) -> &[String] {
        &self.strays
    }
}

/// Checks a log from its directory alone: the signature, every entry, every tile, the chain, the tokens, all evidence and the journal.
///
/// Nothing is locked and nothing written, so the log may be in use; what its writer is about to publish is reported among the strays then. That it was put back to an earlier state of itself shows only in
/// comparison with a checkpoint kept elsewhere, `witnessed`.
///
/// # Errors
///
/// [`Corrupt`](ErrorKind::Corrupt) names what does not fit; a journal with a torn end, as a power cut leaves it, is refused too until the log
/// has been opened. [`NotFound`](ErrorKind::NotFound) when there is no log.
///
/// # Complexity
///
/// O(n) in time and space.
pub fn verify_directory(
    directory: &Path,
    verifier: &NoteVerifier,
    witnessed: Option<&Checkpoint>,
) -> Result<VerifiedLog, Error> {
    verify_on(&RealFileSystem, directory, verifier, witnessed)
}

/// Checks a log on a file system.
pub(super) fn verify_on(
    files: &dyn FileSystem,
    root: &Path,
    verifier: &NoteVerifier,
    witnessed: Option<&Checkpoint>,
) -> Result<VerifiedLog, Error> {
    let log = Unverified { files, root };
    let mut attempts = 0;
    loop {
        let (checkpoint, journal) = log.state()?;
        match log.verify(&checkpoint, journal.as_deref(), verifier, witnessed) {
            // Its writer has published another checkpoint meanwhile.
            Err(_) if attempts < MAX_ATTEMPTS && log.checkpoint()? != checkpoint => attempts += 1,
            done => return done,
        }
    }
}

struct Unverified<'a> {
    files: &'a dyn FileSystem,
    root: &'a Path,
}

impl Unverified<'_> {
    fn verify(
        &self,
        checkpoint: &[u8],
        journal: Option<&[u8]>,
        verifier: &NoteVerifier,
        witnessed: Option<&Checkpoint>,
    ) -> Result<VerifiedLog, Error> {
        let checkpoint = SignedCheckpoint::open(checkpoint, verifier)?;
        self.check_key(verifier)?;
        let mut known = BTreeSet::new();
        let mut leaves = self.tree(checkpoint.checkpoint(), witnessed, &mut known)?;
        add_journal(journal, &mut leaves)?;
        let mut entries = Vec::with_capacity(leaves.len());
        for (sequence, bytes) in (0..).zip(&leaves) {
            let read = |path: &str, limit: u64| self.read(path, limit);
            let entry = leaf::decode(bytes, sequence, &read)?;
            known.extend(leaf::evidence_of(bytes));
            entries.push(entry);
        }
        verify_chain(&entries).map_err(|error| {
            corrupt("entry bundle", "the entries are not one chain")
                .with("entry", error.sequence())
                .caused_by(error)
        })?;
        for name in [CHECKPOINT, PUBLIC_KEY, LOCK, journal::NAME] {
            known.insert(name.to_owned());
        }
        let strays = all_files(self.files, self.root)?
            .into_iter()
            .filter(|path| !known.contains(path))
            .collect();
        Ok(VerifiedLog {
            entries,
            checkpoint,
            strays,
        })
    }

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        directory::read(self.files, self.root, path, limit)
    }

    fn checkpoint(&self) -> Result<Vec<u8>, Error> {
        self.read(CHECKPOINT, MAX_CHECKPOINT)?
            .ok_or_else(|| no_log(self.root))
    }

    /// The checkpoint and the journal as they were at one moment: the journal is emptied only after the next checkpoint is there.
    fn state(&self) -> Result<(Vec<u8>, Option<Vec<u8>>), Error> {
        let mut checkpoint = self.checkpoint()?;
        for _ in 0..MAX_ATTEMPTS {
            let journal = self.journal()?;
            let newest = self.checkpoint()?;
            if newest == checkpoint {
                return Ok((checkpoint, journal));
            }
            checkpoint = newest;
        }
        let message = "its writer publishes faster than it can be read; try again";
        Err(Error::new(ErrorKind::Unavailable, READ, message)
            .with("directory", self.root.display()))
    }

    /// The journal. A frame that is being written looks like one that was cut off, until it is there.
    fn journal(&self) -> Result<Option<Vec<u8>>, Error> {
        let mut found = self.read(journal::NAME, journal::MAX_JOURNAL)?;
        for _ in 0..MAX_ATTEMPTS {
            let is_torn = |bytes: &Vec<u8>| journal::scan(bytes).is_ok_and(|scan| scan.torn);
            if !found.as_ref().is_some_and(is_torn) {
                break;
            }
            std::thread::yield_now();
            let again = self.read(journal::NAME, journal::MAX_JOURNAL)?;
            if again == found {
                break;
            }
            found = again;
        }
        Ok(found)
    }

    fn check_key(&self, verifier: &NoteVerifier) -> Result<(), Error> {
        let expected = format!("{verifier}\n");
        match self.read(PUBLIC_KEY, MAX_CHECKPOINT)? {
            Some(found) if found == expected.as_bytes() => Ok(()),
            Some(_) => Err(corrupt(PUBLIC_KEY, "this is not the key to verify with")),
            None => Err(corrupt(
                PUBLIC_KEY,
                "the public key is missing; restore it from a copy",
            )),
        }
    }

    /// The leaves that the checkpoint covers, each compared with the tree and every tile with the leaves.
    fn tree(
        &self,
        checkpoint: &Checkpoint,
        witnessed: Option<&Checkpoint>,
        known: &mut BTreeSet<String>,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let size = checkpoint.size();
        if let Some(witnessed) = witnessed {
            check_size(checkpoint, witnessed)?;
        }
        let read = |path: &str, limit: u64| self.read(path, limit);
        let mut leaves: Vec<Vec<u8>> = Vec::new();
        let mut edge = Edge::default();
        let mut tiles = Vec::new();
        check_root(&edge, witnessed)?;
        for index in 0..size.div_ceil(WIDTH) {
            let bundle = read_bundle(&read, index, size)?;
            known.insert(Tile::entries_path(index, bundle.len() as u16));
            for leaf in bundle {
                edge.push(leaf_hash(&leaf), &mut tiles)?;
                check_root(&edge, witnessed)?;
                leaves.push(leaf);
            }
            for tile in tiles.drain(..) {
                self.check_tile(tile, known)?;
            }
        }
        for tile in edge.partial_tiles()? {
            self.check_tile(tile, known)?;
        }
        if edge.root() != checkpoint.root() {
            let message = "the entries are not those that were signed; restore them from a copy";
            return Err(corrupt(CHECKPOINT, message).with("size", size));
        }
        Ok(leaves)
    }

    fn check_tile(&self, tile: TileData, known: &mut BTreeSet<String>) -> Result<(), Error> {
        if self
            .read(&tile.path, MAX_TILE)?
            .is_none_or(|found| found != tile.bytes)
        {
            let message = "a tile does not fit the entries; restore it from a copy";
            return Err(corrupt(&tile.path, message));
        }
        known.insert(tile.path);
        Ok(())
    }
}

/// Adds the leaves of the journal that are not in the tree yet.
fn add_journal(journal: Option<&[u8]>, leaves: &mut Vec<Vec<u8>>) -> Result<(), Error> {
    let bytes = journal.ok_or_else(|| {
        let message = "the journal is missing; restore it from a copy";
        corrupt(journal::NAME, message)
    })?;
    let scan = journal::scan(bytes)?;
    if scan.torn {
        let message = "the journal ends within a record, as a power cut leaves it; open the log once to drop what was never acknowledged";
        return Err(corrupt(journal::NAME, message).with("offset", scan.end));
    }
    for found in scan.leaves {
        let contradiction = |message: &str| {
            corrupt(journal::NAME, message)
                .with("offset", found.offset)
                .with("entry", found.sequence)
        };
        let known = usize::try_from(found.sequence)
            .ok()
            .and_then(|at| leaves.get(at));
        match known {
            Some(known) if *known == found.bytes => {}
            Some(_) => return Err(contradiction("an entry differs from the one in the tree")),
            None if found.sequence == leaves.len() as u64 => leaves.push(found.bytes),
            None => return Err(contradiction("entries before this one are missing")),
        }
    }
    Ok(())
}

fn check_size(checkpoint: &Checkpoint, witnessed: &Checkpoint) -> Result<(), Error> {
    if checkpoint.origin() != witnessed.origin() {
        let message = "the witnessed checkpoint is of another log";
        return Err(Error::new(ErrorKind::Invalid, READ, message)
            .with("log", checkpoint.origin())
            .with("witnessed", witnessed.origin()));
    }
    if checkpoint.size() < witnessed.size() {
        let message = "the log was put back to an earlier state: a witness has seen a longer one";
        return Err(corrupt(CHECKPOINT, message)
            .with("size", checkpoint.size())
            .with("witnessed", witnessed.size()));
    }
    Ok(())
}

fn check_root(edge: &Edge, witnessed: Option<&Checkpoint>) -> Result<(), Error> {
    match witnessed {
        Some(witnessed) if witnessed.size() == edge.size() && witnessed.root() != edge.root() => {
            let message = "the log was rewritten: a witness has seen other entries in it";
            Err(corrupt(CHECKPOINT, message).with("witnessed", witnessed.size()))
        }
        _ => Ok(()),
    }
}

fn no_log(root: &Path) -> Error {
    let message = "there is no checkpoint; name the directory of a log";
    Error::new(ErrorKind::NotFound, READ, message).with("directory", root.display())
}

const MAX_ATTEMPTS: u32 = 8;
