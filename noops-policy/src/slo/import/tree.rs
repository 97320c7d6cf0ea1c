use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::ImportError;
use crate::error::Position;

/// Reads a YAML stream into one tree per document; every node knows its place.
///
/// A tree rather than typed structs, because the documents of one stream differ in kind, and because a
/// refusal should name the place of the key that is wrong, not that of the enclosing map.
pub(super) fn read(source: &str, yaml: &str) -> Result<Vec<Node>, ImportError> {
    if yaml.len() > MAX_BYTES {
        return Err(ImportError::at(
            source,
            None,
            format!(
                "the file has `{}` bytes, more than the `{MAX_BYTES}` that are read; split it",
                yaml.len()
            ),
        ));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_documents: MAX_DOCUMENTS,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_recorded_anchor_events: MAX_NODES,
            max_recorded_anchor_bytes: MAX_BYTES,
            max_total_scalar_bytes: 2 * MAX_BYTES,
            max_merge_keys: MAX_ALIASES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: 16,
        },
        strict_booleans: true,
        with_snippet: false,
    };
    let nodes: Vec<Node> =
        serde_saphyr::from_multiple_with_options(yaml, options).map_err(|error| {
            let text = error.without_snippet().to_string();
            ImportError::at(
                source,
                error.location().as_ref().and_then(position),
                text.lines().next().unwrap_or_default().trim().to_owned(),
            )
        })?;
    Ok(nodes)
}

/// A YAML value and where it starts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) at: Option<Position>,
    pub(super) value: Value,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// The shortest decimal that reads back as the same number: what was written, less its trailing zeros.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map, where it stands, and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) at: Option<Position>,
    pub(super) key: String,
    pub(super) node: Node,
}

impl Value {
    /// What the value is called in a message.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Null => "empty",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned {
            value, referenced, ..
        } = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self {
            at: position(&referenced),
            value,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        if value.is_finite() {
            Ok(Value::Number(value.to_string()))
        } else {
            Err(E::custom("a number is not finite; write a decimal number"))
        }
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut nodes: Vec<Node> = Vec::new();
        while let Some(node) = access.next_element::<Node>()? {
            nodes.push(node);
        }
        Ok(Value::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            let node = access.next_value::<Node>()?;
            entries.push(Entry {
                at: position(&key.referenced),
                key: key.value,
                node,
            });
        }
        Ok(Value::Map(entries))
    }
}

fn position(location: &Location) -> Option<Position> {
    (location.line() > 0).then(|| Position::new(location.line(), location.column()))
}

/// A longer file is refused before it is read.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// Deeper nesting is refused; the formats themselves nest ten deep.
const MAX_DEPTH: usize = 32;

const MAX_DOCUMENTS: usize = 1000;

/// More maps, lists and scalars, those that aliases repeat included, are refused.
const MAX_NODES: usize = 200_000;

const MAX_ALIASES: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(yaml: &str) -> String {
        read("slo.yaml", yaml).unwrap_err().to_string()
    }

    #[test]
    fn every_node_and_every_key_knows_its_place() {
        let documents = read("slo.yaml", "a: 1\nb:\n  - x\n  - y: true\n---\nc: 99.90\n").unwrap();
        assert_eq!(documents.len(), 2);
        let Value::Map(first) = &documents[0].value else {
            panic!("the first document is a map");
        };
        assert_eq!(first[1].key, "b");
        assert_eq!(first[1].at, Some(Position::new(2, 1)));
        let Value::List(items) = &first[1].node.value else {
            panic!("`b` is a list");
        };
        assert_eq!(items[0].at, Some(Position::new(3, 5)));
        assert_eq!(items[0].value, Value::Text("x".to_owned()));
        let Value::Map(inner) = &items[1].value else {
            panic!("the second item is a map");
        };
        assert_eq!(inner[0].at, Some(Position::new(4, 5)));
        assert_eq!(inner[0].node.value, Value::Bool(true));
        let Value::Map(second) = &documents[1].value else {
            panic!("the second document is a map");
        };
        assert_eq!(second[0].node.at, Some(Position::new(6, 4)));
        assert_eq!(second[0].node.value, Value::Number("99.9".to_owned()));
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused_with_its_place() {
        let text = message("a: 1\nb: 2\na: 3\n");
        assert!(text.starts_with("`slo.yaml`:3:1: "), "{text}");
    }

    #[test]
    fn a_billion_laughs_are_refused() {
        let mut yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let below = format!("*a{}", level - 1);
            let items = vec![below; 10].join(", ");
            yaml.push_str(&format!("a{level}: &a{level} [{items}]\n"));
        }
        let text = message(&yaml);
        assert!(text.starts_with("`slo.yaml`:"), "{text}");
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = format!("{}x{}", "[".repeat(40), "]".repeat(40));
        assert!(message(&deep).starts_with("`slo.yaml`:1:"));
        let nested: String = (0..60)
            .map(|level| format!("{}a:\n", " ".repeat(level)))
            .collect();
        assert!(message(&nested).starts_with("`slo.yaml`:"));
        let long = format!("a: {}", "x".repeat(MAX_BYTES));
        assert!(message(&long).contains("more than the `1048576`"));
        let many = "---\na: 1\n".repeat(1100);
        assert!(message(&many).starts_with("`slo.yaml`:"));
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused() {
        for bad in [".nan", ".inf", "-.inf", "1e999"] {
            assert!(read("slo.yaml", &format!("a: {bad}\n")).is_err(), "{bad}");
        }
    }
}
