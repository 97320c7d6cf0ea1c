//! A signed audit log that lies beside the database of another program.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use noops_core::merkle::NoteVerifier;
use noops_core::{FileWitness, VerifiedLog, verify_directory};

use crate::failure::{Failure, fail};

/// The folder of a log, and what a witness has seen of it.
#[derive(Debug)]
pub(crate) struct SignedLog {
    folder: PathBuf,
    witness: PathBuf,
}

impl SignedLog {
    /// The log in the folder `audit` beside a file, if there is one.
    pub(crate) fn beside(file: &Path) -> Option<Self> {
        let log = Self {
            folder: file.with_file_name("audit"),
            witness: file.with_file_name("witness"),
        };
        log.folder.join("checkpoint").is_file().then_some(log)
    }

    /// Checks every byte of it, and adds to the notes what that does not show.
    pub(crate) fn verify(&self, notes: &mut Vec<String>) -> Result<VerifiedLog, Failure> {
        let verifier = self.key()?;
        let newest = FileWitness::new(&self.witness, verifier.clone()).read()?;
        let witnessed = newest.as_ref().map(|newest| newest.checkpoint());
        let log = verify_directory(&self.folder, &verifier, witnessed)?;
        let at = self.folder.display();
        let beside = match witnessed {
            Some(_) => format!("the key in it and the witness `{}`", self.witness.display()),
            None => "the key in it and no witness, so that it could be cut unnoticed".to_owned(),
        };
        notes.push(format!(
            "note: the audit log `{at}` was checked with {beside}; `audit_verify` compares it with copies from elsewhere"
        ));
        if log.journalled() > 0 {
            let last = log.journalled();
            notes.push(format!(
                "note: the last {last} entries of the audit log `{at}` are not signed yet"
            ));
        }
        for stray in log.strays().iter().take(SHOWN) {
            notes.push(format!(
                "note: `{stray}` is no part of the audit log `{at}`"
            ));
        }
        Ok(log)
    }

    fn key(&self) -> Result<NoteVerifier, Failure> {
        let path = self.folder.join("public-key");
        let unreadable =
            |error: &dyn std::fmt::Display| fail(format!("`{}`: {error}", path.display()));
        let mut text = String::new();
        File::open(&path)
            .and_then(|file| file.take(MAX_KEY).read_to_string(&mut text))
            .map_err(|error| unreadable(&error))?;
        NoteVerifier::parse(text.trim_end()).map_err(|error| unreadable(&error))
    }
}

/// A key is one line.
const MAX_KEY: u64 = 64 << 10;
const SHOWN: usize = 10;
