//! Where tiles and entries lie below the root of a log.

use std::fmt;
use std::str::FromStr;

use super::error::MerkleError;
use super::text::decimal;
use super::tile::Tile;

/// What a path below the root of a log names.
///
/// # Examples
///
/// ```
/// use noops_core::merkle::{Tile, TilePath};
///
/// let path = Tile::parse_path("tile/entries/x001/067.p/5")?;
/// assert_eq!(path, TilePath::Entries(Tile::new(0, 1067, 5)?));
/// assert_eq!(path.to_string(), "tile/entries/x001/067.p/5");
/// assert!(Tile::parse_path("tile/0/../../etc/passwd").is_err());
/// # Ok::<(), noops_core::merkle::MerkleError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TilePath {
    /// The hashes of a tile.
    Hashes(Tile),
    /// The entries whose hashes are this tile of level 0.
    Entries(Tile),
}

impl FromStr for TilePath {
    type Err = MerkleError;

    fn from_str(text: &str) -> Result<Self, MerkleError> {
        let path = parse(text).ok_or(MerkleError::Malformed {
            what: "tile path",
            reason: "it is not of the form tile/LEVEL/INDEX or tile/LEVEL/INDEX.p/WIDTH",
        })?;
        // One place has one spelling: this refuses superfluous leading `x000`.
        if path.to_string() == text {
            Ok(path)
        } else {
            Err(MerkleError::Malformed {
                what: "tile path",
                reason: "the same tile has a shorter path",
            })
        }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hashes(tile) => f.write_str(&tile.path()),
            Self::Entries(tile) => f.write_str(&Tile::entries_path(tile.index(), tile.width())),
        }
    }
}

/// The part of a path behind the level: at most a thousand names in any one directory.
pub(super) fn directory(index: u64, width: u16) -> String {
    let mut text = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1000);
        rest /= 1000;
    }
    if width < Tile::FULL_WIDTH {
        text.push_str(&format!(".p/{width}"));
    }
    text
}

fn parse(text: &str) -> Option<TilePath> {
    if text.len() > LONGEST {
        return None;
    }
    let (level, rest) = text.strip_prefix("tile/")?.split_once('/')?;
    let (number, width) = match rest.split_once(".p/") {
        Some((number, width)) => {
            let width: u16 = decimal(width)?.try_into().ok()?;
            (number, (width < Tile::FULL_WIDTH).then_some(width)?)
        }
        None => (rest, Tile::FULL_WIDTH),
    };
    let index = parse_index(number)?;
    if level == "entries" {
        return Some(TilePath::Entries(Tile::new(0, index, width).ok()?));
    }
    let level: u8 = decimal(level)?.try_into().ok()?;
    Some(TilePath::Hashes(Tile::new(level, index, width).ok()?))
}

fn parse_index(number: &str) -> Option<u64> {
    let (leading, last) = match number.rsplit_once('/') {
        Some((leading, last)) => (Some(leading), last),
        None => (None, number),
    };
    let mut index: u64 = 0;
    for element in leading.into_iter().flat_map(|leading| leading.split('/')) {
        index = index
            .checked_mul(1000)?
            .checked_add(three_digits(element.strip_prefix('x')?)?)?;
    }
    index.checked_mul(1000)?.checked_add(three_digits(last)?)
}

fn three_digits(text: &str) -> Option<u64> {
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Longer than the path of the last tile of the largest log.
const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        // tlog-tiles, "Merkle Tree" and "Partial Tiles": index 1234067, and what a log of 70,000 entries ends with.
        for (path, level, index, width) in [
            ("tile/0/x001/x234/067", 0, 1_234_067, 256),
            ("tile/0/273.p/112", 0, 273, 112),
            ("tile/1/000", 1, 0, 256),
            ("tile/1/001.p/17", 1, 1, 17),
            ("tile/2/000.p/1", 2, 0, 1),
        ] {
            let tile = Tile::new(level, index, width).unwrap();
            assert_eq!(tile.path(), path);
            assert_eq!(Tile::parse_path(path), Ok(TilePath::Hashes(tile)));
        }
        assert_eq!(
            Tile::entries_path(1_234_067, 256),
            "tile/entries/x001/x234/067"
        );
        assert_eq!(Tile::entries_path(273, 112), "tile/entries/273.p/112");
    }

    #[test]
    fn a_path_that_nobody_wrote_is_refused() {
        for path in [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/0/000/",
            "tile//000",
            "tile/00/000",
            "tile/-1/000",
            "tile/8/000",
            "tile/64/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/001/067",
            "tile/0/x001/x067",
            "tile/0/x001067",
            "tile/0/+01",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/05",
            "tile/0/000.p/",
            "tile/0/000.p",
            "tile/0/000.p/1/2",
            "tile/0/000.p/1.p/1",
            "tile/0/../checkpoint",
            "tile/data/000",
            "tile/entries/x1/000",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/7/001",
            "tile/0/٠٠٠",
        ] {
            assert!(Tile::parse_path(path).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn reading_undoes_writing(level in 0u8..8, index: u64, width in 1u16..=256, entries: bool) {
            let index = index >> (8 + 8 * u32::from(level)).min(63);
            if let Ok(tile) = Tile::new(if entries { 0 } else { level }, index, width) {
                let path = if entries { TilePath::Entries(tile) } else { TilePath::Hashes(tile) };
                prop_assert_eq!(Tile::parse_path(&path.to_string()), Ok(path));
            }
        }

        #[test]
        fn what_is_read_is_written_the_same(text in "(tile/)?([0-9]|entries)/(x?[0-9]{1,3}/){0,7}[0-9]{3}(\\.p/[0-9]{1,3})?") {
            if let Ok(path) = Tile::parse_path(&text) {
                prop_assert_eq!(path.to_string(), text);
            }
        }

        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _: Result<TilePath, MerkleError> = Tile::parse_path(&text);
            let path = format!("tile/0/{text}x");
            prop_assert!(Tile::parse_path(&path).is_err());
        }
    }
}
