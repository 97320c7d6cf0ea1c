//! What the server shows, as far as it concerns us.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// A registered model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct RemoteModel {
    pub(super) name: String,
    #[serde(default, deserialize_with = "tags")]
    pub(super) tags: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "aliases")]
    pub(super) aliases: BTreeMap<String, u64>,
}

/// A version of a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct RemoteVersion {
    #[serde(rename = "version", deserialize_with = "number")]
    pub(super) number: u64,
    #[serde(default)]
    pub(super) source: String,
    #[serde(default, deserialize_with = "tags")]
    pub(super) tags: BTreeMap<String, String>,
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// The part of an answer under a key.
pub(super) fn part<T: DeserializeOwned>(
    operation: &'static str,
    answer: &Value,
    key: &'static str,
) -> Result<T, Error> {
    let part = answer
        .get(key)
        .ok_or_else(|| strange(operation).with("lacks", key))?;
    T::deserialize(part).map_err(|error| strange(operation).with("part", key).caused_by(error))
}

/// The page under a key; MLflow leaves out what is empty.
pub(super) fn page<T: DeserializeOwned>(
    operation: &'static str,
    answer: &Value,
    key: &'static str,
) -> Result<Page<T>, Error> {
    let items = match answer.get(key) {
        None => Vec::new(),
        Some(_) => part(operation, answer, key)?,
    };
    let token = answer.get("next_page_token").and_then(Value::as_str);
    let next = token.filter(|token| !token.is_empty()).map(str::to_owned);
    Ok(Page { items, next })
}

fn strange(operation: &'static str) -> Error {
    let message =
        "the answer is not that of an MLflow server: is this the address of another server?";
    Error::new(ErrorKind::Invalid, operation, message)
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
struct Pointer {
    alias: String,
    #[serde(deserialize_with = "number")]
    version: u64,
}

fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let rows: Vec<Tag> = Vec::deserialize(deserializer)?;
    Ok(rows.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

fn aliases<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, u64>, D::Error> {
    let rows: Vec<Pointer> = Vec::deserialize(deserializer)?;
    let rows = rows.into_iter().map(|row| (row.alias, row.version));
    Ok(rows.collect())
}

/// Numbers of versions are texts.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().map_err(D::Error::custom),
        Value::Number(number) => number
            .as_u64()
            .ok_or_else(|| D::Error::custom("a version is a whole number")),
        _ => Err(D::Error::custom("a version is a number")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_model_is_read_as_the_server_writes_it() {
        // What MLflow answered to registered-models/get, shortened.
        let answer = json!({"registered_model": {
            "name": "ns.m", "creation_timestamp": 1_795_424_235_560_i64, "latest_versions": [{"name": "ns.m", "version": "1"}],
            "tags": [{"key": "noops.format", "value": "1"}], "aliases": [{"alias": "champion", "version": "1"}],
        }});
        let model: RemoteModel = part("read", &answer, "registered_model").unwrap();
        assert_eq!(model.name, "ns.m");
        assert_eq!(model.tags["noops.format"], "1");
        assert_eq!(model.aliases["champion"], 1);
        let bare = json!({"registered_model": {"name": "ns.m"}});
        let bare: RemoteModel = part("read", &bare, "registered_model").unwrap();
        assert!(bare.tags.is_empty() && bare.aliases.is_empty());
    }

    #[test]
    fn wrong_types_are_invalid_and_say_where() {
        for answer in [
            json!(null),
            json!([]),
            json!({}),
            json!({"model_version": []}),
            json!({"model_version": {"version": "-1"}}),
            json!({"model_version": {"version": "1e3"}}),
            json!({"model_version": {"version": 1.5}}),
            json!({"model_version": {"version": "99999999999999999999999"}}),
            json!({"model_version": {"version": {"a": 1}}}),
            json!({"model_version": {"version": "1", "tags": {"a": "b"}}}),
            json!({"model_version": {"version": "1", "tags": [{"value": "b"}]}}),
            json!({"model_version": {"version": "1", "tags": [{"key": "a", "value": 7}]}}),
        ] {
            let error = part::<RemoteVersion>("read", &answer, "model_version").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{answer}");
            assert!(error.to_string().contains("model_version"), "{error}");
        }
        let page = page::<RemoteVersion>("read", &json!({"model_versions": 3}), "model_versions");
        assert_eq!(page.unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[test]
    fn an_empty_page_has_no_key_and_an_empty_token_ends_the_list() {
        let empty = page::<RemoteVersion>("read", &json!({}), "model_versions").unwrap();
        assert!(empty.items.is_empty() && empty.next.is_none());
        let last = json!({"next_page_token": ""});
        let last = page::<RemoteVersion>("read", &last, "model_versions").unwrap();
        assert!(last.next.is_none());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                let _ = part::<RemoteModel>("read", &value, "registered_model");
            }
            let value = json!({"registered_model": {"name": text, "aliases": [{"alias": text, "version": text}]}});
            let read = part::<RemoteModel>("read", &value, "registered_model");
            prop_assert_eq!(read.is_ok(), text.parse::<u64>().is_ok());
        }
    }
}
