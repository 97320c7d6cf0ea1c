//! The in-toto statement that is signed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;

use super::manifest::{Resource, root_digest};
use super::{VERIFY, path};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};

/// The content of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) model_name: String,
    pub(super) resources: Vec<Resource>,
    pub(super) ignored_paths: Vec<String>,
}

impl Statement {
    /// The statement as JSON. Keys are written in alphabetical order, so that the bytes are the same whether or not a feature of
    /// `serde_json` somewhere in the build preserves the order of insertion.
    pub(super) fn encode(&self) -> Vec<u8> {
        let resources: Vec<serde_json::Value> = self
            .resources
            .iter()
            .map(|resource| {
                json!({
                    "algorithm": HASH,
                    "digest": resource.digest().to_string(),
                    "name": resource.name(),
                })
            })
            .collect();
        let statement = json!({
            "_type": STATEMENT,
            "predicate": {
                "resources": resources,
                "serialization": {
                    "allow_symlinks": false,
                    "hash_type": HASH,
                    "ignore_paths": self.ignored_paths,
                    "method": METHOD,
                },
            },
            "predicateType": PREDICATE,
            "subject": [{
                "digest": { HASH: root_digest(&self.resources).to_string() },
                "name": self.model_name,
            }],
        });
        statement.to_string().into_bytes()
    }

    /// Reads a statement whose signature was verified, and checks all it says about itself.
    ///
    /// # Errors
    ///
    /// `Invalid` for what the format has and this library does not, `Corrupt` for everything else that is not right.
    pub(super) fn decode(payload: &[u8]) -> Result<Self, Error> {
        let malformed = |source: serde_json::Error| {
            corrupt("the signed statement is malformed").caused_by(source)
        };
        // The types first, alone: a statement of another type is told apart from one that is broken.
        let types: TypesJson = serde_json::from_slice(payload).map_err(malformed)?;
        if types.statement != STATEMENT {
            return Err(corrupt("the signed payload is no in-toto statement")
                .with("type", types.statement.escape_debug()));
        }
        supported("predicate type", &types.predicate, PREDICATE)?;
        let statement: StatementJson = serde_json::from_slice(payload).map_err(malformed)?;
        let predicate = statement.predicate;
        supported("method", &predicate.serialization.method, METHOD)?;
        supported("hash type", &predicate.serialization.hash_type, HASH)?;

        let mut subjects = statement.subject.into_iter();
        let (Some(subject), None) = (subjects.next(), subjects.next()) else {
            return Err(corrupt(
                "the signed statement must have exactly one subject",
            ));
        };
        let resources = resources(predicate.resources)?;
        let stated = subject
            .digest
            .get(HASH)
            .and_then(|text| text.parse::<Digest>().ok());
        if stated != Some(root_digest(&resources)) {
            let message = "the signed statement contradicts itself: its subject is not the digest of its resources";
            return Err(corrupt(message));
        }
        for ignored in &predicate.serialization.ignore_paths {
            path::check(ignored).map_err(|fault| illegal(ignored, fault))?;
        }
        Ok(Self {
            model_name: subject.name,
            resources,
            ignored_paths: predicate.serialization.ignore_paths,
        })
    }

    /// Whether the model is a single file, not a directory.
    pub(super) fn is_single_file(&self) -> bool {
        matches!(self.resources.as_slice(), [only] if only.name() == SINGLE_FILE)
    }
}

/// The resources of a statement: at least one, every path legal, no path twice, every digest SHA-256.
fn resources(listed: Vec<ResourceJson>) -> Result<Vec<Resource>, Error> {
    if listed.is_empty() {
        return Err(corrupt("the signed statement lists no file"));
    }
    let single = listed.len() == 1;
    let mut names = BTreeSet::new();
    let mut resources = Vec::with_capacity(listed.len());
    for resource in listed {
        if !(single && resource.name == SINGLE_FILE) {
            path::check(&resource.name).map_err(|fault| illegal(&resource.name, fault))?;
        }
        if !names.insert(resource.name.clone()) {
            let error = corrupt("the signed statement lists a file twice");
            return Err(error.with("file", resource.name.escape_debug()));
        }
        supported("hash type", &resource.algorithm, HASH)
            .map_err(|error| error.with("file", resource.name.escape_debug()))?;
        let Ok(digest) = resource.digest.parse::<Digest>() else {
            let error = corrupt("the signed digest of a file is not 64 hex digits");
            return Err(error.with("file", resource.name.escape_debug()));
        };
        resources.push(Resource::new(resource.name, digest));
    }
    Ok(resources)
}

fn supported(what: &'static str, value: &str, supported: &str) -> Result<(), Error> {
    if value == supported {
        return Ok(());
    }
    let message = format!(
        "only signatures with {what} `{supported}` are supported: use the reference tool for this one"
    );
    Err(Error::new(ErrorKind::Invalid, VERIFY, message).with(what, value.escape_debug()))
}

fn illegal(name: &str, fault: &'static str) -> Error {
    corrupt(&format!("a path in the signed statement {fault}")).with("file", name.escape_debug())
}

fn corrupt(message: &str) -> Error {
    Error::new(ErrorKind::Corrupt, VERIFY, message)
}

#[derive(Deserialize)]
struct TypesJson {
    #[serde(rename = "_type")]
    statement: String,
    #[serde(rename = "predicateType")]
    predicate: String,
}

#[derive(Deserialize)]
struct StatementJson {
    subject: Vec<SubjectJson>,
    predicate: PredicateJson,
}

#[derive(Deserialize)]
struct SubjectJson {
    name: String,
    digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct PredicateJson {
    serialization: SerializationJson,
    resources: Vec<ResourceJson>,
}

/// What the manifest was made by. `allow_symlinks` is not read: a link is refused whatever the signer allowed.
#[derive(Deserialize)]
struct SerializationJson {
    method: String,
    hash_type: String,
    #[serde(default)]
    ignore_paths: Vec<String>,
}

#[derive(Deserialize)]
struct ResourceJson {
    name: String,
    algorithm: String,
    digest: String,
}

/// The name of the only resource when the model is a single file.
pub(super) const SINGLE_FILE: &str = ".";

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://model_signing/signature/v1.0";
const METHOD: &str = "files";
const HASH: &str = "sha256";
