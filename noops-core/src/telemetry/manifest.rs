use std::collections::BTreeSet;
use std::time::Duration;

use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{RecordBatch, cast::AsArray};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::after;
use super::table::{AT, telemetry_schema};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// A file of telemetry rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TelemetryFile {
    digest: Digest,
    from: Timestamp,
    until: Timestamp,
    rows: u64,
    written_at: Timestamp,
}

impl TelemetryFile {
    /// Describes the file that holds some batches of [`telemetry_schema`](crate::telemetry_schema).
    ///
    /// # Errors
    ///
    /// `Invalid` when there is no row or a batch has other columns.
    pub fn describe(
        digest: Digest,
        batches: &[RecordBatch],
        written_at: Timestamp,
    ) -> Result<Self, Error> {
        let mut rows = 0u64;
        let mut bounds: Option<(Timestamp, Timestamp)> = None;
        for batch in batches {
            if batch.schema() != telemetry_schema() {
                return Err(invalid("a batch has other columns than a telemetry table"));
            }
            let times = batch
                .column_by_name(AT)
                .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>())
                .ok_or_else(|| invalid("a batch has no times"))?;
            for microsecond in times.iter().flatten() {
                let at = Timestamp::from_microsecond(microsecond)
                    .map_err(|error| invalid("a time is out of range").caused_by(error))?;
                let (from, until) = bounds.unwrap_or((at, at));
                bounds = Some((from.min(at), until.max(at)));
            }
            rows = rows.saturating_add(batch.num_rows() as u64);
        }
        let (from, until) = bounds.ok_or_else(|| invalid("there are no rows"))?;
        Ok(Self {
            digest,
            from,
            until,
            rows,
            written_at,
        })
    }

    /// Where its bytes are.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The time of its earliest prediction.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// The time of its latest prediction.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// When it was written.
    #[must_use]
    pub fn written_at(&self) -> Timestamp {
        self.written_at
    }

    fn place(&self) -> (Timestamp, Timestamp, Digest) {
        (self.from, self.until, self.digest)
    }

    /// A row that claims to be from the future must not keep its file for ever: the age counts from when it was written, then.
    fn is_expired(&self, now: Timestamp, retention: Duration) -> bool {
        after(self.until.min(self.written_at), retention) <= now
    }
}

/// The files of telemetry that exist, earliest first.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::{TelemetryManifest, Timestamp};
///
/// let mut manifest = TelemetryManifest::default();
/// let expired = manifest.expire(Timestamp::UNIX_EPOCH, Duration::from_secs(400 * 86_400));
/// assert!(expired.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<TelemetryFile>", into = "Vec<TelemetryFile>")]
pub struct TelemetryManifest {
    files: Vec<TelemetryFile>,
}

impl TelemetryManifest {
    /// A manifest without files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file. A file that is there already, by its digest, is not added again: the same rows were drained twice, before
    /// and after a crash, as [`TelemetryBuffer`](crate::TelemetryBuffer) says.
    pub fn add(&mut self, file: TelemetryFile) {
        if self.files.iter().any(|held| held.digest == file.digest) {
            return;
        }
        let place = file.place();
        let index = self.files.partition_point(|held| held.place() < place);
        self.files.insert(index, file);
    }

    /// Takes out the files whose latest row is as old as the retention, or older, and returns where their bytes are.
    ///
    /// Delete the bytes first and save the manifest then: after a crash in between, the same files are taken out again.
    #[must_use = "the files are deleted by the caller"]
    pub fn expire(&mut self, now: Timestamp, retention: Duration) -> Vec<Digest> {
        let (expired, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.files)
            .into_iter()
            .partition(|file| file.is_expired(now, retention));
        self.files = kept;
        expired.iter().map(TelemetryFile::digest).collect()
    }

    /// The files, earliest first.
    #[must_use]
    pub fn files(&self) -> &[TelemetryFile] {
        &self.files
    }
}

impl TryFrom<Vec<TelemetryFile>> for TelemetryManifest {
    type Error = Error;

    /// Fails with `Invalid` when a file ends before it begins or has no rows, and when two have one digest.
    fn try_from(mut files: Vec<TelemetryFile>) -> Result<Self, Error> {
        let mut digests = BTreeSet::new();
        for file in &files {
            let refuse = |message| Err(invalid(message).with("digest", file.digest));
            if file.from > file.until || file.rows == 0 {
                return refuse("a file ends before it begins, or has no rows");
            }
            if !digests.insert(file.digest) {
                return refuse("two files have one digest");
            }
        }
        files.sort_by_key(TelemetryFile::place);
        Ok(Self { files })
    }
}

impl From<TelemetryManifest> for Vec<TelemetryFile> {
    fn from(manifest: TelemetryManifest) -> Self {
        manifest.files
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "describe a telemetry file", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn file(name: &str, from: i64, until: i64, written_at: i64) -> TelemetryFile {
        TelemetryFile {
            digest: Digest::of(name.as_bytes()),
            from: second(from),
            until: second(until),
            rows: 1,
            written_at: second(written_at),
        }
    }

    #[test]
    fn a_file_expires_when_its_latest_row_is_as_old_as_the_retention() {
        let mut manifest = TelemetryManifest::new();
        manifest.add(file("b", 50, 100, 100));
        manifest.add(file("a", 0, 60, 60));
        let minute = Duration::from_secs(60);
        assert!(manifest.expire(second(119), minute).is_empty());
        assert_eq!(manifest.expire(second(120), minute), [Digest::of(b"a")]);
        assert_eq!(manifest.files(), [file("b", 50, 100, 100)]);
        assert!(manifest.expire(second(120), minute).is_empty());
    }

    #[test]
    fn a_row_from_the_future_does_not_keep_its_file_for_ever() {
        let mut manifest = TelemetryManifest::new();
        let mut skewed = file("a", 0, 0, 100);
        skewed.until = Timestamp::MAX;
        manifest.add(skewed);
        let expired = manifest.expire(second(160), Duration::from_secs(60));
        assert_eq!(expired, [Digest::of(b"a")]);
    }

    #[test]
    fn absurd_times_and_retentions_are_harmless() {
        let mut manifest = TelemetryManifest::new();
        manifest.add(file("a", 0, 0, 0));
        assert!(manifest.expire(second(9), Duration::MAX).is_empty());
        assert!(manifest.expire(Timestamp::MIN, Duration::ZERO).is_empty());
        assert_eq!(manifest.expire(Timestamp::MAX, Duration::MAX).len(), 1);
    }

    #[test]
    fn a_file_written_twice_is_listed_once_and_files_are_in_order() {
        let mut manifest = TelemetryManifest::new();
        for name in ["c", "a", "b", "a"] {
            let from = i64::from(name.as_bytes()[0]);
            manifest.add(file(name, from, from, from));
        }
        let digests: Vec<Digest> = manifest.files().iter().map(TelemetryFile::digest).collect();
        assert_eq!(
            digests,
            ["a", "b", "c"].map(|name| Digest::of(name.as_bytes()))
        );

        let text = serde_json::to_string(&manifest).unwrap();
        assert_eq!(
            serde_json::from_str::<TelemetryManifest>(&text).unwrap(),
            manifest
        );
    }

    #[test]
    fn a_manifest_that_makes_no_sense_is_refused() {
        let twice = vec![file("a", 0, 1, 1), file("a", 0, 1, 1)];
        let backwards = vec![file("a", 2, 1, 1)];
        let mut empty = file("a", 0, 1, 1);
        empty.rows = 0;
        for files in [twice, backwards, vec![empty]] {
            let text = serde_json::to_string(&files).unwrap();
            assert!(
                serde_json::from_str::<TelemetryManifest>(&text).is_err(),
                "{text}"
            );
        }
        for text in ["{}", "[1]", "[{}]", "[{\"digest\":\"../x\"}]", ""] {
            assert!(
                serde_json::from_str::<TelemetryManifest>(text).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn batches_without_rows_or_with_other_columns_are_refused() {
        let empty = RecordBatch::new_empty(telemetry_schema());
        let other = RecordBatch::new_empty(std::sync::Arc::new(arrow_schema::Schema::empty()));
        for batches in [vec![], vec![empty], vec![other]] {
            let error = TelemetryFile::describe(Digest::ZERO, &batches, second(0)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }
}
