//! A view and its rows, for tests.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use jiff::Timestamp;

use super::{FeatureType, FeatureView};

/// Driver, event second, known second, score, city.
pub(crate) type Row = (i64, i64, i64, Option<f64>, Option<&'static str>);

/// Two features of a driver, good for a hundred seconds.
pub(crate) fn view() -> FeatureView {
    FeatureView::new("driver", "as last reported")
        .with_key("driver", FeatureType::Integer)
        .with_feature("score", FeatureType::Number)
        .with_feature("city", FeatureType::Text)
        .with_ttl(Duration::from_secs(100))
}

/// A second after the epoch.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Rows as they are pushed.
pub(crate) fn rows(rows: &[Row]) -> RecordBatch {
    let times = |second: &dyn Fn(&Row) -> i64| -> ArrayRef {
        let times = rows.iter().map(|row| second(row) * 1_000_000);
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
        times(&|row: &Row| row.1),
        times(&|row: &Row| row.2),
        Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.3))),
        Arc::new(StringArray::from_iter(rows.iter().map(|row| row.4))),
    ];
    RecordBatch::try_new(Arc::new(view().row_schema()), columns).unwrap()
}

/// Drivers to ask for.
pub(crate) fn drivers(drivers: &[i64]) -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from(drivers.to_vec()));
    RecordBatch::try_from_iter([("driver", column)]).unwrap()
}
