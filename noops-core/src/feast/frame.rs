//! What Feast holds, judged as every other source is judged.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_select::filter::filter_record_batch;
use jiff::Timestamp;

use super::online::{Answered, Origin};
use super::rows::corrupt;
use crate::error::{Error, ErrorKind};
use crate::features::{
    AsOfIndex, CellStatus, EVENT_TIME, FeatureFrame, FeatureType, FeatureView, KNOWN_AT, Knowledge,
    Provenance,
};

/// The frame of an answer. Whether a value is fresh enough is decided by an [`AsOfIndex`] of the rows that Feast holds, so that serving and
/// training share one rule.
pub(super) fn frame(
    view: &FeatureView,
    rows: usize,
    now: Timestamp,
    answered: &[Answered],
) -> Result<FeatureFrame, Error> {
    let mut columns: Vec<Option<(ArrayRef, Arc<Provenance>)>> = vec![None; answered.len()];
    for group in groups(answered) {
        let (values, provenance) = judged(view, rows, now, answered, &group)?;
        for (index, column) in group.iter().zip(values.columns()) {
            if let Some(target) = columns.get_mut(*index) {
                *target = Some((Arc::clone(column), Arc::clone(&provenance)));
            }
        }
    }
    let (values, provenance): (Vec<ArrayRef>, Vec<Arc<Provenance>>) =
        columns.into_iter().flatten().unzip();
    let schema = Arc::new(view.answer_schema());
    let values =
        RecordBatch::try_new(schema, values).map_err(|source| corrupt(source, ASSEMBLE))?;
    FeatureFrame::new(values, vec![now; rows], provenance)
}

/// The columns that come from the same rows, together: nearly always all of them.
fn groups(answered: &[Answered]) -> Vec<Vec<usize>> {
    let mut groups: Vec<(&[Origin], Vec<usize>)> = Vec::new();
    for (index, column) in answered.iter().enumerate() {
        let origins = column.origins.as_slice();
        match groups.iter_mut().find(|(known, _)| *known == origins) {
            Some((_, members)) => members.push(index),
            None => groups.push((origins, vec![index])),
        }
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

fn judged(
    view: &FeatureView,
    rows: usize,
    now: Timestamp,
    answered: &[Answered],
    group: &[usize],
) -> Result<(RecordBatch, Arc<Provenance>), Error> {
    let members: Vec<&Answered> = group
        .iter()
        .filter_map(|index| answered.get(*index))
        .collect();
    let origins: &[Origin] = members
        .first()
        .map_or(&[], |member| member.origins.as_slice());
    // Each row asked for is an entity of its own, under the name of a key, which no feature has.
    let row = view.keys().first().map_or("row", |key| key.name.as_str());
    let mut of_group = FeatureView::new(view.name(), view.definition());
    of_group = of_group.with_key(row, FeatureType::Integer);
    if let Some(ttl) = view.ttl() {
        of_group = of_group.with_ttl(ttl);
    }
    let micros = origins
        .iter()
        .map(|origin| origin.event().map_or(0, Timestamp::as_microsecond));
    let events: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC"));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(
        (0_i64..).zip(origins).map(|(number, _)| number),
    ));
    let mut columns: Vec<(String, ArrayRef, bool)> = vec![
        (row.to_owned(), Arc::clone(&numbers), false),
        (EVENT_TIME.to_owned(), Arc::clone(&events), false),
        // Online, Feast does not say when it learned of a row.
        (KNOWN_AT.to_owned(), events, false),
    ];
    for (index, member) in group.iter().zip(&members) {
        if let Some(feature) = view.features().get(*index) {
            of_group = of_group.with_feature(&feature.name, feature.kind);
            columns.push((feature.name.clone(), Arc::clone(&member.values), true));
        }
    }
    let held = RecordBatch::try_from_iter_with_nullable(columns)
        .map_err(|source| corrupt(source, ASSEMBLE))?;
    let is_row: Vec<bool> = origins
        .iter()
        .map(|origin| matches!(origin, Origin::Row(_)))
        .collect();
    let held = filter_record_batch(&held, &BooleanArray::from(is_row))
        .map_err(|source| corrupt(source, ASSEMBLE))?;
    let mut index = AsOfIndex::new(of_group)?;
    index.insert(&held)?;
    let asked = RecordBatch::try_from_iter_with_nullable([(row, numbers, false)])
        .map_err(|source| corrupt(source, ASSEMBLE))?;
    let frame = index.as_of(&asked, &vec![now; rows], Knowledge::AtRowTime)?;

    let mut statuses: Vec<CellStatus> = Vec::with_capacity(rows);
    let mut events: Vec<Option<Timestamp>> = Vec::with_capacity(rows);
    for (number, origin) in origins.iter().enumerate() {
        let (status, event) = match *origin {
            Origin::Nothing => (CellStatus::NotFound, None),
            Origin::Failed => (CellStatus::Error, None),
            Origin::Withheld(event) => (CellStatus::OutsideTtl, Some(event)),
            // Feast keeps one row of an entity: the one that counts now has been replaced.
            Origin::Row(event) if event > now => (CellStatus::Error, None),
            Origin::Row(_) => {
                let status = frame.status(number, 0).unwrap_or(CellStatus::Error);
                // The value says whether it is null.
                let status = match status {
                    CellStatus::NullValue => CellStatus::Present,
                    status => status,
                };
                (status, frame.event_time(number, 0))
            }
        };
        statuses.push(status);
        events.push(event);
    }
    let values = frame.into_values();
    if values.num_columns() != group.len() {
        let message = "an answer lost a column while it was judged";
        return Err(Error::new(ErrorKind::Corrupt, ASSEMBLE, message));
    }
    Ok((values, Arc::new(Provenance::new(statuses, events))))
}

const ASSEMBLE: &str = "assemble features of feast";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use arrow_array::{Array, StringArray};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn view() -> FeatureView {
        FeatureView::new("v", "two")
            .with_key("driver", FeatureType::Text)
            .with_feature("trips", FeatureType::Integer)
            .with_feature("city", FeatureType::Text)
            .with_ttl(Duration::from_secs(100))
    }

    fn trips(origins: Vec<Origin>, values: Vec<Option<i64>>) -> Answered {
        Answered {
            values: Arc::new(Int64Array::from(values)),
            origins,
        }
    }

    fn cities(origins: Vec<Origin>, values: Vec<Option<&str>>) -> Answered {
        Answered {
            values: Arc::new(StringArray::from(values)),
            origins,
        }
    }

    #[test]
    fn every_origin_has_its_status_and_the_ttl_ends_after_its_boundary() {
        let origins = vec![
            Origin::Row(at(900)),
            Origin::Row(at(899)),
            Origin::Row(at(1_000)),
            Origin::Row(at(1_001)),
            Origin::Nothing,
            Origin::Withheld(at(990)),
            Origin::Failed,
        ];
        let values = vec![Some(0), Some(1), None, Some(3), None, None, None];
        let words = vec![Some("a"), Some("b"), Some("c"), Some("d"), None, None, None];
        let answered = [trips(origins.clone(), values), cities(origins, words)];
        let frame = frame(&view(), 7, at(1_000), &answered).unwrap();
        let statuses = |column: usize| -> Vec<CellStatus> {
            (0..7)
                .map(|row| frame.status(row, column).unwrap())
                .collect()
        };
        let mut expected = vec![
            CellStatus::Present,
            CellStatus::OutsideTtl,
            CellStatus::NullValue,
            CellStatus::Error,
            CellStatus::NotFound,
            CellStatus::OutsideTtl,
            CellStatus::Error,
        ];
        assert_eq!(statuses(0), expected);
        expected[2] = CellStatus::Present;
        assert_eq!(statuses(1), expected);
        assert_eq!(frame.event_time(1, 0), Some(at(899)));
        assert_eq!(frame.age(5, 1), Some(Duration::from_secs(10)));
        let cities: ArrayRef = Arc::new(StringArray::from(vec![
            Some("a"),
            None,
            Some("c"),
            None,
            None,
            None,
            None,
        ]));
        assert_eq!(frame.values().column(1), &cities);
    }

    #[test]
    fn columns_with_rows_of_their_own_are_judged_apart() {
        let answered = [
            trips(vec![Origin::Row(at(10))], vec![Some(1)]),
            cities(vec![Origin::Row(at(200))], vec![Some("x")]),
        ];
        let frame = frame(&view(), 1, at(200), &answered).unwrap();
        assert_eq!(frame.status(0, 0), Some(CellStatus::OutsideTtl));
        assert_eq!(frame.status(0, 1), Some(CellStatus::Present));
        assert!(frame.values().column(0).is_null(0));
    }
}
