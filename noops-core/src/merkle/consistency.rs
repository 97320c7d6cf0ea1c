//! That a log was only appended to.

use serde::{Deserialize, Serialize};

use super::error::{MerkleError, ProofError};
use super::subtree::{Sibling, Subtree, tiles_for};
use super::tile::Tile;
use super::tile_set::TileSet;
use super::{empty_root, node_hash};
use crate::digest::Digest;

/// The hashes that show that a log of one size begins with the log of a smaller size.
///
/// Every log begins with the empty log and with itself: the proofs of these are empty.
///
/// # Formula
///
/// PROOF(from, D\[to\]) of RFC 6962, section 2.1.2.
///
/// # Examples
///
/// ```
/// use noops_core::merkle::{ConsistencyProof, leaf_hash, node_hash};
///
/// let (a, b, c) = (leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c"));
/// let two = node_hash(&a, &b);
/// let proof = ConsistencyProof::new(2, 3, vec![c])?;
/// assert!(proof.verify(&two, &node_hash(&two, &c)).is_ok());
/// // A log in which the first two entries changed places is another log.
/// assert!(proof.verify(&two, &node_hash(&node_hash(&b, &a), &c)).is_err());
/// # Ok::<(), noops_core::merkle::MerkleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts")]
pub struct ConsistencyProof {
    from: u64,
    to: u64,
    path: Vec<Digest>,
}

impl ConsistencyProof {
    /// A proof that came from elsewhere; whether it holds is for [`ConsistencyProof::verify`] to say.
    ///
    /// # Errors
    ///
    /// [`MerkleError::SizeShrinks`] or [`MerkleError::PathLength`] if no two sizes have such a proof.
    pub fn new(from: u64, to: u64, path: Vec<Digest>) -> Result<Self, ProofError> {
        let expected = Walk::new(from, to)?.subtrees().count();
        if path.len() == expected {
            Ok(Self { from, to, path })
        } else {
            Err(MerkleError::PathLength {
                expected,
                found: path.len(),
            })
        }
    }

    /// The tiles that the proof between two sizes is made from, as they are at the larger one; none if the log shrinks.
    ///
    /// # Complexity
    ///
    /// At most two tiles for every level.
    #[must_use]
    pub fn tiles(from: u64, to: u64) -> Vec<Tile> {
        match Walk::new(from, to) {
            Ok(walk) => tiles_for(walk.subtrees(), to),
            Err(_) => Vec::new(),
        }
    }

    /// Makes the proof between two sizes from the tiles that [`ConsistencyProof::tiles`] names.
    ///
    /// # Errors
    ///
    /// [`MerkleError::SizeShrinks`], or [`MerkleError::MissingTile`] if one of them was not loaded.
    pub fn from_tiles(from: u64, to: u64, tiles: &TileSet) -> Result<Self, ProofError> {
        let path = Walk::new(from, to)?
            .subtrees()
            .map(|subtree| subtree.hash(tiles))
            .collect::<Result<_, _>>()?;
        Ok(Self { from, to, path })
    }

    /// The smaller size.
    #[must_use]
    pub fn from(&self) -> u64 {
        self.from
    }

    /// The larger size.
    #[must_use]
    pub fn to(&self) -> u64 {
        self.to
    }

    /// The hashes, from the deepest up.
    #[must_use]
    pub fn path(&self) -> &[Digest] {
        &self.path
    }

    /// Checks that the log with the later root begins with the log with the earlier root.
    ///
    /// # Errors
    ///
    /// [`MerkleError::RootMismatch`] names the size whose root does not fit.
    pub fn verify(&self, from_root: &Digest, to_root: &Digest) -> Result<(), ProofError> {
        let mismatch = |size| Err(MerkleError::RootMismatch { size });
        if self.from == 0 && *from_root != empty_root() {
            return mismatch(0);
        }
        if self.from == 0 && self.to > 0 {
            return Ok(());
        }
        let walk = Walk::new(self.from, self.to)?;
        let mut path = self.path.iter();
        // Where the earlier log is one subtree of the later one, its root is where the way up begins.
        let seed = match walk.seed {
            Some(_) => path.next().unwrap_or(from_root),
            None => from_root,
        };
        let (mut earlier, mut later) = (*seed, *seed);
        for (sibling, other) in walk.siblings.iter().zip(path) {
            match sibling {
                Sibling::Left(_) => {
                    earlier = node_hash(other, &earlier);
                    later = node_hash(other, &later);
                }
                Sibling::Right(_) => later = node_hash(&later, other),
            }
        }
        if earlier != *from_root {
            return mismatch(self.from);
        }
        if later != *to_root {
            return mismatch(self.to);
        }
        Ok(())
    }
}

/// What is read from outside, before it is known to fit together.
#[derive(Deserialize)]
struct Parts {
    from: u64,
    to: u64,
    path: Vec<Digest>,
}

impl TryFrom<Parts> for ConsistencyProof {
    type Error = ProofError;

    fn try_from(parts: Parts) -> Result<Self, ProofError> {
        Self::new(parts.from, parts.to, parts.path)
    }
}

/// The way from the last subtree of the earlier log up to the root of the later one.
struct Walk {
    // The subtree it begins with, unless that is the whole earlier log.
    seed: Option<Subtree>,
    siblings: Vec<Sibling>,
}

impl Walk {
    fn new(from: u64, to: u64) -> Result<Self, MerkleError> {
        if from > to {
            return Err(MerkleError::SizeShrinks { from, to });
        }
        let mut siblings = Vec::new();
        let mut at = Subtree::whole(to);
        while from > 0 && at.end != from {
            let Some((left, right)) = at.halves() else {
                break;
            };
            if from <= right.start {
                siblings.push(Sibling::Right(right));
                at = left;
            } else {
                siblings.push(Sibling::Left(left));
                at = right;
            }
        }
        siblings.reverse();
        let seed = (at.start > 0).then_some(at);
        Ok(Self { seed, siblings })
    }

    fn subtrees(&self) -> impl Iterator<Item = Subtree> + '_ {
        let siblings = self.siblings.iter().map(|sibling| sibling.subtree());
        self.seed.into_iter().chain(siblings)
    }
}
