//! Signatures over models in the OpenSSF Model Signing format, made and checked with a local key.
//!
//! A signature is a file beside the model that names every file with its digest: whoever holds the public key can tell, without
//! a server, that the model is the one that was signed. The files are interchangeable with those of the reference tool
//! `model_signing` in its `key` mode.
//!
//! What it does not do: it makes no claim about when a model was signed, and a key that leaked signs as well as one that did
//! not. Keyless and certificate signatures, files split into shards and other digests than SHA-256 are refused as
//! [`Invalid`](crate::ErrorKind::Invalid), never passed over.
//!
//! # Formula
//!
//! signature = ECDSA-P256-SHA256(`DSSEv1 28 application/vnd.in-toto+json ` ‖ length ‖ ` ` ‖ statement), see the
//! [DSSE protocol](https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md). The nonce is derived from key and
//! content (RFC 6979): the same content under the same key gives the same bytes.
//!
//! statement = an [in-toto statement](https://github.com/in-toto/attestation/tree/main/spec/v1) that lists the files by path
//! component; its subject is SHA-256 over their raw digests in that order.
//!
//! # Examples
//!
//! ```
//! use noops_core::model_signing::{SigningKey, sign_directory, verify_directory};
//!
//! let directory = std::env::temp_dir().join(format!("model-signing-{}", std::process::id()));
//! std::fs::create_dir_all(&directory)?;
//! std::fs::write(directory.join("weights.bin"), b"weights")?;
//!
//! let key = SigningKey::generate()?;
//! let signature = directory.join("model.sig");
//! sign_directory(&directory, &key, &signature)?;
//! let signed = verify_directory(&directory, key.public_key(), &signature)?;
//! assert_eq!(signed.resources()[0].name(), "weights.bin");
//!
//! std::fs::write(directory.join("weights.bin"), b"poisoned")?;
//! let error = verify_directory(&directory, key.public_key(), &signature).unwrap_err();
//! assert!(error.to_string().contains("weights.bin"));
//! # std::fs::remove_dir_all(&directory)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod artifact;
mod bundle;
mod directory;
mod file;
mod key;
mod manifest;
mod path;
mod statement;
mod walk;

pub use artifact::{sign_artifact, verify_artifact};
pub use bundle::Bundle;
pub use directory::{sign_directory, verify_directory};
pub use key::{SigningKey, VerifyingKey};
pub use manifest::{Resource, SignedManifest};

/// What the operations are called in errors.
const SIGN: &str = "sign a model";
const VERIFY: &str = "verify a signed model";
const READ_KEY: &str = "read a key";

#[cfg(test)]
mod tests;
