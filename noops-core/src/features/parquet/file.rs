//! One Parquet file, opened with suspicion.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ParquetMetaData;
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema};

use super::READ;
use crate::error::{Error, ErrorKind};

/// A file whose footer has been read.
#[derive(Clone, Debug)]
pub(super) struct RowFile {
    path: PathBuf,
    stamp: Stamp,
    metadata: ArrowReaderMetadata,
}

/// What changes when a file is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl RowFile {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let (file, stamp) = open(path)?;
        let load = || ArrowReaderMetadata::load(&file, ArrowReaderOptions::new());
        let metadata = guarded(path, load)?.map_err(|error| from_parquet(path, error))?;
        if !lies_within(metadata.metadata(), stamp.bytes) {
            return Err(corrupt(path));
        }
        Ok(Self {
            path: path.to_owned(),
            stamp,
            metadata,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn schema(&self) -> &Schema {
        self.metadata.schema()
    }

    pub(super) fn metadata(&self) -> &ArrowReaderMetadata {
        &self.metadata
    }

    /// How many rows each row group has.
    pub(super) fn row_groups(&self) -> impl Iterator<Item = u64> + '_ {
        let groups = self.metadata.metadata().row_groups().iter();
        groups.map(|group| u64::try_from(group.num_rows()).unwrap_or(0))
    }

    /// About how many bytes the rows take in memory.
    pub(super) fn estimated_bytes(&self, columns: &[usize]) -> u64 {
        let descriptor = self.metadata.parquet_schema();
        let mask = ProjectionMask::roots(descriptor, columns.iter().copied());
        let mut bytes: u64 = 0;
        for group in self.metadata.metadata().row_groups() {
            let flat = u64::try_from(group.num_rows())
                .unwrap_or(0)
                .saturating_mul(8);
            for (leaf, chunk) in group.columns().iter().enumerate() {
                if mask.leaf_included(leaf) {
                    let size = u64::try_from(chunk.uncompressed_size()).unwrap_or(0);
                    bytes = bytes.saturating_add(size.max(flat));
                }
            }
        }
        bytes
    }

    /// Reads columns, given by their place in the schema, of all row groups or of one.
    pub(super) fn read(
        &self,
        columns: &[usize],
        row_group: Option<usize>,
        batch_rows: usize,
    ) -> Result<Batches, Error> {
        let (file, stamp) = open(&self.path)?;
        if stamp != self.stamp {
            let message = "a file has changed since it was opened; open the features again";
            return Err(
                Error::new(ErrorKind::Conflict, READ, message).with("file", self.path.display())
            );
        }
        let descriptor = self.metadata.parquet_schema();
        let mask = ProjectionMask::roots(descriptor, columns.iter().copied());
        let metadata = self.metadata.clone();
        let build = || {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
                .with_projection(mask)
                .with_batch_size(batch_rows);
            match row_group {
                Some(group) => builder.with_row_groups(vec![group]).build(),
                None => builder.build(),
            }
        };
        let built = guarded(&self.path, build)?;
        Ok(Batches {
            path: self.path.clone(),
            reader: Some(built.map_err(|error| from_parquet(&self.path, error))?),
        })
    }
}

/// The batches of a file, until its end or the first error.
#[derive(Debug)]
pub(super) struct Batches {
    path: PathBuf,
    reader: Option<ParquetRecordBatchReader>,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let next = match guarded(&self.path, || reader.next()) {
            Ok(None) => None,
            Ok(Some(Ok(batch))) => Some(Ok(batch)),
            Ok(Some(Err(error))) => Some(Err(from_arrow(&self.path, error))),
            Err(error) => Some(Err(error)),
        };
        if !matches!(next, Some(Ok(_))) {
            self.reader = None;
        }
        next
    }
}

/// An error of the file system.
pub(super) fn from_io(path: &Path, error: io::Error) -> Error {
    let (kind, message) = match error.kind() {
        io::ErrorKind::NotFound => (ErrorKind::NotFound, "there is no such file or folder"),
        io::ErrorKind::UnexpectedEof => (ErrorKind::Corrupt, TRUNCATED),
        _ => (ErrorKind::Unavailable, "the file system did not do it"),
    };
    Error::new(kind, READ, message)
        .with("file", path.display())
        .caused_by(error)
}

fn open(path: &Path) -> Result<(File, Stamp), Error> {
    let file = File::open(path).map_err(|error| from_io(path, error))?;
    let metadata = file.metadata().map_err(|error| from_io(path, error))?;
    let stamp = Stamp {
        bytes: metadata.len(),
        modified: metadata.modified().ok(),
    };
    Ok((file, stamp))
}

/// Whether all that the footer announces can be in the file. The reader allocates what it is told to.
fn lies_within(metadata: &ParquetMetaData, bytes: u64) -> bool {
    metadata.row_groups().iter().all(|group| {
        let chunks = group.columns().iter();
        let mut starts = chunks.map(|chunk| {
            let start = chunk
                .dictionary_page_offset()
                .unwrap_or_else(|| chunk.data_page_offset());
            (start, chunk.compressed_size())
        });
        group.num_rows() >= 0
            && starts.all(|(start, size)| {
                let (start, size) = (u64::try_from(start), u64::try_from(size));
                let end = start.ok().zip(size.ok());
                end.and_then(|(start, size)| start.checked_add(size))
                    .is_some_and(|end| end <= bytes)
            })
    })
}

/// Runs the Parquet reader. It is made for files from writers that mean well; where it gives up on another one by a panic, that is an
/// error about the file like any other.
fn guarded<T>(path: &Path, work: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| corrupt(path))
}

fn corrupt(path: &Path) -> Error {
    Error::new(ErrorKind::Corrupt, READ, TRUNCATED).with("file", path.display())
}

fn from_parquet(path: &Path, error: ParquetError) -> Error {
    if let ParquetError::External(source) = &error
        && source.downcast_ref::<io::Error>().is_some_and(failed)
    {
        return unavailable(path).caused_by(error);
    }
    corrupt(path).caused_by(error)
}

fn from_arrow(path: &Path, error: ArrowError) -> Error {
    let io = match &error {
        ArrowError::IoError(_, source) => failed(source),
        ArrowError::ExternalError(source) => source.downcast_ref::<io::Error>().is_some_and(failed),
        _ => false,
    };
    if io {
        return unavailable(path).caused_by(error);
    }
    corrupt(path).caused_by(error)
}

fn failed(error: &io::Error) -> bool {
    // A file that ends too early, or an offset that is none, is the file's fault.
    !matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
    )
}

fn unavailable(path: &Path) -> Error {
    let message = "the file system did not do it";
    Error::new(ErrorKind::Unavailable, READ, message).with("file", path.display())
}

const TRUNCATED: &str = "a file is not whole Parquet; restore it or write it again";
