//! Feature rows and training rows as Arrow brings them.

use std::time::Duration;

use arrow_array::{ArrayRef, RecordBatch};
use noops_core::{
    AsOfIndex, Contract, EVENT_TIME, ErrorKind, Feature, FeatureRule, FeatureSource, FeatureType,
    FeatureView, InMemoryFeatures, KNOWN_AT, Knowledge, OnlineFeatures, OutputRule, Pushed, Remedy,
    Schema, Timestamp, dataset_digest,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use tokio::runtime::{Builder, Runtime};

use crate::cases;
use crate::columns::{FLAG, INSTANT, INTEGER, NUMBER, TEXT, any_column, batch, tame_column};

fn view() -> FeatureView {
    FeatureView::new("driver", "as the drivers are")
        .with_key("driver", FeatureType::Integer)
        .with_feature("rating", FeatureType::Number)
        .with_feature("trips", FeatureType::Integer)
        .with_feature("name", FeatureType::Text)
        .with_feature("active", FeatureType::Flag)
        .with_ttl(Duration::from_micros(2))
}

/// Rows that mostly fit the view, with other columns between them.
fn rows() -> impl Strategy<Value = RecordBatch> {
    (0usize..7).prop_flat_map(|rows| {
        let mut columns: Vec<BoxedStrategy<Vec<(String, ArrayRef)>>> = COLUMNS
            .iter()
            .map(|&(name, kind)| {
                let column = prop_oneof![
                    30 => tame_column(kind, rows).prop_map(Some),
                    2 => any_column(rows).prop_map(Some),
                    1 => Just(None),
                ];
                let named = column.prop_map(move |column: Option<ArrayRef>| {
                    let named = column.map(|column| (name.to_owned(), column));
                    named.into_iter().collect::<Vec<(String, ArrayRef)>>()
                });
                named.boxed()
            })
            .collect();
        columns.push(strays(rows));
        columns.prop_map(move |columns| batch(rows, columns.into_iter().flatten().collect()))
    })
}

/// No column most of the time, or some of any type and of a name that may be taken.
fn strays(rows: usize) -> BoxedStrategy<Vec<(String, ArrayRef)>> {
    let stray = (select(NAMES), any_column(rows));
    let strays = vec(
        stray.prop_map(|(name, column)| (name.to_owned(), column)),
        1..3,
    );
    prop_oneof![3 => Just(Vec::new()), 1 => strays].boxed()
}

/// Columns of any name and any type.
fn table() -> impl Strategy<Value = RecordBatch> {
    (0usize..7).prop_flat_map(|rows| {
        let column = (select(NAMES), any_column(rows));
        let columns = vec(
            column.prop_map(|(name, column)| (name.to_owned(), column)),
            0..5,
        );
        columns.prop_map(move |columns| batch(rows, columns))
    })
}

/// As many times as there are rows, most of the time.
fn times(rows: usize, seed: u64) -> Vec<Timestamp> {
    let count = rows + usize::from(seed % 16 == 15);
    let time = |row: usize| match (seed >> (2 * row + 4)) % 8 {
        0 => Timestamp::MIN,
        1 => Timestamp::MAX,
        near => Timestamp::from_microsecond(near as i64 - 2).unwrap(),
    };
    (0..count).map(time).collect()
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn rows_are_taken_all_or_none_and_every_question_has_an_answer_or_a_reason(
        taken in vec(rows(), 1..4),
        asked in prop_oneof![3 => rows().boxed(), 1 => table().boxed()],
        seed in any::<u64>(),
    ) {
        let mut index = AsOfIndex::new(view()).unwrap();
        for rows in &taken {
            let before = index.len();
            match index.insert(rows) {
                Ok(()) => prop_assert_eq!(index.len(), before + rows.num_rows()),
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::Invalid, "{}", error);
                    prop_assert_eq!(index.len(), before);
                }
            }
        }
        let times = times(asked.num_rows(), seed);
        for knowledge in [Knowledge::AtRowTime, Knowledge::Until(Timestamp::MAX)] {
            match index.as_of(&asked, &times, knowledge) {
                Ok(frame) => {
                    prop_assert_eq!(frame.values().num_rows(), asked.num_rows());
                    prop_assert_eq!(frame.values().num_columns(), view().features().len());
                    for (row, now) in times.iter().enumerate() {
                        prop_assert!(frame.status(row, 0).is_some());
                        let event = frame.event_time(row, 0);
                        prop_assert!(event.is_none_or(|event| event <= *now));
                    }
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Invalid, "{}", error),
            }
        }
    }

    #[test]
    fn pushing_again_changes_nothing(
        pushed in vec(rows(), 1..4),
        asked in prop_oneof![3 => rows().boxed(), 1 => table().boxed()],
        now in -2i64..8,
    ) {
        let features = InMemoryFeatures::new(view());
        let runtime = runtime();
        let mut taken = Vec::new();
        for rows in &pushed {
            match runtime.block_on(features.push(rows)) {
                Ok(done) => {
                    let counted = done.newest + done.older + done.repeated;
                    prop_assert_eq!(counted, rows.num_rows() as u64);
                    taken.push(rows);
                }
                Err(error) => prop_assert_eq!(error.kind(), ErrorKind::Invalid, "{}", error),
            }
        }
        let now = Timestamp::from_microsecond(now).unwrap();
        let deadline = Duration::from_secs(60);
        let before = runtime.block_on(features.online(&asked, now, deadline));
        for rows in taken {
            let again = runtime.block_on(features.push(rows)).unwrap();
            let repeated = rows.num_rows() as u64;
            prop_assert_eq!(again, Pushed { newest: 0, older: 0, repeated });
        }
        let after = runtime.block_on(features.online(&asked, now, deadline));
        let times = vec![now; asked.num_rows()];
        let trained = runtime.block_on(features.as_of(&asked, &times, Knowledge::AtRowTime));
        match (before, after, trained) {
            // By their text: NaN is not equal to itself.
            (Ok(before), Ok(after), Ok(trained)) => {
                prop_assert_eq!(format!("{before:?}"), format!("{after:?}"));
                prop_assert_eq!(format!("{trained:?}"), format!("{after:?}"));
            }
            (Err(before), Err(after), Err(_)) => {
                prop_assert_eq!(before.kind(), ErrorKind::Invalid, "{}", before);
                prop_assert_eq!(before.to_string(), after.to_string());
            }
            (before, after, trained) => {
                let text = format!("{before:?} {after:?} {trained:?}");
                return Err(TestCaseError::fail(text));
            }
        }
    }

    #[test]
    fn a_digest_depends_on_rows_and_not_on_how_they_are_cut(
        table in prop_oneof![rows().boxed(), table().boxed()],
        cut in any::<u8>(),
    ) {
        let cut = usize::from(cut) % (table.num_rows() + 1);
        let parts = [table.slice(0, cut), table.slice(cut, table.num_rows() - cut)];
        match (dataset_digest(std::slice::from_ref(&table)), dataset_digest(&parts)) {
            (Ok(whole), Ok(cut)) => prop_assert_eq!(whole, cut),
            (Err(whole), Err(_)) => prop_assert_eq!(whole.kind(), ErrorKind::Invalid),
            (whole, cut) => return Err(TestCaseError::fail(format!("{whole:?} {cut:?}"))),
        }
    }

    #[test]
    fn a_contract_accepts_or_rejects_every_row(table in prop_oneof![rows().boxed(), table().boxed()]) {
        let rules = [
            FeatureRule::strict(Feature::number_between("rating", 0.0, 3.0))
                .with_missing(Remedy::Impute(f64::NAN))
                .with_outside(Remedy::Clamp),
            FeatureRule::strict(Feature::category("name", ["t1".to_owned()])),
        ];
        let contract = Contract::new(rules, OutputRule::number()).unwrap();
        if let Ok(encoded) = contract.encode(&table) {
            for row in 0..table.num_rows() {
                let is_accepted = encoded.accepted().contains(&row);
                prop_assert_ne!(is_accepted, encoded.rejection(row).is_some());
            }
        }
        if let Ok(schema) = Schema::infer(std::slice::from_ref(&table)) {
            prop_assert_eq!(schema.features().len(), table.num_columns());
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

const COLUMNS: [(&str, u8); 7] = [
    ("driver", INTEGER),
    (EVENT_TIME, INSTANT),
    (KNOWN_AT, INSTANT),
    ("rating", NUMBER),
    ("trips", INTEGER),
    ("name", TEXT),
    ("active", FLAG),
];

const NAMES: &[&str] = &[
    "driver",
    "event_time",
    "known_at",
    "rating",
    "trips",
    "name",
    "active",
    "",
    "../x",
    "\0",
];
