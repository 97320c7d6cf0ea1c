//! A signed model in the hands of somebody who may write to its directory.

use std::sync::LazyLock;

use noops_core::Digest;
use noops_core::model_signing::{
    Bundle, SigningKey, VerifyingKey, sign_artifact, sign_directory, verify_artifact,
    verify_directory,
};
use proptest::prelude::*;

use crate::cases;
use crate::change::{changed, changes};
use crate::folder::{Files, Folder, edited, edits};

/// A model with its signature beside its files.
struct Honest {
    files: Files,
    key: SigningKey,
}

static HONEST: LazyLock<Honest> = LazyLock::new(|| {
    let mut files = Files::new();
    for (path, bytes) in [
        ("model/weights.bin", &b"weights"[..]),
        ("model/config.json", b"{}"),
        ("model/sub/vocabulary.txt", b"a b c"),
        ("model/empty", b""),
    ] {
        files.insert(path.to_owned(), bytes.to_vec());
    }
    let folder = Folder::with("signing", &files);
    let key = SigningKey::generate().unwrap();
    let model = folder.path().join("model");
    sign_directory(&model, &key, &model.join("model.sig")).unwrap();
    Honest {
        files: folder.read(),
        key,
    }
});

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn an_edited_model_is_refused_unless_its_files_are_the_same(edits in edits(NAMES)) {
        let files = edited(&HONEST.files, &edits);
        let folder = Folder::with("edited", &files);
        let model = folder.path().join("model");
        let public = HONEST.key.public_key();
        if verify_directory(&model, public, &model.join("model.sig")).is_ok() {
            // The signature may be spelled differently, git's own files are not part of a model.
            let signed = |files: &Files| -> Files {
                let files = files.iter().filter(|(path, _)| {
                    let is_ignored = IGNORED.iter().any(|ignored| {
                        let is_inside = ignored.ends_with('/') && path.starts_with(*ignored);
                        is_inside || path.as_str() == *ignored
                    });
                    path.starts_with("model/") && !is_ignored
                });
                files.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
            };
            prop_assert_eq!(signed(&folder.read()), signed(&HONEST.files));
        }
    }

    #[test]
    fn a_changed_bundle_is_refused_or_says_the_same(changes in changes()) {
        let digest = Digest::of(b"weights");
        let bundle = sign_artifact(digest, "arrival-delay", &HONEST.key).unwrap();
        let bytes = changed(&bundle.to_bytes(), &changes);
        if let Ok(read) = Bundle::from_bytes(&bytes) {
            let public = HONEST.key.public_key();
            if let Ok(manifest) = read.verify(public) {
                prop_assert_eq!(manifest, bundle.verify(public).unwrap());
            }
            prop_assert!(verify_artifact(Digest::of(b"other"), "arrival-delay", public, &read).is_err());
            prop_assert!(verify_artifact(digest, "fraud", public, &read).is_err());
        }
    }

    #[test]
    fn a_changed_key_is_refused_or_read_back(changes in changes()) {
        let public = HONEST.key.public_key().to_pem();
        let text = String::from_utf8_lossy(&changed(public.as_bytes(), &changes)).into_owned();
        if let Ok(key) = VerifyingKey::from_pem(&text) {
            let again = VerifyingKey::from_pem(&key.to_pem()).unwrap();
            prop_assert_eq!(again.hint(), key.hint());
        }
        let private = HONEST.key.to_pem().unwrap();
        let text = String::from_utf8_lossy(&changed(private.as_bytes(), &changes)).into_owned();
        if let Ok(key) = SigningKey::from_pem(&text) {
            let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
            prop_assert_eq!(again.public_key().hint(), key.public_key().hint());
        }
    }
}

#[test]
fn what_was_not_edited_is_accepted() {
    let folder = Folder::with("same", &HONEST.files);
    let model = folder.path().join("model");
    let public = HONEST.key.public_key();
    let signed = verify_directory(&model, public, &model.join("model.sig")).unwrap();
    assert_eq!(signed.resources().len(), 4);
}

const NAMES: &[&str] = &[
    "model/weights.bin",
    "model/weights.bin ",
    "model/Weights.bin",
    "model/extra.bin",
    "model/sub/weights.bin",
    "model/sub/.hidden",
    "model/.gitignore",
    "model/.github/weights.bin",
    "model/.gitx",
    "model/model.sig",
    "model/model.sig.bak",
    "weights.bin",
];

/// The signature, and what belongs to git.
const IGNORED: &[&str] = &[
    "model/model.sig",
    "model/.git/",
    "model/.gitattributes",
    "model/.github/",
    "model/.gitignore",
];
