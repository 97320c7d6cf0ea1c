//! The rows of the offline server, with the columns and types of ours.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};

use super::rows::corrupt;
use super::settings::Columns;
use crate::error::{Error, ErrorKind};
use crate::features::{EVENT_TIME, FeatureType, FeatureView, KNOWN_AT, ViewFeature};

/// The rows of a batch as they would be pushed. Without a column for it, each was known when it happened.
///
/// # Errors
///
/// `Invalid`, with the column, for one that is missing or that holds floats where the view has integers.
pub(super) fn pulled(
    view: &FeatureView,
    names: &Columns,
    batch: &RecordBatch,
) -> Result<RecordBatch, Error> {
    let find = |name: &str| {
        batch.column_by_name(name).map(Arc::clone).ok_or_else(|| {
            let message = "feast answered without a column of the data source";
            Error::new(ErrorKind::Invalid, PULL, message).with("column", name)
        })
    };
    let known = names.known.as_deref().unwrap_or(&names.event);
    let mut columns: Vec<(String, ArrayRef, bool)> = Vec::new();
    for key in view.keys() {
        columns.push((key.name.clone(), integral(key, &find(&key.name)?)?, true));
    }
    columns.push((EVENT_TIME.to_owned(), find(&names.event)?, true));
    columns.push((KNOWN_AT.to_owned(), find(known)?, true));
    for feature in view.features() {
        let column = integral(feature, &find(&feature.name)?)?;
        columns.push((feature.name.clone(), column, true));
    }
    RecordBatch::try_from_iter_with_nullable(columns).map_err(|source| corrupt(source, PULL))
}

/// Makes integers of the floats that pandas makes of integers where one is missing.
fn integral(feature: &ViewFeature, column: &ArrayRef) -> Result<ArrayRef, Error> {
    let floats = match column.as_primitive_opt::<Float64Type>() {
        Some(floats) if feature.kind == FeatureType::Integer => floats,
        _ => return Ok(Arc::clone(column)),
    };
    let mut integers: Vec<Option<i64>> = Vec::with_capacity(floats.len());
    for (row, value) in floats.iter().enumerate() {
        integers.push(match value {
            None => None,
            Some(missing) if missing.is_nan() => None,
            // Beyond 2^53 the float may stand for its neighbours as well.
            Some(value) if value.trunc() == value && value.abs() < EXACT => Some(value as i64),
            Some(_) => {
                let message = "feast answered with a float that is no integer, or rounded one beyond 2^53; make the column nullable integers";
                return Err(Error::new(ErrorKind::Invalid, PULL, message)
                    .with("column", &feature.name)
                    .with("row", row));
            }
        });
    }
    Ok(Arc::new(Int64Array::from(integers)))
}

const PULL: &str = "read the rows behind a feast view";
/// 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use arrow_array::{Float64Array, TimestampNanosecondArray};

    use super::*;
    use crate::features::AsOfIndex;

    fn view() -> FeatureView {
        FeatureView::new("v", "one")
            .with_key("driver", FeatureType::Integer)
            .with_feature("trips", FeatureType::Integer)
    }

    fn names() -> Columns {
        Columns {
            event: "event_timestamp".to_owned(),
            known: Some("created".to_owned()),
        }
    }

    fn batch(trips: Vec<Option<f64>>) -> RecordBatch {
        let rows = trips.len() as i64;
        let times: ArrayRef = Arc::new(
            TimestampNanosecondArray::from_iter_values((0..rows).map(|row| row * 1_000_000_000))
                .with_timezone("UTC"),
        );
        let columns: [(&str, ArrayRef); 5] = [
            ("created", Arc::clone(&times)),
            ("trips", Arc::new(Float64Array::from(trips))),
            ("driver", Arc::new(Int64Array::from_iter_values(0..rows))),
            ("event_timestamp", times),
            (
                "__index_level_0__",
                Arc::new(Int64Array::from_iter_values(0..rows)),
            ),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn what_pandas_made_floats_of_becomes_integers_again() {
        let batch = batch(vec![Some(3.0), None, Some(f64::NAN), Some(-0.0)]);
        let rows = pulled(&view(), &names(), &batch).unwrap();
        let expected: ArrayRef = Arc::new(Int64Array::from(vec![Some(3), None, None, Some(0)]));
        assert_eq!(rows.column_by_name("trips").unwrap(), &expected);
        let mut index = AsOfIndex::new(view()).unwrap();
        index.insert(&rows).unwrap();
        assert_eq!(index.len(), 4, "these are rows that can be inserted");
    }

    #[test]
    fn floats_that_are_no_integers_are_refused() {
        for value in [0.5, EXACT, -EXACT, 1e300, f64::INFINITY] {
            let error =
                pulled(&view(), &names(), &batch(vec![Some(1.0), Some(value)])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{value}");
            assert!(error.to_string().contains("row `1`"), "{error}");
        }
    }

    #[test]
    fn a_column_that_is_missing_is_named() {
        let batch = batch(vec![Some(1.0)]);
        for column in 0..4 {
            let mut kept: Vec<usize> = (0..5).collect();
            let dropped = kept.remove(column);
            let name = batch.schema().field(dropped).name().clone();
            let error = pulled(&view(), &names(), &batch.project(&kept).unwrap()).unwrap_err();
            assert!(error.to_string().contains(&name), "{error}");
        }
    }
}
