use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

mod published;

/// MTH of RFC 6962, section 2.1, over leaf hashes, as it is written there.
fn naive_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(b""),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH of RFC 6962, section 2.1.1.
fn naive_path(index: usize, leaves: &[Digest]) -> Vec<Digest> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if index < k {
        (naive_path(index, left), naive_root(right))
    } else {
        (naive_path(index - k, right), naive_root(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF of RFC 6962, section 2.1.2; PROOF is that of the complete subtree.
fn naive_subproof(from: usize, leaves: &[Digest], complete: bool) -> Vec<Digest> {
    if from == leaves.len() {
        return if complete {
            Vec::new()
        } else {
            vec![naive_root(leaves)]
        };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) = if from <= k {
        (naive_subproof(from, left, complete), naive_root(right))
    } else {
        (naive_subproof(from - k, right, false), naive_root(left))
    };
    proof.push(sibling);
    proof
}

/// The largest power of two smaller than `size`.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// The bytes of a tile, by the formula of `tlog-tiles`: each hash is a root over 256^level entries.
fn naive_tile(tile: Tile, leaves: &[Digest]) -> Vec<u8> {
    let entries = 256usize.pow(u32::from(tile.level()));
    let first = tile.index() as usize * 256;
    (first..first + usize::from(tile.width()))
        .map(|hash| naive_root(&leaves[hash * entries..(hash + 1) * entries]))
        .flat_map(|hash| *hash.as_bytes())
        .collect()
}

fn loaded(tiles: impl IntoIterator<Item = Tile>, leaves: &[Digest]) -> TileSet {
    let mut set = TileSet::default();
    for tile in tiles {
        set.insert(tile, &naive_tile(tile, leaves)).unwrap();
    }
    set
}

fn leaves(size: usize) -> Vec<Digest> {
    (0..size as u64)
        .map(|entry| leaf_hash(&entry.to_be_bytes()))
        .collect()
}

fn flipped(digest: Digest, bit: usize) -> Digest {
    let mut bytes = *digest.as_bytes();
    bytes[bit / 8 % 32] ^= 1 << (bit % 8);
    Digest::from_bytes(bytes)
}

fn frontier(leaves: &[Digest]) -> Frontier {
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(*leaf));
    frontier
}

#[test]
fn a_log_of_three_levels_of_tiles_has_the_root_another_program_computes() {
    // Python: mth([sha256(b"\0" + i.to_bytes(8, "big")).digest() for i in range(70000)]) with the recursion of RFC 6962.
    let root = "0759167a0f98e35e802d46ff7c7d29d2c3f03a63a256deb6abbff357a91b63b1";
    let root: Digest = root.parse().unwrap();
    let leaves = leaves(70_000);
    assert_eq!(frontier(&leaves).root(), root);

    let edge = loaded(root_tiles(70_000), &leaves);
    assert_eq!(edge.tiles().count(), 3);
    assert_eq!(root_from_tiles(70_000, &edge), Ok(root));
    assert_eq!(
        verify_tiles(70_000, &root, &loaded(tiles_of(70_000), &leaves)),
        Ok(())
    );
    for index in [0, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999] {
        let tiles = loaded(InclusionProof::tiles(index, 70_000), &leaves);
        let proof = InclusionProof::from_tiles(index, 70_000, &tiles).unwrap();
        assert_eq!(proof.verify(&leaves[index as usize], &root), Ok(()));
    }
    for from in [1, 256, 257, 65_536, 65_537, 69_888, 69_999, 70_000] {
        let tiles = loaded(ConsistencyProof::tiles(from, 70_000), &leaves);
        let proof = ConsistencyProof::from_tiles(from, 70_000, &tiles).unwrap();
        let before = frontier(&leaves[..from as usize]).root();
        assert_eq!(proof.verify(&before, &root), Ok(()));
    }
}

#[test]
fn the_largest_log_is_survived() {
    let last = u64::MAX - 1;
    for (index, length) in [(0, 64), (last, 63)] {
        assert!(InclusionProof::tiles(index, u64::MAX).len() <= 16);
        let proof = InclusionProof::new(index, u64::MAX, vec![Digest::ZERO; length]).unwrap();
        assert!(proof.verify(&Digest::ZERO, &Digest::ZERO).is_err());
        let short = InclusionProof::new(index, u64::MAX, vec![Digest::ZERO; length - 1]);
        let expected = MerkleError::PathLength {
            expected: length,
            found: length - 1,
        };
        assert_eq!(short, Err(expected));
        let missing = InclusionProof::from_tiles(index, u64::MAX, &TileSet::default());
        assert!(matches!(missing, Err(MerkleError::MissingTile(_))));
    }
    for from in [1, 1 << 63, last, u64::MAX] {
        assert!(ConsistencyProof::tiles(from, u64::MAX).len() <= 16);
        let missing = ConsistencyProof::from_tiles(from, u64::MAX, &TileSet::default());
        assert_eq!(missing.is_ok(), from == u64::MAX);
    }
    assert!(InclusionProof::new(u64::MAX, u64::MAX, Vec::new()).is_err());
    assert!(ConsistencyProof::new(u64::MAX, 0, Vec::new()).is_err());
    assert!(ConsistencyProof::tiles(1, 0).is_empty());
    assert!(InclusionProof::tiles(1, 1).is_empty());
    assert!(Frontier::from_tiles(u64::MAX, &TileSet::default()).is_err());
    assert!(verify_tiles(u64::MAX, &Digest::ZERO, &TileSet::default()).is_err());
}

#[test]
fn a_full_log_stays_as_it_is() {
    let mut tiles = TileSet::default();
    for tile in root_tiles(u64::MAX) {
        tiles.insert(tile, &vec![7; tile.byte_length()]).unwrap();
    }
    let full = Frontier::from_tiles(u64::MAX, &tiles).unwrap();
    let mut pushed = full.clone();
    pushed.push(Digest::ZERO);
    assert_eq!(pushed, full);
}

#[test]
fn every_log_begins_with_the_empty_log() {
    let root = naive_root(&leaves(5));
    let proof = ConsistencyProof::from_tiles(0, 5, &TileSet::default()).unwrap();
    assert!(proof.path().is_empty());
    assert_eq!(proof.verify(&Digest::of(b""), &root), Ok(()));
    assert_eq!(
        proof.verify(&root, &root),
        Err(MerkleError::RootMismatch { size: 0 })
    );
    assert_eq!(
        verify_tiles(0, &Digest::of(b""), &TileSet::default()),
        Ok(())
    );
}

#[test]
fn proofs_survive_json_and_refuse_what_does_not_fit() {
    let leaves = leaves(11);
    let inclusion = InclusionProof::new(4, 11, naive_path(4, &leaves)).unwrap();
    let json = serde_json::to_string(&inclusion).unwrap();
    assert_eq!(
        serde_json::from_str::<InclusionProof>(&json).unwrap(),
        inclusion
    );
    let consistency = ConsistencyProof::new(4, 11, naive_subproof(4, &leaves, true)).unwrap();
    let text = serde_json::to_string(&consistency).unwrap();
    assert_eq!(
        serde_json::from_str::<ConsistencyProof>(&text).unwrap(),
        consistency
    );

    for (from, to) in [
        ("\"index\":4", "\"index\":11"),
        ("\"size\":11", "\"size\":40"),
        ("\"path\":[", "\"path\":[\"00\","),
    ] {
        let changed = json.replace(from, to);
        assert_ne!(changed, json);
        assert!(serde_json::from_str::<InclusionProof>(&changed).is_err());
    }
    let shrinks = text.replace("\"to\":11", "\"to\":3");
    let error = serde_json::from_str::<ConsistencyProof>(&shrinks).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("a log of 4 entries cannot become one of 3")
    );
}

#[test]
fn the_tile_at_fault_is_named() {
    let leaves = leaves(1_000);
    let root = naive_root(&leaves);
    let bad = Tile::new(0, 2, 256).unwrap();
    let parent = Tile::new(1, 0, 3).unwrap();
    let with = |bad: Tile| {
        let mut tiles = TileSet::default();
        for tile in tiles_of(1_000) {
            let mut bytes = naive_tile(tile, &leaves);
            bytes[33] ^= u8::from(tile == bad);
            tiles.insert(tile, &bytes).unwrap();
        }
        verify_tiles(1_000, &root, &tiles)
    };
    assert_eq!(with(bad), Err(MerkleError::TileMismatch(bad)));
    // A partial tile is covered by the root alone.
    assert_eq!(with(parent), Err(MerkleError::RootMismatch { size: 1_000 }));

    let mut tiles = loaded(root_tiles(1_000), &leaves);
    tiles.insert(bad, &naive_tile(bad, &leaves)).unwrap();
    assert_eq!(verify_tiles(1_000, &root, &tiles), Ok(()));
    assert_eq!(
        verify_tiles(1_000, &root, &loaded([bad], &leaves)),
        Err(MerkleError::MissingTile(Tile::new(1, 0, 2).unwrap()))
    );
}

proptest! {
    #[test]
    fn a_frontier_has_the_root_of_the_definition(size in 0usize..2_000, more in 0usize..300) {
        let leaves = leaves(size + more);
        let mut grown = frontier(&leaves[..size]);
        prop_assert_eq!(grown.size(), size as u64);
        prop_assert_eq!(grown.root(), naive_root(&leaves[..size]));
        // One that was read back goes on in the same way.
        let tiles = loaded(root_tiles(size as u64), &leaves[..size]);
        let mut read = Frontier::from_tiles(size as u64, &tiles).unwrap();
        prop_assert_eq!(&read, &grown);
        for leaf in &leaves[size..] {
            grown.push(*leaf);
            read.push(*leaf);
        }
        prop_assert_eq!(&read, &grown);
        prop_assert_eq!(read.root(), naive_root(&leaves));
    }

    #[test]
    fn an_inclusion_proof_is_that_of_the_definition(size in 1usize..2_000, at in 0usize..2_000, bit: usize) {
        let leaves = leaves(size);
        let index = at % size;
        let root = naive_root(&leaves);
        // The tiles that were asked for suffice.
        let tiles = loaded(InclusionProof::tiles(index as u64, size as u64), &leaves);
        let proof = InclusionProof::from_tiles(index as u64, size as u64, &tiles).unwrap();
        let path = naive_path(index, &leaves);
        prop_assert_eq!(proof.path(), &path[..]);
        prop_assert_eq!(proof.verify(&leaves[index], &root), Ok(()));

        prop_assert!(proof.verify(&flipped(leaves[index], bit % 256), &root).is_err());
        prop_assert!(proof.verify(&leaves[index], &flipped(root, bit % 256)).is_err());
        for position in 0..path.len() {
            let mut forged = path.clone();
            forged[position] = flipped(forged[position], bit % 256);
            let forged = InclusionProof::new(index as u64, size as u64, forged).unwrap();
            prop_assert!(forged.verify(&leaves[index], &root).is_err());
        }
        if size > 1 {
            // The same path does not prove another place.
            let other = (index + 1 + at % (size - 1)) % size;
            if let Ok(moved) = InclusionProof::new(other as u64, size as u64, path) {
                prop_assert!(moved.verify(&leaves[index], &root).is_err());
            }
        }
    }

    #[test]
    fn a_consistency_proof_is_that_of_the_definition(to in 1usize..2_000, at in 0usize..2_000, bit: usize) {
        let leaves = leaves(to);
        let from = 1 + at % to;
        let (before, after) = (naive_root(&leaves[..from]), naive_root(&leaves));
        let tiles = loaded(ConsistencyProof::tiles(from as u64, to as u64), &leaves);
        let proof = ConsistencyProof::from_tiles(from as u64, to as u64, &tiles).unwrap();
        let path = naive_subproof(from, &leaves, true);
        prop_assert_eq!(proof.path(), &path[..]);
        prop_assert_eq!(proof.verify(&before, &after), Ok(()));

        prop_assert!(proof.verify(&flipped(before, bit % 256), &after).is_err());
        prop_assert!(proof.verify(&before, &flipped(after, bit % 256)).is_err());
        for position in 0..path.len() {
            let mut forged = path.clone();
            forged[position] = flipped(forged[position], bit % 256);
            let forged = ConsistencyProof::new(from as u64, to as u64, forged).unwrap();
            prop_assert!(forged.verify(&before, &after).is_err());
        }
        // A log in which an old entry was replaced has no proof, not even the one made from its own tiles.
        let mut rewritten = leaves.clone();
        rewritten[at % from] = flipped(rewritten[at % from], bit % 256);
        let tiles = loaded(ConsistencyProof::tiles(from as u64, to as u64), &rewritten);
        let forged = ConsistencyProof::from_tiles(from as u64, to as u64, &tiles).unwrap();
        prop_assert!(forged.verify(&before, &naive_root(&rewritten)).is_err());
    }

    #[test]
    fn any_schedule_of_growth_ends_with_the_same_tree(sizes in prop::collection::vec(1usize..2_000, 1..6)) {
        let mut sizes = sizes;
        sizes.sort_unstable();
        let leaves = leaves(2_000);
        // What lies on the disk: a tile that became wider lies at another path, the narrow one is dropped.
        let mut stored: BTreeMap<(u8, u64), (Tile, Vec<u8>)> = BTreeMap::new();
        let (mut before, mut root_before) = (0, Digest::of(b""));
        for size in sizes {
            for tile in new_tiles(before, size as u64) {
                stored.insert((tile.level(), tile.index()), (tile, naive_tile(tile, &leaves[..size])));
            }
            let mut tiles = TileSet::default();
            for (tile, bytes) in stored.values() {
                tiles.insert(*tile, bytes).unwrap();
            }
            let root = naive_root(&leaves[..size]);
            prop_assert_eq!(root_from_tiles(size as u64, &tiles), Ok(root));
            prop_assert_eq!(verify_tiles(size as u64, &root, &tiles), Ok(()));
            let proof = ConsistencyProof::from_tiles(before, size as u64, &tiles).unwrap();
            prop_assert_eq!(proof.verify(&root_before, &root), Ok(()));
            let index = size as u64 / 2;
            let proof = InclusionProof::from_tiles(index, size as u64, &tiles).unwrap();
            prop_assert_eq!(proof.verify(&leaves[size / 2], &root), Ok(()));
            (before, root_before) = (size as u64, root);
        }
    }

    #[test]
    fn any_bit_that_flips_in_a_tile_is_found(size in 1usize..1_500, which: usize, bit: usize) {
        let leaves = leaves(size);
        let root = naive_root(&leaves);
        let all: Vec<Tile> = tiles_of(size as u64).collect();
        let bad = all[which % all.len()];
        let mut tiles = TileSet::default();
        for tile in all {
            let mut bytes = naive_tile(tile, &leaves);
            if tile == bad {
                let bit = bit % (bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            tiles.insert(tile, &bytes).unwrap();
        }
        prop_assert!(verify_tiles(size as u64, &root, &tiles).is_err());
    }

    #[test]
    fn any_sizes_are_survived(a: u64, b: u64, level: u8, path in prop::collection::vec(any::<[u8; 32]>(), 0..70)) {
        let path: Vec<Digest> = path.into_iter().map(Digest::from_bytes).collect();
        if let Ok(proof) = InclusionProof::new(a, b, path.clone()) {
            prop_assert!(proof.verify(&Digest::ZERO, &Digest::of(b"")).is_err());
        }
        if let Ok(proof) = ConsistencyProof::new(a, b, path) {
            prop_assert!(proof.verify(&Digest::ZERO, &Digest::of(b"")).is_err());
        }
        prop_assert!(TileSet::default().hash(level, a).is_err());
        prop_assert!(InclusionProof::tiles(a, b).len() <= 16);
        prop_assert!(ConsistencyProof::tiles(a, b).len() <= 16);
    }
}
