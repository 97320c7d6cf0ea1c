//! Where the bytes of models live.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::digest::Digest;
use crate::error::Error;

/// A content-addressed store of immutable bytes.
///
/// # Contract
///
/// * `put` MUST be idempotent and atomic: a reader sees all bytes or none, also when two writers put the same bytes at once.
/// * `load` MUST verify the digest of what it returns, and fail with [`Corrupt`](crate::ErrorKind::Corrupt) when it differs and
///   with [`NotFound`](crate::ErrorKind::NotFound) when nothing is there.
#[async_trait]
pub trait ArtifactStore: Debug + Send + Sync + 'static {
    /// Stores bytes and returns their address.
    async fn put(&self, bytes: &[u8]) -> Result<Digest, Error>;

    /// The bytes at an address.
    async fn load(&self, digest: &Digest) -> Result<Vec<u8>, Error>;
}
