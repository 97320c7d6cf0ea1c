//! Joining every entity row with the newest feature row that was known at its time.

mod gather;
mod index;
pub(crate) mod key;
mod plan;
mod rows;
#[cfg(test)]
mod tests;

pub use index::AsOfIndex;

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
/// Memory is one row of features per entity seen so far, one batch of rows and one answer, however many rows pass by.
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
    batches: u64,
    current: Option<Current>,
    keys: KeyTable,
    newest: Vec<Newest>,
    settled: Rows,
    /// The entities whose newest row is still in the current batch.
    unsettled: Vec<u32>,
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

/// The batch that is being read, by columns, up to a position.
#[derive(Debug)]
struct Current {
    position: usize,
    entities: Vec<u32>,
    available: Vec<i64>,
    events: Vec<i64>,
    knowns: Vec<i64>,
    values: Vec<ColumnValues>,
}

/// The newest row of an entity: in the current batch, or settled under the number of the entity.
#[derive(Clone, Copy, Debug)]
struct Newest {
    event: i64,
    known: i64,
    in_batch: u32,
}

/// Cells to copy into the answer before the batch they lie in goes.
#[derive(Debug, Default)]
struct Picks {
    from_batch: Vec<Move>,
    from_settled: Vec<Move>,
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
            current: None,
            newest: Vec::new(),
            unsettled: Vec::new(),
            last_available: i64::MIN,
            last_asked: i64::MIN,
        })
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
        let mut picks = Picks::default();
        let mut scratch: Vec<u8> = Vec::new();
        match &asked.order {
            None => {
                for (row, now) in asked.micros.iter().enumerate() {
                    self.answer_row(asked, row, *now, answer, &mut picks, &mut scratch)?;
                }
            }
            Some(order) => {
                for row in order {
                    let row = *row as usize;
                    if let Some(now) = asked.micros.get(row) {
                        self.answer_row(asked, row, *now, answer, &mut picks, &mut scratch)?;
                    }
                }
            }
        }
        self.deliver(answer, &mut picks)
    }

    fn answer_row(
        &mut self,
        asked: &Asked,
        row: usize,
        now: i64,
        answer: &mut Answer,
        picks: &mut Picks,
        scratch: &mut Vec<u8>,
    ) -> Result<(), Error> {
        while !self.apply_until(now) && self.progress == Progress::Reading {
            self.deliver(answer, picks)?;
            self.settle();
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
            match newest.in_batch {
                SETTLED => picks.from_settled.push(Move { from: entity, to }),
                from => picks.from_batch.push(Move { from, to }),
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
        let Some(batch) = &mut self.current else {
            return false;
        };
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
            let newest = &mut self.newest[batch.entities[row] as usize];
            if (event, known) >= (newest.event, newest.known) {
                if newest.in_batch == SETTLED {
                    self.unsettled.push(batch.entities[row]);
                }
                *newest = Newest {
                    event,
                    known,
                    in_batch: row as u32,
                };
            }
        }
        false
    }

    /// Copies what was picked into the answer.
    fn deliver(&self, answer: &mut Answer, picks: &mut Picks) -> Result<(), Error> {
        if let Some(batch) = &self.current {
            answer
                .cells
                .fill_from_batch(&batch.values, &picks.from_batch)?;
        }
        answer
            .cells
            .fill_from_rows(&self.settled, &picks.from_settled)?;
        picks.from_batch.clear();
        picks.from_settled.clear();
        Ok(())
    }

    /// Keeps the newest rows of a batch that is used up, and lets the batch go.
    fn settle(&mut self) {
        if let Some(batch) = self.current.take() {
            let mut moves: Vec<Move> = Vec::with_capacity(self.unsettled.len());
            for entity in self.unsettled.drain(..) {
                if let Some(newest) = self.newest.get_mut(entity as usize) {
                    moves.push(Move {
                        from: newest.in_batch,
                        to: entity,
                    });
                    newest.in_batch = SETTLED;
                }
            }
            self.settled.put(&batch.values, &moves);
        }
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
        self.batches = self.batches.saturating_add(1);
        let current = self
            .decode(&batch)
            .map_err(|error| error.with("batch", number))?;
        self.newest.resize(self.keys.len(), Newest::NONE);
        self.settled.grow(self.keys.len());
        self.current = Some(current);
        Ok(())
    }

    fn decode(&mut self, batch: &RecordBatch) -> Result<Current, Error> {
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
        Ok(Current {
            position: 0,
            entities,
            available,
            events: incoming.events,
            knowns: incoming.knowns,
            values: incoming.values,
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

impl Newest {
    const NONE: Self = Self {
        event: NEVER,
        known: NEVER,
        in_batch: SETTLED,
    };
}

const JOIN: &str = "join features";

const OUT_OF_AVAILABILITY_ORDER: &str =
    "feature rows are out of order; sort them by the later of event time and known-at";

/// Before every instant that a row can have.
const NEVER: i64 = i64::MIN;

/// No row of a batch has this number: a batch has fewer rows.
const SETTLED: u32 = u32::MAX;
