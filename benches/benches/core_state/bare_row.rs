use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Sqlite, SqliteConnection};

/// The floor of whatever reads a row of SQLite: one text by its number, through the same driver, not looked at.
#[derive(Debug)]
pub(crate) struct BareRow {
    connection: SqliteConnection,
}

impl BareRow {
    /// A file with this text in each of `rows` rows.
    pub(crate) async fn create(file: &Path, rows: i64, text: &str) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true);
        let mut connection = options.connect().await?;
        sqlx::query("CREATE TABLE bare (id INTEGER PRIMARY KEY, content TEXT NOT NULL)")
            .execute(&mut connection)
            .await?;
        sqlx::query("BEGIN").execute(&mut connection).await?;
        for id in 0..rows {
            sqlx::query("INSERT INTO bare (id, content) VALUES ($1, $2)")
                .bind(id)
                .bind(text.to_owned())
                .execute(&mut connection)
                .await?;
        }
        sqlx::query("COMMIT").execute(&mut connection).await?;
        Ok(Self { connection })
    }

    /// The text of a row.
    pub(crate) async fn read(&mut self, id: i64) -> Result<String, sqlx::Error> {
        sqlx::query_scalar::<Sqlite, String>("SELECT content FROM bare WHERE id = $1")
            .bind(id)
            .fetch_one(&mut self.connection)
            .await
    }
}
