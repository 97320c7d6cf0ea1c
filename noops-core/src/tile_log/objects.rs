use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use futures_util::future::try_join_all;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};
use tokio::runtime::Handle;

use super::directory::lock;
use super::leaf::MAX_EVIDENCE;
use super::storage::{CHECKPOINT, Journal, READ, Storage, WRITE, corrupt};
use crate::error::{Error, ErrorKind};

/// A log in an object store. The checkpoint is replaced on condition that it is the one this writer left, so that of two writers one loses.
///
/// Whoever opens a log publishes a checkpoint of the same tree with a line of its own in it. From then on no earlier writer can publish,
/// so what one of them wrote behind the tree will never be covered and may be replaced. An object is therefore created if absent, else
/// compared, else replaced on two conditions: the checkpoint is still ours, and the object is the one that was compared. One case is left where
/// e-tags are hashes of the content: a writer that stops between the two for as long as another needs to open the log and to count the very
/// bytes that were compared in, replaces them. The log is then `Corrupt`, not wrong; a bucket with versions still has them.
#[derive(Debug)]
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    runtime: Handle,
    // The checkpoint this writer read or wrote last.
    held: Mutex<Option<UpdateVersion>>,
}

impl Objects {
    /// A log under a prefix.
    pub(super) fn new(
        store: Arc<dyn ObjectStore>,
        prefix: &str,
        runtime: Handle,
    ) -> Result<Self, Error> {
        let prefix = Path::parse(prefix).map_err(|error| {
            let message = "the prefix is no path of an object store";
            Error::new(ErrorKind::Invalid, "open the audit log", message)
                .with("prefix", prefix)
                .caused_by(error)
        })?;
        Ok(Self {
            store,
            prefix: prefix.to_string(),
            runtime,
            held: Mutex::new(None),
        })
    }

    fn location(&self, path: &str) -> Path {
        if self.prefix.is_empty() {
            Path::from(path)
        } else {
            Path::from(format!("{}/{path}", self.prefix))
        }
    }

    async fn get(&self, path: &str, limit: u64) -> Result<Option<(Vec<u8>, UpdateVersion)>, Error> {
        let options = GetOptions::default();
        let found = match self.store.get_opts(&self.location(path), options).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(READ, path, error)),
        };
        if found.meta.size > limit {
            return Err(corrupt(path, "an object is larger than it can be"));
        }
        let version = UpdateVersion {
            e_tag: found.meta.e_tag.clone(),
            version: found.meta.version.clone(),
        };
        let bytes = found
            .bytes()
            .await
            .map_err(|error| failed(READ, path, error))?;
        Ok(Some((bytes.to_vec(), version)))
    }

    async fn put_one(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let location = self.location(path);
        let payload = PutPayload::from(bytes.to_vec());
        match self
            .store
            .put_opts(&location, payload, PutMode::Create.into())
            .await
        {
            Ok(_) => return Ok(()),
            Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(failed(WRITE, path, error)),
        }
        let Some((found, version)) = self.get(path, MAX_EVIDENCE).await? else {
            return Err(fenced(path));
        };
        if found == bytes {
            return Ok(());
        }
        self.check_that_checkpoint_is_ours().await?;
        let payload = PutPayload::from(bytes.to_vec());
        let replaced = self
            .store
            .put_opts(&location, payload, PutMode::Update(version).into());
        match replaced.await {
            Ok(_) => Ok(()),
            Err(
                object_store::Error::Precondition { .. } | object_store::Error::NotFound { .. },
            ) => self.stored_by_us(path, bytes).await.map(|_| ()),
            Err(error) => Err(failed(WRITE, path, error)),
        }
    }

    /// A client that sends a request again whose answer was lost is refused because of its own first one: then what is stored is what it sent.
    async fn stored_by_us(&self, path: &str, bytes: &[u8]) -> Result<UpdateVersion, Error> {
        match self.get(path, MAX_EVIDENCE).await? {
            Some((found, version)) if found == bytes => Ok(version),
            _ => Err(fenced(path)),
        }
    }

    async fn check_that_checkpoint_is_ours(&self) -> Result<(), Error> {
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        let location = self.location(CHECKPOINT);
        let found = match self.store.get_opts(&location, options).await {
            Ok(found) => found.meta,
            Err(object_store::Error::NotFound { .. }) => return Err(fenced(CHECKPOINT)),
            Err(error) => return Err(failed(READ, CHECKPOINT, error)),
        };
        let held = lock(&self.held).clone();
        match held {
            Some(held) if held.e_tag == found.e_tag && held.version == found.version => Ok(()),
            _ => Err(fenced(CHECKPOINT)),
        }
    }
}

impl Storage for Objects {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let found = self.runtime.block_on(self.get(path, limit))?;
        let Some((bytes, version)) = found else {
            return Ok(None);
        };
        if path == CHECKPOINT {
            *lock(&self.held) = Some(version);
        }
        Ok(Some(bytes))
    }

    fn put(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        for chunk in files.chunks(AT_ONCE) {
            let all = try_join_all(chunk.iter().map(|(path, bytes)| self.put_one(path, bytes)));
            self.runtime.block_on(all)?;
        }
        Ok(())
    }

    fn publish(&self, checkpoint: &[u8]) -> Result<(), Error> {
        let mode = match lock(&self.held).clone() {
            Some(version) => PutMode::Update(version),
            None => PutMode::Create,
        };
        let location = self.location(CHECKPOINT);
        let payload = PutPayload::from(checkpoint.to_vec());
        let written = self
            .runtime
            .block_on(self.store.put_opts(&location, payload, mode.into()));
        let version = match written {
            Ok(written) => UpdateVersion {
                e_tag: written.e_tag,
                version: written.version,
            },
            // No two writers publish the same bytes: each has a line of its own in them.
            Err(
                object_store::Error::Precondition { .. }
                | object_store::Error::AlreadyExists { .. }
                | object_store::Error::NotFound { .. },
            ) => self
                .runtime
                .block_on(self.stored_by_us(CHECKPOINT, checkpoint))?,
            Err(error) => return Err(failed(WRITE, CHECKPOINT, error)),
        };
        *lock(&self.held) = Some(version);
        Ok(())
    }

    fn discard(&self, paths: &[String]) {
        for path in paths {
            // What stays takes room and harms nothing.
            self.runtime
                .block_on(self.store.delete(&self.location(path)))
                .ok();
        }
    }

    /// The first checkpoint is created before anything else and never removed by us: without one there is no log.
    fn is_fresh(&self) -> Result<bool, Error> {
        Ok(true)
    }

    fn tidy(&self, _partials_in_use: &BTreeSet<String>) -> Result<(), Error> {
        // An object is written whole or not at all, and readers of an older checkpoint may still need its partial tiles.
        Ok(())
    }

    fn journal(&self) -> Option<&dyn Journal> {
        None
    }
}

fn failed(operation: &'static str, path: &str, error: object_store::Error) -> Error {
    let (kind, message) = match &error {
        object_store::Error::NotImplemented { .. } | object_store::Error::NotSupported { .. } => (
            ErrorKind::Invalid,
            "the object store cannot replace an object on condition; use one that can, or a directory",
        ),
        object_store::Error::Unauthenticated { .. }
        | object_store::Error::PermissionDenied { .. } => (
            ErrorKind::Unauthorised,
            "the object store refused the credentials; fetch fresh ones",
        ),
        _ => (
            ErrorKind::Unavailable,
            "the object store failed or cannot be reached",
        ),
    };
    Error::new(kind, operation, message)
        .with("object", path)
        .caused_by(error)
}

fn fenced(path: &str) -> Error {
    let message = "another writer has opened this log since; stop, or open it again";
    Error::new(ErrorKind::Fenced, WRITE, message).with("object", path)
}

/// So many objects are written at once.
const AT_ONCE: usize = 16;
