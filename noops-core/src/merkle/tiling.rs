//! Which tiles a log consists of.

use super::error::ProofError;
use super::subtree::{Subtree, tiles_for};
use super::tile::{TOP_LEVEL, Tile, hashes_at};
use super::tile_set::TileSet;
use crate::digest::Digest;

/// Every tile a log of this size consists of: level by level from the entries up, the full ones and the partial one at the
/// right edge of each level.
///
/// # Complexity
///
/// One tile for 255 entries, made as it is asked for.
///
/// # Examples
///
/// ```
/// use noops_core::merkle::tiles_of;
///
/// let paths: Vec<String> = tiles_of(70_000).filter(|tile| !tile.is_full()).map(|tile| tile.path()).collect();
/// assert_eq!(paths, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
/// assert_eq!(tiles_of(70_000).count(), 273 + 1 + 1 + 1 + 1);
/// ```
pub fn tiles_of(size: u64) -> impl Iterator<Item = Tile> {
    (0..=TOP_LEVEL).flat_map(move |level| {
        // The tile behind the last full one is partial or, if its width would be 0, not there.
        let full = hashes_at(level, size) >> 8;
        (0..=full).filter_map(move |index| Tile::in_log(level, index, size))
    })
}

/// The tiles to write when a log grows: those that did not exist, and the partial ones that became wider.
///
/// Nothing if the log did not grow.
///
/// # Complexity
///
/// One tile for 255 new entries and at most one more for every level, all held at once.
///
/// # Examples
///
/// ```
/// use noops_core::merkle::new_tiles;
///
/// let paths: Vec<String> = new_tiles(255, 257).iter().map(|tile| tile.path()).collect();
/// assert_eq!(paths, ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]);
/// ```
#[must_use]
pub fn new_tiles(old_size: u64, new_size: u64) -> Vec<Tile> {
    let grown = (0..=TOP_LEVEL).flat_map(move |level| {
        let (old, new) = (hashes_at(level, old_size), hashes_at(level, new_size));
        // From the tile that the next hash goes to up to the tile of the last hash.
        let places = if old < new {
            (old >> 8)..((new - 1) >> 8) + 1
        } else {
            0..0
        };
        places.filter_map(move |index| Tile::in_log(level, index, new_size))
    });
    grown.collect()
}

/// The tiles that the root of a log of this size is computed from.
///
/// # Complexity
///
/// At most one tile for every level, so never more than eight.
#[must_use]
pub fn root_tiles(size: u64) -> Vec<Tile> {
    tiles_for([Subtree::whole(size)], size)
}

/// The root of a log of this size, from the tiles that [`root_tiles`] names.
///
/// # Errors
///
/// [`MerkleError::MissingTile`](super::MerkleError::MissingTile) if one of them was not loaded.
pub fn root_from_tiles(size: u64, tiles: &TileSet) -> Result<Digest, ProofError> {
    Subtree::whole(size).hash(tiles)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_at_the_edge_of_the_integers_are_survived() {
        let root = root_tiles(u64::MAX);
        assert_eq!(root.len(), 8);
        assert!(root.iter().all(|tile| tile.width() == 255));
        assert_eq!(
            new_tiles(u64::MAX - 1, u64::MAX),
            [Tile::new(0, u64::MAX >> 8, 255).unwrap()]
        );
        assert!(new_tiles(u64::MAX, 0).is_empty());
        assert_eq!(
            tiles_of(u64::MAX).take(3).last(),
            Some(Tile::new(0, 2, 256).unwrap())
        );
        assert_eq!(tiles_of(0).count(), 0);
        assert!(root_tiles(0).is_empty());
    }

    #[test]
    fn a_log_of_one_full_tile_has_a_partial_parent() {
        // tlog-tiles, "Partial Tiles".
        let tiles: Vec<Tile> = tiles_of(256).collect();
        assert_eq!(
            tiles,
            [Tile::new(0, 0, 256).unwrap(), Tile::new(1, 0, 1).unwrap()]
        );
    }

    proptest! {
        #[test]
        fn growing_by_new_tiles_ends_with_the_tiles_of_the_log(
            sizes in prop::collection::vec(0u64..200_000, 1..8),
        ) {
            let mut sizes = sizes;
            sizes.sort_unstable();
            let mut stored: BTreeMap<(u8, u64), u16> = BTreeMap::new();
            let mut before = 0;
            for size in sizes {
                for tile in new_tiles(before, size) {
                    // Only what is missing or has become wider is written.
                    let old = stored.insert((tile.level(), tile.index()), tile.width());
                    prop_assert!(old.is_none_or(|old| old < tile.width()));
                }
                let whole: BTreeMap<(u8, u64), u16> =
                    tiles_of(size).map(|tile| ((tile.level(), tile.index()), tile.width())).collect();
                prop_assert_eq!(&stored, &whole);
                before = size;
            }
        }

        #[test]
        fn a_partial_tile_is_as_wide_as_the_specification_says(size: u64, level in 0u8..8) {
            // tlog-tiles: floor(s / 256^l) mod 256 entries, no tile if that is 0.
            let width = (u128::from(size) / 256u128.pow(u32::from(level)) % 256) as u16;
            let partial: Vec<u16> = root_tiles(size)
                .into_iter()
                .filter(|tile| tile.level() == level)
                .map(|tile| tile.width())
                .collect();
            prop_assert_eq!(partial, if width == 0 { vec![] } else { vec![width] });
        }
    }
}
