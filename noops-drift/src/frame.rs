use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{
    AnyDictionaryArray, Array, BooleanArray, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray,
    UInt8Array, UInt16Array, UInt32Array, UInt64Array,
};
use arrow_schema::DataType;

use crate::error::DriftError;

/// One column of a frame, seen as numbers or as text.
pub(crate) enum Values<'a> {
    Number(Numbers<'a>),
    Text(Texts<'a>),
}

impl<'a> Values<'a> {
    pub(crate) fn read(batch: &'a RecordBatch, name: &str) -> Result<Self, DriftError> {
        let fields = batch.schema_ref().fields();
        if fields.iter().filter(|field| field.name() == name).count() > 1 {
            return Err(DriftError::DuplicateColumn {
                column: name.to_owned(),
            });
        }
        let Some(array) = batch.column_by_name(name) else {
            return Err(DriftError::MissingColumn {
                column: name.to_owned(),
            });
        };
        let array: &'a dyn Array = array.as_ref();
        if let Some(numbers) = Numbers::view(array) {
            return Ok(Self::Number(numbers));
        }
        if let Some(texts) = Texts::view(array) {
            return Ok(Self::Text(texts));
        }
        Err(DriftError::UnsupportedType {
            column: name.to_owned(),
            data_type: array.data_type().to_string(),
        })
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => NUMBER,
            Self::Text(_) => CATEGORY,
        }
    }
}

pub(crate) enum Numbers<'a> {
    Boolean(&'a BooleanArray),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Int8(&'a Int8Array),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    UInt8(&'a UInt8Array),
    UInt16(&'a UInt16Array),
    UInt32(&'a UInt32Array),
    UInt64(&'a UInt64Array),
}

impl<'a> Numbers<'a> {
    fn view(array: &'a dyn Array) -> Option<Self> {
        match array.data_type() {
            DataType::Boolean => array.as_boolean_opt().map(Self::Boolean),
            DataType::Float32 => array.as_primitive_opt::<Float32Type>().map(Self::Float32),
            DataType::Float64 => array.as_primitive_opt::<Float64Type>().map(Self::Float64),
            DataType::Int8 => array.as_primitive_opt::<Int8Type>().map(Self::Int8),
            DataType::Int16 => array.as_primitive_opt::<Int16Type>().map(Self::Int16),
            DataType::Int32 => array.as_primitive_opt::<Int32Type>().map(Self::Int32),
            DataType::Int64 => array.as_primitive_opt::<Int64Type>().map(Self::Int64),
            DataType::UInt8 => array.as_primitive_opt::<UInt8Type>().map(Self::UInt8),
            DataType::UInt16 => array.as_primitive_opt::<UInt16Type>().map(Self::UInt16),
            DataType::UInt32 => array.as_primitive_opt::<UInt32Type>().map(Self::UInt32),
            DataType::UInt64 => array.as_primitive_opt::<UInt64Type>().map(Self::UInt64),
            _ => None,
        }
    }

    /// Calls `visit` once per row, with nothing for a null.
    pub(crate) fn for_each<F: FnMut(Option<f64>)>(&self, mut visit: F) {
        match self {
            Self::Boolean(array) => array
                .iter()
                .for_each(|v| visit(v.map(|v| if v { 1.0 } else { 0.0 }))),
            Self::Float32(array) => array.iter().for_each(|v| visit(v.map(f64::from))),
            Self::Float64(array) => array.iter().for_each(visit),
            Self::Int8(array) => array.iter().for_each(|v| visit(v.map(f64::from))),
            Self::Int16(array) => array.iter().for_each(|v| visit(v.map(f64::from))),
            Self::Int32(array) => array.iter().for_each(|v| visit(v.map(f64::from))),
            Self::Int64(array) => array.iter().for_each(|v| visit(v.map(|v| v as f64))),
            Self::UInt8(array) => array.iter().for_each(|v| visit(v.map(f64::from))),
            Self::UInt16(array) => array.iter().for_each(|v| visit(v.map(f64::from))),
            Self::UInt32(array) => array.iter().for_each(|v| visit(v.map(f64::from))),
            Self::UInt64(array) => array.iter().for_each(|v| visit(v.map(|v| v as f64))),
        }
    }
}

pub(crate) enum Texts<'a> {
    Utf8(&'a StringArray),
    LargeUtf8(&'a LargeStringArray),
    Utf8View(&'a StringViewArray),
    Dictionary(&'a dyn AnyDictionaryArray),
}

impl<'a> Texts<'a> {
    fn view(array: &'a dyn Array) -> Option<Self> {
        match array.data_type() {
            DataType::Utf8 => array.as_string_opt::<i32>().map(Self::Utf8),
            DataType::LargeUtf8 => array.as_string_opt::<i64>().map(Self::LargeUtf8),
            DataType::Utf8View => array.as_string_view_opt().map(Self::Utf8View),
            DataType::Dictionary(_, values) if is_text(values) => {
                array.as_any_dictionary_opt().map(Self::Dictionary)
            }
            _ => None,
        }
    }

    /// Calls `visit` once per row, with nothing for a null.
    pub(crate) fn for_each<F: FnMut(Option<&str>)>(&self, mut visit: F) {
        match self {
            Self::Utf8(array) => array.iter().for_each(visit),
            Self::LargeUtf8(array) => array.iter().for_each(visit),
            Self::Utf8View(array) => array.iter().for_each(visit),
            Self::Dictionary(array) => {
                let keys: &dyn Array = array.keys();
                let words = words(array.values().as_ref());
                // Arrow cannot normalise the keys of a dictionary without values; all its rows are null.
                if words.is_empty() {
                    (0..keys.len()).for_each(|_| visit(None));
                    return;
                }
                for (row, key) in array.normalized_keys().into_iter().enumerate() {
                    let word = words.get(key).and_then(|word| word.as_deref());
                    visit(if keys.is_null(row) { None } else { word });
                }
            }
        }
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn words(values: &dyn Array) -> Vec<Option<String>> {
    let mut words: Vec<Option<String>> = Vec::with_capacity(values.len());
    if let Some(texts) = Texts::view(values) {
        texts.for_each(|word| words.push(word.map(str::to_owned)));
    }
    words
}

pub(crate) const NUMBER: &str = "number";
pub(crate) const CATEGORY: &str = "category";
