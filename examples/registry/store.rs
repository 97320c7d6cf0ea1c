//! The stores of a registry, and the right to change what is in them.

use std::fs::File;
use std::io::{ErrorKind as IoErrorKind, Read};
use std::path::{Display, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use noops_core::{
    ArtifactStore, AuditLog, AuditRecord, Digest, DirectoryArtifacts, Error, FencingToken, Lease,
    LeaseName, LeaseStore, ModelName, SqlAuditLog, SqlDatabase, SqlRegistry, Timestamp,
};
use serde_json::{Value, json};

use crate::failure::{Failure, fail};
use crate::signed_log::SignedLog;

/// What a command is going to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Look at what is there.
    Read,
    /// Change what is there.
    Change,
    /// Change what is there, and make it if it is not.
    Create,
}

/// An open registry.
#[derive(Debug)]
pub(crate) struct Store {
    place: PathBuf,
    database: SqlDatabase,
    artifacts: Arc<dyn ArtifactStore>,
    signatures: PathBuf,
    owner: Owner,
}

/// Who keeps a registry.
#[derive(Debug)]
enum Owner {
    /// We do, with an audit log in the database.
    This,
    /// Another program, with an audit log in the database or beside it.
    Another(Option<SignedLog>),
}

impl Store {
    /// Opens the registry in a folder, or what another program has in a SQLite file.
    pub(crate) async fn open(place: &Path, access: Access) -> Result<Self, Failure> {
        if place.is_file() {
            return Self::open_foreign(place, access).await;
        }
        let file = place.join(DATABASE);
        if access == Access::Create {
            std::fs::create_dir_all(place).map_err(|error| {
                fail(format!(
                    "cannot create the folder `{}`: {error}",
                    place.display()
                ))
            })?;
        }
        let exists = is_database(&file)?;
        if !exists && access != Access::Create {
            return Err(missing(place));
        }
        let database = SqlDatabase::open(&file).await?;
        let artifacts = DirectoryArtifacts::open(&place.join("artifacts")).await?;
        Ok(Self {
            place: place.to_owned(),
            database,
            artifacts: Arc::new(artifacts),
            signatures: place.join("signatures"),
            owner: Owner::This,
        })
    }

    /// Where it is, for messages.
    pub(crate) fn place(&self) -> Display<'_> {
        self.place.display()
    }

    pub(crate) fn registry(&self) -> SqlRegistry {
        self.database.registry()
    }

    pub(crate) fn audit_log(&self) -> SqlAuditLog {
        self.database.audit_log()
    }

    /// The audit log that another program keeps beside its database.
    pub(crate) fn signed_log(&self) -> Option<&SignedLog> {
        match &self.owner {
            Owner::Another(log) => log.as_ref(),
            Owner::This => None,
        }
    }

    /// Whether everything that changes it is in its audit log in our form.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self.owner, Owner::This)
    }

    pub(crate) fn artifacts(&self) -> &dyn ArtifactStore {
        self.artifacts.as_ref()
    }

    /// Where the signature of a version is. Two models may be made of the same bytes, and a signature names its model.
    pub(crate) fn signature(&self, model: &ModelName, digest: &Digest) -> PathBuf {
        let folder = self.signatures.join(model.as_str());
        folder.join(format!("{digest}.sig"))
    }

    /// Reads an artifact to its end, which verifies it, and returns its length.
    pub(crate) async fn read_artifact(&self, digest: &Digest) -> Result<u64, Error> {
        let mut download = self.artifacts.download(digest).await?;
        let mut length: u64 = 0;
        while let Some(chunk) = download.next().await? {
            length = length.saturating_add(chunk.len() as u64);
        }
        Ok(length)
    }

    /// Lets go of the database: what is in its log then is in its file.
    pub(crate) async fn close(self) {
        self.database.close().await;
    }

    async fn open_foreign(file: &Path, access: Access) -> Result<Self, Failure> {
        if access != Access::Read {
            return Err(fail(format!(
                "`{}` belongs to another program and is only read; give a folder to keep a registry of your own",
                file.display()
            )));
        }
        if !is_database(file)? {
            return Err(no_database(file));
        }
        // A stranger may number its tables as we number ours.
        if !holds_registry(file)? {
            return Err(fail(format!(
                "`{}` is a SQLite database, but there is no registry in it; nothing was changed",
                file.display()
            )));
        }
        let database = SqlDatabase::open_read_only(file).await?;
        Ok(Self {
            place: file.to_owned(),
            artifacts: artifacts_of(file, &database).await?,
            signatures: file.with_file_name("signatures"),
            owner: Owner::Another(SignedLog::beside(file)),
            database,
        })
    }
}

/// The right to change a registry, held by one process at a time.
#[derive(Debug)]
pub(crate) struct Acting<'a> {
    store: &'a Store,
    lease: Lease,
    now: Timestamp,
}

impl<'a> Acting<'a> {
    /// Takes the lease of the registry: one for all models, because they share an audit log whose tokens must not fall.
    pub(crate) async fn begin(store: &'a Store, now: Timestamp) -> Result<Self, Failure> {
        let name = LEASE
            .parse::<LeaseName>()
            .map_err(|error| fail(format!("cannot name the lease: {error}")))?;
        let holder = format!("registry {} {now}", std::process::id());
        let leases = store.database.leases();
        let lease = leases.acquire(&name, &holder, now, LEASE_TIME).await?;
        Ok(Self { store, lease, now })
    }

    /// What every change carries.
    pub(crate) fn token(&self) -> FencingToken {
        self.lease.token
    }

    /// When it began.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Writes into the audit log what is about to be done.
    pub(crate) async fn record(&self, kind: &str, body: Value) -> Result<(), Error> {
        let record = AuditRecord {
            // A token is used for one act only.
            key: format!("registry/{kind}/{}", self.lease.token),
            at: self.now,
            kind: kind.to_owned(),
            body,
            token: self.lease.token,
        };
        self.store.audit_log().append(record).await.map(drop)
    }

    /// Gives the lease back. What was announced and then failed is recorded too, if it still can be.
    pub(crate) async fn end<T>(self, kind: &str, done: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &done {
            let body = json!({ "kind": kind, "error": error.to_string() });
            drop(self.record("failed", body).await);
        }
        // A lease that cannot be given back ends by itself.
        drop(self.store.database.leases().release(&self.lease).await);
        done
    }
}

/// Whether there is a SQLite database. An empty file is none: opening it would make it one.
fn is_database(file: &Path) -> Result<bool, Failure> {
    let unreadable =
        |error: std::io::Error| fail(format!("cannot read `{}`: {error}", file.display()));
    let mut start = Vec::new();
    match File::open(file) {
        Ok(opened) => opened
            .take(MAGIC.len() as u64)
            .read_to_end(&mut start)
            .map_err(unreadable)?,
        Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(unreadable(error)),
    };
    match start.as_slice() {
        [] => Ok(false),
        start if start == MAGIC => Ok(true),
        _ => Err(no_database(file)),
    }
}

/// Whether the tables of a registry are in a database, or in its log that has not been written back yet.
fn holds_registry(file: &Path) -> Result<bool, Failure> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    for path in [file.to_owned(), PathBuf::from(log)] {
        let mut start = Vec::new();
        let read = File::open(&path)
            .and_then(|opened| opened.take(SCHEMA_WITHIN).read_to_end(&mut start).map(drop));
        match read {
            Ok(()) => {}
            Err(error) if error.kind() == IoErrorKind::NotFound => continue,
            Err(error) => return Err(fail(format!("cannot read `{}`: {error}", path.display()))),
        }
        if start.windows(TABLE.len()).any(|window| window == TABLE) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The artifacts of another program: in the folder beside its database if there is one, in the database otherwise.
async fn artifacts_of(
    file: &Path,
    database: &SqlDatabase,
) -> Result<Arc<dyn ArtifactStore>, Failure> {
    let folder = file.with_file_name("artifacts");
    // Only a folder that is one of ours already: opening any other would make it one.
    if ["sha256", "incoming"]
        .iter()
        .all(|part| folder.join(part).is_dir())
    {
        Ok(Arc::new(DirectoryArtifacts::open(&folder).await?))
    } else {
        Ok(Arc::new(database.artifacts()))
    }
}

fn no_database(file: &Path) -> Failure {
    fail(format!(
        "`{}` is not a SQLite database; nothing was changed",
        file.display()
    ))
}

fn missing(place: &Path) -> Failure {
    let at = place.display();
    let foreign = place.join("state.sqlite");
    if foreign.is_file() {
        return fail(format!(
            "there is no registry in `{at}`; the database of another program is there, give `{}` to read it",
            foreign.display()
        ));
    }
    fail(format!(
        "there is no registry in `{at}`; make one with `registry {at} register MODEL FILE --feature NAME`"
    ))
}

const DATABASE: &str = "registry.sqlite";
const LEASE: &str = "registry";
const LEASE_TIME: Duration = Duration::from_secs(60);
/// <https://sqlite.org/fileformat.html#magic_header_string>
const MAGIC: &[u8] = b"SQLite format 3\0";
/// How the schema of a registry begins to describe its versions. SQLite keeps the text, in the first pages because it was the first to be written.
const TABLE: &[u8] = b"CREATE TABLE model_version";
const SCHEMA_WITHIN: u64 = 1 << 20;
