use jiff::Timestamp;
use regorus::Value;

use crate::fact::{FactSchema, FactValue, Facts};

/// The known facts of the slots, nested by their dotted names.
pub(super) fn value(schema: &FactSchema, slots: &[usize], facts: &Facts, now: Timestamp) -> Value {
    let mut root = Value::new_object();
    for slot in slots {
        if let Ok(value) = facts.read(*slot, now) {
            insert(&mut root, schema.name(*slot), rego(value));
        }
    }
    root
}

/// No fact is the beginning of another, so that what is on the way is always an object.
fn insert(root: &mut Value, name: &str, value: Value) {
    let (groups, last) = match name.rsplit_once('.') {
        Some((groups, last)) => (Some(groups), last),
        None => (None, name),
    };
    let mut at = root;
    for group in groups.into_iter().flat_map(|groups| groups.split('.')) {
        let Ok(object) = at.as_object_mut() else {
            return;
        };
        let key = Value::from(group);
        if !object.contains_key(&key) {
            object.insert(key.clone(), Value::new_object());
        }
        let Some(next) = object.get_mut(&key) else {
            return;
        };
        at = next;
    }
    if let Ok(object) = at.as_object_mut() {
        object.insert(Value::from(last), value);
    }
}

fn rego(value: &FactValue) -> Value {
    match value {
        FactValue::Bool(value) => Value::from(*value),
        FactValue::Int(value) => Value::from(*value),
        FactValue::Double(value) => Value::from(*value),
        FactValue::Text(value) => Value::from(value.as_str()),
        FactValue::Duration(value) => Value::from(value.as_nanos()),
        FactValue::Timestamp(value) => Value::from(value.as_nanosecond()),
        FactValue::Ints(items) => list(items.iter().map(|item| Value::from(*item))),
        FactValue::Doubles(items) => list(items.iter().map(|item| Value::from(*item))),
        FactValue::Texts(items) => list(items.iter().map(|item| Value::from(item.as_str()))),
    }
}

fn list(items: impl Iterator<Item = Value>) -> Value {
    Value::from(items.collect::<Vec<Value>>())
}
