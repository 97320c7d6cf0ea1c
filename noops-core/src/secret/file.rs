use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::{LONGEST, READ, Secret, SecretName, Secrets, from_bytes, unusable};
use crate::error::{Error, ErrorKind};

/// Secrets in the files of a directory, one file per secret, as Kubernetes and Docker mount them.
///
/// One line end after the text is left out; the rest is taken as it is. A file may have up to 64 KiB. Links are followed as long
/// as they stay inside the directory, as the `..data` of a Kubernetes mount does.
///
/// Every call reads the file, so that the next call after a rotation sees it: a cache would have to trust the file's time of
/// change, whose clock is too coarse to tell two rotations within a few milliseconds apart. A file that changes while it is read
/// is read again. Replace a file by renaming another over it: who writes in place may be read half-way, which is seen as a
/// wrong or empty secret.
///
/// The file system is called on the thread of the caller: some metadata, and at most 64 KiB to read. A mount of secrets is a
/// local one; over a network file system these calls take as long as the network.
///
/// # Examples
///
/// ```
/// use noops_core::{FileSecrets, SecretName, Secrets};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = std::env::temp_dir().join(format!("noops-doc-secrets-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// std::fs::write(directory.join("registry-token"), "t0ken\n")?;
///
/// let secrets = FileSecrets::new(&directory);
/// let name: SecretName = "registry-token".parse()?;
/// assert_eq!(secrets.current(&name).await?.expose(), "t0ken");
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FileSecrets {
    directory: PathBuf,
}

impl FileSecrets {
    /// Secrets in a directory. Nothing is read yet: the directory may be mounted later.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    fn read(&self, name: &SecretName) -> Result<Secret, Error> {
        let message = "the file changed every time while it was read";
        let mut failure = Error::new(ErrorKind::Unavailable, READ, message).with("secret", name);
        for _ in 0..ATTEMPTS {
            match self.read_once(name) {
                Ok(Some(secret)) => return Ok(secret),
                Ok(None) => {}
                // During a rotation the file may be missing from where its link pointed a moment ago.
                Err(error) if error.kind() == ErrorKind::NotFound => failure = error,
                Err(error) => return Err(error),
            }
        }
        Err(failure)
    }

    /// `None` when the file changed while it was read.
    fn read_once(&self, name: &SecretName) -> Result<Option<Secret>, Error> {
        let failed = |error| failed(name, error);
        let path = self.locate(name)?;
        // Before it is opened: opening a pipe would wait for somebody to write.
        if !fs::metadata(&path).map_err(failed)?.is_file() {
            return Err(unusable(name, "it is not a file"));
        }
        let file = File::open(&path).map_err(failed)?;
        let before = stamp(&file.metadata().map_err(failed)?);
        // Room for all there can be, so that the buffer is never moved and leaves no copy behind.
        let mut bytes = Zeroizing::new(Vec::<u8>::with_capacity(MOST_READ + 1));
        (&file)
            .take(MOST_READ as u64)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        if stamp(&file.metadata().map_err(failed)?) != before {
            return Ok(None);
        }
        from_bytes(name, without_line_end(&bytes)).map(Some)
    }

    /// Where the file really is, links followed, and that this is inside the directory.
    fn locate(&self, name: &SecretName) -> Result<PathBuf, Error> {
        let failed = |error| failed(name, error);
        let root = fs::canonicalize(&self.directory).map_err(failed)?;
        let path = fs::canonicalize(root.join(Path::new(name.as_str()))).map_err(failed)?;
        if path.starts_with(&root) {
            Ok(path)
        } else {
            Err(unusable(
                name,
                "it is a link that leads out of the directory",
            ))
        }
    }
}

#[async_trait]
impl Secrets for FileSecrets {
    async fn current(&self, name: &SecretName) -> Result<Secret, Error> {
        self.read(name)
    }

    async fn refresh(&self, name: &SecretName) -> Result<Secret, Error> {
        self.read(name)
    }
}

/// What changes when an open file is written to, and stays when another file takes its place.
fn stamp(metadata: &Metadata) -> (u64, Option<SystemTime>) {
    (metadata.len(), metadata.modified().ok())
}

fn without_line_end(bytes: &[u8]) -> &[u8] {
    bytes
        .strip_suffix(b"\r\n")
        .or_else(|| bytes.strip_suffix(b"\n"))
        .unwrap_or(bytes)
}

fn failed(name: &SecretName, error: io::Error) -> Error {
    let (kind, message) = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            (ErrorKind::NotFound, "there is no such file")
        }
        io::ErrorKind::PermissionDenied => (
            ErrorKind::Invalid,
            "this process may not read the file; change its permissions",
        ),
        _ => (ErrorKind::Unavailable, "the file cannot be read"),
    };
    Error::new(kind, READ, message)
        .with("secret", name)
        .caused_by(error)
}

const ATTEMPTS: usize = 3;
/// The longest secret, the longest line end, and one byte more to notice what is too long.
const MOST_READ: usize = LONGEST + 3;

#[cfg(test)]
mod tests;
