use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::disk::{Disk, ROOT};
use super::*;
use crate::tile_log::verify::verify_on;

fn filled(signer: &NoteSigner, covered: u64, journalled: u64) -> Disk {
    let disk = Disk::default();
    let mut engine = open_on(&disk, signer, u64::MAX).unwrap();
    let mut records: Vec<AuditRecord> = (0..covered).map(record).collect();
    records[1].body = pointer_like();
    engine.commit(vec![records]).remove(0).unwrap();
    engine.integrate().unwrap();
    for number in covered..covered + journalled {
        engine.commit(vec![vec![record(number)]]).remove(0).unwrap();
    }
    disk
}

fn verify(disk: &Disk, signer: &NoteSigner) -> Result<VerifiedLog, Error> {
    verify_on(disk, Path::new(ROOT), &signer.verifier(), None)
}

fn in_root(path: &str) -> PathBuf {
    Path::new(ROOT).join(path)
}

#[test]
fn every_flipped_bit_of_every_file_is_found() {
    let signer = signer();
    let disk = filled(&signer, 3, 2);
    let whole = verify(&disk, &signer).unwrap();
    assert_eq!((whole.entries().len(), whole.journalled()), (5, 2));
    assert_eq!(whole.strays(), [] as [String; 0]);
    let files = disk.files();
    assert_eq!(files.len(), 7, "{:?}", files.keys());
    for (path, bytes) in &files {
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                disk.set(path, &changed);
                assert!(
                    verify(&disk, &signer).is_err(),
                    "bit {bit} of byte {at} of {path:?}"
                );
            }
        }
        disk.set(path, bytes);
    }
    assert!(verify(&disk, &signer).is_ok());
}

#[test]
fn every_truncation_of_every_file_is_found() {
    let signer = signer();
    let disk = filled(&signer, 3, 1);
    for (path, bytes) in &disk.files() {
        for length in 0..bytes.len() {
            // A journal that ends with a frame is whole: what is only in the journal is not signed yet.
            if *path == in_root("journal") && length == 0 {
                continue;
            }
            disk.set(path, &bytes[..length]);
            assert!(
                verify(&disk, &signer).is_err(),
                "{length} bytes of {path:?}"
            );
        }
        disk.set(path, bytes);
    }
}

#[test]
fn every_missing_file_is_found() {
    let signer = signer();
    let disk = filled(&signer, 3, 0);
    let files = disk.files();
    for path in files.keys().filter(|path| **path != in_root("lock")) {
        let mut fewer = files.clone();
        fewer.remove(path);
        disk.restore(&fewer);
        assert!(verify(&disk, &signer).is_err(), "{path:?}");
    }
}

#[test]
fn swapped_bundles_are_found() {
    let signer = signer();
    let disk = filled(&signer, 520, 0);
    assert_eq!(verify(&disk, &signer).unwrap().entries().len(), 520);
    let (first, second) = (in_root("tile/entries/000"), in_root("tile/entries/001"));
    let files = disk.files();
    disk.set(&first, &files[&second]);
    disk.set(&second, &files[&first]);
    assert_eq!(
        verify(&disk, &signer).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    // Nor is it enough to swap their tiles with them.
    let (first, second) = (in_root("tile/0/000"), in_root("tile/0/001"));
    disk.set(&first, &files[&second]);
    disk.set(&second, &files[&first]);
    assert_eq!(
        verify(&disk, &signer).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    assert_eq!(
        open_on(&disk, &signer, 10).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
}

#[test]
fn an_older_copy_is_found_by_comparison_with_a_witness_and_only_so() {
    let signer = signer();
    let disk = filled(&signer, 3, 0);
    let older: BTreeMap<PathBuf, Vec<u8>> = disk.files();
    let mut engine = open_on(&disk, &signer, u64::MAX).unwrap();
    engine.commit(vec![vec![record(7)]]).remove(0).unwrap();
    engine.integrate().unwrap();
    let witnessed = engine.published.clone();
    drop(engine);
    let check = |disk: &Disk| {
        let verifier = signer.verifier();
        verify_on(
            disk,
            Path::new(ROOT),
            &verifier,
            Some(witnessed.checkpoint()),
        )
    };
    assert!(check(&disk).is_ok());

    disk.restore(&older);
    assert!(verify(&disk, &signer).is_ok());
    let error = check(&disk).unwrap_err().to_string();
    assert!(error.contains("put back to an earlier state"), "{error}");

    // A rewritten log of more entries, signed with the same key.
    let mut engine = open_on(&disk, &signer, u64::MAX).unwrap();
    engine
        .commit(vec![vec![record(8), record(9)]])
        .remove(0)
        .unwrap();
    engine.integrate().unwrap();
    drop(engine);
    assert!(verify(&disk, &signer).is_ok());
    let error = check(&disk).unwrap_err().to_string();
    assert!(error.contains("other entries"), "{error}");
}

#[test]
fn another_key_does_not_verify_and_cannot_go_on() {
    let signer = signer();
    let disk = filled(&signer, 3, 0);
    let other = super::signer();
    assert!(verify(&disk, &other).is_err());
    assert_eq!(
        open_on(&disk, &other, 10).unwrap_err().kind(),
        ErrorKind::Conflict
    );
}

#[test]
fn files_that_are_not_of_the_log_are_reported() {
    let signer = signer();
    let disk = filled(&signer, 3, 0);
    let mut files = disk.files();
    files.insert(in_root("tile/entries/000.p/2"), b"old".to_vec());
    files.insert(in_root("notes.txt"), b"hello".to_vec());
    disk.restore(&files);
    let strays = verify(&disk, &signer).unwrap();
    assert_eq!(strays.strays(), ["notes.txt", "tile/entries/000.p/2"]);
    // Opening removes what belongs to an older checkpoint, and nothing else.
    drop(open_on(&disk, &signer, 10).unwrap());
    assert_eq!(verify(&disk, &signer).unwrap().strays(), ["notes.txt"]);
}

#[test]
fn a_lost_checkpoint_does_not_begin_the_log_anew() {
    let signer = signer();
    let disk = filled(&signer, 3, 0);
    let mut files = disk.files();
    files.remove(&in_root("checkpoint"));
    disk.restore(&files);
    assert_eq!(
        open_on(&disk, &signer, 10).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
}
