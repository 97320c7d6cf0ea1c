//! What is checked of a message before it is decoded.

use prost::DecodeError;

use crate::protocol::error::ProtocolError;

/// Refuses a message with more fields, at its top and within its tensors, than any client sends.
///
/// A decoder makes a value of hundreds of bytes from each empty tensor or parameter, which costs a client two bytes. With this bound
/// the memory of a decoded message is a small multiple of its bytes.
pub(super) fn check(mut bytes: &[u8]) -> Result<(), ProtocolError> {
    let mut left = FIELDS_MAX;
    while !bytes.is_empty() {
        let field = field(bytes).ok_or_else(|| {
            ProtocolError::invalid("the message is cut short or is no protocol buffer")
        })?;
        left = left.checked_sub(1).ok_or_else(too_many)?;
        if TENSORS.contains(&field.number) {
            left = count(field.value, left).ok_or_else(too_many)?;
        }
        bytes = field.rest;
    }
    Ok(())
}

/// What is left of the bound after the fields of a tensor. One that does not parse is left to the decoder, which says what is wrong.
fn count(mut tensor: &[u8], mut left: usize) -> Option<usize> {
    while let Some(field) = field(tensor) {
        left = left.checked_sub(1)?;
        tensor = field.rest;
    }
    Some(left)
}

fn too_many() -> ProtocolError {
    ProtocolError::invalid(format!(
        "the message has more than `{FIELDS_MAX}` fields; send fewer tensors at once"
    ))
}

pub(super) fn malformed(error: &DecodeError) -> ProtocolError {
    ProtocolError::invalid(format!("the message is malformed: {error}"))
}

struct Field<'a> {
    number: u64,
    /// Empty for a number.
    value: &'a [u8],
    rest: &'a [u8],
}

/// The first field.
fn field(bytes: &[u8]) -> Option<Field<'_>> {
    let (tag, bytes) = varint(bytes)?;
    let (value, rest) = match tag & 7 {
        0 => (&[][..], varint(bytes)?.1),
        1 => (&[][..], bytes.get(8..)?),
        2 => {
            let (len, bytes) = varint(bytes)?;
            bytes.split_at_checked(usize::try_from(len).ok()?)?
        }
        5 => (&[][..], bytes.get(4..)?),
        // Groups went out of use before this protocol began.
        _ => return None,
    };
    Some(Field {
        number: tag >> 3,
        value,
        rest,
    })
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(index).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

const FIELDS_MAX: usize = 4096;
/// The inputs and outputs of a `ModelInferRequest`.
const TENSORS: [u64; 2] = [5, 6];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::super::generated::inference::ModelInferRequest;
    use super::super::generated::inference::model_infer_request::InferInputTensor;
    use super::*;

    #[test]
    fn as_many_fields_as_the_bound_pass_and_one_more_does_not() {
        let empty_tensors = |count| [0x2a, 0].repeat(count);
        assert_eq!(check(&empty_tensors(FIELDS_MAX)), Ok(()));
        let refused = check(&empty_tensors(FIELDS_MAX + 1)).unwrap_err();
        assert!(refused.message().contains("4096"), "{refused}");
    }

    #[test]
    fn parameters_of_a_tensor_count_too() {
        let tensor = |parameters| {
            let mut bytes = vec![0x2a, 0x80, 0x40];
            bytes.extend([0x22, 0].repeat(parameters));
            bytes
        };
        // 4,096 of two bytes each, and the tensor itself.
        assert!(check(&tensor(4096)).is_err());
        let decoded = ModelInferRequest::decode(tensor(4096).as_slice()).unwrap();
        assert_eq!(decoded.inputs.len(), 1);
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        for cut in [&[0x0a_u8, 5, b'a'][..], &[0x0a], &[0x80], &[0x09, 1, 2]] {
            assert!(check(cut).is_err(), "{cut:?}");
        }
        let huge = [
            0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
        ];
        assert!(check(&huge).is_err());
    }

    proptest! {
        #[test]
        fn whatever_the_encoder_writes_passes(
            name in ".{0,20}",
            shapes in prop::collection::vec(prop::collection::vec(any::<i64>(), 0..4), 0..5),
        ) {
            let inputs = shapes
                .into_iter()
                .map(|shape| InferInputTensor { shape, ..InferInputTensor::default() })
                .collect();
            let message = ModelInferRequest { model_name: name, inputs, ..ModelInferRequest::default() };
            prop_assert_eq!(check(&message.encode_to_vec()), Ok(()));
        }

        #[test]
        fn what_is_refused_as_cut_short_does_not_decode(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let groups = bytes.iter().any(|byte| matches!(byte & 7, 3 | 4));
            if check(&bytes).is_err() && !groups {
                prop_assert!(ModelInferRequest::decode(bytes.as_slice()).is_err());
            }
        }
    }
}
