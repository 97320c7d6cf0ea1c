use async_trait::async_trait;
use sqlx::{Sqlite, SqlitePool, Transaction};

use super::{corrupt, translate};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::memory::{alias_moved_by_another, no_such_version, registered_otherwise};
use crate::name::{Alias, ModelName};
use crate::registry::{AliasMove, AliasTarget, ModelRegistry, ModelVersion, Registration};

/// A registry in an SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteRegistry {
    pool: SqlitePool,
}

impl SqliteRegistry {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    async fn begin(&self, operation: &'static str) -> Result<Transaction<'static, Sqlite>, Error> {
        // Immediate, so that what is read stays true until what depends on it is written.
        self.pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(|error| translate(operation, error))
    }
}

#[async_trait]
impl ModelRegistry for SqliteRegistry {
    async fn register(&self, registration: Registration) -> Result<ModelVersion, Error> {
        registration.check()?;
        let failed = |error| translate(REGISTER, error);
        let mut transaction = self.begin(REGISTER).await?;
        let existing: Option<(i64, String)> = sqlx::query_as(
            "SELECT number, registration FROM model_version WHERE model = ? AND digest = ?",
        )
        .bind(registration.model.as_str())
        .bind(registration.digest.to_string())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        if let Some(existing) = existing.map(decode_version).transpose()? {
            return if *existing.registration() == registration {
                Ok(existing)
            } else {
                Err(registered_otherwise(&registration))
            };
        }
        let number: i64 = sqlx::query_scalar(
            "SELECT COALESCE(MAX(number), 0) + 1 FROM model_version WHERE model = ?",
        )
        .bind(registration.model.as_str())
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
        let text = serde_json::to_string(&registration).map_err(|error| {
            Error::new(ErrorKind::Invalid, REGISTER, "the registration is not JSON")
                .caused_by(error)
        })?;
        sqlx::query(
            "INSERT INTO model_version (model, number, digest, registration) VALUES (?, ?, ?, ?)",
        )
        .bind(registration.model.as_str())
        .bind(number)
        .bind(registration.digest.to_string())
        .bind(text)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(ModelVersion::new(number.unsigned_abs(), registration))
    }

    async fn versions(&self, model: &ModelName) -> Result<Vec<ModelVersion>, Error> {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT number, registration FROM model_version WHERE model = ? ORDER BY number",
        )
        .bind(model.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| translate(READ, error))?;
        rows.into_iter().map(decode_version).collect()
    }

    async fn version(&self, model: &ModelName, digest: &Digest) -> Result<ModelVersion, Error> {
        let row: Option<(i64, String)> = sqlx::query_as(
            "SELECT number, registration FROM model_version WHERE model = ? AND digest = ?",
        )
        .bind(model.as_str())
        .bind(digest.to_string())
        .fetch_optional(&self.pool)
        .await
        .map_err(|error| translate(READ, error))?;
        row.map(decode_version)
            .transpose()?
            .ok_or_else(|| no_such_version(model, digest))
    }

    async fn move_alias(&self, model: &ModelName, change: &AliasMove) -> Result<(), Error> {
        let failed = |error| translate(MOVE, error);
        let mut transaction = self.begin(MOVE).await?;
        let registered: Option<i64> =
            sqlx::query_scalar("SELECT number FROM model_version WHERE model = ? AND digest = ?")
                .bind(model.as_str())
                .bind(change.to.to_string())
                .fetch_optional(&mut *transaction)
                .await
                .map_err(failed)?;
        if registered.is_none() {
            return Err(no_such_version(model, &change.to));
        }
        let current: Option<String> = sqlx::query_scalar(
            "SELECT digest FROM alias_move WHERE model = ? AND alias = ? ORDER BY id DESC LIMIT 1",
        )
        .bind(model.as_str())
        .bind(change.alias.as_str())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        if current != change.from.map(|digest| digest.to_string()) {
            return Err(alias_moved_by_another(change));
        }
        sqlx::query("INSERT INTO alias_move (model, alias, digest, since) VALUES (?, ?, ?, ?)")
            .bind(model.as_str())
            .bind(change.alias.as_str())
            .bind(change.to.to_string())
            .bind(change.at.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    async fn alias_history(
        &self,
        model: &ModelName,
        alias: &Alias,
    ) -> Result<Vec<AliasTarget>, Error> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT digest, since FROM alias_move WHERE model = ? AND alias = ? ORDER BY id",
        )
        .bind(model.as_str())
        .bind(alias.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| translate(READ, error))?;
        rows.into_iter().map(decode_target).collect()
    }
}

fn decode_version((number, registration): (i64, String)) -> Result<ModelVersion, Error> {
    let registration = serde_json::from_str(&registration)
        .map_err(|error| corrupt(READ, "registration", error).with("version", number))?;
    Ok(ModelVersion::new(number.unsigned_abs(), registration))
}

fn decode_target((digest, since): (String, String)) -> Result<AliasTarget, Error> {
    let digest = digest
        .parse()
        .map_err(|error| corrupt(READ, "alias target", error))?;
    let since = since
        .parse()
        .map_err(|error| corrupt(READ, "time of an alias move", error))?;
    Ok(AliasTarget { digest, since })
}

const REGISTER: &str = "register a model version";
const MOVE: &str = "move an alias";
const READ: &str = "read the registry";
