//! The attributes that decide whether an operator keeps rows apart.

use noops_core::Error;

use crate::model::onnx_ml::node::Node;

#[derive(Clone, Debug, Default)]
pub(super) struct Hints {
    pub(super) opset: i64,
    pub(super) axis: Option<i64>,
    pub(super) axes: Vec<i64>,
    pub(super) order: Vec<i64>,
    pub(super) turned: bool,
}

impl Hints {
    pub(super) fn of(node: &Node<'_>) -> Result<Self, Error> {
        Ok(Self {
            opset: node.opset(),
            axis: node.int("axis")?,
            axes: node.ints("axes")?.to_vec(),
            order: node.ints("perm")?.to_vec(),
            turned: node.flag("transA", false)?,
        })
    }
}
