//! The unit in which the hashes of a log are stored and fetched.

use std::fmt;

use super::error::MerkleError;
use super::tile_path::{TilePath, directory};

/// The place of a tile: up to 256 consecutive hashes of one level.
///
/// Tile `index` of level L holds the roots of the subtrees of 256^L entries that begin at entry `index` * 256^(L + 1). A tile
/// narrower than 256 is partial and lies at the right edge of the log. Every `Tile` fits a log of at most 2^64 - 1 entries.
///
/// # Examples
///
/// ```
/// use noops_core::merkle::Tile;
///
/// assert_eq!(Tile::new(0, 1_234_067, 256)?.path(), "tile/0/x001/x234/067");
/// assert_eq!(Tile::new(1, 1, 17)?.path(), "tile/1/001.p/17");
/// assert!(Tile::new(0, 0, 257).is_err());
/// # Ok::<(), noops_core::merkle::MerkleError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

impl Tile {
    /// The width of a full tile.
    pub const FULL_WIDTH: u16 = 256;

    /// The tile of a level and an index.
    ///
    /// # Errors
    ///
    /// [`MerkleError::NoSuchTile`] if the width is not within 1 and 256 or a log of 2^64 - 1 entries does not reach this far.
    pub fn new(level: u8, index: u64, width: u16) -> Result<Self, MerkleError> {
        let refuse = MerkleError::NoSuchTile {
            level,
            index,
            width,
        };
        if level > TOP_LEVEL || !(1..=Self::FULL_WIDTH).contains(&width) || index > u64::MAX >> 8 {
            return Err(refuse);
        }
        // Below 2^65 * 2^56, so that nothing is lost.
        let end = (u128::from(index) * 256 + u128::from(width)) << (8 * u32::from(level));
        if end > u128::from(u64::MAX) {
            return Err(refuse);
        }
        Ok(Self {
            level,
            index,
            width,
        })
    }

    /// The tile that a log of this size has at this place, as wide as it is there; `None` if the log ends before it.
    #[must_use]
    pub fn in_log(level: u8, index: u64, size: u64) -> Option<Self> {
        let hashes = hashes_at(level, size);
        let width = hashes.checked_sub(index.checked_mul(256)?)?.min(256) as u16;
        (width > 0).then_some(Self {
            level,
            index,
            width,
        })
    }

    /// The level: 0 holds the hashes of entries.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.level
    }

    /// The place within the level.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes it holds, 1 to 256.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether it holds 256 hashes and will never change.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.width == Self::FULL_WIDTH
    }

    /// How many bytes its hashes take.
    #[must_use]
    pub fn byte_length(&self) -> usize {
        usize::from(self.width) * HASH_BYTES
    }

    /// Where its hashes lie below the root of the log, such as `tile/0/x001/067` or `tile/0/000.p/5`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, directory(self.index, self.width))
    }

    /// Where the entries lie whose hashes are the level 0 tile of this index and width, such as `tile/entries/x001/067`.
    ///
    /// A width outside 1 and 256 is taken as the nearer of the two.
    #[must_use]
    pub fn entries_path(index: u64, width: u16) -> String {
        format!(
            "tile/entries/{}",
            directory(index, width.clamp(1, Self::FULL_WIDTH))
        )
    }

    /// Reads a path that [`Tile::path`] or [`Tile::entries_path`] wrote.
    ///
    /// # Errors
    ///
    /// [`MerkleError::Malformed`] for any other text, also for a second spelling of the same place.
    pub fn parse_path(text: &str) -> Result<TilePath, MerkleError> {
        text.parse()
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// How many hashes a level of tiles has in a log of this size.
pub(super) fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// The highest level that a log of 2^64 - 1 entries has.
pub(super) const TOP_LEVEL: u8 = 7;

/// The bytes of one hash.
pub(super) const HASH_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_that_no_log_reaches_is_refused() {
        assert!(Tile::new(7, 0, 255).is_ok());
        assert!(Tile::new(0, (u64::MAX >> 8) - 1, 256).is_ok());
        assert!(Tile::new(0, u64::MAX >> 8, 255).is_ok());
        for (level, index, width) in [
            (0, 0, 0),
            (0, 0, 257),
            (7, 0, 256),
            (7, 1, 1),
            (8, 0, 1),
            (u8::MAX, 0, 1),
            (0, u64::MAX >> 8, 256),
            (0, u64::MAX, 1),
            (7, u64::MAX, u16::MAX),
        ] {
            assert!(
                Tile::new(level, index, width).is_err(),
                "{level} {index} {width}"
            );
        }
    }

    #[test]
    fn the_largest_log_has_a_partial_tile_at_every_level() {
        for level in 0..=7 {
            let last = u64::MAX >> (8 * u32::from(level) + 8).min(63);
            let last = if level == 7 { 0 } else { last };
            let tile = Tile::in_log(level, last, u64::MAX).unwrap();
            assert_eq!(tile.width(), 255, "{level}");
            assert_eq!(Tile::new(level, last, 255), Ok(tile));
        }
        assert_eq!(Tile::in_log(8, 0, u64::MAX), None);
        assert_eq!(Tile::in_log(u8::MAX, u64::MAX, u64::MAX), None);
    }
}
