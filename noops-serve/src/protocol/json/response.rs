//! Writing answers.

use serde::Serialize;

use crate::protocol::error::{Code, ProtocolError};
use crate::protocol::infer::InferResponse;
use crate::protocol::parameter::{Parameter, Parameters};
use crate::protocol::tensor::{Tensor, TensorData};

/// An answer as JSON, keys in Triton's order and floats in the shortest form that reads back the same.
///
/// # Errors
///
/// `Internal` for a number that is not finite, which JSON cannot hold; `InvalidArgument` for FP16, and for bytes that are no
/// UTF-8: a client gets those as binary data.
///
/// # Examples
///
/// ```
/// use noops_serve::protocol::{InferResponse, Tensor, TensorData, json};
///
/// let scores = Tensor::new("y", vec![1, 1], TensorData::Fp32(vec![0.25]))?;
/// let body = json::encode_response(&InferResponse::new("churn", "3", vec![scores]))?;
/// assert_eq!(
///     String::from_utf8_lossy(&body),
///     r#"{"model_name":"churn","model_version":"3","outputs":[{"name":"y","datatype":"FP32","shape":[1,1],"data":[0.25]}]}"#
/// );
/// # Ok::<(), noops_serve::protocol::ProtocolError>(())
/// ```
pub fn encode_response(response: &InferResponse) -> Result<Vec<u8>, ProtocolError> {
    let mut body = Vec::with_capacity(roughly(response));
    write_response(response, |_| Form::Json, &mut body)?;
    Ok(body)
}

/// How an output travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As numbers and strings.
    Json,
    /// As bytes behind the JSON.
    Binary,
}

/// Writes the JSON of an answer, with the sizes of those outputs that follow it as bytes.
pub(crate) fn write_response(
    response: &InferResponse,
    form_of: impl Fn(&Tensor) -> Form,
    body: &mut Vec<u8>,
) -> Result<(), ProtocolError> {
    body.push(b'{');
    if let Some(id) = response.id() {
        body.extend_from_slice(b"\"id\":");
        write(body, id)?;
        body.push(b',');
    }
    body.extend_from_slice(b"\"model_name\":");
    write(body, response.model())?;
    body.extend_from_slice(b",\"model_version\":");
    write(body, response.version())?;
    if !response.parameters().is_empty() {
        body.extend_from_slice(b",\"parameters\":");
        write_parameters(body, response.parameters())?;
    }
    body.extend_from_slice(b",\"outputs\":[");
    for (index, output) in response.outputs().iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        write_output(body, output, form_of(output))?;
    }
    body.extend_from_slice(b"]}");
    Ok(())
}

fn write_output(body: &mut Vec<u8>, output: &Tensor, form: Form) -> Result<(), ProtocolError> {
    body.extend_from_slice(b"{\"name\":");
    write(body, output.name())?;
    body.extend_from_slice(b",\"datatype\":\"");
    body.extend_from_slice(output.datatype().name().as_bytes());
    body.extend_from_slice(b"\",\"shape\":");
    write(body, output.shape())?;
    match form {
        Form::Binary => {
            body.extend_from_slice(b",\"parameters\":{\"binary_data_size\":");
            write(body, &output.raw_len())?;
            body.push(b'}');
        }
        Form::Json => {
            body.extend_from_slice(b",\"data\":");
            write_data(body, output)?;
        }
    }
    body.push(b'}');
    Ok(())
}

fn write_data(body: &mut Vec<u8>, output: &Tensor) -> Result<(), ProtocolError> {
    match output.data() {
        TensorData::Bool(values) => write(body, values),
        TensorData::Uint8(values) => write(body, values),
        TensorData::Uint16(values) => write(body, values),
        TensorData::Uint32(values) => write(body, values),
        TensorData::Uint64(values) => write(body, values),
        TensorData::Int8(values) => write(body, values),
        TensorData::Int16(values) => write(body, values),
        TensorData::Int32(values) => write(body, values),
        TensorData::Int64(values) => write(body, values),
        TensorData::Fp32(values) if values.iter().all(|value| value.is_finite()) => {
            write(body, values)
        }
        TensorData::Fp64(values) if values.iter().all(|value| value.is_finite()) => {
            write(body, values)
        }
        TensorData::Fp32(_) | TensorData::Fp64(_) => Err(ProtocolError::new(
            Code::Internal,
            format!("output `{}` has a number that is not finite", output.name()),
        )),
        TensorData::Fp16(_) => Err(ProtocolError::invalid(format!(
            "output `{}` of FP16 has no form in JSON; ask for it with `binary_data`",
            output.name()
        ))),
        TensorData::Bytes(values) => {
            let texts: Result<Vec<&str>, _> = values
                .iter()
                .map(|value| std::str::from_utf8(value))
                .collect();
            let texts = texts.map_err(|_| {
                ProtocolError::invalid(format!(
                    "output `{}` has bytes that are no UTF-8; ask for it with `binary_data`",
                    output.name()
                ))
            })?;
            write(body, &texts)
        }
    }
}

fn write_parameters(body: &mut Vec<u8>, parameters: &Parameters) -> Result<(), ProtocolError> {
    body.push(b'{');
    for (index, (name, value)) in parameters.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        write(body, name)?;
        body.push(b':');
        match value {
            Parameter::Bool(value) => write(body, value),
            Parameter::Int64(value) => write(body, value),
            Parameter::Uint64(value) => write(body, value),
            // JSON has no word for the others; `null` is what every writer of parameters gives.
            Parameter::Double(value) => write(body, value),
            Parameter::Text(value) => write(body, value),
        }?;
    }
    body.push(b'}');
    Ok(())
}

fn write<T: Serialize + ?Sized>(body: &mut Vec<u8>, value: &T) -> Result<(), ProtocolError> {
    serde_json::to_writer(body, value).map_err(|error| {
        ProtocolError::new(Code::Internal, format!("the answer is no JSON: {error}"))
    })
}

/// About how many bytes the JSON has.
fn roughly(response: &InferResponse) -> usize {
    let outputs = response
        .outputs()
        .iter()
        .map(|output| output.data().len().saturating_mul(12).saturating_add(96));
    outputs.fold(128, usize::saturating_add)
}

#[cfg(test)]
mod tests;
