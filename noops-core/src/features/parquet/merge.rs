//! Sorted runs of rows, merged into one.

use std::collections::VecDeque;
use std::fmt;

use arrow_array::RecordBatch;
use arrow_select::interleave::interleave_record_batch;

use super::READ;
use crate::error::{Error, ErrorKind};

/// Rows with the time that orders each.
#[derive(Debug)]
pub(super) struct Keyed {
    pub(super) batch: RecordBatch,
    pub(super) keys: Vec<i64>,
}

impl Keyed {
    /// How much memory the rows take while they are sorted, their keys and places included.
    pub(super) fn bytes(&self) -> u64 {
        let rows = self.batch.get_array_memory_size() as u64;
        rows.saturating_add((self.keys.len() as u64).saturating_mul(SORTING_BYTES))
    }
}

/// The rows of a run: in order of their keys across all batches.
pub(super) type Run = Box<dyn Iterator<Item = Result<Keyed, Error>> + Send>;

/// How a run is begun, which is not before its first row is due.
pub(super) type Begin = Box<dyn FnOnce() -> Result<Run, Error> + Send>;

/// The rows of all runs in order of their keys; of rows with one key, those of the run that was added first come first.
///
/// Holds one batch of each run that overlaps the present, and nothing of the others.
#[derive(Default)]
pub(super) struct Merge {
    waiting: VecDeque<Waiting>,
    active: Vec<Active>,
    added: usize,
    over: bool,
}

struct Waiting {
    first: i64,
    rank: usize,
    begin: Begin,
}

struct Active {
    rank: usize,
    run: Run,
    head: Keyed,
    taken: usize,
}

impl Merge {
    /// Adds a run whose first key is known.
    pub(super) fn add(&mut self, first: i64, begin: Begin) {
        let rank = self.added;
        self.added += 1;
        let place = self
            .waiting
            .partition_point(|waiting| (waiting.first, waiting.rank) < (first, rank));
        self.waiting.insert(place, Waiting { first, rank, begin });
    }

    /// All rows that no later batch of any run can precede.
    fn round(&mut self) -> Result<Option<RecordBatch>, Error> {
        let Some(bound) = self.bound()? else {
            return Ok(None);
        };
        let mut pieces: Vec<RecordBatch> = Vec::new();
        let mut order: Vec<(i64, usize, usize)> = Vec::new();
        for active in &mut self.active {
            let rank = active.rank;
            let end = active
                .head
                .keys
                .partition_point(|key| (*key, rank) <= bound);
            let Some(keys) = active.head.keys.get(active.taken..end) else {
                continue;
            };
            if keys.is_empty() {
                continue;
            }
            let piece = pieces.len();
            let keyed = keys.iter().enumerate();
            order.extend(keyed.map(|(row, key)| (*key, piece, row)));
            pieces.push(active.head.batch.slice(active.taken, keys.len()));
            active.taken = end;
        }
        self.refill()?;
        match pieces.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(only.clone())),
            pieces => gather(pieces, order).map(Some),
        }
    }

    /// The smallest (last key, rank) of the batches at hand, after every run that may hold a smaller one was begun.
    fn bound(&mut self) -> Result<Option<(i64, usize)>, Error> {
        loop {
            let last = |active: &Active| Some((*active.head.keys.last()?, active.rank));
            let bound = self.active.iter().filter_map(last).min();
            let due = self
                .waiting
                .front()
                .is_some_and(|next| bound.is_none_or(|bound| (next.first, next.rank) <= bound));
            if !due {
                return Ok(bound);
            }
            if let Some(next) = self.waiting.pop_front() {
                let mut run = (next.begin)()?;
                if let Some(head) = next_batch(run.as_mut())? {
                    let place = self
                        .active
                        .partition_point(|active| active.rank < next.rank);
                    let active = Active {
                        rank: next.rank,
                        run,
                        head,
                        taken: 0,
                    };
                    self.active.insert(place, active);
                }
            }
        }
    }

    fn refill(&mut self) -> Result<(), Error> {
        let mut left: Vec<Active> = Vec::with_capacity(self.active.len());
        for mut active in self.active.drain(..) {
            if active.taken < active.head.keys.len() {
                left.push(active);
            } else if let Some(head) = next_batch(active.run.as_mut())? {
                active.head = head;
                active.taken = 0;
                left.push(active);
            }
        }
        self.active = left;
        Ok(())
    }
}

impl Iterator for Merge {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.round().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

impl fmt::Debug for Merge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merge")
            .field("waiting", &self.waiting.len())
            .field("active", &self.active.len())
            .finish_non_exhaustive()
    }
}

/// A run of rows that do not come in order: all of them are held.
pub(super) fn sorted(rows: Vec<Keyed>, batch_rows: usize) -> Run {
    let mut batches: Vec<RecordBatch> = Vec::with_capacity(rows.len());
    let mut order: Vec<(i64, usize, usize)> = Vec::new();
    for (piece, keyed) in rows.into_iter().enumerate() {
        let keys = keyed.keys.iter().enumerate();
        order.extend(keys.map(|(row, key)| (*key, piece, row)));
        batches.push(keyed.batch);
    }
    order.sort_unstable();
    let mut start = 0;
    Box::new(std::iter::from_fn(move || {
        let rest = order.get(start..)?;
        let chunk = rest.get(..batch_rows.min(rest.len()))?.to_vec();
        if chunk.is_empty() {
            return None;
        }
        start += chunk.len();
        let keys: Vec<i64> = chunk.iter().map(|(key, _, _)| *key).collect();
        Some(gather(&batches, chunk).map(|batch| Keyed { batch, keys }))
    }))
}

fn gather(
    pieces: &[RecordBatch],
    mut order: Vec<(i64, usize, usize)>,
) -> Result<RecordBatch, Error> {
    // Made of a few sorted stretches, which the sort finds.
    order.sort();
    let places: Vec<(usize, usize)> = order
        .into_iter()
        .map(|(_, piece, row)| (piece, row))
        .collect();
    let pieces: Vec<&RecordBatch> = pieces.iter().collect();
    interleave_record_batch(&pieces, &places).map_err(|error| {
        let message = "rows of several files cannot be put together; write them with one schema";
        Error::new(ErrorKind::Invalid, READ, message).caused_by(error)
    })
}

fn next_batch(
    run: &mut (dyn Iterator<Item = Result<Keyed, Error>> + Send),
) -> Result<Option<Keyed>, Error> {
    for keyed in run {
        let keyed = keyed?;
        if !keyed.keys.is_empty() {
            return Ok(Some(keyed));
        }
    }
    Ok(None)
}

/// What sorting takes for each row besides the row: a key, and a key with a place.
pub(super) const SORTING_BYTES: u64 = 32;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{ArrayRef, Int64Array};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Rows that carry their own key and where they come from.
    fn keyed(rows: &[(i64, i64)]) -> Keyed {
        let keys: Vec<i64> = rows.iter().map(|row| row.0).collect();
        let origins: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|r| r.1)));
        let column: ArrayRef = Arc::new(Int64Array::from(keys.clone()));
        Keyed {
            batch: RecordBatch::try_from_iter([("key", column), ("origin", origins)]).unwrap(),
            keys,
        }
    }

    fn merged(merge: Merge) -> Vec<(i64, i64)> {
        let mut rows = Vec::new();
        for batch in merge {
            let batch = batch.unwrap();
            let keys = batch.column(0).as_primitive::<Int64Type>();
            let origins = batch.column(1).as_primitive::<Int64Type>();
            rows.extend(
                keys.values()
                    .iter()
                    .copied()
                    .zip(origins.values().iter().copied()),
            );
        }
        rows
    }

    proptest! {
        #[test]
        fn a_merge_is_a_stable_sort(
            runs in vec(vec(0_i64..12, 0..14), 0..5),
            batch_rows in 1_usize..5,
            in_memory in any::<bool>(),
        ) {
            let mut merge = Merge::default();
            let mut expected = Vec::new();
            for (run, keys) in runs.into_iter().enumerate() {
                let mut rows: Vec<(i64, i64)> = keys
                    .iter()
                    .zip(0_i64..)
                    .map(|(key, row)| (*key, 100 * run as i64 + row))
                    .collect();
                expected.extend(rows.iter().copied());
                let first = keys.iter().copied().min().unwrap_or(0);
                let begin: Begin = if in_memory {
                    Box::new(move || Ok(sorted(vec![keyed(&rows)], batch_rows)))
                } else {
                    rows.sort_by_key(|row| row.0);
                    let batches: Vec<Keyed> = rows.chunks(batch_rows).map(keyed).collect();
                    Box::new(move || Ok(Box::new(batches.into_iter().map(Ok)) as Run))
                };
                merge.add(first, begin);
            }
            expected.sort_by_key(|row| row.0);
            prop_assert_eq!(merged(merge), expected);
        }
    }

    #[test]
    fn a_run_is_not_begun_before_it_is_due() {
        let mut merge = Merge::default();
        merge.add(
            10,
            Box::new(|| Err(Error::new(ErrorKind::Corrupt, READ, "begun"))),
        );
        merge.add(
            1,
            Box::new(|| Ok(Box::new([Ok(keyed(&[(1, 0)]))].into_iter()) as Run)),
        );
        assert_eq!(merge.next().unwrap().unwrap().num_rows(), 1);
        assert!(merge.next().unwrap().is_err());
        assert!(merge.next().is_none(), "nothing follows an error");
    }
}
