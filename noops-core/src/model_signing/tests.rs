//! What must hold whatever arrives.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

mod directory;
mod hostile;
mod keys;
mod reference;

/// A directory that is removed when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("noops-model-signing-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(path.join("model/sub")).unwrap();
        let scratch = Self(path);
        scratch.write("weights.bin", b"weights");
        scratch.write("sub/config.json", b"{}");
        scratch.write("sub-a", b"a");
        scratch.write("sub.b", b"b");
        scratch
    }

    fn model(&self) -> PathBuf {
        self.0.join("model")
    }

    fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.model().join(name), content).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// The key of RFC 6979, appendix A.2.5, so that everything here is the same on every run.
fn key() -> SigningKey {
    SigningKey::from_pem(RFC_6979_PKCS8).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("testdata/model_signing")
        .join(name)
}

/// A statement as a signer with bad intentions would write it, after a change.
fn sealed(change: impl FnOnce(&mut Value)) -> Bundle {
    let mut statement = honest();
    change(&mut statement);
    Bundle::seal(statement.to_string().into_bytes(), &key()).unwrap()
}

fn honest() -> Value {
    let digest = Digest::of(b"weights");
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "model", "digest": { "sha256": Digest::of(digest.as_bytes()).to_string() } }],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": { "method": "files", "hash_type": "sha256", "allow_symlinks": false },
            "resources": [{ "name": "weights.bin", "algorithm": "sha256", "digest": digest.to_string() }],
        },
    })
}

fn refused(bundle: &Bundle) -> (ErrorKind, String) {
    let error = bundle.verify(key().public_key()).unwrap_err();
    (error.kind(), error.to_string())
}

fn parsed(change: impl FnOnce(&mut Value)) -> Result<Bundle, Error> {
    let bundle = sign_artifact(Digest::of(b"weights"), "model", &key()).unwrap();
    let mut value: Value = serde_json::from_slice(&bundle.to_bytes()).unwrap();
    change(&mut value);
    Bundle::from_bytes(value.to_string().as_bytes())
}

/// The published key of RFC 6979, appendix A.2.5; it protects nothing.
const RFC_6979_PKCS8: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX
Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth
+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ
-----END PRIVATE KEY-----
";
const RFC_6979_SEC1: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIMmvqdhFunUWa1whV2ex1pNOUMPbNuibEnuKYisSD2choAoGCCqGSM49
AwEHoUQDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5A/4QCLi8
maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ==
-----END EC PRIVATE KEY-----
";
const RFC_6979_HINT: &str = "4975c03dd2ad43f3803bf943ca231389c41f26352bf098c930568797eff44dcc";

/// The key 7 of another curve.
const P384_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAehZANiAAQoPB1zZc5H
iPKfjr8jTt/+rW/pl/vqX/otWMyd+nscUIsFUm9VueuyBA8FtI+20OGUdcmQYeQb
iLpS79uMFpBHGmHYZ+15lynZySzQHb0iVjDYTt4yp4+eZGZM2sUS74w=
-----END PRIVATE KEY-----
";
const P384_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEKDwdc2XOR4jyn46/I07f/q1v6Zf76l/6
LVjMnfp7HFCLBVJvVbnrsgQPBbSPttDhlHXJkGHkG4i6Uu/bjBaQRxph2GfteZcp
2cks0B29IlYw2E7eMqePnmRmTNrFEu+M
-----END PUBLIC KEY-----
";
