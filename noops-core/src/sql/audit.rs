use async_trait::async_trait;
use sqlx::SqlitePool;

use super::{corrupt, translate};
use crate::audit::{AuditEntry, AuditLog, AuditRecord};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::memory::other_record_under_key;

/// An audit log in an SQLite file. Triggers refuse updates and deletions, and the hash chain shows those made around them.
#[derive(Clone, Debug)]
pub struct SqliteAuditLog {
    pool: SqlitePool,
}

impl SqliteAuditLog {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }
}

type Row = (i64, String, String, String);

#[async_trait]
impl AuditLog for SqliteAuditLog {
    async fn append(&self, record: AuditRecord) -> Result<AuditEntry, Error> {
        let failed = |error| translate(APPEND, error);
        let mut transaction = self
            .pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed)?;
        let existing: Option<Row> =
            sqlx::query_as("SELECT sequence, record, previous, hash FROM audit WHERE key = ?")
                .bind(&record.key)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(failed)?;
        if let Some(existing) = existing.map(decode).transpose()? {
            return if existing.record == record {
                Ok(existing)
            } else {
                Err(other_record_under_key(&record.key))
            };
        }
        let last: Option<(i64, String)> =
            sqlx::query_as("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1")
                .fetch_optional(&mut *transaction)
                .await
                .map_err(failed)?;
        let (sequence, previous) = match last {
            None => (0, AuditEntry::ORIGIN),
            Some((sequence, hash)) => (sequence + 1, parse_digest(&hash)?),
        };
        let entry = AuditEntry::chain(sequence.unsigned_abs(), record, previous);
        let text = serde_json::to_string(&entry.record).map_err(|error| {
            Error::new(ErrorKind::Invalid, APPEND, "the record is not JSON").caused_by(error)
        })?;
        sqlx::query(
            "INSERT INTO audit (sequence, key, record, previous, hash) VALUES (?, ?, ?, ?, ?)",
        )
        .bind(sequence)
        .bind(&entry.record.key)
        .bind(text)
        .bind(entry.previous.to_string())
        .bind(entry.hash.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(entry)
    }

    async fn entries(&self) -> Result<Vec<AuditEntry>, Error> {
        let rows: Vec<Row> =
            sqlx::query_as("SELECT sequence, record, previous, hash FROM audit ORDER BY sequence")
                .fetch_all(&self.pool)
                .await
                .map_err(|error| translate(READ, error))?;
        rows.into_iter().map(decode).collect()
    }
}

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

const APPEND: &str = "append to the audit log";
const READ: &str = "read the audit log";
