//! The elements of a tensor in JSON: a list, or lists in lists.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, SeqAccess, Visitor};

use crate::protocol::{DataType, TensorData};

/// One element as JSON has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Element {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
}

/// Elements in row-major order, whatever lists they were in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Elements(pub(super) Vec<Element>);

impl<'de> Deserialize<'de> for Elements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut elements = Vec::new();
        deserializer.deserialize_seq(Nested(&mut elements))?;
        Ok(Self(elements))
    }
}

/// Appends what it reads. The reader of JSON bounds how deep lists may lie in one another.
struct Nested<'a>(&'a mut Vec<Element>);

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers, texts, truth values or lists of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Nested(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.push(Element::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.push(Element::Bool(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.0.push(Element::Unsigned(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.0.push(Element::Signed(value));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.0.push(Element::Float(value));
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        if value.len() > LONGEST_TEXT {
            return Err(E::custom("a text is too long to be an element"));
        }
        self.0.push(Element::Text(value.to_owned()));
        Ok(())
    }
}

impl Elements {
    /// The elements as those of a type; `None` when one does not fit it. A `null` is a missing number: NaN.
    pub(super) fn into_data(self, datatype: DataType) -> Option<TensorData> {
        fn all<T>(elements: Vec<Element>, read: impl Fn(Element) -> Option<T>) -> Option<Vec<T>> {
            elements.into_iter().map(read).collect()
        }
        let Self(elements) = self;
        Some(match datatype {
            DataType::Bool => TensorData::Bool(all(elements, |element| match element {
                Element::Bool(value) => Some(value),
                _ => None,
            })?),
            DataType::Uint8 => TensorData::Uint8(all(elements, integer)?),
            DataType::Uint16 => TensorData::Uint16(all(elements, integer)?),
            DataType::Uint32 => TensorData::Uint32(all(elements, integer)?),
            DataType::Uint64 => TensorData::Uint64(all(elements, integer)?),
            DataType::Int8 => TensorData::Int8(all(elements, integer)?),
            DataType::Int16 => TensorData::Int16(all(elements, integer)?),
            DataType::Int32 => TensorData::Int32(all(elements, integer)?),
            DataType::Int64 => TensorData::Int64(all(elements, integer)?),
            // Half precision in JSON is a number like any other, which single precision holds exactly.
            DataType::Fp16 | DataType::Fp32 => TensorData::Fp32(all(elements, |element| {
                float(element).map(|value| value as f32)
            })?),
            DataType::Fp64 => TensorData::Fp64(all(elements, float)?),
            DataType::Bytes => TensorData::Bytes(all(elements, |element| match element {
                Element::Text(text) => Some(text.into_bytes()),
                _ => None,
            })?),
        })
    }
}

fn integer<T: TryFrom<u64> + TryFrom<i64>>(element: Element) -> Option<T> {
    match element {
        Element::Unsigned(value) => T::try_from(value).ok(),
        Element::Signed(value) => T::try_from(value).ok(),
        _ => None,
    }
}

fn float(element: Element) -> Option<f64> {
    match element {
        Element::Float(value) => Some(value),
        Element::Unsigned(value) => Some(value as f64),
        Element::Signed(value) => Some(value as f64),
        Element::Null => Some(f64::NAN),
        Element::Bool(_) | Element::Text(_) => None,
    }
}

/// A number of half precision (IEEE 754 binary16), exactly.
pub(in crate::remote) fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1_023));
    sign * match exponent {
        0 => fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1_024.0) * 2_f32.powi(exponent - 15),
    }
}

const LONGEST_TEXT: usize = 1 << 20;
