use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, BooleanArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, TimeUnit};

use super::report::Observation;
use crate::error::DriftError;
use crate::frame::{Frame, Texts, Values};

/// One column of a batch, as slices that rules run over. Unlike [`Numbers`](crate::frame::Numbers), 64-bit integers stay exact.
pub(super) struct View<'a> {
    pub(super) cells: Cells<'a>,
    pub(super) nulls: Option<NullBuffer>,
    pub(super) len: usize,
    pub(super) data_type: &'a DataType,
}

pub(super) enum Cells<'a> {
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    UInt64(&'a [u64]),
    /// Narrower integers and booleans.
    Widened(Vec<i64>),
    Text(Texts<'a>),
    /// A type that no rule about values has a meaning for.
    Other,
}

impl<'a> View<'a> {
    /// The column of this name; what is wrong when there is not exactly one.
    pub(super) fn find(frame: &Frame<'a>, name: &str) -> Result<Self, Observation> {
        let array = frame.array(name).map_err(|error| match error {
            DriftError::DuplicateColumn { .. } => Observation::Text("there twice".to_owned()),
            _ => Observation::Text("not there".to_owned()),
        })?;
        let cells = match frame.values(name) {
            Ok(Values::Text(texts)) => Cells::Text(texts),
            _ => numbers(array).unwrap_or(Cells::Other),
        };
        Ok(Self {
            cells,
            nulls: array.logical_nulls(),
            len: array.len(),
            data_type: array.data_type(),
        })
    }

    pub(super) fn null_count(&self) -> u64 {
        self.nulls
            .as_ref()
            .map_or(0, |nulls| nulls.null_count() as u64)
    }

    /// Rows that are not null.
    pub(super) fn present(&self) -> u64 {
        (self.len as u64).saturating_sub(self.null_count())
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        row >= self.len
            || self
                .nulls
                .as_ref()
                .is_some_and(|nulls| row < nulls.len() && nulls.is_null(row))
    }

    /// The values as integers, where the type is one that fits.
    pub(super) fn integers(&self) -> Option<Cow<'_, [i64]>> {
        match &self.cells {
            Cells::Int32(values) => Some(values.iter().map(|value| i64::from(*value)).collect()),
            Cells::Int64(values) => Some(Cow::Borrowed(*values)),
            Cells::Widened(values) => Some(Cow::Borrowed(values.as_slice())),
            _ => None,
        }
    }

    /// The values as doubles, where the type is one of numbers; what a null holds is arbitrary.
    pub(super) fn doubles(&self) -> Option<Cow<'_, [f64]>> {
        match &self.cells {
            Cells::Float64(values) => Some(Cow::Borrowed(*values)),
            Cells::Float32(values) => Some(values.iter().map(|value| f64::from(*value)).collect()),
            Cells::Int32(values) => Some(values.iter().map(|value| f64::from(*value)).collect()),
            Cells::Int64(values) => Some(values.iter().map(|value| *value as f64).collect()),
            Cells::UInt64(values) => Some(values.iter().map(|value| *value as f64).collect()),
            Cells::Widened(values) => Some(values.iter().map(|value| *value as f64).collect()),
            Cells::Text(_) | Cells::Other => None,
        }
    }

    /// The values of these ascending rows as text, cut short.
    pub(super) fn show(&self, rows: &[usize]) -> Vec<String> {
        let mut shown = Vec::with_capacity(rows.len());
        if let Cells::Text(texts) = &self.cells {
            let mut row = 0_usize;
            let mut wanted = rows.iter().copied().peekable();
            texts.for_each(|text| {
                if wanted.next_if_eq(&row).is_some() {
                    shown.push(text.map_or_else(|| NULL.to_owned(), cut));
                }
                row += 1;
            });
            return shown;
        }
        for row in rows {
            let value = match &self.cells {
                _ if self.is_null(*row) => None,
                Cells::Float32(values) => values.get(*row).map(ToString::to_string),
                Cells::Float64(values) => values.get(*row).map(ToString::to_string),
                Cells::Int32(values) => values.get(*row).map(ToString::to_string),
                Cells::Int64(values) => values.get(*row).map(ToString::to_string),
                Cells::UInt64(values) => values.get(*row).map(ToString::to_string),
                Cells::Widened(values) => values.get(*row).map(ToString::to_string),
                Cells::Text(_) | Cells::Other => Some("a value".to_owned()),
            };
            shown.push(value.unwrap_or_else(|| NULL.to_owned()));
        }
        shown
    }
}

fn cut(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS).collect()
}

fn numbers(array: &dyn Array) -> Option<Cells<'_>> {
    match array.data_type() {
        DataType::Boolean => array
            .as_boolean_opt()
            .map(BooleanArray::values)
            .map(|bits| Cells::Widened(bits.iter().map(i64::from).collect())),
        DataType::Float32 => slice::<Float32Type>(array).map(Cells::Float32),
        DataType::Float64 => slice::<Float64Type>(array).map(Cells::Float64),
        DataType::Int8 => widened::<Int8Type>(array),
        DataType::Int16 => widened::<Int16Type>(array),
        DataType::Int32 => slice::<Int32Type>(array).map(Cells::Int32),
        DataType::Int64 => slice::<Int64Type>(array).map(Cells::Int64),
        DataType::UInt8 => widened::<UInt8Type>(array),
        DataType::UInt16 => widened::<UInt16Type>(array),
        DataType::UInt32 => widened::<UInt32Type>(array),
        DataType::UInt64 => slice::<UInt64Type>(array).map(Cells::UInt64),
        DataType::Date32 => slice::<Date32Type>(array).map(Cells::Int32),
        DataType::Date64 => slice::<Date64Type>(array).map(Cells::Int64),
        DataType::Time32(TimeUnit::Second) => slice::<Time32SecondType>(array).map(Cells::Int32),
        DataType::Time32(TimeUnit::Millisecond) => {
            slice::<Time32MillisecondType>(array).map(Cells::Int32)
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            slice::<Time64MicrosecondType>(array).map(Cells::Int64)
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            slice::<Time64NanosecondType>(array).map(Cells::Int64)
        }
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => slice::<TimestampSecondType>(array),
            TimeUnit::Millisecond => slice::<TimestampMillisecondType>(array),
            TimeUnit::Microsecond => slice::<TimestampMicrosecondType>(array),
            TimeUnit::Nanosecond => slice::<TimestampNanosecondType>(array),
        }
        .map(Cells::Int64),
        DataType::Duration(unit) => match unit {
            TimeUnit::Second => slice::<DurationSecondType>(array),
            TimeUnit::Millisecond => slice::<DurationMillisecondType>(array),
            TimeUnit::Microsecond => slice::<DurationMicrosecondType>(array),
            TimeUnit::Nanosecond => slice::<DurationNanosecondType>(array),
        }
        .map(Cells::Int64),
        _ => None,
    }
}

fn slice<T: ArrowPrimitiveType>(array: &dyn Array) -> Option<&[T::Native]> {
    array
        .as_primitive_opt::<T>()
        .map(|array| array.values().as_ref())
}

fn widened<T: ArrowPrimitiveType>(array: &dyn Array) -> Option<Cells<'_>>
where
    i64: From<T::Native>,
{
    slice::<T>(array)
        .map(|values| Cells::Widened(values.iter().map(|value| i64::from(*value)).collect()))
}

const NULL: &str = "null";
const SHOWN_CHARACTERS: usize = 80;
