use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use noops_core::Timestamp;
use noops_policy::cel::{Environment, Map, Type, Value};
use serde_json::Value as Json;

use super::vector::Vector;

/// The environment that a vector declares.
pub(crate) fn environment(vector: &Vector) -> Environment {
    let mut environment = Environment::new().with_container(vector.container.as_str());
    if vector.suite() == "checking" {
        for (name, value_type) in REFERENCE_VARIABLES {
            environment = environment.with_variable(name, value_type);
        }
    }
    for declaration in &vector.declarations {
        let name = declaration["name"].as_str().unwrap();
        let declared = &declaration["ident"]["type"];
        let value_type =
            value_type(declared).unwrap_or_else(|| panic!("{}: {declared}", vector.path));
        environment = environment.with_variable(name, value_type);
    }
    environment
}

/// The values that a vector binds.
pub(crate) fn bindings(vector: &Vector) -> Vec<(&str, Value)> {
    vector
        .bindings
        .iter()
        .map(|(name, json)| {
            let value = value(json).unwrap_or_else(|| panic!("{}: {json}", vector.path));
            (name.as_str(), value)
        })
        .collect()
}

/// A value as the vectors write it: `cel.expr.Value` in the JSON form of protocol buffers.
pub(crate) fn value(json: &Json) -> Option<Value> {
    let (kind, content) = json.as_object()?.iter().next()?;
    Some(match kind.as_str() {
        "nullValue" => Value::Null,
        "boolValue" => Value::Bool(content.as_bool()?),
        "int64Value" => Value::Int(content.as_str()?.parse().ok()?),
        "uint64Value" => Value::Uint(content.as_str()?.parse().ok()?),
        // Not a number, infinities and the negative zero are text.
        "doubleValue" => Value::Double(match content.as_str() {
            Some(text) => text.parse().ok()?,
            None => content.as_f64()?,
        }),
        "stringValue" => Value::from(content.as_str()?),
        "bytesValue" => Value::from(STANDARD.decode(content.as_str()?).ok()?),
        "typeValue" => Value::Type(type_named(content.as_str()?)?),
        "listValue" => Value::from(
            items(content, "values")
                .iter()
                .map(value)
                .collect::<Option<Vec<Value>>>()?,
        ),
        "mapValue" => {
            let entries = items(content, "entries")
                .iter()
                .map(|entry| Some((value(&entry["key"])?, value(&entry["value"])?)))
                .collect::<Option<Vec<(Value, Value)>>>()?;
            Value::from(Map::new(entries).ok()?)
        }
        "objectValue" => object(content)?,
        _ => return None,
    })
}

/// Whether two values are the same: of the same types throughout, and not a number the same as itself.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right)) => left == right,
        (Value::Uint(left), Value::Uint(right)) => left == right,
        (Value::Double(left), Value::Double(right)) => {
            left.to_bits() == right.to_bits() || (left.is_nan() && right.is_nan())
        }
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Bytes(left), Value::Bytes(right)) => left == right,
        (Value::Duration(left), Value::Duration(right)) => left == right,
        (Value::Timestamp(left), Value::Timestamp(right)) => left == right,
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right.iter()).all(|(l, r)| same(l, r))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left.entries().all(|(key, value)| {
                    right
                        .entries()
                        .any(|(other, found)| same(key, other) && same(value, found))
                })
        }
        (Value::Type(left), Value::Type(right)) => type_name(left) == type_name(right),
        _ => false,
    }
}

/// A type as the vectors declare it: `cel.expr.Type`.
pub(crate) fn value_type(json: &Json) -> Option<Type> {
    let (kind, content) = json.as_object()?.iter().next()?;
    Some(match (kind.as_str(), content.as_str()) {
        ("dyn", _) => Type::Dyn,
        ("null", _) => Type::Null,
        ("primitive", Some("BOOL")) => Type::Bool,
        ("primitive", Some("INT64")) => Type::Int,
        ("primitive", Some("UINT64")) => Type::Uint,
        ("primitive", Some("DOUBLE")) => Type::Double,
        ("primitive", Some("STRING")) => Type::String,
        ("primitive", Some("BYTES")) => Type::Bytes,
        ("wellKnown", Some("TIMESTAMP")) => Type::Timestamp,
        ("wellKnown", Some("DURATION")) => Type::Duration,
        ("messageType", Some("google.protobuf.Timestamp")) => Type::Timestamp,
        ("messageType", Some("google.protobuf.Duration")) => Type::Duration,
        ("listType", _) => Type::list(value_type(&content["elemType"])?),
        ("mapType", _) => Type::map(
            value_type(&content["keyType"])?,
            value_type(&content["valueType"])?,
        ),
        _ => return None,
    })
}

fn items<'a>(content: &'a Json, name: &str) -> &'a [Json] {
    content[name].as_array().map_or(&[], Vec::as_slice)
}

fn object(content: &Json) -> Option<Value> {
    let written = content["value"].as_str()?;
    match content["@type"].as_str()? {
        "type.googleapis.com/google.protobuf.Timestamp" => {
            written.parse::<Timestamp>().ok().map(Value::from)
        }
        "type.googleapis.com/google.protobuf.Duration" => {
            let seconds: f64 = written.strip_suffix('s')?.parse().ok()?;
            jiff::SignedDuration::try_from_secs_f64(seconds)
                .ok()
                .map(Value::from)
        }
        _ => None,
    }
}

fn type_named(name: &str) -> Option<Type> {
    Some(match name {
        "null_type" => Type::Null,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "google.protobuf.Duration" => Type::Duration,
        "google.protobuf.Timestamp" => Type::Timestamp,
        "list" => Type::list(Type::Dyn),
        "map" => Type::map(Type::Dyn, Type::Dyn),
        "type" => Type::Type(Box::new(Type::Dyn)),
        _ => return None,
    })
}

/// The name of a type as a value, which says nothing of what is in a list or a map.
fn type_name(value_type: &Type) -> String {
    let written = value_type.to_string();
    match written.split_once('(') {
        Some((name, _)) => name.to_owned(),
        None => written,
    }
}

/// What the tests of the reference checker declare everywhere without writing it down.
const REFERENCE_VARIABLES: [(&str, Type); 7] = [
    ("is", Type::String),
    ("ii", Type::Int),
    ("iu", Type::Uint),
    ("iz", Type::Bool),
    ("ib", Type::Bytes),
    ("id", Type::Double),
    ("ix", Type::Null),
];
