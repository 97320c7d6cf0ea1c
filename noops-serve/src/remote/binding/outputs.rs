//! The output that has the scores.

use noops_core::{Error, ErrorKind, Scores};

use super::metadata::TensorDescription;
use super::{batched, refuse};
use crate::protocol::{DataType, InferResponse, Tensor, TensorData};
use crate::remote::channel::CONNECT;
use crate::remote::codec::half;
use crate::remote::failure::INFER;

/// The output of that name, or the only one, when it can hold `width` scores for each row.
pub(super) fn bind(
    outputs: &[TensorDescription],
    width: usize,
    wanted: Option<&str>,
) -> Result<String, Error> {
    let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
    let none = |message: &str| {
        Error::new(ErrorKind::Invalid, CONNECT, message).with("outputs", names.join(", "))
    };
    let output = match (wanted, outputs) {
        (Some(wanted), _) => outputs
            .iter()
            .find(|output| output.name == wanted)
            .ok_or_else(|| none("the model has no such output").with("output", wanted))?,
        (None, [output]) => output,
        (None, []) => return Err(none("the model describes no output")),
        (None, _) => {
            return Err(none(
                "the model has several outputs: name the one with the scores",
            ));
        }
    };
    batched(output)?;
    let fits = match output.shape.get(1..).unwrap_or_default() {
        [] => width == 1,
        [columns] => *columns == -1 || usize::try_from(*columns) == Ok(width),
        _ => false,
    };
    if !fits {
        return Err(
            refuse("the output has another width than the contract", output).with("width", width),
        );
    }
    if output.datatype == DataType::Bytes {
        return Err(refuse("scores must be numbers", output));
    }
    Ok(output.name.clone())
}

/// The scores in an answer, which must be as many as were asked for.
pub(super) fn scores(
    response: InferResponse,
    output: &str,
    width: usize,
    rows: usize,
) -> Result<Scores, Error> {
    let broken =
        |message: &str| Error::new(ErrorKind::Invalid, INFER, message).with("output", output);
    let tensor = response
        .into_outputs()
        .into_iter()
        .find(|tensor| tensor.name() == output)
        .ok_or_else(|| broken("the answer lacks the output"))?;
    if !has_shape(&tensor, rows, width) {
        return Err(broken("the answer has another shape than was asked for")
            .with("shape", format_args!("{:?}", tensor.shape()))
            .with("rows", rows)
            .with("width", width));
    }
    let values = single(tensor.into_data()).ok_or_else(|| broken("scores must be numbers"))?;
    Scores::new(width, values)
}

fn has_shape(tensor: &Tensor, rows: usize, width: usize) -> bool {
    let (rows, width) = (rows as u64, width as u64);
    match *tensor.shape() {
        [only] => only == rows && width == 1,
        [first, second] => first == rows && second == width,
        _ => false,
    }
}

/// Elements in single precision. One too large becomes infinite and is refused with its row, by the output's rule.
fn single(data: TensorData) -> Option<Vec<f32>> {
    fn each<T>(values: Vec<T>, narrow: impl Fn(T) -> f32) -> Vec<f32> {
        values.into_iter().map(narrow).collect()
    }
    Some(match data {
        TensorData::Bool(values) => each(values, |value| f32::from(u8::from(value))),
        TensorData::Uint8(values) => each(values, f32::from),
        TensorData::Uint16(values) => each(values, f32::from),
        TensorData::Uint32(values) => each(values, |value| value as f32),
        TensorData::Uint64(values) => each(values, |value| value as f32),
        TensorData::Int8(values) => each(values, f32::from),
        TensorData::Int16(values) => each(values, f32::from),
        TensorData::Int32(values) => each(values, |value| value as f32),
        TensorData::Int64(values) => each(values, |value| value as f32),
        TensorData::Fp16(values) => each(values, half),
        TensorData::Fp32(values) => values,
        TensorData::Fp64(values) => each(values, |value| value as f32),
        TensorData::Bytes(_) => return None,
    })
}
