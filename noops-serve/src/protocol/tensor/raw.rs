//! Elements as little-endian bytes.

use super::{DataType, TensorData};
use crate::protocol::error::ProtocolError;

/// Exactly `elements` elements from exactly these bytes.
pub(super) fn read(
    name: &str,
    datatype: DataType,
    elements: usize,
    bytes: &[u8],
) -> Result<TensorData, ProtocolError> {
    let Some(size) = datatype.size() else {
        return strings(name, elements, bytes).map(TensorData::Bytes);
    };
    if elements.checked_mul(size) != Some(bytes.len()) {
        return Err(ProtocolError::invalid(format!(
            "tensor `{name}` of `{elements}` elements of `{datatype}` does not have `{}` bytes",
            bytes.len()
        )));
    }
    Ok(match datatype {
        DataType::Bool => TensorData::Bool(truths(name, bytes)?),
        DataType::Uint8 => TensorData::Uint8(bytes.to_vec()),
        DataType::Uint16 => TensorData::Uint16(numbers(bytes, u16::from_le_bytes)),
        DataType::Uint32 => TensorData::Uint32(numbers(bytes, u32::from_le_bytes)),
        DataType::Uint64 => TensorData::Uint64(numbers(bytes, u64::from_le_bytes)),
        DataType::Int8 => TensorData::Int8(numbers(bytes, i8::from_le_bytes)),
        DataType::Int16 => TensorData::Int16(numbers(bytes, i16::from_le_bytes)),
        DataType::Int32 => TensorData::Int32(numbers(bytes, i32::from_le_bytes)),
        DataType::Int64 => TensorData::Int64(numbers(bytes, i64::from_le_bytes)),
        DataType::Fp16 => TensorData::Fp16(numbers(bytes, u16::from_le_bytes)),
        DataType::Fp32 => TensorData::Fp32(numbers(bytes, f32::from_le_bytes)),
        DataType::Fp64 => TensorData::Fp64(numbers(bytes, f64::from_le_bytes)),
        DataType::Bytes => TensorData::Bytes(Vec::new()),
    })
}

/// How many bytes [`write`] appends.
pub(super) fn len(data: &TensorData) -> usize {
    match (data, data.datatype().size()) {
        (TensorData::Bytes(values), _) => values.iter().fold(0_usize, |sum, value| {
            sum.saturating_add(PREFIX).saturating_add(value.len())
        }),
        (_, size) => data.len().saturating_mul(size.unwrap_or_default()),
    }
}

/// Appends the elements.
pub(super) fn write(data: &TensorData, bytes: &mut Vec<u8>) {
    bytes.reserve(len(data));
    match data {
        TensorData::Bool(values) => bytes.extend(values.iter().map(|&value| u8::from(value))),
        TensorData::Uint8(values) => bytes.extend_from_slice(values),
        TensorData::Uint16(values) | TensorData::Fp16(values) => {
            append(values, bytes, u16::to_le_bytes);
        }
        TensorData::Uint32(values) => append(values, bytes, u32::to_le_bytes),
        TensorData::Uint64(values) => append(values, bytes, u64::to_le_bytes),
        TensorData::Int8(values) => append(values, bytes, i8::to_le_bytes),
        TensorData::Int16(values) => append(values, bytes, i16::to_le_bytes),
        TensorData::Int32(values) => append(values, bytes, i32::to_le_bytes),
        TensorData::Int64(values) => append(values, bytes, i64::to_le_bytes),
        TensorData::Fp32(values) => append(values, bytes, f32::to_le_bytes),
        TensorData::Fp64(values) => append(values, bytes, f64::to_le_bytes),
        TensorData::Bytes(values) => {
            for value in values {
                // A constructed tensor has no longer element.
                let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
                bytes.extend_from_slice(&length.to_le_bytes());
                bytes.extend_from_slice(value);
            }
        }
    }
}

fn numbers<T, const N: usize>(bytes: &[u8], from: impl Fn([u8; N]) -> T) -> Vec<T> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|&chunk| from(chunk)).collect()
}

fn append<T: Copy, const N: usize>(values: &[T], bytes: &mut Vec<u8>, to: impl Fn(T) -> [u8; N]) {
    for &value in values {
        bytes.extend_from_slice(&to(value));
    }
}

fn truths(name: &str, bytes: &[u8]) -> Result<Vec<bool>, ProtocolError> {
    if let Some(byte) = bytes.iter().find(|&&byte| byte > 1) {
        return Err(ProtocolError::invalid(format!(
            "tensor `{name}` of BOOL has the byte `{byte}`, which is neither 0 nor 1"
        )));
    }
    Ok(bytes.iter().map(|&byte| byte == 1).collect())
}

fn strings(name: &str, elements: usize, bytes: &[u8]) -> Result<Vec<Vec<u8>>, ProtocolError> {
    let wrong = |what: &str| {
        ProtocolError::invalid(format!(
            "tensor `{name}` of `{elements}` elements of `BYTES` {what} (it has `{}` bytes)",
            bytes.len()
        ))
    };
    // Each element takes its prefix at least: what follows allocates no more than a multiple of the bytes that are there.
    if elements
        .checked_mul(PREFIX)
        .is_none_or(|least| least > bytes.len())
    {
        return Err(wrong("is cut short"));
    }
    let mut values = Vec::with_capacity(elements);
    let mut rest = bytes;
    for _ in 0..elements {
        let (prefix, behind) = rest
            .split_first_chunk::<PREFIX>()
            .ok_or_else(|| wrong("is cut short"))?;
        let length = u32::from_le_bytes(*prefix) as usize;
        let (value, behind) = behind
            .split_at_checked(length)
            .ok_or_else(|| wrong("has an element that reaches past its end"))?;
        values.push(value.to_vec());
        rest = behind;
    }
    if rest.is_empty() {
        return Ok(values);
    }
    Err(wrong("has bytes behind its last element"))
}

/// The length before each element of BYTES.
const PREFIX: usize = 4;
