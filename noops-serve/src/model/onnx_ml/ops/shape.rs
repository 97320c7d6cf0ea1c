//! Operators that change the shape of a value, or make one of a shape.

use noops_core::Error;

use super::{Inputs, Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::ops::indexing::pick;
use crate::model::onnx_ml::value::{Data, Tensor, axis_of, elements};

pub(super) fn identity() -> Run {
    one(|inputs| inputs.at(0).cloned())
}

/// The shape is an attribute in the first version, and an input later.
pub(super) fn reshape(node: &Node<'_>) -> Result<Run, Error> {
    let attribute = node.ints("shape")?.to_vec();
    let zero_is_zero = node.flag("allowzero", false)?;
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let asked = match inputs.maybe(1) {
            Some(shape) => shape.integers()?,
            None => &attribute,
        };
        let mut shape = Vec::with_capacity(asked.len());
        let mut inferred = None;
        for (axis, &dim) in asked.iter().enumerate() {
            shape.push(match dim {
                -1 if inferred.is_none() => {
                    inferred = Some(axis);
                    1
                }
                0 if !zero_is_zero => {
                    let kept = input.shape().get(axis).copied();
                    kept.ok_or_else(|| failed("a shape keeps an axis that is not there"))?
                }
                dim => {
                    usize::try_from(dim).map_err(|_| failed("a shape has a negative dimension"))?
                }
            });
        }
        if let Some(dim) = inferred.and_then(|axis| shape.get_mut(axis)) {
            *dim = 0;
            let rest = shape.iter().filter(|&&dim| dim != 0);
            let rest = elements(&rest.copied().collect::<Vec<_>>())?;
            if let Some(dim) = inferred.and_then(|axis| shape.get_mut(axis)) {
                *dim = input.len() / rest.max(1);
            }
        }
        input.reshaped(shape)
    }))
}

pub(super) fn flatten(node: &Node<'_>) -> Result<Run, Error> {
    let axis = node.int("axis")?.unwrap_or(1);
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        // The axis may be the one behind the last.
        let rank = input.rank();
        let axis = if i64::try_from(rank) == Ok(axis) {
            rank
        } else {
            input.axis(axis)?
        };
        let size = |dims: &mut dyn Iterator<Item = &usize>| dims.product::<usize>();
        let rows = size(&mut input.shape().iter().take(axis));
        let columns = size(&mut input.shape().iter().skip(axis));
        input.reshaped(vec![rows, columns])
    }))
}

/// The axes of a node: an input from operator set 13 on, and an attribute before.
fn axes<'a>(inputs: &Inputs<'a>, attribute: &'a [i64]) -> Result<&'a [i64], Error> {
    match inputs.maybe(1) {
        Some(axes) => axes.integers(),
        None => Ok(attribute),
    }
}

pub(super) fn squeeze(node: &Node<'_>) -> Result<Run, Error> {
    let attribute = node.ints("axes")?.to_vec();
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let asked = axes(inputs, &attribute)?
            .iter()
            .map(|&axis| input.axis(axis));
        let asked = asked.collect::<Result<Vec<usize>, _>>()?;
        let all = asked.is_empty();
        let dims = input.shape().iter().enumerate();
        let kept = dims.filter(|(axis, dim)| {
            if all {
                **dim != 1
            } else {
                !asked.contains(axis)
            }
        });
        input.reshaped(kept.map(|(_, dim)| *dim).collect())
    }))
}

pub(super) fn unsqueeze(node: &Node<'_>) -> Result<Run, Error> {
    let attribute = node.ints("axes")?.to_vec();
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let asked = axes(inputs, &attribute)?;
        let rank = input.rank() + asked.len();
        let added = asked.iter().map(|&axis| axis_of(axis, rank));
        let added = added.collect::<Result<Vec<usize>, _>>()?;
        let mut dims = input.shape().iter();
        let shape = (0..rank).map(|axis| {
            if added.contains(&axis) {
                Some(1)
            } else {
                dims.next().copied()
            }
        });
        let shape: Option<Vec<usize>> = shape.collect();
        input.reshaped(shape.ok_or_else(|| failed("an axis is added twice"))?)
    }))
}

pub(super) fn shape() -> Run {
    one(|inputs| {
        let shape = inputs.at(0)?.shape();
        let dims = shape
            .iter()
            .map(|&dim| i64::try_from(dim).unwrap_or(i64::MAX));
        Tensor::new(vec![shape.len()], Data::I64(dims.collect()))
    })
}

pub(super) fn constant_of_shape(node: &Node<'_>) -> Result<Run, Error> {
    let value = match node.tensor("value")? {
        Some(value) => value.into_data(),
        None => Data::F32(vec![0.0]),
    };
    if value.len() != 1 {
        return Err(node.wrong("value", "must hold one value"));
    }
    Ok(one(move |inputs| {
        let dims = inputs
            .at(0)?
            .integers()?
            .iter()
            .map(|&dim| usize::try_from(dim));
        let shape = dims.collect::<Result<Vec<usize>, _>>();
        let shape = shape.map_err(|_| failed("a shape has a negative dimension"))?;
        let count = elements(&shape)?;
        Tensor::new(shape, pick(&value, std::iter::repeat_n(0, count)))
    }))
}

pub(super) fn constant(node: &Node<'_>) -> Result<Run, Error> {
    let list = |data: Data| Tensor::new(vec![data.len()], data);
    let value = if let Some(value) = node.tensor("value")? {
        value
    } else if let Some(value) = node.float("value_float")? {
        Tensor::scalar(Data::F32(vec![value]))?
    } else if let Some(value) = node.int("value_int")? {
        Tensor::scalar(Data::I64(vec![value]))?
    } else if node.has("value_floats") {
        list(Data::F32(node.floats("value_floats")?.to_vec()))?
    } else if node.has("value_ints") {
        list(Data::I64(node.ints("value_ints")?.to_vec()))?
    } else if node.has("value_strings") {
        list(Data::Text(node.texts("value_strings")?))?
    } else if let Some(value) = node.text("value_string")? {
        Tensor::scalar(Data::Text(vec![value.into()]))?
    } else {
        return Err(node.wrong("value", "is missing"));
    };
    Ok(one(move |_| Ok(value.clone())))
}
