//! Typed contents of tensors.

use super::super::generated::inference::InferTensorContents;
use crate::protocol::error::ProtocolError;
use crate::protocol::tensor::{DataType, TensorData};

/// The elements of the one list that an input of this type fills.
pub(super) fn elements(
    name: &str,
    datatype: DataType,
    contents: InferTensorContents,
) -> Result<TensorData, ProtocolError> {
    let Some(expected) = field(datatype) else {
        return Err(ProtocolError::invalid(format!(
            "input `{name}` is {datatype}, which has no typed contents; send it in `raw_input_contents`"
        )));
    };
    if let Some(other) = filled(&contents).find(|&field| field != expected) {
        return Err(ProtocolError::invalid(format!(
            "input `{name}` is {datatype} and belongs into `{expected}`, not `{other}`"
        )));
    }
    Ok(match datatype {
        DataType::Bool => TensorData::Bool(contents.bool_contents),
        DataType::Int8 => TensorData::Int8(narrow(name, datatype, contents.int_contents)?),
        DataType::Int16 => TensorData::Int16(narrow(name, datatype, contents.int_contents)?),
        DataType::Int32 => TensorData::Int32(contents.int_contents),
        DataType::Int64 => TensorData::Int64(contents.int64_contents),
        DataType::Uint8 => TensorData::Uint8(narrow(name, datatype, contents.uint_contents)?),
        DataType::Uint16 => TensorData::Uint16(narrow(name, datatype, contents.uint_contents)?),
        DataType::Uint32 => TensorData::Uint32(contents.uint_contents),
        DataType::Uint64 => TensorData::Uint64(contents.uint64_contents),
        // Half precision has no list of its own and is refused above.
        DataType::Fp16 => TensorData::Fp16(Vec::new()),
        DataType::Fp32 => TensorData::Fp32(contents.fp32_contents),
        DataType::Fp64 => TensorData::Fp64(contents.fp64_contents),
        DataType::Bytes => TensorData::Bytes(
            contents
                .bytes_contents
                .iter()
                .map(|value| value.to_vec())
                .collect(),
        ),
    })
}

/// Whether no list has an element.
pub(super) fn is_empty(contents: &InferTensorContents) -> bool {
    filled(contents).next().is_none()
}

/// The list that elements of this type are in.
fn field(datatype: DataType) -> Option<&'static str> {
    match datatype {
        DataType::Bool => Some("bool_contents"),
        DataType::Int8 | DataType::Int16 | DataType::Int32 => Some("int_contents"),
        DataType::Int64 => Some("int64_contents"),
        DataType::Uint8 | DataType::Uint16 | DataType::Uint32 => Some("uint_contents"),
        DataType::Uint64 => Some("uint64_contents"),
        DataType::Fp16 => None,
        DataType::Fp32 => Some("fp32_contents"),
        DataType::Fp64 => Some("fp64_contents"),
        DataType::Bytes => Some("bytes_contents"),
    }
}

/// The lists that have elements.
fn filled(contents: &InferTensorContents) -> impl Iterator<Item = &'static str> {
    let lists = [
        ("bool_contents", contents.bool_contents.is_empty()),
        ("int_contents", contents.int_contents.is_empty()),
        ("int64_contents", contents.int64_contents.is_empty()),
        ("uint_contents", contents.uint_contents.is_empty()),
        ("uint64_contents", contents.uint64_contents.is_empty()),
        ("fp32_contents", contents.fp32_contents.is_empty()),
        ("fp64_contents", contents.fp64_contents.is_empty()),
        ("bytes_contents", contents.bytes_contents.is_empty()),
    ];
    lists
        .into_iter()
        .filter(|(_, empty)| !empty)
        .map(|(field, _)| field)
}

/// Elements of a smaller type than the list has.
fn narrow<W, N>(name: &str, datatype: DataType, values: Vec<W>) -> Result<Vec<N>, ProtocolError>
where
    W: Copy + std::fmt::Display,
    N: TryFrom<W>,
{
    values
        .into_iter()
        .map(|value| {
            N::try_from(value).map_err(|_| {
                ProtocolError::invalid(format!(
                    "input `{name}` has `{value}`, which {datatype} does not hold"
                ))
            })
        })
        .collect()
}
