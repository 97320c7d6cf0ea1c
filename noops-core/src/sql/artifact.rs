use async_trait::async_trait;
use sqlx::SqlitePool;

use super::translate;
use crate::artifact::ArtifactStore;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// Artifacts in an SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteArtifacts {
    pool: SqlitePool,
}

impl SqliteArtifacts {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl ArtifactStore for SqliteArtifacts {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        sqlx::query("INSERT INTO artifact (digest, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(digest.to_string())
            .bind(bytes)
            .execute(&self.pool)
            .await
            .map_err(|error| translate("store an artifact", error))?;
        Ok(digest)
    }

    async fn load(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let stored: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT bytes FROM artifact WHERE digest = ?")
                .bind(digest.to_string())
                .fetch_optional(&self.pool)
                .await
                .map_err(|error| translate(LOAD, error))?;
        let bytes = stored.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                LOAD,
                "nothing is stored at this address",
            )
            .with("digest", digest)
        })?;
        if Digest::of(&bytes) != *digest {
            return Err(
                Error::new(ErrorKind::Corrupt, LOAD, "its bytes do not have its digest")
                    .with("digest", digest),
            );
        }
        Ok(bytes)
    }
}

const LOAD: &str = "load an artifact";
