//! Writing rows in the order in which they became known.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use super::file::{RowFile, from_io};
use super::layout::times_of;
use super::merge::{Keyed, Merge, Run, sorted};
use super::order::Order;
use super::{ParquetSettings, open_all};
use crate::error::{Error, ErrorKind};

/// Writes the rows of a Parquet file, or of all in a folder, into one file in the order in which they became known: by the later of event
/// time and known-at, rows of one moment in the order they have. All columns are kept. Returns the number of rows.
///
/// Rows beyond [`ParquetSettings::with_max_bytes`] are sorted in parts, which are kept in a folder beside the output until they are
/// merged. The output appears whole or not at all, and replaces a file of its name.
///
/// # Errors
///
/// `Invalid` when the files do not have the same columns, a time column is missing, holds something else or a null, or when the output
/// would become one of the files of the input folder; otherwise as [`ParquetFeatures::open`](super::ParquetFeatures::open).
///
/// # Complexity
///
/// Every row is read and written once if all fit into memory, else twice.
pub fn sort_by_availability(
    input: impl AsRef<Path>,
    output: impl AsRef<Path>,
    settings: &ParquetSettings,
) -> Result<u64, Error> {
    let (input, output) = (input.as_ref(), output.as_ref());
    let files = open_all(input)?;
    let schema = common_schema(&files)?;
    let folder = match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let Some(name) = output.file_name() else {
        let message = "the output must be a file";
        return Err(Error::new(ErrorKind::Invalid, SORT, message).with("output", output.display()));
    };
    let input_folder = fs::canonicalize(input).map_err(|error| from_io(input, error))?;
    let output_folder = fs::canonicalize(&folder).map_err(|error| from_io(&folder, error))?;
    if input_folder == output_folder {
        let message = "the output would be read as one of the inputs; write it to another folder";
        return Err(Error::new(ErrorKind::Invalid, SORT, message).with("output", output.display()));
    }
    let scratch = Scratch::create(folder.join(format!(
        ".{}.{}.sorting",
        name.to_string_lossy(),
        std::process::id()
    )))?;
    let whole = scratch.path.join("whole.parquet");
    let merge = runs(&files, &schema, settings, &scratch)?;
    let rows = write(&whole, &schema, merge)?;
    fs::rename(&whole, output).map_err(|error| from_io(output, error))?;
    let folder_handle = File::open(&folder).map_err(|error| from_io(&folder, error))?;
    folder_handle
        .sync_all()
        .map_err(|error| from_io(&folder, error))?;
    Ok(rows)
}

/// A folder that goes with everything in it.
#[derive(Debug)]
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn create(path: PathBuf) -> Result<Self, Error> {
        fs::create_dir(&path).map_err(|error| from_io(&path, error))?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is named so that a person knows what it was.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Sorted runs: one in memory if everything fits, else as files.
fn runs(
    files: &[RowFile],
    schema: &SchemaRef,
    settings: &ParquetSettings,
    scratch: &Scratch,
) -> Result<Merge, Error> {
    let mut merge = Merge::default();
    let mut held: Vec<Keyed> = Vec::new();
    let (mut bytes, mut spilled) = (0_u64, 0_usize);
    for file in files
        .iter()
        .filter(|file| file.row_groups().any(|rows| rows > 0))
    {
        let columns: Vec<usize> = (0..schema.fields().len()).collect();
        for batch in file.read(&columns, None, settings.batch_rows())? {
            let batch = with_schema(&batch?, schema)?;
            let (event, known) = times_of(file.path(), &batch, settings)?;
            let keys = Order::Availability.keys(&event, &known);
            let keyed = Keyed { batch, keys };
            bytes = bytes.saturating_add(keyed.bytes());
            held.push(keyed);
            if bytes > settings.max_bytes() {
                let path = scratch.path.join(format!("run-{spilled}.parquet"));
                spill(
                    &path,
                    schema,
                    std::mem::take(&mut held),
                    settings,
                    &mut merge,
                )?;
                (bytes, spilled) = (0, spilled + 1);
            }
        }
    }
    if let Some(first) = first_key(&held) {
        let rows = settings.batch_rows();
        merge.add(first, Box::new(move || Ok(sorted(held, rows))));
    }
    Ok(merge)
}

fn spill(
    path: &Path,
    schema: &SchemaRef,
    held: Vec<Keyed>,
    settings: &ParquetSettings,
    merge: &mut Merge,
) -> Result<(), Error> {
    let Some(first) = first_key(&held) else {
        return Ok(());
    };
    let rows = sorted(held, settings.batch_rows());
    write(
        path,
        schema,
        rows.map(|keyed| keyed.map(|keyed| keyed.batch)),
    )?;
    let (path, schema, settings) = (path.to_owned(), Arc::clone(schema), settings.clone());
    let begin = move || -> Result<Run, Error> {
        let file = RowFile::open(&path)?;
        let columns: Vec<usize> = (0..schema.fields().len()).collect();
        let batches = file.read(&columns, None, settings.batch_rows())?;
        Ok(Box::new(batches.map(
            move |batch| -> Result<Keyed, Error> {
                let batch = with_schema(&batch?, &schema)?;
                let (event, known) = times_of(&path, &batch, &settings)?;
                let keys = Order::Availability.keys(&event, &known);
                Ok(Keyed { batch, keys })
            },
        )))
    };
    merge.add(first, Box::new(begin));
    Ok(())
}

fn first_key(held: &[Keyed]) -> Option<i64> {
    held.iter()
        .flat_map(|keyed| keyed.keys.iter().copied())
        .min()
}

fn write(
    path: &Path,
    schema: &SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch, Error>>,
) -> Result<u64, Error> {
    let failed = |error: ParquetError| {
        Error::new(
            ErrorKind::Unavailable,
            SORT,
            "the sorted rows cannot be written",
        )
        .with("file", path.display())
        .caused_by(error)
    };
    let file = File::create_new(path).map_err(|error| from_io(path, error))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let mut writer =
        ArrowWriter::try_new(file, Arc::clone(schema), Some(properties)).map_err(failed)?;
    let mut rows: u64 = 0;
    for batch in batches {
        let batch = batch?;
        rows = rows.saturating_add(batch.num_rows() as u64);
        writer.write(&batch).map_err(failed)?;
    }
    let file = writer.into_inner().map_err(failed)?;
    file.sync_all().map_err(|error| from_io(path, error))?;
    Ok(rows)
}

/// The columns that all files have, without their metadata.
fn common_schema(files: &[RowFile]) -> Result<SchemaRef, Error> {
    let Some((first, others)) = files.split_first() else {
        return Ok(Arc::new(Schema::empty()));
    };
    for file in others {
        let same = file.schema().fields().len() == first.schema().fields().len()
            && file
                .schema()
                .fields()
                .iter()
                .zip(first.schema().fields())
                .all(|(left, right)| {
                    left.name() == right.name() && left.data_type() == right.data_type()
                });
        if !same {
            let message = "two files do not have the same columns; sort them apart";
            return Err(Error::new(ErrorKind::Invalid, SORT, message)
                .with("file", file.path().display())
                .with("other", first.path().display()));
        }
    }
    let fields = first.schema().fields().iter();
    let nullable = fields.map(|field| field.as_ref().clone().with_nullable(true));
    Ok(Arc::new(Schema::new(nullable.collect::<Vec<_>>())))
}

fn with_schema(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, Error> {
    RecordBatch::try_new(Arc::clone(schema), batch.columns().to_vec()).map_err(|error| {
        let message = "the rows of a file do not have the columns that the file announces";
        Error::new(ErrorKind::Corrupt, SORT, message).caused_by(error)
    })
}

const SORT: &str = "sort feature rows";
const ROW_GROUP_ROWS: usize = 1 << 18;
