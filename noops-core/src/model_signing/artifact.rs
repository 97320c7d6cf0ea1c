//! Signatures over a single artifact that is known by its digest.

use super::bundle::Bundle;
use super::key::{SigningKey, VerifyingKey};
use super::manifest::{Resource, SignedManifest};
use super::statement::{SINGLE_FILE, Statement};
use super::{SIGN, VERIFY};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// Signs an artifact under the name of its model, without reading it.
///
/// The bundle is what the reference tool writes for a model that is a single file: it verifies the artifact, saved as a file of
/// any name.
///
/// # Errors
///
/// `Invalid` when the name is empty, longer than 255 bytes or has a control character.
///
/// # Examples
///
/// ```
/// use noops_core::Digest;
/// use noops_core::model_signing::{SigningKey, sign_artifact, verify_artifact};
///
/// let key = SigningKey::generate()?;
/// let digest = Digest::of(b"weights");
/// let bundle = sign_artifact(digest, "arrival-delay", &key)?;
/// assert!(verify_artifact(digest, "arrival-delay", key.public_key(), &bundle).is_ok());
/// assert!(verify_artifact(digest, "fraud", key.public_key(), &bundle).is_err());
/// assert!(verify_artifact(Digest::of(b"other"), "arrival-delay", key.public_key(), &bundle).is_err());
/// # Ok::<(), noops_core::Error>(())
/// ```
pub fn sign_artifact(digest: Digest, name: &str, key: &SigningKey) -> Result<Bundle, Error> {
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        let message = "the name of a model has 1 to 255 bytes and no control character";
        let start: String = name.chars().take(80).collect();
        return Err(
            Error::new(ErrorKind::Invalid, SIGN, message).with("name", start.escape_debug())
        );
    }
    let statement = Statement {
        model_name: name.to_owned(),
        resources: vec![Resource::new(SINGLE_FILE.to_owned(), digest)],
        ignored_paths: Vec::new(),
    };
    Bundle::sign(&statement, key)
}

/// Checks that a key signed this artifact under this name. The name is checked because a signature is moved as easily as a
/// file: an artifact that was signed as one model must not pass for another.
///
/// # Errors
///
/// As [`Bundle::verify`], and `Corrupt` when what was signed is not one artifact with this digest and this name.
pub fn verify_artifact(
    digest: Digest,
    name: &str,
    key: &VerifyingKey,
    bundle: &Bundle,
) -> Result<SignedManifest, Error> {
    let manifest = bundle.verify(key)?;
    let refuse = |message: &str| {
        Err(Error::new(ErrorKind::Corrupt, VERIFY, message)
            .with("name", name.escape_debug())
            .with("digest", digest))
    };
    let [resource] = manifest.resources() else {
        return refuse("the signature is over a directory, not over an artifact");
    };
    if resource.name() != SINGLE_FILE {
        return refuse("the signature is over a directory, not over an artifact");
    }
    if resource.digest() != digest {
        return refuse("another artifact was signed");
    }
    if manifest.model_name() != name {
        return refuse("the artifact was signed under another name");
    }
    Ok(manifest)
}

const LONGEST_NAME: usize = 255;
