//! The pure part of a transparency log: tiles, proofs and signed checkpoints, without any input or output.
//!
//! The tree is that of RFC 6962, section 2.1. Its hashes are laid out, addressed and signed as C2SP writes it down:
//! `tlog-tiles` ([`Tile`], [`TileSet`]), `signed-note` ([`SignedNote`], [`NoteSigner`], [`NoteVerifier`]), `tlog-checkpoint`
//! ([`Checkpoint`]), `tlog-cosignature` ([`CosignatureSigner`], [`CosignatureVerifier`]) and `tlog-proof` ([`LogProof`]). Any
//! other program that speaks these formats can check what is made here, and the other way round.
//!
//! # Examples
//!
//! ```
//! use noops_core::merkle::{Checkpoint, Frontier, InclusionProof, NoteSigner, Tile, TileSet, leaf_hash};
//!
//! // A log of three entries: its checkpoint is signed, its hashes are one partial tile.
//! let leaves = [leaf_hash(b"register"), leaf_hash(b"promote"), leaf_hash(b"rollback")];
//! let mut frontier = Frontier::default();
//! leaves.into_iter().for_each(|leaf| frontier.push(leaf));
//! let signer = NoteSigner::generate("example.com/models")?;
//! let checkpoint = Checkpoint::new("example.com/models", frontier.size(), frontier.root())?;
//! let published = checkpoint.sign(&signer)?.to_string();
//!
//! // Somebody who holds only the public key and that tile can tell that entry 1 is in the log.
//! let checkpoint = Checkpoint::open(published.as_bytes(), &signer.verifier())?;
//! let mut tiles = TileSet::default();
//! let bytes: Vec<u8> = leaves.iter().flat_map(|leaf| *leaf.as_bytes()).collect();
//! tiles.insert(Tile::new(0, 0, 3)?, &bytes)?;
//! let proof = InclusionProof::from_tiles(1, checkpoint.size(), &tiles)?;
//! assert!(proof.verify(&leaf_hash(b"promote"), &checkpoint.root()).is_ok());
//! assert!(proof.verify(&leaf_hash(b"demote"), &checkpoint.root()).is_err());
//! # Ok::<(), noops_core::merkle::MerkleError>(())
//! ```

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

mod checkpoint;
mod consistency;
mod cosignature;
mod error;
mod frontier;
mod inclusion;
mod key;
mod log_proof;
mod note;
mod signer;
mod subtree;
mod text;
mod tile;
mod tile_path;
mod tile_set;
mod tiling;

pub use checkpoint::Checkpoint;
pub use consistency::ConsistencyProof;
pub use cosignature::{Cosignature, CosignatureSigner, CosignatureVerifier};
pub use error::{MerkleError, ProofError};
pub use frontier::Frontier;
pub use inclusion::InclusionProof;
pub use log_proof::LogProof;
pub use note::{NoteSignature, SignedNote};
pub use signer::{NoteSigner, NoteVerifier};
pub use tile::Tile;
pub use tile_path::TilePath;
pub(crate) use tile_set::perfect_root;
pub use tile_set::{TileSet, verify_tiles};
pub use tiling::{new_tiles, root_from_tiles, root_tiles, tiles_of};

/// The hash of an entry.
///
/// # Formula
///
/// SHA-256(0x00 || data); RFC 6962, section 2.1.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([LEAF]);
    hasher.update(data);
    Digest::from_bytes(hasher.finalize().into())
}

/// The hash of two subtrees side by side.
///
/// # Formula
///
/// SHA-256(0x01 || left || right); RFC 6962, section 2.1.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([NODE]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    Digest::from_bytes(hasher.finalize().into())
}

/// The root of a log without entries: SHA-256 of nothing.
pub(crate) fn empty_root() -> Digest {
    Digest::of(b"")
}

/// What keeps a leaf from passing for an inner node: the two are hashed under different first bytes.
const LEAF: u8 = 0;
const NODE: u8 = 1;

#[cfg(test)]
mod tests;
