//! Columns picked out and put together.

use noops_core::Error;

use super::indexing::{concatenated, gathered};
use super::{Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::value::{Data, Tensor};

/// The columns with some numbers. A vector is one row.
pub(super) fn array_feature_extractor() -> Run {
    one(|inputs| {
        let (input, indices) = (inputs.at(0)?, inputs.at(1)?);
        let mut shape = match input.shape() {
            [] => return Err(failed("a single value has no columns")),
            [_] => vec![1],
            [rows @ .., _] => rows.to_vec(),
        };
        shape.push(indices.len());
        gathered(input, input.axis(-1)?, indices.integers()?, shape)
    })
}

/// All inputs side by side, each cut or filled with zeros to the width that the model gives.
pub(super) fn feature_vectorizer(node: &Node<'_>) -> Result<Run, Error> {
    let widths = node
        .ints("inputdimensions")?
        .iter()
        .map(|&width| usize::try_from(width));
    let widths = widths.collect::<Result<Vec<usize>, _>>();
    let widths = widths.map_err(|_| node.wrong("inputdimensions", "is negative"))?;
    Ok(one(move |inputs| {
        let all = inputs.all()?;
        if all.len() != widths.len() {
            return Err(failed(
                "the widths of the inputs differ in number from the inputs",
            ));
        }
        let fitted = all
            .iter()
            .zip(&widths)
            .map(|(input, &width)| fit(input, width));
        let fitted = fitted.collect::<Result<Vec<Tensor>, _>>()?;
        concatenated(&fitted.iter().collect::<Vec<_>>(), 1)
    }))
}

fn fit(input: &Tensor, width: usize) -> Result<Tensor, Error> {
    let (rows, columns) = input.matrix()?;
    let values = input.singles()?;
    let shape = vec![rows, width];
    super::super::value::elements(&shape)?;
    let row = |row: &[f32]| -> Vec<f32> {
        let kept = row.iter().copied().chain(std::iter::repeat(0.0));
        kept.take(width).collect()
    };
    let fitted = if columns == 0 {
        vec![0.0; rows * width]
    } else {
        values.chunks_exact(columns).flat_map(row).collect()
    };
    Tensor::new(shape, Data::F32(fitted))
}
