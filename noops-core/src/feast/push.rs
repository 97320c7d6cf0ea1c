//! Which rows of a push Feast may have, since it takes every one, older than what it holds or not.

use std::collections::BTreeMap;

use arrow_array::{Array, RecordBatch};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::online::{Answered, Origin};
use super::rows::{Key, column, keys_of, same};
use super::settings::Columns;
use super::values;
use crate::error::{Error, ErrorKind};
use crate::features::instant::{instant, read_micros};
use crate::features::{EVENT_TIME, FeatureView, KNOWN_AT};

/// The newest row of each entity of a push.
#[derive(Debug)]
pub(super) struct Candidates {
    rows: RecordBatch,
    events: Vec<i64>,
    knowns: Vec<i64>,
    newest: Vec<(Key, usize)>,
}

/// What to do with the candidates.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    /// The numbers of the candidates to send.
    pub(super) send: Vec<usize>,
    pub(super) older: u64,
    pub(super) repeated: u64,
}

impl Candidates {
    /// The candidates of normalised rows: of each entity the row with the newest (event time, known-at), the last of equals.
    ///
    /// # Errors
    ///
    /// `Invalid`, with column and row, for what Feast would refuse or change, wherever in the push it is.
    pub(super) fn new(view: &FeatureView, rows: RecordBatch) -> Result<Self, Error> {
        let events = read_micros(&rows, EVENT_TIME, PUSH)?;
        let knowns = read_micros(&rows, KNOWN_AT, PUSH)?;
        for (name, times) in [(EVENT_TIME, &events), (KNOWN_AT, &knowns)] {
            let outside = |time: &i64| !(FIRST_MICROSECOND..=LAST_MICROSECOND).contains(time);
            if let Some(row) = times.iter().position(outside) {
                let message = "feast has no times before 1678 or after 2262-04-10";
                return Err(refuse(message).with("column", name).with("row", row));
            }
        }
        let all: Vec<usize> = (0..rows.num_rows()).collect();
        for feature in view.features() {
            // Nulls aside, so that integers beside them are judged when it is known what is sent.
            let column = column(&rows, &feature.name)?;
            let valid: Vec<usize> = all
                .iter()
                .copied()
                .filter(|row| column.is_valid(*row))
                .collect();
            values::write(feature, column, &valid, PUSH)?;
        }
        let mut newest: BTreeMap<Key, (i64, i64, usize)> = BTreeMap::new();
        let times = events.iter().copied().zip(knowns.iter().copied());
        for (row, (key, (event, known))) in keys_of(view, &rows)?.into_iter().zip(times).enumerate()
        {
            let place = newest.entry(key).or_insert((event, known, row));
            *place = (*place).max((event, known, row));
        }
        let newest = newest.into_iter().map(|(key, (_, _, row))| (key, row));
        Ok(Self {
            newest: newest.collect(),
            rows,
            events,
            knowns,
        })
    }

    /// The entities, one for each candidate.
    pub(super) fn keys(&self) -> Vec<Key> {
        self.newest.iter().map(|(key, _)| key.clone()).collect()
    }

    /// The newest event and the newest knowledge of all rows.
    pub(super) fn newest_times(&self) -> Result<(Option<Timestamp>, Option<Timestamp>), Error> {
        let event = self
            .events
            .iter()
            .max()
            .map(|micros| instant(*micros, PUSH));
        let known = self
            .knowns
            .iter()
            .max()
            .map(|micros| instant(*micros, PUSH));
        Ok((event.transpose()?, known.transpose()?))
    }

    /// Which candidates are newer than what Feast holds.
    ///
    /// # Errors
    ///
    /// `Unavailable` when Feast cannot say what it holds. `Conflict`, with the row, when it holds other values of the same second: it keeps
    /// neither fractions of seconds nor when it learned of a row, so that nothing tells which is newer.
    pub(super) fn decide(&self, view: &FeatureView, held: &[Answered]) -> Result<Decision, Error> {
        let mut decision = Decision::default();
        for (number, (_, row)) in self.newest.iter().enumerate() {
            let event = self.event_second(*row);
            match held_second(held, number)? {
                None => decision.send.push(number),
                Some(second) if second < event => decision.send.push(number),
                Some(second) if second > event => {
                    decision.older = decision.older.saturating_add(1);
                }
                Some(_) if self.is_held(view, held, number, *row)? => {
                    decision.repeated = decision.repeated.saturating_add(1);
                }
                Some(_) => {
                    let message = "feast holds other values of the same second and cannot say which are newer; correct them offline and materialise";
                    return Err(Error::new(ErrorKind::Conflict, PUSH, message).with("row", row));
                }
            }
        }
        Ok(decision)
    }

    /// Checks that Feast took what was sent.
    ///
    /// # Errors
    ///
    /// `Unavailable` when a row is not there, `Conflict` when it is another: somebody else pushes too, or the definitions differ.
    pub(super) fn verify(
        &self,
        view: &FeatureView,
        sent: &[usize],
        held: &[Answered],
    ) -> Result<(), Error> {
        for (place, number) in sent.iter().enumerate() {
            let Some((_, row)) = self.newest.get(*number) else {
                continue;
            };
            let event = self.event_second(*row);
            let second = held_second(held, place)?;
            if second.is_none_or(|second| second < event) {
                let message = "feast said that it took a row and does not have it; push again";
                return Err(Error::new(ErrorKind::Unavailable, PUSH, message).with("row", row));
            }
            if second == Some(event) && !self.is_held(view, held, place, *row)? {
                let message = "feast has other values than were pushed: another writer, or a field of another type than the view's";
                return Err(Error::new(ErrorKind::Conflict, PUSH, message).with("row", row));
            }
        }
        Ok(())
    }

    /// The columns of some candidates, as a push source takes them.
    ///
    /// # Errors
    ///
    /// `Invalid` when every feature of every row is null: Feast forgets such a push and says that it took it.
    pub(super) fn frame(
        &self,
        view: &FeatureView,
        numbers: &[usize],
        columns: &Columns,
    ) -> Result<Map<String, Value>, Error> {
        let chosen: Vec<&(Key, usize)> = numbers
            .iter()
            .filter_map(|number| self.newest.get(*number))
            .collect();
        let rows: Vec<usize> = chosen.iter().map(|(_, row)| *row).collect();
        let mut frame: Map<String, Value> = Map::new();
        for (index, part) in view.keys().iter().enumerate() {
            let parts = chosen
                .iter()
                .map(|(key, _)| key.get(index).map_or(Value::Null, |part| part.json()));
            frame.insert(part.name.clone(), Value::Array(parts.collect()));
        }
        let times = |micros: &[i64]| -> Result<Value, Error> {
            let mut written: Vec<Value> = Vec::with_capacity(rows.len());
            for row in &rows {
                let time = instant(micros.get(*row).copied().unwrap_or_default(), PUSH)?;
                // All of one width: Feast takes the format of the first for that of all.
                written.push(Value::from(format!("{time:.6}")));
            }
            Ok(Value::Array(written))
        };
        frame.insert(columns.event.clone(), times(&self.events)?);
        if let Some(known) = &columns.known {
            frame.insert(known.clone(), times(&self.knowns)?);
        }
        let mut empty = true;
        for feature in view.features() {
            let column = column(&self.rows, &feature.name)?;
            empty &= rows.iter().all(|row| column.is_null(*row));
            let written = values::write(feature, column, &rows, PUSH)?;
            frame.insert(feature.name.clone(), Value::Array(written));
        }
        if empty {
            let message = "feast forgets a push in which every feature is null; push it with a row that has a value";
            return Err(refuse(message).with("rows", rows.len()));
        }
        Ok(frame)
    }

    fn event_second(&self, row: usize) -> i64 {
        let micros = self.events.get(row).copied().unwrap_or_default();
        micros.div_euclid(MICROS_PER_SECOND)
    }

    fn is_held(
        &self,
        view: &FeatureView,
        held: &[Answered],
        place: usize,
        row: usize,
    ) -> Result<bool, Error> {
        for (feature, answered) in view.features().iter().zip(held) {
            let is_row = matches!(answered.origins.get(place), Some(Origin::Row(_)));
            let pushed = column(&self.rows, &feature.name)?;
            if !is_row || !same(pushed, row, &answered.values, place) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The second of the newest event that Feast holds of an entity.
fn held_second(held: &[Answered], place: usize) -> Result<Option<i64>, Error> {
    let mut newest: Option<i64> = None;
    for answered in held {
        match answered.origins.get(place).copied() {
            None | Some(Origin::Failed) => {
                let message = "feast cannot say what it holds of an entity";
                return Err(Error::new(ErrorKind::Unavailable, PUSH, message));
            }
            Some(origin) => {
                // Feast gives whole seconds; a fraction rounds down like those that were pushed.
                let second = origin
                    .event()
                    .map(|event| event.as_microsecond().div_euclid(MICROS_PER_SECOND));
                newest = newest.max(second);
            }
        }
    }
    Ok(newest)
}

fn refuse(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, PUSH, message)
}

const PUSH: &str = "push features to feast";
const MICROS_PER_SECOND: i64 = 1_000_000;
/// The first year and the last day that 64 bits of nanoseconds, which Feast computes with, hold in full.
const FIRST_MICROSECOND: i64 = -9_214_560_000_000_000;
const LAST_MICROSECOND: i64 = 9_223_286_399_999_999;

#[cfg(test)]
mod tests;
