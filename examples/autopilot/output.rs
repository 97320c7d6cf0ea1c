//! The folder a run belongs to.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use noops_core::{AuditEntry, AuditLog, Digest, Sqlite};
use noops_serve::{ControlSettings, PolicyDocument};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::failure::{Failure, fail};
use crate::report::{Report, Timeline, html};

/// What makes two runs the same run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    seed: u64,
    data: Digest,
    policies: Digest,
    settings: Digest,
}

impl Identity {
    pub(crate) fn new(
        seed: u64,
        data: Digest,
        policies: &[PolicyDocument],
        settings: &ControlSettings,
    ) -> Self {
        let (policies, settings) = (Digest::of_json(policies), Digest::of_json(settings));
        Self {
            seed,
            data,
            policies,
            settings,
        }
    }
}

/// An output folder, held by this process alone.
#[derive(Debug)]
pub(crate) struct Output {
    folder: PathBuf,
    database: Sqlite,
    /// Held while the folder is in use; the system releases it when the process dies, however it dies.
    _lock: File,
}

impl Output {
    /// Opens the folder of a run: a new one, or one that the same run was cut off in.
    pub(crate) async fn open(folder: &Path, identity: &Identity) -> Result<Self, Failure> {
        let create = || fs::create_dir_all(folder);
        create().map_err(|error| {
            fail(format!(
                "cannot create the output folder `{}`: {error}",
                folder.display()
            ))
        })?;
        // Held before anything is read: two runs that begin at once must not both believe that the folder is theirs.
        let lock = lock(folder)?;
        let known = read_identity(folder)?;
        if let Some(known) = &known {
            refuse_another_run(folder, known, identity)?;
        } else if folder.join(DATABASE).exists() {
            return Err(fail(format!(
                "`{}` holds a database but no run; choose another --out",
                folder.display()
            )));
        }
        if known.is_none() {
            write_atomically(&folder.join(RUN), &to_json(identity)?)?;
        }
        let database = Sqlite::open(&folder.join(DATABASE)).await?;
        Ok(Self {
            folder: folder.to_owned(),
            database,
            _lock: lock,
        })
    }

    /// Opens the folder of a run that exists.
    pub(crate) async fn read(folder: &Path) -> Result<Self, Failure> {
        if read_identity(folder)?.is_none() || !folder.join(DATABASE).exists() {
            return Err(fail(format!("there is no run in `{}`", folder.display())));
        }
        let lock = lock(folder)?;
        let database = Sqlite::open(&folder.join(DATABASE)).await?;
        Ok(Self {
            folder: folder.to_owned(),
            database,
            _lock: lock,
        })
    }

    /// The database.
    pub(crate) fn database(&self) -> &Sqlite {
        &self.database
    }

    /// The file of the scores.
    pub(crate) fn scores(&self) -> PathBuf {
        self.folder.join("scores.bin")
    }

    /// The report a person opens.
    pub(crate) fn page(&self) -> PathBuf {
        self.folder.join(PAGE)
    }

    /// All audit entries.
    pub(crate) async fn audit_entries(&self) -> Result<Vec<AuditEntry>, Failure> {
        Ok(self.database.audit_log().entries().await?)
    }

    /// Writes `report.json` and `report.html`.
    pub(crate) fn write_reports(
        &self,
        report: &Report,
        timeline: &Timeline,
    ) -> Result<(), Failure> {
        write_atomically(&self.folder.join(REPORT), report.to_json().as_bytes())?;
        write_atomically(
            &self.folder.join(PAGE),
            html::render(report, timeline).as_bytes(),
        )
    }

    /// Writes the decisions, one a line.
    pub(crate) fn write_decisions(&self, entries: &[AuditEntry]) -> Result<(), Failure> {
        let mut lines = String::new();
        for entry in entries {
            let subject = entry.record.body.get("subject");
            let because = entry.record.body.get("because");
            let line = json!({
                "sequence": entry.sequence,
                "at": entry.record.at,
                "action": entry.record.kind,
                "subject": subject,
                "because": because,
                "hash": entry.hash,
            });
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
        write_atomically(&self.folder.join(DECISIONS), lines.as_bytes())
    }

    /// Notes the last entry of the log beside it, which shows when the log is cut short.
    pub(crate) fn write_head(&self, entries: &[AuditEntry]) -> Result<(), Failure> {
        match entries.last() {
            Some(last) => write_atomically(
                &self.folder.join(HEAD),
                format!("{} {}", last.sequence, last.hash).as_bytes(),
            ),
            None => Ok(()),
        }
    }

    /// Checks that the log still holds the entry that was noted last.
    pub(crate) fn check_head(&self, entries: &[AuditEntry]) -> Result<(), Failure> {
        let path = self.folder.join(HEAD);
        let noted = match fs::read_to_string(&path) {
            Ok(noted) => noted,
            // Nothing is noted before the first day has been saved.
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound) => return Ok(()),
            Err(error) => return Err(fail(format!("cannot read `{}`: {error}", path.display()))),
        };
        if entries
            .iter()
            .any(|entry| format!("{} {}", entry.sequence, entry.hash) == noted)
        {
            return Ok(());
        }
        Err(fail(
            "the audit log lacks the entry that this run noted last: something was cut off or changed",
        ))
    }
}

fn read_identity(folder: &Path) -> Result<Option<Identity>, Failure> {
    let path = folder.join(RUN);
    match fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|error| {
            fail(format!(
                "`{}` does not describe a run: {error}",
                path.display()
            ))
        }),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(fail(format!("cannot read `{}`: {error}", path.display()))),
    }
}

fn refuse_another_run(folder: &Path, known: &Identity, wanted: &Identity) -> Result<(), Failure> {
    let differs = if known.seed != wanted.seed {
        format!("seed {}, not {}", known.seed, wanted.seed)
    } else if known.data != wanted.data {
        "other flights".to_owned()
    } else if known.policies != wanted.policies {
        "other policies".to_owned()
    } else if known.settings != wanted.settings {
        "other settings".to_owned()
    } else {
        return Ok(());
    };
    Err(fail(format!(
        "`{}` belongs to a run with {differs}; choose another --out",
        folder.display()
    )))
}

fn lock(folder: &Path) -> Result<File, Failure> {
    let path = folder.join("lock");
    let cannot = |error: std::io::Error| {
        fail(format!(
            "cannot lock the output folder `{}`: {error}",
            folder.display()
        ))
    };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(fail(format!(
            "another run is using `{}`; wait for it or choose another --out",
            folder.display()
        ))),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let unfinished = path.with_extension("unfinished");
    let write = || {
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    };
    write().map_err(|error| fail(format!("cannot write `{}`: {error}", path.display())))
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec_pretty(value).map_err(|error| fail(format!("cannot write JSON: {error}")))
}

const RUN: &str = "run.json";
const DATABASE: &str = "state.sqlite";
const REPORT: &str = "report.json";
const PAGE: &str = "report.html";
const DECISIONS: &str = "decisions.jsonl";
const HEAD: &str = "audit.head";
