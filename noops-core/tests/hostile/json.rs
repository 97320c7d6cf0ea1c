//! Everything that is read from JSON, with the JSON broken.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::cases;
use crate::change::{changed, changes};
use crate::samples::{Sample, samples};

static SAMPLES: LazyLock<Vec<Sample>> = LazyLock::new(samples);

fn sample(number: u16) -> &'static Sample {
    &SAMPLES[usize::from(number) % SAMPLES.len()]
}

#[test]
fn every_sample_is_read_as_it_was_written() {
    for sample in SAMPLES.iter() {
        let text = sample.json.to_string();
        assert!(
            sample.read(text.as_bytes()),
            "{} is refused: {text}",
            sample.name
        );
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn broken_text_is_refused_or_read_for_good(number in any::<u16>(), changes in changes()) {
        let sample = sample(number);
        sample.read(&changed(sample.json.to_string().as_bytes(), &changes));
    }

    #[test]
    fn json_of_another_shape_is_refused_or_read_for_good(
        number in any::<u16>(),
        edits in proptest::collection::vec((any::<u16>(), 0u8..4, any::<u8>()), 1..3),
    ) {
        let sample = sample(number);
        let mut value = sample.json.clone();
        for (place, how, which) in edits {
            edit(&mut value, place, how, which);
        }
        sample.read(value.to_string().as_bytes());
    }

    #[test]
    fn what_belongs_to_another_type_is_refused_or_read_for_good(number in any::<u16>(), other in any::<u16>()) {
        let text = sample(other).json.to_string();
        sample(number).read(text.as_bytes());
    }
}

/// Replaces, removes, repeats or renames one node.
fn edit(value: &mut Value, place: u16, how: u8, which: u8) {
    let mut pointers = vec![String::new()];
    collect(value, "", &mut pointers);
    let pointer = &pointers[usize::from(place) % pointers.len()];
    let Some(node) = value.pointer_mut(pointer) else {
        return;
    };
    match (how, node) {
        (1, Value::Object(members)) => {
            let key = members
                .keys()
                .nth(usize::from(which) % members.len().max(1))
                .cloned();
            if let Some(key) = key {
                members.remove(&key);
            }
        }
        (1, Value::Array(items)) if !items.is_empty() => {
            items.remove(usize::from(which) % items.len());
        }
        (2, Value::Array(items)) if !items.is_empty() => {
            let copy = items[usize::from(which) % items.len()].clone();
            items.push(copy);
        }
        (3, Value::Object(members)) => {
            let renamed = std::mem::take(members).into_iter().enumerate();
            *members = renamed
                .map(|(number, (key, value))| {
                    let is_renamed = number == usize::from(which) % 4;
                    let key = if is_renamed {
                        "another".to_owned()
                    } else {
                        key
                    };
                    (key, value)
                })
                .collect::<Map<String, Value>>();
        }
        (_, node) => *node = hostile(which),
    }
}

fn collect(value: &Value, at: &str, pointers: &mut Vec<String>) {
    let mut visit = |key: String, value: &Value| {
        let escaped = key.replace('~', "~0").replace('/', "~1");
        let pointer = format!("{at}/{escaped}");
        pointers.push(pointer.clone());
        collect(value, &pointer, pointers);
    };
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                visit(key.clone(), value);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                visit(index.to_string(), value);
            }
        }
        _ => {}
    }
}

fn hostile(which: u8) -> Value {
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(u32::MAX),
        json!(1e39),
        json!(f64::MAX),
        json!(-f64::MAX),
        json!(5e-324),
        json!(""),
        json!("../../etc/passwd"),
        json!("\0\u{202e}\n"),
        json!("a".repeat(5000)),
        json!("f".repeat(64)),
        json!("9999-12-30T22:00:00.999999999Z"),
        json!("-009999-01-02T01:59:59Z"),
        json!([]),
        json!({}),
        json!([[], {}, null]),
        json!({ "secs": u64::MAX, "nanos": 999_999_999 }),
        (0..100).fold(Value::Null, |inner, _| json!([inner])),
    ];
    values[usize::from(which) % values.len()].clone()
}
