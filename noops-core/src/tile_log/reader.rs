use super::bundle::{self, MAX_BUNDLE, WIDTH};
use super::leaf::Reader;
use super::storage::corrupt;
use crate::error::Error;
use crate::merkle::{Tile, TileSet};

/// The leaves of a bundle of a log of this size.
pub(super) fn read_bundle(read: Reader<'_>, index: u64, size: u64) -> Result<Vec<Vec<u8>>, Error> {
    let width = size.saturating_sub(index.saturating_mul(WIDTH)).min(WIDTH);
    let path = Tile::entries_path(index, width as u16);
    let bytes = read(&path, MAX_BUNDLE)?
        .ok_or_else(|| corrupt(&path, "an entry bundle is missing; restore it from a copy"))?;
    let leaves = bundle::split(&bytes)
        .filter(|leaves| leaves.len() as u64 == width)
        .ok_or_else(|| corrupt(&path, "an entry bundle was changed; restore it from a copy"))?;
    Ok(leaves.into_iter().map(<[u8]>::to_vec).collect())
}

/// Loads tiles of a log that has this size by now: where a tile has been replaced by a wider one, the wider one is cut.
pub(super) fn load_tiles(read: Reader<'_>, tiles: &[Tile], size: u64) -> Result<TileSet, Error> {
    let mut set = TileSet::default();
    for tile in tiles {
        let path = tile.path();
        let newest = Tile::in_log(tile.level(), tile.index(), size).filter(|newest| newest > tile);
        let found = match (read(&path, MAX_TILE)?, newest) {
            (None, Some(newest)) => read(&newest.path(), MAX_TILE)?,
            (found, _) => found,
        };
        let found =
            found.ok_or_else(|| corrupt(&path, "a tile is missing; restore it from a copy"))?;
        let bytes = found.get(..tile.byte_length()).unwrap_or(&found);
        set.insert(*tile, bytes).map_err(|error| {
            corrupt(&path, "a tile was changed; restore it from a copy").caused_by(error)
        })?;
    }
    Ok(set)
}

/// The largest tile.
pub(super) const MAX_TILE: u64 = 32 * WIDTH;
