use super::storage::WRITE;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::merkle::{Tile, empty_root, node_hash, perfect_root};

/// The right edge of a tree of tiles: at every level the hashes of the tile that is not full yet.
///
/// # Complexity
///
/// At most 256 hashes a level; adding a leaf is amortised O(1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Edge {
    size: u64,
    levels: Vec<Vec<Digest>>,
}

impl Edge {
    /// How many leaves there are.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf. Tiles that it fills go to `full`.
    pub(super) fn push(&mut self, leaf: Digest, full: &mut Vec<TileData>) -> Result<(), Error> {
        self.size = self.size.checked_add(1).ok_or_else(too_large)?;
        let mut hash = leaf;
        let mut level: usize = 0;
        loop {
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(level) else {
                return Err(too_large());
            };
            hashes.push(hash);
            if hashes.len() < WIDTH {
                return Ok(());
            }
            let filled = std::mem::take(hashes);
            hash = perfect_root(&filled).ok_or_else(too_large)?;
            let index = full_tiles_at(self.size, level).saturating_sub(1);
            full.push(TileData::new(level, index, &filled)?);
            level += 1;
        }
    }

    /// The tiles that are not full, those of width 0 left out.
    pub(super) fn partial_tiles(&self) -> Result<Vec<TileData>, Error> {
        (0..)
            .zip(&self.levels)
            .filter(|(_, hashes)| !hashes.is_empty())
            .map(|(level, hashes)| TileData::new(level, full_tiles_at(self.size, level), hashes))
            .collect()
    }

    /// The root of the tree, that of RFC 6962.
    pub(super) fn root(&self) -> Digest {
        // Perfect subtrees from right to left: within a tile the smallest comes last.
        let mut root: Option<Digest> = None;
        for hashes in &self.levels {
            let mut rest: &[Digest] = hashes;
            while !rest.is_empty() {
                let width: usize = 1 << rest.len().trailing_zeros();
                let (before, peak) = rest
                    .split_at_checked(rest.len().saturating_sub(width))
                    .unwrap_or((Default::default(), rest));
                root = match (perfect_root(peak), root) {
                    (Some(left), Some(right)) => Some(node_hash(&left, &right)),
                    (left, right) => left.or(right),
                };
                rest = before;
            }
        }
        root.unwrap_or_else(empty_root)
    }
}

/// A tile and its hashes, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TileData {
    /// Which it is.
    pub(super) tile: Tile,
    /// Where it is.
    pub(super) path: String,
    /// Its hashes, one after the other.
    pub(super) bytes: Vec<u8>,
}

impl TileData {
    fn new(level: usize, index: u64, hashes: &[Digest]) -> Result<Self, Error> {
        let level = u8::try_from(level).map_err(|_| too_large())?;
        let width = u16::try_from(hashes.len()).map_err(|_| too_large())?;
        let tile = Tile::new(level, index, width).map_err(|error| too_large().caused_by(error))?;
        let mut bytes = Vec::with_capacity(hashes.len().saturating_mul(32));
        for hash in hashes {
            bytes.extend_from_slice(hash.as_bytes());
        }
        Ok(Self {
            tile,
            path: tile.path(),
            bytes,
        })
    }
}

/// How many full tiles of a level a tree of this size has.
fn full_tiles_at(size: u64, level: usize) -> u64 {
    u32::try_from(level)
        .ok()
        .and_then(|level| level.checked_add(1)?.checked_mul(8))
        .and_then(|bits| size.checked_shr(bits))
        .unwrap_or(0)
}

fn too_large() -> Error {
    Error::new(
        ErrorKind::Invalid,
        WRITE,
        "the log has as many entries as its numbers can count; begin another one",
    )
}

const WIDTH: usize = 256;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::merkle::{Frontier, TileSet, leaf_hash, root_from_tiles, tiles_of};

    #[test]
    fn tiles_and_root_are_those_of_the_tree_at_every_size() {
        let mut edge = Edge::default();
        let mut frontier = Frontier::default();
        let mut full = Vec::new();
        for size in 0..70_000_u64 {
            // Around every width at which a tile fills, and at some odd sizes.
            if size < 600 || size % 256 < 2 || size.is_multiple_of(997) {
                assert_eq!(edge.root(), frontier.root(), "{size}");
            }
            if size < 600 || (65_500..65_800).contains(&size) && size % 7 == 0 {
                let stored: BTreeMap<Tile, Vec<u8>> = full
                    .iter()
                    .cloned()
                    .chain(edge.partial_tiles().unwrap())
                    .map(|tile: TileData| (tile.tile, tile.bytes))
                    .collect();
                let mut expected: Vec<Tile> = tiles_of(size).collect();
                expected.sort();
                assert!(stored.keys().eq(&expected), "{size}");
                let mut set = TileSet::default();
                for (tile, bytes) in &stored {
                    set.insert(*tile, bytes).unwrap();
                }
                assert_eq!(root_from_tiles(size, &set), Ok(frontier.root()), "{size}");
            }
            let leaf = leaf_hash(&size.to_le_bytes());
            edge.push(leaf, &mut full).unwrap();
            frontier.push(leaf);
        }
    }
}
