//! Frames in files: Parquet, CSV, and Arrow's two IPC forms, a batch at a time.
//!
//! The first bytes of a file say what it is, and only a text needs its name: `.csv`, `.tsv` or anything else that reads as text is CSV. Its
//! separator is found in the first line, its types in the whole file; an empty field, `NA`, `N/A`, `null` and `NULL` are nulls, and `NaN` is a
//! number that is none.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_csv::ReaderBuilder;
use arrow_csv::reader::Format;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use regex::Regex;

use crate::failure::{Failure, fail};

/// A file with rows, opened as far as its columns are known.
#[derive(Debug)]
pub(crate) struct Table {
    path: PathBuf,
    form: Form,
    schema: SchemaRef,
}

impl Table {
    /// Looks at the columns of a file; a CSV is read once for that.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let form = Form::of(path)?;
        let schema = form
            .schema(path)
            .map_err(|reason| unreadable(path, &form, &*reason))?;
        if schema.fields().is_empty() {
            return Err(fail(format!("`{}` has no columns", path.display())));
        }
        Ok(Self {
            path: path.to_owned(),
            form,
            schema,
        })
    }

    /// The columns and their types.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the columns at these places, in the order of the file, from the first row on.
    pub(crate) fn batches(&self, places: &[usize]) -> Result<Batches<'_>, Failure> {
        let mut places = places.to_vec();
        places.sort_unstable();
        places.dedup();
        let batches = self
            .form
            .batches(&self.path, &self.schema, places)
            .map_err(|reason| unreadable(&self.path, &self.form, &*reason))?;
        Ok(Batches {
            table: self,
            batches,
        })
    }
}

/// The rows of a [`Table`], batch by batch.
pub(crate) struct Batches<'a> {
    table: &'a Table,
    batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>,
}

impl Iterator for Batches<'_> {
    type Item = Result<RecordBatch, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let table = self.table;
        let batch = self.batches.next()?;
        Some(batch.map_err(|reason| unreadable(&table.path, &table.form, &reason)))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Parquet,
    IpcFile,
    IpcStream,
    Csv { separator: u8 },
}

type Reason = Box<dyn std::error::Error>;

impl Form {
    /// What the file is, by its first bytes and then by its name.
    fn of(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let cannot = |error: std::io::Error| fail(format!("cannot read `{shown}`: {error}"));
        if path.is_dir() {
            return Err(fail(format!("`{shown}` is a folder; name a file in it")));
        }
        let mut start = Vec::new();
        let file = File::open(path).map_err(cannot)?;
        file.take(LOOK).read_to_end(&mut start).map_err(cannot)?;
        if start.is_empty() {
            return Err(fail(format!("`{shown}` is empty")));
        }
        if start.starts_with(b"PAR1") {
            return Ok(Self::Parquet);
        }
        if start.starts_with(b"ARROW1") {
            return Ok(Self::IpcFile);
        }
        if start.starts_with(&[0xff; 4]) {
            return Ok(Self::IpcStream);
        }
        let refused = [
            (&b"PARE"[..], "is encrypted Parquet; decrypt it first"),
            (
                &b"FEA1"[..],
                "is Feather of version 1; write it as Arrow IPC",
            ),
            (
                &[0x1f, 0x8b][..],
                "is compressed with gzip; unpack it first",
            ),
            (
                &[0x28, 0xb5, 0x2f, 0xfd][..],
                "is compressed with zstd; unpack it first",
            ),
            (&b"PK\x03\x04"[..], "is a zip archive; unpack it first"),
        ];
        if let Some((_, why)) = refused.iter().find(|(magic, _)| start.starts_with(magic)) {
            return Err(fail(format!("`{shown}` {why}")));
        }
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_ascii_lowercase())
            .unwrap_or_default();
        let promised = match extension.as_str() {
            "parquet" | "pq" => Some("Parquet"),
            "arrow" | "arrows" | "ipc" | "feather" => Some("Arrow IPC"),
            _ => None,
        };
        if let Some(promised) = promised {
            return Err(fail(format!(
                "`{shown}` is called {promised} but does not begin as such; it is damaged or something else"
            )));
        }
        if !is_text(&start) {
            return Err(fail(format!(
                "`{shown}` is neither Parquet nor Arrow IPC, nor a text in UTF-8 that could be CSV"
            )));
        }
        Ok(Self::Csv {
            separator: if extension == "tsv" {
                b'\t'
            } else {
                separator(&start)
            },
        })
    }

    fn schema(self, path: &Path) -> Result<SchemaRef, Reason> {
        let file = File::open(path)?;
        Ok(match self {
            Self::Parquet => ParquetRecordBatchReaderBuilder::try_new(file)?
                .schema()
                .clone(),
            Self::IpcFile => FileReader::try_new(BufReader::new(file), None)?.schema(),
            Self::IpcStream => StreamReader::try_new(BufReader::new(file), None)?.schema(),
            Self::Csv { separator } => {
                let (schema, _rows) =
                    csv_format(separator)?.infer_schema(BufReader::new(file), None)?;
                Arc::new(schema)
            }
        })
    }

    fn batches(
        self,
        path: &Path,
        schema: &SchemaRef,
        places: Vec<usize>,
    ) -> Result<Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>, Reason> {
        let file = File::open(path)?;
        Ok(match self {
            Self::Parquet => {
                let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
                let mask = ProjectionMask::roots(builder.parquet_schema(), places);
                let builder = builder.with_projection(mask).with_batch_size(BATCH);
                Box::new(builder.build()?)
            }
            Self::IpcFile => Box::new(FileReader::try_new(BufReader::new(file), Some(places))?),
            Self::IpcStream => Box::new(StreamReader::try_new(BufReader::new(file), Some(places))?),
            Self::Csv { separator } => {
                let builder = ReaderBuilder::new(Arc::clone(schema))
                    .with_format(csv_format(separator)?)
                    .with_batch_size(BATCH)
                    .with_projection(places);
                Box::new(builder.build(file)?)
            }
        })
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parquet => "Parquet",
            Self::IpcFile => "an Arrow IPC file",
            Self::IpcStream => "an Arrow IPC stream",
            Self::Csv { .. } => "CSV",
        })
    }
}

fn csv_format(separator: u8) -> Result<Format, Reason> {
    Ok(Format::default()
        .with_header(true)
        .with_delimiter(separator)
        .with_null_regex(Regex::new("^(|NA|N/A|null|NULL)$")?))
}

/// The separator that the first line has the most of, outside quotes; a comma if it has none.
fn separator(start: &[u8]) -> u8 {
    let mut counts = [(b',', 0_u32), (b';', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in start.iter().take_while(|byte| **byte != b'\n') {
        quoted ^= *byte == b'"';
        let found = counts.iter_mut().find(|(one, _)| one == byte && !quoted);
        if let Some((_, count)) = found {
            *count += 1;
        }
    }
    // Of several the last is taken, and the comma shall win a tie.
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(b',', |(one, _)| *one)
}

/// Whether these first bytes are UTF-8, the last character perhaps cut off, without a NUL.
fn is_text(start: &[u8]) -> bool {
    let whole = match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    whole && !start.contains(&0)
}

fn unreadable(path: &Path, form: &Form, reason: &dyn fmt::Display) -> Failure {
    fail(format!(
        "cannot read `{}` as {form}: {reason}",
        path.display()
    ))
}

/// How much of a file is looked at to tell what it is.
const LOOK: u64 = 64 * 1024;
/// Rows at a time.
const BATCH: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_of_a_csv_is_the_one_its_header_has_most_of() {
        assert_eq!(separator(b"a,b,c\n1;2;3;4;5"), b',');
        assert_eq!(separator(b"a;b;c\n1,5;2,5;3,5"), b';');
        assert_eq!(separator(b"a\tb\n"), b'\t');
        assert_eq!(separator(b"only\n"), b',');
        assert_eq!(separator(b"\"x;y;z\",b\n"), b',');
    }

    #[test]
    fn a_character_that_is_cut_off_is_still_text() {
        assert!(is_text("Grä".as_bytes()));
        assert!(is_text(&"Grä".as_bytes()[..3]));
        assert!(!is_text(&[b'a', 0, b'b']));
        assert!(!is_text(&[0xc3, 0x28, b'a']));
    }
}
