//! What the audit log promises: it goes on after a crash, has one writer, and cannot be changed or cut unnoticed.

use std::fs;
use std::ops::Range;
use std::path::Path;

use noops_core::merkle::NoteVerifier;
use noops_core::{AuditLog, AuditRecord, FencingToken, verify_directory};

use super::{Folder, identity};
use crate::audit::AuditFolder;
use crate::flights::midnight;
use crate::output::Output;

/// Writes decisions down.
async fn append(output: &Output, numbers: Range<u64>) {
    for number in numbers {
        let record = AuditRecord {
            key: format!("retrain/{number}"),
            at: midnight(3, 1),
            kind: "retrain".to_owned(),
            body: serde_json::json!({ "subject": number, "because": "labels show harm" }),
            token: FencingToken::new(1),
        };
        output.audit_log().append(record).await.unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

#[tokio::test]
async fn cutting_the_audit_log_is_found() {
    let folder = Folder::new("cut");
    let (audit, earlier) = (folder.0.join("audit"), folder.0.join("earlier"));
    let output = Output::open(&folder.0, &identity(1)).await.unwrap();
    append(&output, 0..3).await;
    output.checkpoint().await.unwrap();
    copy(&audit, &earlier);
    append(&output, 3..5).await;
    output.checkpoint().await.unwrap();
    drop(output);
    assert_eq!(Output::verify(&folder.0).unwrap().entries().len(), 5);

    // An earlier state of the log is whole and signed: only the witness knows that there was more.
    fs::remove_dir_all(&audit).unwrap();
    copy(&earlier, &audit);
    let failure = Output::verify(&folder.0).unwrap_err().to_string();
    assert!(
        failure.contains("put back to an earlier state"),
        "{failure}"
    );
    let failure = Output::open(&folder.0, &identity(1))
        .await
        .unwrap_err()
        .to_string();
    assert!(failure.contains("a longer or another log"), "{failure}");

    // And a witness that is gone is missed.
    fs::remove_file(folder.0.join("witness")).unwrap();
    let failure = Output::verify(&folder.0).unwrap_err().to_string();
    assert!(failure.contains("witness` is missing"), "{failure}");
    let failure = Output::open(&folder.0, &identity(1))
        .await
        .unwrap_err()
        .to_string();
    assert!(failure.contains("witness` is missing"), "{failure}");
}

#[tokio::test]
async fn changing_an_entry_is_found() {
    let folder = Folder::new("changed");
    let output = Output::open(&folder.0, &identity(1)).await.unwrap();
    append(&output, 0..2).await;
    output.checkpoint().await.unwrap();
    drop(output);
    let bundle = folder.0.join("audit/tile/entries/000.p/2");
    let mut bytes = fs::read(&bundle).unwrap();
    let harm = bytes.windows(4).position(|window| window == b"harm");
    bytes[harm.unwrap() + 3] = b'e';
    fs::write(&bundle, bytes).unwrap();
    assert!(Output::verify(&folder.0).is_err());
    assert!(Output::open(&folder.0, &identity(1)).await.is_err());
}

#[tokio::test]
async fn another_process_cannot_append() {
    let folder = Folder::new("writer");
    let output = Output::open(&folder.0, &identity(1)).await.unwrap();
    // What another process would open, whatever it thinks of the lock on the whole folder.
    let other = AuditFolder::of(&folder.0);
    let failure = other.open().await.unwrap_err().to_string();
    assert!(
        failure.contains("another process has this log open"),
        "{failure}"
    );
    append(&output, 0..1).await;
    assert_eq!(output.audit_entries().await.unwrap().len(), 1);
    output.checkpoint().await.unwrap();
    drop(output);
    let log = other.open().await.unwrap();
    assert_eq!(log.size().await.unwrap(), 1);
}

#[tokio::test]
async fn what_a_killed_run_had_decided_is_there_when_it_goes_on() {
    let folder = Folder::new("killed");
    let output = Output::open(&folder.0, &identity(1)).await.unwrap();
    append(&output, 0..3).await;
    let written = output.audit_entries().await.unwrap();
    drop(output);
    assert_eq!(Output::verify(&folder.0).unwrap().journalled(), 3);

    let output = Output::open(&folder.0, &identity(1)).await.unwrap();
    // It takes its last decisions again.
    append(&output, 1..4).await;
    output.checkpoint().await.unwrap();
    let entries = output.audit_entries().await.unwrap();
    assert_eq!(entries.len(), 4);
    assert_eq!(entries[..3], written[..]);
    let verified = output.audit().verify().unwrap();
    assert_eq!(verified.journalled(), 0);
    assert_eq!(verified.entries(), entries.as_slice());
}

#[tokio::test]
async fn a_run_that_goes_on_acts_with_the_right_it_had() {
    let folder = Folder::new("lease");
    let output = Output::open(&folder.0, &identity(1)).await.unwrap();
    let token = output.lead(midnight(2, 1)).await.unwrap();
    assert_eq!(token, FencingToken::new(1));
    drop(output);
    let output = Output::open(&folder.0, &identity(1)).await.unwrap();
    assert_eq!(output.lead(midnight(1, 31)).await.unwrap(), token);
    assert_eq!(output.lead(midnight(12, 31)).await.unwrap(), token);
}

#[tokio::test]
async fn the_log_verifies_with_nothing_but_its_public_key() {
    let folder = Folder::new("public");
    let output = Output::open(&folder.0, &identity(1)).await.unwrap();
    append(&output, 0..2).await;
    output.checkpoint().await.unwrap();
    let text = fs::read_to_string(output.audit().log().join("public-key")).unwrap();
    let verifier = NoteVerifier::parse(text.trim_end()).unwrap();
    let verified = verify_directory(output.audit().log(), &verifier, None).unwrap();
    assert_eq!(verified.entries(), output.audit_entries().await.unwrap());
    assert_eq!(verified.strays(), Vec::<String>::new());
    assert_eq!(
        verified.checkpoint().checkpoint().origin(),
        "autopilot/arrival-delay"
    );
}

#[tokio::test]
async fn a_lost_key_is_missed_and_not_replaced() {
    let folder = Folder::new("key");
    drop(Output::open(&folder.0, &identity(1)).await.unwrap());
    let key = folder.0.join("audit-key");
    let secret = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let failure = Output::open(&folder.0, &identity(1))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        failure.contains("audit-key` of the audit log is missing"),
        "{failure}"
    );
    let failure = Output::verify(&folder.0).unwrap_err().to_string();
    assert!(
        failure.contains("audit-key` of the audit log is missing"),
        "{failure}"
    );
    assert!(!key.exists());
    fs::write(&key, secret).unwrap();
    assert!(Output::open(&folder.0, &identity(1)).await.is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_key() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new("owner");
    drop(Output::open(&folder.0, &identity(1)).await.unwrap());
    let mode = fs::metadata(folder.0.join("audit-key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}
