//! Arrow columns of every type that somebody may send.

use std::sync::Arc;

use arrow_array::builder::PrimitiveBuilder;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, DurationSecondType, Float32Type, Float64Type,
    Int8Type, Int32Type, Int64Type, IntervalYearMonthType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray,
    Float64Array, Int8Array, LargeStringArray, ListArray, NullArray, RecordBatch,
    RecordBatchOptions, StringArray, StringViewArray, StructArray,
};
use arrow_schema::{Field, Schema};
use proptest::collection::vec;
use proptest::prelude::*;

/// A column of any type, whole or cut out of a longer one.
pub(crate) fn any_column(rows: usize) -> BoxedStrategy<ArrayRef> {
    let number = prop_oneof![4 => -4i64..5, 1 => any::<i64>()];
    let numbers = vec(prop::option::weighted(0.8, number), rows + 2);
    let column = (0..KINDS, numbers, any::<bool>()).prop_map(move |(kind, numbers, is_cut)| {
        if is_cut {
            column(kind, &numbers).slice(1, rows)
        } else {
            column(kind, &numbers[..rows])
        }
    });
    column.boxed()
}

/// A column of one type with few small values and hardly a null.
pub(crate) fn tame_column(kind: u8, rows: usize) -> BoxedStrategy<ArrayRef> {
    let numbers = vec(prop::option::weighted(0.97, 0i64..5), rows);
    numbers
        .prop_map(move |numbers| column(kind, &numbers))
        .boxed()
}

/// A batch of columns, which may share names and may be none.
pub(crate) fn batch(rows: usize, columns: Vec<(String, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| Field::new(name, column.data_type().clone(), true))
        .collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let schema = Arc::new(Schema::new(fields));
    RecordBatch::try_new_with_options(schema, columns, &options).unwrap()
}

fn column(kind: u8, numbers: &[Option<i64>]) -> ArrayRef {
    let texts: Vec<Option<String>> = numbers
        .iter()
        .map(|number| number.map(|number| format!("t{number}")))
        .collect();
    match kind {
        INTEGER => Arc::new(primitive::<Int64Type>(numbers, |number| number)),
        NUMBER => Arc::new(primitive::<Float64Type>(numbers, float)),
        TEXT => Arc::new(texts.iter().map(Option::as_deref).collect::<StringArray>()),
        FLAG => {
            let flags = numbers.iter().map(|number| number.map(|number| number > 0));
            Arc::new(flags.collect::<BooleanArray>())
        }
        INSTANT => Arc::new(
            primitive::<TimestampMicrosecondType>(numbers, |number| number).with_timezone("UTC"),
        ),
        5 => Arc::new(primitive::<TimestampSecondType>(numbers, |number| number)),
        6 => Arc::new(primitive::<TimestampMillisecondType>(numbers, |number| {
            number
        })),
        7 => Arc::new(
            primitive::<TimestampNanosecondType>(numbers, |number| number).with_timezone("+02:00"),
        ),
        8 => Arc::new(NullArray::new(numbers.len())),
        9 => Arc::new(primitive::<Int8Type>(numbers, |number| number as i8)),
        10 => Arc::new(primitive::<UInt8Type>(numbers, |number| number as u8)),
        11 => Arc::new(primitive::<Int32Type>(numbers, |number| number as i32)),
        12 => Arc::new(primitive::<UInt64Type>(numbers, |number| number as u64)),
        13 => Arc::new(primitive::<Float32Type>(numbers, |number| {
            float(number) as f32
        })),
        14 => Arc::new(primitive::<Date32Type>(numbers, |number| number as i32)),
        15 => Arc::new(primitive::<Time64NanosecondType>(numbers, |number| number)),
        16 => Arc::new(primitive::<DurationSecondType>(numbers, |number| number)),
        17 => Arc::new(primitive::<IntervalYearMonthType>(numbers, |number| {
            number as i32
        })),
        18 => Arc::new(primitive::<Decimal128Type>(numbers, i128::from)),
        19 => Arc::new(
            texts
                .iter()
                .map(Option::as_deref)
                .collect::<LargeStringArray>(),
        ),
        20 => Arc::new(
            texts
                .iter()
                .map(Option::as_deref)
                .collect::<StringViewArray>(),
        ),
        21 => {
            let bytes = numbers
                .iter()
                .map(|number| number.map(|number| number.to_le_bytes().to_vec()));
            Arc::new(bytes.collect::<BinaryArray>())
        }
        22 => {
            let bytes = numbers.iter().map(|number| number.map(i64::to_le_bytes));
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 8).unwrap())
        }
        23 => {
            let texts = texts.iter().map(Option::as_deref);
            Arc::new(texts.collect::<DictionaryArray<Int32Type>>())
        }
        24 => {
            // A dictionary with a null among its values.
            let values = Float64Array::from(vec![Some(1.5), None, Some(f64::NAN)]);
            let keys: Int8Array = primitive(numbers, |number| number.rem_euclid(3) as i8);
            Arc::new(DictionaryArray::<Int8Type>::try_new(keys, Arc::new(values)).unwrap())
        }
        25 => {
            let lists = numbers
                .iter()
                .map(|number| number.map(|number| vec![Some(number), None]));
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists))
        }
        _ => {
            let child: ArrayRef = Arc::new(primitive::<Int64Type>(numbers, |number| number));
            let field = Arc::new(Field::new("child", child.data_type().clone(), true));
            Arc::new(StructArray::from(vec![(field, child)]))
        }
    }
}

fn primitive<T: ArrowPrimitiveType>(
    numbers: &[Option<i64>],
    convert: impl Fn(i64) -> T::Native,
) -> arrow_array::PrimitiveArray<T> {
    let mut builder = PrimitiveBuilder::<T>::new();
    for number in numbers {
        builder.append_option(number.map(&convert));
    }
    builder.finish()
}

/// Small numbers as they are, others as bits: infinities, NaNs and subnormal numbers too.
fn float(number: i64) -> f64 {
    if number.unsigned_abs() < 10 {
        number as f64
    } else {
        f64::from_bits(number as u64)
    }
}

pub(crate) const INTEGER: u8 = 0;
pub(crate) const NUMBER: u8 = 1;
pub(crate) const TEXT: u8 = 2;
pub(crate) const FLAG: u8 = 3;
pub(crate) const INSTANT: u8 = 4;
const KINDS: u8 = 27;
