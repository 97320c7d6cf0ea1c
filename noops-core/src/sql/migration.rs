#[cfg(feature = "sqlite")]
use std::cmp::Ordering;

use sqlx::{Any, Transaction};

use super::dialect::Dialect;
use super::{OPEN, Room, SqlDatabase};
use crate::error::{Error, ErrorKind};

/// Applies the migrations that the database has not seen, forward only. All in one transaction that begins by taking the write lock, so
/// that two processes that open a new database at once do not both create it.
pub(super) async fn migrate(database: &SqlDatabase) -> Result<(), Error> {
    let failed = database.failed(OPEN);
    let mut transaction = database.write(Room::Schema, OPEN).await?;
    let applied = applied(&mut transaction, database.dialect)
        .await
        .map_err(failed)?;
    let newest = MIGRATIONS.len() as i64;
    if applied > newest {
        return Err(unknown(applied, NEWER));
    }
    let missing = usize::try_from(applied).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(missing) {
        let text = match database.dialect {
            Dialect::Sqlite => migration.sqlite,
            Dialect::Postgres => migration.postgres,
        };
        sqlx::raw_sql(text)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    database.commit(transaction, OPEN).await
}

/// Refuses a database whose tables are not those of this release.
#[cfg(feature = "sqlite")]
pub(super) async fn check(database: &SqlDatabase) -> Result<(), Error> {
    let failed = database.failed(OPEN);
    let mut transaction = database.pool.begin().await.map_err(failed)?;
    let found = applied(&mut transaction, database.dialect)
        .await
        .map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    match found.cmp(&(MIGRATIONS.len() as i64)) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(unknown(found, NEWER)),
        Ordering::Less => Err(unknown(found, OLDER)),
    }
}

fn unknown(format: i64, message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, OPEN, message)
        .with("format", format)
        .with("known format", MIGRATIONS.len())
}

/// How many migrations the database has seen.
async fn applied(
    transaction: &mut Transaction<'static, Any>,
    dialect: Dialect,
) -> Result<i64, sqlx::Error> {
    match dialect {
        Dialect::Sqlite => {
            let version: i64 = sqlx::query_scalar("SELECT user_version FROM pragma_user_version")
                .fetch_one(&mut **transaction)
                .await?;
            Ok(version)
        }
        Dialect::Postgres => {
            sqlx::raw_sql("CREATE TABLE IF NOT EXISTS noops_schema (version BIGINT NOT NULL)")
                .execute(&mut **transaction)
                .await?;
            let version: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM noops_schema")
                .fetch_one(&mut **transaction)
                .await?;
            Ok(version.unwrap_or(0))
        }
    }
}

/// One step of the schema, which is the same in both languages.
struct Migration {
    sqlite: &'static str,
    postgres: &'static str,
}

const NEWER: &str = "a newer release wrote it; upgrade this one";
#[cfg(feature = "sqlite")]
const OLDER: &str = "an earlier release wrote it, or none; open it once with the program it belongs to, upgraded to this one";

/// Each ends by recording its own number. Never change one that has been released; add another.
const MIGRATIONS: [Migration; 2] = [
    Migration {
        sqlite: include_str!("migration/1.sqlite.sql"),
        postgres: include_str!("migration/1.postgres.sql"),
    },
    Migration {
        sqlite: include_str!("migration/2.sqlite.sql"),
        postgres: include_str!("migration/2.postgres.sql"),
    },
];
