//! The JSON Schemas for editors list every key that the readers read, and accept the documents that they accept.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::Path;

use noops_policy::json_schema::{fact_schema, policy_document};
use noops_policy::{Action, FactSchema, PolicySet};
use serde_json::{Value as Json, json};

fn facts() -> FactSchema {
    serde_json::from_str(include_str!("../testdata/policies/facts.json")).unwrap()
}

/// The first thing in `value` that the schema does not allow, by the keywords that the crate's schemas use.
///
/// A keyword that it does not know is an error, so that none is passed over in silence.
fn fault(schema: &Json, root: &Json, value: &Json, place: &str) -> Option<String> {
    let not = |what: &str| Some(format!("{place}: {value} is not {what}"));
    for (keyword, wanted) in schema.as_object().unwrap() {
        let found = match keyword.as_str() {
            "$schema" | "title" | "description" | "$defs" | "examples" | "format" => None,
            "$ref" => {
                let target = wanted.as_str().unwrap().trim_start_matches('#');
                fault(root.pointer(target).unwrap(), root, value, place)
            }
            "type" => {
                let types = wanted.as_array().cloned().unwrap_or(vec![wanted.clone()]);
                let is_one = types
                    .iter()
                    .any(|name| is_of_type(value, name.as_str().unwrap()));
                if is_one {
                    None
                } else {
                    not(&wanted.to_string())
                }
            }
            "const" => {
                if value == wanted {
                    None
                } else {
                    not(&wanted.to_string())
                }
            }
            "enum" => {
                if wanted.as_array().unwrap().contains(value) {
                    None
                } else {
                    not("in the enumeration")
                }
            }
            "oneOf" => {
                let alternatives = wanted.as_array().unwrap();
                let fitting = alternatives
                    .iter()
                    .filter(|schema| fault(schema, root, value, place).is_none());
                if fitting.count() == 1 {
                    None
                } else {
                    not("one of the alternatives")
                }
            }
            "required" => value.as_object().and_then(|object| {
                let missing = wanted
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(|key| !object.contains_key(key.as_str().unwrap()));
                missing.map(|key| format!("{place}: {key} is missing"))
            }),
            "properties" => value.as_object().and_then(|object| {
                object.iter().find_map(|(key, value)| {
                    fault(wanted.get(key)?, root, value, &format!("{place}/{key}"))
                })
            }),
            "additionalProperties" => value.as_object().and_then(|object| {
                object.iter().find_map(|(key, value)| {
                    let is_listed = schema
                        .get("properties")
                        .is_some_and(|listed| listed.get(key).is_some());
                    match wanted {
                        _ if is_listed => None,
                        Json::Bool(false) => Some(format!("{place}: key `{key}` is not listed")),
                        schema => fault(schema, root, value, &format!("{place}/{key}")),
                    }
                })
            }),
            "propertyNames" => value.as_object().and_then(|object| {
                object
                    .keys()
                    .find_map(|key| fault(wanted, root, &json!(key), place))
            }),
            "items" => value.as_array().and_then(|items| {
                items.iter().enumerate().find_map(|(index, item)| {
                    fault(wanted, root, item, &format!("{place}/{index}"))
                })
            }),
            "minItems" => value.as_array().and_then(|items| {
                if items.len() as u64 >= wanted.as_u64().unwrap() {
                    None
                } else {
                    not("long enough")
                }
            }),
            "minProperties" => value.as_object().and_then(|object| {
                if object.len() as u64 >= wanted.as_u64().unwrap() {
                    None
                } else {
                    not("long enough")
                }
            }),
            "minLength" | "maxLength" => value.as_str().and_then(|text| {
                let (length, bound) = (text.chars().count() as u64, wanted.as_u64().unwrap());
                let is_within = if keyword == "minLength" {
                    length >= bound
                } else {
                    length <= bound
                };
                if is_within {
                    None
                } else {
                    not("of the right length")
                }
            }),
            "minimum" => value.as_f64().and_then(|number| {
                if number >= wanted.as_f64().unwrap() {
                    None
                } else {
                    not("large enough")
                }
            }),
            // The patterns are of identifiers; dots are in one of them only.
            "pattern" => value.as_str().and_then(|text| {
                let is_name = text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
                if is_name { None } else { not("a name") }
            }),
            other => panic!("keyword `{other}` is not known here"),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn is_of_type(value: &Json, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("type `{other}` is not known here"),
    }
}

fn policy_fault(yaml: &str, facts: Option<&FactSchema>) -> Option<String> {
    let document: Json = serde_saphyr::from_str(yaml).unwrap();
    let schema = policy_document(facts);
    fault(&schema, &schema, &document, "")
}

fn documents(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found: Vec<(String, String)> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .map(|path| {
            (
                path.display().to_string(),
                std::fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    found.sort();
    found
}

#[test]
fn the_documents_of_the_repository_are_valid() {
    let mut seen = 0;
    for (name, yaml) in documents("testdata/policies")
        .iter()
        .chain(&documents("../examples/policies"))
    {
        assert_eq!(policy_fault(yaml, None), None, "{name}");
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} documents were found");
    let facts = facts();
    for (name, yaml) in documents("testdata/policies") {
        assert_eq!(policy_fault(&yaml, Some(&facts)), None, "{name}");
        assert!(PolicySet::load(&[(&name, &yaml)], &facts).is_ok(), "{name}");
    }
    let declarations: Json =
        serde_json::from_str(include_str!("../testdata/policies/facts.json")).unwrap();
    assert_eq!(
        fault(&fact_schema(), &fact_schema(), &declarations, ""),
        None
    );
}

const SMALL: &str = "
policy: small
owner: team
enforcement: advisory
variables:
  - { name: far, expression: drift.psi > 0.2 }
rules:
  - { name: r, effect: permit, action: promote, when: variables.far, because: a test }
tests:
  - { name: t, facts: { drift.psi: 0.3 }, expect: { promote: deny } }
";

/// The keys that the reader says it expects where `anchor` stands.
fn read_keys(anchor: &str) -> BTreeSet<String> {
    let yaml = SMALL.replacen(
        anchor,
        &format!(
            "zzz: 1{}{anchor}",
            if anchor == "policy:" { "\n" } else { ", " }
        ),
        1,
    );
    let error = PolicySet::load(&[("p", &yaml)], &facts())
        .unwrap_err()
        .to_string();
    assert!(error.contains("zzz"), "{error}");
    let (_, expected) = error
        .split_once("expected")
        .unwrap_or_else(|| panic!("{error}"));
    let keys = expected.split(" at line").next().unwrap();
    keys.split([',', ' ', '`', '\'', '"', '[', ']'])
        .filter(|word| !word.is_empty() && !["one", "of", "or"].contains(word))
        .map(str::to_owned)
        .collect()
}

fn listed_keys(pointer: &str) -> BTreeSet<String> {
    let schema = policy_document(None);
    let object = schema.pointer(pointer).unwrap();
    assert_eq!(object["additionalProperties"], false);
    object["properties"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

#[test]
fn the_keys_are_those_that_the_reader_reads() {
    for (anchor, pointer) in [
        ("policy:", ""),
        ("name: far", "/$defs/variable"),
        ("name: r", "/$defs/rule"),
        ("name: t", "/$defs/test"),
    ] {
        assert_eq!(read_keys(anchor), listed_keys(pointer), "{anchor}");
    }
    let unknown = r#"[{"zzz": 1}]"#;
    let error = serde_json::from_str::<FactSchema>(unknown)
        .unwrap_err()
        .to_string();
    let declared = fact_schema();
    for key in declared["items"]["properties"].as_object().unwrap().keys() {
        assert!(error.contains(&format!("`{key}`")), "{key}: {error}");
    }
    let expected = error.split_once("expected one of").unwrap().1;
    let keys = declared["items"]["properties"].as_object().unwrap().len();
    assert_eq!(expected.split(',').count(), keys);
}

#[test]
fn what_the_reader_refuses_for_its_form_is_underlined() {
    let facts = facts();
    assert_eq!(policy_fault(SMALL, Some(&facts)), None);
    for (from, to) in [
        ("owner: team", "owners: team"),
        ("enforcement: advisory", "enforcement: harsh"),
        ("effect: permit", "effect: wish"),
        ("action: promote", "action: promot"),
        ("because: a test", "reason: a test"),
        ("drift.psi: 0.3", "drift.pssi: 0.3"),
        ("drift.psi: 0.3", "drift.psi: much"),
        ("promote: deny", "promot: deny"),
        ("promote: deny", "promote: maybe"),
        ("expect: { promote: deny }", "expect: {}"),
        ("name: t,", "name: t, ages: { drift.pssi: 1h },"),
        ("name: far", "name: so far"),
    ] {
        let yaml = SMALL.replacen(from, to, 1);
        assert_ne!(yaml, SMALL);
        assert!(PolicySet::load(&[("p", &yaml)], &facts).is_err(), "{to}");
        assert!(policy_fault(&yaml, Some(&facts)).is_some(), "{to}");
    }
}

#[test]
fn the_actions_are_all_of_them() {
    let schema = policy_document(None);
    let listed: Vec<&str> = schema["$defs"]["action"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(listed, Action::ALL.map(Action::name));
}

#[test]
fn the_fact_types_are_all_that_are_read() {
    for name in fact_schema()["items"]["properties"]["type"]["enum"]
        .as_array()
        .unwrap()
    {
        let declaration = json!([{ "name": "a", "type": name }]);
        assert!(
            serde_json::from_value::<FactSchema>(declaration).is_ok(),
            "{name}"
        );
    }
    let error =
        serde_json::from_str::<FactSchema>(r#"[{"name": "a", "type": "zzz"}]"#).unwrap_err();
    let expected = error
        .to_string()
        .split_once("expected one of")
        .unwrap()
        .1
        .matches('`')
        .count()
        / 2;
    let listed = fact_schema()["items"]["properties"]["type"]["enum"]
        .as_array()
        .unwrap()
        .len();
    // An alias is named or not, as serde likes.
    assert!(
        (listed - 2..=listed).contains(&expected),
        "{expected} of {listed}: {error}"
    );
}
