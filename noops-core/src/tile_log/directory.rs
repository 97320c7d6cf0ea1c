use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file_system::{FileSystem, OpenFile};
use super::journal;
use super::recovery::PUBLIC_KEY;
use super::storage::{CHECKPOINT, Journal, READ, Storage, WRITE, corrupt};
use crate::error::{Error, ErrorKind};
use crate::merkle::Tile;

/// A log in a directory of this machine, locked against other writers.
pub(super) struct Directory {
    root: PathBuf,
    files: Arc<dyn FileSystem>,
    journal: Mutex<Box<dyn OpenFile>>,
    // Folders that this writer found or made. What it made is durable before a checkpoint counts on it; after a failure nothing is written.
    folders: Mutex<BTreeSet<PathBuf>>,
    // Held until the log is dropped.
    _lock: Box<dyn Debug + Send + Sync>,
}

impl Directory {
    /// Opens a directory for writing, created when absent.
    pub(super) fn open(root: PathBuf, files: Arc<dyn FileSystem>) -> Result<Self, Error> {
        let fault = |error| failed(WRITE, &root, error);
        create_with_parents(files.as_ref(), &root).map_err(fault)?;
        let lock = files
            .lock(&root.join(LOCK))
            .map_err(fault)?
            .ok_or_else(|| in_use(&root))?;
        let journal = files.append(&root.join(journal::NAME)).map_err(fault)?;
        files.sync_folder(&root).map_err(fault)?;
        Ok(Self {
            journal: Mutex::new(journal),
            folders: Mutex::new(BTreeSet::from([root.clone()])),
            _lock: lock,
            files,
            root,
        })
    }

    /// Writes one chunk: all contents first, then all syncs, so that a file system can make them durable together.
    fn put_chunk(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        let mut folders = BTreeSet::new();
        let mut names = Vec::with_capacity(files.len());
        let mut open = Vec::with_capacity(files.len());
        for (path, bytes) in files {
            let target = self.root.join(path);
            let temporary = temporary_of(&target);
            let folder = target.parent().unwrap_or(&self.root).to_path_buf();
            self.ensure_folder(&folder, &mut folders)?;
            folders.insert(folder);
            let mut file = self.attempt(&temporary, |path| self.files.create(path))?;
            self.attempt(&temporary, |_| file.write(bytes))?;
            open.push(file);
            names.push((temporary, target));
        }
        self.attempt(&self.root, |_| self.files.sync_files(&mut open))?;
        for (temporary, target) in &names {
            self.attempt(target, |target| self.files.rename(temporary, target))?;
        }
        for folder in &folders {
            self.attempt(folder, |folder| self.files.sync_folder(folder))?;
        }
        Ok(())
    }

    /// Creates a folder that is missing. The folders to sync for that are added to `changed`.
    fn ensure_folder(&self, folder: &Path, changed: &mut BTreeSet<PathBuf>) -> Result<(), Error> {
        let mut known = lock(&self.folders);
        if known.contains(folder) {
            return Ok(());
        }
        let below = folder.strip_prefix(&self.root).unwrap_or(folder);
        let mut parent = self.root.clone();
        for part in below.components() {
            let child = parent.join(part);
            if !known.contains(&child) {
                self.attempt(&child, |child| self.files.create_folder(child))?;
                changed.insert(parent);
                known.insert(child.clone());
            }
            parent = child;
        }
        Ok(())
    }

    fn attempt<T>(
        &self,
        path: &Path,
        operation: impl FnOnce(&Path) -> io::Result<T>,
    ) -> Result<T, Error> {
        operation(path).map_err(|error| failed(WRITE, path, error))
    }
}

impl Storage for Directory {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        read(self.files.as_ref(), &self.root, path, limit)
    }

    fn put(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        files
            .chunks(FILES_AT_ONCE)
            .try_for_each(|chunk| self.put_chunk(chunk))
    }

    fn publish(&self, checkpoint: &[u8]) -> Result<(), Error> {
        self.put_chunk(&[(CHECKPOINT.to_owned(), checkpoint.to_vec())])
    }

    fn discard(&self, paths: &[String]) {
        let mut known = lock(&self.folders);
        for path in paths {
            let path = self.root.join(path);
            // The next opening removes what stays now.
            self.files.remove_file(&path).ok();
            if let Some(folder) = path.parent().filter(|folder| is_of_partials(folder)) {
                known.remove(folder);
                self.files.remove_folder(folder).ok();
            }
        }
    }

    fn is_fresh(&self) -> Result<bool, Error> {
        let known = [LOCK, PUBLIC_KEY, journal::NAME];
        let others = all_files(self.files.as_ref(), &self.root)?
            .into_iter()
            .any(|path| !known.contains(&path.as_str()) && !is_temporary(&path));
        Ok(!others && Journal::read(self)?.is_empty())
    }

    fn tidy(&self, partials_in_use: &BTreeSet<String>) -> Result<(), Error> {
        let untidy: Vec<String> = all_files(self.files.as_ref(), &self.root)?
            .into_iter()
            .filter(|path| {
                let partial = Tile::parse_path(path).is_ok() && path.contains(".p/");
                is_temporary(path) || (partial && !partials_in_use.contains(path))
            })
            .collect();
        self.discard(&untidy);
        Ok(())
    }

    fn journal(&self) -> Option<&dyn Journal> {
        Some(self)
    }
}

impl Journal for Directory {
    fn read(&self) -> Result<Vec<u8>, Error> {
        read(
            self.files.as_ref(),
            &self.root,
            journal::NAME,
            journal::MAX_JOURNAL,
        )
        .map(Option::unwrap_or_default)
    }

    fn append(&self, bytes: &[u8]) -> Result<(), Error> {
        let mut file = lock(&self.journal);
        let path = self.root.join(journal::NAME);
        self.attempt(&path, |_| file.write(bytes))?;
        self.attempt(&path, |_| file.sync())
    }

    fn truncate(&self, length: u64) -> Result<(), Error> {
        let mut file = lock(&self.journal);
        let path = self.root.join(journal::NAME);
        self.attempt(&path, |_| file.truncate(length))?;
        self.attempt(&path, |_| file.sync())
    }
}

impl Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

/// The bytes of a file below a root; `None` when there is none.
pub(super) fn read(
    files: &dyn FileSystem,
    root: &Path,
    path: &str,
    limit: u64,
) -> Result<Option<Vec<u8>>, Error> {
    match files.read(&root.join(path), limit) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(corrupt(path, "it is no file, or larger than it can be"))
        }
        Err(error) => Err(failed(READ, &root.join(path), error)),
    }
}

/// The paths of all files below a root, with `/` between their parts, in order.
pub(super) fn all_files(files: &dyn FileSystem, root: &Path) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        let listed = match files.list(&path) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(READ, &path, error)),
        };
        for entry in listed {
            let path = if folder.is_empty() {
                entry.name
            } else {
                format!("{folder}/{}", entry.name)
            };
            // No path of a log has more parts than this.
            if entry.is_folder && path.split('/').count() < MAX_PARTS {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Replaces a file in one step, durable on return.
pub(super) fn replace(files: &dyn FileSystem, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_of(path);
    let mut file = files.create(&temporary)?;
    file.write(bytes)?;
    file.sync()?;
    files.rename(&temporary, path)?;
    match path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        Some(parent) => files.sync_folder(parent),
        None => files.sync_folder(Path::new(".")),
    }
}

/// Creates a folder and those above it that are missing, all durable on return.
pub(super) fn create_with_parents(files: &dyn FileSystem, folder: &Path) -> io::Result<()> {
    match files.create_folder(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = folder
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            let Some(parent) = parent else {
                return Err(error);
            };
            create_with_parents(files, parent)?;
            files.create_folder(folder)?;
        }
        done => done?,
    }
    match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => files.sync_folder(Path::new(".")),
        Some(parent) => files.sync_folder(parent),
        None => Ok(()),
    }
}

/// A failed operation on a file.
pub(super) fn failed(operation: &'static str, path: &Path, error: io::Error) -> Error {
    let message = "the file system refused; look at its space, its rights and its health";
    Error::new(ErrorKind::Unavailable, operation, message)
        .with("file", path.display())
        .caused_by(error)
}

/// Whether a path is that of a file that was never finished.
pub(super) fn is_temporary(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with('.') && name.ends_with(".tmp")
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a file is until it is whole.
pub(super) fn temporary_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.tmp"))
}

fn is_of_partials(folder: &Path) -> bool {
    folder.extension().is_some_and(|extension| extension == "p")
}

fn in_use(root: &Path) -> Error {
    let message =
        "another process has this log open for writing; close it there, or use another directory";
    Error::new(ErrorKind::Conflict, "open the audit log", message).with("directory", root.display())
}

/// The name of the file whose lock keeps a second writer out.
pub(super) const LOCK: &str = "lock";

/// So many files are open at once while they are written.
const FILES_AT_ONCE: usize = 64;

/// `tile/entries/x000/.../x000/000.p/1` with room for 64-bit indexes.
const MAX_PARTS: usize = 16;
