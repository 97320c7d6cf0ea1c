use std::time::Duration;

use arrow_array::RecordBatch;
use proptest::prelude::*;

use super::fixture::{Keys, Row, at, check, knowledge, questions, wait};
use crate::error::Error;
use crate::features::{
    AsOfIndex, AsOfJoin, FeatureFrame, FeatureHistory, FeatureSource, FeatureView, Knowledge,
    OnlineFeatures,
};
use crate::memory::InMemoryFeatures;
use crate::trainer::TimeSpan;

prop_compose! {
    /// Few entities and instants, so that rows collide; every value is another.
    fn some_rows()(
        parts in prop::collection::vec((0..4_i64, -5..25_i64, -5..25_i64, 0..4_u8), 0..40)
    ) -> Vec<Row> {
        let rows = parts.into_iter().enumerate().map(|(place, (entity, event, known, lot))| Row {
            entity,
            event,
            known,
            value: (lot > 0).then_some(place as i64),
        });
        rows.collect()
    }
}

fn some_keys() -> impl Strategy<Value = Keys> {
    let all = [
        Keys::Integer,
        Keys::Text,
        Keys::Two,
        Keys::Number,
        Keys::None,
    ];
    prop::sample::select(all.to_vec())
}

proptest! {
    #[test]
    fn a_streamed_join_finds_what_looking_at_every_row_finds(
        keys in some_keys(),
        rows in some_rows(),
        asked in prop::collection::vec((0..5_i64, -8..60_i64), 0..40),
        ttl in prop::option::of(0..15_i64),
        until in prop::option::of(-5..30_i64),
        sizes in (1..9_usize, 1..9_usize),
        held in prop::sample::select(vec![0, 200, 1_000, usize::MAX]),
    ) {
        let view = keys.view(ttl);
        for (call, frame) in streamed(view, keys, &rows, &asked, until, sizes, held) {
            check(&frame, keys, &rows, &call, ttl, until);
        }
    }

    #[test]
    fn an_index_finds_what_looking_at_every_row_finds(
        keys in some_keys(),
        rows in some_rows(),
        asked in prop::collection::vec((0..5_i64, -8..60_i64), 0..40),
        ttl in prop::option::of(0..15_i64),
        until in prop::option::of(-5..30_i64),
        size in 1..9_usize,
    ) {
        let mut index = AsOfIndex::new(keys.view(ttl)).unwrap();
        for rows in rows.chunks(size) {
            index.insert(&keys.rows(rows)).unwrap();
        }
        prop_assert_eq!(index.len(), rows.len());
        let (entities, times) = questions(keys, &asked);
        let frame = index.as_of(&entities, &times, knowledge(until)).unwrap();
        check(&frame, keys, &rows, &asked, ttl, until);
    }

    #[test]
    fn pushed_features_serve_what_they_train_on(
        keys in some_keys(),
        rows in some_rows(),
        now in -8..60_i64,
        ttl in prop::option::of(0..15_i64),
        size in 1..9_usize,
    ) {
        let features = InMemoryFeatures::new(keys.view(ttl));
        let asked: Vec<(i64, i64)> = (0..5).map(|entity| (entity, now)).collect();
        let (entities, times) = questions(keys, &asked);
        let distinct = distinct(keys, &rows);
        wait(async {
            for _ in 0..2 {
                for rows in rows.chunks(size) {
                    features.push(&keys.rows(rows)).await.unwrap();
                }
                let trained = features.as_of(&entities, &times, Knowledge::AtRowTime).await.unwrap();
                let served = features.online(&entities, at(now), Duration::from_secs(1)).await.unwrap();
                check(&trained, keys, &distinct, &asked, ttl, None);
                check(&served, keys, &distinct, &asked, ttl, None);
            }
        });
    }

    #[test]
    fn history_pushed_elsewhere_answers_alike(
        keys in some_keys(),
        rows in some_rows(),
        asked in prop::collection::vec((0..5_i64, -8..60_i64), 0..20),
        until in -5..30_i64,
    ) {
        let (here, there) = (InMemoryFeatures::new(keys.view(None)), InMemoryFeatures::new(keys.view(None)));
        let span = TimeSpan { from: at(-5), until: at(until) };
        let (entities, times) = questions(keys, &asked);
        let mut within = distinct(keys, &rows);
        within.retain(|row| row.known < until);
        wait(async {
            here.push(&keys.rows(&rows)).await.unwrap();
            for batch in here.known_within(span).await.unwrap() {
                there.push(&batch).await.unwrap();
            }
            let frame = there.as_of(&entities, &times, Knowledge::AtRowTime).await.unwrap();
            check(&frame, keys, &within, &asked, None, None);
        });
    }
}

/// The rows that a store keeps when they are pushed in this order: what is there already, null for null, is not taken again.
fn distinct(keys: Keys, rows: &[Row]) -> Vec<Row> {
    let mut distinct: Vec<Row> = Vec::new();
    for row in rows {
        let repeated = distinct.iter().any(|earlier| {
            keys.same(earlier.entity, row.entity)
                && (earlier.event, earlier.known, earlier.value)
                    == (row.event, row.known, row.value)
        });
        if !repeated {
            distinct.push(*row);
        }
    }
    distinct
}

/// Streams the rows in batches and the questions in calls, each call backwards.
fn streamed(
    view: FeatureView,
    keys: Keys,
    rows: &[Row],
    asked: &[(i64, i64)],
    until: Option<i64>,
    sizes: (usize, usize),
    held: usize,
) -> Vec<(Vec<(i64, i64)>, FeatureFrame)> {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| match until {
        None => row.event.max(row.known),
        Some(_) => row.event,
    });
    let mut batches: Vec<Result<RecordBatch, Error>> = vec![Ok(keys.rows(&[]))];
    batches.extend(rows.chunks(sizes.0).map(|rows| Ok(keys.rows(rows))));
    batches.push(Ok(keys.rows(&[])));
    let mut join = AsOfJoin::new(view, knowledge(until), batches.into_iter()).unwrap();
    join = join.holding(held);
    let mut asked = asked.to_vec();
    asked.sort_by_key(|(_, now)| *now);
    let mut answers = Vec::new();
    for call in asked.chunks(sizes.1) {
        let call: Vec<(i64, i64)> = call.iter().rev().copied().collect();
        let (entities, times) = questions(keys, &call);
        answers.push((call, join.join(&entities, &times).unwrap()));
    }
    answers
}
