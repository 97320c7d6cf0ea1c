//! Stores in a SQL database: one SQLite file for a service alone, one Postgres database for its replicas. The tables are the same.

mod artifact;
mod audit;
mod dialect;
mod features;
mod lease;
mod migration;
mod registry;
mod state;

pub use artifact::SqlArtifacts;
pub use audit::SqlAuditLog;
pub use features::SqlFeatures;
pub use lease::SqlLeases;
pub use registry::SqlRegistry;
pub use state::SqlStates;

#[cfg(feature = "sqlite")]
use std::path::Path;

use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{Any, AnyConnection, AnyPool, Connection, Transaction};

use self::dialect::Dialect;
use crate::error::{Error, ErrorKind};
use crate::features::FeatureView;
use crate::lease::FencingToken;

/// An open database, which hands out the stores that live in it. A clone is the same database.
///
/// What a call reported as done survives `kill -9` and a power cut, if the disk and the server keep their word: SQLite runs in WAL mode with
/// full synchronisation, and Postgres must not run with `synchronous_commit = off`.
///
/// When the connection breaks while a commit is under way, nobody knows whether it was done; the error is
/// [`Unavailable`](crate::ErrorKind::Unavailable) and says so. `register`, `delete`, `append`, `put`, `acquire`, `renew` and `release` may simply
/// be called again. `move_alias` and `save` answer `Conflict` when the first call was done: read where the alias or the state is then.
///
/// A write that waits half a minute for others is given up, undone, as `Unavailable`. No call has a deadline beyond that: one that waits for a
/// server may be dropped at any time, for example by a timeout.
///
/// # Examples
///
/// Embedded, in one file:
///
/// ```
/// use noops_core::{ArtifactStore, SqlDatabase};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), noops_core::Error> {
/// # let folder = std::env::temp_dir().join(format!("noops-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).ok();
/// # let path = folder.join("models.sqlite");
/// let database = SqlDatabase::open(&path).await?;
/// let digest = database.artifacts().put(b"weights").await?;
/// assert_eq!(database.artifacts().load(&digest).await?, b"weights");
/// # std::fs::remove_dir_all(&folder).ok();
/// # Ok(())
/// # }
/// ```
///
/// On a server, with the feature `postgres`:
///
/// ```no_run
/// # #[cfg(feature = "postgres")]
/// # async fn example() -> Result<(), noops_core::Error> {
/// let database = noops_core::SqlDatabase::connect("postgres://noops@localhost/noops").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SqlDatabase {
    pool: AnyPool,
    dialect: Dialect,
}

impl SqlDatabase {
    /// Opens a SQLite file, and creates it and its tables where they are missing.
    ///
    /// One connection serialises all access from this process; other processes may use the file at the same time.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the file cannot be opened, `Corrupt` when it is no database or holds tables of others under our names, `Invalid` when a
    /// newer release wrote it, its path is not text, or there is no Tokio runtime.
    #[cfg(feature = "sqlite")]
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let named = |error: Error| error.with("file", path.display());
        let url = dialect::sqlite_url(path, Access::Write).map_err(named)?;
        Self::with(file_options(), &url, Dialect::Sqlite)
            .await
            .map_err(named)
    }

    /// Opens a SQLite file to read what is in it: it is not created, migrated or changed, and whatever would write is `Unavailable`. Another program
    /// may have it open and write.
    ///
    /// SQLite coordinates readers through the files `-wal` and `-shm` beside it: it makes them where they are missing, so that the folder must be
    /// writable then, and leaves them for the next who opens the file to write.
    ///
    /// # Errors
    ///
    /// `Unavailable` when there is no such file or it cannot be opened, `Corrupt` when it is no database, `Invalid` when another release or no release
    /// at all wrote it, its path is not text, or there is no Tokio runtime.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_core::{ArtifactStore, ErrorKind, SqlDatabase};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), noops_core::Error> {
    /// # let folder = std::env::temp_dir().join(format!("noops-doc-read-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).ok();
    /// # let path = folder.join("models.sqlite");
    /// let owner = SqlDatabase::open(&path).await?;
    /// let digest = owner.artifacts().put(b"weights").await?;
    ///
    /// let reader = SqlDatabase::open_read_only(&path).await?;
    /// assert_eq!(reader.artifacts().load(&digest).await?, b"weights");
    /// let refused = reader.artifacts().put(b"others").await.unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::Unavailable);
    /// # std::fs::remove_dir_all(&folder).ok();
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "sqlite")]
    pub async fn open_read_only(path: &Path) -> Result<Self, Error> {
        let named = |error: Error| error.with("file", path.display());
        let url = dialect::sqlite_url(path, Access::Read).map_err(named)?;
        let connected = Self::connected(file_options(), &url, Dialect::Sqlite, Access::Read);
        let database = connected.await.map_err(named)?;
        migration::check(&database).await.map_err(named)?;
        Ok(database)
    }

    /// Connects to a Postgres database, and creates its tables where they are missing. Their names are plain, such as `state`: give them a schema
    /// of their own with `?options[search_path]=noops` in the URL, where others use the database.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the server cannot be reached, `Unauthorised` when it does not accept the user, `Corrupt` when there are tables of others
    /// under our names, `Invalid` when the URL is none, there is no such database, a newer release made the tables, or there is no Tokio runtime.
    #[cfg(feature = "postgres")]
    pub async fn connect(url: &str) -> Result<Self, Error> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            let message = "the URL must begin with `postgres://`";
            return Err(Error::new(ErrorKind::Invalid, OPEN, message));
        }
        let options = AnyPoolOptions::new().max_connections(POSTGRES_CONNECTIONS);
        Self::with(options, url, Dialect::Postgres).await
    }

    async fn with(options: AnyPoolOptions, url: &str, dialect: Dialect) -> Result<Self, Error> {
        let database = Self::connected(options, url, dialect, Access::Write).await?;
        migration::migrate(&database).await?;
        Ok(database)
    }

    async fn connected(
        options: AnyPoolOptions,
        url: &str,
        dialect: Dialect,
        access: Access,
    ) -> Result<Self, Error> {
        tokio::runtime::Handle::try_current().map_err(|error| {
            Error::new(ErrorKind::Invalid, OPEN, "call it in a Tokio runtime").caused_by(error)
        })?;
        install_default_drivers();
        let failed = |error| dialect.translate(OPEN, error);
        // A pool tries again until its time is up and then says only that; one connection says at once what is wrong.
        let mut probe = AnyConnection::connect(url).await.map_err(failed)?;
        let prepared = dialect.prepare(&mut probe, access).await;
        prepared.map_err(failed)?;
        probe.close().await.map_err(failed)?;
        let options = options.after_connect(move |connection, _| {
            Box::pin(async move { dialect.prepare(connection, access).await })
        });
        let pool = options.connect(url).await.map_err(failed)?;
        Ok(Self { pool, dialect })
    }

    /// The registry in this database.
    #[must_use]
    pub fn registry(&self) -> SqlRegistry {
        SqlRegistry::new(self.clone())
    }

    /// The artifacts in this database.
    #[must_use]
    pub fn artifacts(&self) -> SqlArtifacts {
        SqlArtifacts::new(self.clone())
    }

    /// The audit log in this database.
    #[must_use]
    pub fn audit_log(&self) -> SqlAuditLog {
        SqlAuditLog::new(self.clone())
    }

    /// The snapshots in this database.
    #[must_use]
    pub fn states(&self) -> SqlStates {
        SqlStates::new(self.clone())
    }

    /// The leases in this database.
    #[must_use]
    pub fn leases(&self) -> SqlLeases {
        SqlLeases::new(self.clone())
    }

    /// The rows of a feature view in this database. Another version of the view has rows of its own.
    ///
    /// # Errors
    ///
    /// `Invalid` when two columns of the view have one name.
    pub fn features(&self, view: FeatureView) -> Result<SqlFeatures, Error> {
        SqlFeatures::new(self.clone(), view)
    }

    /// Closes the database after what is under way is done.
    pub async fn close(self) {
        self.pool.close().await;
    }

    /// Begins to write. Writers of one room wait for each other, so that what one of them reads stays true until it commits.
    async fn write(
        &self,
        room: Room,
        operation: &'static str,
    ) -> Result<Transaction<'static, Any>, Error> {
        let begun = self.dialect.begin_write(&self.pool, room).await;
        begun.map_err(|error| self.dialect.translate(operation, error))
    }

    /// Commits, and says so when nobody knows whether that was done.
    async fn commit(
        &self,
        transaction: Transaction<'static, Any>,
        operation: &'static str,
    ) -> Result<(), Error> {
        let done = transaction.commit().await;
        done.map_err(|error| self.dialect.translate_commit(operation, error))
    }

    /// Turns an error of the driver into one of ours.
    fn failed(&self, operation: &'static str) -> impl Fn(sqlx::Error) -> Error + Copy + use<> {
        let dialect = self.dialect;
        move |error| dialect.translate(operation, error)
    }
}

/// What a database is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    #[cfg_attr(
        not(feature = "sqlite"),
        expect(dead_code, reason = "constructed with the feature `sqlite`")
    )]
    Read,
    Write,
}

/// A file needs no health check and no fresh connection.
#[cfg(feature = "sqlite")]
fn file_options() -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// What writers may do at the same time in Postgres. SQLite has one writer anyway.
#[derive(Clone, Copy, Debug)]
enum Room {
    Schema = 0,
    Registry = 1,
    Audit = 2,
    States = 3,
    Leases = 4,
    Features = 5,
}

/// Refuses a token that is smaller than one the scope has seen, and remembers it otherwise.
async fn see_token(
    transaction: &mut Transaction<'static, Any>,
    scope: &str,
    token: FencingToken,
    operation: &'static str,
    failed: impl Fn(sqlx::Error) -> Error + Copy,
) -> Result<(), Error> {
    let seen: Option<i64> = sqlx::query_scalar("SELECT token FROM fence WHERE scope = $1")
        .bind(scope)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(failed)?;
    let seen = FencingToken::new(seen.unwrap_or(0).unsigned_abs());
    token.check(seen, operation)?;
    if token > seen {
        let upsert = "INSERT INTO fence (scope, token) VALUES ($1, $2) ON CONFLICT (scope) DO UPDATE SET token = excluded.token";
        sqlx::query(upsert)
            .bind(scope)
            .bind(integer(token.get(), operation)?)
            .execute(&mut **transaction)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

/// SQL has no unsigned integers.
fn integer(number: u64, operation: &'static str) -> Result<i64, Error> {
    i64::try_from(number).map_err(|error| {
        let message = "a number is too large for the database";
        Error::new(ErrorKind::Invalid, operation, message)
            .with("number", number)
            .caused_by(error)
    })
}

fn corrupt(
    operation: &'static str,
    what: &'static str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    let message = "a stored value cannot be read";
    Error::new(ErrorKind::Corrupt, operation, message)
        .with("value", what)
        .caused_by(error)
}

const OPEN: &str = "open the database";

#[cfg(feature = "postgres")]
const POSTGRES_CONNECTIONS: u32 = 8;

#[cfg(test)]
mod tests;
