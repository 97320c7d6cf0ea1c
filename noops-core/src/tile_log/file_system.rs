use std::fmt::Debug;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use super::directory::lock;

/// The few things a log asks of a file system, so that tests can fail any one of them.
pub(super) trait FileSystem: Debug + Send + Sync + 'static {
    /// Creates one folder; it may exist already.
    fn create_folder(&self, path: &Path) -> io::Result<()>;

    /// Opens a file for writing from the start, emptied.
    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// Opens a file for writing at its end, created when absent.
    fn append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// Opens a file that exists for writing from the start, with what is in it.
    fn overwrite(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// Makes durable what was written to files, in any order.
    fn sync_files(&self, files: &mut [Box<dyn OpenFile>]) -> io::Result<()>;

    /// The whole file; one larger than `limit`, and what is no file, is `InvalidData`.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;

    /// What is in a folder, in the order of names.
    fn list(&self, path: &Path) -> io::Result<Vec<Listed>>;

    /// Replaces `to` by `from` in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty folder.
    fn remove_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Locks a file until the value is dropped; `None` when somebody else holds it.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Debug + Send + Sync>>>;
}

/// A file open for writing.
pub(super) trait OpenFile: Debug + Send {
    /// Writes all bytes at the end of what was written so far.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written durable.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file off at a length; what follows is written there.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed {
    /// The name.
    pub(super) name: String,
    /// Whether a folder bears it.
    pub(super) is_folder: bool,
}

/// The file system of the machine.
#[derive(Debug)]
pub(super) struct RealFileSystem;

impl FileSystem for RealFileSystem {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            done => done,
        }
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(RealFile(File::create(path)?)))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn overwrite(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let file = OpenOptions::new().write(true).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    // Syncs that overlap share what the file system does for them: several times faster than one after the other.
    fn sync_files(&self, files: &mut [Box<dyn OpenFile>]) -> io::Result<()> {
        let helpers = files.len().min(SYNCS_AT_ONCE).saturating_sub(1);
        let rest = Mutex::new(files.iter_mut());
        let sync = || -> io::Result<()> {
            loop {
                let next = lock(&rest).next();
                match next {
                    Some(file) => file.sync()?,
                    None => return Ok(()),
                }
            }
        };
        thread::scope(|scope| {
            // A thread that cannot be started is one helper less.
            let started: Vec<_> = (0..helpers)
                .filter_map(|_| thread::Builder::new().spawn_scoped(scope, sync).ok())
                .collect();
            let mut done = sync();
            for helper in started {
                let ended = || Err(io::Error::other("a thread ended within a sync"));
                done = done.and(helper.join().unwrap_or_else(|_| ended()));
            }
            done
        })
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        // Opening a pipe that somebody put there would wait for ever.
        if !fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no file"));
        }
        let mut bytes = Vec::new();
        File::open(path)?
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "file too large"));
        }
        Ok(bytes)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Listed>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            names.push(Listed {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_folder: entry.file_type()?.is_dir(),
            });
        }
        names.sort();
        Ok(names)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    #[cfg(unix)]
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    // Elsewhere a folder cannot be opened as a file, and names are made durable with the file itself.
    #[cfg(not(unix))]
    fn sync_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Debug + Send + Sync>>> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[derive(Debug)]
struct RealFile(File);

impl OpenFile for RealFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        // The length is part of what `fdatasync` makes durable.
        self.0.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }
}

/// More do not make it faster.
const SYNCS_AT_ONCE: usize = 8;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Debug)]
    struct Counted {
        syncs: Arc<AtomicUsize>,
        fails: bool,
    }

    impl OpenFile for Counted {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<()> {
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            self.syncs.fetch_add(1, Ordering::SeqCst);
            if self.fails {
                Err(io::Error::other("injected fault"))
            } else {
                Ok(())
            }
        }

        fn truncate(&mut self, _length: u64) -> io::Result<()> {
            Ok(())
        }
    }

    fn files(count: usize, failing: Option<usize>) -> (Vec<Box<dyn OpenFile>>, Arc<AtomicUsize>) {
        let syncs = Arc::new(AtomicUsize::new(0));
        let file = |at| -> Box<dyn OpenFile> {
            Box::new(Counted {
                syncs: Arc::clone(&syncs),
                fails: failing == Some(at),
            })
        };
        let files = (0..count).map(file).collect();
        (files, syncs)
    }

    #[test]
    fn every_file_is_synced_once() {
        for count in [0, 1, 2, SYNCS_AT_ONCE, 50] {
            let (mut files, syncs) = files(count, None);
            RealFileSystem.sync_files(&mut files).unwrap();
            assert_eq!(syncs.load(Ordering::SeqCst), count);
        }
    }

    #[test]
    fn one_sync_that_fails_is_a_failure_wherever_it_is() {
        for failing in 0..20 {
            let (mut files, _) = files(20, Some(failing));
            assert!(RealFileSystem.sync_files(&mut files).is_err(), "{failing}");
        }
    }
}
