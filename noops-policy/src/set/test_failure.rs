use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decision::Decision;
use crate::document::{Expectation, Test};

/// A test of a document that did not come out as expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestFailure {
    policy: String,
    test: String,
    expected: Expectation,
    decision: Decision,
}

impl TestFailure {
    pub(super) fn new(test: &Test, expected: Expectation, decision: Decision) -> Self {
        Self {
            policy: test.policy.clone(),
            test: test.name.clone(),
            expected,
            decision,
        }
    }

    /// The policy that the test belongs to.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The name of the test.
    pub fn test(&self) -> &str {
        &self.test
    }

    /// What it expected.
    pub fn expected(&self) -> Expectation {
        self.expected
    }

    /// What was decided instead.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }
}

impl fmt::Display for TestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "test `{}` of `{}` expected {} but: {}",
            self.test,
            self.policy,
            self.expected,
            self.decision.explain()
        )
    }
}
