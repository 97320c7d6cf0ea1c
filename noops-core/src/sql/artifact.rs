use async_trait::async_trait;

use super::{SqlDatabase, corrupt};
use crate::artifact::buffered::{BufferedUpload, WholeDownload};
use crate::artifact::{
    ArtifactDownload, ArtifactStore, ArtifactUpload, corrupt_artifact, no_such_artifact,
};
use crate::digest::Digest;
use crate::error::Error;

/// Artifacts in a table of the database, each held in memory as a whole while it goes in or out: for models of megabytes. Larger ones
/// belong into a directory or an object store.
#[derive(Clone, Debug)]
pub struct SqlArtifacts {
    database: SqlDatabase,
}

impl SqlArtifacts {
    pub(super) fn new(database: SqlDatabase) -> Self {
        Self { database }
    }
}

#[async_trait]
impl ArtifactStore for SqlArtifacts {
    async fn put(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        // Over a copy that was damaged too.
        let upsert = "INSERT INTO artifact (digest, bytes) VALUES ($1, $2) ON CONFLICT (digest) DO UPDATE SET bytes = excluded.bytes
             WHERE artifact.bytes <> excluded.bytes";
        sqlx::query(upsert)
            .bind(digest.to_string())
            .bind(bytes.to_vec())
            .execute(&self.database.pool)
            .await
            .map_err(self.database.failed("store an artifact"))?;
        Ok(digest)
    }

    async fn load(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let stored: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT bytes FROM artifact WHERE digest = $1")
                .bind(digest.to_string())
                .fetch_optional(&self.database.pool)
                .await
                .map_err(self.database.failed("load an artifact"))?;
        let bytes = stored.ok_or_else(|| no_such_artifact(digest))?;
        if Digest::of(&bytes) == *digest {
            Ok(bytes)
        } else {
            Err(corrupt_artifact(digest))
        }
    }

    async fn upload(&self) -> Result<Box<dyn ArtifactUpload>, Error> {
        Ok(Box::new(BufferedUpload::new(self.clone())))
    }

    async fn download(&self, digest: &Digest) -> Result<Box<dyn ArtifactDownload>, Error> {
        Ok(Box::new(WholeDownload::new(self.load(digest).await?)))
    }

    async fn list(&self) -> Result<Vec<Digest>, Error> {
        let digests: Vec<String> =
            sqlx::query_scalar("SELECT digest FROM artifact ORDER BY digest")
                .fetch_all(&self.database.pool)
                .await
                .map_err(self.database.failed(LIST))?;
        let parsed = digests.iter().map(|digest| digest.parse());
        parsed
            .collect::<Result<Vec<Digest>, _>>()
            .map_err(|error| corrupt(LIST, "digest of an artifact", error))
    }

    async fn delete(&self, digest: &Digest) -> Result<(), Error> {
        sqlx::query("DELETE FROM artifact WHERE digest = $1")
            .bind(digest.to_string())
            .execute(&self.database.pool)
            .await
            .map_err(self.database.failed("delete an artifact"))?;
        Ok(())
    }
}

const LIST: &str = "list the artifacts";
