use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, RecordBatchOptions,
    StringArray, TimestampMicrosecondArray,
};
use arrow_schema::Schema;
use jiff::Timestamp;

use crate::features::{CellStatus, FeatureFrame, FeatureType, FeatureView, Knowledge};

/// A feature row: the entity, the microseconds of its event and its knowledge, and a number that all its features follow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) entity: i64,
    pub(super) event: i64,
    pub(super) known: i64,
    pub(super) value: Option<i64>,
}

/// How the keys of a view look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Keys {
    Integer,
    Text,
    Two,
    Number,
    None,
}

impl Keys {
    pub(super) fn view(self, ttl: Option<i64>) -> FeatureView {
        let view = FeatureView::new("v", "numbers that follow one another");
        let view = match self {
            Self::Integer => view.with_key("k", FeatureType::Integer),
            Self::Text => view.with_key("k", FeatureType::Text),
            Self::Two => view
                .with_key("region", FeatureType::Text)
                .with_key("k", FeatureType::Integer),
            Self::Number => view.with_key("k", FeatureType::Number),
            Self::None => view,
        };
        let view = view
            .with_feature("number", FeatureType::Number)
            .with_feature("integer", FeatureType::Integer)
            .with_feature("text", FeatureType::Text)
            .with_feature("flag", FeatureType::Flag);
        match ttl {
            Some(micros) => view.with_ttl(Duration::from_micros(micros.unsigned_abs())),
            None => view,
        }
    }

    pub(super) fn columns(self, entities: &[i64]) -> Vec<(&'static str, ArrayRef)> {
        let texts = || -> ArrayRef {
            let texts = entities.iter().map(|entity| format!("e{}", entity % 2));
            Arc::new(StringArray::from_iter_values(texts))
        };
        let integers = |each: &dyn Fn(i64) -> i64| -> ArrayRef {
            let integers = entities.iter().map(|entity| each(*entity));
            Arc::new(Int64Array::from_iter_values(integers))
        };
        match self {
            Self::Integer => vec![("k", integers(&|entity| entity))],
            Self::Text => {
                let names = entities.iter().map(|entity| format!("entity {entity}"));
                vec![(
                    "k",
                    Arc::new(StringArray::from_iter_values(names)) as ArrayRef,
                )]
            }
            Self::Two => vec![("region", texts()), ("k", integers(&|entity| entity / 2))],
            Self::Number => {
                // Entity 0 is now 0.0, now -0.0: the same number.
                let numbers = entities
                    .iter()
                    .enumerate()
                    .map(|(row, entity)| match entity {
                        0 if row % 2 == 1 => -0.0,
                        1 => f64::NAN,
                        entity => *entity as f64,
                    });
                vec![(
                    "k",
                    Arc::new(Float64Array::from_iter_values(numbers)) as ArrayRef,
                )]
            }
            Self::None => vec![],
        }
    }

    pub(super) fn same(self, one: i64, other: i64) -> bool {
        self == Self::None || one == other
    }

    pub(super) fn entities(self, entities: &[i64]) -> RecordBatch {
        batch(self.columns(entities), entities.len())
    }

    pub(super) fn rows(self, rows: &[Row]) -> RecordBatch {
        let entities: Vec<i64> = rows.iter().map(|row| row.entity).collect();
        let instants = |each: &dyn Fn(&Row) -> i64| -> ArrayRef {
            let micros: Vec<i64> = rows.iter().map(each).collect();
            Arc::new(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
        };
        let values = || rows.iter().map(|row| row.value);
        let numbers: Float64Array = values().map(|value| value.map(number)).collect();
        let integers: Int64Array = values().collect();
        let texts: StringArray = values().map(|value| value.map(text)).collect();
        let flags: BooleanArray = values().map(|value| value.map(flag)).collect();
        let mut columns = self.columns(&entities);
        columns.push(("event_time", instants(&|row| row.event)));
        columns.push(("known_at", instants(&|row| row.known)));
        columns.push(("number", Arc::new(numbers)));
        columns.push(("integer", Arc::new(integers)));
        columns.push(("text", Arc::new(texts)));
        columns.push(("flag", Arc::new(flags)));
        batch(columns, rows.len())
    }
}

pub(super) fn number(value: i64) -> f64 {
    if value % 5 == 0 {
        f64::NAN
    } else {
        value as f64 / 4.0
    }
}

pub(super) fn text(value: i64) -> String {
    "x".repeat(usize::try_from(value % 4).unwrap()) + &value.to_string()
}

pub(super) fn flag(value: i64) -> bool {
    value % 2 == 1
}

pub(super) fn batch(columns: Vec<(&'static str, ArrayRef)>, rows: usize) -> RecordBatch {
    if columns.is_empty() {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::new(Schema::empty());
        return RecordBatch::try_new_with_options(schema, vec![], &options).unwrap();
    }
    let columns = columns
        .into_iter()
        .map(|(name, column)| (name, column, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

pub(super) fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap()
}

/// What is to be found: by looking at every row for every question.
pub(super) fn oracle(
    keys: Keys,
    rows: &[Row],
    entity: i64,
    now: i64,
    until: Option<i64>,
) -> Option<Row> {
    let known_until = until.unwrap_or(now);
    let candidates = rows.iter().enumerate().filter(|(_, row)| {
        keys.same(row.entity, entity) && row.event <= now && row.known <= known_until
    });
    let newest = candidates.max_by_key(|(place, row)| (row.event, row.known, *place));
    newest.map(|(_, row)| *row)
}

#[track_caller]
pub(super) fn check(
    frame: &FeatureFrame,
    keys: Keys,
    rows: &[Row],
    asked: &[(i64, i64)],
    ttl: Option<i64>,
    until: Option<i64>,
) {
    let values = frame.values();
    assert_eq!(values.num_rows(), asked.len());
    for (row, (entity, now)) in asked.iter().enumerate() {
        let found = oracle(keys, rows, *entity, *now, until);
        let expected = match found {
            None => CellStatus::NotFound,
            Some(found) if ttl.is_some_and(|ttl| now - found.event > ttl) => CellStatus::OutsideTtl,
            Some(found) if found.value.is_none() => CellStatus::NullValue,
            Some(_) => CellStatus::Present,
        };
        for column in 0..4 {
            assert_eq!(frame.status(row, column), Some(expected), "row {row}");
            assert_eq!(
                frame.event_time(row, column),
                found.map(|found| at(found.event)),
                "row {row}"
            );
            let present = expected == CellStatus::Present;
            assert_eq!(values.column(column).is_valid(row), present, "row {row}");
        }
        if expected == CellStatus::Present {
            let value = found.unwrap().value.unwrap();
            let read = values.column(0).as_primitive::<Float64Type>().value(row);
            assert_eq!(read.to_bits(), number(value).to_bits(), "row {row}");
            let read = values.column(1).as_primitive::<Int64Type>().value(row);
            assert_eq!(read, value, "row {row}");
            assert_eq!(values.column(2).as_string::<i32>().value(row), text(value));
            assert_eq!(values.column(3).as_boolean().value(row), flag(value));
        }
    }
}

pub(super) fn questions(keys: Keys, asked: &[(i64, i64)]) -> (RecordBatch, Vec<Timestamp>) {
    let entities: Vec<i64> = asked.iter().map(|(entity, _)| *entity).collect();
    let times = asked.iter().map(|(_, now)| at(*now)).collect();
    (keys.entities(&entities), times)
}

pub(super) fn knowledge(until: Option<i64>) -> Knowledge {
    until.map_or(Knowledge::AtRowTime, |end| Knowledge::Until(at(end)))
}

pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}
