//! The names of classes.

use std::sync::Arc;

use noops_core::Error;

use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::value::{Data, Tensor};

/// The label of each class, in the order of the scores.
#[derive(Clone, Debug)]
pub(super) enum Labels {
    Whole(Vec<i64>),
    Text(Vec<Arc<str>>),
}

impl Labels {
    /// The labels that a classifier's attributes name.
    pub(super) fn of(node: &Node<'_>, whole: &str) -> Result<Self, Error> {
        let texts = node.texts("classlabels_strings")?;
        if !texts.is_empty() {
            return Ok(Self::Text(texts));
        }
        let labels = node.ints(whole)?;
        if labels.is_empty() {
            return Err(node.wrong(whole, "names no class"));
        }
        Ok(Self::Whole(labels.to_vec()))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Whole(labels) => labels.len(),
            Self::Text(labels) => labels.len(),
        }
    }

    /// The labels of the classes that won.
    pub(super) fn pick(&self, classes: &[usize]) -> Result<Tensor, Error> {
        let missing = || failed("a class has no label");
        let data = match self {
            Self::Whole(labels) => {
                let of = |&class: &usize| labels.get(class).copied().ok_or_else(missing);
                Data::I64(classes.iter().map(of).collect::<Result<_, _>>()?)
            }
            Self::Text(labels) => {
                let of = |&class: &usize| labels.get(class).cloned().ok_or_else(missing);
                Data::Text(classes.iter().map(of).collect::<Result<_, _>>()?)
            }
        };
        Tensor::new(vec![classes.len()], data)
    }
}

/// The first of the largest scores.
pub(super) fn largest(scores: impl IntoIterator<Item = f32>) -> usize {
    let mut best: Option<(usize, f32)> = None;
    for (class, score) in scores.into_iter().enumerate() {
        if best.is_none_or(|(_, most)| score > most) {
            best = Some((class, score));
        }
    }
    best.map_or(0, |(class, _)| class)
}
