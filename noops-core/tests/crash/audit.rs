//! Audit entries, in a Merkle log and in a database.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use noops_core::merkle::{Checkpoint, NoteSigner, NoteVerifier};
use noops_core::{
    AuditEntry, AuditLog, AuditRecord, Digest, ErrorKind, FencingToken, SqlDatabase, TileLog,
    TileLogSettings, Timestamp, verify_chain, verify_directory,
};

use crate::harness::Workload;
use crate::lines::{Line, Report};
use crate::random::Random;

/// A Merkle log in a directory.
#[derive(Debug)]
pub(crate) struct Tiles {
    entries: Entries,
    verifier: NoteVerifier,
    /// What a witness would have kept.
    witnessed: Option<Checkpoint>,
}

impl Workload for Tiles {
    const WRITES_OF_A_FOLDER: u64 = 6000;

    fn begin(folder: &Path) -> Self {
        let signer = NoteSigner::generate("example.com/audit").unwrap();
        fs::write(folder.join(KEY), signer.to_secret_text().as_bytes()).unwrap();
        Self {
            entries: Entries::default(),
            verifier: signer.verifier(),
            witnessed: None,
        }
    }

    async fn work(folder: &Path, round: u64, report: &Report) {
        let log = open(folder).await;
        let mut next = resume(&log, round).await;
        let mut random = Random::new(round);
        loop {
            match random.below(4) {
                0 => {
                    let numbers = next..next + 2 + random.below(30);
                    next = numbers.end;
                    let records = numbers.clone().map(|number| record(number, round));
                    numbers.clone().for_each(|number| begin(report, number));
                    log.append_all(records.collect()).await.unwrap();
                    numbers.for_each(|number| done(report, number));
                }
                1 => {
                    tokio::join!(
                        append(&log, next, round, report),
                        append(&log, next + 1, round, report),
                        append(&log, next + 2, round, report),
                    );
                    next += 3;
                }
                _ => {
                    append(&log, next, round, report).await;
                    next += 1;
                }
            }
        }
    }

    async fn check(&mut self, folder: &Path, round: u64, lines: &[Line]) {
        self.entries.take(lines);
        let is_torn = self.check_directory(folder);
        // Otherwise the next child recovers from what this one left.
        if is_torn || round.is_multiple_of(3) {
            let log = open(folder).await;
            let entries = log.entries().await.unwrap();
            assert_eq!(log.size().await.unwrap(), entries.len() as u64);
            drop(log);
            self.entries.check(&entries);
            assert!(!self.check_directory(folder), "opening repairs a torn end");
        }
    }
}

impl Tiles {
    /// Checks the directory without opening it. Whether its journal has a torn end.
    fn check_directory(&mut self, folder: &Path) -> bool {
        let directory = folder.join(DIRECTORY);
        match verify_directory(&directory, &self.verifier, self.witnessed.as_ref()) {
            Ok(verified) => {
                self.entries.check(verified.entries());
                self.witnessed = Some(verified.checkpoint().checkpoint().clone());
                false
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                assert!(self.witnessed.is_none(), "the checkpoint is lost: {error}");
                self.entries.check(&[]);
                false
            }
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("ends within a record"), "{text}");
                true
            }
        }
    }
}

/// An audit log in a SQLite file.
#[derive(Debug, Default)]
pub(crate) struct Database {
    entries: Entries,
}

impl Workload for Database {
    const WRITES_OF_A_FOLDER: u64 = 4000;

    fn begin(_: &Path) -> Self {
        Self::default()
    }

    async fn work(folder: &Path, round: u64, report: &Report) {
        let log = open_database(folder).await.audit_log();
        let mut next = resume(&log, round).await;
        loop {
            append(&log, next, round, report).await;
            next += 1;
        }
    }

    async fn check(&mut self, folder: &Path, _: u64, lines: &[Line]) {
        self.entries.take(lines);
        let database = open_database(folder).await;
        let entries = database.audit_log().entries().await.unwrap();
        self.entries.check(&entries);
        database.close().await;
    }
}

/// What must be in a log and what may be.
#[derive(Debug, Default)]
struct Entries {
    begun: BTreeSet<u64>,
    done: BTreeSet<u64>,
    /// The length of the log when it was last looked at, and the hash of its last entry.
    seen: Option<(usize, Digest)>,
}

impl Entries {
    fn take(&mut self, lines: &[Line]) {
        for line in lines {
            let heard = if line.is_done {
                &mut self.done
            } else {
                &mut self.begun
            };
            heard.insert(line.numbers[0]);
        }
    }

    fn check(&mut self, entries: &[AuditEntry]) {
        verify_chain(entries).expect("the log is one chain");
        let mut found = BTreeSet::new();
        for entry in entries {
            let number = number_of(entry);
            let written = record(number, 0);
            assert!(entry.record.same_event(&written), "{:?}", entry.record.key);
            assert!(self.begun.contains(&number), "{number} was never appended");
            assert!(found.insert(number), "{number} is there twice");
        }
        for number in &self.done {
            assert!(found.contains(number), "{number} is lost");
        }
        if let Some((length, hash)) = self.seen {
            let last = entries.get(length - 1).expect("the log became shorter");
            assert_eq!(last.hash, hash, "an entry that was seen is another now");
        }
        self.seen = entries.last().map(|last| (entries.len(), last.hash));
    }
}

/// Repeats the last append, as whoever died before its answer does, and returns the number of the next.
async fn resume(log: &dyn AuditLog, round: u64) -> u64 {
    let entries = log.entries().await.unwrap();
    let Some(last) = entries.last() else { return 0 };
    let again = log.append(record(number_of(last), round)).await.unwrap();
    assert_eq!(again, *last);
    entries.iter().map(number_of).max().unwrap() + 1
}

async fn append(log: &dyn AuditLog, number: u64, round: u64, report: &Report) {
    begin(report, number);
    log.append(record(number, round)).await.unwrap();
    done(report, number);
}

fn begin(report: &Report, number: u64) {
    report.begin(&format!("append {number}"));
}

fn done(report: &Report, number: u64) {
    report.done(&format!("append {number}"));
}

async fn open(folder: &Path) -> TileLog {
    let key = fs::read_to_string(folder.join(KEY)).unwrap();
    let signer = NoteSigner::from_secret_text(&key).unwrap();
    let settings = TileLogSettings::default().with_checkpoint_every(16);
    TileLog::open(folder.join(DIRECTORY), signer, settings)
        .await
        .expect("the log opens after a crash")
}

async fn open_database(folder: &Path) -> SqlDatabase {
    SqlDatabase::open(&folder.join("audit.sqlite"))
        .await
        .expect("the database opens after a crash")
}

/// The event follows from the number, and the token from who tells of it.
fn record(number: u64, round: u64) -> AuditRecord {
    // Some are too long for a leaf.
    let notes = "a long story ".repeat(if number % 61 == 7 { 6000 } else { 2 });
    AuditRecord {
        key: format!("event/{number}"),
        at: Timestamp::from_second(number as i64).unwrap(),
        kind: "promote".into(),
        body: serde_json::json!({ "to": number, "notes": notes }),
        token: FencingToken::new(round + 1),
    }
}

fn number_of(entry: &AuditEntry) -> u64 {
    let number = entry.record.key.strip_prefix("event/").unwrap();
    number.parse().unwrap()
}

const DIRECTORY: &str = "log";
const KEY: &str = "key";
