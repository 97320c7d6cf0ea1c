use jiff::Timestamp;
use serde_json::Value as Json;

use crate::cel::value::Value;
use crate::condition::{Computed, Surroundings};
use crate::error::PolicyError;
use crate::fact::{FactSchema, Facts};

/// A named value that a rule computes for its action, such as the replicas of a scale or the words of a notice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameter {
    name: String,
    computed: Computed,
}

impl Parameter {
    pub(crate) fn compile(
        name: &str,
        source: &str,
        schema: &FactSchema,
        surroundings: &Surroundings,
    ) -> Result<Self, PolicyError> {
        Ok(Self {
            name: name.to_owned(),
            computed: Computed::compile_in(source, schema, surroundings)?,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn canonical(&self) -> &str {
        self.computed.canonical()
    }

    /// The value on these facts; null where it is not known.
    pub(crate) fn value(&self, facts: &Facts, now: Timestamp) -> Json {
        self.computed
            .value(facts, now)
            .map_or(Json::Null, |value: Value| {
                serde_json::to_value(&value).unwrap_or(Json::Null)
            })
    }
}
