//! Values of features as Feast writes and reads them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use serde_json::{Number, Value};

use crate::error::{Error, ErrorKind};
use crate::features::{FeatureType, ViewFeature};

/// Some rows of a column as JSON.
///
/// # Errors
///
/// `Invalid`, with column and row, for a value that JSON or Feast would change: NaN and infinities, and integers beyond 2^53 beside a null, of
/// which Feast makes floats.
pub(super) fn write(
    feature: &ViewFeature,
    column: &ArrayRef,
    rows: &[usize],
    operation: &'static str,
) -> Result<Vec<Value>, Error> {
    let refuse = |message: &str, row: usize| {
        Error::new(ErrorKind::Invalid, operation, message)
            .with("column", &feature.name)
            .with("row", row)
    };
    let with_null = rows
        .iter()
        .any(|row| *row >= column.len() || column.is_null(*row));
    let mut written: Vec<Value> = Vec::with_capacity(rows.len());
    for row in rows {
        let row = *row;
        if row >= column.len() || column.is_null(row) {
            written.push(Value::Null);
            continue;
        }
        written.push(if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
            let number = Number::from_f64(numbers.value(row)).ok_or_else(|| {
                refuse(
                    "a push to feast cannot carry NaN or an infinity; send null or leave the row out",
                    row,
                )
            })?;
            Value::Number(number)
        } else if let Some(integers) = column.as_primitive_opt::<Int64Type>() {
            let integer = integers.value(row);
            if with_null && integer.unsigned_abs() > EXACT {
                let message = "feast rounds integers beyond 2^53 that are pushed beside a null; push the rows with nulls apart";
                return Err(refuse(message, row));
            }
            Value::from(integer)
        } else if let Some(texts) = column.as_string_opt::<i32>() {
            Value::from(texts.value(row))
        } else if let Some(flags) = column.as_boolean_opt() {
            Value::from(flags.value(row))
        } else {
            return Err(refuse("a column has a type that is of no feature", row));
        });
    }
    Ok(written)
}

/// Values as a column of the type of a feature; null where there is none.
///
/// # Errors
///
/// `Invalid`, with the feature and the row, for a value that is of another type: Feast's definition differs from the view's.
pub(super) fn read(
    feature: &ViewFeature,
    values: &[Option<&Value>],
    operation: &'static str,
) -> Result<ArrayRef, Error> {
    let refuse = |row: usize| {
        let message =
            "feast has a value of another type than the view says; make the definitions agree";
        Error::new(ErrorKind::Invalid, operation, message)
            .with("feature", &feature.name)
            .with("row", row)
    };
    Ok(match feature.kind {
        FeatureType::Number => {
            let read = each(values, number).map_err(refuse)?;
            Arc::new(Float64Array::from(read))
        }
        FeatureType::Integer => {
            let read = each(values, Value::as_i64).map_err(refuse)?;
            Arc::new(Int64Array::from(read))
        }
        FeatureType::Text => {
            let read = each(values, Value::as_str).map_err(refuse)?;
            let bytes: usize = read.iter().flatten().map(|text| text.len()).sum();
            if i32::try_from(bytes).is_err() {
                return Err(refuse(0));
            }
            Arc::new(StringArray::from(read))
        }
        FeatureType::Flag => {
            let read = each(values, Value::as_bool).map_err(refuse)?;
            Arc::new(BooleanArray::from(read))
        }
    })
}

/// Every value converted, or the first row that does not convert.
fn each<'a, T>(
    values: &[Option<&'a Value>],
    convert: impl Fn(&'a Value) -> Option<T>,
) -> Result<Vec<Option<T>>, usize> {
    let mut converted: Vec<Option<T>> = Vec::with_capacity(values.len());
    for (row, value) in values.iter().enumerate() {
        converted.push(match *value {
            None | Some(Value::Null) => None,
            Some(value) => Some(convert(value).ok_or(row)?),
        });
    }
    Ok(converted)
}

/// A number, or one of the words that the JSON form of protocol buffers has for what JSON lacks.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(word) => match word.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        Value::Number(number) => {
            let read = number.as_f64()?;
            let integer = number
                .as_i64()
                .map(i64::unsigned_abs)
                .or_else(|| number.as_u64());
            let exact = integer.is_none_or(|integer| integer <= EXACT);
            exact.then_some(read)
        }
        _ => None,
    }
}

/// 2^53, up to which a float holds every integer.
const EXACT: u64 = 1 << 53;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::features::FeatureView;

    fn feature(kind: FeatureType) -> ViewFeature {
        let view = FeatureView::new("v", "one").with_feature("f", kind);
        view.features()[0].clone()
    }

    fn read_one(kind: FeatureType, value: &Value) -> Result<ArrayRef, Error> {
        read(&feature(kind), &[Some(value)], "test")
    }

    #[test]
    fn what_is_written_is_read_back() {
        let columns: [(FeatureType, ArrayRef); 4] = [
            (
                FeatureType::Number,
                Arc::new(Float64Array::from(vec![
                    Some(0.1 + 0.2),
                    None,
                    Some(-0.0),
                    Some(1e300),
                ])),
            ),
            (
                FeatureType::Integer,
                Arc::new(Int64Array::from(vec![i64::MAX, i64::MIN, 0, -1])),
            ),
            (
                FeatureType::Text,
                Arc::new(StringArray::from(vec![
                    Some(""),
                    None,
                    Some("é\"\n"),
                    Some("x"),
                ])),
            ),
            (
                FeatureType::Flag,
                Arc::new(BooleanArray::from(vec![
                    Some(true),
                    Some(false),
                    None,
                    None,
                ])),
            ),
        ];
        for (kind, column) in columns {
            let written = write(&feature(kind), &column, &[0, 1, 2, 3], "test").unwrap();
            let text = serde_json::to_string(&written).unwrap();
            let parsed: Vec<Value> = serde_json::from_str(&text).unwrap();
            let cells: Vec<Option<&Value>> = parsed.iter().map(Some).collect();
            let back = read(&feature(kind), &cells, "test").unwrap();
            assert_eq!(back.to_data(), column.to_data(), "{kind:?}");
        }
    }

    #[test]
    fn what_json_or_feast_would_change_is_not_sent() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let column: ArrayRef = Arc::new(Float64Array::from(vec![1.0, number]));
            let error = write(&feature(FeatureType::Number), &column, &[0, 1], "test").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains("row `1`"), "{error}");
        }
        let large: ArrayRef = Arc::new(Int64Array::from(vec![None, Some((1 << 53) + 1)]));
        let integer = feature(FeatureType::Integer);
        assert!(write(&integer, &large, &[0, 1], "test").is_err());
        assert!(write(&integer, &large, &[1], "test").is_ok());
        assert!(write(&integer, &large, &[0], "test").is_ok());
    }

    #[test]
    fn a_value_of_another_type_is_refused_and_never_made_one() {
        let cases = [
            (FeatureType::Number, json!("1.0")),
            (FeatureType::Number, json!(true)),
            (FeatureType::Number, json!((1_i64 << 53) + 1)),
            (FeatureType::Number, json!(u64::MAX)),
            (FeatureType::Number, json!([1.0])),
            (FeatureType::Integer, json!(1.5)),
            (FeatureType::Integer, json!(u64::MAX)),
            (FeatureType::Integer, json!("1")),
            (FeatureType::Text, json!(1)),
            (FeatureType::Flag, json!(1)),
            (FeatureType::Flag, json!({})),
        ];
        for (kind, value) in cases {
            let error = read_one(kind, &value).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{kind:?} {value}");
            assert!(error.to_string().contains("feature `f`"), "{error}");
        }
    }

    #[test]
    fn not_a_number_is_a_value_and_null_is_none() {
        let column = read_one(FeatureType::Number, &json!("NaN")).unwrap();
        assert!(column.is_valid(0));
        assert!(column.as_primitive::<Float64Type>().value(0).is_nan());
        let column = read_one(FeatureType::Number, &Value::Null).unwrap();
        assert!(column.is_null(0));
    }
}
