//! Answers.

use prost::bytes::Bytes;

use super::super::generated::inference::ModelInferResponse;
use super::super::generated::inference::model_infer_response::InferOutputTensor;
use super::parameter;
use crate::protocol::error::{Code, ProtocolError};
use crate::protocol::infer::InferResponse;
use crate::protocol::tensor::Tensor;

/// The message of an answer, its outputs raw.
pub(in super::super) fn infer_response(
    response: &InferResponse,
) -> Result<ModelInferResponse, ProtocolError> {
    let outputs = response.outputs();
    Ok(ModelInferResponse {
        model_name: response.model().to_owned(),
        model_version: response.version().to_owned(),
        id: response.id().unwrap_or_default().to_owned(),
        parameters: parameter::messages(response.parameters()),
        outputs: outputs.iter().map(output).collect::<Result<_, _>>()?,
        raw_output_contents: outputs
            .iter()
            .map(|tensor| Bytes::from(tensor.raw()))
            .collect(),
    })
}

fn output(tensor: &Tensor) -> Result<InferOutputTensor, ProtocolError> {
    let shape = tensor.shape().iter().map(|&size| i64::try_from(size));
    let shape = shape.collect::<Result<_, _>>().map_err(|_| {
        let name = tensor.name();
        ProtocolError::new(
            Code::Internal,
            format!("output `{name}` has a dimension that the protocol cannot express"),
        )
    })?;
    Ok(InferOutputTensor {
        name: tensor.name().to_owned(),
        datatype: tensor.datatype().name().to_owned(),
        shape,
        ..InferOutputTensor::default()
    })
}
