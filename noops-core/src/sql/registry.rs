use async_trait::async_trait;
use sqlx::{Any, Transaction};

use super::{Room, SqlDatabase, corrupt, integer, see_token};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::lease::FencingToken;
use crate::name::{Alias, ModelName};
use crate::registry::refusal::{
    DELETE, MOVE, REGISTER, alias_moved_by_another, deleted_version, live_version, no_such_version,
    registered_otherwise,
};
use crate::registry::{
    AliasMove, AliasTarget, Deletion, ModelRegistry, ModelVersion, Registration,
};

/// A registry in tables of the database.
#[derive(Clone, Debug)]
pub struct SqlRegistry {
    database: SqlDatabase,
}

impl SqlRegistry {
    pub(super) fn new(database: SqlDatabase) -> Self {
        Self { database }
    }

    /// Begins to act on a model, unless a newer holder of the lease has.
    async fn act(
        &self,
        model: &ModelName,
        token: FencingToken,
        operation: &'static str,
    ) -> Result<Transaction<'static, Any>, Error> {
        let failed = self.database.failed(operation);
        let mut transaction = self.database.write(Room::Registry, operation).await?;
        see_token(
            &mut transaction,
            &format!("model/{model}"),
            token,
            operation,
            failed,
        )
        .await?;
        Ok(transaction)
    }
}

#[async_trait]
impl ModelRegistry for SqlRegistry {
    async fn register(&self, registration: Registration) -> Result<ModelVersion, Error> {
        registration.check()?;
        let (model, digest) = (&registration.model, &registration.digest);
        let failed = self.database.failed(REGISTER);
        let mut transaction = self.database.write(Room::Registry, REGISTER).await?;
        match find(&mut transaction, model, digest, failed).await {
            Ok(existing) if *existing.registration() == registration => return Ok(existing),
            Ok(_) => return Err(registered_otherwise(&registration)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let newest: Option<i64> =
            sqlx::query_scalar("SELECT MAX(number) FROM model_version WHERE model = $1")
                .bind(model.as_str().to_owned())
                .fetch_one(&mut *transaction)
                .await
                .map_err(failed)?;
        let number = newest.unwrap_or(0).checked_add(1).ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, REGISTER, "its numbers are used up").with("model", model)
        })?;
        let text = serde_json::to_string(&registration).map_err(|error| {
            Error::new(ErrorKind::Invalid, REGISTER, "the registration is not JSON")
                .caused_by(error)
        })?;
        let insert = "INSERT INTO model_version (model, number, digest, registration) VALUES ($1, $2, $3, $4)";
        sqlx::query(insert)
            .bind(model.as_str().to_owned())
            .bind(number)
            .bind(digest.to_string())
            .bind(text)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        self.database.commit(transaction, REGISTER).await?;
        Ok(ModelVersion::new(number.unsigned_abs(), registration))
    }

    async fn models(&self) -> Result<Vec<ModelName>, Error> {
        let names: Vec<String> = sqlx::query_scalar("SELECT DISTINCT model FROM model_version")
            .fetch_all(&self.database.pool)
            .await
            .map_err(self.database.failed(READ))?;
        let mut names = names
            .iter()
            .map(|name| name.parse())
            .collect::<Result<Vec<ModelName>, _>>()
            .map_err(|error| corrupt(READ, "name of a model", error))?;
        // Not in SQL, where the order depends on the locale of the server.
        names.sort();
        Ok(names)
    }

    async fn versions(&self, model: &ModelName) -> Result<Vec<ModelVersion>, Error> {
        let select = "SELECT number, digest, registration FROM model_version WHERE model = $1 AND deleted_at IS NULL ORDER BY number";
        let rows: Vec<(i64, String, String)> = sqlx::query_as(select)
            .bind(model.as_str().to_owned())
            .fetch_all(&self.database.pool)
            .await
            .map_err(self.database.failed(READ))?;
        rows.into_iter()
            .map(|(number, digest, registration)| {
                decode_version(model, &digest, number, &registration)
            })
            .collect()
    }

    async fn version(&self, model: &ModelName, digest: &Digest) -> Result<ModelVersion, Error> {
        let row: Option<VersionRow> = sqlx::query_as(FIND_VERSION)
            .bind(model.as_str().to_owned())
            .bind(digest.to_string())
            .fetch_optional(&self.database.pool)
            .await
            .map_err(self.database.failed(READ))?;
        found(model, digest, row)
    }

    async fn move_alias(
        &self,
        model: &ModelName,
        change: &AliasMove,
    ) -> Result<AliasTarget, Error> {
        let failed = self.database.failed(MOVE);
        let mut transaction = self.act(model, change.token, MOVE).await?;
        let newest = newest_target(&mut transaction, model, &change.alias, failed).await?;
        let unknown = match &change.to {
            Some(to) => find(&mut transaction, model, to, failed).await.err(),
            None => None,
        };
        let elsewhere = (newest.and_then(|target| target.digest) != change.from)
            .then(|| alias_moved_by_another(change));
        if let Some(refusal) = unknown.or(elsewhere) {
            // What was seen of the token stays.
            self.database.commit(transaction, MOVE).await?;
            return Err(refusal);
        }
        let target = change.after(newest);
        let insert = "INSERT INTO alias_move (model, alias, digest, since, token) VALUES ($1, $2, $3, $4, $5)";
        sqlx::query(insert)
            .bind(model.as_str().to_owned())
            .bind(change.alias.as_str().to_owned())
            .bind(target.digest.map(|digest| digest.to_string()))
            .bind(target.since.to_string())
            .bind(integer(target.token.get(), MOVE)?)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        self.database.commit(transaction, MOVE).await?;
        Ok(target)
    }

    async fn aliases(&self, model: &ModelName) -> Result<Vec<Alias>, Error> {
        let names: Vec<String> =
            sqlx::query_scalar("SELECT DISTINCT alias FROM alias_move WHERE model = $1")
                .bind(model.as_str().to_owned())
                .fetch_all(&self.database.pool)
                .await
                .map_err(self.database.failed(READ))?;
        parse_aliases(&names)
    }

    async fn alias_history(
        &self,
        model: &ModelName,
        alias: &Alias,
    ) -> Result<Vec<AliasTarget>, Error> {
        let select = "SELECT digest, since, token FROM alias_move WHERE model = $1 AND alias = $2 ORDER BY id";
        let rows: Vec<TargetRow> = sqlx::query_as(select)
            .bind(model.as_str().to_owned())
            .bind(alias.as_str().to_owned())
            .fetch_all(&self.database.pool)
            .await
            .map_err(self.database.failed(READ))?;
        rows.into_iter().map(decode_target).collect()
    }

    async fn delete(&self, model: &ModelName, deletion: &Deletion) -> Result<(), Error> {
        let failed = self.database.failed(DELETE);
        let mut transaction = self.act(model, deletion.token, DELETE).await?;
        let names: Vec<String> =
            sqlx::query_scalar("SELECT DISTINCT alias FROM alias_move WHERE model = $1")
                .bind(model.as_str().to_owned())
                .fetch_all(&mut *transaction)
                .await
                .map_err(failed)?;
        let mut refusal = None;
        for alias in parse_aliases(&names)? {
            let newest = newest_target(&mut transaction, model, &alias, failed).await?;
            if newest.and_then(|target| target.digest) == Some(deletion.digest) {
                refusal = Some(live_version(model, &deletion.digest, &alias));
                break;
            }
        }
        if refusal.is_none() {
            let update = "UPDATE model_version SET deleted_at = COALESCE(deleted_at, $3) WHERE model = $1 AND digest = $2";
            let done = sqlx::query(update)
                .bind(model.as_str().to_owned())
                .bind(deletion.digest.to_string())
                .bind(deletion.at.to_string())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
            if done.rows_affected() == 0 {
                refusal = Some(no_such_version(model, &deletion.digest));
            }
        }
        self.database.commit(transaction, DELETE).await?;
        refusal.map_or(Ok(()), Err)
    }
}

type VersionRow = (i64, String, Option<String>);
type TargetRow = (Option<String>, String, i64);

async fn find(
    transaction: &mut Transaction<'static, Any>,
    model: &ModelName,
    digest: &Digest,
    failed: impl Fn(sqlx::Error) -> Error,
) -> Result<ModelVersion, Error> {
    let row: Option<VersionRow> = sqlx::query_as(FIND_VERSION)
        .bind(model.as_str().to_owned())
        .bind(digest.to_string())
        .fetch_optional(&mut **transaction)
        .await
        .map_err(failed)?;
    found(model, digest, row)
}

fn found(
    model: &ModelName,
    digest: &Digest,
    row: Option<VersionRow>,
) -> Result<ModelVersion, Error> {
    match row {
        None => Err(no_such_version(model, digest)),
        Some((_, _, Some(_))) => Err(deleted_version(model, digest)),
        Some((number, registration, None)) => {
            decode_version(model, &digest.to_string(), number, &registration)
        }
    }
}

async fn newest_target(
    transaction: &mut Transaction<'static, Any>,
    model: &ModelName,
    alias: &Alias,
    failed: impl Fn(sqlx::Error) -> Error,
) -> Result<Option<AliasTarget>, Error> {
    let select = "SELECT digest, since, token FROM alias_move WHERE model = $1 AND alias = $2 ORDER BY id DESC LIMIT 1";
    let row: Option<TargetRow> = sqlx::query_as(select)
        .bind(model.as_str().to_owned())
        .bind(alias.as_str().to_owned())
        .fetch_optional(&mut **transaction)
        .await
        .map_err(failed)?;
    row.map(decode_target).transpose()
}

fn decode_version(
    model: &ModelName,
    digest: &str,
    number: i64,
    registration: &str,
) -> Result<ModelVersion, Error> {
    let registration: Registration = serde_json::from_str(registration)
        .map_err(|error| corrupt(READ, "registration", error).with("version", number))?;
    // Whoever asks for a digest and loads what the answer names must not get something else.
    if registration.model != *model || registration.digest.to_string() != digest {
        let message = "what is stored under a digest was registered under another";
        return Err(Error::new(ErrorKind::Corrupt, READ, message)
            .with("model", model)
            .with("version", number));
    }
    Ok(ModelVersion::new(number.unsigned_abs(), registration))
}

fn decode_target((digest, since, token): TargetRow) -> Result<AliasTarget, Error> {
    let digest = digest.map(|digest| digest.parse()).transpose();
    Ok(AliasTarget {
        digest: digest.map_err(|error| corrupt(READ, "alias target", error))?,
        since: since
            .parse()
            .map_err(|error| corrupt(READ, "time of an alias move", error))?,
        token: FencingToken::new(token.unsigned_abs()),
    })
}

fn parse_aliases(names: &[String]) -> Result<Vec<Alias>, Error> {
    let parsed = names.iter().map(|name| name.parse());
    let mut aliases = parsed
        .collect::<Result<Vec<Alias>, _>>()
        .map_err(|error| corrupt(READ, "alias", error))?;
    aliases.sort();
    Ok(aliases)
}

const FIND_VERSION: &str =
    "SELECT number, registration, deleted_at FROM model_version WHERE model = $1 AND digest = $2";
const READ: &str = "read the registry";
