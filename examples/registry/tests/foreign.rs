//! The SQLite file of another program: everything in it and beside it is read, and nothing changed.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use noops_core::merkle::NoteSigner;
use noops_core::{
    ArtifactStore, AuditLog, AuditRecord, Contract, Digest, DirectoryArtifacts, Feature,
    FeatureRule, FencingToken, FileWitness, ModelName, ModelRegistry, OutputRule, Registration,
    SqlDatabase, TileLog, TileLogSettings, Timestamp,
};

use super::{Folder, patch};

/// Registers a version as another program would.
async fn register(database: &SqlDatabase, digest: Digest) {
    let rule = FeatureRule::strict(Feature::number("amount"));
    let contract = Contract::new([rule], OutputRule::probability()).unwrap();
    let model: ModelName = "arrival-delay".parse().unwrap();
    let registration = Registration::new(model, digest, contract, Timestamp::UNIX_EPOCH);
    database.registry().register(registration).await.unwrap();
}

/// What the example `autopilot` leaves: the database, and beside it the artifacts, a signed audit log and its witness.
async fn autopilot(folder: &Folder) -> (PathBuf, Digest) {
    let file = folder.0.join("state.sqlite");
    let artifacts = DirectoryArtifacts::open(&folder.0.join("artifacts"))
        .await
        .unwrap();
    let digest = artifacts.put(b"weights").await.unwrap();
    let database = SqlDatabase::open(&file).await.unwrap();
    register(&database, digest).await;
    database.close().await;
    let signer = NoteSigner::generate("example.com/models").unwrap();
    let witness = FileWitness::new(folder.0.join("witness"), signer.verifier());
    let settings = TileLogSettings::default().with_witness(Arc::new(witness));
    let log = TileLog::open(folder.0.join("audit"), signer, settings)
        .await
        .unwrap();
    for number in [1, 2] {
        let record = AuditRecord {
            key: format!("promote/{number}"),
            at: Timestamp::UNIX_EPOCH,
            kind: "promote".into(),
            body: serde_json::json!({ "to": number }),
            token: FencingToken::new(1),
        };
        log.append(record).await.unwrap();
    }
    log.close().await.unwrap();
    (file, digest)
}

#[tokio::test]
async fn the_database_of_another_program_is_read_and_never_changed() {
    let folder = Folder::new("foreign");
    let file = folder.0.join("state.sqlite");
    let database = SqlDatabase::open(&file).await.unwrap();
    let digest = database.artifacts().put(b"weights").await.unwrap();
    register(&database, digest).await;
    database.close().await;

    let listed = folder.run_on(&file, 1, &["list"]).await.unwrap();
    assert!(listed.contains("arrival-delay"), "{listed}");
    let shown = folder
        .run_on(&file, 1, &["show", "arrival-delay", "1"])
        .await
        .unwrap();
    assert!(shown.contains("7 bytes, digest verified"), "{shown}");
    let verified = folder.run_on(&file, 1, &["verify"]).await.unwrap();
    assert!(verified.ends_with("nothing is wrong"), "{verified}");
    let promote = ["promote", "arrival-delay", "1"];
    let refused = folder.run_on(&file, 1, &promote).await.unwrap_err();
    assert!(refused.contains("belongs to another program"), "{refused}");
    let missing = folder.run_on(&folder.0, 1, &["list"]).await.unwrap_err();
    assert!(missing.contains("state.sqlite"), "{missing}");
    assert!(!folder.0.join("artifacts").exists(), "no folder was made");
}

#[tokio::test]
async fn artifacts_and_decisions_beside_the_database_are_verified_too() {
    let folder = Folder::new("beside");
    let (file, digest) = autopilot(&folder).await;
    let shown = folder
        .run_on(&file, 1, &["show", "arrival-delay", "1"])
        .await
        .unwrap();
    assert!(shown.contains("7 bytes, digest verified"), "{shown}");
    let verified = folder.run_on(&file, 1, &["verify"]).await.unwrap();
    assert!(
        verified.starts_with("1 versions, 7 bytes of artifacts, 0 moves of aliases, 2 audit"),
        "{verified}"
    );
    assert!(verified.contains("witness`"), "{verified}");

    let text = digest.to_string();
    let artifact = folder.0.join("artifacts/sha256").join(&text[..2]);
    fs::write(artifact.join(&text), b"thgiews").unwrap();
    patch(
        &folder.0.join("audit/tile/entries/000.p/2"),
        b"\"to\":1",
        b"\"to\":9",
    );
    let wrong = folder.run_on(&file, 1, &["verify"]).await.unwrap_err();
    assert!(wrong.starts_with("2 things are wrong"), "{wrong}");
    assert!(wrong.contains("version 1 is damaged"), "{wrong}");
    assert!(wrong.contains("audit"), "{wrong}");
}

#[tokio::test]
async fn an_audit_log_without_a_witness_is_not_passed_over_in_silence() {
    let folder = Folder::new("no-witness");
    let (file, _) = autopilot(&folder).await;
    fs::remove_file(folder.0.join("witness")).unwrap();
    let verified = folder.run_on(&file, 1, &["verify"]).await.unwrap();
    assert!(verified.contains("no witness"), "{verified}");
}

#[tokio::test]
async fn the_database_of_a_stranger_gets_no_tables_of_ours() {
    let folder = Folder::new("stranger");
    let file = folder.0.join("history.sqlite");
    // An empty database: https://sqlite.org/fileformat.html#the_database_header
    let mut bytes = vec![0_u8; 512];
    bytes[..16].copy_from_slice(b"SQLite format 3\0");
    for (place, value) in [
        (16, 2),
        (18, 1),
        (19, 1),
        (21, 64),
        (22, 32),
        (23, 32),
        (27, 1),
        (31, 1),
        (47, 4),
        (59, 1),
        (95, 1),
        (100, 13),
        (105, 2),
    ] {
        bytes[place] = value;
    }
    fs::write(&file, &bytes).unwrap();
    let refused = folder.run_on(&file, 1, &["list"]).await.unwrap_err();
    assert!(refused.contains("there is no registry in it"), "{refused}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[tokio::test]
async fn the_database_of_another_release_is_refused_untouched() {
    let folder = Folder::new("foreign-release");
    let (file, _) = autopilot(&folder).await;
    // The user version: https://sqlite.org/fileformat.html#the_database_header
    for (version, says) in [(1, "an earlier release"), (99, "a newer release")] {
        let mut bytes = fs::read(&file).unwrap();
        bytes[60..64].copy_from_slice(&[0, 0, 0, version]);
        fs::write(&file, &bytes).unwrap();
        let refused = folder.run_on(&file, 1, &["list"]).await.unwrap_err();
        assert!(refused.contains(says), "{refused}");
        assert_eq!(fs::read(&file).unwrap(), bytes);
    }
}
