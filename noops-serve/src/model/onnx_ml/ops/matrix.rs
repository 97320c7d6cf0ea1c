//! Products of matrices.

use std::ops::{Add, Mul};

use noops_core::Error;

use super::broadcast::stretch;
use super::{Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::value::{Data, Tensor, elements};

/// The product of a matrix with `inner` columns and one with `columns`, both row by row. Each row of the result is added up in the
/// same order whatever the number of rows.
pub(super) fn product<T>(left: &[T], right: &[T], inner: usize, columns: usize) -> Vec<T>
where
    T: Copy + Default + Add<Output = T> + Mul<Output = T>,
{
    if inner == 0 || columns == 0 {
        return Vec::new();
    }
    let mut result = vec![T::default(); left.len() / inner * columns];
    for (row, sums) in left
        .chunks_exact(inner)
        .zip(result.chunks_exact_mut(columns))
    {
        for (&factor, weights) in row.iter().zip(right.chunks_exact(columns)) {
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                *sum = *sum + factor * weight;
            }
        }
    }
    result
}

/// A matrix transposed.
fn transposed<T: Copy>(values: &[T], columns: usize) -> Vec<T> {
    let column = |index| values.iter().skip(index).step_by(columns.max(1)).copied();
    (0..columns).flat_map(column).collect()
}

pub(super) fn matmul() -> Run {
    one(|inputs| {
        let (left, right) = (inputs.at(0)?, inputs.at(1)?);
        let unfit = || {
            failed("two shapes cannot be multiplied")
                .with("left", format_args!("{:?}", left.shape()))
                .with("right", format_args!("{:?}", right.shape()))
        };
        let (inner, columns) = match right.shape() {
            [inner] => (*inner, 1),
            [inner, columns] => (*inner, *columns),
            _ => return Err(unfit()),
        };
        let Some((last, rows)) = left.shape().split_last() else {
            return Err(unfit());
        };
        if *last != inner || inner == 0 || columns == 0 {
            return Err(unfit());
        }
        let mut shape = rows.to_vec();
        if right.rank() == 2 {
            shape.push(columns);
        }
        elements(&shape)?;
        let data = match (left.data(), right.data()) {
            (Data::F32(a), Data::F32(b)) => Data::F32(product(a, b, inner, columns)),
            (Data::F64(a), Data::F64(b)) => Data::F64(product(a, b, inner, columns)),
            _ => {
                return Err(failed(
                    "two matrices of one type, with fractions, are wanted",
                ));
            }
        };
        Tensor::new(shape, data)
    })
}

/// `α A B + β C`, with `A` and `B` transposed on demand.
pub(super) fn gemm(node: &Node<'_>) -> Result<Run, Error> {
    let alpha = node.float("alpha")?.unwrap_or(1.0);
    let beta = node.float("beta")?.unwrap_or(1.0);
    let (turn_left, turn_right) = (node.flag("transA", false)?, node.flag("transB", false)?);
    Ok(one(move |inputs| {
        let (left, right) = (inputs.at(0)?, inputs.at(1)?);
        let ([a, b], [c, d]) = (left.shape(), right.shape()) else {
            return Err(failed("matrices are wanted"));
        };
        let (rows, inner) = if turn_left { (*b, *a) } else { (*a, *b) };
        let (height, columns) = if turn_right { (*d, *c) } else { (*c, *d) };
        if inner != height || inner == 0 || columns == 0 {
            return Err(failed("two shapes cannot be multiplied")
                .with("left", format_args!("{:?}", left.shape()))
                .with("right", format_args!("{:?}", right.shape())));
        }
        let shape = vec![rows, columns];
        elements(&shape)?;
        let bias = inputs.maybe(2);
        let fits = bias.is_none_or(|bias| {
            super::broadcast::common(bias.shape(), &shape).is_ok_and(|common| common == shape)
        });
        if !fits {
            return Err(failed("what is added does not fit the product"));
        }
        let data = match (left.data(), right.data(), bias.map(Tensor::data)) {
            (Data::F32(a), Data::F32(b), bias_data) => {
                let a = if turn_left {
                    transposed(a, rows)
                } else {
                    a.clone()
                };
                let b = if turn_right {
                    transposed(b, inner)
                } else {
                    b.clone()
                };
                let mut sums = product(&a, &b, inner, columns);
                sums.iter_mut().for_each(|sum| *sum *= alpha);
                if let (Some(bias), Some(Data::F32(values))) = (bias, bias_data) {
                    let added = stretch(values, bias.shape(), &shape);
                    sums.iter_mut()
                        .zip(added.iter())
                        .for_each(|(sum, add)| *sum += beta * add);
                } else if bias.is_some() {
                    return Err(failed("what is added is of another type"));
                }
                Data::F32(sums)
            }
            (Data::F64(a), Data::F64(b), bias_data) => {
                let a = if turn_left {
                    transposed(a, rows)
                } else {
                    a.clone()
                };
                let b = if turn_right {
                    transposed(b, inner)
                } else {
                    b.clone()
                };
                let mut sums = product(&a, &b, inner, columns);
                sums.iter_mut().for_each(|sum| *sum *= f64::from(alpha));
                if let (Some(bias), Some(Data::F64(values))) = (bias, bias_data) {
                    let added = stretch(values, bias.shape(), &shape);
                    let beta = f64::from(beta);
                    sums.iter_mut()
                        .zip(added.iter())
                        .for_each(|(sum, add)| *sum += beta * add);
                } else if bias.is_some() {
                    return Err(failed("what is added is of another type"));
                }
                Data::F64(sums)
            }
            _ => {
                return Err(failed(
                    "two matrices of one type, with fractions, are wanted",
                ));
            }
        };
        Tensor::new(shape, data)
    }))
}
