//! A question to a model and its answer.

use super::parameter::Parameters;
use super::tensor::Tensor;

/// One input of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct InputTensor {
    tensor: Tensor,
    parameters: Parameters,
}

impl InputTensor {
    /// An input without parameters.
    #[must_use]
    pub fn new(tensor: Tensor) -> Self {
        Self {
            tensor,
            parameters: Parameters::new(),
        }
    }

    /// The input's own parameters.
    #[must_use]
    pub fn with_parameters(mut self, parameters: Parameters) -> Self {
        self.parameters = parameters;
        self
    }

    /// The name, shape and elements.
    #[must_use]
    pub fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// Takes the tensor out.
    #[must_use]
    pub fn into_tensor(self) -> Tensor {
        self.tensor
    }

    /// The input's own parameters.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}

/// An output that the client asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestedOutput {
    name: String,
    parameters: Parameters,
}

impl RequestedOutput {
    /// The output of that name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            parameters: Parameters::new(),
        }
    }

    /// How the client wants it, `binary_data` say.
    #[must_use]
    pub fn with_parameters(mut self, parameters: Parameters) -> Self {
        self.parameters = parameters;
        self
    }

    /// The output's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the client wants it.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }
}

/// A question to a model.
///
/// # Examples
///
/// ```
/// use noops_serve::protocol::{InferRequest, InputTensor, Tensor, TensorData};
///
/// let rows = Tensor::new("x", vec![2, 2], TensorData::Fp32(vec![1.0, 2.0, 3.0, 4.0]))?;
/// let request = InferRequest::new("churn", vec![InputTensor::new(rows)]).with_id("42");
/// assert_eq!(request.inputs().len(), 1);
/// assert_eq!(request.id(), Some("42"));
/// # Ok::<(), noops_serve::protocol::ProtocolError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct InferRequest {
    model: String,
    version: Option<String>,
    id: Option<String>,
    parameters: Parameters,
    inputs: Vec<InputTensor>,
    outputs: Vec<RequestedOutput>,
}

impl InferRequest {
    /// A question with these inputs to a model, whichever version serves.
    #[must_use]
    pub fn new(model: impl Into<String>, inputs: Vec<InputTensor>) -> Self {
        Self {
            model: model.into(),
            version: None,
            id: None,
            parameters: Parameters::new(),
            inputs,
            outputs: Vec::new(),
        }
    }

    /// Asks one version.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The client's own id, which the answer repeats.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Parameters of the whole request, `timeout` and `priority` say.
    #[must_use]
    pub fn with_parameters(mut self, parameters: Parameters) -> Self {
        self.parameters = parameters;
        self
    }

    /// Asks for some outputs only; for all of them when there are none.
    #[must_use]
    pub fn with_outputs(mut self, outputs: Vec<RequestedOutput>) -> Self {
        self.outputs = outputs;
        self
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The version asked for.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The client's own id.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Parameters of the whole request.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The inputs, in the client's order.
    #[must_use]
    pub fn inputs(&self) -> &[InputTensor] {
        &self.inputs
    }

    /// The outputs asked for; empty means all.
    #[must_use]
    pub fn outputs(&self) -> &[RequestedOutput] {
        &self.outputs
    }

    /// Takes the inputs out.
    #[must_use]
    pub fn into_inputs(self) -> Vec<InputTensor> {
        self.inputs
    }
}

/// A model's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct InferResponse {
    model: String,
    version: String,
    id: Option<String>,
    parameters: Parameters,
    outputs: Vec<Tensor>,
}

impl InferResponse {
    /// The answer of a version of a model.
    #[must_use]
    pub fn new(model: impl Into<String>, version: impl Into<String>, outputs: Vec<Tensor>) -> Self {
        Self {
            model: model.into(),
            version: version.into(),
            id: None,
            parameters: Parameters::new(),
            outputs,
        }
    }

    /// Repeats the client's id.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// What the server has to say about the answer.
    #[must_use]
    pub fn with_parameters(mut self, parameters: Parameters) -> Self {
        self.parameters = parameters;
        self
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The version that answered.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The client's own id.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What the server has to say about the answer.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The outputs.
    #[must_use]
    pub fn outputs(&self) -> &[Tensor] {
        &self.outputs
    }

    /// Takes the outputs out.
    #[must_use]
    pub fn into_outputs(self) -> Vec<Tensor> {
        self.outputs
    }
}
