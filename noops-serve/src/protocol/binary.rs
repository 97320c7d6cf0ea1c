//! The binary tensor extension: tensors as bytes behind the JSON of a request or an answer.

use super::error::ProtocolError;
use super::infer::{InferRequest, InferResponse};
use super::json::{Blobs, Form, RawRequest, write_response};
use super::parameter::{Parameter, Parameters};
use super::tensor::Tensor;

/// A request to a model, or to one version of it, whose first `header_length` bytes are JSON and whose other bytes are those of the
/// inputs that announce some by `binary_data_size`, in their order.
///
/// # Errors
///
/// `InvalidArgument` for a header longer than the body, sizes that do not add up to exactly the body, and all that
/// [`json::decode_request`](super::json::decode_request) refuses.
///
/// # Complexity
///
/// Linear in the body, in time and memory.
///
/// # Examples
///
/// ```
/// use noops_serve::protocol::{TensorData, binary};
///
/// let mut body = br#"{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}]}"#.to_vec();
/// let header_length = body.len();
/// body.extend_from_slice(&1.5_f32.to_le_bytes());
/// let request = binary::decode_request(&body, header_length, "churn", None)?;
/// assert_eq!(request.inputs()[0].tensor().data(), &TensorData::Fp32(vec![1.5]));
/// # Ok::<(), noops_serve::protocol::ProtocolError>(())
/// ```
pub fn decode_request(
    body: &[u8],
    header_length: usize,
    model: &str,
    version: Option<&str>,
) -> Result<InferRequest, ProtocolError> {
    let Some((header, blobs)) = body.split_at_checked(header_length) else {
        return Err(ProtocolError::invalid(format!(
            "`Inference-Header-Content-Length` is `{header_length}`, but the body has `{}` bytes",
            body.len()
        )));
    };
    RawRequest::read(header)?.into_request(model, version, Blobs::Bytes(blobs))
}

/// Which outputs a client wants as bytes.
///
/// An output's own `binary_data` decides; without one, the request's `binary_data_output`; without that, JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputForms {
    others: Form,
    named: Vec<(String, Form)>,
}

impl OutputForms {
    /// What a request asks for.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` when one of the parameters is no truth value.
    pub fn of(request: &InferRequest) -> Result<Self, ProtocolError> {
        let others = form(request.parameters(), "binary_data_output")?.unwrap_or(Form::Json);
        let mut named = Vec::new();
        for output in request.outputs() {
            if let Some(form) = form(output.parameters(), "binary_data")? {
                named.push((output.name().to_owned(), form));
            }
        }
        Ok(Self { others, named })
    }

    fn form(&self, output: &Tensor) -> Form {
        let named = self.named.iter().find(|(name, _)| name == output.name());
        named.map_or(self.others, |(_, form)| *form)
    }
}

fn form(parameters: &Parameters, name: &str) -> Result<Option<Form>, ProtocolError> {
    match parameters.get(name) {
        None => Ok(None),
        Some(Parameter::Bool(true)) => Ok(Some(Form::Binary)),
        Some(Parameter::Bool(false)) => Ok(Some(Form::Json)),
        Some(_) => Err(ProtocolError::invalid(format!(
            "the parameter `{name}` is `true` or `false`"
        ))),
    }
}

/// The body of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct EncodedResponse {
    body: Vec<u8>,
    header_length: Option<usize>,
}

impl EncodedResponse {
    /// The JSON, and the bytes of the outputs asked for as such.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Takes the body out.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// How long the JSON is, for the header `Inference-Header-Content-Length`; `None` when there is nothing else.
    #[must_use]
    pub fn header_length(&self) -> Option<usize> {
        self.header_length
    }
}

/// An answer, each output as the client wants it.
///
/// # Errors
///
/// As [`json::encode_response`](super::json::encode_response), of the outputs that travel as JSON.
pub fn encode_response(
    response: &InferResponse,
    forms: &OutputForms,
) -> Result<EncodedResponse, ProtocolError> {
    let outputs = response.outputs();
    let blobs = || {
        outputs
            .iter()
            .filter(|output| forms.form(output) == Form::Binary)
    };
    let in_json = outputs
        .iter()
        .filter(|output| forms.form(output) == Form::Json);
    let in_json = in_json.map(|output| output.data().len().saturating_mul(12));
    let sizes = blobs().map(Tensor::raw_len).chain(in_json);
    let capacity = sizes.fold(256, usize::saturating_add);
    let mut body = Vec::with_capacity(capacity);
    write_response(response, |output| forms.form(output), &mut body)?;
    let mut header_length = None;
    for output in blobs() {
        header_length.get_or_insert(body.len());
        output.write_raw(&mut body);
    }
    Ok(EncodedResponse {
        body,
        header_length,
    })
}

#[cfg(test)]
mod tests;
