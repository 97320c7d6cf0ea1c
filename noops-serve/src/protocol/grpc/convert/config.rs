//! Configurations of models.

use serde_json::Value;

use super::super::generated::inference::model_instance_group::Kind;
use super::super::generated::inference::{
    DataType, ModelConfig, ModelDynamicBatching, ModelInput, ModelInstanceGroup, ModelOutput,
    ModelParameter, ModelQueuePolicy,
};

/// The message of a configuration as REST shows it. What REST leaves out, or writes in a way that the message has no room for, is
/// left at its default.
pub(in super::super) fn model_config(config: &Value) -> ModelConfig {
    ModelConfig {
        name: text(config, "name"),
        platform: text(config, "platform"),
        max_batch_size: integer(config, "max_batch_size"),
        input: list(config, "input").map(input).collect(),
        output: list(config, "output").map(output).collect(),
        instance_group: list(config, "instance_group").map(instances).collect(),
        default_model_filename: text(config, "default_model_filename"),
        dynamic_batching: object(config, "dynamic_batching").map(batching),
        parameters: config
            .get("parameters")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                let string_value = text(value, "string_value");
                (name.clone(), ModelParameter { string_value })
            })
            .collect(),
        backend: text(config, "backend"),
        runtime: text(config, "runtime"),
    }
}

fn input(input: &Value) -> ModelInput {
    ModelInput {
        name: text(input, "name"),
        data_type: datatype(input),
        dims: integers(input, "dims"),
        optional: truth(input, "optional"),
    }
}

fn output(output: &Value) -> ModelOutput {
    ModelOutput {
        name: text(output, "name"),
        data_type: datatype(output),
        dims: integers(output, "dims"),
    }
}

fn instances(group: &Value) -> ModelInstanceGroup {
    let kind = group.get("kind").and_then(Value::as_str);
    ModelInstanceGroup {
        name: text(group, "name"),
        count: integer(group, "count"),
        kind: kind
            .and_then(Kind::from_str_name)
            .unwrap_or(Kind::Auto)
            .into(),
    }
}

fn batching(batching: &Value) -> ModelDynamicBatching {
    ModelDynamicBatching {
        preferred_batch_size: integers(batching, "preferred_batch_size"),
        max_queue_delay_microseconds: integer(batching, "max_queue_delay_microseconds"),
        preserve_ordering: truth(batching, "preserve_ordering"),
        priority_levels: integer(batching, "priority_levels"),
        default_priority_level: integer(batching, "default_priority_level"),
        default_queue_policy: object(batching, "default_queue_policy").map(queue_policy),
    }
}

fn queue_policy(policy: &Value) -> ModelQueuePolicy {
    ModelQueuePolicy {
        default_timeout_microseconds: integer(policy, "default_timeout_microseconds"),
        allow_timeout_override: truth(policy, "allow_timeout_override"),
        max_queue_size: integer(policy, "max_queue_size"),
    }
}

fn datatype(tensor: &Value) -> i32 {
    let name = tensor.get("data_type").and_then(Value::as_str);
    let datatype = name.and_then(DataType::from_str_name);
    datatype.unwrap_or(DataType::TypeInvalid).into()
}

fn object<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|value| value.is_object())
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text(value: &Value, key: &str) -> String {
    let text = value.get(key).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn truth(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}

fn integer<T: TryFrom<i64> + Default>(value: &Value, key: &str) -> T {
    value.get(key).and_then(whole).unwrap_or_default()
}

fn integers<T: TryFrom<i64>>(value: &Value, key: &str) -> Vec<T> {
    list(value, key).filter_map(whole).collect()
}

/// A whole number. The JSON of protocol buffers writes those of 64 bits as text.
fn whole<T: TryFrom<i64>>(value: &Value) -> Option<T> {
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    number.and_then(|number| T::try_from(number).ok())
}
