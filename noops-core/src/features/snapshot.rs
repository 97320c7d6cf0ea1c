//! The identity of a set of rows.

mod cells;

use arrow_array::RecordBatch;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use self::cells::{type_name, write_cells};
use super::{FeatureView, Knowledge};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// What identifies a training frame, so that rows which change behind it are noticed.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use noops_core::arrow_array::{ArrayRef, Float64Array, RecordBatch};
/// use noops_core::{DatasetSnapshot, FeatureType, FeatureView, Knowledge, Timestamp};
///
/// let view = FeatureView::new("driver", "trips").with_feature("trips", FeatureType::Number);
/// let frame = |trips: Vec<f64>| {
///     RecordBatch::try_from_iter([("trips", Arc::new(Float64Array::from(trips)) as ArrayRef)])
/// };
/// let trained_on = [frame(vec![1.0, 2.0])?];
/// let snapshot = DatasetSnapshot::of(&view, &trained_on, Knowledge::AtRowTime, Timestamp::UNIX_EPOCH)?;
/// assert!(snapshot.matches(&[frame(vec![1.0])?, frame(vec![2.0])?])?);
/// assert!(!snapshot.matches(&[frame(vec![1.0, 2.5])?])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetSnapshot {
    digest: Digest,
    view: Digest,
    view_name: String,
    rows: u64,
    knowledge: Knowledge,
    taken_at: Timestamp,
}

impl DatasetSnapshot {
    /// The snapshot of the rows of a view.
    ///
    /// # Errors
    ///
    /// As [`dataset_digest`].
    pub fn of(
        view: &FeatureView,
        batches: &[RecordBatch],
        knowledge: Knowledge,
        taken_at: Timestamp,
    ) -> Result<Self, Error> {
        Ok(Self {
            digest: dataset_digest(batches)?,
            view: view.version(),
            view_name: view.name().to_owned(),
            rows: count(batches),
            knowledge,
            taken_at,
        })
    }

    /// Whether these are the rows it was taken of, however they are cut into batches.
    ///
    /// # Errors
    ///
    /// As [`dataset_digest`].
    pub fn matches(&self, batches: &[RecordBatch]) -> Result<bool, Error> {
        Ok(count(batches) == self.rows && dataset_digest(batches)? == self.digest)
    }

    /// The digest of the rows.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The version of the view.
    #[must_use]
    pub fn view(&self) -> Digest {
        self.view
    }

    /// The name of the view.
    #[must_use]
    pub fn view_name(&self) -> &str {
        &self.view_name
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Whose knowledge went into the rows.
    #[must_use]
    pub fn knowledge(&self) -> Knowledge {
        self.knowledge
    }

    /// When it was taken.
    #[must_use]
    pub fn taken_at(&self) -> Timestamp {
        self.taken_at
    }
}

/// The digest of the content of some rows.
///
/// With H for SHA-256, le64 for eight little-endian bytes, and P(p, q, …) = H(le64(|p|) p le64(|q|) q …):
///
/// ```text
/// dataset = P("noops-dataset-1", le64(rows), column 1, column 2, …)
/// column  = name, type, H(cell 1 cell 2 …)                                three parts of P
/// cell    = 00                                                            null
///         | 01 value
/// value   = 00 | 01                                                       boolean
///         | the bits, little-endian                                       integers, floats, decimals, dates, times
///         | le64(length) bytes                                            text, binary
///         | le64(length) cells                                            lists
///         | one cell per field                                            structs
/// ```
///
/// It depends on the order of rows and columns, on names and types, and on every value: floats by their bits, so that 0.0 and
/// -0.0 differ, and NaNs of different bits too. It does not depend on how rows are cut into batches, on bytes under a null, on
/// dictionary encoding, on the width of offsets (all texts are of one type, so are all lists), on declared nullability or on
/// metadata. No batches at all digest as no columns and no rows.
///
/// # Errors
///
/// `Invalid` when the batches do not have the same columns, or one has a type that is not in the list (interval, map, union, run-end,
/// list view).
///
/// # Complexity
///
/// One pass over the data, a few hundred megabytes each second, in constant memory.
pub fn dataset_digest(batches: &[RecordBatch]) -> Result<Digest, Error> {
    let columns = match batches.first() {
        Some(batch) => columns(batch)?,
        None => Vec::new(),
    };
    for batch in batches.iter().skip(1) {
        if self::columns(batch)? != columns {
            let message = "its batches do not have the same columns";
            return Err(Error::new(ErrorKind::Invalid, DIGEST, message));
        }
    }
    let mut digests: Vec<[u8; 32]> = Vec::with_capacity(columns.len());
    let mut buffer: Vec<u8> = Vec::with_capacity(2 * FLUSH_BYTES);
    for (index, (name, _)) in columns.iter().enumerate() {
        let mut hasher = Sha256::new();
        for column in batches
            .iter()
            .filter_map(|batch| batch.columns().get(index))
        {
            let mut offset = 0;
            while offset < column.len() {
                let length = ROWS_AT_ONCE.min(column.len() - offset);
                let slice = column.slice(offset, length);
                write_cells(slice.as_ref(), &mut buffer).ok_or_else(|| unsupported(name))?;
                offset += length;
                if buffer.len() >= FLUSH_BYTES {
                    hasher.update(&buffer);
                    buffer.clear();
                }
            }
        }
        hasher.update(&buffer);
        buffer.clear();
        digests.push(hasher.finalize().into());
    }
    let rows = count(batches).to_le_bytes();
    let mut parts: Vec<&[u8]> = vec![FORMAT, rows.as_slice()];
    for ((name, kind), digest) in columns.iter().zip(&digests) {
        parts.extend([name.as_bytes(), kind.as_bytes(), digest.as_slice()]);
    }
    Ok(Digest::of_parts(parts))
}

fn columns(batch: &RecordBatch) -> Result<Vec<(String, String)>, Error> {
    let schema = batch.schema_ref();
    let named = schema
        .fields()
        .iter()
        .map(|field| -> Result<(String, String), Error> {
            let kind = type_name(field.data_type()).ok_or_else(|| unsupported(field.name()))?;
            Ok((field.name().clone(), kind))
        });
    named.collect()
}

fn unsupported(column: &str) -> Error {
    let message = "a column has a type without a canonical form; cast it first";
    Error::new(ErrorKind::Invalid, DIGEST, message).with("column", column)
}

fn count(batches: &[RecordBatch]) -> u64 {
    batches.iter().map(|batch| batch.num_rows() as u64).sum()
}

const DIGEST: &str = "digest a data set";
const FORMAT: &[u8] = b"noops-dataset-1";
const ROWS_AT_ONCE: usize = 4096;
const FLUSH_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests;
