//! Questions.

use prost::bytes::Bytes;

use super::super::generated::inference::ModelInferRequest;
use super::super::generated::inference::model_infer_request::{
    InferInputTensor, InferRequestedOutputTensor,
};
use super::{contents, parameter};
use crate::protocol::error::ProtocolError;
use crate::protocol::infer::{InferRequest, InputTensor, RequestedOutput};
use crate::protocol::tensor::{DataType, Tensor};

/// The question that a message asks.
pub(in super::super) fn infer_request(
    message: ModelInferRequest,
) -> Result<InferRequest, ProtocolError> {
    if message.model_name.is_empty() {
        return Err(ProtocolError::invalid("name a model in `model_name`"));
    }
    let inputs = inputs(message.inputs, message.raw_input_contents)?;
    let outputs = message.outputs.into_iter().map(output);
    let outputs = outputs.collect::<Result<_, _>>()?;
    let parameters = parameter::parameters(&|| "the request".to_owned(), message.parameters)?;
    let mut request = InferRequest::new(message.model_name, inputs)
        .with_outputs(outputs)
        .with_parameters(parameters);
    if !message.model_version.is_empty() {
        request = request.with_version(message.model_version);
    }
    if !message.id.is_empty() {
        request = request.with_id(message.id);
    }
    Ok(request)
}

/// The inputs, all with raw contents or all with typed ones.
fn inputs(
    messages: Vec<InferInputTensor>,
    raw: Vec<Bytes>,
) -> Result<Vec<InputTensor>, ProtocolError> {
    if raw.is_empty() {
        return messages.into_iter().map(typed_input).collect();
    }
    if raw.len() != messages.len() {
        return Err(ProtocolError::invalid(format!(
            "`raw_input_contents` has `{}` entries for `{}` inputs; send one for each",
            raw.len(),
            messages.len()
        )));
    }
    let pairs = messages.into_iter().zip(raw);
    pairs
        .map(|(message, raw)| raw_input(message, &raw))
        .collect()
}

fn raw_input(message: InferInputTensor, raw: &[u8]) -> Result<InputTensor, ProtocolError> {
    let name = message.name;
    if message
        .contents
        .as_ref()
        .is_some_and(|typed| !contents::is_empty(typed))
    {
        return Err(ProtocolError::invalid(format!(
            "input `{name}` has typed contents beside `raw_input_contents`; send either"
        )));
    }
    let datatype = message.datatype.parse::<DataType>()?;
    let shape = shape(&name, &message.shape)?;
    let parameters = parameter::tensor_parameters(&name, message.parameters)?;
    let tensor = Tensor::from_raw(name, datatype, shape, raw)?;
    Ok(InputTensor::new(tensor).with_parameters(parameters))
}

fn typed_input(message: InferInputTensor) -> Result<InputTensor, ProtocolError> {
    let name = message.name;
    let datatype = message.datatype.parse::<DataType>()?;
    let shape = shape(&name, &message.shape)?;
    let parameters = parameter::tensor_parameters(&name, message.parameters)?;
    let data = contents::elements(&name, datatype, message.contents.unwrap_or_default())?;
    let tensor = Tensor::new(name, shape, data)?;
    Ok(InputTensor::new(tensor).with_parameters(parameters))
}

fn output(message: InferRequestedOutputTensor) -> Result<RequestedOutput, ProtocolError> {
    let name = message.name;
    let parameters = parameter::tensor_parameters(&name, message.parameters)?;
    Ok(RequestedOutput::new(name).with_parameters(parameters))
}

fn shape(name: &str, dimensions: &[i64]) -> Result<Vec<u64>, ProtocolError> {
    if dimensions.len() > DIMENSIONS_MAX {
        return Err(ProtocolError::invalid(format!(
            "input `{name}` has `{}` dimensions; send at most `{DIMENSIONS_MAX}`",
            dimensions.len()
        )));
    }
    dimensions
        .iter()
        .map(|&size| {
            u64::try_from(size).map_err(|_| {
                ProtocolError::invalid(format!(
                    "input `{name}` has the dimension `{size}`; send what it is, not a placeholder"
                ))
            })
        })
        .collect()
}

/// More than any array library takes, and few enough to show in an error.
const DIMENSIONS_MAX: usize = 64;
