//! Scores to probabilities.

use noops_core::Error;

use super::{Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::value::{Data, Tensor};

/// A softmax over one axis; up to operator set 12, over everything from that axis on.
pub(super) fn softmax(node: &Node<'_>) -> Result<Run, Error> {
    let flat = node.opset() < 13;
    let axis = node.int("axis")?.unwrap_or(if flat { 1 } else { -1 });
    let logarithm = node.kind() == "LogSoftmax";
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let axis = input.axis(axis)?;
        let (_, size, inner) = input.around(axis);
        let (size, inner) = if flat {
            (size * inner, 1)
        } else {
            (size, inner)
        };
        let data = match input.data() {
            Data::F32(values) => {
                let wide: Vec<f64> = values.iter().map(|&value| f64::from(value)).collect();
                let result = along(&wide, size, inner, logarithm);
                Data::F32(result.into_iter().map(|value| value as f32).collect())
            }
            Data::F64(values) => Data::F64(along(values, size, inner, logarithm)),
            _ => return Err(failed("numbers with a fraction are wanted")),
        };
        Tensor::new(input.shape().to_vec(), data)
    }))
}

fn along(values: &[f64], size: usize, inner: usize, logarithm: bool) -> Vec<f64> {
    let mut result = values.to_vec();
    if size == 0 || inner == 0 {
        return result;
    }
    for block in result.chunks_exact_mut(size * inner) {
        for lane in 0..inner {
            let each = || block.iter().skip(lane).step_by(inner).copied();
            let most = each().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = each().map(|value| (value - most).exp()).sum();
            for value in block.iter_mut().skip(lane).step_by(inner) {
                *value = if logarithm {
                    *value - most - sum.ln()
                } else {
                    (*value - most).exp() / sum
                };
            }
        }
    }
    result
}
