//! Joining every entity row with the newest feature row that was known at its time.

mod gather;
mod index;
pub(crate) mod key;
mod plan;
mod rows;
#[cfg(test)]
mod tests;

pub use index::AsOfIndex;

use std::collections::VecDeque;
use std::fmt;

use arrow_array::RecordBatch;
use jiff::Timestamp;

use super::column::ColumnValues;
use super::instant::micros_down;
use super::{FeatureFrame, FeatureView, Knowledge};
use crate::error::{Error, ErrorKind};

use key::KeyTable;
use plan::{Answer, Asked, Incoming, Plan};
use rows::{Move, Rows};

/// A bitemporal as-of join that streams: feature rows and entity rows pass by once, in order of time.
///
/// For the entity row (k, t) the answer is, among the feature rows of k with event time <= t and known-at <= t, the one with the newest
/// (event time, known-at), the later in the stream of equals; its values if t - event time <= TTL. A feature row becomes *available* at
///
/// a = max(event time, known-at),
///
/// so with feature rows in order of a and entity rows in order of t, one sweep that keeps the newest row of each entity finds every answer.
/// Under [`Knowledge::Until`] K, rows with known-at > K are left out and a = event time.
///
/// * Times are compared in whole microseconds: those of feature rows are rounded up, those asked for down, so that rounding never lets a
///   row see what was known after it. Timestamp columns may have any unit and timezone; without one they are UTC.
/// * NaN is a value, null is none. The newest row counts even where its value is null: an older value does not shine through.
/// * Columns of other widths are cast where that loses nothing; a value that would change is `Invalid`.
/// * Keys that are numbers are equal when the numbers are; NaN is one key.
///
/// Memory is one row of features per entity seen so far, the batches read last (the one being read, and up to 128 MiB before it) and one
/// answer, however many rows pass by.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use noops_core::arrow_array::{Float64Array, Int64Array, RecordBatch, TimestampSecondArray};
/// use noops_core::{AsOfJoin, CellStatus, FeatureType, FeatureView, Knowledge, Timestamp};
///
/// let view = FeatureView::new("driver", "rating of the last trip")
///     .with_key("driver", FeatureType::Integer)
///     .with_feature("rating", FeatureType::Number);
/// // The second row corrects the first, and is known only from second 50.
/// let rows = RecordBatch::try_from_iter([
///     ("driver", Arc::new(Int64Array::from(vec![7, 7])) as _),
///     ("event_time", Arc::new(TimestampSecondArray::from(vec![10, 10])) as _),
///     ("known_at", Arc::new(TimestampSecondArray::from(vec![10, 50])) as _),
///     ("rating", Arc::new(Float64Array::from(vec![4.0, 5.0])) as _),
/// ])?;
/// let mut join = AsOfJoin::new(view, Knowledge::AtRowTime, [Ok(rows)].into_iter())?;
///
/// let drivers = RecordBatch::try_from_iter([("driver", Arc::new(Int64Array::from(vec![7, 7])) as _)])?;
/// let frame = join.join(&drivers, &[Timestamp::from_second(49)?, Timestamp::from_second(50)?])?;
/// let expected = Float64Array::from(vec![4.0, 5.0]);
/// assert_eq!(frame.values().column(0).as_ref(), &expected as &dyn noops_core::arrow_array::Array);
/// assert_eq!(frame.status(0, 0), Some(CellStatus::Present));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct AsOfJoin<I> {
    plan: Plan,
    knowledge: Knowledge,
    source: I,
    progress: Progress,
    /// How many batches have been read.
    batches: u64,
    /// The batches that newest rows may lie in, oldest first. The last is being read.
    held: VecDeque<Held>,
    held_bytes: usize,
    held_limit: usize,
    keys: KeyTable,
    newest: Vec<Newest>,
    settled: Rows,
    /// Cells to copy into the answer before a settled row is replaced.
    from_settled: Vec<Move>,
    /// What became known after this is left out, whenever it is asked for.
    known_until: i64,
    last_available: i64,
    last_asked: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Reading,
    Exhausted,
    Failed,
}

/// A batch by columns, read up to a position.
#[derive(Debug)]
struct Held {
    position: usize,
    entities: Vec<u32>,
    available: Vec<i64>,
    events: Vec<i64>,
    knowns: Vec<i64>,
    values: Vec<ColumnValues>,
    bytes: usize,
    /// The entities of which a row in here became the newest, before it was perhaps replaced.
    newest_of: Vec<u32>,
    /// Cells to copy into the answer before the batch goes.
    picks: Vec<Move>,
}

/// The newest row of an entity: in a batch that is held, or settled under the number of the entity.
#[derive(Clone, Copy, Debug)]
struct Newest {
    event: i64,
    known: i64,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Settled,
    Batch { number: u64, row: u32 },
}

impl<I> AsOfJoin<I>
where
    I: Iterator<Item = Result<RecordBatch, Error>> + Send,
{
    /// A join of entity rows with `rows`: the key columns, [`EVENT_TIME`](super::EVENT_TIME), [`KNOWN_AT`](super::KNOWN_AT) and the features of the view, in order of
    /// availability.
    ///
    /// # Errors
    ///
    /// `Invalid` when two columns of the view have one name.
    pub fn new(view: FeatureView, knowledge: Knowledge, rows: I) -> Result<Self, Error> {
        let plan = Plan::new(view);
        plan.check(JOIN)?;
        Ok(Self {
            keys: KeyTable::new(plan.view()),
            settled: Rows::new(plan.view().features()),
            plan,
            known_until: match knowledge {
                Knowledge::AtRowTime => i64::MAX,
                Knowledge::Until(end) => micros_down(end),
            },
            knowledge,
            source: rows,
            progress: Progress::Reading,
            batches: 0,
            held: VecDeque::new(),
            held_bytes: 0,
            held_limit: HELD_BYTES,
            newest: Vec::new(),
            from_settled: Vec::new(),
            last_available: i64::MIN,
            last_asked: i64::MIN,
        })
    }

    /// Holds no more than this of the batches before the one that is being read.
    #[cfg(test)]
    fn holding(mut self, bytes: usize) -> Self {
        self.held_limit = bytes;
        self
    }

    /// The features of each entity as of its time, one row per entity row and in the same order, which may be any within a call; no time
    /// may lie before the newest of an earlier call.
    ///
    /// # Errors
    ///
    /// `Invalid`, with the row: entities without the keys of the view or with a null key, not one time per entity, a time before the
    /// newest of an earlier call. `Invalid`, with the batch and row: feature rows that are out of order, lack a column, or have a null key or
    /// time; and what the source of rows answers. `Invalid` when the answer would have a column with more than 2 GiB of text. After an
    /// error that is not about the entities or the times the join cannot go on: begin a new one.
    ///
    /// # Complexity
    ///
    /// O(1) hash look-ups per feature row and entity row, and a sort of the entity rows unless they are in order.
    pub fn join(
        &mut self,
        entities: &RecordBatch,
        times: &[Timestamp],
    ) -> Result<FeatureFrame, Error> {
        if self.progress == Progress::Failed {
            let message = "an earlier call failed and rows were lost; begin a new join";
            return Err(Error::new(ErrorKind::Invalid, JOIN, message));
        }
        let mut asked = Asked::read(&self.plan, entities, times, JOIN)?;
        if let Some(row) = asked.micros.iter().position(|at| *at < self.last_asked) {
            let message = "a time lies before the newest of an earlier call; ask in order of time";
            return Err(Error::new(ErrorKind::Invalid, JOIN, message).with("row", row));
        }
        asked.sort();
        let mut answer = self.plan.answer(times.len(), JOIN);
        if let Err(error) = self.sweep(&asked, &mut answer) {
            self.progress = Progress::Failed;
            return Err(error);
        }
        self.plan.frame(answer, times)
    }

    fn sweep(&mut self, asked: &Asked, answer: &mut Answer) -> Result<(), Error> {
        let mut scratch: Vec<u8> = Vec::new();
        match &asked.order {
            None => {
                for (row, now) in asked.micros.iter().enumerate() {
                    self.answer_row(asked, row, *now, answer, &mut scratch)?;
                }
            }
            Some(order) => {
                for row in order {
                    let row = *row as usize;
                    if let Some(now) = asked.micros.get(row) {
                        self.answer_row(asked, row, *now, answer, &mut scratch)?;
                    }
                }
            }
        }
        self.deliver_settled(answer)?;
        for batch in &mut self.held {
            batch.deliver(answer)?;
        }
        Ok(())
    }

    fn answer_row(
        &mut self,
        asked: &Asked,
        row: usize,
        now: i64,
        answer: &mut Answer,
        scratch: &mut Vec<u8>,
    ) -> Result<(), Error> {
        while !self.apply_until(now) && self.progress == Progress::Reading {
            self.make_room(answer)?;
            self.read_batch()?;
        }
        self.last_asked = now;
        let Some(entity) = self.keys.find(&asked.keys, row, scratch) else {
            return Ok(());
        };
        let Some(newest) = self.newest.get(entity as usize) else {
            return Ok(());
        };
        if newest.event == NEVER {
            return Ok(());
        }
        let fresh = self.plan.is_fresh(now, newest.event);
        answer.found(row, newest.event, fresh)?;
        if fresh {
            let to = row as u32;
            match newest.place {
                Place::Settled => self.from_settled.push(Move { from: entity, to }),
                Place::Batch { number, row } => {
                    let index = number.saturating_sub(self.oldest_held()) as usize;
                    if let Some(batch) = self.held.get_mut(index) {
                        batch.picks.push(Move { from: row, to });
                    }
                }
            }
        }
        Ok(())
    }

    /// Applies rows up to a time. Whether the next row is known and later, so that nothing is missing.
    #[expect(
        clippy::indexing_slicing,
        reason = "the columns of a batch have one length, and its entities have a newest row"
    )]
    fn apply_until(&mut self, now: i64) -> bool {
        let Some(batch) = self.held.back_mut() else {
            return false;
        };
        let number = self.batches.saturating_sub(1);
        while let Some(available) = batch.available.get(batch.position) {
            if *available > now {
                return true;
            }
            let row = batch.position;
            batch.position += 1;
            let (event, known) = (batch.events[row], batch.knowns[row]);
            if known > self.known_until {
                continue;
            }
            let entity = batch.entities[row];
            let newest = &mut self.newest[entity as usize];
            if (event, known) >= (newest.event, newest.known) {
                if !newest.place.is_in(number) {
                    batch.newest_of.push(entity);
                }
                let row = row as u32;
                *newest = Newest {
                    event,
                    known,
                    place: Place::Batch { number, row },
                };
            }
        }
        false
    }

    fn deliver_settled(&mut self, answer: &mut Answer) -> Result<(), Error> {
        let picks = std::mem::take(&mut self.from_settled);
        answer.cells.fill_from_rows(&self.settled, &picks)
    }

    /// The number of the first batch that is held.
    fn oldest_held(&self) -> u64 {
        self.batches.saturating_sub(self.held.len() as u64)
    }

    /// Lets the oldest batches go until there is room for another. The longer a batch is held, the fewer of its rows are still the newest of their
    /// entity, and only those are copied.
    fn make_room(&mut self, answer: &mut Answer) -> Result<(), Error> {
        while self.held_bytes > self.held_limit {
            let number = self.oldest_held();
            let Some(mut batch) = self.held.pop_front() else {
                break;
            };
            self.held_bytes = self.held_bytes.saturating_sub(batch.bytes);
            self.deliver_settled(answer)?;
            batch.deliver(answer)?;
            let mut moves: Vec<Move> = Vec::new();
            for entity in batch.newest_of {
                let Some(newest) = self.newest.get_mut(entity as usize) else {
                    continue;
                };
                if let Place::Batch { number: of, row } = newest.place
                    && of == number
                {
                    newest.place = Place::Settled;
                    moves.push(Move {
                        from: row,
                        to: entity,
                    });
                }
            }
            self.settled.put(&batch.values, &moves);
        }
        Ok(())
    }

    fn read_batch(&mut self) -> Result<(), Error> {
        let number = self.batches;
        let batch = match self.source.next() {
            Some(batch) => batch?,
            None => {
                self.progress = Progress::Exhausted;
                return Ok(());
            }
        };
        let held = self
            .decode(&batch)
            .map_err(|error| error.with("batch", number))?;
        self.batches = self.batches.saturating_add(1);
        self.newest.resize(self.keys.len(), Newest::NONE);
        self.settled.grow(self.keys.len());
        self.held_bytes = self.held_bytes.saturating_add(held.bytes);
        self.held.push_back(held);
        Ok(())
    }

    fn decode(&mut self, batch: &RecordBatch) -> Result<Held, Error> {
        let incoming = Incoming::read(self.plan.view(), batch, JOIN)?;
        let mut available = Vec::with_capacity(incoming.len());
        let mut last = self.last_available;
        for (row, (event, known)) in incoming.events.iter().zip(&incoming.knowns).enumerate() {
            let at = match self.knowledge {
                Knowledge::AtRowTime => *event.max(known),
                // Its place in the order does not matter: nobody will see it.
                Knowledge::Until(_) if *known > self.known_until => last,
                Knowledge::Until(_) => *event,
            };
            if at < last {
                return Err(
                    Error::new(ErrorKind::Invalid, JOIN, self.out_of_order()).with("row", row)
                );
            }
            available.push(at);
            last = at;
        }
        let entities = self.keys.intern(&incoming.keys, JOIN)?;
        self.last_available = last;
        let cells: usize = incoming.values.iter().map(ColumnValues::bytes).sum();
        Ok(Held {
            position: 0,
            bytes: cells.saturating_add(incoming.len().saturating_mul(BYTES_PER_ROW)),
            entities,
            available,
            events: incoming.events,
            knowns: incoming.knowns,
            values: incoming.values,
            newest_of: Vec::new(),
            picks: Vec::new(),
        })
    }

    fn out_of_order(&self) -> &'static str {
        match self.knowledge {
            Knowledge::AtRowTime => OUT_OF_AVAILABILITY_ORDER,
            Knowledge::Until(_) => "feature rows are out of order; sort them by event time",
        }
    }
}

impl<I> fmt::Debug for AsOfJoin<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsOfJoin")
            .field("view", &self.plan.view().name())
            .field("knowledge", &self.knowledge)
            .field("progress", &self.progress)
            .field("batches", &self.batches)
            .field("entities", &self.keys.len())
            .finish_non_exhaustive()
    }
}

impl Held {
    /// Copies what was picked into the answer.
    fn deliver(&mut self, answer: &mut Answer) -> Result<(), Error> {
        let picks = std::mem::take(&mut self.picks);
        answer.cells.fill_from_batch(&self.values, &picks)
    }
}

impl Newest {
    const NONE: Self = Self {
        event: NEVER,
        known: NEVER,
        place: Place::Settled,
    };
}

impl Place {
    fn is_in(self, batch: u64) -> bool {
        matches!(self, Self::Batch { number, .. } if number == batch)
    }
}

const JOIN: &str = "join features";

const OUT_OF_AVAILABILITY_ORDER: &str =
    "feature rows are out of order; sort them by the later of event time and known-at";

/// Before every instant that a row can have.
const NEVER: i64 = i64::MIN;

/// How much of the batches read last is held, besides the one that is being read.
const HELD_BYTES: usize = 128 << 20;

/// What a row takes beside its cells: its number of entity, three times, and perhaps a place among the newest.
const BYTES_PER_ROW: usize = 32;
