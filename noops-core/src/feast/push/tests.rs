use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use proptest::prelude::*;

use super::super::rows::{KeyPart, normalised};
use super::*;
use crate::features::FeatureType;
use crate::features::fixture::{self, Row};

fn candidates(rows: &[Row]) -> Candidates {
    let view = fixture::view();
    Candidates::new(&view, normalised(&view, &fixture::rows(rows)).unwrap()).unwrap()
}

fn columns() -> Columns {
    Columns {
        event: "at".to_owned(),
        known: Some("created".to_owned()),
    }
}

/// Feast's answer when it holds these rows of the entities asked for.
fn held(rows: &[Option<Row>]) -> Vec<Answered> {
    let origins: Vec<Origin> = rows
        .iter()
        .map(|row| row.map_or(Origin::Nothing, |row| Origin::Row(fixture::at(row.1))))
        .collect();
    let there: Vec<Row> = rows
        .iter()
        .map(|row| row.unwrap_or((0, 0, 0, None, None)))
        .collect();
    let batch = fixture::rows(&there);
    ["score", "city"]
        .iter()
        .map(|name| Answered {
            values: Arc::clone(batch.column_by_name(name).unwrap()),
            origins: origins.clone(),
        })
        .collect()
}

#[test]
fn only_the_newest_row_of_an_entity_is_a_candidate() {
    let candidates = candidates(&[
        (1, 20, 20, Some(1.0), None),
        (1, 10, 90, Some(2.0), None),
        (1, 20, 30, Some(3.0), None),
        (2, 5, 5, Some(4.0), Some("x")),
    ]);
    let keys = [vec![KeyPart::Integer(1)], vec![KeyPart::Integer(2)]];
    assert_eq!(candidates.keys(), keys);
    let frame = candidates
        .frame(&fixture::view(), &[0, 1], &columns())
        .unwrap();
    let expected = serde_json::json!({
        "driver": [1, 2],
        "at": ["1970-01-01T00:00:20.000000Z", "1970-01-01T00:00:05.000000Z"],
        "created": ["1970-01-01T00:00:30.000000Z", "1970-01-01T00:00:05.000000Z"],
        "score": [3.0, 4.0],
        "city": [null, "x"],
    });
    assert_eq!(Value::Object(frame), expected);
}

#[test]
fn what_is_held_decides_what_is_sent() {
    let view = fixture::view();
    let row =
        |driver: i64, event: i64, score: f64| -> Row { (driver, event, event, Some(score), None) };
    let candidates = candidates(&[
        row(1, 10, 1.0),
        row(2, 10, 2.0),
        row(3, 10, 3.0),
        row(4, 10, 4.0),
    ]);
    let mut holds = vec![
        None,
        Some(row(2, 9, 0.0)),
        Some(row(3, 11, 0.0)),
        Some(row(4, 10, 4.0)),
    ];
    let decision = candidates.decide(&view, &held(&holds)).unwrap();
    let expected = Decision {
        send: vec![0, 1],
        older: 1,
        repeated: 1,
    };
    assert_eq!(decision, expected);
    holds[3] = Some(row(4, 10, 4.5));
    let error = candidates.decide(&view, &held(&holds)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains("row `3`"), "{error}");
}

#[test]
fn a_row_that_did_not_arrive_or_arrived_as_another_is_noticed() {
    let view = fixture::view();
    let pushed: Row = (1, 10, 10, Some(1.0), Some("a"));
    let candidates = candidates(&[pushed]);
    let verify = |row: Option<Row>| candidates.verify(&view, &[0], &held(&[row]));
    assert!(verify(Some(pushed)).is_ok());
    assert!(
        verify(Some((1, 11, 11, None, None))).is_ok(),
        "somebody was newer"
    );
    for (there, kind) in [
        (None, ErrorKind::Unavailable),
        (
            Some((1, 9, 9, Some(1.0), Some("a"))),
            ErrorKind::Unavailable,
        ),
        (Some((1, 10, 10, Some(2.0), Some("a"))), ErrorKind::Conflict),
    ] {
        assert_eq!(verify(there).unwrap_err().kind(), kind, "{there:?}");
    }
}

#[test]
fn what_feast_would_lose_is_refused() {
    let view = fixture::view();
    let empty = candidates(&[(1, 1, 1, None, None), (2, 1, 1, None, Some("x"))]);
    assert!(empty.frame(&view, &[0, 1], &columns()).is_ok());
    let error = empty.frame(&view, &[0], &columns()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);

    let refused: [Row; 3] = [
        (1, 1, 1, Some(f64::NAN), None),
        (1, 9_999_999_999, 1, Some(1.0), None),
        (1, 1, -9_999_999_999, Some(1.0), None),
    ];
    for row in refused {
        let rows = normalised(&view, &fixture::rows(&[row])).unwrap();
        let error = Candidates::new(&view, rows).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{row:?}");
    }
}

#[test]
fn an_entity_that_feast_cannot_answer_for_is_not_pushed_to() {
    let candidates = candidates(&[(1, 1, 1, Some(1.0), None)]);
    let failed = Answered {
        values: Arc::new(Int64Array::from(vec![None::<i64>])) as ArrayRef,
        origins: vec![Origin::Failed],
    };
    let view = FeatureView::new("v", "one")
        .with_key("driver", FeatureType::Integer)
        .with_feature("score", FeatureType::Number);
    let error = candidates.decide(&view, &[failed]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        candidates.decide(&view, &held(&[])).is_err(),
        "nor when its answer is short"
    );
}

/// Feast: the last row that was sent replaces what was there.
fn apply(store: &mut BTreeMap<i64, Row>, sent: &[Row]) {
    for row in sent {
        store.insert(row.0, *row);
    }
}

proptest! {
    /// Naively: of all rows that were ever pushed, the one with the newest event is held.
    #[test]
    fn pushes_in_any_order_leave_the_newest_event(
        pushes in prop::collection::vec(prop::collection::vec((0_i64..3, 0_i64..8), 1..5), 1..12),
    ) {
        let view = fixture::view();
        let mut store: BTreeMap<i64, Row> = BTreeMap::new();
        let mut newest: BTreeMap<i64, i64> = BTreeMap::new();
        for push in pushes {
            // The value follows from the event, so that nothing conflicts.
            let rows: Vec<Row> = push
                .iter()
                .map(|(driver, event)| (*driver, *event, *event, Some(*event as f64), None))
                .collect();
            let candidates = candidates(&rows);
            let drivers: Vec<i64> = candidates
                .keys()
                .iter()
                .map(|key| match key[0] {
                    KeyPart::Integer(driver) => driver,
                    KeyPart::Text(_) => panic!("drivers are numbers"),
                })
                .collect();
            let holds: Vec<Option<Row>> =
                drivers.iter().map(|driver| store.get(driver).copied()).collect();
            let decision = candidates.decide(&view, &held(&holds)).unwrap();
            let counted = decision.send.len() as u64 + decision.older + decision.repeated;
            prop_assert_eq!(counted, drivers.len() as u64);
            let sent: Vec<Row> = decision
                .send
                .iter()
                .map(|number| {
                    let mine = rows.iter().filter(|row| row.0 == drivers[*number]);
                    *mine.max_by_key(|row| row.1).unwrap()
                })
                .collect();
            apply(&mut store, &sent);
            for (driver, event) in push {
                let place = newest.entry(driver).or_insert(event);
                *place = (*place).max(event);
            }
            for (driver, event) in &newest {
                prop_assert_eq!(store[driver].1, *event);
            }
        }
    }
}
