use arrow_array::RecordBatch;
use jiff::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::manifest::TelemetryFile;
use super::table::telemetry_schema;
use crate::artifact::ArtifactStore;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// Writes drained rows into one Parquet file, puts it into a store, and describes it for the
/// [`TelemetryManifest`](crate::TelemetryManifest).
///
/// The same rows give the same bytes, so that rows drained again after a crash, at the same time, are stored once. The file is made in memory, on the
/// thread of the caller: as long as it takes to compress the rows.
///
/// # Errors
///
/// `Invalid` when there is no row or a batch has other columns than [`telemetry_schema`](crate::telemetry_schema); the errors of
/// the store.
///
/// # Examples
///
/// ```
/// use noops_core::{InMemoryArtifacts, TelemetryManifest, TelemetryBuffer, TelemetrySettings, Timestamp, write_parquet};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), noops_core::Error> {
/// # let now = Timestamp::UNIX_EPOCH;
/// let (mut telemetry, mut manifest) = (TelemetryBuffer::new(TelemetrySettings::default())?, TelemetryManifest::new());
/// let artifacts = InMemoryArtifacts::new();
///
/// let batches = telemetry.drain(now)?;
/// if !batches.is_empty() {
///     manifest.add(write_parquet(&batches, &artifacts, now).await?);
/// }
/// # Ok(())
/// # }
/// ```
pub async fn write_parquet(
    batches: &[RecordBatch],
    artifacts: &dyn ArtifactStore,
    written_at: Timestamp,
) -> Result<TelemetryFile, Error> {
    // Before anything is encoded: what is described has the right columns.
    TelemetryFile::describe(Digest::ZERO, batches, written_at)?;
    let bytes = encode(batches).map_err(|error| {
        let message = "the rows cannot be encoded";
        Error::new(ErrorKind::Invalid, "write telemetry as Parquet", message).caused_by(error)
    })?;
    let digest = artifacts.put(&bytes).await?;
    TelemetryFile::describe(digest, batches, written_at)
}

fn encode(batches: &[RecordBatch]) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        // Not the version of the encoder: the digest is to depend on the rows.
        .set_created_by("noops-core".to_owned())
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), telemetry_schema(), Some(properties))?;
    for batch in batches {
        writer.write(batch)?;
    }
    writer.into_inner()
}

#[cfg(test)]
mod tests {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::memory::InMemoryArtifacts;
    use crate::telemetry::tests::{label, prediction, second};
    use crate::telemetry::{TelemetryBuffer, TelemetrySettings};

    fn drained() -> Vec<RecordBatch> {
        let mut telemetry = TelemetryBuffer::new(TelemetrySettings::default()).unwrap();
        for number in 0..20 {
            let request = format!("r-{number}");
            telemetry.predictions(&[prediction(&request, number)]);
            telemetry.label(label(&request, number % 3 == 0, number + 60));
        }
        telemetry.drain(second(1000)).unwrap()
    }

    #[tokio::test]
    async fn what_is_written_is_read_back_by_another_reader() {
        let (artifacts, batches) = (InMemoryArtifacts::new(), drained());
        let file = write_parquet(&batches, &artifacts, second(1000))
            .await
            .unwrap();
        assert_eq!(
            (file.rows(), file.from(), file.until()),
            (20, second(0), second(19))
        );

        let bytes = artifacts.load(&file.digest()).await.unwrap();
        let path =
            std::env::temp_dir().join(format!("noops-core-telemetry-{}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let opened = std::fs::File::open(&path).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(opened).unwrap();
        let read: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read, batches);
    }

    #[tokio::test]
    async fn the_same_rows_are_stored_once() {
        let artifacts = InMemoryArtifacts::new();
        let first = write_parquet(&drained(), &artifacts, second(1000))
            .await
            .unwrap();
        let second = write_parquet(&drained(), &artifacts, second(2000))
            .await
            .unwrap();
        assert_eq!(first.digest(), second.digest());
    }

    #[tokio::test]
    async fn a_crash_between_writing_and_saving_leaves_one_file_when_the_drain_is_repeated() {
        let artifacts = InMemoryArtifacts::new();
        let mut manifest = crate::telemetry::TelemetryManifest::new();
        let mut telemetry = TelemetryBuffer::new(TelemetrySettings::default()).unwrap();
        for number in 0..20 {
            let request = format!("r-{number}");
            telemetry.predictions(&[prediction(&request, number)]);
            telemetry.label(label(&request, true, number + 60));
        }
        // What is complete at second 70 is not all.
        let (saved, now) = (serde_json::to_string(&telemetry).unwrap(), second(70));
        let written = telemetry.drain(now).unwrap();
        let file = write_parquet(&written, &artifacts, now).await.unwrap();
        assert_eq!(file.rows(), 11);
        manifest.add(file);
        drop(telemetry);

        let mut resumed: TelemetryBuffer = serde_json::from_str(&saved).unwrap();
        let again = resumed.drain(now).unwrap();
        manifest.add(write_parquet(&again, &artifacts, second(90)).await.unwrap());
        assert_eq!(manifest.files().len(), 1);
        let rest = resumed.drain(second(90)).unwrap();
        manifest.add(write_parquet(&rest, &artifacts, second(90)).await.unwrap());
        let rows: Vec<u64> = manifest.files().iter().map(TelemetryFile::rows).collect();
        assert_eq!(rows, [11, 9]);
    }

    #[tokio::test]
    async fn nothing_to_write_is_refused_before_the_store_is_asked() {
        let artifacts = InMemoryArtifacts::new();
        let error = write_parquet(&[], &artifacts, second(0)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(artifacts.list().await.unwrap().is_empty());
    }
}
