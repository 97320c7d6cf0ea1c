//! The binary tree of RFC 6962 by arithmetic alone: which subtrees a proof names, and which tiles they are computed from.

use std::collections::BTreeSet;

use super::error::MerkleError;
use super::node_hash;
use super::tile::Tile;
use super::tile_set::TileSet;
use crate::digest::Digest;

/// A perfect subtree: the 2^level entries from `index << level` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    level: u8,
    index: u64,
}

impl Node {
    pub(super) fn new(level: u8, index: u64) -> Result<Self, MerkleError> {
        let exists = level < 64
            && index <= u64::MAX >> level
            && (u128::from(index) + 1) << level <= u128::from(u64::MAX);
        if exists {
            Ok(Self { level, index })
        } else {
            Err(MerkleError::NoSuchNode { level, index })
        }
    }

    /// The narrowest tile that this node can be computed from.
    pub(super) fn tile(self) -> Result<Tile, MerkleError> {
        let first = self.first_hash();
        let width = (first & 255) as u16 + self.hashes();
        Tile::new(self.level / 8, first >> 8, width)
    }

    /// How many hashes at the end of [`Node::tile`] it is computed from.
    pub(super) fn hashes(self) -> u16 {
        1 << (self.level % 8)
    }

    /// The same tile as it is in a log of this size.
    fn tile_in(self, size: u64) -> Option<Tile> {
        Tile::in_log(self.level / 8, self.first_hash() >> 8, size)
    }

    /// The place of its leftmost hash within its level of tiles; not above its first entry, so that nothing is shifted out.
    fn first_hash(self) -> u64 {
        self.index << (self.level % 8)
    }
}

/// The entries from `start` up to but without `end`, where RFC 6962 has a subtree of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subtree {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Subtree {
    /// The whole log.
    pub(super) fn whole(size: u64) -> Self {
        Self {
            start: 0,
            end: size,
        }
    }

    /// The two subtrees it is the node of: the left one has the largest power of two entries that leaves some to the right.
    pub(super) fn halves(self) -> Option<(Self, Self)> {
        let last = self.end.checked_sub(self.start)?.checked_sub(1)?;
        let middle = self.start + (1u64 << last.checked_ilog2()?);
        let left = Self {
            start: self.start,
            end: middle,
        };
        let right = Self {
            start: middle,
            end: self.end,
        };
        Some((left, right))
    }

    /// The perfect subtrees it consists of, largest first.
    pub(super) fn nodes(self) -> Vec<Node> {
        let mut nodes = Vec::new();
        let mut start = self.start;
        while let Some(level) = self.end.saturating_sub(start).checked_ilog2() {
            nodes.push(Node {
                level: level as u8,
                index: start >> level,
            });
            start += 1u64 << level;
        }
        nodes
    }

    /// Its hash; that of an empty log if there is nothing in it.
    pub(super) fn hash(self, tiles: &TileSet) -> Result<Digest, MerkleError> {
        let hashes: Vec<Digest> = self
            .nodes()
            .into_iter()
            .map(|node| tiles.node(node))
            .collect::<Result<_, _>>()?;
        Ok(fold(&hashes))
    }
}

/// A subtree whose hash a proof carries, on one side of what is being proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sibling {
    Left(Subtree),
    Right(Subtree),
}

impl Sibling {
    pub(super) fn subtree(self) -> Subtree {
        match self {
            Self::Left(subtree) | Self::Right(subtree) => subtree,
        }
    }
}

/// The root over perfect subtrees, largest first; that of an empty log if there are none.
pub(super) fn fold(hashes: &[Digest]) -> Digest {
    hashes
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| node_hash(&left, &right))
        .unwrap_or_else(super::empty_root)
}

/// The tiles of a log of this size that these subtrees are computed from, in order and once each.
pub(super) fn tiles_for(subtrees: impl IntoIterator<Item = Subtree>, size: u64) -> Vec<Tile> {
    let tiles: BTreeSet<Tile> = subtrees
        .into_iter()
        .flat_map(Subtree::nodes)
        .filter_map(|node| node.tile_in(size))
        .collect();
    tiles.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_left_half_is_the_largest_power_of_two_that_is_smaller() {
        assert_eq!(Subtree::whole(0).halves(), None);
        assert_eq!(Subtree::whole(1).halves(), None);
        for (size, middle) in [
            (2, 1),
            (3, 2),
            (4, 2),
            (5, 4),
            (8, 4),
            (9, 8),
            (u64::MAX, 1 << 63),
        ] {
            let (left, right) = Subtree::whole(size).halves().unwrap();
            assert_eq!((left.start, left.end), (0, middle));
            assert_eq!((right.start, right.end), (middle, size));
        }
    }

    #[test]
    fn a_node_beyond_the_largest_log_is_refused() {
        assert!(Node::new(63, 0).is_ok());
        assert!(Node::new(0, u64::MAX - 1).is_ok());
        for (level, index) in [
            (63, 1),
            (64, 0),
            (255, 0),
            (0, u64::MAX),
            (8, u64::MAX >> 8),
            (63, u64::MAX),
        ] {
            assert!(Node::new(level, index).is_err(), "{level} {index}");
        }
    }

    proptest! {
        #[test]
        fn every_node_has_a_tile(level in 0u8..64, index: u64) {
            if let Ok(node) = Node::new(level, index >> level) {
                let tile = node.tile().unwrap();
                prop_assert!(tile.width() >= node.hashes());
                let end = ((index >> level) + 1) << level;
                prop_assert_eq!(node.tile_in(end), Some(tile));
            }
        }

        #[test]
        fn the_nodes_of_a_log_cover_it_once(size: u64) {
            let mut covered = 0u64;
            for node in Subtree::whole(size).nodes() {
                prop_assert_eq!(node.index << node.level, covered);
                covered += 1u64 << node.level;
            }
            prop_assert_eq!(covered, size);
        }
    }
}
