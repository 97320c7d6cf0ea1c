use jiff::Timestamp;
use serde::Deserialize;

use super::recorded::{RecordedFact, RecordedFacts};
use crate::action::Action;
use crate::error::PolicyError;
use crate::fact::{FactSchema, Facts};

/// What was known at one time, and the actions that were then in question.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    at: Timestamp,
    facts: Facts,
    actions: Option<Vec<Action>>,
    id: Option<String>,
}

impl Moment {
    /// The facts as they stood at a time. Every action that the policies speak of is in question.
    pub fn new(at: Timestamp, facts: Facts) -> Self {
        Self {
            at,
            facts,
            actions: None,
            id: None,
        }
    }

    /// Puts only these actions in question.
    #[must_use]
    pub fn with_actions(mut self, actions: impl IntoIterator<Item = Action>) -> Self {
        let mut actions: Vec<Action> = actions.into_iter().collect();
        actions.sort_unstable();
        actions.dedup();
        self.actions = Some(actions);
        self
    }

    /// Names the moment, such as by the decision that it was recorded for.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The time.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What was known.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The actions in question, sorted; none where every action that the policies speak of is.
    pub fn actions(&self) -> Option<&[Action]> {
        self.actions.as_deref()
    }

    /// The name of the moment, if it has one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

/// A line of a history as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MomentSource {
    at: Timestamp,
    facts: RecordedFacts,
    #[serde(default)]
    actions: Option<Vec<String>>,
    #[serde(default)]
    id: Option<String>,
}

impl MomentSource {
    /// The moment, but for the facts among `retired`.
    pub(super) fn moment(self, schema: &FactSchema, retired: &[String]) -> Result<Moment, String> {
        let mut facts = Facts::new(schema);
        for (name, recorded) in self.facts.0 {
            if retired.contains(&name) {
                continue;
            }
            let (value, at) = match recorded {
                RecordedFact::Entry(entry) => (entry.value().clone(), entry.at()),
                RecordedFact::Value(value) => (value, self.at),
            };
            facts.set(&name, value, at).map_err(|error| told(&error))?;
        }
        let mut moment = Moment::new(self.at, facts);
        if let Some(names) = self.actions {
            if names.is_empty() {
                return Err(
                    "`actions` is empty; leave it out to ask about every action of the policies"
                        .to_owned(),
                );
            }
            let actions: Result<Vec<Action>, _> =
                names.iter().map(|name| name.parse::<Action>()).collect();
            moment = moment.with_actions(actions.map_err(|error| error.to_string())?);
        }
        if let Some(id) = self.id {
            moment = moment.with_id(id);
        }
        Ok(moment)
    }
}

/// A history may be older than the schema, which a policy document never is.
fn told(error: &PolicyError) -> String {
    let advice = match error {
        PolicyError::UnknownFact { .. } | PolicyError::WrongType { .. } => {
            "; name it as retired if it was recorded under an older schema"
        }
        _ => "",
    };
    format!("{error}{advice}")
}
