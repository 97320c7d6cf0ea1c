//! A node with its attributes checked as they are asked for.

use std::sync::Arc;

use noops_core::Error;

use super::error::corrupt;
use super::proto::{AttributeProto, NodeProto, TensorProto};
use super::value::{Tensor, texts};

/// A node of the default domain or of `ai.onnx.ml`.
#[derive(Debug)]
pub(super) struct Node<'a> {
    proto: &'a NodeProto,
    /// The version of its domain's operator set.
    opset: i64,
}

impl<'a> Node<'a> {
    pub(super) fn new(proto: &'a NodeProto, opset: i64) -> Self {
        Self { proto, opset }
    }

    pub(super) fn opset(&self) -> i64 {
        self.opset
    }

    pub(super) fn kind(&self) -> &str {
        &self.proto.kind
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.proto
            .attributes
            .iter()
            .any(|attribute| attribute.name == name)
    }

    pub(super) fn float(&self, name: &str) -> Result<Option<f32>, Error> {
        self.value(name, 1, |attribute| attribute.float)
    }

    pub(super) fn int(&self, name: &str) -> Result<Option<i64>, Error> {
        self.value(name, 2, |attribute| attribute.int)
    }

    /// A switch, which ONNX writes as 0 or 1.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, Error> {
        Ok(self.int(name)?.map_or(default, |value| value != 0))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        let bytes = self.value(name, 3, |attribute| attribute.text.as_deref())?;
        let text = bytes.map(std::str::from_utf8).transpose();
        text.map_err(|error| self.wrong(name, "is not UTF-8").caused_by(error))
    }

    pub(super) fn proto(&self, name: &str) -> Result<Option<&'a TensorProto>, Error> {
        self.value(name, 4, |attribute| attribute.tensor.as_ref())
    }

    pub(super) fn tensor(&self, name: &str) -> Result<Option<Tensor>, Error> {
        self.proto(name)?.map(Tensor::from_proto).transpose()
    }

    /// A list of numbers, empty where there is none.
    pub(super) fn floats(&self, name: &str) -> Result<&'a [f32], Error> {
        let floats = self.value(name, 6, |attribute| Some(attribute.floats.as_slice()))?;
        Ok(floats.unwrap_or_default())
    }

    /// A list of whole numbers, empty where there is none.
    pub(super) fn ints(&self, name: &str) -> Result<&'a [i64], Error> {
        let ints = self.value(name, 7, |attribute| Some(attribute.ints.as_slice()))?;
        Ok(ints.unwrap_or_default())
    }

    /// A list of texts, empty where there is none.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<Arc<str>>, Error> {
        let bytes = self.value(name, 8, |attribute| Some(attribute.texts.as_slice()))?;
        texts(bytes.unwrap_or_default())
    }

    /// An error about one of the attributes.
    pub(super) fn wrong(&self, name: &str, what: &str) -> Error {
        corrupt(format!("attribute `{name}` {what}")).with("operator", self.kind())
    }

    fn value<T>(
        &self,
        name: &str,
        declared: i64,
        read: impl FnOnce(&'a AttributeProto) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let mut attributes = self.proto.attributes.iter();
        let Some(attribute) = attributes.find(|attribute| attribute.name == name) else {
            return Ok(None);
        };
        // The oldest models do not declare the type.
        if attribute.declared != 0 && attribute.declared != declared {
            return Err(self.wrong(name, "has the wrong type"));
        }
        let missing = || self.wrong(name, "has no value of its type");
        read(attribute).ok_or_else(missing).map(Some)
    }
}
