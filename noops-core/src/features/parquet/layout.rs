//! Which columns of a file make which columns of a view's rows.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::{DataType, Schema, SchemaRef};

use super::file::RowFile;
use super::{ParquetSettings, READ};
use crate::error::{Error, ErrorKind};
use crate::features::column::{ColumnValues, Uncastable};
use crate::features::instant::{NoInstants, microseconds};
use crate::features::{FeatureType, FeatureView, ViewFeature};

/// The columns of a view, by the names they have in the files.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    schema: SchemaRef,
    columns: Vec<Wanted>,
    event_time: String,
    known_at: String,
}

#[derive(Clone, Debug)]
struct Wanted {
    name: String,
    /// `None` for a time.
    kind: Option<FeatureType>,
    required: bool,
}

impl Layout {
    pub(super) fn new(view: &FeatureView, settings: &ParquetSettings) -> Self {
        let named = |required: bool| {
            move |feature: &ViewFeature| Wanted {
                name: feature.name.clone(),
                kind: Some(feature.kind),
                required,
            }
        };
        let time = |name: &str| Wanted {
            name: name.to_owned(),
            kind: None,
            required: true,
        };
        let mut columns: Vec<Wanted> = view.keys().iter().map(named(true)).collect();
        columns.push(time(settings.event_time_column()));
        columns.push(time(settings.known_at_column()));
        columns.extend(view.features().iter().map(named(false)));
        Self {
            schema: Arc::new(view.row_schema()),
            columns,
            event_time: settings.event_time_column().to_owned(),
            known_at: settings.known_at_column().to_owned(),
        }
    }

    /// Checks that a file has every column, with a type that can be read.
    pub(super) fn check(&self, file: &RowFile) -> Result<(), Error> {
        for wanted in &self.columns {
            let column = column_of(file.path(), file.schema(), &wanted.name)?;
            let found = file
                .schema()
                .fields()
                .get(column)
                .map(|field| field.data_type());
            let fits = match (found, wanted.kind) {
                (Some(found), Some(kind)) => ColumnValues::accepts(found, kind),
                (Some(found), None) => matches!(found, DataType::Timestamp(_, _)),
                (None, _) => false,
            };
            if !fits {
                let message = "a column has another type than the view says";
                let error = refuse(file.path(), &wanted.name, message);
                let error = match found {
                    Some(found) => error.with("type", found),
                    None => error,
                };
                return Err(match wanted.kind {
                    Some(kind) => error.with("wanted", kind.data_type()),
                    None => error.with("wanted", "Timestamp"),
                });
            }
        }
        Ok(())
    }

    /// The places in a file of all columns of the view.
    pub(super) fn columns(&self, file: &RowFile) -> Result<Vec<usize>, Error> {
        let names = self.columns.iter().map(|wanted| wanted.name.as_str());
        places(file, names)
    }

    /// The places in a file of the two times.
    pub(super) fn times(&self, file: &RowFile) -> Result<Vec<usize>, Error> {
        places(file, [self.event_time.as_str(), self.known_at.as_str()])
    }

    /// The rows of a batch, named and typed as the view has them. `first` is the number of its first row in the file.
    pub(super) fn rows(
        &self,
        path: &Path,
        first: u64,
        batch: &RecordBatch,
    ) -> Result<RecordBatch, Error> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        for wanted in &self.columns {
            let column = named(path, batch, &wanted.name)?;
            let read: ArrayRef = match wanted.kind {
                None => Arc::new(read_times(path, first, batch, &wanted.name)?),
                Some(kind) => ColumnValues::cast(column, kind)
                    .map_err(|uncastable| {
                        let error = refuse(path, &wanted.name, uncastable.message());
                        match uncastable {
                            Uncastable::Value(row) => {
                                error.with("row", first.saturating_add(row as u64))
                            }
                            Uncastable::Type | Uncastable::TooLong => error,
                        }
                    })?
                    .into_array(),
            };
            if wanted.required {
                refuse_nulls(path, first, &wanted.name, read.as_ref())?;
            }
            columns.push(read);
        }
        RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|error| {
            Error::new(
                ErrorKind::Corrupt,
                READ,
                "the columns of a file do not fit together",
            )
            .with("file", path.display())
            .caused_by(error)
        })
    }

    /// The event and known-at times of a batch.
    pub(super) fn both_times(
        &self,
        path: &Path,
        first: u64,
        batch: &RecordBatch,
    ) -> Result<(TimestampMicrosecondArray, TimestampMicrosecondArray), Error> {
        Ok((
            read_times(path, first, batch, &self.event_time)?,
            read_times(path, first, batch, &self.known_at)?,
        ))
    }

    /// The name that the files give to known-at.
    pub(super) fn known_at(&self) -> &str {
        &self.known_at
    }
}

/// The event and known-at times of a batch, by the names of the settings alone.
pub(super) fn times_of(
    path: &Path,
    batch: &RecordBatch,
    settings: &ParquetSettings,
) -> Result<(TimestampMicrosecondArray, TimestampMicrosecondArray), Error> {
    Ok((
        read_times(path, 0, batch, settings.event_time_column())?,
        read_times(path, 0, batch, settings.known_at_column())?,
    ))
}

fn places<'a>(
    file: &RowFile,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<usize>, Error> {
    names
        .into_iter()
        .map(|name| column_of(file.path(), file.schema(), name))
        .collect()
}

fn column_of(path: &Path, schema: &Schema, name: &str) -> Result<usize, Error> {
    schema
        .index_of(name)
        .map_err(|_| refuse(path, name, "a file lacks a column of the view"))
}

fn named<'a>(path: &Path, batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, Error> {
    let missing = || refuse(path, name, "a file lacks a column of the view");
    batch.column_by_name(name).ok_or_else(missing)
}

fn read_times(
    path: &Path,
    first: u64,
    batch: &RecordBatch,
    name: &str,
) -> Result<TimestampMicrosecondArray, Error> {
    let column = named(path, batch, name)?;
    let times = microseconds(column.as_ref()).map_err(|no_instants| {
        let error = refuse(path, name, no_instants.message());
        match no_instants {
            NoInstants::Type => error.with("type", column.data_type()),
            NoInstants::OutOfRange(row) => error.with("row", first.saturating_add(row as u64)),
        }
    })?;
    refuse_nulls(path, first, name, &times)?;
    Ok(times)
}

fn refuse_nulls(path: &Path, first: u64, name: &str, column: &dyn Array) -> Result<(), Error> {
    if column.null_count() == 0 {
        return Ok(());
    }
    match (0..column.len()).find(|row| column.is_null(*row)) {
        Some(row) => {
            let message = "a key or a time is null; drop the row or fill it in";
            Err(refuse(path, name, message).with("row", first.saturating_add(row as u64)))
        }
        None => Ok(()),
    }
}

fn refuse(path: &Path, column: &str, message: &str) -> Error {
    Error::new(ErrorKind::Invalid, READ, message)
        .with("file", path.display())
        .with("column", column)
}
