use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value as Json;

/// A file of vectors, or a part of one.
#[derive(Deserialize)]
struct Suite {
    name: String,
    #[serde(default)]
    suites: Vec<Suite>,
    #[serde(default)]
    tests: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    original: Original,
    /// The tree of the reference parser, in a notation of its own; none where it refused.
    ast: Option<String>,
    /// The type that the reference checker deduced.
    #[serde(rename = "type")]
    deduced_type: Option<String>,
    /// Why the reference parser or checker refused.
    error: Option<String>,
}

/// The vector as the specification has it; fields that are not read here say how other implementations print.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Original {
    #[serde(default)]
    name: String,
    expr: String,
    #[serde(default)]
    container: String,
    #[serde(default)]
    disable_check: bool,
    #[serde(default)]
    check_only: bool,
    value: Option<Json>,
    eval_error: Option<Json>,
    typed_result: Option<TypedResult>,
    #[serde(default)]
    bindings: BTreeMap<String, Binding>,
    #[serde(default)]
    type_env: Vec<Json>,
}

#[derive(Deserialize)]
struct TypedResult {
    result: Option<Json>,
}

#[derive(Deserialize)]
struct Binding {
    value: Json,
}

/// One vector, with the path of its suite.
pub(crate) struct Vector {
    /// `suite/section/name`; a vector without a name has its expression in its place.
    pub(crate) path: String,
    pub(crate) expression: String,
    pub(crate) container: String,
    pub(crate) is_checked: bool,
    pub(crate) expected: Expected,
    pub(crate) bindings: BTreeMap<String, Json>,
    pub(crate) declarations: Vec<Json>,
    /// Whether the reference parser has a tree for it.
    pub(crate) is_parsed: bool,
    pub(crate) deduced_type: Option<String>,
    pub(crate) refusal: Option<String>,
}

pub(crate) enum Expected {
    Value(Json),
    Error,
    /// Only the type is compared.
    Nothing,
}

impl Vector {
    /// Every vector of one file, in its order.
    pub(crate) fn read(file: &Path) -> Vec<Self> {
        let text = fs::read_to_string(file)
            .unwrap_or_else(|error| panic!("`{}` cannot be read: {error}", file.display()));
        let suite: Suite = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("`{}` has no vectors: {error}", file.display()));
        let mut vectors = Vec::new();
        collect(suite, "", &mut vectors);
        assert!(!vectors.is_empty(), "`{}` is empty", file.display());
        vectors
    }

    /// The outermost suite.
    pub(crate) fn suite(&self) -> &str {
        let mut parts = self.path.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("conformance"), Some(suite), Some(_)) => suite,
            (first, ..) => first.unwrap_or_default(),
        }
    }
}

fn collect(suite: Suite, outer: &str, vectors: &mut Vec<Vector>) {
    let path = format!("{outer}{}/", suite.name);
    for inner in suite.suites {
        collect(inner, &path, vectors);
    }
    for record in suite.tests {
        vectors.push(record.into_vector(&path));
    }
}

impl Record {
    fn into_vector(self, suite: &str) -> Vector {
        let original = self.original;
        let result = original
            .value
            .or(original.typed_result.and_then(|typed| typed.result));
        let expected = match (result, original.eval_error) {
            _ if original.check_only => Expected::Nothing,
            (Some(value), _) => Expected::Value(value),
            (None, Some(_)) => Expected::Error,
            // The specification's default.
            (None, None) => Expected::Value(serde_json::json!({ "boolValue": true })),
        };
        let name = if original.name.is_empty() {
            &original.expr
        } else {
            &original.name
        };
        Vector {
            path: format!("{suite}{name}"),
            expected,
            is_checked: !original.disable_check,
            expression: original.expr,
            container: original.container,
            bindings: original
                .bindings
                .into_iter()
                .map(|(name, binding)| (name, binding.value))
                .collect(),
            declarations: original.type_env,
            is_parsed: self.ast.is_some(),
            deduced_type: self.deduced_type,
            refusal: self.error,
        }
    }
}
