use std::collections::BTreeSet;
use std::fmt::Debug;

use crate::error::{Error, ErrorKind};

/// Where the files of a log are. All calls block.
pub(super) trait Storage: Debug + Send + Sync + 'static {
    /// The bytes of a file; `None` when there is none, [`Corrupt`](ErrorKind::Corrupt) when there are more than `limit`.
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error>;

    /// Writes files, each whole or not at all, all of them durable on return.
    fn put(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error>;

    /// Replaces the checkpoint, provided nobody else has since this log was opened: [`Fenced`](ErrorKind::Fenced) otherwise.
    fn publish(&self, checkpoint: &[u8]) -> Result<(), Error>;

    /// Removes files that no checkpoint needs any more. One that stays is only untidy.
    fn discard(&self, paths: &[String]);

    /// Whether nothing was ever appended here.
    fn is_fresh(&self) -> Result<bool, Error>;

    /// Removes what an end without notice left behind: unfinished files, and partial files other than those in use.
    fn tidy(&self, partials_in_use: &BTreeSet<String>) -> Result<(), Error>;

    /// The journal, where there is one. Where there is none, every group commit publishes a checkpoint.
    fn journal(&self) -> Option<&dyn Journal>;
}

/// A file that grows at its end.
pub(super) trait Journal {
    /// All of it.
    fn read(&self) -> Result<Vec<u8>, Error>;

    /// Adds bytes, durable on return.
    fn append(&self, bytes: &[u8]) -> Result<(), Error>;

    /// Cuts it off, durable on return.
    fn truncate(&self, length: u64) -> Result<(), Error>;
}

/// The name of the checkpoint.
pub(super) const CHECKPOINT: &str = "checkpoint";

/// The largest checkpoint that is read.
pub(super) const MAX_CHECKPOINT: u64 = 64 << 10;

/// What every error of reading a log is about.
pub(super) const READ: &str = "read the audit log";

/// What every error of writing a log is about.
pub(super) const WRITE: &str = "append to the audit log";

/// Stored bytes that are not what was stored.
pub(super) fn corrupt(file: impl std::fmt::Display, message: &str) -> Error {
    Error::new(ErrorKind::Corrupt, READ, message).with("file", file)
}
