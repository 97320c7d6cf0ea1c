//! Between tensors and rows.

use noops_core::{Contract, FeatureKind, Rows};

use super::error::{Code, ProtocolError};
use super::infer::{InputTensor, RequestedOutput};
use super::metadata::TensorMetadata;
use super::tensor::{DataType, Tensor, TensorData};
use crate::runtime::Prediction;

/// The tensors that a contract's rows come in and go out as.
pub(crate) fn tensors_of(contract: &Contract) -> (Vec<TensorMetadata>, Vec<TensorMetadata>) {
    let all_numbers = contract
        .rules()
        .iter()
        .all(|rule| is_number(rule.feature().kind()));
    let features = contract.rules().len() as i64;
    let inputs = if all_numbers {
        vec![TensorMetadata {
            name: INPUT.to_owned(),
            datatype: DataType::Fp32,
            shape: vec![-1, features],
        }]
    } else {
        let rules = contract.rules().iter();
        rules
            .map(|rule| TensorMetadata {
                name: rule.feature().name().to_owned(),
                datatype: if is_number(rule.feature().kind()) {
                    DataType::Fp32
                } else {
                    DataType::Bytes
                },
                shape: vec![-1],
            })
            .collect()
    };
    let outputs = vec![TensorMetadata {
        name: OUTPUT.to_owned(),
        datatype: DataType::Fp32,
        shape: vec![-1, contract.output().width() as i64],
    }];
    (inputs, outputs)
}

/// Rows from the tensors of a request.
pub(crate) fn read_rows(
    model: &str,
    inputs: &[InputTensor],
    contract: &Contract,
) -> Result<Rows, ProtocolError> {
    match inputs {
        [] => Err(ProtocolError::invalid(format!(
            "the request for model `{model}` has no inputs"
        ))),
        [only] if only.tensor().name() == INPUT && !has_feature(contract, INPUT) => {
            read_matrix(only.tensor(), contract)
        }
        _ => read_features(model, inputs, contract),
    }
}

/// Refuses outputs that no model has.
pub(crate) fn known_outputs(wanted: &[RequestedOutput]) -> Result<(), ProtocolError> {
    match wanted.iter().find(|wanted| wanted.name() != OUTPUT) {
        None => Ok(()),
        Some(unknown) => Err(ProtocolError::invalid(format!(
            "there is no output `{}`; there is `{OUTPUT}`",
            unknown.name()
        ))),
    }
}

/// The scores of rows as one tensor.
pub(crate) fn write_scores(
    rows: &[Prediction],
    contract: &Contract,
) -> Result<Tensor, ProtocolError> {
    let width = rows
        .first()
        .map_or(contract.output().width(), |row| row.scores().len());
    let mut values = Vec::with_capacity(rows.len() * width);
    for row in rows {
        if row.scores().len() != width {
            return Err(ProtocolError::new(
                Code::Internal,
                "rows were answered by models of different outputs; ask for them one by one",
            ));
        }
        values.extend_from_slice(row.scores());
    }
    let shape = vec![rows.len() as u64, width as u64];
    Tensor::new(OUTPUT, shape, TensorData::Fp32(values))
}

fn read_matrix(tensor: &Tensor, contract: &Contract) -> Result<Rows, ProtocolError> {
    let features = contract.rules().len();
    let categories = contract
        .rules()
        .iter()
        .find(|rule| !is_number(rule.feature().kind()));
    if let Some(rule) = categories {
        return Err(ProtocolError::invalid(format!(
            "`{}` is a category, so the features cannot come as one tensor `{INPUT}`; give a tensor for each",
            rule.feature().name()
        )));
    }
    let rows = match tensor.shape() {
        [rows, columns] if *columns == features as u64 => *rows,
        shape => {
            return Err(ProtocolError::invalid(format!(
                "tensor `{INPUT}` has shape {shape:?}, [rows, {features}] is expected"
            )));
        }
    };
    let rows = usize::try_from(rows).map_err(|_| too_many_rows())?;
    Ok(Rows::new(rows, numbers(tensor)?.into_owned(), Vec::new())?)
}

fn read_features(
    model: &str,
    inputs: &[InputTensor],
    contract: &Contract,
) -> Result<Rows, ProtocolError> {
    for (index, input) in inputs.iter().enumerate() {
        let name = input.tensor().name();
        if !has_feature(contract, name) {
            return Err(ProtocolError::invalid(format!(
                "model `{model}` has no input `{name}`; {}",
                expected(contract)
            )));
        }
        if inputs
            .iter()
            .take(index)
            .any(|other| other.tensor().name() == name)
        {
            return Err(ProtocolError::invalid(format!(
                "input `{name}` is given twice"
            )));
        }
    }
    let mut columns = Vec::with_capacity(contract.rules().len());
    let mut rows = None;
    for rule in contract.rules() {
        let name = rule.feature().name();
        let input = inputs.iter().find(|input| input.tensor().name() == name);
        let tensor = input.map(InputTensor::tensor).ok_or_else(|| {
            ProtocolError::invalid(format!("input `{name}` of model `{model}` is missing"))
        })?;
        let length = match tensor.shape() {
            [rows] | [rows, 1] => *rows,
            shape => {
                return Err(ProtocolError::invalid(format!(
                    "tensor `{name}` has shape {shape:?}, [rows] or [rows, 1] is expected"
                )));
            }
        };
        if *rows.get_or_insert(length) != length {
            return Err(ProtocolError::invalid(format!(
                "tensor `{name}` has {length} rows, others have {}",
                rows.unwrap_or_default()
            )));
        }
        columns.push(if is_number(rule.feature().kind()) {
            Values::Numbers(numbers(tensor)?)
        } else {
            Values::Texts(texts(tensor)?)
        });
    }
    let rows = usize::try_from(rows.unwrap_or_default()).map_err(|_| too_many_rows())?;
    let (mut row_numbers, mut row_texts) = (Vec::new(), Vec::new());
    for row in 0..rows {
        for column in &columns {
            match column {
                Values::Numbers(values) => row_numbers.extend(values.get(row)),
                Values::Texts(values) => row_texts.push(values.get(row).cloned()),
            }
        }
    }
    Ok(Rows::new(rows, row_numbers, row_texts)?)
}

enum Values<'a> {
    Numbers(std::borrow::Cow<'a, [f32]>),
    Texts(Vec<String>),
}

fn numbers(tensor: &Tensor) -> Result<std::borrow::Cow<'_, [f32]>, ProtocolError> {
    macro_rules! narrowed {
        ($values:expr) => {
            $values.iter().map(|value| *value as f32).collect()
        };
    }
    let narrowed: Vec<f32> = match tensor.data() {
        TensorData::Fp32(values) => return Ok(values.into()),
        TensorData::Fp64(values) => narrowed!(values),
        TensorData::Int8(values) => narrowed!(values),
        TensorData::Int16(values) => narrowed!(values),
        TensorData::Int32(values) => narrowed!(values),
        TensorData::Int64(values) => narrowed!(values),
        TensorData::Uint8(values) => narrowed!(values),
        TensorData::Uint16(values) => narrowed!(values),
        TensorData::Uint32(values) => narrowed!(values),
        TensorData::Uint64(values) => narrowed!(values),
        TensorData::Bool(values) => values
            .iter()
            .map(|value| f32::from(u8::from(*value)))
            .collect(),
        TensorData::Fp16(_) | TensorData::Bytes(_) => {
            return Err(ProtocolError::invalid(format!(
                "tensor `{}` is {}, numbers are expected, best as FP32",
                tensor.name(),
                tensor.datatype().name()
            )));
        }
    };
    Ok(narrowed.into())
}

fn texts(tensor: &Tensor) -> Result<Vec<String>, ProtocolError> {
    let TensorData::Bytes(values) = tensor.data() else {
        return Err(ProtocolError::invalid(format!(
            "tensor `{}` is {}, BYTES are expected",
            tensor.name(),
            tensor.datatype().name()
        )));
    };
    let text = |(row, bytes): (usize, &Vec<u8>)| {
        String::from_utf8(bytes.clone()).map_err(|_| {
            ProtocolError::invalid(format!(
                "tensor `{}` is not UTF-8 at row {row}",
                tensor.name()
            ))
        })
    };
    values.iter().enumerate().map(text).collect()
}

fn expected(contract: &Contract) -> String {
    let (inputs, _) = tensors_of(contract);
    let names: Vec<String> = inputs
        .iter()
        .take(NAMED)
        .map(|input| format!("`{}`", input.name))
        .collect();
    let more = if inputs.len() > NAMED {
        " and more"
    } else {
        ""
    };
    format!("it has {}{more}", names.join(", "))
}

fn has_feature(contract: &Contract, name: &str) -> bool {
    contract
        .rules()
        .iter()
        .any(|rule| rule.feature().name() == name)
}

fn is_number(kind: &FeatureKind) -> bool {
    matches!(kind, FeatureKind::Number { .. })
}

fn too_many_rows() -> ProtocolError {
    ProtocolError::invalid("there are too many rows")
}

const INPUT: &str = "input";
const OUTPUT: &str = "output";
/// How many inputs an error names.
const NAMED: usize = 8;
