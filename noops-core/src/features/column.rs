//! Columns as they come, in the types of a view.

#[cfg(feature = "parquet")]
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use arrow_select::take::{TakeOptions, take};

use crate::error::{Error, ErrorKind};
use crate::features::{FeatureType, ViewFeature};

/// A column in the one Arrow type of its feature.
#[derive(Clone, Debug)]
pub(crate) enum ColumnValues {
    Number(Float64Array),
    Integer(Int64Array),
    Flag(BooleanArray),
    Text(StringArray),
}

impl ColumnValues {
    /// Finds the column of a feature and [casts](Self::cast) it.
    pub(crate) fn read(
        batch: &RecordBatch,
        wanted: &ViewFeature,
        operation: &'static str,
    ) -> Result<Self, Error> {
        let column = batch.column_by_name(&wanted.name).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, operation, "a column is missing")
                .with("column", &wanted.name)
        })?;
        Self::cast(column, wanted.kind).map_err(|uncastable| {
            let error = Error::new(ErrorKind::Invalid, operation, uncastable.message())
                .with("column", &wanted.name)
                .with("type", column.data_type())
                .with("expected", wanted.kind.data_type());
            match uncastable {
                Uncastable::Value(row) => error.with("row", row),
                Uncastable::Type | Uncastable::TooLong => error,
            }
        })
    }

    /// Casts a column where that loses nothing. Free of charge when it has the Arrow type of the feature already.
    pub(crate) fn cast(column: &ArrayRef, kind: FeatureType) -> Result<Self, Uncastable> {
        if let Some(dictionary) = column.as_any_dictionary_opt() {
            let options = Some(TakeOptions { check_bounds: true });
            let plain = take(dictionary.values().as_ref(), dictionary.keys(), options);
            // The keys are those of the dictionary, so nothing but the length of the texts can be in the way.
            return Self::cast(&plain.map_err(|_| Uncastable::TooLong)?, kind);
        }
        if *column.data_type() == DataType::Null {
            // A writer that saw no value at all knows no type either.
            return Ok(Self::nothing(kind, column.len()));
        }
        let column = column.as_ref();
        match kind {
            FeatureType::Number => number(column).map(Self::Number),
            FeatureType::Integer => integer(column).map(Self::Integer),
            FeatureType::Flag => {
                let array = column.as_boolean_opt().ok_or(Uncastable::Type)?;
                Ok(Self::Flag(array.clone()))
            }
            FeatureType::Text => text(column).map(Self::Text),
        }
    }

    /// Whether columns of a type can be cast, values permitting.
    #[cfg(feature = "parquet")]
    pub(crate) fn accepts(found: &DataType, kind: FeatureType) -> bool {
        if let DataType::Dictionary(_, values) = found {
            return Self::accepts(values, kind);
        }
        if *found == DataType::Null {
            return true;
        }
        match kind {
            FeatureType::Number => {
                found.is_integer() || matches!(found, DataType::Float64 | DataType::Float32)
            }
            FeatureType::Integer => found.is_integer(),
            FeatureType::Flag => *found == DataType::Boolean,
            FeatureType::Text => matches!(
                found,
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
            ),
        }
    }

    fn nothing(kind: FeatureType, rows: usize) -> Self {
        match kind {
            FeatureType::Number => Self::Number(Float64Array::new_null(rows)),
            FeatureType::Integer => Self::Integer(Int64Array::new_null(rows)),
            FeatureType::Flag => Self::Flag(BooleanArray::new_null(rows)),
            FeatureType::Text => Self::Text(StringArray::new_null(rows)),
        }
    }

    /// The column as Arrow has it.
    #[cfg(feature = "parquet")]
    pub(crate) fn into_array(self) -> ArrayRef {
        match self {
            Self::Number(array) => Arc::new(array),
            Self::Integer(array) => Arc::new(array),
            Self::Flag(array) => Arc::new(array),
            Self::Text(array) => Arc::new(array),
        }
    }

    /// How much memory the cells take.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Number(array) => size_of_val(&**array.values()),
            Self::Integer(array) => size_of_val(&**array.values()),
            Self::Flag(array) => array.len() / 8,
            Self::Text(array) => {
                let offsets = array.value_offsets();
                let text = offsets.last().zip(offsets.first());
                let text = text.map_or(0, |(last, first)| last.abs_diff(*first) as usize);
                size_of_val(offsets).saturating_add(text)
            }
        }
    }

    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        match self {
            Self::Number(array) => array.nulls(),
            Self::Integer(array) => array.nulls(),
            Self::Flag(array) => array.nulls(),
            Self::Text(array) => array.nulls(),
        }
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls().is_some_and(|nulls| nulls.is_null(row))
    }

    /// The first row without a value.
    pub(crate) fn first_null(&self) -> Option<usize> {
        let nulls = self.nulls().filter(|nulls| nulls.null_count() > 0)?;
        (0..nulls.len()).find(|row| nulls.is_null(*row))
    }

    /// Whether two rows hold the same, bit for bit: NaN is like itself, and 0.0 unlike -0.0.
    pub(crate) fn same(&self, one: usize, other: usize) -> bool {
        match (self.is_null(one), self.is_null(other)) {
            (true, true) => true,
            (false, false) => match self {
                Self::Number(array) => array.value(one).to_bits() == array.value(other).to_bits(),
                Self::Integer(array) => array.value(one) == array.value(other),
                Self::Flag(array) => array.value(one) == array.value(other),
                Self::Text(array) => array.value(one) == array.value(other),
            },
            _ => false,
        }
    }
}

/// Why a column cannot be cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Uncastable {
    /// Its type has no such reading.
    Type,
    /// The value of a row would be changed by it.
    Value(usize),
    /// It has more text than a column can hold.
    TooLong,
}

impl Uncastable {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::Type => "a column is of another type than the view says; cast it",
            Self::Value(_) => "a value does not fit the type that the view says",
            Self::TooLong => "a column has more than 2 GiB of text; split the batch",
        }
    }
}

fn number(column: &dyn Array) -> Result<Float64Array, Uncastable> {
    if let Some(array) = column.as_primitive_opt::<Float64Type>() {
        return Ok(array.clone());
    }
    if let Some(array) = column.as_primitive_opt::<Float32Type>() {
        return Ok(array.unary(f64::from));
    }
    let array = integer(column)?;
    let inexact = |value: Option<i64>| value.is_some_and(|value| value.unsigned_abs() > MAX_EXACT);
    match array.iter().position(inexact) {
        Some(row) => Err(Uncastable::Value(row)),
        None => Ok(array.unary(|value| value as f64)),
    }
}

fn integer(column: &dyn Array) -> Result<Int64Array, Uncastable> {
    if let Some(array) = column.as_primitive_opt::<Int64Type>() {
        return Ok(array.clone());
    }
    if let Some(array) = column.as_primitive_opt::<Int32Type>() {
        return Ok(array.unary(i64::from));
    }
    if let Some(array) = column.as_primitive_opt::<Int16Type>() {
        return Ok(array.unary(i64::from));
    }
    if let Some(array) = column.as_primitive_opt::<Int8Type>() {
        return Ok(array.unary(i64::from));
    }
    if let Some(array) = column.as_primitive_opt::<UInt32Type>() {
        return Ok(array.unary(i64::from));
    }
    if let Some(array) = column.as_primitive_opt::<UInt16Type>() {
        return Ok(array.unary(i64::from));
    }
    if let Some(array) = column.as_primitive_opt::<UInt8Type>() {
        return Ok(array.unary(i64::from));
    }
    let array = column
        .as_primitive_opt::<UInt64Type>()
        .ok_or(Uncastable::Type)?;
    let too_large = |value: Option<u64>| value.is_some_and(|value| i64::try_from(value).is_err());
    match array.iter().position(too_large) {
        Some(row) => Err(Uncastable::Value(row)),
        // What is behind a null may be too large; nobody reads it.
        None => Ok(array.unary(|value| i64::try_from(value).unwrap_or_default())),
    }
}

fn text(column: &dyn Array) -> Result<StringArray, Uncastable> {
    if let Some(array) = column.as_string_opt::<i32>() {
        return Ok(array.clone());
    }
    if let Some(array) = column.as_string_opt::<i64>() {
        fits(array.iter())?;
        return Ok(array.iter().collect());
    }
    let array = column.as_string_view_opt().ok_or(Uncastable::Type)?;
    fits(array.iter())?;
    Ok(array.iter().collect())
}

fn fits<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Result<(), Uncastable> {
    let bytes = texts.fold(0_usize, |sum, text| {
        sum.saturating_add(text.map_or(0, str::len))
    });
    if bytes > MAX_TEXT {
        return Err(Uncastable::TooLong);
    }
    Ok(())
}

/// What the 32-bit offsets of Arrow's `Utf8` can address.
pub(crate) const MAX_TEXT: usize = i32::MAX as usize;

/// Integers up to this are numbers too, without loss: 2^53.
const MAX_EXACT: u64 = 1 << 53;

#[cfg(test)]
mod tests {
    use arrow_array::types::Int32Type as KeyType;
    use arrow_array::{
        DictionaryArray, Float32Array, Int32Array, LargeStringArray, NullArray, StringViewArray,
        UInt64Array, new_empty_array,
    };
    use arrow_schema::TimeUnit;

    use super::*;

    fn read(column: ArrayRef, kind: FeatureType) -> Result<ColumnValues, Error> {
        let wanted = ViewFeature {
            name: "x".into(),
            kind,
            unit: None,
        };
        let batch = RecordBatch::try_from_iter_with_nullable([("x", column, true)]).unwrap();
        ColumnValues::read(&batch, &wanted, "test")
    }

    const KINDS: [FeatureType; 4] = [
        FeatureType::Number,
        FeatureType::Integer,
        FeatureType::Flag,
        FeatureType::Text,
    ];

    #[test]
    fn other_widths_are_cast() {
        let texts = [Some("a"), None, Some("a")];
        let columns: [ArrayRef; 4] = [
            Arc::new(StringArray::from_iter(texts)),
            Arc::new(LargeStringArray::from_iter(texts)),
            Arc::new(StringViewArray::from_iter(texts)),
            Arc::new(DictionaryArray::<KeyType>::from_iter(texts)),
        ];
        for column in columns {
            let ColumnValues::Text(array) = read(column, FeatureType::Text).unwrap() else {
                panic!("text is read as text");
            };
            assert_eq!(array, StringArray::from_iter(texts));
        }
        let small: ArrayRef = Arc::new(Int32Array::from(vec![Some(-3), None]));
        let ColumnValues::Integer(array) = read(small, FeatureType::Integer).unwrap() else {
            panic!("integers are read as integers");
        };
        assert_eq!(array, Int64Array::from(vec![Some(-3), None]));
        let single: ArrayRef = Arc::new(Float32Array::from(vec![0.5_f32]));
        let ColumnValues::Number(array) = read(single, FeatureType::Number).unwrap() else {
            panic!("numbers are read as numbers");
        };
        assert_eq!(array, Float64Array::from(vec![0.5]));
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![Some(1 << 53), None]));
        let ColumnValues::Number(array) = read(whole, FeatureType::Number).unwrap() else {
            panic!("integers are read as numbers");
        };
        assert_eq!(
            array,
            Float64Array::from(vec![Some(9_007_199_254_740_992.0), None])
        );
    }

    #[test]
    fn a_lossy_cast_names_its_row() {
        let large: ArrayRef = Arc::new(UInt64Array::from(vec![None, Some(u64::MAX)]));
        for kind in [FeatureType::Integer, FeatureType::Number] {
            let error = read(ArrayRef::clone(&large), kind).unwrap_err();
            assert!(error.to_string().contains("row `1`"), "{error}");
        }
        let inexact: ArrayRef = Arc::new(Int64Array::from(vec![0, (1 << 53) + 1]));
        let error = read(inexact, FeatureType::Number).unwrap_err();
        assert!(error.to_string().contains("row `1`"), "{error}");
        let text: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
        let error = read(text, FeatureType::Number).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("column `x`"), "{error}");
    }

    #[test]
    fn a_column_without_a_type_has_no_values() {
        for kind in KINDS {
            let values = read(Arc::new(NullArray::new(2)), kind).unwrap();
            assert_eq!(values.first_null(), Some(0));
            let array = values.into_array();
            assert_eq!((array.len(), array.null_count()), (2, 2));
        }
    }

    #[test]
    fn what_lies_behind_a_null_is_nobodys_value() {
        let nulls = NullBuffer::from(vec![true, false]);
        let hidden: ArrayRef = Arc::new(UInt64Array::new(vec![1, u64::MAX].into(), Some(nulls)));
        for kind in [FeatureType::Integer, FeatureType::Number] {
            let values = ColumnValues::cast(&hidden, kind).unwrap();
            assert_eq!((values.is_null(0), values.is_null(1)), (false, true));
        }
    }

    #[test]
    fn the_types_that_are_accepted_are_those_that_are_cast() {
        let texts = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        let types = [
            DataType::Null,
            DataType::Boolean,
            DataType::Int8,
            DataType::Int16,
            DataType::Int32,
            DataType::Int64,
            DataType::UInt8,
            DataType::UInt16,
            DataType::UInt32,
            DataType::UInt64,
            DataType::Float16,
            DataType::Float32,
            DataType::Float64,
            DataType::Utf8,
            DataType::LargeUtf8,
            DataType::Utf8View,
            DataType::Binary,
            DataType::Date32,
            DataType::Timestamp(TimeUnit::Microsecond, None),
            texts,
        ];
        for found in types {
            for kind in KINDS {
                let cast = ColumnValues::cast(&new_empty_array(&found), kind);
                assert_eq!(
                    ColumnValues::accepts(&found, kind),
                    cast.is_ok(),
                    "{found} as {kind:?}"
                );
                if let Ok(values) = cast {
                    assert_eq!(*values.into_array().data_type(), kind.data_type());
                }
            }
        }
    }

    #[test]
    fn nan_is_a_value_like_itself() {
        let column: ArrayRef = Arc::new(Float64Array::from(vec![
            Some(f64::NAN),
            Some(f64::NAN),
            None,
            Some(0.0),
            Some(-0.0),
        ]));
        let values = read(column, FeatureType::Number).unwrap();
        assert!(values.same(0, 1));
        assert!(!values.same(0, 2));
        assert!(!values.same(3, 4));
    }
}
