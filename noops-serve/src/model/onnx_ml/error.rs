//! The errors of loading and running a graph.

use noops_core::{Error, ErrorKind};

/// The bytes are not a model, or one that contradicts itself.
pub(super) fn corrupt(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Corrupt, LOAD, message)
}

/// The model is well formed and asks for what is not here.
pub(super) fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, LOAD, message)
}

/// An operator cannot take the values it was given.
pub(super) fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, "run an ONNX operator", message)
}

const LOAD: &str = "load an ONNX model";
