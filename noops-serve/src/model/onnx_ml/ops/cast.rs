//! From one type of element to another.

use std::sync::Arc;

use noops_core::Error;

use super::{Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::value::{Data, ElementKind, Tensor};

pub(super) fn cast(node: &Node<'_>) -> Result<Run, Error> {
    let code = node
        .int("to")?
        .ok_or_else(|| node.wrong("to", "is missing"))?;
    let kind = ElementKind::from_code(code)?;
    Ok(one(move |inputs| {
        let input = inputs.at(0)?;
        Tensor::new(input.shape().to_vec(), converted(input.data(), kind, code)?)
    }))
}

fn converted(data: &Data, kind: ElementKind, code: i64) -> Result<Data, Error> {
    Ok(match (kind, data) {
        (ElementKind::F32, Data::F32(_))
        | (ElementKind::F64, Data::F64(_))
        | (ElementKind::Bool, Data::Bool(_))
        | (ElementKind::Text, Data::Text(_)) => data.clone(),
        (ElementKind::F32, Data::F64(values)) => Data::F32(each(values, |value| value as f32)),
        (ElementKind::F32, Data::I64(values)) => Data::F32(each(values, |value| value as f32)),
        (ElementKind::F32, Data::Bool(values)) => {
            Data::F32(each(values, |value| f32::from(u8::from(value))))
        }
        (ElementKind::F32, Data::Text(values)) => Data::F32(parsed(values)?),
        (ElementKind::F64, Data::F32(values)) => Data::F64(each(values, f64::from)),
        (ElementKind::F64, Data::I64(values)) => Data::F64(each(values, |value| value as f64)),
        (ElementKind::F64, Data::Bool(values)) => {
            Data::F64(each(values, |value| f64::from(u8::from(value))))
        }
        (ElementKind::F64, Data::Text(values)) => Data::F64(parsed(values)?),
        (ElementKind::I64, Data::F32(values)) => {
            Data::I64(each(values, |value| narrowed(value as i64, code)))
        }
        (ElementKind::I64, Data::F64(values)) => {
            Data::I64(each(values, |value| narrowed(value as i64, code)))
        }
        (ElementKind::I64, Data::I64(values)) => {
            Data::I64(each(values, |value| narrowed(value, code)))
        }
        (ElementKind::I64, Data::Bool(values)) => Data::I64(each(values, i64::from)),
        (ElementKind::I64, Data::Text(values)) => Data::I64(parsed(values)?),
        (ElementKind::Bool, Data::F32(values)) => Data::Bool(each(values, |value| value != 0.0)),
        (ElementKind::Bool, Data::F64(values)) => Data::Bool(each(values, |value| value != 0.0)),
        (ElementKind::Bool, Data::I64(values)) => Data::Bool(each(values, |value| value != 0)),
        (ElementKind::Text, Data::I64(values)) => Data::Text(
            values
                .iter()
                .map(|value| Arc::from(value.to_string()))
                .collect(),
        ),
        (ElementKind::Bool, Data::Text(_)) => {
            return Err(failed("text cannot be cast to yes and no"));
        }
        (ElementKind::Text, _) => {
            return Err(failed("only whole numbers can be cast to text"));
        }
    })
}

fn each<T: Copy, U>(values: &[T], function: impl Fn(T) -> U) -> Vec<U> {
    values.iter().map(|&value| function(value)).collect()
}

/// A whole number cut to the width of the type that the model asks for.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "this is what a cast is"
)]
fn narrowed(value: i64, code: i64) -> i64 {
    match code {
        2 => i64::from(value as u8),
        3 => i64::from(value as i8),
        4 => i64::from(value as u16),
        5 => i64::from(value as i16),
        6 => i64::from(value as i32),
        12 => i64::from(value as u32),
        _ => value,
    }
}

fn parsed<T: std::str::FromStr>(texts: &[Arc<str>]) -> Result<Vec<T>, Error> {
    let number = |text: &Arc<str>| {
        let refused = || failed("a text is no number").with("text", text);
        text.trim().parse().map_err(|_| refused())
    };
    texts.iter().map(number).collect()
}
