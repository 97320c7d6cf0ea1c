use std::collections::BTreeMap;

use super::ImportError;
use super::tree::{Entry, Node, Value};
use crate::error::Position;
use crate::suggest::nearest;

/// A map of a document whose keys have been checked against the format.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    source: &'a str,
    inside: String,
    at: Option<Position>,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// The map at `node`; anything but a map, and any key that is not `known`, is refused.
    pub(super) fn of(
        source: &'a str,
        inside: &str,
        node: &'a Node,
        known: &[&str],
    ) -> Result<Self, ImportError> {
        let fields = Self::open(source, inside, node)?;
        for entry in fields.entries {
            if !known.contains(&entry.key.as_str()) {
                return Err(ImportError::UnknownKey {
                    source: source.to_owned(),
                    at: entry.at,
                    key: entry.key.clone(),
                    inside: inside.to_owned(),
                    suggestion: nearest(&entry.key, known.iter().copied()).map(str::to_owned),
                });
            }
        }
        Ok(fields)
    }

    /// The map at `node`, whose keys are free: labels, and what belongs to another system.
    pub(super) fn open(source: &'a str, inside: &str, node: &'a Node) -> Result<Self, ImportError> {
        match &node.value {
            Value::Map(entries) => Ok(Self {
                source,
                inside: inside.to_owned(),
                at: node.at,
                entries,
            }),
            other => Err(ImportError::at(
                source,
                node.at,
                format!("`{inside}` is {}; write a map", other.noun()),
            )),
        }
    }

    pub(super) fn at(&self) -> Option<Position> {
        self.at
    }

    pub(super) fn source(&self) -> &'a str {
        self.source
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().map(|entry| entry.key.as_str())
    }

    /// The name of a key with the map that it stands in, for messages.
    pub(super) fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.inside)
    }

    /// The value of a key; an empty value is an absent one.
    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.node)
            .filter(|node| node.value != Value::Null)
    }

    /// Where the value of a key stands, or else the map.
    pub(super) fn place(&self, key: &str) -> Option<Position> {
        self.node(key).map_or(self.at, |node| node.at)
    }

    pub(super) fn refuse(&self, key: &str, problem: &str) -> ImportError {
        ImportError::at(
            self.source,
            self.place(key),
            format!("`{}` {problem}", self.path(key)),
        )
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, ImportError> {
        match self.node(key).map(|node| &node.value) {
            None => Ok(None),
            Some(Value::Text(text)) if text.trim().is_empty() => {
                Err(self.refuse(key, "is blank; fill it in or remove it"))
            }
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.refuse(key, &format!("is {}; put it in quotes", other.noun()))),
        }
    }

    pub(super) fn required_text(&self, key: &str) -> Result<&'a str, ImportError> {
        self.text(key)?
            .ok_or_else(|| self.refuse(key, "is missing; fill it in"))
    }

    /// A number, as the decimal that was written.
    pub(super) fn number(&self, key: &str) -> Result<Option<&'a str>, ImportError> {
        match self.node(key).map(|node| &node.value) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number)),
            Some(other) => Err(self.refuse(key, &format!("is {}; write a number", other.noun()))),
        }
    }

    pub(super) fn required_number(&self, key: &str) -> Result<&'a str, ImportError> {
        self.number(key)?
            .ok_or_else(|| self.refuse(key, "is missing; write a number"))
    }

    pub(super) fn boolean(&self, key: &str) -> Result<Option<bool>, ImportError> {
        match self.node(key).map(|node| &node.value) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(self.refuse(
                key,
                &format!("is {}; write `true` or `false`", other.noun()),
            )),
        }
    }

    pub(super) fn map(&self, key: &str, known: &[&str]) -> Result<Option<Self>, ImportError> {
        self.node(key)
            .map(|node| Self::of(self.source, &self.path(key), node, known))
            .transpose()
    }

    pub(super) fn required_map(&self, key: &str, known: &[&str]) -> Result<Self, ImportError> {
        self.map(key, known)?
            .ok_or_else(|| self.refuse(key, "is missing; write a map"))
    }

    /// The items of a list, each with its name for messages; an absent list is an empty one.
    pub(super) fn list(&self, key: &str) -> Result<Vec<(String, &'a Node)>, ImportError> {
        match self.node(key).map(|node| &node.value) {
            None => Ok(Vec::new()),
            Some(Value::List(nodes)) => Ok(nodes
                .iter()
                .enumerate()
                .map(|(index, node)| (format!("{}[{index}]", self.path(key)), node))
                .collect()),
            Some(other) => Err(self.refuse(key, &format!("is {}; write a list", other.noun()))),
        }
    }

    /// A map of texts: labels and annotations. Values that YAML reads as something else are refused
    /// rather than guessed at: `1.10` would come back as `1.1`.
    pub(super) fn texts(&self, key: &str) -> Result<BTreeMap<String, String>, ImportError> {
        let Some(node) = self.node(key) else {
            return Ok(BTreeMap::new());
        };
        let open = Self::open(self.source, &self.path(key), node)?;
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for entry in open.entries {
            let Value::Text(text) = &entry.node.value else {
                return Err(open.refuse(
                    &entry.key,
                    &format!("is {}; put it in quotes", entry.node.value.noun()),
                ));
            };
            texts.insert(entry.key.clone(), text.clone());
        }
        Ok(texts)
    }
}
