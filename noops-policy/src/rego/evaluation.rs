use serde::{Deserialize, Serialize};

use crate::condition::Truth;

/// What a Rego rule came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct RegoEvaluation {
    truth: Truth,
    waiting_for: Vec<String>,
}

impl RegoEvaluation {
    pub(super) fn new(truth: Truth, waiting_for: Vec<String>) -> Self {
        Self { truth, waiting_for }
    }

    /// The value of the rule; unknown where it is undefined or a fact that it can reach is not known.
    pub fn truth(&self) -> Truth {
        self.truth
    }

    /// The facts that are missing, stale or invalid, sorted; none where the rule is undefined although all are known.
    pub fn waiting_for(&self) -> &[String] {
        &self.waiting_for
    }
}
