use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::artifact::ArtifactStore;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// Artifacts in memory.
#[derive(Debug, Default)]
pub struct InMemoryArtifacts {
    bytes: Mutex<HashMap<Digest, Vec<u8>>>,
}

impl InMemoryArtifacts {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl ArtifactStore for InMemoryArtifacts {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        lock(&self.bytes)
            .entry(digest)
            .or_insert_with(|| bytes.to_vec());
        Ok(digest)
    }

    async fn load(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let missing = || {
            Error::new(
                ErrorKind::NotFound,
                "load an artifact",
                "nothing is stored at this address",
            )
            .with("digest", digest)
        };
        lock(&self.bytes).get(digest).cloned().ok_or_else(missing)
    }
}
