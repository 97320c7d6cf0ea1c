//! The least one must keep of a log to go on appending to it.

use super::error::MerkleError;
use super::node_hash;
use super::subtree::{Subtree, fold};
use super::tile_set::TileSet;
use crate::digest::Digest;

/// The roots of the perfect subtrees at the right edge of a log, also called its compact range.
///
/// # Complexity
///
/// 32 bytes for every bit that is set in the size; [`Frontier::push`] hashes twice on average, [`Frontier::root`] once for
/// every subtree but one.
///
/// # Examples
///
/// ```
/// use noops_core::Digest;
/// use noops_core::merkle::{Frontier, leaf_hash, node_hash};
///
/// let mut frontier = Frontier::default();
/// assert_eq!(frontier.root(), Digest::of(b""));
/// frontier.push(leaf_hash(b"a"));
/// frontier.push(leaf_hash(b"b"));
/// assert_eq!((frontier.size(), frontier.root()), (2, node_hash(&leaf_hash(b"a"), &leaf_hash(b"b"))));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    // Largest subtree first, one for every bit set in `size`.
    subtrees: Vec<Digest>,
}

impl Frontier {
    /// The frontier of a log of this size, from the tiles that [`root_tiles`](super::root_tiles) names.
    ///
    /// # Errors
    ///
    /// [`MerkleError::MissingTile`] if one of them was not loaded.
    pub fn from_tiles(size: u64, tiles: &TileSet) -> Result<Self, MerkleError> {
        let subtrees = Subtree::whole(size)
            .nodes()
            .into_iter()
            .map(|node| tiles.node(node))
            .collect::<Result<_, _>>()?;
        Ok(Self { size, subtrees })
    }

    /// Appends an entry by its [`leaf_hash`](super::leaf_hash). A log of 2^64 - 1 entries is full and stays as it is.
    pub fn push(&mut self, leaf: Digest) {
        let Some(size) = self.size.checked_add(1) else {
            return;
        };
        let mut hash = leaf;
        // Every trailing one of the old size is a subtree that the new entry completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.subtrees.push(hash);
        self.size = size;
    }

    /// How many entries the log has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the log; SHA-256 of nothing while it is empty.
    #[must_use]
    pub fn root(&self) -> Digest {
        fold(&self.subtrees)
    }
}
