use std::path::PathBuf;

use super::*;
use crate::{
    ArtifactStore, AuditEntry, AuditLog, AuditRecord, StateStore, Timestamp, conformance,
    verify_chain,
};

/// A database in a folder of its own, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("noops-core-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("db.sqlite")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

#[tokio::test]
async fn every_store_keeps_its_contract() {
    let folder = Folder::new("conformance");
    let database = Sqlite::open(&folder.file()).await.unwrap();
    conformance::registry(&database.registry()).await;
    conformance::artifacts(&database.artifacts()).await;
    conformance::audit_log(&database.audit_log()).await;
    conformance::states(&database.states()).await;
}

#[tokio::test]
async fn what_was_stored_is_there_after_reopening() {
    let folder = Folder::new("reopen");
    let database = Sqlite::open(&folder.file()).await.unwrap();
    let digest = database.artifacts().put(b"weights").await.unwrap();
    database.states().save("loop", 0, b"day 1").await.unwrap();
    database.close().await;
    let database = Sqlite::open(&folder.file()).await.unwrap();
    assert_eq!(
        database.artifacts().load(&digest).await.unwrap(),
        b"weights"
    );
    assert_eq!(
        database
            .states()
            .load("loop")
            .await
            .unwrap()
            .unwrap()
            .generation,
        1
    );
}

#[tokio::test]
async fn an_artifact_changed_behind_our_back_is_corrupt() {
    let folder = Folder::new("tamper-artifact");
    let database = Sqlite::open(&folder.file()).await.unwrap();
    let digest = database.artifacts().put(b"weights").await.unwrap();
    sqlx::query("UPDATE artifact SET bytes = x'00'")
        .execute(&database.pool)
        .await
        .unwrap();
    assert_eq!(
        database.artifacts().load(&digest).await.unwrap_err().kind(),
        ErrorKind::Corrupt
    );
}

#[tokio::test]
async fn the_audit_log_refuses_changes_and_shows_forced_ones() {
    let folder = Folder::new("tamper-audit");
    let database = Sqlite::open(&folder.file()).await.unwrap();
    for n in 0..3 {
        let record = AuditRecord {
            key: format!("{n}"),
            at: Timestamp::UNIX_EPOCH,
            kind: "test".into(),
            body: n.into(),
        };
        database.audit_log().append(record).await.unwrap();
    }
    assert!(
        sqlx::query("DELETE FROM audit WHERE sequence = 1")
            .execute(&database.pool)
            .await
            .is_err()
    );
    sqlx::raw_sql("DROP TRIGGER audit_is_never_deleted; DELETE FROM audit WHERE sequence = 1")
        .execute(&database.pool)
        .await
        .unwrap();
    let entries: Vec<AuditEntry> = database.audit_log().entries().await.unwrap();
    assert_eq!(verify_chain(&entries).unwrap_err().sequence(), 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = Folder::new("garbage");
    std::fs::write(folder.file(), vec![7; 8192]).unwrap();
    let error = Sqlite::open(&folder.file()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("db.sqlite"), "{error}");
}

#[tokio::test]
async fn a_file_of_a_newer_release_is_left_alone() {
    let folder = Folder::new("newer");
    let database = Sqlite::open(&folder.file()).await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 99")
        .execute(&database.pool)
        .await
        .unwrap();
    database.close().await;
    let error = Sqlite::open(&folder.file()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("upgrade this one"), "{error}");
}

#[tokio::test]
async fn two_handles_on_one_file_never_both_win() {
    let folder = Folder::new("race");
    let first = Sqlite::open(&folder.file()).await.unwrap();
    let second = Sqlite::open(&folder.file()).await.unwrap();
    let (states_a, states_b) = (first.states(), second.states());
    let (a, b) = tokio::join!(states_a.save("k", 0, b"a"), states_b.save("k", 0, b"b"));
    assert!(a.is_ok() != b.is_ok());
}
