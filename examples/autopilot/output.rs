//! The folder a run belongs to.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use noops_core::{
    AuditEntry, AuditLog, Digest, DirectoryArtifacts, FencingToken, LeaseName, LeaseStore,
    SqlDatabase, TileLog, Timestamp, VerifiedLog,
};
use noops_serve::{ControlSettings, PolicyDocument};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::AuditFolder;
use crate::failure::{Failure, fail};
use crate::files::write_atomically;
use crate::report::{Report, Timeline, html};
use crate::settings;

/// What makes two runs the same run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Which files of the folder hold what; 0 before it was noted.
    #[serde(default)]
    layout: u32,
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
            layout: LAYOUT,
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
    database: SqlDatabase,
    artifacts: DirectoryArtifacts,
    audit: AuditFolder,
    log: Arc<TileLog>,
    /// Who acts: this run, whichever of its processes.
    holder: String,
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
        let audit = AuditFolder::of(folder);
        if let Some(known) = &known {
            refuse_another_run(folder, known, identity)?;
        } else if folder.join(DATABASE).exists() || audit.log().exists() {
            return Err(fail(format!(
                "`{}` holds a database or an audit log but no run; choose another --out",
                folder.display()
            )));
        }
        if known.is_none() {
            write_atomically(&folder.join(RUN), &to_json(identity)?)?;
        }
        let database = SqlDatabase::open(&folder.join(DATABASE)).await?;
        let artifacts = DirectoryArtifacts::open(&folder.join(ARTIFACTS)).await?;
        let log = Arc::new(audit.open().await?);
        Ok(Self {
            folder: folder.to_owned(),
            database,
            artifacts,
            audit,
            log,
            holder: Digest::of_json(identity).to_string(),
            _lock: lock,
        })
    }

    /// Verifies the audit log of a run that exists and is not under way, and changes nothing.
    pub(crate) fn verify(folder: &Path) -> Result<VerifiedLog, Failure> {
        let known = read_identity(folder)?
            .ok_or_else(|| fail(format!("there is no run in `{}`", folder.display())))?;
        refuse_another_layout(folder, &known)?;
        let _lock = lock(folder)?;
        AuditFolder::of(folder).verify()
    }

    /// The right to act for this run, on the clock of the replay.
    ///
    /// Decisions are hashed with it, so a run that goes on after it was cut off gets the same again.
    pub(crate) async fn lead(&self, now: Timestamp) -> Result<FencingToken, Failure> {
        let name = format!("{}.control", settings::MODEL)
            .parse::<LeaseName>()
            .map_err(|error| fail(error.to_string()))?;
        let leases = self.database.leases();
        let lease = leases.acquire(&name, &self.holder, now, LEASE_TIME).await?;
        Ok(lease.token)
    }

    /// The database.
    pub(crate) fn database(&self) -> &SqlDatabase {
        &self.database
    }

    /// The artifacts.
    pub(crate) fn artifacts(&self) -> &DirectoryArtifacts {
        &self.artifacts
    }

    /// The audit log.
    pub(crate) fn audit_log(&self) -> Arc<TileLog> {
        self.log.clone()
    }

    /// Where the audit log is.
    pub(crate) fn audit(&self) -> &AuditFolder {
        &self.audit
    }

    /// The file of the scores.
    pub(crate) fn scores(&self) -> PathBuf {
        self.folder.join("scores.bin")
    }

    /// The report a person opens.
    pub(crate) fn page(&self) -> PathBuf {
        self.folder.join(PAGE)
    }

    /// The file of the database, which the example `registry` reads.
    pub(crate) fn database_file(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }

    /// All audit entries.
    pub(crate) async fn audit_entries(&self) -> Result<Vec<AuditEntry>, Failure> {
        Ok(self.log.entries().await?)
    }

    /// Signs the audit log as far as it has come, and shows it to the witness.
    pub(crate) async fn checkpoint(&self) -> Result<(), Failure> {
        self.log.checkpoint().await?;
        Ok(())
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

fn refuse_another_layout(folder: &Path, known: &Identity) -> Result<(), Failure> {
    if known.layout == LAYOUT {
        return Ok(());
    }
    Err(fail(format!(
        "`{}` belongs to a run of another release, which kept its files otherwise; choose another --out",
        folder.display()
    )))
}

fn refuse_another_run(folder: &Path, known: &Identity, wanted: &Identity) -> Result<(), Failure> {
    refuse_another_layout(folder, known)?;
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

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec_pretty(value).map_err(|error| fail(format!("cannot write JSON: {error}")))
}

const RUN: &str = "run.json";
const DATABASE: &str = "state.sqlite";
const ARTIFACTS: &str = "artifacts";
const REPORT: &str = "report.json";
const PAGE: &str = "report.html";
const DECISIONS: &str = "decisions.jsonl";

/// Counts up whenever a run of an earlier release could not go on.
const LAYOUT: u32 = 1;

/// Longer than a replay: on its clock no time passes while nobody replays, and nobody else may take over.
const LEASE_TIME: Duration = Duration::from_secs(2 * 365 * 24 * 60 * 60);
