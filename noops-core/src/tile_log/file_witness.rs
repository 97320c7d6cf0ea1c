use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::directory::{self, create_with_parents, failed, lock, replace};
use super::file_system::{FileSystem, RealFileSystem};
use super::queue::blocking;
use super::signed_checkpoint::SignedCheckpoint;
use super::storage::MAX_CHECKPOINT;
use super::witness::Witness;
use crate::error::{Error, ErrorKind};
use crate::merkle::{Checkpoint, ConsistencyProof, NoteVerifier, SignedNote};

/// A witness that keeps the newest checkpoint of one log in a file.
///
/// It is worth as much as the place of the file: another machine's disk, a repository, a bucket with other rights than those of the log.
#[derive(Clone, Debug)]
pub struct FileWitness {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    verifier: NoteVerifier,
    turn: Mutex<()>,
}

impl FileWitness {
    /// A witness of the log with this key.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, verifier: NoteVerifier) -> Self {
        Self {
            inner: Arc::new(Inner {
                path: path.into(),
                verifier,
                turn: Mutex::new(()),
            }),
        }
    }

    /// The newest checkpoint that was witnessed.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](ErrorKind::Corrupt) when the file is not what was written.
    pub fn read(&self) -> Result<Option<SignedCheckpoint>, Error> {
        self.inner.read()
    }
}

impl Inner {
    fn read(&self) -> Result<Option<SignedCheckpoint>, Error> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let found = directory::read(&RealFileSystem, folder, &name, MAX_CHECKPOINT)?;
        found
            .map(|bytes| SignedCheckpoint::open(&bytes, &self.verifier))
            .transpose()
    }

    fn witness(&self, note: &SignedNote, proof: Option<&ConsistencyProof>) -> Result<(), Error> {
        let _turn = lock(&self.turn);
        let bytes = note.to_string().into_bytes();
        let shown = SignedCheckpoint::open(&bytes, &self.verifier)?;
        let fault = |error| failed(WITNESS, &self.path, error);
        if let Some(folder) = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            create_with_parents(&RealFileSystem, folder).map_err(fault)?;
        }
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(".lock");
        let _lock = RealFileSystem
            .lock(&self.path.with_file_name(name))
            .map_err(fault)?
            .ok_or_else(|| {
                let message = "another process shows a checkpoint right now; show it again";
                Error::new(ErrorKind::Unavailable, WITNESS, message)
            })?;
        if let Some(newest) = self.read()? {
            if newest.checkpoint().size() == shown.checkpoint().size()
                && newest.checkpoint().root() == shown.checkpoint().root()
            {
                return Ok(());
            }
            continues(newest.checkpoint(), shown.checkpoint(), proof)?;
        }
        replace(&RealFileSystem, &self.path, &bytes).map_err(fault)
    }
}

#[async_trait]
impl Witness for FileWitness {
    async fn newest(&self, origin: &str) -> Result<Option<SignedNote>, Error> {
        if origin != self.inner.verifier.name() {
            return Ok(None);
        }
        let inner = Arc::clone(&self.inner);
        let newest = blocking(move || inner.read()).await?;
        Ok(newest.map(|newest| newest.note().clone()))
    }

    async fn witness(
        &self,
        checkpoint: &SignedNote,
        proof: Option<&ConsistencyProof>,
    ) -> Result<(), Error> {
        let inner = Arc::clone(&self.inner);
        let (checkpoint, proof) = (checkpoint.clone(), proof.cloned());
        blocking(move || inner.witness(&checkpoint, proof.as_ref())).await
    }
}

/// Checks that one log continues another.
fn continues(
    newest: &Checkpoint,
    shown: &Checkpoint,
    proof: Option<&ConsistencyProof>,
) -> Result<(), Error> {
    if shown.size() <= newest.size() {
        return Err(refused(
            "a longer or another log was witnessed before; find out who put it back",
            shown,
        )
        .with("witnessed", newest.size()));
    }
    // Every log continues the empty one.
    if newest.size() == 0 {
        return Ok(());
    }
    let proof = proof
        .filter(|proof| proof.from() == newest.size() && proof.to() == shown.size())
        .ok_or_else(|| refused("the proof from the newest checkpoint is missing", shown))?;
    proof
        .verify(&newest.root(), &shown.root())
        .map_err(|error| {
            refused(
                "the log does not continue what was witnessed; find out who rewrote it",
                shown,
            )
            .with("witnessed", newest.size())
            .caused_by(error)
        })
}

fn refused(message: &str, shown: &Checkpoint) -> Error {
    Error::new(ErrorKind::Conflict, WITNESS, message).with("size", shown.size())
}

const WITNESS: &str = "witness a checkpoint";
