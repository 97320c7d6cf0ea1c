//! Numbers in, numbers of another scale out.

use noops_core::Error;

use super::{Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::value::{Data, Tensor};

/// `(x - offset) * scale`, with one of each for all columns or one per column.
pub(super) fn scaler(node: &Node<'_>) -> Result<Run, Error> {
    let offset = node.floats("offset")?.to_vec();
    let scale = node.floats("scale")?.to_vec();
    if offset.is_empty() || scale.is_empty() {
        return Err(node.wrong("scale", "and `offset` must have a value"));
    }
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let mut values = input.singles()?;
        let (_, columns) = input.matrix()?;
        let (offset, scale) = (per_column(&offset, columns)?, per_column(&scale, columns)?);
        for row in values.chunks_exact_mut(columns.max(1)) {
            for ((value, offset), scale) in row.iter_mut().zip(&offset).zip(&scale) {
                *value = (*value - offset) * scale;
            }
        }
        Tensor::new(input.shape().to_vec(), Data::F32(values))
    }))
}

/// One of the values for each column.
fn per_column<T: Copy>(values: &[T], columns: usize) -> Result<Vec<T>, Error> {
    match values {
        [value] => Ok(vec![*value; columns]),
        values if values.len() == columns => Ok(values.to_vec()),
        _ => Err(
            failed("the operator has values for another number of columns")
                .with("values", values.len())
                .with("columns", columns),
        ),
    }
}

/// Puts a value in the place of another, which is NaN more often than not.
pub(super) fn imputer(node: &Node<'_>) -> Result<Run, Error> {
    let floats = node.floats("imputed_value_floats")?.to_vec();
    let ints = node.ints("imputed_value_int64s")?.to_vec();
    let replaced = node.float("replaced_value_float")?.unwrap_or(0.0);
    let replaced_int = node.int("replaced_value_int64")?.unwrap_or(0);
    if floats.is_empty() == ints.is_empty() {
        return Err(node.wrong(
            "imputed_value_floats",
            "or `imputed_value_int64s` must have values",
        ));
    }
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let (_, columns) = input.matrix()?;
        let data = match input.data() {
            Data::F32(values) => {
                let missing = |value: f32| value == replaced || value.is_nan() && replaced.is_nan();
                let with = per_column(&floats, columns)?;
                Data::F32(filled(values, &with, missing))
            }
            Data::F64(values) => {
                let wide = f64::from(replaced);
                let missing = |value: f64| value == wide || value.is_nan() && wide.is_nan();
                let with: Vec<f64> = per_column(&floats, columns)?
                    .into_iter()
                    .map(f64::from)
                    .collect();
                Data::F64(filled(values, &with, missing))
            }
            Data::I64(values) => {
                let with = per_column(&ints, columns)?;
                Data::I64(filled(values, &with, |value| value == replaced_int))
            }
            _ => return Err(failed("numbers are wanted")),
        };
        Tensor::new(input.shape().to_vec(), data)
    }))
}

fn filled<T: Copy>(values: &[T], with: &[T], missing: impl Fn(T) -> bool) -> Vec<T> {
    let pairs = values.iter().zip(with.iter().cycle());
    pairs
        .map(|(&value, &with)| if missing(value) { with } else { value })
        .collect()
}

#[derive(Clone, Copy)]
enum Norm {
    Max,
    L1,
    L2,
}

impl Norm {
    fn of(self, row: &[f32]) -> f32 {
        match self {
            Self::Max => row.iter().copied().fold(f32::MIN, f32::max),
            Self::L1 => row.iter().map(|value| value.abs()).sum(),
            Self::L2 => row.iter().map(|value| value * value).sum::<f32>().sqrt(),
        }
    }
}

/// Divides each row by its norm. `MAX` is the largest value, not the largest magnitude, as ONNX Runtime has it.
pub(super) fn normalizer(node: &Node<'_>) -> Result<Run, Error> {
    let norm = match node.text("norm")? {
        None | Some("MAX") => Norm::Max,
        Some("L1") => Norm::L1,
        Some("L2") => Norm::L2,
        Some(_) => return Err(node.wrong("norm", "is unknown")),
    };
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let (_, columns) = input.matrix()?;
        let mut values = input.singles()?;
        for row in values.chunks_exact_mut(columns.max(1)) {
            let norm = norm.of(row);
            if norm != 0.0 {
                row.iter_mut().for_each(|value| *value /= norm);
            }
        }
        Tensor::new(input.shape().to_vec(), Data::F32(values))
    }))
}

/// 1 above a threshold and 0 elsewhere.
pub(super) fn binarizer(node: &Node<'_>) -> Result<Run, Error> {
    let threshold = node.float("threshold")?.unwrap_or(0.0);
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        let above = |value: f32| f32::from(u8::from(value > threshold));
        let values = input.singles()?.into_iter().map(above).collect();
        Tensor::new(input.shape().to_vec(), Data::F32(values))
    }))
}
