//! Signatures are interchangeable with those of the reference tool, in both directions.
//!
//! `NOOPS_MODEL_SIGNING` is the program to run, such as `scripts/model-signing`. Without it the tests print that they were
//! skipped; in CI they fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use noops_core::model_signing::{
    Bundle, SigningKey, sign_artifact, sign_directory, verify_artifact, verify_directory,
};
use noops_core::{Digest, ErrorKind};

#[test]
fn the_reference_tool_accepts_what_we_sign_and_refuses_it_when_changed() {
    let Some(tool) = Tool::find() else { return };
    let scratch = Scratch::new("ours");
    for signature in [
        scratch.root.join("model.sig"),
        scratch.model().join("model.sig"),
    ] {
        sign_directory(&scratch.model(), &scratch.key, &signature).unwrap();
        let verified = tool.verify(&scratch, &scratch.model(), &signature);
        assert!(verified.status.success(), "{verified:?}");

        fs::write(scratch.model().join("weights.bin"), b"poisoned").unwrap();
        let refused = tool.verify(&scratch, &scratch.model(), &signature);
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success());
        assert!(
            message.contains("Hash mismatch for 'weights.bin'"),
            "{message}"
        );
        fs::write(scratch.model().join("weights.bin"), b"weights").unwrap();
    }
}

#[test]
fn we_accept_what_the_reference_tool_signs_and_refuse_it_when_changed() {
    let Some(tool) = Tool::find() else { return };
    let scratch = Scratch::new("theirs");
    let outside = scratch.root.join("ours.sig");
    let ours = sign_directory(&scratch.model(), &scratch.key, &outside).unwrap();
    let signature = scratch.model().join("model.sig");
    tool.sign(&scratch, &scratch.model(), &signature);
    let public = scratch.key.public_key();
    let theirs = verify_directory(&scratch.model(), public, &signature).unwrap();
    assert_eq!(theirs.model_name(), ours.model_name());
    assert_eq!(theirs.resources(), ours.resources());
    assert_eq!(theirs.digest(), ours.digest());

    fs::write(scratch.model().join("sub/config.json"), b"{}").unwrap();
    let error = verify_directory(&scratch.model(), public, &signature).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[test]
fn an_artifact_is_interchangeable_with_a_lone_file() {
    let Some(tool) = Tool::find() else { return };
    let scratch = Scratch::new("artifact");
    let (file, signature) = (scratch.root.join("blob"), scratch.root.join("blob.sig"));
    fs::write(&file, b"weights").unwrap();
    let digest = Digest::of(b"weights");

    let bundle = sign_artifact(digest, "arrival-delay", &scratch.key).unwrap();
    fs::write(&signature, bundle.to_bytes()).unwrap();
    let verified = tool.verify(&scratch, &file, &signature);
    assert!(verified.status.success(), "{verified:?}");

    tool.sign(&scratch, &file, &signature);
    let bundle = Bundle::from_bytes(&fs::read(&signature).unwrap()).unwrap();
    assert!(verify_artifact(digest, "blob", scratch.key.public_key(), &bundle).is_ok());
}

/// The reference tool.
struct Tool(OsString);

impl Tool {
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn find() -> Option<Self> {
        let program = std::env::var_os("NOOPS_MODEL_SIGNING").filter(|program| !program.is_empty());
        if program.is_none() {
            assert!(
                std::env::var_os("CI").is_none(),
                "set NOOPS_MODEL_SIGNING to the program `scripts/model-signing`"
            );
            eprintln!("skipped: NOOPS_MODEL_SIGNING is not set");
        }
        program.map(Self)
    }

    fn sign(&self, scratch: &Scratch, model: &Path, signature: &Path) {
        let output = self.run("sign", model, signature, "--private_key", &scratch.private);
        assert!(output.status.success(), "{output:?}");
    }

    fn verify(&self, scratch: &Scratch, model: &Path, signature: &Path) -> Output {
        self.run("verify", model, signature, "--public_key", &scratch.public)
    }

    fn run(&self, verb: &str, model: &Path, signature: &Path, option: &str, key: &Path) -> Output {
        Command::new(&self.0)
            .args([verb, "key"])
            .arg(model)
            .arg("--signature")
            .arg(signature)
            .arg(option)
            .arg(key)
            .output()
            .expect("NOOPS_MODEL_SIGNING names a program that can be run")
    }
}

/// A directory with a model and a pair of keys, removed when the test ends.
struct Scratch {
    root: PathBuf,
    private: PathBuf,
    public: PathBuf,
    key: SigningKey,
}

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("noops-model-signing-{name}-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        let model = root.join("model");
        fs::create_dir_all(model.join("sub/deep")).unwrap();
        fs::create_dir_all(model.join(".github")).unwrap();
        // Names that sort differently by text and by component, names beyond ASCII, an empty file, a file the tool ignores.
        for (file, content) in [
            ("weights.bin", "weights"),
            ("sub/config.json", "[]"),
            ("sub/deep/ünï \"quoted\".txt", "ü"),
            ("sub-a", "a"),
            ("sub.b", "b"),
            ("Sub", "c"),
            ("10:30", "d"),
            ("empty", ""),
            (".hidden", "h"),
            (".github/ci.yml", "i"),
        ] {
            fs::write(model.join(file), content).unwrap();
        }
        let key = SigningKey::generate().unwrap();
        let (private, public) = (root.join("private.pem"), root.join("public.pem"));
        fs::write(&private, key.to_pem().unwrap().as_bytes()).unwrap();
        fs::write(&public, key.public_key().to_pem()).unwrap();
        Self {
            root,
            private,
            public,
            key,
        }
    }

    fn model(&self) -> PathBuf {
        self.root.join("model")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.root));
    }
}
