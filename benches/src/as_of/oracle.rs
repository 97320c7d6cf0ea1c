use std::collections::BTreeMap;

use arrow_array::{Array, Float64Array};
use noops_core::{CellStatus, FeatureFrame};

use super::{AsOfWorkload, known_at, numbers};

/// The answers for some entity rows of a workload, found by looking at every feature row.
///
/// The rule, word for word: of the rows of the entity with event time <= t and known-at <= t the one with the newest (event time, known-at), the
/// later of equals, if t - event time <= TTL.
#[derive(Clone, Debug)]
pub struct AsOfOracle {
    workload: AsOfWorkload,
    /// The feature rows of every entity that will be asked for, in the order they come.
    histories: BTreeMap<i64, Vec<u64>>,
}

impl AsOfOracle {
    /// Can answer for these entity rows.
    ///
    /// # Complexity
    ///
    /// Looks at the key of every feature row once; keeps the numbers of those of the entities asked for.
    #[must_use]
    pub fn new(workload: &AsOfWorkload, rows: impl Iterator<Item = u64>) -> Self {
        let mut histories: BTreeMap<i64, Vec<u64>> = rows
            .map(|row| (workload.entity_key(row), Vec::new()))
            .collect();
        let mut asked = vec![false; workload.keys as usize];
        for key in histories.keys() {
            if let Some(asked) = asked.get_mut(*key as usize) {
                *asked = true;
            }
        }
        for row in 0..workload.feature_rows {
            let key = workload.feature_key(row);
            if asked.get(key as usize) == Some(&true) {
                histories.entry(key).or_default().push(row);
            }
        }
        Self {
            workload: workload.clone(),
            histories,
        }
    }

    /// Whether row `at` of a frame is the right answer for an entity row, in every status and every bit of every value.
    #[must_use]
    pub fn agrees(&self, row: u64, frame: &FeatureFrame, at: usize) -> bool {
        let (status, found) = self.answer(row);
        frame.values().num_columns() == AsOfWorkload::FEATURES
            && (0..AsOfWorkload::FEATURES).all(|feature| {
                let expected = found.map(|found| numbers(feature).skipping(found).next_f64());
                frame.status(at, feature) == Some(status)
                    && value(frame, at, feature).map(f64::to_bits) == expected.map(f64::to_bits)
            })
    }

    /// The status of an entity row's cells and, if it is `Present`, the feature row they come from.
    fn answer(&self, row: u64) -> (CellStatus, Option<u64>) {
        let now = self.workload.asked_at(row);
        let history = self.histories.get(&self.workload.entity_key(row));
        let newest = history
            .into_iter()
            .flatten()
            .map(|feature| {
                let event = self.workload.happened_at(*feature);
                (event, known_at(*feature), *feature)
            })
            .filter(|(event, known, _)| *event <= now && *known <= now)
            .max();
        let ttl = self.workload.ttl().as_micros() as i64;
        match newest {
            None => (CellStatus::NotFound, None),
            Some((event, _, _)) if now - event > ttl => (CellStatus::OutsideTtl, None),
            Some((_, _, feature)) => (CellStatus::Present, Some(feature)),
        }
    }
}

fn value(frame: &FeatureFrame, row: usize, column: usize) -> Option<f64> {
    let column = frame.values().columns().get(column)?;
    let column = column.as_any().downcast_ref::<Float64Array>()?;
    (row < column.len() && column.is_valid(row)).then(|| column.value(row))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use noops_core::{AsOfIndex, AsOfJoin, Knowledge};

    use super::*;

    #[test]
    fn the_streamed_join_answers_every_row_as_the_rule_says() {
        for latest in [0, 1, 400] {
            let workload =
                AsOfWorkload::new(5000, 1000, 100).with_latest(Duration::from_millis(latest));
            let oracle = AsOfOracle::new(&workload, 0..1000);
            let features = workload.features(300);
            let mut join = AsOfJoin::new(workload.view(), Knowledge::AtRowTime, features).unwrap();
            let mut statuses: BTreeSet<String> = BTreeSet::new();
            for rows in workload.entity_chunks(70) {
                let (entities, times) = workload.entities(rows.clone()).unwrap();
                let frame = join.join(&entities, &times).unwrap();
                for (at, row) in rows.enumerate() {
                    assert!(oracle.agrees(row, &frame, at), "entity row {row}");
                    statuses.insert(format!("{:?}", frame.status(at, 0)));
                }
            }
            assert_eq!(statuses.len(), 3, "{statuses:?}");
        }
    }

    #[test]
    fn the_answer_of_another_row_is_seen_to_be_wrong() {
        let workload = AsOfWorkload::new(5000, 1000, 100);
        let oracle = AsOfOracle::new(&workload, 0..1000);
        let mut index = AsOfIndex::new(workload.view()).unwrap();
        index
            .insert(&workload.feature_batch(0..5000).unwrap())
            .unwrap();
        let (entities, times) = workload.entities(0..1000).unwrap();
        let frame = index
            .as_of(&entities, &times, Knowledge::AtRowTime)
            .unwrap();
        let right = (0..1000).filter(|row| oracle.agrees(*row as u64, &frame, *row));
        assert_eq!(right.count(), 1000);
        let shifted = (1..1000_usize)
            .filter(|row| frame.status(*row, 0) == Some(CellStatus::Present))
            .filter(|row| oracle.agrees(*row as u64, &frame, row - 1));
        assert!(shifted.count() < 50);
    }
}
