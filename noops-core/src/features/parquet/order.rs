//! In which order the rows of a file lie.

use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::TimestampMicrosecondArray;

use super::file::RowFile;
use super::layout::Layout;
use super::merge::{Keyed, Run, sorted};
use super::{ParquetSettings, READ};
use crate::error::{Error, ErrorKind};
use crate::features::Knowledge;

/// What orders the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The later of event time and known-at: a row can be used from then on.
    Availability,
    /// The event time alone.
    Event,
}

impl Order {
    /// The order that a join with some knowledge takes rows in.
    pub(super) fn of(knowledge: Knowledge) -> Self {
        match knowledge {
            Knowledge::AtRowTime => Self::Availability,
            Knowledge::Until(_) => Self::Event,
        }
    }

    /// The key of each row.
    pub(super) fn keys(
        self,
        event: &TimestampMicrosecondArray,
        known: &TimestampMicrosecondArray,
    ) -> Vec<i64> {
        match self {
            Self::Availability => {
                let times = event.values().iter().zip(known.values().iter());
                times.map(|(event, known)| *event.max(known)).collect()
            }
            Self::Event => event.values().to_vec(),
        }
    }
}

/// The keys of a file at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) sorted: bool,
}

/// How the rows of a file lie by either order; `None` in a file without rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extents {
    availability: Option<Extent>,
    event: Option<Extent>,
}

impl Extents {
    /// Reads the two time columns of a file.
    pub(super) fn scan(
        file: &RowFile,
        layout: &Layout,
        settings: &ParquetSettings,
    ) -> Result<Self, Error> {
        let mut extents = Self {
            availability: None,
            event: None,
        };
        let mut first: u64 = 0;
        if file.row_groups().all(|rows| rows == 0) {
            return Ok(extents);
        }
        for batch in file.read(&layout.times(file)?, None, settings.batch_rows())? {
            let batch = batch?;
            let (event, known) = layout.both_times(file.path(), first, &batch)?;
            extend(
                &mut extents.availability,
                &Order::Availability.keys(&event, &known),
            );
            extend(&mut extents.event, &Order::Event.keys(&event, &known));
            first += batch.num_rows() as u64;
        }
        Ok(extents)
    }

    pub(super) fn by(&self, order: Order) -> Option<Extent> {
        match order {
            Order::Availability => self.availability,
            Order::Event => self.event,
        }
    }
}

/// The rows of a file in order: as they come where they lie so, else sorted in memory. `sorted_bytes` counts what all files of a join hold
/// for that.
pub(super) fn run(
    file: &RowFile,
    layout: &Layout,
    settings: &ParquetSettings,
    order: Order,
    extent: Extent,
    sorted_bytes: &AtomicU64,
) -> Result<Run, Error> {
    let batches = file.read(&layout.columns(file)?, None, settings.batch_rows())?;
    let (path, layout) = (file.path().to_owned(), layout.clone());
    let mut first: u64 = 0;
    let keyed = batches.map(move |batch| -> Result<Keyed, Error> {
        let batch = batch?;
        let rows = layout.rows(&path, first, &batch)?;
        let (event, known) = layout.both_times(&path, first, &batch)?;
        first += batch.num_rows() as u64;
        Ok(Keyed {
            batch: rows,
            keys: order.keys(&event, &known),
        })
    });
    if extent.sorted {
        return Ok(Box::new(keyed));
    }
    let mut held: Vec<Keyed> = Vec::new();
    for keyed in keyed {
        let keyed = keyed?;
        let before = sorted_bytes.fetch_add(keyed.bytes(), Ordering::Relaxed);
        let bytes = before.saturating_add(keyed.bytes());
        if bytes > settings.max_bytes() {
            return Err(too_large(bytes, settings).with("file", file.path().display()));
        }
        held.push(keyed);
    }
    Ok(sorted(held, settings.batch_rows()))
}

/// Rows out of order that are too many to be put in order in memory.
pub(super) fn too_large(bytes: u64, settings: &ParquetSettings) -> Error {
    let message = "rows are not in the order in which they became known, and too many to be sorted in memory; \
                   write them in order with sort_by_availability, or allow more bytes";
    Error::new(ErrorKind::Invalid, READ, message)
        .with("bytes", bytes)
        .with("allowed", settings.max_bytes())
}

fn extend(extent: &mut Option<Extent>, keys: &[i64]) {
    for key in keys {
        match extent {
            None => {
                *extent = Some(Extent {
                    first: *key,
                    last: *key,
                    sorted: true,
                });
            }
            Some(extent) => {
                extent.sorted &= *key >= extent.last;
                extent.first = extent.first.min(*key);
                extent.last = extent.last.max(*key);
            }
        }
    }
}
