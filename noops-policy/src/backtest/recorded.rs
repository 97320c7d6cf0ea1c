use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::fact::{FactEntry, FactValue};

/// The facts of a line by name, as often as they are there: a name that is there twice is refused.
pub(super) struct RecordedFacts(pub(super) Vec<(String, RecordedFact)>);

/// A fact with the time at which it was true, or a bare value that was true at the moment of its line.
pub(super) enum RecordedFact {
    Entry(FactEntry),
    Value(FactValue),
}

impl<'de> Deserialize<'de> for RecordedFacts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FactsVisitor)
    }
}

struct FactsVisitor;

impl<'de> Visitor<'de> for FactsVisitor {
    type Value = RecordedFacts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("facts by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RecordedFacts, A::Error> {
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut facts: Vec<(String, RecordedFact)> = Vec::new();
        while let Some((name, fact)) = map.next_entry::<String, RecordedFact>()? {
            if !names.insert(name.clone()) {
                return Err(de::Error::custom(format!(
                    "fact `{}` is there twice; remove one of them",
                    name.escape_debug()
                )));
            }
            facts.push((name, fact));
        }
        Ok(RecordedFacts(facts))
    }
}

impl<'de> Deserialize<'de> for RecordedFact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FactVisitor)
    }
}

struct FactVisitor;

impl FactVisitor {
    fn value<'de, D: Deserializer<'de>>(value: D) -> Result<RecordedFact, D::Error> {
        FactValue::deserialize(value).map(RecordedFact::Value)
    }
}

impl<'de> Visitor<'de> for FactVisitor {
    type Value = RecordedFact;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, or an object with `value` and `at`")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RecordedFact, A::Error> {
        FactEntry::deserialize(MapAccessDeserializer::new(map)).map(RecordedFact::Entry)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<RecordedFact, A::Error> {
        Self::value(SeqAccessDeserializer::new(items))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<RecordedFact, E> {
        Self::value(de::value::BoolDeserializer::new(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<RecordedFact, E> {
        Self::value(de::value::I64Deserializer::new(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<RecordedFact, E> {
        Self::value(de::value::U64Deserializer::new(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<RecordedFact, E> {
        Self::value(de::value::F64Deserializer::new(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<RecordedFact, E> {
        Self::value(de::value::StrDeserializer::new(value))
    }

    fn visit_unit<E: de::Error>(self) -> Result<RecordedFact, E> {
        Self::value(de::value::UnitDeserializer::new())
    }
}
