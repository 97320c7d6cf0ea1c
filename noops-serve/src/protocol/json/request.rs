//! Reading requests.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::data;
use super::object::{Object, RawParameters};
use crate::protocol::error::ProtocolError;
use crate::protocol::infer::{InferRequest, InputTensor, RequestedOutput};
use crate::protocol::parameter::followed;
use crate::protocol::tensor::{DataType, Tensor};

/// A request to a model, or to one version of it, from a body of JSON alone.
///
/// Keys may come in any order; unknown ones are passed over, duplicates refused.
///
/// # Errors
///
/// `InvalidArgument` with the tensor and what is wrong with it: JSON that is none, data that does not fit its type or shape.
///
/// # Complexity
///
/// Linear in the body, in time and memory.
///
/// # Examples
///
/// ```
/// use noops_serve::protocol::{TensorData, json};
///
/// let body = br#"{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [[1, 2.5]]}]}"#;
/// let request = json::decode_request(body, "churn", None)?;
/// assert_eq!(request.inputs()[0].tensor().data(), &TensorData::Fp32(vec![1.0, 2.5]));
/// # Ok::<(), noops_serve::protocol::ProtocolError>(())
/// ```
pub fn decode_request(
    body: &[u8],
    model: &str,
    version: Option<&str>,
) -> Result<InferRequest, ProtocolError> {
    RawRequest::read(body)?.into_request(model, version, Blobs::None)
}

/// A request whose tensors are still text or bytes.
#[derive(Deserialize)]
pub(crate) struct RawRequest<'a> {
    id: Option<String>,
    #[serde(default)]
    parameters: RawParameters,
    #[serde(borrow)]
    inputs: Vec<Object<RawInput<'a>>>,
    #[serde(borrow, default)]
    outputs: Vec<Object<RawOutput<'a>>>,
}

#[derive(Deserialize)]
struct RawInput<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    datatype: Cow<'a, str>,
    shape: Vec<i64>,
    #[serde(default)]
    parameters: RawParameters,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawOutput<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default)]
    parameters: RawParameters,
}

/// What follows the JSON of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Blobs<'a> {
    /// Nothing: the whole body is JSON.
    None,
    /// The bytes of the tensors that announce some, in the order of the inputs.
    Bytes(&'a [u8]),
}

impl<'a> RawRequest<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, ProtocolError> {
        serde_json::from_slice::<Object<Self>>(body)
            .map(|Object(request)| request)
            .map_err(|error| malformed(body, &error))
    }

    pub(crate) fn into_request(
        self,
        model: &str,
        version: Option<&str>,
        mut blobs: Blobs<'_>,
    ) -> Result<InferRequest, ProtocolError> {
        few("inputs", self.inputs.len())?;
        few("outputs", self.outputs.len())?;
        each_once("input", self.inputs.iter().map(|Object(input)| &input.name))?;
        each_once(
            "output",
            self.outputs.iter().map(|Object(output)| &output.name),
        )?;
        let inputs = self.inputs.into_iter();
        let inputs = inputs.map(|Object(input)| input.into_input(&mut blobs));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        if let Blobs::Bytes(rest) = blobs
            && !rest.is_empty()
        {
            return Err(ProtocolError::invalid(format!(
                "the body has `{}` bytes behind those that its inputs announce by `binary_data_size`",
                rest.len()
            )));
        }
        let outputs = self.outputs.into_iter();
        let outputs = outputs.map(|Object(output)| output.into_output());
        let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
        let mut request = InferRequest::new(model, inputs)
            .with_parameters(self.parameters.0)
            .with_outputs(outputs);
        if let Some(version) = version {
            request = request.with_version(version);
        }
        if let Some(id) = self.id {
            request = request.with_id(id);
        }
        Ok(request)
    }
}

impl RawInput<'_> {
    fn into_input(self, blobs: &mut Blobs<'_>) -> Result<InputTensor, ProtocolError> {
        let Self {
            name,
            datatype,
            shape,
            parameters: RawParameters(parameters),
            data,
        } = self;
        followed(&name, parameters.keys().map(String::as_str))?;
        let within = |error: ProtocolError| {
            ProtocolError::new(error.code(), format!("tensor `{name}`: {error}"))
        };
        let datatype: DataType = datatype.parse().map_err(within)?;
        let shape = dimensions(&name, &shape)?;
        let tensor = match (data, parameters.get("binary_data_size")) {
            (Some(text), None) => data::tensor(name, datatype, shape, text.get()),
            (None, Some(size)) => {
                let size = size.as_u64().and_then(|size| usize::try_from(size).ok());
                let bytes = take(&name, size, blobs)?;
                Tensor::from_raw(name, datatype, shape, bytes)
            }
            (Some(_), Some(_)) => Err(ProtocolError::invalid(format!(
                "tensor `{name}` has both `data` and `binary_data_size`; send one"
            ))),
            (None, None) => Err(ProtocolError::invalid(format!(
                "tensor `{name}` has no `data`"
            ))),
        }?;
        Ok(InputTensor::new(tensor).with_parameters(parameters))
    }
}

impl RawOutput<'_> {
    fn into_output(self) -> Result<RequestedOutput, ProtocolError> {
        let RawParameters(parameters) = self.parameters;
        followed(&self.name, parameters.keys().map(String::as_str))?;
        Ok(RequestedOutput::new(self.name).with_parameters(parameters))
    }
}

/// The next bytes of the binary part.
fn take<'a>(
    name: &str,
    size: Option<usize>,
    blobs: &mut Blobs<'a>,
) -> Result<&'a [u8], ProtocolError> {
    let Blobs::Bytes(rest) = blobs else {
        return Err(ProtocolError::invalid(format!(
            "tensor `{name}` announces binary data, but the request has no header `Inference-Header-Content-Length`"
        )));
    };
    let (bytes, behind) = size
        .and_then(|size| rest.split_at_checked(size))
        .ok_or_else(|| {
            ProtocolError::invalid(format!(
                "tensor `{name}` has a `binary_data_size` that is no number of bytes in the body; `{}` are left",
                rest.len()
            ))
        })?;
    *rest = behind;
    Ok(bytes)
}

fn dimensions(name: &str, shape: &[i64]) -> Result<Vec<u64>, ProtocolError> {
    let sizes = shape.iter().map(|&size| u64::try_from(size));
    sizes.collect::<Result<_, _>>().map_err(|_| {
        ProtocolError::invalid(format!(
            "tensor `{name}` has a negative dimension; a request gives the size of each"
        ))
    })
}

fn few(what: &str, count: usize) -> Result<(), ProtocolError> {
    if count <= MAX_TENSORS {
        return Ok(());
    }
    Err(ProtocolError::invalid(format!(
        "the request has `{count}` {what}; send at most `{MAX_TENSORS}`"
    )))
}

fn each_once<'a>(
    what: &str,
    names: impl ExactSizeIterator<Item = &'a Cow<'a, str>>,
) -> Result<(), ProtocolError> {
    if names.len() < 2 {
        return Ok(());
    }
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(ProtocolError::invalid(format!(
                "the request names {what} `{name}` twice"
            )));
        }
    }
    Ok(())
}

fn malformed(body: &[u8], error: &serde_json::Error) -> ProtocolError {
    let line = body
        .split(|&byte| byte == b'\n')
        .nth(error.line().saturating_sub(1));
    let near = line
        .unwrap_or_default()
        .iter()
        .skip(error.column().saturating_sub(3));
    let near: Vec<u8> = near.copied().take(6).collect();
    let names = |word: &[u8]| near.windows(word.len()).any(|window| window == word);
    if error.is_syntax() && (names(b"NaN") || names(b"Inf")) {
        return ProtocolError::invalid(format!(
            "the request is no JSON, which has no NaN and no Infinity; send such values as binary data ({error})"
        ));
    }
    ProtocolError::invalid(format!(
        "the request is no valid JSON of an inference: {error}"
    ))
}

/// No model has more inputs; the bound keeps a body of empty tensors cheap.
const MAX_TENSORS: usize = 1024;

#[cfg(test)]
mod tests;
