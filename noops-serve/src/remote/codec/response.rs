//! Reading an answer.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::BINARY_SIZE;
use super::elements::Elements;
use crate::protocol::{DataType, InferResponse, ProtocolError, Tensor};

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    model_name: String,
    #[serde(default)]
    model_version: Option<String>,
    #[serde(default)]
    id: Option<String>,
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    name: String,
    shape: Vec<u64>,
    datatype: String,
    #[serde(default)]
    parameters: Option<Map<String, Value>>,
    #[serde(default)]
    data: Option<Elements>,
}

/// The answer in a body whose first `header` bytes are JSON, or all of them.
///
/// # Errors
///
/// A body that is no answer, one with too few or too many bytes behind the JSON, and a tensor whose elements do not fill its shape.
///
/// # Complexity
///
/// Linear in the body; what is kept takes at most a constant multiple of it.
pub(in crate::remote) fn decode(
    body: &[u8],
    header: Option<usize>,
) -> Result<InferResponse, ProtocolError> {
    let (json, mut rest) = body
        .split_at_checked(header.unwrap_or(body.len()))
        .ok_or_else(|| refuse("the header is said to be longer than the body"))?;
    let head: Head = serde_json::from_slice(json)
        .map_err(|error| refuse(format!("it is not the JSON of an answer: {error}")))?;
    let mut outputs = Vec::with_capacity(head.outputs.len());
    for output in head.outputs {
        let datatype: DataType = output.datatype.parse()?;
        let size = output
            .parameters
            .as_ref()
            .and_then(|parameters| parameters.get(BINARY_SIZE));
        let name = output.name;
        outputs.push(match (size, output.data) {
            (Some(size), None) => {
                let (bytes, behind) = size
                    .as_u64()
                    .and_then(|size| usize::try_from(size).ok())
                    .and_then(|size| rest.split_at_checked(size))
                    .ok_or_else(|| {
                        refuse(format!("output `{name}` has fewer bytes than it says"))
                    })?;
                rest = behind;
                Tensor::from_raw(name, datatype, output.shape, bytes)?
            }
            (None, Some(elements)) => {
                let data = elements.into_data(datatype).ok_or_else(|| {
                    refuse(format!(
                        "output `{name}` has elements that are no `{datatype}`"
                    ))
                })?;
                Tensor::new(name, output.shape, data)?
            }
            (Some(_), Some(_)) => {
                return Err(refuse(format!("output `{name}` has its elements twice")));
            }
            (None, None) => return Err(refuse(format!("output `{name}` has no elements"))),
        });
    }
    if !rest.is_empty() {
        return Err(refuse(format!(
            "`{}` bytes at the end belong to no output",
            rest.len()
        )));
    }
    let version = head.model_version.unwrap_or_default();
    let response = InferResponse::new(head.model_name, version, outputs);
    Ok(match head.id {
        Some(id) => response.with_id(id),
        None => response,
    })
}

fn refuse(message: impl Into<String>) -> ProtocolError {
    ProtocolError::invalid(message)
}
