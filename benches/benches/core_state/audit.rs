//! Appending to the Merkle log, alone and in groups, and checking it from its directory.

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::hint::black_box;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use noops_benches::Folder;
use noops_core::merkle::NoteSigner;
use noops_core::{
    AuditEntry, AuditLog, AuditRecord, Digest, FencingToken, TileLog, TileLogSettings, Timestamp,
    verify_directory,
};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

pub(crate) fn bench(criterion: &mut Criterion, runtime: &Runtime) -> Result<(), Box<dyn Error>> {
    append_group(criterion, runtime)?;
    append_one(criterion, runtime)?;
    verify(criterion, runtime)
}

fn append_group(criterion: &mut Criterion, runtime: &Runtime) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new("audit-group")?;
    let log = runtime.block_on(open(&folder.path().join("log")))?;
    let mut next = 0;
    let prepared = records(0..GROUP);
    let bytes = lines(&prepared)?;
    let mut file = appending(&folder.path().join("bare"))?;

    let mut group = criterion.benchmark_group("core/audit-append");
    group.throughput(Throughput::Elements(GROUP));
    group.bench_function(BenchmarkId::new("noops", GROUP), |bencher| {
        bencher.iter_batched(
            || {
                let first = next;
                next += GROUP;
                records(first..next)
            },
            |records| {
                runtime.block_on(async {
                    let appended = log.append_all(records).await;
                    assert!(
                        appended
                            .as_ref()
                            .is_ok_and(|appended| appended.len() as u64 == GROUP)
                    );
                    // The checkpoint that is due by now is part of the cost, and this waits for it.
                    let size = log.size().await;
                    assert!(size.is_ok_and(|size| size.is_multiple_of(GROUP)));
                    appended
                })
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function(BenchmarkId::new("noops-chain", GROUP), |bencher| {
        bencher.iter_batched(
            || prepared.clone(),
            |records| {
                let mut head = AuditEntry::ORIGIN;
                for (sequence, record) in (0..).zip(records) {
                    head = AuditEntry::chain(sequence, record, head).hash;
                }
                assert_ne!(head, AuditEntry::ORIGIN);
                head
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function(
        BenchmarkId::new("floor-write-fdatasync", GROUP),
        |bencher| {
            bencher.iter(|| assert!(write_durably(&mut file, black_box(&bytes)).is_ok()));
        },
    );
    group.finish();
    runtime.block_on(log.close())?;
    Ok(())
}

fn append_one(criterion: &mut Criterion, runtime: &Runtime) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new("audit-one")?;
    let log = runtime.block_on(open(&folder.path().join("log")))?;
    let mut next = 0;
    let bytes = lines(&records(0..1))?;
    let mut file = appending(&folder.path().join("bare"))?;

    let mut group = criterion.benchmark_group("core/audit-append");
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new("noops", 1), |bencher| {
        bencher.iter_batched(
            || {
                next += 1;
                record(next)
            },
            |record| {
                let appended = runtime.block_on(log.append(record));
                assert!(appended.is_ok());
                appended
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function(BenchmarkId::new("floor-write-fdatasync", 1), |bencher| {
        bencher.iter(|| assert!(write_durably(&mut file, black_box(&bytes)).is_ok()));
    });
    group.finish();
    runtime.block_on(log.close())?;
    Ok(())
}

fn verify(criterion: &mut Criterion, runtime: &Runtime) -> Result<(), Box<dyn Error>> {
    let folder = Folder::new("audit-verify")?;
    let directory = folder.path().join("log");
    let log = runtime.block_on(open(&directory))?;
    for group in 0..VERIFIED / GROUP {
        let records = records(group * GROUP..(group + 1) * GROUP);
        runtime.block_on(log.append_all(records))?;
    }
    let verifier = log.verifier().clone();
    runtime.block_on(log.close())?;

    let files = files_under(&directory)?;
    let mut bytes = 0;
    for file in &files {
        bytes += fs::metadata(file)?.len();
    }

    let mut group = criterion.benchmark_group("core/audit-verify");
    group.sample_size(10);
    group.throughput(Throughput::ElementsAndBytes {
        elements: VERIFIED,
        bytes,
    });
    group.bench_function(BenchmarkId::new("noops", VERIFIED), |bencher| {
        bencher.iter_with_large_drop(|| {
            let verified = verify_directory(black_box(&directory), &verifier, None);
            assert!(
                verified
                    .as_ref()
                    .is_ok_and(|verified| verified.entries().len() as u64 == VERIFIED)
            );
            verified
        });
    });
    group.bench_function(BenchmarkId::new("floor-read-sha256", VERIFIED), |bencher| {
        bencher.iter(|| {
            let hashed = read_and_hash(black_box(&files));
            assert!(hashed.is_ok_and(|(read, _)| read == bytes));
        });
    });
    group.finish();
    Ok(())
}

async fn open(directory: &Path) -> Result<TileLog, Box<dyn Error>> {
    let signer = NoteSigner::generate("example.com/bench")?;
    let log = TileLog::open(directory, signer, TileLogSettings::default()).await?;
    Ok(log)
}

fn records(numbers: Range<u64>) -> Vec<AuditRecord> {
    numbers.map(record).collect()
}

/// What a controller records of a decision, some 250 bytes as JSON.
fn record(number: u64) -> AuditRecord {
    AuditRecord {
        key: format!("decide/{number}"),
        at: Timestamp::UNIX_EPOCH,
        kind: "promote".to_owned(),
        body: serde_json::json!({
            "model": "arrival-delay",
            "digest": Digest::of(&number.to_le_bytes()).to_string(),
            "outcome": "allowed",
            "rule": "gate",
            "psi": 0.04,
        }),
        token: FencingToken::NONE,
    }
}

fn lines(records: &[AuditRecord]) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = Vec::new();
    for record in records {
        serde_json::to_writer(&mut bytes, record)?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

fn appending(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

fn write_durably(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)?;
    file.sync_data()
}

fn files_under(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else {
                files.push(path);
            }
        }
    }
    Ok(files)
}

fn read_and_hash(files: &[PathBuf]) -> io::Result<(u64, [u8; 32])> {
    let mut hasher = Sha256::new();
    let mut read = 0;
    for file in files {
        let bytes = fs::read(file)?;
        read += bytes.len() as u64;
        hasher.update(&bytes);
    }
    Ok((read, hasher.finalize().into()))
}

const GROUP: u64 = 10_000;
const VERIFIED: u64 = 100_000;
