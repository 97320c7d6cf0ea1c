//! That an entry is in a log.

use serde::{Deserialize, Serialize};

use super::error::{MerkleError, ProofError};
use super::node_hash;
use super::subtree::{Sibling, Subtree, tiles_for};
use super::tile::Tile;
use super::tile_set::TileSet;
use crate::digest::Digest;

/// The hashes that lead from an entry to the root of a log.
///
/// # Formula
///
/// PATH(index, D\[size\]) of RFC 6962, section 2.1.1, from the sibling of the entry to the child of the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct InclusionProof {
    index: u64,
    size: u64,
    path: Vec<Digest>,
}

impl InclusionProof {
    /// A proof that came from elsewhere; whether it holds is for [`InclusionProof::verify`] to say.
    ///
    /// # Errors
    ///
    /// [`MerkleError::IndexBeyondSize`] or [`MerkleError::PathLength`] if no entry has such a proof.
    pub fn new(index: u64, size: u64, path: Vec<Digest>) -> Result<Self, ProofError> {
        let expected = siblings(index, size)?.len();
        if path.len() == expected {
            Ok(Self { index, size, path })
        } else {
            Err(MerkleError::PathLength {
                expected,
                found: path.len(),
            })
        }
    }

    /// The tiles that the proof for an entry is made from; none if the log does not reach the entry.
    ///
    /// # Complexity
    ///
    /// At most two tiles for every level.
    #[must_use]
    pub fn tiles(index: u64, size: u64) -> Vec<Tile> {
        let siblings = siblings(index, size).unwrap_or_default();
        tiles_for(siblings.into_iter().map(Sibling::subtree), size)
    }

    /// Makes the proof for an entry from the tiles that [`InclusionProof::tiles`] names.
    ///
    /// # Errors
    ///
    /// [`MerkleError::IndexBeyondSize`], or [`MerkleError::MissingTile`] if one of them was not loaded.
    pub fn from_tiles(index: u64, size: u64, tiles: &TileSet) -> Result<Self, ProofError> {
        let path = siblings(index, size)?
            .into_iter()
            .map(|sibling| sibling.subtree().hash(tiles))
            .collect::<Result<_, _>>()?;
        Ok(Self { index, size, path })
    }

    /// The entry, counting from 0.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The size of the log.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes, from the sibling of the entry up.
    #[must_use]
    pub fn path(&self) -> &[Digest] {
        &self.path
    }

    /// Checks that the entry with this [`leaf_hash`](super::leaf_hash) is in the log with this root.
    ///
    /// # Errors
    ///
    /// [`MerkleError::RootMismatch`] if it is not.
    pub fn verify(&self, leaf: &Digest, root: &Digest) -> Result<(), ProofError> {
        let siblings = siblings(self.index, self.size)?;
        let computed = siblings
            .iter()
            .zip(&self.path)
            .fold(*leaf, |hash, (sibling, other)| match sibling {
                Sibling::Left(_) => node_hash(other, &hash),
                Sibling::Right(_) => node_hash(&hash, other),
            });
        if computed == *root {
            Ok(())
        } else {
            Err(MerkleError::RootMismatch { size: self.size })
        }
    }
}

/// What is read from outside, before it is known to fit together.
#[derive(Deserialize)]
struct Parts {
    index: u64,
    size: u64,
    path: Vec<Digest>,
}

impl TryFrom<Parts> for InclusionProof {
    type Error = ProofError;

    fn try_from(parts: Parts) -> Result<Self, ProofError> {
        Self::new(parts.index, parts.size, parts.path)
    }
}

/// What lies beside the way from an entry up to the root.
fn siblings(index: u64, size: u64) -> Result<Vec<Sibling>, MerkleError> {
    if index >= size {
        return Err(MerkleError::IndexBeyondSize { index, size });
    }
    let mut siblings = Vec::new();
    let mut at = Subtree::whole(size);
    while let Some((left, right)) = at.halves() {
        if index < right.start {
            siblings.push(Sibling::Right(right));
            at = left;
        } else {
            siblings.push(Sibling::Left(left));
            at = right;
        }
    }
    siblings.reverse();
    Ok(siblings)
}
