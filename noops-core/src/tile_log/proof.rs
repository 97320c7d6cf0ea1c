use super::leaf;
use super::signed_checkpoint::SignedCheckpoint;
use crate::audit::AuditEntry;
use crate::error::{Error, ErrorKind};
use crate::merkle::{Checkpoint, InclusionProof, NoteVerifier, leaf_hash};

/// That an entry is in a log, for somebody who has neither the log nor its other entries.
#[derive(Clone, Debug)]
pub struct Proof {
    pub(super) entry: AuditEntry,
    pub(super) leaf: Vec<u8>,
    pub(super) inclusion: InclusionProof,
    pub(super) checkpoint: SignedCheckpoint,
}

impl Proof {
    /// The entry.
    #[must_use]
    pub fn entry(&self) -> &AuditEntry {
        &self.entry
    }

    /// The bytes that are in the log: one line of JSON.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    /// The hashes from the leaf to the root.
    #[must_use]
    pub fn inclusion(&self) -> &InclusionProof {
        &self.inclusion
    }

    /// What was signed.
    #[must_use]
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Checks the signature, the way from the leaf to the signed root, and that the leaf says what the entry says.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](ErrorKind::Corrupt) when any of it does not hold.
    pub fn verify(&self, verifier: &NoteVerifier) -> Result<(), Error> {
        let signed = SignedCheckpoint::open(&self.checkpoint.to_bytes(), verifier)?;
        verify_leaf(&self.leaf, &self.inclusion, signed.checkpoint())?;
        let read = |_: &str, _: u64| {
            serde_json::to_vec(&self.entry.record.body)
                .map(Some)
                .map_err(|_| unproven(self.entry.sequence))
        };
        let entry = leaf::decode(&self.leaf, self.inclusion.index(), &read)?;
        if entry == self.entry {
            Ok(())
        } else {
            Err(unproven(self.entry.sequence))
        }
    }
}

/// Checks that a leaf is where its proof says.
pub(super) fn verify_leaf(
    leaf: &[u8],
    inclusion: &InclusionProof,
    checkpoint: &Checkpoint,
) -> Result<(), Error> {
    if inclusion.size() != checkpoint.size() {
        return Err(unproven(inclusion.index()));
    }
    inclusion
        .verify(&leaf_hash(leaf), &checkpoint.root())
        .map_err(|error| unproven(inclusion.index()).caused_by(error))
}

/// An entry that its proof does not prove.
pub(super) fn unproven(sequence: u64) -> Error {
    let message = "an entry is not what the checkpoint covers; ask for it again";
    Error::new(ErrorKind::Corrupt, "verify the audit log", message).with("entry", sequence)
}
