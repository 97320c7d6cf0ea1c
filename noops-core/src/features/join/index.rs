use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use arrow_schema::SchemaRef;
use jiff::Timestamp;

use super::gather::Gathered;
use super::key::KeyTable;
use super::plan::{Answer, Asked, Incoming, Plan, known_until};
use super::rows::{Move, Rows};
use crate::error::{Error, ErrorKind};
use crate::features::instant::{instant, micros_up};
use crate::features::{FeatureFrame, FeatureView, Knowledge, Pushed};
use crate::trainer::TimeSpan;

/// Feature rows held in memory, by entity and time, for as-of joins in any order: the rules are those of [`AsOfJoin`](super::AsOfJoin).
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use noops_core::arrow_array::{Int64Array, RecordBatch, TimestampSecondArray};
/// use noops_core::{AsOfIndex, CellStatus, FeatureType, FeatureView, Knowledge, Timestamp};
///
/// let view = FeatureView::new("driver", "trips so far")
///     .with_key("driver", FeatureType::Integer)
///     .with_feature("trips", FeatureType::Integer);
/// let mut index = AsOfIndex::new(view)?;
/// index.insert(&RecordBatch::try_from_iter([
///     ("driver", Arc::new(Int64Array::from(vec![7])) as _),
///     ("event_time", Arc::new(TimestampSecondArray::from(vec![10])) as _),
///     ("known_at", Arc::new(TimestampSecondArray::from(vec![20])) as _),
///     ("trips", Arc::new(Int64Array::from(vec![3])) as _),
/// ])?)?;
///
/// let drivers = RecordBatch::try_from_iter([("driver", Arc::new(Int64Array::from(vec![7, 7])) as _)])?;
/// let times = [Timestamp::from_second(20)?, Timestamp::from_second(19)?];
/// let frame = index.as_of(&drivers, &times, Knowledge::AtRowTime)?;
/// assert_eq!(frame.status(0, 0), Some(CellStatus::Present));
/// assert_eq!(frame.status(1, 0), Some(CellStatus::NotFound));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AsOfIndex {
    plan: Plan,
    keys: KeyTable,
    /// The key columns of each entity.
    entities: Rows,
    /// Each entity's rows, sorted.
    timelines: Vec<Vec<Entry>>,
    /// All rows in the order they came.
    values: Rows,
    entity_of: Vec<u32>,
    events: Vec<i64>,
    knowns: Vec<i64>,
    newest_event: Option<i64>,
    newest_known: Option<i64>,
}

/// A row of an entity; the number of the row grows in the order rows came, so the newest is the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    event: i64,
    known: i64,
    row: u32,
}

impl AsOfIndex {
    /// An empty index.
    ///
    /// # Errors
    ///
    /// `Invalid` when two columns of the view have one name.
    pub fn new(view: FeatureView) -> Result<Self, Error> {
        let index = Self::unchecked(view);
        index.plan.check(INSERT)?;
        Ok(index)
    }

    /// An empty index, of which every use fails when two columns of the view have one name.
    pub(crate) fn unchecked(view: FeatureView) -> Self {
        let plan = Plan::new(view);
        Self {
            keys: KeyTable::new(plan.view()),
            entities: Rows::new(plan.view().keys()),
            values: Rows::new(plan.view().features()),
            plan,
            timelines: Vec::new(),
            entity_of: Vec::new(),
            events: Vec::new(),
            knowns: Vec::new(),
            newest_event: None,
            newest_known: None,
        }
    }

    /// The definition of the features.
    #[must_use]
    pub fn view(&self) -> &FeatureView {
        self.plan.view()
    }

    /// The schema of rows as they are inserted.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn row_schema(&self) -> &SchemaRef {
        self.plan.rows()
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Adds rows in any order, all of them or none: the key columns, [`EVENT_TIME`](crate::features::EVENT_TIME),
    /// [`KNOWN_AT`](crate::features::KNOWN_AT) and the features of the view.
    ///
    /// # Errors
    ///
    /// `Invalid`, with column and row, for a column that is missing or of another type, and a null key or time.
    ///
    /// # Complexity
    ///
    /// O(1) per row that is the newest of its entity; O(n log n) for each entity of n rows that gets an older one.
    pub fn insert(&mut self, rows: &RecordBatch) -> Result<(), Error> {
        self.plan.check(INSERT)?;
        let incoming = Incoming::read(self.plan.view(), rows, INSERT)?;
        let entities = self.intern(&incoming, INSERT)?;
        let all: Vec<u32> = (0..incoming.len() as u32).collect();
        self.append(&incoming, &entities, &all);
        Ok(())
    }

    /// The features of each entity as of its time, one row per entity row and in the same order.
    ///
    /// # Errors
    ///
    /// `Invalid`, with the row, for entities without the keys of the view or with a null key, and when there is not one time per entity.
    ///
    /// # Complexity
    ///
    /// O(log n + m) per entity row, for n rows of the entity of which the m newest had happened but were not yet known.
    pub fn as_of(
        &self,
        entities: &RecordBatch,
        times: &[Timestamp],
        knowledge: Knowledge,
    ) -> Result<FeatureFrame, Error> {
        let asked = Asked::read(&self.plan, entities, times, JOIN)?;
        let mut answer: Answer = self.plan.answer(times.len(), JOIN);
        let mut scratch: Vec<u8> = Vec::new();
        let mut moves: Vec<Move> = Vec::with_capacity(times.len());
        for (row, now) in asked.micros.iter().enumerate() {
            let found = self
                .keys
                .find(&asked.keys, row, &mut scratch)
                .and_then(|entity| self.newest(entity, *now, known_until(knowledge, *now)));
            if let Some(entry) = found {
                let fresh = self.plan.is_fresh(*now, entry.event);
                answer.found(row, entry.event, fresh)?;
                if fresh {
                    moves.push(Move {
                        from: entry.row,
                        to: row as u32,
                    });
                }
            }
        }
        answer.cells.fill_from_rows(&self.values, &moves)?;
        self.plan.frame(answer, times)
    }

    /// Adds rows as [`OnlineFeatures::push`](crate::features::OnlineFeatures::push) says: those that are there already, values and all, are left out.
    pub(crate) fn push(&mut self, rows: &RecordBatch) -> Result<Pushed, Error> {
        self.plan.check(PUSH)?;
        let incoming = Incoming::read(self.plan.view(), rows, PUSH)?;
        let entities = self.intern(&incoming, PUSH)?;
        let fresh = self.without_repeated(&incoming, &entities);
        let first = self.len();
        let touched = self.append(&incoming, &entities, &fresh);
        let is_newest = |entity: &&u32| {
            let timeline = self.timelines.get(**entity as usize);
            let last = timeline.and_then(|timeline| timeline.last());
            last.is_some_and(|entry| entry.row as usize >= first)
        };
        let newest = touched.iter().filter(is_newest).count();
        Ok(Pushed {
            newest: newest as u64,
            older: fresh.len().saturating_sub(newest) as u64,
            repeated: incoming.len().saturating_sub(fresh.len()) as u64,
        })
    }

    /// The rows that became known within a span, in the order they came.
    pub(crate) fn known_within(&self, span: TimeSpan) -> Result<Vec<RecordBatch>, Error> {
        self.plan.check(HISTORY)?;
        let within = micros_up(span.from)..micros_up(span.until);
        let mut rows: Vec<u32> = Vec::new();
        for (row, known) in self.knowns.iter().enumerate() {
            if within.contains(known) {
                rows.push(row as u32);
            }
        }
        rows.chunks(HISTORY_ROWS)
            .map(|chunk| self.batch(chunk))
            .collect()
    }

    /// The newest event and the newest knowledge.
    pub(crate) fn newest_times(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), Error> {
        let event = self.newest_event.map(|micros| instant(micros, HISTORY));
        let known = self.newest_known.map(|micros| instant(micros, HISTORY));
        Ok((event.transpose()?, known.transpose()?))
    }

    /// The newest row of an entity with event <= `now` and known-at <= `known`.
    fn newest(&self, entity: u32, now: i64, known: i64) -> Option<Entry> {
        let timeline = self.timelines.get(entity as usize)?;
        let happened = timeline.partition_point(|entry| entry.event <= now);
        let happened = timeline.get(..happened)?;
        happened
            .iter()
            .rev()
            .find(|entry| entry.known <= known)
            .copied()
    }

    /// Numbers the entities of rows. An entity without rows is as good as unknown.
    fn intern(&mut self, incoming: &Incoming, operation: &'static str) -> Result<Vec<u32>, Error> {
        if u32::try_from(self.len().saturating_add(incoming.len())).is_err() {
            let message = "there are more rows than can be held; split the view by key";
            return Err(Error::new(ErrorKind::Invalid, operation, message).with("rows", self.len()));
        }
        let known = self.keys.len();
        let entities = self.keys.intern(&incoming.keys, operation)?;
        let mut moves: Vec<Move> = Vec::new();
        let mut next = known as u32;
        for (row, entity) in entities.iter().enumerate() {
            // New entities are numbered in the order they are seen.
            if *entity == next {
                moves.push(Move {
                    from: row as u32,
                    to: next,
                });
                next += 1;
            }
        }
        self.entities.grow(self.keys.len());
        self.entities.put(incoming.keys.columns(), &moves);
        self.timelines.resize(self.keys.len(), Vec::new());
        Ok(entities)
    }

    /// The numbers of the rows that are not there yet, ascending.
    #[expect(
        clippy::indexing_slicing,
        reason = "the columns of a batch have one length"
    )]
    fn without_repeated(&self, incoming: &Incoming, entities: &[u32]) -> Vec<u32> {
        let place = |row: u32| {
            let row = row as usize;
            (entities[row], incoming.events[row], incoming.knowns[row])
        };
        let mut order: Vec<u32> = (0..incoming.len() as u32).collect();
        order.sort_by_key(|row| place(*row));
        let mut kept: Vec<u32> = Vec::with_capacity(order.len());
        for rows in order.chunk_by(|one, other| place(*one) == place(*other)) {
            let start = kept.len();
            for row in rows {
                let (entity, event, known) = place(*row);
                let stored = self.entries_at(entity, event, known).iter().any(|entry| {
                    self.values
                        .holds(entry.row as usize, &incoming.values, *row as usize)
                });
                let again = kept[start..].iter().any(|earlier| {
                    let mut columns = incoming.values.iter();
                    columns.all(|column| column.same(*earlier as usize, *row as usize))
                });
                if !stored && !again {
                    kept.push(*row);
                }
            }
        }
        kept.sort_unstable();
        kept
    }

    /// The rows of an entity with exactly these times.
    fn entries_at(&self, entity: u32, event: i64, known: i64) -> &[Entry] {
        let Some(timeline) = self.timelines.get(entity as usize) else {
            return &[];
        };
        let times = |entry: &Entry| (entry.event, entry.known);
        let start = timeline.partition_point(|entry| times(entry) < (event, known));
        let end = timeline.partition_point(|entry| times(entry) <= (event, known));
        timeline.get(start..end).unwrap_or_default()
    }

    /// Appends some rows of a batch; answers the entities they are of.
    #[expect(
        clippy::indexing_slicing,
        reason = "the columns of a batch have one length, and its entities a timeline"
    )]
    fn append(&mut self, incoming: &Incoming, entities: &[u32], rows: &[u32]) -> BTreeSet<u32> {
        let mut touched: BTreeSet<u32> = BTreeSet::new();
        let mut unsorted: BTreeSet<u32> = BTreeSet::new();
        let mut moves: Vec<Move> = Vec::with_capacity(rows.len());
        for row in rows {
            let to = self.events.len() as u32;
            let from = *row as usize;
            let (entity, event, known) =
                (entities[from], incoming.events[from], incoming.knowns[from]);
            let entry = Entry {
                event,
                known,
                row: to,
            };
            let timeline = &mut self.timelines[entity as usize];
            if timeline.last().is_some_and(|last| *last > entry) {
                unsorted.insert(entity);
            }
            timeline.push(entry);
            touched.insert(entity);
            self.entity_of.push(entity);
            self.events.push(event);
            self.knowns.push(known);
            self.newest_event = self.newest_event.max(Some(event));
            self.newest_known = self.newest_known.max(Some(known));
            moves.push(Move { from: *row, to });
        }
        for entity in unsorted {
            // Stable sorting merges the sorted runs that are there.
            self.timelines[entity as usize].sort();
        }
        self.values.grow(self.events.len());
        self.values.put(&incoming.values, &moves);
        touched
    }

    /// Some rows, with the columns that a push takes.
    fn batch(&self, rows: &[u32]) -> Result<RecordBatch, Error> {
        let view = self.plan.view();
        let mut keys = Gathered::new(view.keys(), rows.len(), HISTORY);
        let mut features = Gathered::new(view.features(), rows.len(), HISTORY);
        let (mut of_entities, mut of_rows) = (Vec::new(), Vec::new());
        let (mut events, mut knowns) = (Vec::new(), Vec::new());
        for (to, row) in rows.iter().enumerate() {
            let (to, index) = (to as u32, *row as usize);
            if let (Some(entity), Some(event), Some(known)) = (
                self.entity_of.get(index),
                self.events.get(index),
                self.knowns.get(index),
            ) {
                of_entities.push(Move { from: *entity, to });
                of_rows.push(Move { from: *row, to });
                events.push(*event);
                knowns.push(*known);
            }
        }
        keys.fill_from_rows(&self.entities, &of_entities)?;
        features.fill_from_rows(&self.values, &of_rows)?;
        let instants = |micros: Vec<i64>| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
        };
        let mut columns = keys.finish()?;
        columns.push(instants(events));
        columns.push(instants(knowns));
        columns.extend(features.finish()?);
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(Arc::clone(self.plan.rows()), columns, &options).map_err(
            |source| {
                let message = "the columns of the rows do not fit together";
                Error::new(ErrorKind::Corrupt, HISTORY, message).caused_by(source)
            },
        )
    }
}

const JOIN: &str = "join features";
const INSERT: &str = "insert feature rows";
const PUSH: &str = "push features";
const HISTORY: &str = "read the history of features";

/// How many rows a batch of history has at most.
const HISTORY_ROWS: usize = 65_536;
