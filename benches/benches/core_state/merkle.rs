//! Proving that an entry is in a log, and checking the proof.

use std::error::Error;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use noops_core::Digest;
use noops_core::merkle::{Frontier, InclusionProof, MerkleError, Tile, TileSet, leaf_hash};
use sha2::{Digest as _, Sha256};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let leaves: Vec<Digest> = (0..SIZE)
        .map(|entry| leaf_hash(&entry.to_le_bytes()))
        .collect();
    let mut log = Frontier::default();
    leaves.iter().for_each(|leaf| log.push(*leaf));
    let root = log.root();
    let tiles = tiles(&leaves)?;
    let leaf = leaf_hash(&ENTRY.to_le_bytes());
    let proof = InclusionProof::from_tiles(ENTRY, SIZE, &tiles)?;
    proof.verify(&leaf, &root)?;

    let mut group = criterion.benchmark_group("core/merkle-inclusion");
    // From the tiles that a log holds, without reading them from files.
    group.bench_function(BenchmarkId::new("noops-prove", SIZE), |bencher| {
        bencher.iter(|| {
            let made = InclusionProof::from_tiles(black_box(ENTRY), SIZE, &tiles);
            assert!(made.as_ref().is_ok_and(|made| *made == proof));
            made
        });
    });
    group.bench_function(BenchmarkId::new("noops-verify", SIZE), |bencher| {
        bencher.iter(|| {
            let verified = black_box(&proof).verify(&leaf, &root);
            assert!(verified.is_ok());
            verified
        });
    });
    // As many hashes of two hashes and a byte as there are steps to the root.
    let steps = proof.path().len();
    group.bench_function(BenchmarkId::new("floor-sha256", SIZE), |bencher| {
        bencher.iter(|| {
            let mut node = [0_u8; 65];
            for _ in 0..steps {
                let hash: [u8; 32] = Sha256::digest(black_box(&node)).into();
                if let Some(left) = node.first_chunk_mut::<32>() {
                    *left = hash;
                }
            }
            assert_ne!(node, [0; 65]);
            node
        });
    });
    group.finish();
    Ok(())
}

/// The tiles of a log: 256 hashes each, and above every full tile the root of it.
fn tiles(leaves: &[Digest]) -> Result<TileSet, MerkleError> {
    let mut tiles = TileSet::default();
    let mut hashes = leaves.to_vec();
    let mut level = 0;
    while !hashes.is_empty() {
        for (index, chunk) in (0..).zip(hashes.chunks(WIDTH)) {
            let bytes: Vec<u8> = chunk.iter().flat_map(|hash| *hash.as_bytes()).collect();
            let tile = Tile::new(level, index, chunk.len() as u16)?;
            tiles.insert(tile, &bytes)?;
        }
        hashes = hashes.chunks_exact(WIDTH).map(root).collect();
        level += 1;
    }
    Ok(tiles)
}

fn root(hashes: &[Digest]) -> Digest {
    let mut tree = Frontier::default();
    hashes.iter().for_each(|hash| tree.push(*hash));
    tree.root()
}

const SIZE: u64 = 100_000;
const ENTRY: u64 = 70_000;
const WIDTH: usize = 256;
