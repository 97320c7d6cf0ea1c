//! The tiles of a log, and proofs, made by whoever wants to be believed.

use noops_core::Digest;
use noops_core::merkle::{
    ConsistencyProof, Frontier, InclusionProof, Tile, TileSet, leaf_hash, node_hash,
    root_from_tiles, tiles_of, verify_tiles,
};
use proptest::prelude::*;

use crate::cases;
use crate::change::{changed, changes};

/// The hash of an entry.
pub(crate) fn leaf(index: u64) -> Digest {
    leaf_hash(&index.to_le_bytes())
}

/// The root of a log.
pub(crate) fn root(size: u64) -> Digest {
    let mut frontier = Frontier::default();
    (0..size).for_each(|index| frontier.push(leaf(index)));
    frontier.root()
}

/// An honest proof that an entry is in a log.
pub(crate) fn inclusion(index: u64, size: u64) -> InclusionProof {
    InclusionProof::from_tiles(index, size, &set(&honest_tiles(size)).unwrap()).unwrap()
}

/// The bytes of every tile of a log of less than 65,536 entries.
fn honest_tiles(size: u64) -> Vec<(Tile, Vec<u8>)> {
    let leaves: Vec<Digest> = (0..size).map(leaf).collect();
    let parents: Vec<Digest> = leaves.chunks_exact(256).map(subtree).collect();
    let bytes_of = |tile: Tile| -> Vec<u8> {
        let hashes = if tile.level() == 0 { &leaves } else { &parents };
        let start = tile.index() as usize * 256;
        let hashes = &hashes[start..start + usize::from(tile.width())];
        hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
    };
    tiles_of(size).map(|tile| (tile, bytes_of(tile))).collect()
}

/// The root over a power of two of hashes.
fn subtree(hashes: &[Digest]) -> Digest {
    match hashes {
        [hash] => *hash,
        hashes => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&subtree(left), &subtree(right))
        }
    }
}

fn set(tiles: &[(Tile, Vec<u8>)]) -> Option<TileSet> {
    let mut set = TileSet::default();
    for (tile, bytes) in tiles {
        set.insert(*tile, bytes).ok()?;
    }
    Some(set)
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn every_changed_tile_is_found(size in 1u64..900, which in any::<u16>(), changes in changes()) {
        let root = root(size);
        let mut tiles = honest_tiles(size);
        let honest = set(&tiles).unwrap();
        prop_assert!(verify_tiles(size, &root, &honest).is_ok());
        prop_assert_eq!(root_from_tiles(size, &honest), Ok(root));

        let which = usize::from(which) % tiles.len();
        let original = tiles[which].1.clone();
        tiles[which].1 = changed(&original, &changes);
        let is_same = tiles[which].1 == original;
        if let Some(set) = set(&tiles) {
            prop_assert_eq!(verify_tiles(size, &root, &set).is_ok(), is_same);
        }
    }

    #[test]
    fn a_changed_proof_is_refused_or_has_the_same_hashes(
        size in 2u64..600,
        at in any::<u64>(),
        changes in changes(),
    ) {
        let tiles = set(&honest_tiles(size)).unwrap();
        let at = at % size;
        let proof = InclusionProof::from_tiles(at, size, &tiles).unwrap();
        prop_assert!(proof.verify(&leaf(at), &root(size)).is_ok());
        let bytes = changed(&serde_json::to_vec(&proof).unwrap(), &changes);
        if let Ok(read) = serde_json::from_slice::<InclusionProof>(&bytes)
            && read.verify(&leaf(at), &root(size)).is_ok()
        {
            prop_assert_eq!(read.path(), proof.path());
        }

        let from = at.max(1);
        let proof = ConsistencyProof::from_tiles(from, size, &tiles).unwrap();
        prop_assert!(proof.verify(&root(from), &root(size)).is_ok());
        let bytes = changed(&serde_json::to_vec(&proof).unwrap(), &changes);
        if let Ok(read) = serde_json::from_slice::<ConsistencyProof>(&bytes)
            && read.verify(&root(from), &root(size)).is_ok()
        {
            prop_assert_eq!(read.path(), proof.path());
        }
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn tiles_and_proofs_of_any_size_are_refused_without_work(
        index in any::<u64>(),
        size in any::<u64>(),
        bits in 0u32..64,
        level in 0u8..66,
        path in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
        tiles in proptest::collection::vec((0u8..8, 0u64..4, 1u16..257, any::<u8>()), 0..6),
    ) {
        let mut set = TileSet::default();
        for (level, index, width, byte) in tiles {
            if let Ok(tile) = Tile::new(level, index, width) {
                let bytes = vec![byte; tile.byte_length()];
                set.insert(tile, &bytes).ok();
            }
        }
        let path: Vec<Digest> = path.into_iter().map(Digest::from_bytes).collect();
        // The root of a log that nobody made.
        let none = Digest::of(b"nobody made it");
        prop_assert!(verify_tiles(size, &none, &set).is_err());
        if let Ok(hash) = set.hash(level, index) {
            prop_assert_ne!(hash, none);
        }
        let (index, size) = (index >> bits, size >> bits);
        if let Ok(proof) = InclusionProof::new(index, size, path.clone()) {
            prop_assert!(proof.verify(&none, &none).is_err() || (size == 1 && path.is_empty()));
        }
        if let Ok(proof) = ConsistencyProof::new(index, size, path.clone()) {
            prop_assert!(proof.verify(&none, &none).is_err() || index == size);
        }
        prop_assert!(InclusionProof::tiles(index, size).len() <= 16);
        prop_assert!(ConsistencyProof::tiles(index, size).len() <= 16);
    }
}
