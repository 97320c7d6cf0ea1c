use async_trait::async_trait;

use super::{Room, SqlDatabase, integer, see_token};
use crate::error::Error;
use crate::lease::FencingToken;
use crate::state::{SAVE, Snapshot, StateStore, saved_by_another};

/// Snapshots in a table of the database.
#[derive(Clone, Debug)]
pub struct SqlStates {
    database: SqlDatabase,
}

impl SqlStates {
    pub(super) fn new(database: SqlDatabase) -> Self {
        Self { database }
    }
}

#[async_trait]
impl StateStore for SqlStates {
    async fn load(&self, key: &str) -> Result<Option<Snapshot>, Error> {
        let stored: Option<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT generation, bytes FROM state WHERE key = $1")
                .bind(key.to_owned())
                .fetch_optional(&self.database.pool)
                .await
                .map_err(self.database.failed("load a state"))?;
        Ok(stored.map(|(generation, bytes)| Snapshot {
            generation: generation.unsigned_abs(),
            bytes,
        }))
    }

    async fn save(
        &self,
        key: &str,
        expected: u64,
        bytes: &[u8],
        token: FencingToken,
    ) -> Result<(), Error> {
        let failed = self.database.failed(SAVE);
        let mut transaction = self.database.write(Room::States, SAVE).await?;
        see_token(
            &mut transaction,
            &format!("state/{key}"),
            token,
            SAVE,
            failed,
        )
        .await?;
        // One statement, so that the comparison and the swap are one.
        let swap = match expected {
            0 => {
                "INSERT INTO state (key, bytes, generation) VALUES ($1, $2, $3 + 1) ON CONFLICT DO NOTHING"
            }
            _ => {
                "UPDATE state SET generation = generation + 1, bytes = $2 WHERE key = $1 AND generation = $3"
            }
        };
        let done = sqlx::query(swap)
            .bind(key.to_owned())
            .bind(bytes.to_vec())
            .bind(integer(expected, SAVE)?)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        self.database.commit(transaction, SAVE).await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(saved_by_another(key, expected))
        }
    }
}
