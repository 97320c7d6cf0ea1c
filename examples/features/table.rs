//! Tables in Parquet files.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use arrow_select::concat::concat_batches;
use noops_core::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::failure::{Failure, fail};

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> Result<RecordBatch, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        fail(format!(
            "cannot read `{}` as Parquet: {error}",
            path.display()
        ))
    };
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| unreadable(&error))?;
    let reader = builder.build().map_err(|error| unreadable(&error))?;
    let schema = arrow_array::RecordBatchReader::schema(&reader);
    let mut batches: Vec<RecordBatch> = Vec::new();
    for batch in reader {
        batches.push(batch.map_err(|error| unreadable(&error))?);
    }
    concat_batches(&schema, &batches).map_err(|error| unreadable(&error))
}

/// Writes a whole file, which appears complete or not at all.
pub(crate) fn write(path: &Path, batch: &RecordBatch) -> Result<(), Failure> {
    let failed =
        |error: &dyn std::fmt::Display| fail(format!("cannot write `{}`: {error}", path.display()));
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let file = File::create(&partial).map_err(|error| failed(&error))?;
    let mut writer =
        ArrowWriter::try_new(file, batch.schema(), None).map_err(|error| failed(&error))?;
    writer.write(batch).map_err(|error| failed(&error))?;
    let file = writer.into_inner().map_err(|error| failed(&error))?;
    file.sync_all().map_err(|error| failed(&error))?;
    std::fs::rename(&partial, path).map_err(|error| failed(&error))
}

/// A timestamp column.
pub(crate) fn times(batch: &RecordBatch, name: &str) -> Result<Vec<Timestamp>, Failure> {
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| fail(format!("there is no column `{name}` with times")))?;
    let (ticks, factor): (Vec<Option<i64>>, i128) = match column.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => (
            column
                .as_primitive::<TimestampSecondType>()
                .iter()
                .collect(),
            1_000_000_000,
        ),
        DataType::Timestamp(TimeUnit::Millisecond, _) => (
            column
                .as_primitive::<TimestampMillisecondType>()
                .iter()
                .collect(),
            1_000_000,
        ),
        DataType::Timestamp(TimeUnit::Microsecond, _) => (
            column
                .as_primitive::<TimestampMicrosecondType>()
                .iter()
                .collect(),
            1_000,
        ),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => (
            column
                .as_primitive::<TimestampNanosecondType>()
                .iter()
                .collect(),
            1,
        ),
        other => {
            return Err(fail(format!(
                "column `{name}` must hold timestamps, not {other}"
            )));
        }
    };
    let time = |(row, tick): (usize, Option<i64>)| {
        tick.and_then(|tick| Timestamp::from_nanosecond(i128::from(tick) * factor).ok())
            .ok_or_else(|| fail(format!("row {row} of column `{name}` has no usable time")))
    };
    ticks.into_iter().enumerate().map(time).collect()
}
