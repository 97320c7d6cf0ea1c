//! Parameters.

use std::collections::BTreeMap;

use super::super::generated::inference::InferParameter;
use super::super::generated::inference::infer_parameter::ParameterChoice;
use crate::protocol::error::ProtocolError;
use crate::protocol::parameter::{Parameter, Parameters, followed};

/// The parameters of `owner`, "input `x`" say.
pub(super) fn parameters(
    owner: &dyn Fn() -> String,
    messages: BTreeMap<String, InferParameter>,
) -> Result<Parameters, ProtocolError> {
    messages
        .into_iter()
        .map(|(name, message)| {
            let value = match message.parameter_choice {
                Some(ParameterChoice::BoolParam(value)) => Parameter::Bool(value),
                Some(ParameterChoice::Int64Param(value)) => Parameter::Int64(value),
                Some(ParameterChoice::StringParam(value)) => Parameter::Text(value),
                Some(ParameterChoice::DoubleParam(value)) => Parameter::Double(value),
                Some(ParameterChoice::Uint64Param(value)) => Parameter::Uint64(value),
                None => {
                    return Err(ProtocolError::invalid(format!(
                        "parameter `{name}` of {} has no value",
                        owner()
                    )));
                }
            };
            Ok((name, value))
        })
        .collect()
}

/// Parameters of a tensor, which must be in the message.
pub(super) fn tensor_parameters(
    tensor: &str,
    messages: BTreeMap<String, InferParameter>,
) -> Result<Parameters, ProtocolError> {
    followed(tensor, messages.keys().map(String::as_str))?;
    parameters(&|| format!("tensor `{tensor}`"), messages)
}

pub(super) fn messages(parameters: &Parameters) -> BTreeMap<String, InferParameter> {
    let messages = parameters.iter().map(|(name, value)| {
        let choice = match value {
            Parameter::Bool(value) => ParameterChoice::BoolParam(*value),
            Parameter::Int64(value) => ParameterChoice::Int64Param(*value),
            Parameter::Text(value) => ParameterChoice::StringParam(value.clone()),
            Parameter::Double(value) => ParameterChoice::DoubleParam(*value),
            Parameter::Uint64(value) => ParameterChoice::Uint64Param(*value),
        };
        let message = InferParameter {
            parameter_choice: Some(choice),
        };
        (name.clone(), message)
    });
    messages.collect()
}
