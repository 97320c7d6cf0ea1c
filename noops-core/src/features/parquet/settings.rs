use crate::features::{EVENT_TIME, KNOWN_AT};

/// How feature rows lie in Parquet files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParquetSettings {
    event_time: String,
    known_at: String,
    batch_rows: usize,
    max_bytes: u64,
}

impl ParquetSettings {
    /// The timestamp column that says when what a row describes happened; [`EVENT_TIME`] by default.
    #[must_use]
    pub fn with_event_time_column(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if self.known_at == self.event_time {
            self.known_at.clone_from(&name);
        }
        self.event_time = name;
        self
    }

    /// The timestamp column that says when a row became known; [`KNOWN_AT`] by default.
    #[must_use]
    pub fn with_known_at_column(mut self, name: impl Into<String>) -> Self {
        self.known_at = name.into();
        self
    }

    /// For data that does not say when it became known: every row counts as known since its event time. Rows that arrived late or
    /// were corrected later then leak into training rows, and no report on leakage can see it.
    #[must_use]
    pub fn with_known_at_event_time(mut self) -> Self {
        self.known_at.clone_from(&self.event_time);
        self
    }

    /// How many rows are read at once, from 1 to 1,048,576; 8,192 by default.
    #[must_use]
    pub fn with_batch_rows(mut self, rows: usize) -> Self {
        self.batch_rows = rows.clamp(1, MOST_BATCH_ROWS);
        self
    }

    /// How many bytes of rows may be held in memory to sort them, places included, or to hand them out at once; 256 MiB by default. The
    /// batches that are being read or written come on top.
    #[must_use]
    pub fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The column of event times.
    #[must_use]
    pub fn event_time_column(&self) -> &str {
        &self.event_time
    }

    /// The column of known-at times; the same as that of event times when the data has none.
    #[must_use]
    pub fn known_at_column(&self) -> &str {
        &self.known_at
    }

    /// How many rows are read at once.
    #[must_use]
    pub fn batch_rows(&self) -> usize {
        self.batch_rows
    }

    /// How many bytes of rows may be held in memory.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        self.max_bytes
    }
}

impl Default for ParquetSettings {
    fn default() -> Self {
        Self {
            event_time: EVENT_TIME.to_owned(),
            known_at: KNOWN_AT.to_owned(),
            batch_rows: 8192,
            max_bytes: 256 * 1024 * 1024,
        }
    }
}

const MOST_BATCH_ROWS: usize = 1 << 20;
