//! Facts as they are written: a tree in which everything knows its place.

use std::fmt;

use noops_policy::FactValue;
use serde::de::value::{
    BoolDeserializer, F64Deserializer, I64Deserializer, SeqAccessDeserializer, StrDeserializer,
    U64Deserializer, UnitDeserializer,
};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// A map of names, or a value.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Map(Vec<Entry>),
    Value(FactValue),
}

/// A name, where it stands, and what is under it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) place: (u64, u64),
    pub(crate) node: Node,
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl NodeVisitor {
    fn value<'de, D: Deserializer<'de>>(value: D) -> Result<Node, D::Error> {
        FactValue::deserialize(value).map(Node::Value)
    }
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("facts by name, or a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries: Vec<Entry> = Vec::new();
        while let Some((name, node)) = map.next_entry::<Spanned<String>, Node>()? {
            entries.push(Entry {
                place: (name.referenced.line(), name.referenced.column()),
                name: name.value,
                node,
            });
        }
        Ok(Node::Map(entries))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Node, A::Error> {
        Self::value(SeqAccessDeserializer::new(items))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Self::value(BoolDeserializer::new(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Self::value(I64Deserializer::new(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Self::value(U64Deserializer::new(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Self::value(F64Deserializer::new(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Self::value(StrDeserializer::new(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Self::value(UnitDeserializer::new())
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }
}
