//! Loading a model and checking that it is the one that was stored.

use std::error::Error;
use std::fs;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use noops_benches::{Folder, SplitMix64};
use noops_core::{ArtifactStore, DirectoryArtifacts};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

pub(crate) fn bench(criterion: &mut Criterion, runtime: &Runtime) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new("artifacts")?;
    let mut generator = SplitMix64::new(6);
    let bytes: Vec<u8> = (0..BYTES / 8)
        .flat_map(|_| generator.next_u64().to_le_bytes())
        .collect();
    let store = runtime.block_on(DirectoryArtifacts::open(&folder.path().join("store")))?;
    let digest = runtime.block_on(store.put(&bytes))?;
    let file = folder.path().join("bare");
    fs::write(&file, &bytes)?;

    let mut group = criterion.benchmark_group("core/artifact-load");
    group.sample_size(10);
    group.throughput(Throughput::BytesDecimal(BYTES as u64));
    group.bench_function(BenchmarkId::new("noops", BYTES), |bencher| {
        bencher.iter_with_large_drop(|| {
            let loaded = runtime.block_on(store.load(black_box(&digest)));
            assert!(loaded.as_ref().is_ok_and(|loaded| loaded.len() == BYTES));
            loaded
        });
    });
    // Piece by piece, in the memory of one piece.
    group.bench_function(BenchmarkId::new("noops-download", BYTES), |bencher| {
        bencher.iter(|| {
            let read = runtime.block_on(async {
                let mut download = store.download(black_box(&digest)).await?;
                let mut read = 0;
                while let Some(piece) = download.next().await? {
                    read += piece.len();
                }
                Ok::<usize, noops_core::Error>(read)
            });
            assert!(matches!(read, Ok(BYTES)));
        });
    });
    group.bench_function(BenchmarkId::new("floor-read", BYTES), |bencher| {
        bencher.iter_with_large_drop(|| {
            let read = fs::read(black_box(&file));
            assert!(read.as_ref().is_ok_and(|read| read.len() == BYTES));
            read
        });
    });
    group.bench_function(BenchmarkId::new("floor-sha256", BYTES), |bencher| {
        bencher.iter(|| {
            let hash: [u8; 32] = Sha256::digest(black_box(&bytes)).into();
            assert_eq!(hash, *digest.as_bytes());
            hash
        });
    });
    group.finish();
    Ok(())
}

const BYTES: usize = 64 << 20;
