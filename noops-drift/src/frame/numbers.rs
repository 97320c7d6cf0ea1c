use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, BooleanArray};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, TimeUnit};

use crate::kernel::BLOCK;

/// A column of numbers. Booleans are 0 and 1; dates, times and durations are counts of their unit.
#[derive(Clone, Copy)]
pub(crate) struct Numbers<'a> {
    raw: Raw<'a>,
    nulls: Option<&'a NullBuffer>,
}

#[derive(Clone, Copy)]
enum Raw<'a> {
    Boolean(&'a BooleanBuffer),
    Float32(&'a [f32]),
    Float64(&'a [f64]),
    Int8(&'a [i8]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    UInt8(&'a [u8]),
    UInt16(&'a [u16]),
    UInt32(&'a [u32]),
    UInt64(&'a [u64]),
}

/// Some of the numbers of a column in a row, any number of them; a null is a NaN here.
pub(crate) enum Block<'a> {
    Narrow(&'a [f32]),
    Wide(&'a [f64]),
}

impl<'a> Numbers<'a> {
    pub(crate) fn of_slice(values: &'a [f64]) -> Self {
        Self {
            raw: Raw::Float64(values),
            nulls: None,
        }
    }

    pub(super) fn view(array: &'a dyn Array) -> Option<Self> {
        let raw = match array.data_type() {
            DataType::Boolean => array
                .as_boolean_opt()
                .map(BooleanArray::values)
                .map(Raw::Boolean),
            DataType::Float32 => values::<Float32Type>(array).map(Raw::Float32),
            DataType::Float64 => values::<Float64Type>(array).map(Raw::Float64),
            DataType::Int8 => values::<Int8Type>(array).map(Raw::Int8),
            DataType::Int16 => values::<Int16Type>(array).map(Raw::Int16),
            DataType::Int32 => values::<Int32Type>(array).map(Raw::Int32),
            DataType::Int64 => values::<Int64Type>(array).map(Raw::Int64),
            DataType::UInt8 => values::<UInt8Type>(array).map(Raw::UInt8),
            DataType::UInt16 => values::<UInt16Type>(array).map(Raw::UInt16),
            DataType::UInt32 => values::<UInt32Type>(array).map(Raw::UInt32),
            DataType::UInt64 => values::<UInt64Type>(array).map(Raw::UInt64),
            DataType::Date32 => values::<Date32Type>(array).map(Raw::Int32),
            DataType::Date64 => values::<Date64Type>(array).map(Raw::Int64),
            DataType::Time32(TimeUnit::Second) => values::<Time32SecondType>(array).map(Raw::Int32),
            DataType::Time32(TimeUnit::Millisecond) => {
                values::<Time32MillisecondType>(array).map(Raw::Int32)
            }
            DataType::Time64(TimeUnit::Microsecond) => {
                values::<Time64MicrosecondType>(array).map(Raw::Int64)
            }
            DataType::Time64(TimeUnit::Nanosecond) => {
                values::<Time64NanosecondType>(array).map(Raw::Int64)
            }
            DataType::Timestamp(unit, _) => match unit {
                TimeUnit::Second => values::<TimestampSecondType>(array),
                TimeUnit::Millisecond => values::<TimestampMillisecondType>(array),
                TimeUnit::Microsecond => values::<TimestampMicrosecondType>(array),
                TimeUnit::Nanosecond => values::<TimestampNanosecondType>(array),
            }
            .map(Raw::Int64),
            DataType::Duration(unit) => match unit {
                TimeUnit::Second => values::<DurationSecondType>(array),
                TimeUnit::Millisecond => values::<DurationMillisecondType>(array),
                TimeUnit::Microsecond => values::<DurationMicrosecondType>(array),
                TimeUnit::Nanosecond => values::<DurationNanosecondType>(array),
            }
            .map(Raw::Int64),
            _ => None,
        }?;
        Some(Self {
            raw,
            nulls: array.nulls(),
        })
    }

    pub(crate) fn len(&self) -> usize {
        match self.raw {
            Raw::Boolean(values) => values.len(),
            Raw::Float32(values) => values.len(),
            Raw::Float64(values) => values.len(),
            Raw::Int8(values) => values.len(),
            Raw::Int16(values) => values.len(),
            Raw::Int32(values) => values.len(),
            Raw::Int64(values) => values.len(),
            Raw::UInt8(values) => values.len(),
            Raw::UInt16(values) => values.len(),
            Raw::UInt32(values) => values.len(),
            Raw::UInt64(values) => values.len(),
        }
    }

    pub(crate) fn null_count(&self) -> u64 {
        self.nulls.map_or(0, |nulls| nulls.null_count() as u64)
    }

    /// Calls `visit` once per row, with nothing for a null.
    pub(crate) fn for_each<F: FnMut(Option<f64>)>(&self, mut visit: F) {
        let mut row = 0;
        self.for_each_block(|block| {
            let mut one = |value: f64| {
                let null = value.is_nan() && self.nulls.is_some_and(|nulls| nulls.is_null(row));
                visit(if null { None } else { Some(value) });
                row += 1;
            };
            match block {
                Block::Narrow(values) => values.iter().for_each(|value| one(f64::from(*value))),
                Block::Wide(values) => values.iter().for_each(|value| one(*value)),
            }
        });
    }

    /// Calls `visit` with all rows in order, a block at a time. Nothing is copied from a column of floats without nulls.
    pub(crate) fn for_each_block<F: FnMut(Block<'_>)>(&self, visit: F) {
        match self.raw {
            Raw::Boolean(values) => self.convert_bits(values, visit),
            Raw::Float32(values) => {
                self.borrow(values, f32::NAN, visit, |values| Block::Narrow(values))
            }
            Raw::Float64(values) => {
                self.borrow(values, f64::NAN, visit, |values| Block::Wide(values))
            }
            Raw::Int8(values) => self.convert(values, f64::from, visit),
            Raw::Int16(values) => self.convert(values, f64::from, visit),
            Raw::Int32(values) => self.convert(values, f64::from, visit),
            Raw::Int64(values) => self.convert(values, |value| value as f64, visit),
            Raw::UInt8(values) => self.convert(values, f64::from, visit),
            Raw::UInt16(values) => self.convert(values, f64::from, visit),
            Raw::UInt32(values) => self.convert(values, f64::from, visit),
            Raw::UInt64(values) => self.convert(values, |value| value as f64, visit),
        }
    }

    fn borrow<T: Copy + Default>(
        &self,
        values: &[T],
        nan: T,
        mut visit: impl FnMut(Block<'_>),
        block: impl Fn(&[T]) -> Block<'_>,
    ) {
        let Some(nulls) = self.nulls.filter(|nulls| nulls.null_count() > 0) else {
            // One block of any length: the kernel cuts it, and fetches ahead across the cuts.
            if !values.is_empty() {
                visit(block(values));
            }
            return;
        };
        let mut copy = [T::default(); BLOCK];
        let mut start = 0;
        for chunk in values.chunks(BLOCK) {
            let valid = nulls.inner().slice(start, chunk.len());
            if valid.count_set_bits() == chunk.len() {
                visit(block(chunk));
            } else {
                let copy = copy.get_mut(..chunk.len()).unwrap_or_default();
                copy.copy_from_slice(chunk);
                put_where_null(nan, &valid, copy);
                visit(block(copy));
            }
            start += chunk.len();
        }
    }

    fn convert<T: Copy>(
        &self,
        values: &[T],
        widen: impl Fn(T) -> f64,
        mut visit: impl FnMut(Block<'_>),
    ) {
        let mut copy = [0.0_f64; BLOCK];
        let mut start = 0;
        for chunk in values.chunks(BLOCK) {
            for (slot, value) in copy.iter_mut().zip(chunk) {
                *slot = widen(*value);
            }
            self.hide_nulls(start, copy.get_mut(..chunk.len()).unwrap_or_default());
            visit(Block::Wide(copy.get(..chunk.len()).unwrap_or_default()));
            start += chunk.len();
        }
    }

    fn convert_bits(&self, values: &BooleanBuffer, mut visit: impl FnMut(Block<'_>)) {
        let mut copy = [0.0_f64; BLOCK];
        let mut start = 0;
        while start < values.len() {
            let many = (values.len() - start).min(BLOCK);
            for (slot, value) in copy.iter_mut().zip(values.slice(start, many).iter()) {
                *slot = f64::from(u8::from(value));
            }
            self.hide_nulls(start, copy.get_mut(..many).unwrap_or_default());
            visit(Block::Wide(copy.get(..many).unwrap_or_default()));
            start += many;
        }
    }

    fn hide_nulls(&self, start: usize, copy: &mut [f64]) {
        let Some(nulls) = self.nulls.filter(|nulls| nulls.null_count() > 0) else {
            return;
        };
        put_where_null(f64::NAN, &nulls.inner().slice(start, copy.len()), copy);
    }
}

/// A word of the bitmap at a time, so that only nulls take a step.
fn put_where_null<T: Copy>(nan: T, valid: &BooleanBuffer, values: &mut [T]) {
    let words = valid.bit_chunks();
    for (values, valid) in values.chunks_mut(64).zip(words.iter_padded()) {
        // The bits behind the last value look like nulls, and no value has their place.
        let mut nulls = !valid;
        while nulls != 0 {
            if let Some(value) = values.get_mut(nulls.trailing_zeros() as usize) {
                *value = nan;
            }
            nulls &= nulls - 1;
        }
    }
}

fn values<T: ArrowPrimitiveType>(array: &dyn Array) -> Option<&[T::Native]> {
    array
        .as_primitive_opt::<T>()
        .map(|array| array.values().as_ref())
}
