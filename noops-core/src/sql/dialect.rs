//! What differs between SQLite and Postgres, apart from the text of the migrations.

#[cfg(feature = "sqlite")]
use std::path::Path;

use sqlx::{Any, AnyConnection, AnyPool, Transaction};

use super::{Access, Room};
use crate::error::{Error, ErrorKind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    #[cfg_attr(
        not(feature = "sqlite"),
        allow(dead_code, reason = "constructed with the feature `sqlite`")
    )]
    Sqlite,
    #[cfg_attr(
        not(feature = "postgres"),
        allow(dead_code, reason = "constructed with the feature `postgres`")
    )]
    Postgres,
}

impl Dialect {
    /// Settles how a new connection behaves.
    pub(super) async fn prepare(
        self,
        connection: &mut AnyConnection,
        access: Access,
    ) -> Result<(), sqlx::Error> {
        let settings = match (self, access) {
            // The other settings of a file would be written into it.
            (Self::Sqlite, Access::Read) => "PRAGMA busy_timeout = 30000; PRAGMA query_only = ON;",
            (Self::Sqlite, Access::Write) => {
                "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA foreign_keys = ON;"
            }
            // Who is cut off from the server in the middle of a write must not hold up the others until the network notices.
            (Self::Postgres, _) => {
                "SET TIME ZONE 'UTC'; SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'"
            }
        };
        sqlx::raw_sql(settings).execute(connection).await?;
        Ok(())
    }

    pub(super) async fn begin_write(
        self,
        pool: &AnyPool,
        room: Room,
    ) -> Result<Transaction<'static, Any>, sqlx::Error> {
        let begin: &'static str = match self {
            // Immediate, so that what is read stays true until what depends on it is written.
            Self::Sqlite => "BEGIN IMMEDIATE",
            // Whatever the server's default is: with a stricter level, what is read after the wait for the lock would be what was there before it.
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        // In a task of its own, which a caller who gives up does not cut off: the driver would put the connection back with a transaction
        // open that nobody knows of, and the next write on it would be acknowledged and never committed.
        let pool = pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(begin).await }).await;
        let mut transaction = begun.unwrap_or(Err(sqlx::Error::WorkerCrashed))?;
        if self == Self::Postgres {
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(ADVISORY_LOCKS + room as i64)
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction)
    }

    /// Turns an error of the driver into one of ours.
    pub(super) fn translate(self, operation: &'static str, error: sqlx::Error) -> Error {
        let (kind, message) = self.judge(&error);
        Error::new(kind, operation, message).caused_by(error)
    }

    /// Turns an error of a commit into one of ours, which says whether anybody knows what came of it.
    pub(super) fn translate_commit(self, operation: &'static str, error: sqlx::Error) -> Error {
        if self.is_rolled_back(&error) {
            return self.translate(operation, error);
        }
        let message =
            "the commit was not confirmed: it may be done or not; read before doing it again";
        Error::new(ErrorKind::Unavailable, operation, message).caused_by(error)
    }

    fn judge(self, error: &sqlx::Error) -> (ErrorKind, &'static str) {
        if matches!(error, sqlx::Error::Configuration(_)) {
            return (ErrorKind::Invalid, "the address cannot be understood");
        }
        let code = code(error);
        match self {
            // https://sqlite.org/rescode.html: 1 is about tables that are there or are not, 8 SQLITE_READONLY, 11 is SQLITE_CORRUPT, 18 SQLITE_TOOBIG, 26 SQLITE_NOTADB.
            Self::Sqlite => match primary(&code) {
                Some(1) => (ErrorKind::Corrupt, OTHER_TABLES),
                Some(8) => (ErrorKind::Unavailable, READ_ONLY),
                Some(11 | 26) => (ErrorKind::Corrupt, "the file is not an intact database"),
                Some(18) => (ErrorKind::Invalid, TOO_LARGE),
                _ => (ErrorKind::Unavailable, FAILED),
            },
            // https://www.postgresql.org/docs/current/errcodes-appendix.html: class 22 is about values, such as a zero character in a text, 28 about
            // who may connect, 42501 about who may do what, others of 42 about tables that are there or are not, 54 about limits; XX001 and XX002
            // are damaged data and index. What can be tried again, such as 40 (rolled back), 53, 55 and 57, is among the rest.
            Self::Postgres => match code.as_str() {
                "XX001" | "XX002" => (ErrorKind::Corrupt, "the database found itself damaged"),
                "42501" => (ErrorKind::Unauthorised, "the user may not do it"),
                "3D000" | "3F000" => (
                    ErrorKind::Invalid,
                    "the server has no such database or schema",
                ),
                "42P01" | "42P07" | "42701" | "42703" | "42710" | "42723" => {
                    (ErrorKind::Corrupt, OTHER_TABLES)
                }
                code if code.starts_with("22") => {
                    (ErrorKind::Invalid, "the database cannot hold a value of it")
                }
                code if code.starts_with("28") => (
                    ErrorKind::Unauthorised,
                    "the server does not accept the user",
                ),
                code if code.starts_with("54") => (ErrorKind::Invalid, TOO_LARGE),
                _ => (ErrorKind::Unavailable, FAILED),
            },
        }
    }

    /// Whether an error that answers a commit says for sure that nothing of it is there.
    fn is_rolled_back(self, error: &sqlx::Error) -> bool {
        let code = code(error);
        match self {
            // SQLITE_BUSY, SQLITE_LOCKED, SQLITE_CONSTRAINT; not those of the disk, after which a recovery may find the commit in the log.
            Self::Sqlite => matches!(primary(&code), Some(5 | 6 | 19)),
            // Conflicts and constraints, but for statement_completion_unknown. Not class 57: a server that is shut down may have committed, and
            // only have waited for a standby.
            Self::Postgres => code.starts_with("23") || (code.starts_with("40") && code != "40003"),
        }
    }
}

/// What the database calls an error that it answered with.
fn code(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(|error| error.code());
    code.map(|code| code.into_owned()).unwrap_or_default()
}

/// The low byte of an error code of SQLite.
fn primary(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

/// The file as a URL. Every byte that means something in a URL is escaped.
#[cfg(feature = "sqlite")]
pub(super) fn sqlite_url(path: &Path, access: Access) -> Result<String, Error> {
    // A relative path would be taken for the name of a host, and be put into lower case.
    let absolute = std::path::absolute(path).map_err(|error| {
        let message = "the working directory cannot be found";
        Error::new(ErrorKind::Unavailable, super::OPEN, message).caused_by(error)
    })?;
    let text = absolute.to_str().ok_or_else(|| {
        Error::new(
            ErrorKind::Invalid,
            super::OPEN,
            "its path is not text; rename it",
        )
    })?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let escaped = text.bytes().map(|byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    let mode = match access {
        Access::Read => "ro",
        Access::Write => "rwc",
    };
    Ok(format!(
        "sqlite://{}?mode={mode}",
        escaped.collect::<String>()
    ))
}

/// The first of the keys of our advisory locks, far from those that applications choose by hand: `noops` in ASCII.
const ADVISORY_LOCKS: i64 = 0x6e6f_6f70_7300;

const FAILED: &str = "the database failed, or cannot be reached";
const READ_ONLY: &str = "the file was opened to be read, or this user may not write it";
const TOO_LARGE: &str = "a value of it is larger than the database can hold";
const OTHER_TABLES: &str = "the tables are not those that were made here; give them a file, or a schema in the search path, of their own";

#[cfg(test)]
mod tests;
