//! Tiles that were loaded, to compute hashes from.

use std::collections::BTreeMap;

use super::error::MerkleError;
use super::node_hash;
use super::subtree::Node;
use super::tile::{HASH_BYTES, Tile};
use super::tiling::root_from_tiles;
use crate::digest::Digest;

/// The hashes of some tiles of one log.
///
/// Nothing in it is trusted: what is computed from it is, once the root computed from it is the one that was signed. A proof
/// made from wrong tiles does not verify.
///
/// # Examples
///
/// ```
/// use noops_core::merkle::{Tile, TileSet, leaf_hash, node_hash, root_from_tiles};
///
/// let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
/// let mut tiles = TileSet::default();
/// tiles.insert(Tile::new(0, 0, 2)?, &[*a.as_bytes(), *b.as_bytes()].concat())?;
/// assert_eq!(tiles.hash(0, 1)?, b);
/// assert_eq!(root_from_tiles(2, &tiles)?, node_hash(&a, &b));
/// assert!(root_from_tiles(3, &tiles).is_err());
/// # Ok::<(), noops_core::merkle::MerkleError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TileSet {
    hashes: BTreeMap<(u8, u64), Vec<Digest>>,
}

impl TileSet {
    /// Adds the bytes of a tile. Of two widths of one tile the wider is kept.
    ///
    /// # Errors
    ///
    /// [`MerkleError::TileLength`] if these are not 32 bytes a hash, [`MerkleError::TileMismatch`] if the same tile was
    /// inserted with other hashes; the set stays as it was.
    pub fn insert(&mut self, tile: Tile, bytes: &[u8]) -> Result<(), MerkleError> {
        let (chunks, _) = bytes.as_chunks::<HASH_BYTES>();
        if bytes.len() != tile.byte_length() {
            return Err(MerkleError::TileLength {
                tile,
                bytes: bytes.len(),
            });
        }
        let hashes: Vec<Digest> = chunks.iter().copied().map(Digest::from_bytes).collect();
        let place = self.hashes.entry((tile.level(), tile.index())).or_default();
        if place.iter().zip(&hashes).any(|(old, new)| old != new) {
            return Err(MerkleError::TileMismatch(tile));
        }
        if place.len() < hashes.len() {
            *place = hashes;
        }
        Ok(())
    }

    /// The tiles, in order of level and index, each as wide as it was inserted.
    pub fn tiles(&self) -> impl Iterator<Item = Tile> + '_ {
        self.hashes.iter().filter_map(|(&(level, index), hashes)| {
            Tile::new(level, index, u16::try_from(hashes.len()).ok()?).ok()
        })
    }

    /// The root of the perfect subtree of the 2^level entries that begin at entry `index` * 2^level; level 0 is the entries.
    ///
    /// # Errors
    ///
    /// [`MerkleError::MissingTile`] names the tile this needs, [`MerkleError::NoSuchNode`] if no log is that large.
    pub fn hash(&self, level: u8, index: u64) -> Result<Digest, MerkleError> {
        self.node(Node::new(level, index)?)
    }

    pub(super) fn node(&self, node: Node) -> Result<Digest, MerkleError> {
        let tile = node.tile()?;
        let end = usize::from(tile.width());
        let start = end.saturating_sub(usize::from(node.hashes()));
        self.hashes
            .get(&(tile.level(), tile.index()))
            .and_then(|hashes| hashes.get(start..end))
            .and_then(perfect_root)
            .ok_or(MerkleError::MissingTile(tile))
    }
}

/// Checks loaded tiles against the signed root of a log, from the root down.
///
/// The root is computed from the partial tiles at the right edge, which covers all their hashes. Then every full tile must
/// hash to the value its parent has for it. A tile, or a hash of one, beyond the end of the log is no part of it and is not
/// looked at. To check a log piece by piece, load [`root_tiles`](super::root_tiles), some full tiles, and their parents up to
/// the right edge.
///
/// # Errors
///
/// [`MerkleError::RootMismatch`] if the right edge is not what was signed, [`MerkleError::TileMismatch`] names the highest
/// full tile that is not what its parent says, [`MerkleError::MissingTile`] names a tile that is needed to tell.
///
/// # Complexity
///
/// As many hashes as there are in the tiles.
pub fn verify_tiles(size: u64, root: &Digest, tiles: &TileSet) -> Result<(), MerkleError> {
    if root_from_tiles(size, tiles)? != *root {
        return Err(MerkleError::RootMismatch { size });
    }
    // Parents come before their children, so that the tile named is the one at fault.
    for (&(level, index), hashes) in tiles.hashes.iter().rev() {
        let full = Tile::in_log(level, index, size).filter(Tile::is_full);
        let Some(tile) = full else {
            continue;
        };
        let complete = hashes.get(..usize::from(Tile::FULL_WIDTH));
        let computed = complete
            .and_then(perfect_root)
            .ok_or(MerkleError::MissingTile(tile))?;
        if tiles.hash((level + 1) * 8, index)? != computed {
            return Err(MerkleError::TileMismatch(tile));
        }
    }
    Ok(())
}

/// The root over a power of two of hashes; `None` over nothing.
pub(crate) fn perfect_root(hashes: &[Digest]) -> Option<Digest> {
    let mut row: Vec<Digest> = hashes.to_vec();
    while row.len() > 1 {
        let (pairs, _) = row.as_chunks::<2>();
        let above: Vec<Digest> = pairs
            .iter()
            .map(|[left, right]| node_hash(left, right))
            .collect();
        row = above;
    }
    row.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::leaf_hash;

    fn bytes(count: usize) -> Vec<u8> {
        (0..count)
            .flat_map(|entry| *leaf_hash(&entry.to_be_bytes()).as_bytes())
            .collect()
    }

    #[test]
    fn a_tile_of_the_wrong_length_is_refused() {
        let tile = Tile::new(0, 0, 3).unwrap();
        for length in [0, 1, 32, 64, 95, 97, 128] {
            let mut tiles = TileSet::default();
            let error = tiles.insert(tile, &vec![0; length]).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`tile/0/000.p/3` has {length} bytes instead of 96")
            );
            assert_eq!(tiles, TileSet::default());
        }
    }

    #[test]
    fn a_wider_tile_replaces_a_narrower_one_only_if_it_begins_the_same() {
        let mut tiles = TileSet::default();
        tiles
            .insert(Tile::new(0, 0, 3).unwrap(), &bytes(3))
            .unwrap();
        tiles
            .insert(Tile::new(0, 0, 5).unwrap(), &bytes(5))
            .unwrap();
        tiles
            .insert(Tile::new(0, 0, 2).unwrap(), &bytes(2))
            .unwrap();
        assert_eq!(
            tiles.tiles().collect::<Vec<_>>(),
            [Tile::new(0, 0, 5).unwrap()]
        );

        let mut other = bytes(6);
        other[70] ^= 1;
        let wider = Tile::new(0, 0, 6).unwrap();
        assert_eq!(
            tiles.insert(wider, &other),
            Err(MerkleError::TileMismatch(wider))
        );
        assert_eq!(tiles.hash(0, 5), Err(MerkleError::MissingTile(wider)));
    }

    #[test]
    fn the_tile_that_is_missing_is_named() {
        let mut tiles = TileSet::default();
        tiles
            .insert(Tile::new(0, 0, 3).unwrap(), &bytes(3))
            .unwrap();
        // Entries 2 and 3 have a node above them only once there are four entries.
        let error = tiles.hash(1, 1).unwrap_err();
        assert_eq!(error, MerkleError::MissingTile(Tile::new(0, 0, 4).unwrap()));
        let error = tiles.hash(8, 300).unwrap_err();
        assert_eq!(
            error,
            MerkleError::MissingTile(Tile::new(1, 1, 45).unwrap())
        );
        assert!(tiles.hash(64, 0).is_err());
        assert!(tiles.hash(0, u64::MAX).is_err());
    }
}
