//! Reading files that may be huge, and writing files that must be whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// Appends a file to a buffer, unless it is longer than a limit.
pub(super) fn read_bounded(
    path: &Path,
    limit: usize,
    into: &mut Vec<u8>,
    operation: &'static str,
) -> Result<(), Error> {
    let failed = |source| io_error(operation, path, source);
    let file = File::open(path).map_err(failed)?;
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = file.take(most).read_to_end(into).map_err(failed)?;
    if read > limit {
        let message = format!("the file is longer than {limit} bytes");
        let error = Error::new(ErrorKind::Invalid, operation, message);
        return Err(error.with("file", path.display()));
    }
    Ok(())
}

/// The SHA-256 digest of a file, read through a fixed buffer.
pub(super) fn digest(path: &Path, operation: &'static str) -> Result<Digest, Error> {
    let failed = |source| io_error(operation, path, source);
    let mut file = File::open(path).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; BUFFER];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Digest::from_bytes(hasher.finalize().into())),
            Ok(read) => hasher.update(buffer.get(..read).unwrap_or_default()),
            Err(source) if source.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(failed(source)),
        }
    }
}

/// Puts bytes in place of a file so that a crash leaves the old file or the new one, never a part.
pub(super) fn replace(path: &Path, bytes: &[u8], operation: &'static str) -> Result<(), Error> {
    let failed = |source| io_error(operation, path, source);
    let directory = directory_of(path);
    let Some(name) = path.file_name() else {
        let error = Error::new(ErrorKind::Invalid, operation, "the path names no file");
        return Err(error.with("file", path.display()));
    };
    let mut suffix = [0_u8; 8];
    getrandom::fill(&mut suffix).map_err(|source| {
        let message = "the operating system gives no randomness";
        Error::new(ErrorKind::Unavailable, operation, message).caused_by(source)
    })?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{:016x}.tmp", u64::from_le_bytes(suffix)));
    let temporary = directory.join(temporary);

    let written = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if let Err(source) = written {
        // Best effort: the error that matters is the one above.
        drop(fs::remove_file(&temporary));
        return Err(failed(source));
    }
    sync_directory(directory).map_err(failed)
}

/// The directory that holds a path, as a path that can be opened.
pub(super) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

pub(super) fn io_error(operation: &'static str, path: &Path, source: io::Error) -> Error {
    let (kind, message) = match source.kind() {
        io::ErrorKind::NotFound => (ErrorKind::NotFound, "there is no such file"),
        io::ErrorKind::PermissionDenied => (ErrorKind::Invalid, "access to the file is denied"),
        io::ErrorKind::IsADirectory => (ErrorKind::Invalid, "it is a directory, not a file"),
        io::ErrorKind::NotADirectory => {
            (ErrorKind::Invalid, "a file stands where a directory should")
        }
        io::ErrorKind::InvalidInput => (ErrorKind::Invalid, "it is no legal path"),
        _ => (ErrorKind::Unavailable, "the file system failed"),
    };
    Error::new(kind, operation, message)
        .with("file", path.display())
        .caused_by(source)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Elsewhere a directory cannot be opened as a file; the rename is as durable as the file system makes it.
#[cfg(not(unix))]
fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

const BUFFER: usize = 1 << 20;
