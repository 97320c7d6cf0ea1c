use serde_json::{Map, Value as Json, json};

/// An object with these keys and no others: a name, whether it is required, and what it holds.
pub(super) fn object(description: &str, keys: &[(&str, bool, Json)]) -> Json {
    let required: Vec<&str> = keys
        .iter()
        .filter(|(_, is_required, _)| *is_required)
        .map(|(name, ..)| *name)
        .collect();
    let properties: Map<String, Json> = keys
        .iter()
        .map(|(name, _, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({
        "type": "object",
        "description": description,
        "required": required,
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Text that says something.
pub(super) fn text(description: &str) -> Json {
    json!({ "type": "string", "description": description })
}
