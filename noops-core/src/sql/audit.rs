use async_trait::async_trait;

use super::{Room, SqlDatabase, corrupt, integer};
use crate::audit::{APPEND, AuditEntry, AuditLog, AuditRecord, other_record_under_key};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// An audit log in a table of the database, which refuses to change or delete a row.
#[derive(Clone, Debug)]
pub struct SqlAuditLog {
    database: SqlDatabase,
}

impl SqlAuditLog {
    pub(super) fn new(database: SqlDatabase) -> Self {
        Self { database }
    }
}

#[async_trait]
impl AuditLog for SqlAuditLog {
    async fn append(&self, record: AuditRecord) -> Result<AuditEntry, Error> {
        let failed = self.database.failed(APPEND);
        let mut transaction = self.database.write(Room::Audit, APPEND).await?;
        let newest: Option<Row> = sqlx::query_as(
            "SELECT sequence, record, previous, hash FROM audit ORDER BY sequence DESC LIMIT 1",
        )
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        let newest = newest.map(decode).transpose()?;
        if let Some(newest) = &newest {
            record.token.check(newest.record.token, APPEND)?;
        }
        let existing: Option<Row> =
            sqlx::query_as("SELECT sequence, record, previous, hash FROM audit WHERE key = $1")
                .bind(record.key.clone())
                .fetch_optional(&mut *transaction)
                .await
                .map_err(failed)?;
        if let Some(existing) = existing.map(decode).transpose()? {
            return if existing.record.same_event(&record) {
                Ok(existing)
            } else {
                Err(other_record_under_key(&record.key))
            };
        }
        let (sequence, previous) = newest.map_or((0, AuditEntry::ORIGIN), |newest| {
            (newest.sequence + 1, newest.hash)
        });
        let entry = AuditEntry::chain(sequence, record, previous);
        let text = serde_json::to_string(&entry.record).map_err(|error| {
            Error::new(ErrorKind::Invalid, APPEND, "the record is not JSON").caused_by(error)
        })?;
        let insert =
            "INSERT INTO audit (sequence, key, record, previous, hash) VALUES ($1, $2, $3, $4, $5)";
        sqlx::query(insert)
            .bind(integer(sequence, APPEND)?)
            .bind(entry.record.key.clone())
            .bind(text)
            .bind(entry.previous.to_string())
            .bind(entry.hash.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        self.database.commit(transaction, APPEND).await?;
        Ok(entry)
    }

    async fn entries(&self) -> Result<Vec<AuditEntry>, Error> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT sequence, record, previous, hash FROM audit ORDER BY sequence")
                .fetch_all(&self.database.pool)
                .await
                .map_err(self.database.failed(READ))?;
        rows.into_iter().map(decode).collect()
    }
}

type Row = (i64, String, String, String);

fn decode((sequence, record, previous, hash): Row) -> Result<AuditEntry, Error> {
    let record = serde_json::from_str(&record)
        .map_err(|error| corrupt(READ, "audit record", error).with("sequence", sequence))?;
    Ok(AuditEntry {
        sequence: sequence.unsigned_abs(),
        record,
        previous: parse_digest(&previous)?,
        hash: parse_digest(&hash)?,
    })
}

fn parse_digest(text: &str) -> Result<Digest, Error> {
    text.parse()
        .map_err(|error| corrupt(READ, "audit hash", error))
}

const READ: &str = "read the audit log";
