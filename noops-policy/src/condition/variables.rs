use std::sync::Arc;

use jiff::Timestamp;

use crate::cel::eval::Variables;
use crate::cel::value::Value;
use crate::fact::{FactValue, Facts};

/// Facts at a moment, as the variables of an expression.
pub(crate) struct FactVariables<'a> {
    facts: &'a Facts,
    now: Timestamp,
}

impl<'a> FactVariables<'a> {
    pub(crate) fn new(facts: &'a Facts, now: Timestamp) -> Self {
        Self { facts, now }
    }
}

impl Variables for FactVariables<'_> {
    fn value(&self, index: usize) -> Option<Value> {
        self.facts.read(index, self.now).ok().map(to_cel)
    }

    fn is_known(&self, index: usize) -> bool {
        self.facts.usable(index, self.now).is_some()
    }
}

fn to_cel(fact: &FactValue) -> Value {
    match fact {
        FactValue::Bool(value) => Value::Bool(*value),
        FactValue::Int(value) => Value::Int(*value),
        FactValue::Double(value) => Value::Double(*value),
        FactValue::Text(text) => Value::String(Arc::from(text.as_str())),
        FactValue::Duration(duration) => Value::Duration(*duration),
        FactValue::Timestamp(timestamp) => Value::Timestamp(*timestamp),
        FactValue::Ints(items) => Value::List(items.iter().copied().map(Value::Int).collect()),
        FactValue::Doubles(items) => {
            Value::List(items.iter().copied().map(Value::Double).collect())
        }
        FactValue::Texts(items) => Value::List(
            items
                .iter()
                .map(|text| Value::String(Arc::from(text.as_str())))
                .collect(),
        ),
    }
}
