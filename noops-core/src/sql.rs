//! One SQLite file for everything that must survive the process.

mod artifact;
mod audit;
mod registry;
mod state;

pub use artifact::SqliteArtifacts;
pub use audit::SqliteAuditLog;
pub use registry::SqliteRegistry;
pub use state::SqliteStates;

use std::path::Path;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::error::{Error, ErrorKind};

/// An open database file, which hands out the stores that live in it.
///
/// The file is in WAL mode with full synchronisation: what a call reported as done survives `kill -9` and a power cut. One
/// connection serialises all access from this process; other processes may read at the same time.
///
/// # Examples
///
/// ```
/// use noops_core::{ArtifactStore, Sqlite};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), noops_core::Error> {
/// # let folder = std::env::temp_dir().join(format!("noops-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).ok();
/// # let path = folder.join("models.sqlite");
/// let database = Sqlite::open(&path).await?;
/// let digest = database.artifacts().put(b"weights").await?;
/// assert_eq!(database.artifacts().load(&digest).await?, b"weights");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sqlite {
    pool: SqlitePool,
}

impl Sqlite {
    /// Opens a database file, and creates it and its tables where they are missing.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the file cannot be opened, `Corrupt` when it is no database, `Invalid` when a newer release wrote it.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true);
        let opened = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await;
        let pool = opened.map_err(|error| translate(OPEN, error).with("file", path.display()))?;
        migrate(&pool)
            .await
            .map_err(|error| error.with("file", path.display()))?;
        Ok(Self { pool })
    }

    /// The registry in this file.
    #[must_use]
    pub fn registry(&self) -> SqliteRegistry {
        SqliteRegistry::new(self.pool.clone())
    }

    /// The artifacts in this file.
    #[must_use]
    pub fn artifacts(&self) -> SqliteArtifacts {
        SqliteArtifacts::new(self.pool.clone())
    }

    /// The audit log in this file.
    #[must_use]
    pub fn audit_log(&self) -> SqliteAuditLog {
        SqliteAuditLog::new(self.pool.clone())
    }

    /// The snapshots in this file.
    #[must_use]
    pub fn states(&self) -> SqliteStates {
        SqliteStates::new(self.pool.clone())
    }

    /// Closes the file after what is under way is done.
    pub async fn close(self) {
        self.pool.close().await;
    }
}

/// Applies the migrations the file has not seen, forward only. All in one transaction that begins by taking the write lock, so
/// that two processes that open a new file at once do not both create it.
async fn migrate(pool: &SqlitePool) -> Result<(), Error> {
    let failed = |error| translate(OPEN, error);
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    let applied: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    let newest = MIGRATIONS.len() as i64;
    if applied > newest {
        return Err(Error::new(
            ErrorKind::Invalid,
            OPEN,
            "a newer release wrote it; upgrade this one",
        )
        .with("file format", applied)
        .with("known format", newest));
    }
    for migration in MIGRATIONS
        .iter()
        .skip(usize::try_from(applied).unwrap_or(0))
    {
        sqlx::raw_sql(*migration)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

fn translate(operation: &'static str, error: sqlx::Error) -> Error {
    let database = error.as_database_error();
    let code = database.and_then(|error| error.code()?.parse::<u32>().ok());
    // https://sqlite.org/rescode.html: the low byte is the primary code; 11 SQLITE_CORRUPT, 26 SQLITE_NOTADB.
    let (kind, message) = match code.map(|code| code & 0xff) {
        Some(11 | 26) => (ErrorKind::Corrupt, "the file is not an intact database"),
        _ => (ErrorKind::Unavailable, "the database did not do it"),
    };
    Error::new(kind, operation, message).caused_by(error)
}

fn corrupt(
    operation: &'static str,
    what: &'static str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        operation,
        "a stored value cannot be read",
    )
    .with("value", what)
    .caused_by(error)
}

const OPEN: &str = "open the database";

/// Each ends by setting `user_version` to its own number. Never change one that has been released; add another.
const MIGRATIONS: [&str; 1] = ["
CREATE TABLE artifact (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE model_version (
    model TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL, registration TEXT NOT NULL,
    PRIMARY KEY (model, number), UNIQUE (model, digest)
) STRICT;
CREATE TABLE alias_move (
    id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, alias TEXT NOT NULL, digest TEXT NOT NULL, since TEXT NOT NULL,
    FOREIGN KEY (model, digest) REFERENCES model_version (model, digest)
) STRICT;
CREATE INDEX alias_move_by_alias ON alias_move (model, alias, id);
CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, record TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_never_updated BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TABLE state (key TEXT PRIMARY KEY, generation INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
"];

#[cfg(test)]
mod tests;
