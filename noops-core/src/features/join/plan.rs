use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use jiff::Timestamp;

use super::gather::Gathered;
use super::key::KeyColumns;
use crate::error::{Error, ErrorKind};
use crate::features::column::ColumnValues;
use crate::features::instant::{instant, micros_down, read_micros};
use crate::features::{
    CellStatus, EVENT_TIME, FeatureFrame, FeatureView, KNOWN_AT, Knowledge, Provenance,
};

/// A view with what every join over it needs.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    view: FeatureView,
    answers: SchemaRef,
    rows: SchemaRef,
    ttl: Option<i64>,
    ambiguous: Option<String>,
}

impl Plan {
    pub(crate) fn new(view: FeatureView) -> Self {
        let ttl = view.ttl();
        Self {
            answers: Arc::new(view.answer_schema()),
            rows: Arc::new(view.row_schema()),
            ttl: ttl.map(|ttl| i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX)),
            ambiguous: first_repeated_name(&view),
            view,
        }
    }

    /// Refuses a view whose columns cannot be told apart.
    pub(crate) fn check(&self, operation: &'static str) -> Result<(), Error> {
        match &self.ambiguous {
            None => Ok(()),
            Some(name) => {
                let message = "the view has two columns of one name; rename one";
                Err(Error::new(ErrorKind::Invalid, operation, message)
                    .with("view", self.view.name())
                    .with("column", name))
            }
        }
    }

    pub(crate) fn view(&self) -> &FeatureView {
        &self.view
    }

    /// The schema of rows as they are pushed.
    pub(crate) fn rows(&self) -> &SchemaRef {
        &self.rows
    }

    /// The boundary is inside.
    pub(crate) fn is_fresh(&self, now: i64, event: i64) -> bool {
        self.ttl.is_none_or(|ttl| now.saturating_sub(event) <= ttl)
    }

    /// An empty answer for `rows` entity rows.
    pub(crate) fn answer(&self, rows: usize, operation: &'static str) -> Answer {
        Answer {
            cells: Gathered::new(self.view.features(), rows, operation),
            statuses: vec![CellStatus::NotFound; rows],
            events: vec![None; rows],
            operation,
        }
    }

    /// The frame of an answer.
    pub(crate) fn frame(&self, answer: Answer, times: &[Timestamp]) -> Result<FeatureFrame, Error> {
        let operation = answer.operation;
        let columns = answer.cells.finish()?;
        let options = RecordBatchOptions::new().with_row_count(Some(times.len()));
        let values =
            RecordBatch::try_new_with_options(Arc::clone(&self.answers), columns, &options)
                .map_err(|source| {
                    let message = "the columns of the answer do not fit together";
                    Error::new(ErrorKind::Corrupt, operation, message).caused_by(source)
                })?;
        let provenance = Arc::new(Provenance::new(answer.statuses, answer.events));
        let provenance = vec![provenance; values.num_columns()];
        FeatureFrame::new(values, times.to_vec(), provenance)
    }
}

/// What is asked: keys and times, and the rows in the order of their times.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) keys: KeyColumns,
    pub(crate) micros: Vec<i64>,
    /// `None` when the rows are in order as they are.
    pub(crate) order: Option<Vec<u32>>,
}

impl Asked {
    pub(crate) fn read(
        plan: &Plan,
        entities: &RecordBatch,
        times: &[Timestamp],
        operation: &'static str,
    ) -> Result<Self, Error> {
        plan.check(operation)?;
        let rows = entities.num_rows();
        if times.len() != rows {
            let message = "there is not one time per entity row";
            return Err(Error::new(ErrorKind::Invalid, operation, message)
                .with("times", times.len())
                .with("rows", rows));
        }
        check_rows(rows, operation)?;
        let micros: Vec<i64> = times.iter().map(|time| micros_down(*time)).collect();
        Ok(Self {
            keys: KeyColumns::read(plan.view(), entities, operation)?,
            micros,
            order: None,
        })
    }

    /// Puts the rows in order of time, unless they are.
    #[expect(
        clippy::indexing_slicing,
        reason = "the order holds the numbers of the rows"
    )]
    pub(crate) fn sort(&mut self) {
        if self.micros.is_sorted() {
            return;
        }
        let mut order: Vec<u32> = (0..self.micros.len() as u32).collect();
        let micros = &self.micros;
        order.sort_unstable_by_key(|row| micros[*row as usize]);
        self.order = Some(order);
    }
}

/// Feature rows as they come.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) keys: KeyColumns,
    pub(crate) events: Vec<i64>,
    pub(crate) knowns: Vec<i64>,
    pub(crate) values: Vec<ColumnValues>,
}

impl Incoming {
    pub(crate) fn read(
        view: &FeatureView,
        batch: &RecordBatch,
        operation: &'static str,
    ) -> Result<Self, Error> {
        check_rows(batch.num_rows(), operation)?;
        let features = view.features().iter();
        Ok(Self {
            keys: KeyColumns::read(view, batch, operation)?,
            events: read_micros(batch, EVENT_TIME, operation)?,
            knowns: read_micros(batch, KNOWN_AT, operation)?,
            values: features
                .map(|feature| ColumnValues::read(batch, feature, operation))
                .collect::<Result<Vec<ColumnValues>, Error>>()?,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }
}

/// The answer to an [`Asked`], while it is put together.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) cells: Gathered,
    statuses: Vec<CellStatus>,
    events: Vec<Option<Timestamp>>,
    operation: &'static str,
}

impl Answer {
    /// Notes that a row was found for an entity row. Its values are filled in apart, if it is fresh.
    pub(crate) fn found(&mut self, row: usize, event: i64, fresh: bool) -> Result<(), Error> {
        let event = instant(event, self.operation)?;
        if let Some(target) = self.events.get_mut(row) {
            *target = Some(event);
        }
        if let Some(status) = self.statuses.get_mut(row) {
            *status = if fresh {
                CellStatus::Present
            } else {
                CellStatus::OutsideTtl
            };
        }
        Ok(())
    }
}

/// The last microsecond whose knowledge counts for a row asked for `now`.
pub(crate) fn known_until(knowledge: Knowledge, now: i64) -> i64 {
    match knowledge {
        Knowledge::AtRowTime => now,
        Knowledge::Until(end) => micros_down(end),
    }
}

fn first_repeated_name(view: &FeatureView) -> Option<String> {
    let mut names: BTreeSet<&str> = BTreeSet::from([EVENT_TIME, KNOWN_AT]);
    for column in view.keys().iter().chain(view.features()) {
        if !names.insert(column.name.as_str()) {
            return Some(column.name.clone());
        }
    }
    None
}

fn check_rows(rows: usize, operation: &'static str) -> Result<(), Error> {
    if u32::try_from(rows).is_err() {
        let message = "a batch has more rows than can be counted; split it";
        return Err(Error::new(ErrorKind::Invalid, operation, message).with("rows", rows));
    }
    Ok(())
}
