//! Artifacts as files of a directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use noops_core::{ArtifactStore, Digest, DirectoryArtifacts};

use crate::harness::Workload;
use crate::lines::{Line, Report};
use crate::random::Random;

/// Every artifact that a child began to put.
#[derive(Debug, Default)]
pub(crate) struct Artifacts {
    known: BTreeMap<Digest, Artifact>,
}

#[derive(Clone, Copy, Debug)]
struct Artifact {
    length: u64,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It may be there.
    Begun,
    /// It must be there.
    Kept,
    /// It may be there.
    Leaving,
    /// It must not be there.
    Deleted,
}

impl Workload for Artifacts {
    // A few dozen megabytes.
    const WRITES_OF_A_FOLDER: u64 = 300;

    fn begin(_: &Path) -> Self {
        Self::default()
    }

    async fn work(folder: &Path, round: u64, report: &Report) {
        let store = open(folder).await;
        let mut random = Random::new(round);
        let mut removable: Vec<(u64, u64)> = Vec::new();
        let mut number = round << 32;
        loop {
            number += 3;
            let length = some_length(&mut random);
            match random.below(6) {
                0 => {
                    let other = some_length(&mut random);
                    // The second and the third are the same bytes.
                    tokio::join!(
                        put(&store, number, length, report),
                        put(&store, number + 1, other, report),
                        put(&store, number + 1, other, report),
                    );
                }
                1 | 2 => {
                    let length = length + 1;
                    upload(&store, number, length, report).await;
                    removable.push((number, length));
                }
                3 => {
                    let mut upload = store.upload().await.unwrap();
                    upload.write(&content(number, length + 16)).await.unwrap();
                }
                4 if !removable.is_empty() => {
                    let at = random.below(removable.len() as u64) as usize;
                    let (number, length) = removable.swap_remove(at);
                    delete(&store, number, length, report).await;
                }
                _ => put(&store, number, length, report).await,
            }
            removable.retain(|(_, length)| *length >= UNIQUE);
        }
    }

    async fn check(&mut self, folder: &Path, round: u64, lines: &[Line]) {
        let told = self.take(lines);
        let store = open(folder).await;
        let incoming = fs::read_dir(folder.join(DIRECTORY).join("incoming")).unwrap();
        for entry in incoming {
            let path = entry.unwrap().path();
            let is_part = path.extension().is_some_and(|kind| kind == "part");
            assert!(!is_part, "{} was not removed", path.display());
        }
        let listed: BTreeSet<Digest> = store.list().await.unwrap().into_iter().collect();
        for (digest, artifact) in &self.known {
            let is_there = listed.contains(digest);
            match artifact.fate {
                Fate::Kept => assert!(is_there, "{artifact:?} is lost"),
                Fate::Deleted => assert!(!is_there, "{artifact:?} is back"),
                Fate::Begun | Fate::Leaving => {}
            }
        }
        let mut random = Random::new(round);
        for digest in &listed {
            let artifact = self.known.get(digest);
            let artifact = artifact.expect("nothing is there that was not put");
            // What this child told of, and a few of those that were looked at before.
            if told.contains(digest) || random.below(16) == 0 {
                let bytes = store.load(digest).await.expect("what is there is whole");
                assert_eq!(bytes.len() as u64, artifact.length);
                assert_eq!(streamed(&store, digest).await, artifact.length);
            }
        }
        // Whoever could see it once can see it again, and what was cut off does not happen later.
        for (digest, artifact) in &mut self.known {
            artifact.fate = if listed.contains(digest) {
                Fate::Kept
            } else {
                Fate::Deleted
            };
        }
    }
}

impl Artifacts {
    /// Takes in what a child told, and returns which artifacts it told of.
    fn take(&mut self, lines: &[Line]) -> BTreeSet<Digest> {
        let mut told = BTreeSet::new();
        for line in lines {
            let [number, length] = line.numbers[..] else {
                panic!("{line:?}")
            };
            let digest = Digest::of(&content(number, length));
            told.insert(digest);
            let artifact = self.known.entry(digest).or_insert(Artifact {
                length,
                fate: Fate::Begun,
            });
            match (line.what.as_str(), line.is_done) {
                // Short ones are put again by others.
                ("put", false) if artifact.fate == Fate::Deleted => artifact.fate = Fate::Begun,
                ("put", false) => {}
                ("put", true) => artifact.fate = Fate::Kept,
                ("delete", false) => artifact.fate = Fate::Leaving,
                ("delete", true) => artifact.fate = Fate::Deleted,
                _ => panic!("{line:?}"),
            }
        }
        told
    }
}

async fn open(folder: &Path) -> DirectoryArtifacts {
    DirectoryArtifacts::open(&folder.join(DIRECTORY))
        .await
        .expect("the directory opens after a crash")
}

async fn put(store: &DirectoryArtifacts, number: u64, length: u64, report: &Report) {
    let bytes = content(number, length);
    report.begin(&format!("put {number} {length}"));
    store.put(&bytes).await.unwrap();
    report.done(&format!("put {number} {length}"));
}

async fn upload(store: &DirectoryArtifacts, number: u64, length: u64, report: &Report) {
    let bytes = content(number, length);
    report.begin(&format!("put {number} {length}"));
    let mut upload = store.upload().await.unwrap();
    for chunk in bytes.chunks(100_000) {
        upload.write(chunk).await.unwrap();
    }
    assert_eq!(upload.finish().await.unwrap(), Digest::of(&bytes));
    report.done(&format!("put {number} {length}"));
}

async fn delete(store: &DirectoryArtifacts, number: u64, length: u64, report: &Report) {
    let digest = Digest::of(&content(number, length));
    report.begin(&format!("delete {number} {length}"));
    store.delete(&digest).await.unwrap();
    report.done(&format!("delete {number} {length}"));
}

async fn streamed(store: &DirectoryArtifacts, digest: &Digest) -> u64 {
    let mut download = store.download(digest).await.unwrap();
    let mut length = 0;
    while let Some(chunk) = download.next().await.expect("what is there is whole") {
        length += chunk.len() as u64;
    }
    length
}

/// From nothing to 3 MB, mostly small.
fn some_length(random: &mut Random) -> u64 {
    match random.below(8) {
        0 => 0,
        1..=4 => random.below(4096),
        5 | 6 => random.below(300_000),
        _ => random.below(3 << 20),
    }
}

/// The bytes follow from number and length; from [`UNIQUE`] bytes on no others are the same.
fn content(number: u64, length: u64) -> Vec<u8> {
    let mut random = Random::new(number);
    let mut bytes = Vec::with_capacity(length as usize + 8);
    while (bytes.len() as u64) < length {
        bytes.extend_from_slice(&random.next().to_le_bytes());
    }
    bytes.truncate(length as usize);
    bytes
}

const DIRECTORY: &str = "artifacts";
const UNIQUE: u64 = 16;
