//! Writing a request.

use serde_json::{Map, Number, Value};

use super::BINARY_SIZE;
use crate::protocol::{InferRequest, Parameter, Parameters, Tensor, TensorData};

/// How tensors travel in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::remote) enum Wire {
    /// Behind the JSON, as the extension for binary tensors says.
    Binary,
    /// In the JSON.
    Json,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::remote) struct EncodedRequest {
    /// The JSON, with the tensors behind it when they are binary.
    pub(in crate::remote) body: Vec<u8>,
    /// How many bytes the JSON has, when something comes behind it.
    pub(in crate::remote) header: Option<usize>,
}

/// A request as bytes.
///
/// JSON has no NaN and no infinities; they are written as `null`, which the servers that lack the binary extension read as NaN.
pub(in crate::remote) fn encode(request: &InferRequest, wire: Wire) -> EncodedRequest {
    let mut tensors: Vec<u8> = Vec::new();
    let mut inputs = Vec::with_capacity(request.inputs().len());
    for input in request.inputs() {
        let tensor = input.tensor();
        let mut parameters = parameters(input.parameters());
        let mut entry = Map::new();
        entry.insert("name".to_owned(), tensor.name().into());
        entry.insert("shape".to_owned(), tensor.shape().into());
        entry.insert("datatype".to_owned(), tensor.datatype().name().into());
        match wire {
            Wire::Binary => {
                parameters.insert(BINARY_SIZE.to_owned(), tensor.raw_len().into());
                tensor.write_raw(&mut tensors);
            }
            Wire::Json => {
                entry.insert("data".to_owned(), Value::Array(elements(tensor)));
            }
        }
        if !parameters.is_empty() {
            entry.insert("parameters".to_owned(), parameters.into());
        }
        inputs.push(Value::Object(entry));
    }
    let outputs: Vec<Value> = request
        .outputs()
        .iter()
        .map(|output| {
            let mut parameters = parameters(output.parameters());
            if wire == Wire::Binary {
                parameters.insert("binary_data".to_owned(), true.into());
            }
            let mut entry = Map::new();
            entry.insert("name".to_owned(), output.name().into());
            if !parameters.is_empty() {
                entry.insert("parameters".to_owned(), parameters.into());
            }
            Value::Object(entry)
        })
        .collect();
    let mut head = Map::new();
    if let Some(id) = request.id() {
        head.insert("id".to_owned(), id.into());
    }
    if !request.parameters().is_empty() {
        head.insert(
            "parameters".to_owned(),
            parameters(request.parameters()).into(),
        );
    }
    head.insert("inputs".to_owned(), inputs.into());
    if !outputs.is_empty() {
        head.insert("outputs".to_owned(), outputs.into());
    }
    let mut body = Value::Object(head).to_string().into_bytes();
    let header = (wire == Wire::Binary).then_some(body.len());
    body.append(&mut tensors);
    EncodedRequest { body, header }
}

fn parameters(parameters: &Parameters) -> Map<String, Value> {
    parameters
        .iter()
        .map(|(name, parameter)| {
            let value = match parameter {
                Parameter::Bool(value) => (*value).into(),
                Parameter::Int64(value) => (*value).into(),
                Parameter::Uint64(value) => (*value).into(),
                Parameter::Double(value) => number(*value),
                Parameter::Text(value) => value.as_str().into(),
            };
            (name.clone(), value)
        })
        .collect()
}

fn elements(tensor: &Tensor) -> Vec<Value> {
    fn each<T: Copy>(values: &[T], write: impl Fn(T) -> Value) -> Vec<Value> {
        values.iter().map(|&value| write(value)).collect()
    }
    match tensor.data() {
        TensorData::Bool(values) => each(values, Value::from),
        TensorData::Uint8(values) => each(values, Value::from),
        TensorData::Uint16(values) => each(values, Value::from),
        TensorData::Uint32(values) => each(values, Value::from),
        TensorData::Uint64(values) => each(values, Value::from),
        TensorData::Int8(values) => each(values, Value::from),
        TensorData::Int16(values) => each(values, Value::from),
        TensorData::Int32(values) => each(values, Value::from),
        TensorData::Int64(values) => each(values, Value::from),
        TensorData::Fp16(bits) => each(bits, |bits| number(f64::from(super::elements::half(bits)))),
        // Widening to 64 bits is exact, and the shortest text of the wider number reads back as the narrower one.
        TensorData::Fp32(values) => each(values, |value| number(f64::from(value))),
        TensorData::Fp64(values) => each(values, number),
        TensorData::Bytes(values) => values
            .iter()
            .map(|value| String::from_utf8_lossy(value).into())
            .collect(),
    }
}

fn number(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}
