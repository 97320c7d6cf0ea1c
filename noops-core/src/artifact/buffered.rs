//! Piece by piece for stores that keep an artifact as one value: in memory, or in a column of a table.

use async_trait::async_trait;

use super::{ArtifactDownload, ArtifactStore, ArtifactUpload};
use crate::digest::Digest;
use crate::error::Error;

/// Collects the pieces and puts them at the end.
#[derive(Debug)]
pub(crate) struct BufferedUpload<S> {
    store: S,
    bytes: Vec<u8>,
}

impl<S: ArtifactStore> BufferedUpload<S> {
    pub(crate) fn new(store: S) -> Self {
        Self {
            store,
            bytes: Vec::new(),
        }
    }
}

#[async_trait]
impl<S: ArtifactStore> ArtifactUpload for BufferedUpload<S> {
    async fn write(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Digest, Error> {
        self.store.put(&self.bytes).await
    }
}

/// All bytes, verified before, as one piece.
#[derive(Debug)]
pub(crate) struct WholeDownload {
    bytes: Option<Vec<u8>>,
}

impl WholeDownload {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes: (!bytes.is_empty()).then_some(bytes),
        }
    }
}

#[async_trait]
impl ArtifactDownload for WholeDownload {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.bytes.take())
    }
}
