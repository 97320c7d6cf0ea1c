//! The directory of an audit log in the hands of somebody who may write to it, and an export that went through other hands.

use std::sync::LazyLock;

use noops_core::merkle::{Checkpoint, NoteSigner, NoteVerifier};
use noops_core::{
    AuditEntry, AuditLog, AuditRecord, ExportSettings, FencingToken, FileWitness, TileLog,
    TileLogSettings, Timestamp, verify_directory, verify_export,
};
use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::cases;
use crate::change::{changed, changes};
use crate::folder::{Edit, Files, Folder, edited, edits};

/// A log as it was written, and what it says.
struct Honest {
    files: Files,
    entries: Vec<AuditEntry>,
    covered: usize,
    signer: NoteSigner,
    checkpoint: Checkpoint,
    export: Vec<u8>,
}

impl Honest {
    fn verifier(&self) -> NoteVerifier {
        self.signer.verifier()
    }

    /// A log of `covered` entries under a checkpoint and two in the journal.
    fn write(covered: u64) -> Self {
        let folder = Folder::new("log");
        let signer = NoteSigner::generate("example.com/audit").unwrap();
        let key = signer.clone();
        let (entries, export) = runtime().block_on(async {
            let settings = TileLogSettings::default();
            let log = TileLog::open(folder.path(), key, settings).await.unwrap();
            log.append_all((0..covered).map(record).collect())
                .await
                .unwrap();
            let mut export = Vec::new();
            let all = ExportSettings::default();
            log.export(&all, None, &mut export).await.unwrap();
            for number in covered..covered + JOURNALLED {
                log.append(record(number)).await.unwrap();
            }
            (log.entries().await.unwrap(), export)
        });
        let verified = verify_directory(folder.path(), &signer.verifier(), None).unwrap();
        assert_eq!(verified.journalled(), JOURNALLED);
        assert_eq!(verified.strays(), [] as [String; 0]);
        Self {
            files: folder.read(),
            entries,
            covered: covered as usize,
            checkpoint: verified.checkpoint().checkpoint().clone(),
            signer,
            export,
        }
    }
}

/// A few entries, one of them too long for a leaf.
static SMALL: LazyLock<Honest> = LazyLock::new(|| Honest::write(5));
/// Full and partial bundles, and two levels of tiles.
static LARGE: LazyLock<Honest> = LazyLock::new(|| Honest::write(259));

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn an_edited_log_is_refused_or_says_the_same(edits in edits(NAMES)) {
        verified_says_the_same(&SMALL, &edits);
    }

    #[test]
    fn a_changed_export_is_refused_or_has_only_entries_of_the_log(changes in changes()) {
        let honest = &*SMALL;
        let export = changed(&honest.export, &changes);
        if let Ok(verified) = verify_export(&mut &export[..], &honest.verifier()) {
            prop_assert_eq!(verified.checkpoint().checkpoint(), &honest.checkpoint);
            for entry in verified.entries() {
                prop_assert!(honest.entries.contains(entry), "{:?}", entry);
            }
        }
    }

    #[test]
    fn a_changed_witness_file_is_refused_or_the_same(changes in changes()) {
        let honest = &*SMALL;
        let bytes = changed(&honest.files["checkpoint"], &changes);
        let files = Files::from([("newest".to_owned(), bytes.clone())]);
        let folder = Folder::with("witness", &files);
        let witness = FileWitness::new(folder.path().join("newest"), honest.verifier());
        if let Ok(newest) = witness.read() {
            let newest = newest.map(|newest| newest.checkpoint().clone());
            prop_assert_eq!(newest.as_ref(), Some(&honest.checkpoint));
        }
    }
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn an_edited_log_of_several_bundles_is_refused_or_says_the_same(edits in edits(NAMES)) {
        verified_says_the_same(&LARGE, &edits);
    }

    #[test]
    fn opening_an_edited_log_never_loses_or_changes_what_was_signed(edits in edits(NAMES)) {
        let honest = &*SMALL;
        let folder = Folder::with("opened", &edited(&honest.files, &edits));
        let entries = runtime().block_on(async {
            let settings = TileLogSettings::default();
            let log = TileLog::open(folder.path(), honest.signer.clone(), settings).await.ok()?;
            log.entries().await.ok()
        });
        if let Some(entries) = entries {
            prop_assert!(entries.len() >= honest.covered);
            prop_assert!(honest.entries.starts_with(&entries));
        }
    }
}

#[test]
fn what_was_not_edited_is_accepted() {
    for honest in [&*SMALL, &*LARGE] {
        verified_says_the_same(honest, &[]);
        let folder = Folder::with("same", &honest.files);
        let verified =
            verify_directory(folder.path(), &honest.verifier(), Some(&honest.checkpoint));
        assert_eq!(verified.unwrap().entries(), honest.entries);
        let export = verify_export(&mut &honest.export[..], &honest.verifier()).unwrap();
        assert_eq!(export.entries(), &honest.entries[..honest.covered]);
    }
}

fn verified_says_the_same(honest: &Honest, edits: &[Edit]) {
    let files = edited(&honest.files, edits);
    let folder = Folder::with("edited", &files);
    let witnessed = Some(&honest.checkpoint);
    let Ok(verified) = verify_directory(folder.path(), &honest.verifier(), witnessed) else {
        assert!(files != honest.files, "an honest log was refused");
        return;
    };
    // What is only in the journal is not signed: it may have been cut off, but not changed, by somebody without insight.
    assert!(verified.entries().len() >= honest.covered);
    assert!(honest.entries.starts_with(verified.entries()));
    for path in folder.read().keys() {
        let is_known = honest.files.contains_key(path) || verified.strays().contains(path);
        assert!(is_known, "{path} was added and not reported");
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn record(number: u64) -> AuditRecord {
    let notes = "a long story ".repeat(if number == 2 { 6000 } else { 1 });
    AuditRecord {
        key: format!("event/{number}"),
        at: Timestamp::from_second(number as i64).unwrap(),
        kind: "promote".into(),
        body: serde_json::json!({ "to": number, "notes": notes }),
        token: FencingToken::new(number / 3),
    }
}

const JOURNALLED: u64 = 2;

/// Where an attacker might put a file: places of the log, near misses, and the rest of the folder.
const NAMES: &[&str] = &[
    "checkpoint",
    ".checkpoint.tmp",
    "journal",
    "public-key",
    "lock",
    "notes.txt",
    "evidence/0000000000000000000000000000000000000000000000000000000000000000",
    "tile/0/000",
    "tile/0/000.p/5",
    "tile/0/000.p/6",
    "tile/0/x000/000",
    "tile/0/001",
    "tile/1/000.p/1",
    "tile/8/000",
    "tile/entries/000",
    "tile/entries/000.p/5",
    "tile/entries/000.p/7",
    "tile/entries/999",
];
