use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::directory::{
    self, all_files, create_with_parents, failed, is_temporary, replace, temporary_of,
};
use super::file_system::{FileSystem, RealFileSystem};
use super::leaf::{MAX_DEPTH, is_deeper_than};
use super::queue::blocking;
use super::storage::corrupt;
use crate::audit::canonical;
use crate::digest::{Digest, DigestError};
use crate::error::{Error, ErrorKind};

/// Personal data beside a log, where it can be erased.
///
/// A log cannot forget, so personal data must never be in it. What is recorded instead is a [`Commitment`]: a salted hash that proves what was
/// decided on while the data is there, and tells nothing about it once value and salt are gone.
///
/// # Examples
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// use noops_core::PersonalData;
///
/// let directory = std::env::temp_dir().join(format!("noops-personal-example-{}", std::process::id()));
/// let personal = PersonalData::open(&directory).await?;
/// let applicant = serde_json::json!({ "name": "Ada", "income": 52_000 });
/// let commitment = personal.seal(&applicant).await?;
/// let body = serde_json::json!({ "applicant": commitment.to_body(), "decision": "grant" });
/// assert!(!body.to_string().contains("Ada"));
///
/// assert_eq!(personal.read(&commitment).await?, Some(applicant));
/// personal.erase(&commitment).await?;
/// assert_eq!(personal.read(&commitment).await?, None);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct PersonalData {
    root: PathBuf,
    files: Arc<dyn FileSystem>,
}

impl PersonalData {
    /// The store in a directory of its own, created when absent. Keep it out of backups that outlive an erasure.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) when the file system fails.
    pub async fn open(directory: impl Into<PathBuf>) -> Result<Self, Error> {
        let directory = directory.into();
        blocking(move || Self::open_on(directory, Arc::new(RealFileSystem))).await
    }

    /// Stores a value under a fresh salt; durable on return. The same value sealed twice gives two commitments that nobody can link.
    ///
    /// # Formula
    ///
    /// commitment = SHA-256 over (len, bytes) of: 32 random bytes, the value as JSON with sorted keys.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the value is nested too deep or longer than 64 MiB as JSON, [`Unavailable`](ErrorKind::Unavailable)
    /// when the file system fails.
    pub async fn seal(&self, value: &Value) -> Result<Commitment, Error> {
        if is_deeper_than(value, MAX_DEPTH) {
            let message = "the value is nested too deep; put less into each other";
            return Err(Error::new(ErrorKind::Invalid, SEAL, message).with("limit", MAX_DEPTH));
        }
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|_| {
            let message = "the operating system gave no random bytes";
            Error::new(ErrorKind::Unavailable, SEAL, message)
        })?;
        let opening = Opening {
            salt: Digest::from_bytes(salt),
            value: value.clone(),
        };
        let personal = self.clone();
        blocking(move || personal.seal_now(&opening)).await
    }

    /// The value behind a commitment, checked against it; `None` when it was erased or never here.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](ErrorKind::Corrupt) when it is not the value that was sealed.
    pub async fn read(&self, commitment: &Commitment) -> Result<Option<Value>, Error> {
        let (personal, commitment) = (self.clone(), *commitment);
        let opening = blocking(move || personal.opening(&commitment)).await?;
        Ok(opening.map(|opening| opening.value))
    }

    /// Removes a value and its salt, overwriting them first in place; a disk or file system that keeps old blocks has them still. What is erased
    /// already is no error. An erasure that a crash cut off is finished by the next one, or by the next opening; the value cannot be read meanwhile.
    ///
    /// The log keeps its leaf and stays whole. Without the 32 random bytes of the salt the commitment fits every value equally.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) when the file system fails: erase again.
    pub async fn erase(&self, commitment: &Commitment) -> Result<(), Error> {
        let (personal, commitment) = (self.clone(), *commitment);
        blocking(move || personal.erase_now(&commitment)).await
    }

    /// Value and salt behind a commitment.
    pub(super) fn opening(&self, commitment: &Commitment) -> Result<Option<Opening>, Error> {
        let name = commitment.to_string();
        let Some(bytes) = directory::read(self.files.as_ref(), &self.root, &name, MAX_VALUE)?
        else {
            return Ok(None);
        };
        let refuse = || corrupt(&name, "this is not the value that was sealed");
        let opening: Opening =
            serde_json::from_slice(&bytes).map_err(|error| refuse().caused_by(error))?;
        if opening.commitment() == *commitment {
            Ok(Some(opening))
        } else {
            Err(refuse())
        }
    }

    /// The store on a file system, without what a crash left of values that were never sealed or are to be erased.
    pub(super) fn open_on(root: PathBuf, files: Arc<dyn FileSystem>) -> Result<Self, Error> {
        create_with_parents(files.as_ref(), &root).map_err(|error| failed(SEAL, &root, error))?;
        let personal = Self { root, files };
        for path in all_files(personal.files.as_ref(), &personal.root)? {
            if is_temporary(&path) {
                personal.destroy(&personal.root.join(path))?;
            }
        }
        Ok(personal)
    }

    pub(super) fn seal_now(&self, opening: &Opening) -> Result<Commitment, Error> {
        let invalid = |message: &str| Error::new(ErrorKind::Invalid, SEAL, message);
        let bytes = serde_json::to_vec(opening)
            .map_err(|error| invalid("the value cannot be expressed as JSON").caused_by(error))?;
        if bytes.len() as u64 > MAX_VALUE {
            let message = "the value is too long; put the long part of it where it can be erased too, and seal its key";
            return Err(invalid(message).with("limit in bytes", MAX_VALUE));
        }
        let commitment = opening.commitment();
        let path = self.root.join(commitment.to_string());
        replace(self.files.as_ref(), &path, &bytes).map_err(|error| failed(SEAL, &path, error))?;
        Ok(commitment)
    }

    /// First the name goes, so that nobody reads what is half overwritten, then the bytes, then the file.
    pub(super) fn erase_now(&self, commitment: &Commitment) -> Result<(), Error> {
        let path = self.root.join(commitment.to_string());
        let doomed = temporary_of(&path);
        match self.files.rename(&path, &doomed) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(ERASE, &path, error)),
        }
        self.destroy(&doomed)
    }

    /// Overwrites a file and removes it, durable on return also if it was gone already.
    fn destroy(&self, path: &Path) -> Result<(), Error> {
        match self.overwrite_and_remove(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done.map_err(|error| failed(ERASE, path, error)),
        }
    }

    fn overwrite_and_remove(&self, path: &Path) -> io::Result<()> {
        self.files.sync_folder(&self.root)?;
        let mut file = self.files.overwrite(path)?;
        let length = self.files.read(path, MAX_VALUE)?.len();
        file.write(&vec![0; length])?;
        file.sync()?;
        drop(file);
        self.files.remove_file(path)?;
        self.files.sync_folder(&self.root)
    }
}

/// What stands in a log for personal data: a salted hash of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Commitment(Digest);

impl Commitment {
    /// What to put in the body of a record.
    #[must_use]
    pub fn to_body(&self) -> Value {
        serde_json::json!({ PERSONAL: self.to_string() })
    }

    /// All commitments in the body of a record, each once, in order.
    #[must_use]
    pub fn all_in(body: &Value) -> Vec<Self> {
        let mut found = Vec::new();
        let mut rest = vec![body];
        while let Some(value) = rest.pop() {
            match value {
                Value::Array(values) => rest.extend(values),
                Value::Object(members) => {
                    let text = members.get(PERSONAL).and_then(Value::as_str);
                    found.extend(text.and_then(|text| text.parse::<Self>().ok()));
                    rest.extend(members.values());
                }
                _ => {}
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Commitment {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.parse().map(Self)
    }
}

/// What a commitment commits to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Opening {
    pub(super) salt: Digest,
    pub(super) value: Value,
}

impl Opening {
    /// The commitment to this value under this salt.
    pub(super) fn commitment(&self) -> Commitment {
        let value = canonical(&self.value);
        Commitment(Digest::of_parts([
            &self.salt.as_bytes()[..],
            value.as_bytes(),
        ]))
    }
}

const PERSONAL: &str = "$personal";
const SEAL: &str = "seal personal data";
const ERASE: &str = "erase personal data";
const MAX_VALUE: u64 = 64 << 20;
