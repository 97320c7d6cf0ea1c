//! Reading Arrow columns without caring for their width.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, BooleanArray, LargeStringArray, PrimitiveArray, StringArray};
use arrow_schema::DataType;

/// A numeric or boolean Arrow column, read as `f64`.
///
/// 64-bit integers beyond 2^53 lose their last bits, as they would in the model.
#[derive(Clone, Copy, Debug)]
pub struct NumberColumn<'a>(Numbers<'a>);

#[derive(Clone, Copy, Debug)]
enum Numbers<'a> {
    F64(&'a PrimitiveArray<Float64Type>),
    F32(&'a PrimitiveArray<Float32Type>),
    I8(&'a PrimitiveArray<Int8Type>),
    I16(&'a PrimitiveArray<Int16Type>),
    I32(&'a PrimitiveArray<Int32Type>),
    I64(&'a PrimitiveArray<Int64Type>),
    U8(&'a PrimitiveArray<UInt8Type>),
    U16(&'a PrimitiveArray<UInt16Type>),
    U32(&'a PrimitiveArray<UInt32Type>),
    U64(&'a PrimitiveArray<UInt64Type>),
    Bool(&'a BooleanArray),
}

impl<'a> NumberColumn<'a> {
    /// Views a column as numbers, if it holds numbers or booleans.
    #[must_use]
    pub fn try_new(column: &'a dyn Array) -> Option<Self> {
        Some(Self(match column.data_type() {
            DataType::Float64 => Numbers::F64(column.as_primitive_opt()?),
            DataType::Float32 => Numbers::F32(column.as_primitive_opt()?),
            DataType::Int8 => Numbers::I8(column.as_primitive_opt()?),
            DataType::Int16 => Numbers::I16(column.as_primitive_opt()?),
            DataType::Int32 => Numbers::I32(column.as_primitive_opt()?),
            DataType::Int64 => Numbers::I64(column.as_primitive_opt()?),
            DataType::UInt8 => Numbers::U8(column.as_primitive_opt()?),
            DataType::UInt16 => Numbers::U16(column.as_primitive_opt()?),
            DataType::UInt32 => Numbers::U32(column.as_primitive_opt()?),
            DataType::UInt64 => Numbers::U64(column.as_primitive_opt()?),
            DataType::Boolean => Numbers::Bool(column.as_boolean_opt()?),
            _ => return None,
        }))
    }

    /// The values in order, `None` for null.
    pub fn iter(&self) -> Box<dyn Iterator<Item = Option<f64>> + 'a> {
        match self.0 {
            Numbers::F64(array) => Box::new(array.iter()),
            Numbers::F32(array) => Box::new(array.iter().map(|value| value.map(f64::from))),
            Numbers::I8(array) => Box::new(array.iter().map(|value| value.map(f64::from))),
            Numbers::I16(array) => Box::new(array.iter().map(|value| value.map(f64::from))),
            Numbers::I32(array) => Box::new(array.iter().map(|value| value.map(f64::from))),
            Numbers::I64(array) => {
                Box::new(array.iter().map(|value| value.map(|value| value as f64)))
            }
            Numbers::U8(array) => Box::new(array.iter().map(|value| value.map(f64::from))),
            Numbers::U16(array) => Box::new(array.iter().map(|value| value.map(f64::from))),
            Numbers::U32(array) => Box::new(array.iter().map(|value| value.map(f64::from))),
            Numbers::U64(array) => {
                Box::new(array.iter().map(|value| value.map(|value| value as f64)))
            }
            Numbers::Bool(array) => Box::new(
                array
                    .iter()
                    .map(|value| value.map(|value| f64::from(u8::from(value)))),
            ),
        }
    }
}

/// A text Arrow column of either offset width.
#[derive(Clone, Copy, Debug)]
pub enum TextColumn<'a> {
    /// 32-bit offsets.
    Utf8(&'a StringArray),
    /// 64-bit offsets.
    LargeUtf8(&'a LargeStringArray),
}

impl<'a> TextColumn<'a> {
    /// Whether columns of this type are text.
    #[must_use]
    pub fn accepts(data_type: &DataType) -> bool {
        matches!(data_type, DataType::Utf8 | DataType::LargeUtf8)
    }

    /// Views a column as text, if it holds text.
    #[must_use]
    pub fn try_new(column: &'a dyn Array) -> Option<Self> {
        match column.data_type() {
            DataType::Utf8 => column.as_string_opt().map(Self::Utf8),
            DataType::LargeUtf8 => column.as_string_opt().map(Self::LargeUtf8),
            _ => None,
        }
    }

    /// The text in a row, `None` for null and for a row past the end.
    #[must_use]
    pub fn value(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::Utf8(array) => {
                (row < array.len() && array.is_valid(row)).then(|| array.value(row))
            }
            Self::LargeUtf8(array) => {
                (row < array.len() && array.is_valid(row)).then(|| array.value(row))
            }
        }
    }
}
