use std::collections::BTreeSet;

use super::disk::{Disk, Fault, Left};
use super::*;
use crate::tile_log::personal::Opening;

async fn with_applicant(
    folder: &Folder,
    personal: &PersonalData,
    signer: &NoteSigner,
) -> (TileLog, Commitment) {
    let log = TileLog::open(
        folder.0.join("log"),
        signer.clone(),
        TileLogSettings::default(),
    )
    .await
    .unwrap();
    let commitment = personal
        .seal(&json!({ "name": "Ada", "income": 52_000 }))
        .await
        .unwrap();
    log.append(record(0)).await.unwrap();
    let body = json!({ "applicants": [commitment.to_body()], "decision": "grant" });
    log.append(record_with(1, body)).await.unwrap();
    log.append(record_with(2, pointer_like())).await.unwrap();
    (log, commitment)
}

async fn exported(
    log: &TileLog,
    settings: &ExportSettings,
    personal: Option<&PersonalData>,
) -> Vec<u8> {
    let mut out = Vec::new();
    log.export(settings, personal, &mut out).await.unwrap();
    out
}

#[tokio::test]
async fn erased_data_is_gone_and_the_log_still_verifies() {
    let folder = Folder::new("erase");
    let signer = signer();
    let personal = PersonalData::open(folder.0.join("personal")).await.unwrap();
    let (log, commitment) = with_applicant(&folder, &personal, &signer).await;
    assert!(personal.read(&commitment).await.unwrap().is_some());
    personal.erase(&commitment).await.unwrap();
    personal.erase(&commitment).await.unwrap();
    assert_eq!(personal.read(&commitment).await.unwrap(), None);
    assert_eq!(
        std::fs::read_dir(folder.0.join("personal"))
            .unwrap()
            .count(),
        0
    );
    log.close().await.unwrap();
    let verified = verify_directory(&folder.0.join("log"), &signer.verifier(), None).unwrap();
    assert_eq!(
        Commitment::all_in(&verified.entries()[1].record.body),
        [commitment]
    );
}

#[tokio::test]
async fn the_same_value_is_never_sealed_under_the_same_commitment() {
    let folder = Folder::new("salt");
    let personal = PersonalData::open(&folder.0).await.unwrap();
    let mut commitments = BTreeSet::new();
    for _ in 0..50 {
        commitments.insert(personal.seal(&json!("Ada")).await.unwrap());
    }
    assert_eq!(commitments.len(), 50);
}

#[tokio::test]
async fn a_sealed_value_that_was_changed_is_found() {
    let folder = Folder::new("sealed");
    let personal = PersonalData::open(&folder.0).await.unwrap();
    let commitment = personal.seal(&json!({ "income": 52_000 })).await.unwrap();
    let path = folder.0.join(commitment.to_string());
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("52000", "52001")).unwrap();
    let error = personal.read(&commitment).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn an_export_is_checked_line_by_line_by_somebody_without_the_log() {
    let folder = Folder::new("export");
    let signer = signer();
    let personal = PersonalData::open(folder.0.join("personal")).await.unwrap();
    let (log, commitment) = with_applicant(&folder, &personal, &signer).await;
    let out = exported(&log, &ExportSettings::default(), Some(&personal)).await;
    let verified = verify_export(&mut out.as_slice(), &signer.verifier()).unwrap();
    assert_eq!(verified.entries(), log.entries().await.unwrap());
    assert_eq!(verified.personal()[&commitment]["name"], "Ada");

    let verifier = signer.verifier();
    for at in 0..out.len() {
        let mut changed = out.clone();
        changed[at] ^= 1;
        if let Ok(other) = verify_export(&mut changed.as_slice(), &verifier) {
            panic!("byte {at} may be changed: {other:?}");
        }
    }
    for length in 0..out.len() {
        assert!(
            verify_export(&mut &out[..length], &verifier).is_err(),
            "{length}"
        );
    }
}

#[tokio::test]
async fn an_export_without_personal_data_tells_nothing_of_it() {
    let folder = Folder::new("redacted");
    let signer = signer();
    let personal = PersonalData::open(folder.0.join("personal")).await.unwrap();
    let (log, _) = with_applicant(&folder, &personal, &signer).await;
    let out = exported(&log, &ExportSettings::default(), None).await;
    assert!(!String::from_utf8(out.clone()).unwrap().contains("Ada"));
    let verified = verify_export(&mut out.as_slice(), &signer.verifier()).unwrap();
    assert_eq!(verified.entries().len(), 3);
    assert!(verified.personal().is_empty());
}

#[tokio::test]
async fn an_export_of_some_kinds_has_these_and_names_the_size_of_the_log() {
    let folder = Folder::new("kinds");
    let signer = signer();
    let personal = PersonalData::open(folder.0.join("personal")).await.unwrap();
    let (log, _) = with_applicant(&folder, &personal, &signer).await;
    let out = exported(
        &log,
        &ExportSettings::default().with_kinds(["promote"]),
        None,
    )
    .await;
    let verified = verify_export(&mut out.as_slice(), &signer.verifier()).unwrap();
    let places: Vec<u64> = verified
        .entries()
        .iter()
        .map(|entry| entry.sequence)
        .collect();
    assert_eq!(places, [0, 2]);
    assert_eq!(verified.checkpoint().checkpoint().size(), 3);
}

fn sealed(disk: &Disk) -> (Opening, Commitment) {
    let opening = Opening {
        salt: crate::Digest::of(b"salt"),
        value: json!({ "name": "Ada" }),
    };
    let personal = PersonalData::open_on(place(), Arc::new(disk.clone())).unwrap();
    let commitment = personal.seal_now(&opening).unwrap();
    (opening, commitment)
}

fn place() -> PathBuf {
    PathBuf::from("/personal")
}

fn tells_of_ada(disk: &Disk) -> bool {
    let files = disk.files();
    let mut contents = files.values();
    contents.any(|bytes| String::from_utf8_lossy(bytes).contains("Ada"))
}

#[test]
fn an_erasure_that_the_power_cut_off_is_whole_or_finished_by_the_next_opening() {
    for at in 1.. {
        let disk = Disk::default();
        let (opening, commitment) = sealed(&disk);
        let personal = PersonalData::open_on(place(), Arc::new(disk.clone())).unwrap();
        disk.fault_in(at, Fault::Crash);
        if personal.erase_now(&commitment).is_ok() {
            assert!(at > 6, "an erasure that does too little: {at}");
            assert!(!tells_of_ada(&disk));
            return;
        }
        for left in [Left::Synced, Left::Names, Left::Half, Left::All] {
            let disk = disk.after_cut(left);
            let personal = PersonalData::open_on(place(), Arc::new(disk.clone())).unwrap();
            match personal.opening(&commitment) {
                Ok(None) => assert!(!tells_of_ada(&disk), "{at} {left:?}"),
                Ok(found) => assert_eq!(found, Some(opening.clone()), "{at} {left:?}"),
                Err(error) => panic!("{at} {left:?}: {error}"),
            }
            personal.erase_now(&commitment).unwrap();
            assert!(!tells_of_ada(&disk), "{at} {left:?}");
        }
    }
}

#[test]
fn an_erasure_that_failed_is_done_by_the_next() {
    for at in 1.. {
        let disk = Disk::default();
        let (_, commitment) = sealed(&disk);
        let personal = PersonalData::open_on(place(), Arc::new(disk.clone())).unwrap();
        disk.fail_in(at);
        let done = personal.erase_now(&commitment);
        disk.heal();
        if done.is_ok() {
            return;
        }
        personal.erase_now(&commitment).unwrap();
        assert!(!tells_of_ada(&disk), "{at}");
        assert_eq!(disk.files().len(), 0, "{at}");
    }
}

#[test]
fn what_is_erased_is_overwritten_where_it_lies() {
    let disk = Disk::default();
    let (_, commitment) = sealed(&disk);
    let length = disk.files().values().map(Vec::len).sum::<usize>();
    let personal = PersonalData::open_on(place(), Arc::new(disk.clone())).unwrap();
    // The one but last operation removes the file.
    disk.fail_in(6);
    assert!(personal.erase_now(&commitment).is_err());
    let left: Vec<Vec<u8>> = disk.files().into_values().collect();
    assert_eq!(left, [vec![0; length]]);
}

#[tokio::test]
async fn a_value_that_could_not_be_read_back_is_not_sealed() {
    let folder = Folder::new("too-long");
    let personal = PersonalData::open(&folder.0).await.unwrap();
    let value = Value::from("x".repeat(64 << 20));
    let error = personal.seal(&value).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
}
