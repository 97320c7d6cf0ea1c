use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::lock;
use crate::artifact::buffered::{BufferedUpload, WholeDownload};
use crate::artifact::{ArtifactDownload, ArtifactStore, ArtifactUpload, no_such_artifact};
use crate::digest::Digest;
use crate::error::Error;

/// Artifacts in memory. A clone is the same store.
#[derive(Clone, Debug, Default)]
pub struct InMemoryArtifacts {
    bytes: Arc<Mutex<BTreeMap<Digest, Vec<u8>>>>,
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
        // Safe code cannot change what is here: there is nothing to verify.
        let stored = lock(&self.bytes).get(digest).cloned();
        stored.ok_or_else(|| no_such_artifact(digest))
    }

    async fn upload(&self) -> Result<Box<dyn ArtifactUpload>, Error> {
        Ok(Box::new(BufferedUpload::new(self.clone())))
    }

    async fn download(&self, digest: &Digest) -> Result<Box<dyn ArtifactDownload>, Error> {
        Ok(Box::new(WholeDownload::new(self.load(digest).await?)))
    }

    async fn list(&self) -> Result<Vec<Digest>, Error> {
        Ok(lock(&self.bytes).keys().copied().collect())
    }

    async fn delete(&self, digest: &Digest) -> Result<(), Error> {
        lock(&self.bytes).remove(digest);
        Ok(())
    }
}
