//! Where the bytes of models live.

pub(crate) mod buffered;
#[cfg(feature = "directory")]
mod directory;
#[cfg(feature = "object-store")]
pub(crate) mod object;

#[cfg(feature = "directory")]
pub use directory::DirectoryArtifacts;
#[cfg(feature = "object-store")]
pub use object::ObjectArtifacts;

use std::fmt::Debug;

use async_trait::async_trait;

use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// A content-addressed store of immutable bytes.
///
/// # Contract
///
/// * `put` and [`ArtifactUpload::finish`] MUST be idempotent, atomic and, if the implementation is durable at all, durable: a reader
///   sees all bytes or none, also when many writers put the same bytes at once, and what returned survives a crash.
/// * `load` and [`ArtifactDownload::next`] MUST verify the digest of what they return, and fail with [`Corrupt`](crate::ErrorKind::Corrupt) when
///   it differs; they fail with [`NotFound`](crate::ErrorKind::NotFound) when nothing is there.
/// * Putting bytes whose stored copy is damaged SHOULD repair it.
/// * An upload that is dropped before it is finished MUST leave nothing that a reader can see.
/// * After a call of `write` or `next` that failed or was cancelled, `finish` MUST NOT store less than what was written, and `next` MUST NOT say
///   that the end has come: they fail, or go on as if nothing had happened.
#[async_trait]
pub trait ArtifactStore: Debug + Send + Sync + 'static {
    /// Stores bytes and returns their address.
    async fn put(&self, bytes: &[u8]) -> Result<Digest, Error>;

    /// The bytes at an address.
    async fn load(&self, digest: &Digest) -> Result<Vec<u8>, Error>;

    /// Begins to store bytes that come piece by piece.
    async fn upload(&self) -> Result<Box<dyn ArtifactUpload>, Error>;

    /// Begins to read the bytes at an address piece by piece.
    async fn download(&self, digest: &Digest) -> Result<Box<dyn ArtifactDownload>, Error>;

    /// The addresses of everything that is stored, in order.
    async fn list(&self) -> Result<Vec<Digest>, Error>;

    /// Removes what is at an address; nothing happens when nothing is there. A store does not know who needs it:
    /// [`apply_retention`](crate::apply_retention) asks the registry first.
    async fn delete(&self, digest: &Digest) -> Result<(), Error>;
}

/// An artifact on its way into a store. Dropping it gives it up.
#[async_trait]
pub trait ArtifactUpload: Debug + Send {
    /// Adds bytes at the end.
    async fn write(&mut self, chunk: &[u8]) -> Result<(), Error>;

    /// Stores what was written and returns its address.
    async fn finish(self: Box<Self>) -> Result<Digest, Error>;
}

/// An artifact on its way out of a store.
#[async_trait]
pub trait ArtifactDownload: Debug + Send {
    /// The next bytes; `None` at the end, and only if all that came before has the digest asked for. Until then, nothing may be
    /// done with the bytes that cannot be undone.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error>;
}

pub(crate) fn no_such_artifact(digest: &Digest) -> Error {
    let message = "nothing is stored at this address";
    Error::new(ErrorKind::NotFound, "load an artifact", message).with("digest", digest)
}

#[cfg(any(
    feature = "directory",
    feature = "mlflow",
    feature = "object-store",
    feature = "postgres",
    feature = "sqlite"
))]
pub(crate) fn corrupt_artifact(digest: &Digest) -> Error {
    let message = "its bytes do not have its digest";
    Error::new(ErrorKind::Corrupt, "load an artifact", message).with("digest", digest)
}

#[cfg(any(feature = "directory", feature = "object-store"))]
pub(crate) fn broken_download(digest: &Digest) -> Error {
    let message = "an earlier read of it failed or was cut off; begin again";
    Error::new(ErrorKind::Unavailable, "load an artifact", message).with("digest", digest)
}

#[cfg(any(feature = "directory", feature = "object-store"))]
pub(crate) fn broken_upload() -> Error {
    let message = "an earlier write of it failed or was cut off; begin again";
    Error::new(ErrorKind::Unavailable, "store an artifact", message)
}
