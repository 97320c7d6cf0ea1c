//! Features in Parquet files.

mod file;
mod layout;
mod merge;
mod order;
mod settings;
mod sort;

pub use settings::ParquetSettings;
pub use sort::sort_by_availability;

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use ::parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use async_trait::async_trait;
use jiff::Timestamp;

use self::file::{RowFile, from_io};
use self::layout::Layout;
use self::merge::{Merge, SORTING_BYTES};
use self::order::{Extents, Order, too_large};
use super::instant::{micros_up, microseconds};
use super::{
    AsOfIndex, AsOfJoin, FeatureFrame, FeatureHistory, FeatureSource, FeatureView, Knowledge,
};
use crate::error::{Error, ErrorKind};
use crate::trainer::TimeSpan;

/// Feature rows in a Parquet file, or in all `.parquet` files of a folder.
///
/// The files are streamed: a join holds a batch of each file that overlaps the present and one row per entity, however many rows there
/// are. That takes files whose rows lie in the order in which they became known (the later of event time and known-at); other files
/// are sorted in memory as far as [`ParquetSettings::with_max_bytes`] allows, and [`sort_by_availability`] writes them in order once
/// and for all. The first join reads the two time columns to find out. Of two rows of an entity with the same event time and known-at, the
/// later counts, in the order of file names and then of rows.
///
/// Every `as_of` and every [`join`](Self::join) reads the files anew from their first row to the newest time asked for: ask for many
/// entities at once, and serve from [`OnlineFeatures`](super::OnlineFeatures).
///
/// The files must not change while they are open: one with another length or time of modification is a
/// [`Conflict`](ErrorKind::Conflict).
///
/// # Examples
///
/// ```
/// use noops_core::{FeatureType, FeatureView, ParquetFeatures, ParquetSettings};
///
/// let view = FeatureView::new("driver-hourly", "as the warehouse has them")
///     .with_key("driver", FeatureType::Integer)
///     .with_feature("trips", FeatureType::Integer);
/// let settings = ParquetSettings::default()
///     .with_event_time_column("event_timestamp")
///     .with_known_at_column("created");
/// let missing = ParquetFeatures::open(view, "no/such/folder", settings).unwrap_err();
/// assert_eq!(missing.kind(), noops_core::ErrorKind::NotFound);
/// ```
#[derive(Clone, Debug)]
pub struct ParquetFeatures {
    inner: Arc<Inner>,
}

/// The rows of Parquet files in the order that a join takes them in.
#[derive(Debug)]
pub struct ParquetRows {
    merge: Merge,
}

#[derive(Debug)]
struct Inner {
    view: FeatureView,
    layout: Layout,
    settings: ParquetSettings,
    files: Vec<RowFile>,
    extents: OnceLock<Vec<Extents>>,
}

impl ParquetFeatures {
    /// Opens a file or a folder, and checks that every file has the columns of the view. A folder is not searched for folders.
    ///
    /// # Errors
    ///
    /// `NotFound` when there is no such file, or no Parquet file in the folder; `Invalid` when a column is missing or has another
    /// type; `Corrupt` when a file is not whole Parquet; each names the file. `Invalid` also when two columns of the view have one name.
    /// `Unavailable` when the file system fails.
    pub fn open(
        view: FeatureView,
        path: impl AsRef<Path>,
        settings: ParquetSettings,
    ) -> Result<Self, Error> {
        AsOfIndex::new(view.clone())?;
        let layout = Layout::new(&view, &settings);
        let files = open_all(path.as_ref())?;
        for file in &files {
            layout.check(file)?;
        }
        let inner = Inner {
            view,
            layout,
            settings,
            files,
            extents: OnceLock::new(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// A join that streams, for more entity rows than fit into memory. Reads files on the thread that calls.
    ///
    /// # Errors
    ///
    /// `Invalid` when rows are not in order and too many to be sorted in memory, or a key or a time is null.
    pub fn join(&self, knowledge: Knowledge) -> Result<AsOfJoin<ParquetRows>, Error> {
        self.inner.join(knowledge)
    }
}

#[async_trait]
impl FeatureSource for ParquetFeatures {
    fn view(&self) -> &FeatureView {
        &self.inner.view
    }

    async fn as_of(
        &self,
        entities: &RecordBatch,
        times: &[Timestamp],
        knowledge: Knowledge,
    ) -> Result<FeatureFrame, Error> {
        let (inner, entities, times) = (Arc::clone(&self.inner), entities.clone(), times.to_vec());
        off_thread(move || inner.join(knowledge)?.join(&entities, &times)).await
    }
}

#[async_trait]
impl FeatureHistory for ParquetFeatures {
    fn view(&self) -> &FeatureView {
        &self.inner.view
    }

    /// Row groups that became known outside the span, as their statistics say, are not read.
    async fn known_within(&self, span: TimeSpan) -> Result<Vec<RecordBatch>, Error> {
        let inner = Arc::clone(&self.inner);
        off_thread(move || inner.known_within(span)).await
    }
}

impl Iterator for ParquetRows {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.merge.next()
    }
}

impl Inner {
    fn join(&self, knowledge: Knowledge) -> Result<AsOfJoin<ParquetRows>, Error> {
        let merge = self.rows(Order::of(knowledge))?;
        AsOfJoin::new(self.view.clone(), knowledge, ParquetRows { merge })
    }

    fn rows(&self, order: Order) -> Result<Merge, Error> {
        let mut merge = Merge::default();
        let mut to_sort: u64 = 0;
        // The estimate is what the files say of themselves; this is what it comes to.
        let sorted_bytes = Arc::new(AtomicU64::new(0));
        for (file, extents) in self.files.iter().zip(self.extents()?) {
            let Some(extent) = extents.by(order) else {
                continue;
            };
            if !extent.sorted {
                let rows = file
                    .row_groups()
                    .fold(0_u64, |sum, rows| sum.saturating_add(rows));
                let bytes = file.estimated_bytes(&self.layout.columns(file)?);
                to_sort = to_sort
                    .saturating_add(bytes)
                    .saturating_add(rows.saturating_mul(SORTING_BYTES));
                if to_sort > self.settings.max_bytes() {
                    return Err(
                        too_large(to_sort, &self.settings).with("file", file.path().display())
                    );
                }
            }
            let (file, layout, settings) =
                (file.clone(), self.layout.clone(), self.settings.clone());
            let sorted_bytes = Arc::clone(&sorted_bytes);
            let begin = move || order::run(&file, &layout, &settings, order, extent, &sorted_bytes);
            merge.add(extent.first, Box::new(begin));
        }
        Ok(merge)
    }

    fn extents(&self) -> Result<&[Extents], Error> {
        if let Some(extents) = self.extents.get() {
            return Ok(extents);
        }
        let scan = |file: &RowFile| Extents::scan(file, &self.layout, &self.settings);
        let extents: Vec<Extents> = self.files.iter().map(scan).collect::<Result<_, Error>>()?;
        // Two threads that find out at once find the same.
        Ok(self.extents.get_or_init(|| extents))
    }

    fn known_within(&self, span: TimeSpan) -> Result<Vec<RecordBatch>, Error> {
        let within = micros_up(span.from)..micros_up(span.until);
        let mut found: Vec<RecordBatch> = Vec::new();
        let mut bytes: u64 = 0;
        for file in &self.files {
            let columns = self.layout.columns(file)?;
            let bounds = known_bounds(file, self.layout.known_at());
            let mut first: u64 = 0;
            for (group, rows) in file.row_groups().enumerate() {
                let start = first;
                first = first.saturating_add(rows);
                let outside = |(earliest, latest): &(i64, i64)| {
                    *earliest >= within.end || *latest < within.start
                };
                if rows == 0
                    || bounds
                        .get(group)
                        .copied()
                        .flatten()
                        .as_ref()
                        .is_some_and(outside)
                {
                    continue;
                }
                let mut row = start;
                for batch in file.read(&columns, Some(group), self.settings.batch_rows())? {
                    let batch = batch?;
                    let rows = self.layout.rows(file.path(), row, &batch)?;
                    let (_, known) = self.layout.both_times(file.path(), row, &batch)?;
                    row = row.saturating_add(batch.num_rows() as u64);
                    let known = known.values().iter();
                    let inside: BooleanArray =
                        known.map(|known| Some(within.contains(known))).collect();
                    let rows = filter_record_batch(&rows, &inside).map_err(|error| {
                        Error::new(ErrorKind::Corrupt, READ, "rows cannot be selected")
                            .with("file", file.path().display())
                            .caused_by(error)
                    })?;
                    if rows.num_rows() == 0 {
                        continue;
                    }
                    bytes = bytes.saturating_add(rows.get_array_memory_size() as u64);
                    if bytes > self.settings.max_bytes() {
                        return Err(too_much(span, &self.settings));
                    }
                    found.push(rows);
                }
            }
        }
        Ok(found)
    }
}

/// All Parquet files at a path, in the order of their names.
fn open_all(path: &Path) -> Result<Vec<RowFile>, Error> {
    let metadata = std::fs::metadata(path).map_err(|error| from_io(path, error))?;
    if !metadata.is_dir() {
        return Ok(vec![RowFile::open(path)?]);
    }
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| from_io(path, error))? {
        let path = entry.map_err(|error| from_io(path, error))?.path();
        let parquet = path
            .extension()
            .is_some_and(|extension| extension == "parquet");
        if parquet && path.is_file() {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        let message = "there is no file in the folder whose name ends in .parquet";
        return Err(Error::new(ErrorKind::NotFound, READ, message).with("folder", path.display()));
    }
    paths.sort();
    paths.iter().map(|path| RowFile::open(path)).collect()
}

/// The earliest and latest known-at of each row group, where the statistics say.
fn known_bounds(file: &RowFile, column: &str) -> Vec<Option<(i64, i64)>> {
    let metadata = file.metadata();
    let groups = metadata.metadata().row_groups();
    let read = || -> Option<Vec<Option<(i64, i64)>>> {
        let descriptor = metadata.parquet_schema();
        let statistics =
            StatisticsConverter::try_new(column, metadata.schema(), descriptor).ok()?;
        let earliest =
            microseconds(statistics.row_group_mins(groups.iter()).ok()?.as_ref()).ok()?;
        let latest = microseconds(statistics.row_group_maxes(groups.iter()).ok()?.as_ref()).ok()?;
        let bounds = earliest.iter().zip(latest.iter());
        Some(
            bounds
                .map(|(earliest, latest)| earliest.zip(latest))
                .collect(),
        )
    };
    read().unwrap_or_default()
}

fn too_much(span: TimeSpan, settings: &ParquetSettings) -> Error {
    let message = "more became known within the span than may be held in memory; ask for a shorter span, or allow more bytes";
    Error::new(ErrorKind::Invalid, READ, message)
        .with("from", span.from)
        .with("until", span.until)
        .with("allowed", settings.max_bytes())
}

/// Runs work that blocks where it does not hold up others.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return work();
    };
    runtime.spawn_blocking(work).await.unwrap_or_else(|error| {
        let message = "the work was cut off before it was done";
        Err(Error::new(ErrorKind::Unavailable, READ, message).caused_by(error))
    })
}

const READ: &str = "read features from Parquet";

#[cfg(test)]
mod tests;
