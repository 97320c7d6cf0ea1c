use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    Error as StoreError, GetOptions, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, PutPayload,
};
use sha2::{Digest as _, Sha256};

use super::{
    ArtifactDownload, ArtifactStore, ArtifactUpload, broken_download, broken_upload,
    corrupt_artifact, no_such_artifact,
};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// Artifacts in an object store, under `<prefix>/sha256/<digest>`: S3, Google Cloud Storage, Azure and what else the crate `object_store` speaks to. A clone is the same
/// store.
///
/// `put`, and small uploads, are one request that creates the object only if it is not there, where the store has such requests; a damaged object is replaced if its
/// length is wrong, and otherwise has to be deleted first. Larger uploads are sent in parts to `<prefix>/incoming`, and copied to their address when their digest
/// is known; stores limit such a copy, S3 to 5 GB. What was cut off stays in `incoming`: give that prefix a lifecycle rule that also ends unfinished multi-part
/// uploads. How durable it is, is the affair of the store; for a local disk use [`DirectoryArtifacts`](crate::DirectoryArtifacts), which synchronises.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use noops_core::{ArtifactStore, ObjectArtifacts};
/// use object_store::memory::InMemory;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), noops_core::Error> {
/// // In production for example `AmazonS3Builder::from_env().with_bucket_name("models").build()`.
/// let artifacts = ObjectArtifacts::new(Arc::new(InMemory::new()), "models", "host-1");
/// let digest = artifacts.put(b"weights").await?;
/// assert_eq!(artifacts.load(&digest).await?, b"weights");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ObjectArtifacts {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    writer: String,
}

impl ObjectArtifacts {
    /// Artifacts under a prefix. `writer` is a text that no other process uses: it keeps the uploads of processes apart.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, prefix: &str, writer: &str) -> Self {
        Self {
            store,
            prefix: Path::from(prefix),
            writer: writer.to_owned(),
        }
    }

    fn content(&self) -> Path {
        self.prefix.clone().join("sha256")
    }

    fn place(&self, digest: &Digest) -> Path {
        self.content().join(digest.to_string())
    }

    /// A place on the way in that no other upload of this process has.
    fn incoming(&self) -> Path {
        let number = UPLOADS.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", self.writer);
        self.prefix.clone().join("incoming").join(name)
    }

    /// Creates the object, unless it is there with the same length.
    async fn create(&self, digest: &Digest, bytes: Vec<u8>) -> Result<(), StoreError> {
        let place = self.place(digest);
        let payload = PutPayload::from(bytes);
        let create = PutOptions::from(PutMode::Create);
        match self.store.put_opts(&place, payload.clone(), create).await {
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {
                match self.store.head(&place).await {
                    Ok(there) if there.size == payload.content_length() as u64 => return Ok(()),
                    // It is damaged, or was deleted meanwhile, or another's request for it has not come to its end.
                    Ok(_) | Err(StoreError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            // A store without conditional requests.
            Err(StoreError::NotImplemented { .. }) => {}
            done => return done.map(drop),
        }
        // The same address can only mean these bytes.
        self.store.put(&place, payload).await.map(drop)
    }
}

#[async_trait]
impl ArtifactStore for ObjectArtifacts {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        let created = self.create(&digest, bytes.to_vec()).await;
        created.map_err(|error| translate(PUT, error))?;
        Ok(digest)
    }

    async fn load(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let mut download = self.download(digest).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = download.next().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    async fn upload(&self) -> Result<Box<dyn ArtifactUpload>, Error> {
        Ok(Box::new(Upload {
            artifacts: self.clone(),
            hasher: Sha256::new(),
            buffer: Vec::new(),
            parts: None,
            is_broken: false,
        }))
    }

    async fn download(&self, digest: &Digest) -> Result<Box<dyn ArtifactDownload>, Error> {
        let got = self
            .store
            .get_opts(&self.place(digest), GetOptions::default())
            .await;
        let got = got.map_err(|error| match error {
            StoreError::NotFound { .. } => no_such_artifact(digest),
            error => translate(LOAD, error),
        })?;
        Ok(Box::new(Download {
            digest: *digest,
            reading: Some(Reading {
                chunks: got.into_stream(),
                hasher: Sha256::new(),
            }),
            is_whole: false,
        }))
    }

    async fn list(&self) -> Result<Vec<Digest>, Error> {
        let listed = self.store.list(Some(&self.content()));
        let found = listed.try_collect::<Vec<_>>().await;
        let found = found.map_err(|error| translate("list the artifacts", error))?;
        // What does not lie where its name says is not ours.
        let ours = found.iter().filter_map(|object| {
            let digest: Digest = object.location.filename()?.parse().ok()?;
            (self.place(&digest) == object.location).then_some(digest)
        });
        let mut digests: Vec<Digest> = ours.collect();
        digests.sort_unstable();
        Ok(digests)
    }

    async fn delete(&self, digest: &Digest) -> Result<(), Error> {
        match self.store.delete(&self.place(digest)).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(translate("delete an artifact", error)),
        }
    }
}

struct Upload {
    artifacts: ObjectArtifacts,
    hasher: Sha256,
    buffer: Vec<u8>,
    /// What has grown too large for one request.
    parts: Option<Parts>,
    /// Whether a write has not come to its end, so that a part may be missing.
    is_broken: bool,
}

struct Parts {
    place: Path,
    upload: Box<dyn MultipartUpload>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("artifacts", &self.artifacts)
            .field("buffered", &self.buffer.len())
            .finish_non_exhaustive()
    }
}

impl Upload {
    async fn send(&mut self, part: Vec<u8>) -> Result<(), StoreError> {
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => {
                let place = self.artifacts.incoming();
                let upload = self.artifacts.store.put_multipart(&place).await?;
                none.insert(Parts { place, upload })
            }
        };
        parts.upload.put_part(PutPayload::from(part)).await
    }

    async fn finish(mut self, digest: &Digest) -> Result<(), StoreError> {
        let rest = std::mem::take(&mut self.buffer);
        if self.parts.is_none() {
            return self.artifacts.create(digest, rest).await;
        }
        if !rest.is_empty() {
            self.send(rest).await?;
        }
        let Some(Parts { place, mut upload }) = self.parts.take() else {
            return Ok(());
        };
        upload.complete().await?;
        let store = &self.artifacts.store;
        store.copy(&place, &self.artifacts.place(digest)).await?;
        // It is stored; what cannot be removed now is left to the lifecycle rule.
        store.delete(&place).await.ok();
        Ok(())
    }
}

#[async_trait]
impl ArtifactUpload for Upload {
    async fn write(&mut self, chunk: &[u8]) -> Result<(), Error> {
        if std::mem::replace(&mut self.is_broken, true) {
            return Err(broken_upload());
        }
        self.hasher.update(chunk);
        self.buffer.extend_from_slice(chunk);
        // Parts of one size, as some stores demand.
        while self.buffer.len() >= PART {
            let rest = self.buffer.split_off(PART);
            let part = std::mem::replace(&mut self.buffer, rest);
            let sent = self.send(part).await;
            sent.map_err(|error| translate(PUT, error))?;
        }
        self.is_broken = false;
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Digest, Error> {
        let mut upload = *self;
        if upload.is_broken {
            return Err(broken_upload());
        }
        let digest = Digest::from_bytes(upload.hasher.finalize_reset().into());
        let finished = Upload::finish(upload, &digest).await;
        finished.map_err(|error| translate(PUT, error))?;
        Ok(digest)
    }
}

struct Download {
    digest: Digest,
    /// Nothing after the end, after a failure, and after a read that was cut off.
    reading: Option<Reading>,
    /// Whether the end was reached and the digest was right.
    is_whole: bool,
}

struct Reading {
    chunks: BoxStream<'static, Result<bytes::Bytes, StoreError>>,
    hasher: Sha256,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download")
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ArtifactDownload for Download {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.is_whole {
            return Ok(None);
        }
        let reading = self.reading.take();
        let mut reading = reading.ok_or_else(|| broken_download(&self.digest))?;
        let chunk = reading.chunks.try_next().await;
        match chunk.map_err(|error| translate(LOAD, error))? {
            Some(chunk) => {
                reading.hasher.update(&chunk);
                self.reading = Some(reading);
                Ok(Some(chunk.to_vec()))
            }
            None if Digest::from_bytes(reading.hasher.finalize().into()) == self.digest => {
                self.is_whole = true;
                Ok(None)
            }
            None => Err(corrupt_artifact(&self.digest)),
        }
    }
}

/// Turns an error of an object store into one of ours.
pub(crate) fn translate(operation: &'static str, error: StoreError) -> Error {
    let (kind, message) = match &error {
        StoreError::NotFound { .. } => (ErrorKind::NotFound, "the object store does not have it"),
        StoreError::AlreadyExists { .. } | StoreError::Precondition { .. } => {
            (ErrorKind::Conflict, "another wrote it first")
        }
        StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => (
            ErrorKind::Unauthorised,
            "the object store does not accept the credentials",
        ),
        StoreError::InvalidPath { .. }
        | StoreError::NotSupported { .. }
        | StoreError::NotImplemented { .. } => {
            (ErrorKind::Invalid, "the object store cannot do it")
        }
        _ => (ErrorKind::Unavailable, "the object store did not do it"),
    };
    Error::new(kind, operation, message).caused_by(error)
}

/// Counts for the whole process: two stores with one prefix and one writer must not meet.
static UPLOADS: AtomicU64 = AtomicU64::new(0);

/// The smallest that S3 takes for every part but the last is 5 MiB.
const PART: usize = 8 << 20;

const PUT: &str = "store an artifact";
const LOAD: &str = "load an artifact";

#[cfg(test)]
mod tests;
