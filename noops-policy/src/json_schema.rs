//! JSON Schemas (draft 2020-12) of the documents of this crate, for editors.
//!
//! They complete and underline while one types. What they accept may still be refused when it is loaded, for conditions
//! are text to them: the loader has the last word. They may also be stricter than the loader about how a text is written;
//! YAML reads `name: 5` as a number, which an editor then underlines.

mod keys;

use serde_json::{Value as Json, json};

use crate::action::Action;
use crate::fact::{FactDecl, FactSchema, FactType};
use keys::{object, text};

/// The JSON Schema of a policy document.
///
/// With a fact schema, the facts that tests may name are enumerated, with their types and what they mean.
///
/// # Examples
///
/// ```
/// use noops_policy::json_schema::policy_document;
/// use noops_policy::{FactDecl, FactSchema};
///
/// let schema = FactSchema::new(vec![FactDecl::double("drift.psi").with_min(0.0)])?;
/// let editor = policy_document(Some(&schema));
/// assert_eq!(editor["required"][0], "policy");
/// let psi = editor.pointer("/$defs/facts/properties/drift.psi").ok_or("no fact")?;
/// assert_eq!(psi["description"], "At least 0.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn policy_document(facts: Option<&FactSchema>) -> Json {
    let mut document = object(
        "A policy: who answers for it, how binding it is, its rules and their own tests.",
        &[
            (
                "policy",
                true,
                text("The name of the policy, unique in a set."),
            ),
            ("owner", true, text("Who answers for the policy.")),
            (
                "runbook",
                false,
                nullable(text("Where it is written what to do when the policy acts.")),
            ),
            ("enforcement", true, enforcement()),
            (
                "match",
                false,
                nullable(condition(
                    "What the document is about: it must hold beside every condition of its rules.",
                )),
            ),
            (
                "variables",
                false,
                list(
                    "Named expressions, which conditions read as `variables.NAME`. One may read those before it.",
                    "variable",
                    0,
                ),
            ),
            (
                "rules",
                true,
                list(
                    "What the policy asks for, lets happen and stops.",
                    "rule",
                    1,
                ),
            ),
            (
                "tests",
                false,
                list("What the policies must come to on known facts.", "test", 0),
            ),
        ],
    );
    if let Some(top) = document.as_object_mut() {
        top.insert("$schema".to_owned(), json!(DRAFT));
        top.insert("title".to_owned(), json!("Policy document"));
        top.insert(
            "$defs".to_owned(),
            json!({
                "action": action(),
                "variable": variable(),
                "rule": rule(),
                "test": test(),
                "facts": test_facts(facts),
                "ages": ages(facts),
            }),
        );
    }
    document
}

/// The JSON Schema of a file of fact declarations.
///
/// # Examples
///
/// ```
/// let editor = noops_policy::json_schema::fact_schema();
/// assert_eq!(editor["type"], "array");
/// assert_eq!(editor["items"]["required"][1], "type");
/// ```
pub fn fact_schema() -> Json {
    let declaration = object(
        "The declaration of one fact.",
        &[
            (
                "name",
                true,
                json!({
                    "type": "string",
                    "description": "Identifiers joined by dots, such as `drift.psi`.",
                    "pattern": "^[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*$",
                    "maxLength": 128,
                }),
            ),
            (
                "type",
                true,
                json!({ "enum": FACT_TYPES, "description": "The type; `string` is read as `text`." }),
            ),
            (
                "unit",
                false,
                nullable(text("The unit. Facts of different units are not compared.")),
            ),
            (
                "min",
                false,
                nullable(number("The least valid value, of numbers only.")),
            ),
            (
                "max",
                false,
                nullable(number("The greatest valid value, of numbers only.")),
            ),
            (
                "max_age",
                false,
                nullable(text(
                    "The age beyond which a value is stale, such as `PT2H` or `2h`.",
                )),
            ),
            (
                "max_items",
                false,
                json!({ "type": ["integer", "null"], "minimum": 0, "description": "How many items a list may have." }),
            ),
            (
                "meaning",
                false,
                text("What the fact means, in a sentence."),
            ),
        ],
    );
    json!({
        "$schema": DRAFT,
        "title": "Fact schema",
        "description": "The facts that policies may speak about.",
        "type": "array",
        "items": declaration,
    })
}

fn enforcement() -> Json {
    json!({
        "description": "How binding the policy is.",
        "oneOf": [
            { "const": "advisory", "description": "Reported, never enforced." },
            { "const": "soft-mandatory", "description": "Enforced, and a person may override it on the record." },
            { "const": "hard-mandatory", "description": "Enforced without exception." },
        ],
    })
}

fn action() -> Json {
    json!({
        "description": "What automation may want to do.",
        "enum": Action::ALL.map(Action::name),
    })
}

fn variable() -> Json {
    object(
        "A named expression.",
        &[
            (
                "name",
                true,
                json!({
                    "type": "string",
                    "description": "Letters, digits and `_`, beginning with a letter.",
                    "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                }),
            ),
            (
                "expression",
                true,
                condition("What it stands for, in the condition language, of any type."),
            ),
        ],
    )
}

fn rule() -> Json {
    object(
        "A rule about one action.",
        &[
            (
                "name",
                true,
                text("The name of the rule, unique in its policy."),
            ),
            (
                "effect",
                true,
                json!({
                    "description": "What the rule does when its condition holds.",
                    "oneOf": [
                        { "const": "trigger", "description": "Asks for the action." },
                        { "const": "permit", "description": "Lets the action happen." },
                        { "const": "forbid", "description": "Stops the action, whatever other rules say." },
                    ],
                }),
            ),
            ("action", true, json!({ "$ref": "#/$defs/action" })),
            (
                "when",
                true,
                condition("When the rule holds: a condition over facts."),
            ),
            (
                "unknown",
                false,
                json!({
                    "description": "What the rule does while its condition is unknown. A forbidding rule stops the action unless it says `skip`.",
                    "enum": ["skip", "deny", null],
                }),
            ),
            (
                "with",
                false,
                json!({
                    "description": "What the rule computes for its action: expressions by name.",
                    "type": "object",
                    "additionalProperties": condition("An expression over facts."),
                }),
            ),
            (
                "because",
                true,
                text("The reason, for whoever reads the decision."),
            ),
        ],
    )
}

fn test() -> Json {
    object(
        "What the policies must come to on known facts. Every fact that is not named is missing.",
        &[
            ("name", true, text("What the test claims.")),
            ("facts", true, json!({ "$ref": "#/$defs/facts" })),
            ("ages", false, json!({ "$ref": "#/$defs/ages" })),
            (
                "expect",
                true,
                json!({
                    "description": "What each action comes to.",
                    "type": "object",
                    "propertyNames": { "$ref": "#/$defs/action" },
                    "minProperties": 1,
                    "additionalProperties": { "enum": ["allow", "deny", "unknown"] },
                }),
            ),
        ],
    )
}

fn test_facts(schema: Option<&FactSchema>) -> Json {
    let Some(schema) = schema else {
        return json!({
            "description": "What is known, by the name of the fact.",
            "type": "object",
            "additionalProperties": { "type": ["boolean", "number", "string", "array", "null"] },
        });
    };
    let properties: serde_json::Map<String, Json> = schema
        .facts()
        .iter()
        .map(|fact| (fact.name().to_owned(), fact_value(fact)))
        .collect();
    json!({
        "description": "What is known, by the name of the fact.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn ages(schema: Option<&FactSchema>) -> Json {
    let mut ages = json!({
        "description": "How old a fact is, by its name, such as `PT2H` or `2h`; the others are fresh.",
        "type": "object",
        "additionalProperties": { "type": "string" },
    });
    if let (Some(schema), Some(object)) = (schema, ages.as_object_mut()) {
        let names: Vec<&str> = schema.facts().iter().map(FactDecl::name).collect();
        object.insert("propertyNames".to_owned(), json!({ "enum": names }));
    }
    ages
}

/// The range is told and not enforced: a test may give a value outside it on purpose, which is invalid then.
fn fact_value(fact: &FactDecl) -> Json {
    let mut value = match fact.fact_type() {
        FactType::Bool => json!({ "type": "boolean" }),
        FactType::Int => json!({ "type": "integer" }),
        FactType::Double => json!({ "type": ["number", "null"] }),
        FactType::Text => json!({ "type": "string" }),
        FactType::Duration => json!({ "type": "string", "examples": ["PT90S", "1m 30s"] }),
        FactType::Timestamp => json!({ "type": "string", "format": "date-time" }),
        FactType::Ints => json!({ "type": "array", "items": { "type": "integer" } }),
        FactType::Doubles => json!({ "type": "array", "items": { "type": ["number", "null"] } }),
        FactType::Texts => json!({ "type": "array", "items": { "type": "string" } }),
    };
    let mut description = fact.meaning().trim().to_owned();
    let told = [
        fact.unit().map(|unit| format!("Unit: {unit}.")),
        fact.min().map(|min| format!("At least {min}.")),
        fact.max().map(|max| format!("At most {max}.")),
    ];
    for part in told.into_iter().flatten() {
        if !description.is_empty() {
            description.push(' ');
        }
        description.push_str(&part);
    }
    if !description.is_empty()
        && let Some(object) = value.as_object_mut()
    {
        object.insert("description".to_owned(), json!(description));
    }
    value
}

fn condition(description: &str) -> Json {
    json!({ "type": "string", "description": description, "minLength": 1, "maxLength": 16384 })
}

fn number(description: &str) -> Json {
    json!({ "type": "number", "description": description })
}

fn list(description: &str, items: &str, least: u64) -> Json {
    json!({
        "type": "array",
        "description": description,
        "items": { "$ref": format!("#/$defs/{items}") },
        "minItems": least,
    })
}

/// What may also be left empty.
fn nullable(schema: Json) -> Json {
    let mut schema = schema;
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.clone(), "null"]);
    }
    schema
}

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

const FACT_TYPES: [&str; 11] = [
    "bool",
    "int",
    "double",
    "text",
    "string",
    "duration",
    "timestamp",
    "list(int)",
    "list(double)",
    "list(text)",
    "list(string)",
];
