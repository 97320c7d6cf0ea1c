use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind as IoErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use super::{
    ArtifactDownload, ArtifactStore, ArtifactUpload, broken_download, broken_upload,
    corrupt_artifact, no_such_artifact,
};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// Artifacts as files of a local directory: `sha256/<two digits>/<digest>`. A clone is the same store.
///
/// A file appears whole or not at all: it is written beside, synchronised, renamed, and the directory is synchronised. Any number of processes
/// may share the directory, if its file system has locks and atomic renames. What was given up or cut off lies in `incoming` until the
/// directory is opened next. Every call needs a Tokio runtime around it, and is [`Invalid`](crate::ErrorKind::Invalid) without one.
///
/// # Examples
///
/// ```
/// use noops_core::{ArtifactStore, DirectoryArtifacts};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), noops_core::Error> {
/// # let folder = std::env::temp_dir().join(format!("noops-doc-artifacts-{}", std::process::id()));
/// let artifacts = DirectoryArtifacts::open(&folder).await?;
/// let mut upload = artifacts.upload().await?;
/// upload.write(b"wei").await?;
/// upload.write(b"ghts").await?;
/// let digest = upload.finish().await?;
/// assert_eq!(artifacts.load(&digest).await?, b"weights");
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DirectoryArtifacts {
    root: Arc<Root>,
}

impl DirectoryArtifacts {
    /// Opens a directory, and creates it where it is missing.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the directory cannot be created or written.
    pub async fn open(directory: &Path) -> Result<Self, Error> {
        let root = Root {
            directory: directory.to_owned(),
            uploads: AtomicU64::new(0),
            durable: Mutex::default(),
        };
        let root = Arc::new(root);
        blocking(OPEN, root.clone(), |root| root.prepare()).await?;
        Ok(Self { root })
    }
}

#[async_trait]
impl ArtifactStore for DirectoryArtifacts {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        let bytes = bytes.to_vec();
        blocking(PUT, self.root.clone(), move |root| {
            let mut incoming = root.begin()?;
            incoming.file.write_all(&bytes)?;
            root.keep(incoming, &digest)
        })
        .await?;
        Ok(digest)
    }

    async fn load(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let digest = *digest;
        let read = blocking(LOAD, self.root.clone(), move |root| {
            let file = found(File::open(root.file(&digest)))?;
            file.map(read_and_hash).transpose()
        });
        let (actual, bytes) = read.await?.ok_or_else(|| no_such_artifact(&digest))?;
        if actual == digest {
            Ok(bytes)
        } else {
            Err(corrupt_artifact(&digest))
        }
    }

    async fn upload(&self) -> Result<Box<dyn ArtifactUpload>, Error> {
        let incoming = blocking(PUT, self.root.clone(), |root| root.begin()).await?;
        Ok(Box::new(Upload {
            root: self.root.clone(),
            incoming: Some(incoming),
            hasher: Sha256::new(),
        }))
    }

    async fn download(&self, digest: &Digest) -> Result<Box<dyn ArtifactDownload>, Error> {
        let digest = *digest;
        let open = blocking(LOAD, self.root.clone(), move |root| {
            found(File::open(root.file(&digest)))
        });
        let file = open.await?.ok_or_else(|| no_such_artifact(&digest))?;
        Ok(Box::new(Download {
            root: self.root.clone(),
            digest,
            reading: Some((file, Sha256::new())),
            is_whole: false,
        }))
    }

    async fn list(&self) -> Result<Vec<Digest>, Error> {
        blocking(LIST, self.root.clone(), |root| root.list()).await
    }

    async fn delete(&self, digest: &Digest) -> Result<(), Error> {
        let digest = *digest;
        blocking(DELETE, self.root.clone(), move |root| {
            let file = root.file(&digest);
            found(fs::remove_file(&file))?;
            // Also when another removed it, who may have been killed before this.
            found(synchronise_parent(&file))?;
            Ok(())
        })
        .await
    }
}

#[derive(Debug)]
struct Root {
    directory: PathBuf,
    uploads: AtomicU64,
    /// The directories whose names we have synchronised ourselves.
    durable: Mutex<BTreeSet<PathBuf>>,
}

/// A file on its way in, removed when it is dropped.
#[derive(Debug)]
struct Incoming {
    /// Locked while it is written, so that it is not taken for one that was cut off.
    file: File,
    /// Nothing once it has its final name: the name it had may belong to another by then.
    path: Option<PathBuf>,
}

impl Incoming {
    fn rename(&mut self, to: &Path) -> io::Result<()> {
        let renamed = self
            .path
            .as_ref()
            .map_or(Ok(()), |path| fs::rename(path, to));
        if renamed.is_ok() {
            self.path = None;
        }
        renamed
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // What cannot be removed now is removed when the directory is opened next.
            drop(fs::remove_file(path));
        }
    }
}

impl Root {
    fn file(&self, digest: &Digest) -> PathBuf {
        let name = digest.to_string();
        let shard: String = name.chars().take(2).collect();
        self.directory.join(CONTENT).join(shard).join(name)
    }

    /// Makes the directories and removes what was cut off.
    fn prepare(&self) -> io::Result<()> {
        create_directory(&self.directory.join(CONTENT))?;
        create_directory(&self.directory.join(INCOMING))?;
        // Another process may have made them, and not have come to this.
        synchronise_parent(&self.directory.join(CONTENT))?;
        match synchronise_parent(&self.directory) {
            // We did not make it where we may not even look.
            Err(error) if error.kind() == IoErrorKind::PermissionDenied => {}
            done => done?,
        }
        let gate = self.gate()?;
        // Nobody is between creating a file and locking it.
        gate.lock()?;
        for entry in fs::read_dir(self.directory.join(INCOMING))? {
            let path = entry?.path();
            if path.extension().is_none_or(|kind| kind != PART) || !path.is_file() {
                continue;
            }
            let Some(file) = found(File::open(&path))? else {
                continue;
            };
            if file.try_lock().is_ok() {
                found(fs::remove_file(&path))?;
            }
        }
        gate.unlock()
    }

    fn gate(&self) -> io::Result<File> {
        let path = self.directory.join(INCOMING).join("gate");
        OpenOptions::new()
            .create(true)
            .truncate(false)
            // Network file systems lock for sharing only what may be read.
            .read(true)
            .write(true)
            .open(path)
    }

    fn begin(&self) -> io::Result<Incoming> {
        let gate = self.gate()?;
        gate.lock_shared()?;
        loop {
            let number = self.uploads.fetch_add(1, Ordering::Relaxed);
            let name = format!("{}-{number}.{PART}", std::process::id());
            let path = self.directory.join(INCOMING).join(name);
            match OpenOptions::new().create_new(true).write(true).open(&path) {
                Ok(file) => {
                    let path = Some(path);
                    let incoming = Incoming { file, path };
                    incoming.file.lock()?;
                    return Ok(incoming);
                }
                // A process with the same number left it or has it, or another handle on the directory.
                Err(error) if error.kind() == IoErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives a written file its name. Over a file of that name too: it has the same bytes, or is damaged.
    fn keep(&self, mut incoming: Incoming, digest: &Digest) -> io::Result<()> {
        incoming.file.sync_all()?;
        let file = self.file(digest);
        if let Some(shard) = file.parent() {
            self.make_durable(shard)?;
        }
        incoming.rename(&file)?;
        synchronise_parent(&file)
    }

    /// Makes sure that a directory is there after a power cut. That it is there now is not enough: another process may have made it, and not
    /// have synchronised it yet.
    fn make_durable(&self, directory: &Path) -> io::Result<()> {
        let is_new = make_directory(directory)?;
        if is_new || !self.durable().contains(directory) {
            synchronise_parent(directory)?;
            self.durable().insert(directory.to_owned());
        }
        Ok(())
    }

    fn durable(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self) -> io::Result<Vec<Digest>> {
        let mut digests: Vec<Digest> = Vec::new();
        for shard in fs::read_dir(self.directory.join(CONTENT))? {
            let shard = shard?;
            if !shard.file_type()?.is_dir() {
                continue;
            }
            for entry in fs::read_dir(shard.path())? {
                let entry = entry?;
                let name = entry.file_name();
                let digest = name.to_str().and_then(|name| name.parse::<Digest>().ok());
                // What does not lie where its name says is not ours.
                digests.extend(digest.filter(|digest| self.file(digest) == entry.path()));
            }
        }
        digests.sort_unstable();
        Ok(digests)
    }
}

#[derive(Debug)]
struct Upload {
    root: Arc<Root>,
    incoming: Option<Incoming>,
    hasher: Sha256,
}

#[async_trait]
impl ArtifactUpload for Upload {
    async fn write(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let mut incoming = self.incoming.take().ok_or_else(broken_upload)?;
        self.hasher.update(chunk);
        let chunk = chunk.to_vec();
        let written = blocking(PUT, self.root.clone(), move |_| {
            incoming.file.write_all(&chunk)?;
            Ok(incoming)
        });
        self.incoming = Some(written.await?);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Digest, Error> {
        let incoming = self.incoming.take().ok_or_else(broken_upload)?;
        let digest = Digest::from_bytes(self.hasher.finalize_reset().into());
        blocking(PUT, self.root.clone(), move |root| {
            root.keep(incoming, &digest)
        })
        .await?;
        Ok(digest)
    }
}

#[derive(Debug)]
struct Download {
    root: Arc<Root>,
    digest: Digest,
    /// Nothing after the end, after a failure, and after a read that was cut off.
    reading: Option<(File, Sha256)>,
    /// Whether the end was reached and the digest was right.
    is_whole: bool,
}

#[async_trait]
impl ArtifactDownload for Download {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.is_whole {
            return Ok(None);
        }
        let reading = self.reading.take();
        let (mut file, mut hasher) = reading.ok_or_else(|| broken_download(&self.digest))?;
        let read = blocking(LOAD, self.root.clone(), move |_| {
            let mut chunk = vec![0; CHUNK];
            let mut filled = 0;
            while let Some(rest) = chunk.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                match file.read(rest) {
                    Ok(0) => break,
                    Ok(read) => filled += read,
                    Err(error) if error.kind() == IoErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            chunk.truncate(filled);
            hasher.update(&chunk);
            Ok((file, hasher, chunk))
        });
        let (file, hasher, chunk) = read.await?;
        if !chunk.is_empty() {
            self.reading = Some((file, hasher));
            Ok(Some(chunk))
        } else if Digest::from_bytes(hasher.finalize().into()) == self.digest {
            self.is_whole = true;
            Ok(None)
        } else {
            Err(corrupt_artifact(&self.digest))
        }
    }
}

/// Does work that may wait for the disk where waiting hurts nobody.
async fn blocking<T: Send + 'static>(
    operation: &'static str,
    root: Arc<Root>,
    work: impl FnOnce(&Root) -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let directory = root.directory.display().to_string();
    let failed = |message: &str| {
        Error::new(ErrorKind::Unavailable, operation, message).with("directory", &directory)
    };
    let runtime = Handle::try_current().map_err(|error| {
        Error::new(ErrorKind::Invalid, operation, "call it in a Tokio runtime").caused_by(error)
    })?;
    let done = runtime.spawn_blocking(move || work(&root)).await;
    done.map_err(|error| failed("the work was cut off").caused_by(error))?
        .map_err(|error| failed("the file system did not do it").caused_by(error))
}

/// The content of a file and its digest. What is large is hashed by a thread of its own while the rest is read.
fn read_and_hash(mut file: File) -> io::Result<(Digest, Vec<u8>)> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    if length < LARGE {
        let mut bytes = Vec::with_capacity(length);
        file.read_to_end(&mut bytes)?;
        return Ok((Digest::of(&bytes), bytes));
    }
    // More than can be had is an error and no abort.
    Vec::<u8>::new()
        .try_reserve_exact(length)
        .map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    let chunks = bytes.chunks_mut(CHUNK);
    let mut hasher = thread::scope(|scope| {
        let (read, to_hash) = mpsc::channel::<&[u8]>();
        let hashing = scope.spawn(move || {
            let mut hasher = Sha256::new();
            to_hash.iter().for_each(|chunk| hasher.update(chunk));
            hasher
        });
        for chunk in chunks {
            file.read_exact(chunk)?;
            if read.send(chunk).is_err() {
                // It panicked, which joining it shows.
                break;
            }
        }
        drop(read);
        let gone = |_| io::Error::other("the thread that hashes was cut off");
        hashing.join().map_err(gone)
    })?;
    // A file that is being lengthened by somebody is not what was stored; its digest shows it.
    let rest = bytes.len();
    file.read_to_end(&mut bytes)?;
    hasher.update(bytes.get(rest..).unwrap_or_default());
    Ok((Digest::from_bytes(hasher.finalize().into()), bytes))
}

/// Nothing, rather than an error, where there is no file.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == IoErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates a directory that survives a power cut.
fn create_directory(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        create_directory(parent)?;
    }
    make_directory(path)?;
    synchronise_parent(path)
}

/// Creates one directory. Whether it was not there before.
fn make_directory(path: &Path) -> io::Result<bool> {
    match fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == IoErrorKind::AlreadyExists && path.is_dir() => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn synchronise_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

// Elsewhere a directory cannot be opened as a file, and names are made durable with the file itself.
#[cfg(not(unix))]
fn synchronise_parent(_path: &Path) -> io::Result<()> {
    Ok(())
}

const CONTENT: &str = "sha256";
const INCOMING: &str = "incoming";
const PART: &str = "part";

/// From here on a second thread is worth its start.
const LARGE: usize = 4 << 20;

/// Large enough that hashing and reading dominate, small enough for many at once.
const CHUNK: usize = 1 << 20;

const OPEN: &str = "open the artifacts";
const PUT: &str = "store an artifact";
const LOAD: &str = "load an artifact";
const LIST: &str = "list the artifacts";
const DELETE: &str = "delete an artifact";

#[cfg(test)]
mod tests;
