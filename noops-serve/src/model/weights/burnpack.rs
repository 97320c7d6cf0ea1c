use burn_pack::{Bytes, DType, Reader, Tensor, Writer};
use noops_core::Error;

use super::element::Element;
use super::{NamedTensor, Weights, corrupt, elements, invalid};

pub(super) fn read(bytes: &[u8]) -> Result<Weights, Error> {
    let malformed = |error: burn_pack::Error| {
        corrupt("the burnpack file is malformed").caused_by(error.to_string())
    };
    let reader = Reader::from_bytes(Bytes::from_bytes_vec(bytes.to_vec())).map_err(malformed)?;
    let mut weights = Weights {
        metadata: reader.metadata().clone(),
        ..Weights::new()
    };
    let tensors = reader.into_tensors().map_err(malformed)?;
    // Tensors may lie over each other, which would make much of a few bytes.
    let claimed = tensors
        .iter()
        .fold(0_usize, |sum, tensor| sum.saturating_add(tensor.byte_len()));
    if claimed > bytes.len() {
        return Err(corrupt("the tensors of the burnpack file overlap")
            .with("bytes", bytes.len())
            .with("bytes claimed", claimed));
    }
    for tensor in tensors {
        let (name, dtype, shape, _, data) = tensor.into_parts().map_err(malformed)?;
        let element = match dtype {
            DType::F16 => Element::Half,
            DType::BF16 => Element::BrainFloat,
            DType::F32 | DType::Flex32 => Element::Single,
            DType::F64 => Element::Double,
            DType::QFloat(_) => {
                let error = invalid("a tensor is quantised, save the module in single precision");
                return Err(error.with("tensor", name));
            }
            _ => continue,
        };
        let shape = shape.to_vec();
        let needed = elements(&shape).and_then(|count| count.checked_mul(element.size()));
        if needed != Some(data.len()) {
            return Err(corrupt("a tensor has other bytes than its shape").with("tensor", name));
        }
        let values = element.decode(&data);
        weights.insert(name, NamedTensor { shape, values });
    }
    Ok(weights)
}

pub(super) fn write(weights: &Weights) -> Result<Vec<u8>, Error> {
    let tensors = weights.tensors().map(|(name, tensor)| {
        let bytes: Vec<u8> = tensor
            .values()
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let bytes = Bytes::from_bytes_vec(bytes);
        Tensor::new(
            name.to_owned(),
            DType::F32,
            tensor.shape().to_vec(),
            None,
            bytes,
        )
    });
    let mut writer = Writer::new(tensors.collect());
    for (key, value) in weights.metadata() {
        writer = writer.with_metadata(key, value);
    }
    let bytes = writer.into_bytes();
    let bytes = bytes.map_err(|error| {
        invalid("the tensors fit no burnpack file").caused_by(error.to_string())
    })?;
    Ok(bytes.to_vec())
}
