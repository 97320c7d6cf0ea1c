use async_trait::async_trait;
use sqlx::SqlitePool;

use super::translate;
use crate::error::Error;
use crate::memory::saved_by_another;
use crate::state::{Snapshot, StateStore};

/// Snapshots in an SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteStates {
    pool: SqlitePool,
}

impl SqliteStates {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl StateStore for SqliteStates {
    async fn load(&self, key: &str) -> Result<Option<Snapshot>, Error> {
        let stored: Option<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT generation, bytes FROM state WHERE key = ?")
                .bind(key)
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| translate("load a state", error))?;
        Ok(stored.map(|(generation, bytes)| Snapshot {
            generation: generation.unsigned_abs(),
            bytes,
        }))
    }

    async fn save(&self, key: &str, expected: u64, bytes: &[u8]) -> Result<(), Error> {
        // One statement, so that the comparison and the swap are one.
        let swapped = match expected {
            0 => sqlx::query("INSERT INTO state (key, generation, bytes) VALUES (?, 1, ?) ON CONFLICT DO NOTHING").bind(key).bind(bytes),
            _ => sqlx::query("UPDATE state SET generation = generation + 1, bytes = ? WHERE key = ? AND generation = ?")
                .bind(bytes)
                .bind(key)
                .bind(i64::try_from(expected).unwrap_or(i64::MAX)),
        };
        let done = swapped
            .execute(&self.pool)
            .await
            .map_err(|error| translate("save a state", error))?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(saved_by_another(key, expected))
        }
    }
}
