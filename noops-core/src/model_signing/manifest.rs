//! What a valid signature says.

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;

/// A file of a model and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    name: String,
    digest: Digest,
}

impl Resource {
    pub(super) fn new(name: String, digest: Digest) -> Self {
        Self { name, digest }
    }

    /// The path below the model directory, with `/` between components; `.` when the model is a single file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The digest of the content.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// What was signed, as a signature that was checked says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedManifest {
    model_name: String,
    resources: Vec<Resource>,
    ignored_paths: Vec<String>,
    key_hint: String,
}

impl SignedManifest {
    pub(super) fn new(
        model_name: String,
        resources: Vec<Resource>,
        ignored_paths: Vec<String>,
        key_hint: String,
    ) -> Self {
        Self {
            model_name,
            resources,
            ignored_paths,
            key_hint,
        }
    }

    /// The name the model had when it was signed: the last component of its path. A copy may be called otherwise.
    #[must_use]
    pub fn model_name(&self) -> &str {
        &self.model_name
    }

    /// The files, in the order they were signed.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The paths that the signature leaves out, with everything below them.
    #[must_use]
    pub fn ignored_paths(&self) -> &[String] {
        &self.ignored_paths
    }

    /// The [hint](super::VerifyingKey::hint) of the key that signed.
    #[must_use]
    pub fn key_hint(&self) -> &str {
        &self.key_hint
    }

    /// One digest for the whole model: SHA-256 over the raw digests of the files in order. Names do not enter it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        root_digest(&self.resources)
    }
}

pub(super) fn root_digest(resources: &[Resource]) -> Digest {
    let mut hasher = Sha256::new();
    for resource in resources {
        hasher.update(resource.digest.as_bytes());
    }
    Digest::from_bytes(hasher.finalize().into())
}
