//! The audit log of a run: signed, in a folder of its own, with its key and its witness outside of that.

use std::fs::File;
use std::io::{ErrorKind as IoErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use noops_core::merkle::{Checkpoint, NoteSigner};
use noops_core::{FileWitness, TileLog, TileLogSettings, VerifiedLog, verify_directory};

use crate::failure::{Failure, fail};
use crate::files::write_secret;
use crate::settings;

/// Where the audit log of a run lies, what signs it, and what remembers how far it had come.
///
/// In earnest the witness belongs where whoever can write the log cannot write: on another machine, in a repository, in a bucket.
#[derive(Clone, Debug)]
pub(crate) struct AuditFolder {
    log: PathBuf,
    key: PathBuf,
    witness: PathBuf,
}

impl AuditFolder {
    /// The places within the folder of a run.
    pub(crate) fn of(run: &Path) -> Self {
        Self {
            log: run.join("audit"),
            key: run.join("audit-key"),
            witness: run.join("witness"),
        }
    }

    /// The directory of the log, which can be verified alone.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// The file with the newest checkpoint that was shown to the witness.
    pub(crate) fn witness(&self) -> &Path {
        &self.witness
    }

    /// Opens the log for writing, and begins one where there is none. What a killed process had written down is signed now.
    pub(crate) async fn open(&self) -> Result<TileLog, Failure> {
        let signer = match self.read_key()? {
            Some(signer) => signer,
            None => self.make_key()?,
        };
        let witness = FileWitness::new(&self.witness, signer.verifier());
        let is_witnessed = witness.read()?.is_some();
        let settings = TileLogSettings::default().with_witness(Arc::new(witness));
        let log = TileLog::open(&self.log, signer, settings).await?;
        // The empty log is witnessed before anything is written down.
        if !is_witnessed && log.size().await? > 0 {
            return Err(self.unwitnessed());
        }
        log.checkpoint().await?;
        Ok(log)
    }

    /// Checks every byte of the log, its signature, and that it continues what was witnessed.
    pub(crate) fn verify(&self) -> Result<VerifiedLog, Failure> {
        let verifier = match self.read_key()? {
            Some(signer) => signer.verifier(),
            None => return Err(self.keyless()),
        };
        let newest = FileWitness::new(&self.witness, verifier.clone()).read()?;
        let witnessed: Option<&Checkpoint> = newest.as_ref().map(|newest| newest.checkpoint());
        let verified = verify_directory(&self.log, &verifier, witnessed)?;
        if witnessed.is_none() && !verified.entries().is_empty() {
            return Err(self.unwitnessed());
        }
        Ok(verified)
    }

    fn read_key(&self) -> Result<Option<NoteSigner>, Failure> {
        let mut text = String::new();
        let read =
            File::open(&self.key).and_then(|file| file.take(MAX_KEY).read_to_string(&mut text));
        match read {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), IoErrorKind::NotFound) => return Ok(None),
            Err(error) => {
                return Err(fail(format!(
                    "cannot read the key `{}`: {error}",
                    self.key.display()
                )));
            }
        }
        NoteSigner::from_secret_text(text.trim_end())
            .map(Some)
            .map_err(|error| {
                fail(format!(
                    "`{}` is no key of an audit log: {error}",
                    self.key.display()
                ))
            })
    }

    /// Makes the key, which is durable before anything is signed with it.
    fn make_key(&self) -> Result<NoteSigner, Failure> {
        if self.log.exists() {
            return Err(self.keyless());
        }
        let name = format!("autopilot/{}", settings::MODEL);
        let signer = NoteSigner::generate(&name)
            .map_err(|error| fail(format!("cannot make a key for the audit log: {error}")))?;
        write_secret(&self.key, signer.to_secret_text().as_bytes())?;
        Ok(signer)
    }

    fn keyless(&self) -> Failure {
        fail(format!(
            "the key `{}` of the audit log is missing; restore it from a copy",
            self.key.display()
        ))
    }

    fn unwitnessed(&self) -> Failure {
        fail(format!(
            "the witness `{}` is missing, so that nobody can tell whether the audit log was cut; restore it from a copy",
            self.witness.display()
        ))
    }
}

/// A key is one line.
const MAX_KEY: u64 = 64 << 10;
