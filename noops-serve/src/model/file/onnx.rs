//! Who runs an ONNX file.

use noops_core::{Error, ErrorKind};

use super::Model;
use crate::model::onnx_ml::OnnxMlModel;

/// The classical operators first: they need nothing else and know trees best.
pub(super) fn load(bytes: &[u8]) -> Result<Model, Error> {
    match OnnxMlModel::from_bytes(bytes) {
        Ok(model) => Ok(Model::Classical(Box::new(model))),
        Err(error) if error.kind() == ErrorKind::Invalid => network(bytes, error),
        Err(error) => Err(error),
    }
}

#[cfg(feature = "onnx")]
fn network(bytes: &[u8], classical: Error) -> Result<Model, Error> {
    match crate::model::tract::TractModel::from_bytes(bytes) {
        Ok(model) => Ok(Model::Network {
            columns: model.columns(),
            executor: Box::new(model),
        }),
        // What tract says of a model with classical operators helps nobody.
        Err(error) => Err(classical.with("by tract", error)),
    }
}

#[cfg(not(feature = "onnx"))]
fn network(_: &[u8], classical: Error) -> Result<Model, Error> {
    let message = "it wants more than the classical operators; turn on the feature `onnx` of `noops-serve` for neural networks";
    Err(super::invalid(message).caused_by(classical))
}
