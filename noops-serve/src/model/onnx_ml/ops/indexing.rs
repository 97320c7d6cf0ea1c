//! Operators that move elements about without looking at them.

use noops_core::Error;

use super::broadcast::{common, places};
use super::{Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::value::{Data, Tensor, axis_of, elements};

/// The elements at some places, in that order. Places past the end are left out, which the caller's shape then shows.
pub(super) fn pick(data: &Data, places: impl Iterator<Item = usize>) -> Data {
    match data {
        Data::F32(values) => Data::F32(picked(values, places)),
        Data::F64(values) => Data::F64(picked(values, places)),
        Data::I64(values) => Data::I64(picked(values, places)),
        Data::Bool(values) => Data::Bool(picked(values, places)),
        Data::Text(values) => Data::Text(picked(values, places)),
    }
}

fn picked<T: Clone>(values: &[T], places: impl Iterator<Item = usize>) -> Vec<T> {
    places
        .filter_map(|place| values.get(place))
        .cloned()
        .collect()
}

impl Data {
    /// These elements, and others of their type behind them.
    pub(super) fn followed_by(mut self, other: &Self) -> Result<Self, Error> {
        match (&mut self, other) {
            (Self::F32(values), Self::F32(more)) => values.extend_from_slice(more),
            (Self::F64(values), Self::F64(more)) => values.extend_from_slice(more),
            (Self::I64(values), Self::I64(more)) => values.extend_from_slice(more),
            (Self::Bool(values), Self::Bool(more)) => values.extend_from_slice(more),
            (Self::Text(values), Self::Text(more)) => values.extend_from_slice(more),
            _ => return Err(failed("values of one type are wanted")),
        }
        Ok(self)
    }
}

pub(super) fn transpose(node: &Node<'_>) -> Result<Run, Error> {
    let order = node.ints("perm")?.to_vec();
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let rank = input.rank();
        let axes = if order.is_empty() {
            (0..rank).rev().collect()
        } else {
            order
                .iter()
                .map(|&axis| input.axis(axis))
                .collect::<Result<Vec<usize>, _>>()?
        };
        let mut sorted = axes.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(0..rank) {
            return Err(
                failed("the axes of a transposition are not those of its input")
                    .with("axes", format_args!("{axes:?}"))
                    .with("rank", rank),
            );
        }
        let sizes = |axis: &usize| input.around(*axis);
        let shape = axes.iter().map(|axis| sizes(axis).1).collect();
        let strides: Vec<(usize, usize)> = axes
            .iter()
            .map(sizes)
            .map(|(_, size, stride)| (size, stride))
            .collect();
        Tensor::new(shape, pick(input.data(), walk(&strides).into_iter()))
    }))
}

/// The places reached by counting along each axis of a size and a stride, the last the fastest.
fn walk(axes: &[(usize, usize)]) -> Vec<usize> {
    let mut places = vec![0_usize];
    for &(size, stride) in axes {
        let moved = |place: usize| (0..size).map(move |index| place + index * stride);
        places = places.into_iter().flat_map(moved).collect();
    }
    places
}

pub(super) fn concat(node: &Node<'_>) -> Result<Run, Error> {
    let axis = node.int("axis")?.unwrap_or(1);
    Ok(one(move |inputs| concatenated(&inputs.all()?, axis)))
}

/// Values side by side along an axis.
pub(super) fn concatenated(parts: &[&Tensor], axis: i64) -> Result<Tensor, Error> {
    let first = parts
        .first()
        .ok_or_else(|| failed("nothing to concatenate"))?;
    let axis = first.axis(axis)?;
    let (outer, _, inner) = first.around(axis);
    let mut all = first.data().clone();
    for part in parts.iter().skip(1) {
        all = all.followed_by(part.data())?;
    }
    let mut size = 0;
    let mut runs = Vec::with_capacity(parts.len());
    let mut start = 0;
    for part in parts {
        let own = part.around(axis);
        if part.rank() != first.rank() || (own.0, own.2) != (outer, inner) {
            return Err(failed("values of different shapes cannot be concatenated")
                .with("shape", format_args!("{:?}", first.shape()))
                .with("other", format_args!("{:?}", part.shape())));
        }
        size += own.1;
        runs.push((start, own.1 * inner));
        start += part.len();
    }
    let mut shape = first.shape().to_vec();
    if let Some(dim) = shape.get_mut(axis) {
        *dim = size;
    }
    let places = (0..outer).flat_map(|block| {
        let run =
            move |&(start, len): &(usize, usize)| start + block * len..start + (block + 1) * len;
        runs.iter().flat_map(run)
    });
    Tensor::new(shape, pick(&all, places))
}

pub(super) fn gather(node: &Node<'_>) -> Result<Run, Error> {
    let axis = node.int("axis")?.unwrap_or(0);
    Ok(one(move |inputs| {
        let (input, indices) = (inputs.at(0)?, inputs.at(1)?);
        let axis = input.axis(axis)?;
        let mut shape: Vec<usize> = input.shape().iter().take(axis).copied().collect();
        shape.extend(indices.shape());
        shape.extend(input.shape().iter().skip(axis + 1));
        elements(&shape)?;
        gathered(input, axis, indices.integers()?, shape)
    }))
}

/// The slices at some indices of an axis, in a shape that holds them.
pub(super) fn gathered(
    input: &Tensor,
    axis: usize,
    indices: &[i64],
    shape: Vec<usize>,
) -> Result<Tensor, Error> {
    let (outer, size, inner) = input.around(axis);
    let indices = indices.iter().map(|&index| axis_of(index, size));
    let indices = indices.collect::<Result<Vec<usize>, _>>()?;
    let indices = &indices;
    let places = (0..outer).flat_map(|block| {
        indices.iter().flat_map(move |index| {
            let start = (block * size + index) * inner;
            start..start + inner
        })
    });
    Tensor::new(shape, pick(input.data(), places))
}

/// The bounds are attributes at first, and inputs from operator set 10 on.
pub(super) fn slice(node: &Node<'_>) -> Result<Run, Error> {
    let attributes = [
        node.ints("starts")?.to_vec(),
        node.ints("ends")?.to_vec(),
        node.ints("axes")?.to_vec(),
    ];
    Ok(one(move |inputs| {
        let [starts, ends, axes] = &attributes;
        let given = |index: usize, otherwise: &Vec<i64>| match inputs.maybe(index) {
            Some(tensor) => tensor.integers().map(<[i64]>::to_vec),
            None => Ok(otherwise.clone()),
        };
        let (starts, ends) = (given(1, starts)?, given(2, ends)?);
        let all: Vec<i64> = (0_i64..).take(starts.len()).collect();
        let axes = given(3, if axes.is_empty() { &all } else { axes })?;
        let steps = given(4, &vec![1; starts.len()])?;
        if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
            return Err(failed("the bounds of a slice differ in number"));
        }
        let mut result = inputs.at(0)?.clone();
        for (((start, end), axis), step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
            let axis = result.axis(*axis)?;
            let size = result.around(axis).1;
            let indices = range(*start, *end, *step, size)?;
            let mut shape = result.shape().to_vec();
            if let Some(dim) = shape.get_mut(axis) {
                *dim = indices.len();
            }
            result = gathered(&result, axis, &indices, shape)?;
        }
        Ok(result)
    }))
}

/// The indices from `start` to before `end` of an axis, with numpy's meaning of negative bounds and of those past the end.
fn range(start: i64, end: i64, step: i64, size: usize) -> Result<Vec<i64>, Error> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let bound = |value: i64, least: i64, most: i64| {
        let value = if value < 0 {
            value.saturating_add(size)
        } else {
            value
        };
        value.clamp(least, most)
    };
    let count = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    if step > 0 {
        Ok((bound(start, 0, size)..bound(end, 0, size))
            .step_by(count)
            .collect())
    } else if step < 0 {
        let (first, last) = (bound(start, -1, size - 1), bound(end, -1, size - 1));
        Ok((last + 1..=first).rev().step_by(count).collect())
    } else {
        Err(failed("a slice has the step 0"))
    }
}

pub(super) fn expand() -> Run {
    one(|inputs| {
        let (input, shape) = (inputs.at(0)?, inputs.at(1)?);
        let shape = shape.integers()?.iter().map(|&dim| usize::try_from(dim));
        let shape = shape.collect::<Result<Vec<usize>, _>>();
        let shape = shape.map_err(|_| failed("a shape has a negative dimension"))?;
        let shape = common(input.shape(), &shape)?;
        let data = pick(input.data(), places(input.shape(), &shape).into_iter());
        Tensor::new(shape, data)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_that_of_numpy() {
        // list(range(5))[a:b:c]
        assert_eq!(range(1, 4, 1, 5).unwrap(), [1, 2, 3]);
        assert_eq!(range(-2, i64::MAX, 1, 5).unwrap(), [3, 4]);
        assert_eq!(range(0, 5, 2, 5).unwrap(), [0, 2, 4]);
        assert_eq!(range(-1, i64::MIN, -1, 5).unwrap(), [4, 3, 2, 1, 0]);
        assert_eq!(range(9, 1, -2, 5).unwrap(), [4, 2]);
        assert!(range(3, 1, 1, 5).unwrap().is_empty());
        assert!(range(0, 1, 0, 5).is_err());
    }
}
