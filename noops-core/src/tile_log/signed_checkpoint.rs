use std::fmt;

use super::storage::{CHECKPOINT, corrupt};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::merkle::{Checkpoint, MerkleError, NoteSigner, NoteVerifier, SignedNote};

/// A checkpoint and the note in which it was signed. Its text is the file `checkpoint`.
#[derive(Clone, Debug)]
pub struct SignedCheckpoint {
    note: SignedNote,
    checkpoint: Checkpoint,
}

impl SignedCheckpoint {
    /// Reads a signed checkpoint and checks its signature.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](ErrorKind::Corrupt) when it is malformed, in another spelling than it is written, not signed by this key or of another log.
    pub fn open(bytes: &[u8], verifier: &NoteVerifier) -> Result<Self, Error> {
        let refuse = || corrupt(CHECKPOINT, "the checkpoint is not one that this key signed");
        let checkpoint =
            Checkpoint::open(bytes, verifier).map_err(|error| refuse().caused_by(error))?;
        let note = SignedNote::parse(bytes).map_err(|error| refuse().caused_by(error))?;
        if checkpoint.origin() != verifier.name() || note.to_string().as_bytes() != bytes {
            return Err(refuse());
        }
        Ok(Self { note, checkpoint })
    }

    /// The signed note.
    #[must_use]
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// What it says.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Signs a tree.
    pub(super) fn sign(
        signer: &NoteSigner,
        size: u64,
        root: Digest,
        extension: Option<&str>,
    ) -> Result<Self, Error> {
        let refuse = |error: MerkleError| {
            let message = "the checkpoint cannot be signed; look at the name of the key";
            Error::new(ErrorKind::Invalid, "sign a checkpoint", message).caused_by(error)
        };
        let verifier = signer.verifier();
        let mut checkpoint = Checkpoint::new(verifier.name(), size, root).map_err(refuse)?;
        if let Some(line) = extension {
            checkpoint = checkpoint.with_extension(line).map_err(refuse)?;
        }
        let note = checkpoint.sign(signer).map_err(refuse)?;
        Ok(Self { note, checkpoint })
    }

    /// The text as bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.note.to_string().into_bytes()
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.note)
    }
}
