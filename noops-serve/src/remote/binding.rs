//! How a contract's features become the tensors of a server's model.

mod metadata;
mod outputs;

use std::sync::Arc;

use noops_core::{Batch, Column, Contract, Error, ErrorKind, FeatureKind, Scores};

use super::channel::CONNECT;
use super::failure::INFER;
use crate::protocol::{DataType, InferResponse, InputTensor, Tensor, TensorData};
use metadata::{ModelDescription, TensorDescription};
pub(super) use metadata::{extensions, model};

/// Which tensors are sent and which one has the scores.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    inputs: Inputs,
    output: String,
    width: usize,
}

#[derive(Clone, Debug)]
enum Inputs {
    /// All features as numbers, in the contract's order.
    Matrix { name: String, datatype: DataType },
    /// One tensor for each feature, in the contract's order.
    Columns(Arc<[BoundColumn]>),
}

#[derive(Clone, Debug)]
struct BoundColumn {
    name: String,
    datatype: DataType,
    /// What follows the rows in the shape: nothing, or a one.
    trailing: Option<u64>,
    /// The texts of the codes from 1 on.
    categories: Vec<String>,
}

impl Binding {
    /// Checks what a server says of its model against a contract.
    ///
    /// # Errors
    ///
    /// `Invalid`, naming the tensor, when the inputs or the output are not those of the contract.
    pub(super) fn new(
        description: &ModelDescription,
        contract: &Contract,
        output: Option<&str>,
    ) -> Result<Self, Error> {
        let width = contract.output().width();
        Ok(Self {
            inputs: bind_inputs(&description.inputs, contract)?,
            output: outputs::bind(&description.outputs, width, output)?,
            width,
        })
    }

    /// The name of the output that has the scores.
    pub(super) fn output(&self) -> &str {
        &self.output
    }

    /// How many scores a row has.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// A batch as tensors.
    pub(super) fn inputs(&self, batch: &Batch) -> Result<Vec<InputTensor>, Error> {
        let rows = batch.rows() as u64;
        let tensors = match &self.inputs {
            Inputs::Matrix { name, datatype } => {
                let mut scratch = Vec::new();
                let values = batch.dense(&mut scratch).to_vec();
                let columns = batch.kinds().len() as u64;
                vec![tensor(
                    name,
                    vec![rows, columns],
                    numbers(values, *datatype),
                )?]
            }
            Inputs::Columns(columns) if columns.len() == batch.kinds().len() => columns
                .iter()
                .enumerate()
                .map(|(index, column)| column.tensor(rows, batch.column(index)))
                .collect::<Result<_, _>>()?,
            Inputs::Columns(_) => return Err(foreign_batch()),
        };
        Ok(tensors.into_iter().map(InputTensor::new).collect())
    }

    /// The scores in an answer.
    pub(super) fn scores(&self, response: InferResponse, rows: usize) -> Result<Scores, Error> {
        outputs::scores(response, &self.output, self.width, rows)
    }
}

impl BoundColumn {
    fn tensor(&self, rows: u64, column: Option<Column>) -> Result<Tensor, Error> {
        let data = match column.ok_or_else(foreign_batch)? {
            Column::Number(values) => numbers(values, self.datatype),
            Column::Category(codes) => self.codes(&codes),
        };
        let shape = [rows].into_iter().chain(self.trailing).collect();
        tensor(&self.name, shape, data)
    }

    /// Categories as the server wants them: texts, or the number of the category with -1 or NaN for a missing or unknown one.
    fn codes(&self, codes: &[u32]) -> TensorData {
        let place = |code: u32| i64::from(code) - 1;
        match self.datatype {
            DataType::Bytes => {
                let text = |&code: &u32| {
                    let index = usize::try_from(code)
                        .ok()
                        .and_then(|code| code.checked_sub(1));
                    let text = index.and_then(|index| self.categories.get(index));
                    text.map(|text| text.clone().into_bytes())
                        .unwrap_or_default()
                };
                TensorData::Bytes(codes.iter().map(text).collect())
            }
            DataType::Int32 => TensorData::Int32(
                codes
                    .iter()
                    .map(|&code| i32::try_from(place(code)).unwrap_or(-1))
                    .collect(),
            ),
            DataType::Int64 => TensorData::Int64(codes.iter().map(|&code| place(code)).collect()),
            datatype => {
                let value = |&code: &u32| match code {
                    0 => f32::NAN,
                    code => place(code) as f32,
                };
                numbers(codes.iter().map(value).collect(), datatype)
            }
        }
    }
}

fn bind_inputs(inputs: &[TensorDescription], contract: &Contract) -> Result<Inputs, Error> {
    let features = contract.rules().len();
    if let [input] = inputs
        && input.shape.len() == 2
        && (features > 1
            || input.name
                != contract
                    .rules()
                    .first()
                    .map_or("", |rule| rule.feature().name()))
    {
        let columns = input.shape.last().copied().unwrap_or_default();
        if columns != -1 && usize::try_from(columns) != Ok(features) {
            return Err(refuse("the model takes another number of features", input)
                .with("features", features));
        }
        if !matches!(input.datatype, DataType::Fp32 | DataType::Fp64) {
            return Err(refuse("a matrix of features must be FP32 or FP64", input));
        }
        batched(input)?;
        return Ok(Inputs::Matrix {
            name: input.name.clone(),
            datatype: input.datatype,
        });
    }
    let foreign = |input: &&TensorDescription| {
        let mut rules = contract.rules().iter();
        !rules.any(|rule| rule.feature().name() == input.name)
    };
    if let Some(input) = inputs.iter().find(foreign) {
        return Err(refuse("the model has an input that is no feature", input));
    }
    let columns = contract.rules().iter().map(|rule| {
        let name = rule.feature().name();
        let input = inputs
            .iter()
            .find(|input| input.name == name)
            .ok_or_else(|| {
                let message =
                    "the model describes no input for a feature, and no matrix of all features";
                Error::new(ErrorKind::Invalid, CONNECT, message).with("feature", name)
            })?;
        bind_column(input, rule.feature().kind())
    });
    Ok(Inputs::Columns(columns.collect::<Result<_, _>>()?))
}

fn bind_column(input: &TensorDescription, kind: &FeatureKind) -> Result<BoundColumn, Error> {
    batched(input)?;
    let trailing = match input.shape.get(1..).unwrap_or_default() {
        [] => None,
        [1 | -1] => Some(1),
        _ => return Err(refuse("a feature has one value for each row", input)),
    };
    let categories = match (kind, input.datatype) {
        (FeatureKind::Number { .. }, DataType::Fp32 | DataType::Fp64) => Vec::new(),
        (FeatureKind::Number { .. }, _) => {
            return Err(refuse("a number must be FP32 or FP64", input));
        }
        (
            FeatureKind::Category { categories },
            DataType::Bytes | DataType::Int32 | DataType::Int64 | DataType::Fp32 | DataType::Fp64,
        ) => categories.clone(),
        (FeatureKind::Category { .. }, _) => {
            let message = "a category must be BYTES, INT32, INT64, FP32 or FP64";
            return Err(refuse(message, input));
        }
    };
    Ok(BoundColumn {
        name: input.name.clone(),
        datatype: input.datatype,
        trailing,
        categories,
    })
}

/// The first dimension must be open, for the rows.
fn batched(tensor: &TensorDescription) -> Result<(), Error> {
    if tensor.shape.first() == Some(&-1) {
        Ok(())
    } else {
        Err(refuse(
            "the first dimension must be -1, for any number of rows",
            tensor,
        ))
    }
}

fn numbers(values: Vec<f32>, datatype: DataType) -> TensorData {
    match datatype {
        DataType::Fp64 => TensorData::Fp64(values.into_iter().map(f64::from).collect()),
        _ => TensorData::Fp32(values),
    }
}

fn tensor(name: &str, shape: Vec<u64>, data: TensorData) -> Result<Tensor, Error> {
    Tensor::new(name, shape, data).map_err(|error| {
        Error::new(ErrorKind::Invalid, INFER, "a batch fits no tensor").caused_by(error)
    })
}

fn foreign_batch() -> Error {
    let message = "the batch has other columns than the contract";
    Error::new(ErrorKind::Invalid, INFER, message)
}

fn refuse(message: &str, tensor: &TensorDescription) -> Error {
    Error::new(ErrorKind::Invalid, CONNECT, message)
        .with("tensor", &tensor.name)
        .with("datatype", tensor.datatype)
        .with("shape", format_args!("{:?}", tensor.shape))
}

#[cfg(test)]
mod tests;
