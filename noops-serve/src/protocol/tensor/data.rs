//! Elements of one type.

use super::DataType;

/// A tensor's elements in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub enum TensorData {
    /// Truth values.
    Bool(Vec<bool>),
    /// 8 unsigned bits.
    Uint8(Vec<u8>),
    /// 16 unsigned bits.
    Uint16(Vec<u16>),
    /// 32 unsigned bits.
    Uint32(Vec<u32>),
    /// 64 unsigned bits.
    Uint64(Vec<u64>),
    /// 8 signed bits.
    Int8(Vec<i8>),
    /// 16 signed bits.
    Int16(Vec<i16>),
    /// 32 signed bits.
    Int32(Vec<i32>),
    /// 64 signed bits.
    Int64(Vec<i64>),
    /// The bits of IEEE 754 half precision numbers.
    Fp16(Vec<u16>),
    /// Single precision.
    Fp32(Vec<f32>),
    /// Double precision.
    Fp64(Vec<f64>),
    /// Strings of bytes.
    Bytes(Vec<Vec<u8>>),
}

impl TensorData {
    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bool(values) => values.len(),
            Self::Uint8(values) => values.len(),
            Self::Uint16(values) | Self::Fp16(values) => values.len(),
            Self::Uint32(values) => values.len(),
            Self::Uint64(values) => values.len(),
            Self::Int8(values) => values.len(),
            Self::Int16(values) => values.len(),
            Self::Int32(values) => values.len(),
            Self::Int64(values) => values.len(),
            Self::Fp32(values) => values.len(),
            Self::Fp64(values) => values.len(),
            Self::Bytes(values) => values.len(),
        }
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type of the elements.
    #[must_use]
    pub fn datatype(&self) -> DataType {
        match self {
            Self::Bool(_) => DataType::Bool,
            Self::Uint8(_) => DataType::Uint8,
            Self::Uint16(_) => DataType::Uint16,
            Self::Uint32(_) => DataType::Uint32,
            Self::Uint64(_) => DataType::Uint64,
            Self::Int8(_) => DataType::Int8,
            Self::Int16(_) => DataType::Int16,
            Self::Int32(_) => DataType::Int32,
            Self::Int64(_) => DataType::Int64,
            Self::Fp16(_) => DataType::Fp16,
            Self::Fp32(_) => DataType::Fp32,
            Self::Fp64(_) => DataType::Fp64,
            Self::Bytes(_) => DataType::Bytes,
        }
    }
}
