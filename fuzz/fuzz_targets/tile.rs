//! Tile paths, and the hashes of tiles of a log that nobody made.

#![no_main]

use libfuzzer_sys::fuzz_target;
use noops_core::Digest;
use noops_core::merkle::{InclusionProof, Tile, TileSet, root_tiles, verify_tiles};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(path) = Tile::parse_path(text)
    {
        assert_eq!(path.to_string(), text);
        assert!(text.split('/').all(|part| !part.is_empty() && part != ".."));
    }
    let Some((head, mut rest)) = bytes.split_first_chunk::<16>() else {
        return;
    };
    let (index, size) = head.split_at(8);
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let (index, size) = (number(index), number(size));
    let mut tiles = TileSet::default();
    for tile in root_tiles(size)
        .into_iter()
        .chain(InclusionProof::tiles(index, size))
    {
        let Some((hashes, after)) = rest.split_at_checked(tile.byte_length()) else {
            break;
        };
        tiles.insert(tile, hashes).ok();
        rest = after;
    }
    InclusionProof::from_tiles(index, size, &tiles).ok();
    // The root of a power of two of entries may be a hash that was given; any other is computed, and is never zero.
    let is_given = size.is_power_of_two();
    assert!(is_given || verify_tiles(size, &Digest::ZERO, &tiles).is_err());
});
