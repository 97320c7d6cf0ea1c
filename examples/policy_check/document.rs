//! What was found out as one JSON object, whose keys are a promise to programs that read it.

use noops_core::{Digest, Timestamp};
use noops_policy::{Action, Decision, Enforcement, Expectation, Flip, RuleOutcome, TestFailure};
use serde::Serialize;

use crate::check::{Checked, Decided};
use crate::margin;
use crate::problem::Problem;

/// All of it.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    ok: bool,
    errors: &'a [Problem],
    tests: Tests<'a>,
    decisions: Vec<Said<'a>>,
}

impl<'a> Document<'a> {
    pub(crate) fn of(checked: &'a Checked) -> Self {
        Self {
            ok: checked.is_sound(),
            errors: &checked.problems,
            tests: Tests {
                passed: checked.passed,
                failed: checked.failed,
                failures: checked.failures.iter().map(Failed::of).collect(),
            },
            decisions: checked.decided.iter().map(Said::of).collect(),
        }
    }

    pub(crate) fn to_json(&self) -> Result<String, String> {
        serde_json::to_string_pretty(self)
            .map_err(|error| format!("cannot write the result as JSON: {error}"))
    }
}

#[derive(Debug, Serialize)]
struct Tests<'a> {
    passed: usize,
    failed: usize,
    failures: Vec<Failed<'a>>,
}

/// An action that came out otherwise than a test expects.
#[derive(Debug, Serialize)]
struct Failed<'a> {
    policy: &'a str,
    test: &'a str,
    action: Action,
    expected: Expectation,
    effect: String,
    explanation: String,
}

impl<'a> Failed<'a> {
    fn of(failure: &'a TestFailure) -> Self {
        let decision = failure.decision();
        Self {
            policy: failure.policy(),
            test: failure.test(),
            action: decision.action(),
            expected: failure.expected(),
            effect: decision.effect().to_string(),
            explanation: decision.explain(),
        }
    }
}

/// What was decided about one action.
#[derive(Debug, Serialize)]
struct Said<'a> {
    policy: Option<&'a str>,
    rule: Option<&'a str>,
    effect: String,
    enforcement: Enforcement,
    actions: [Action; 1],
    because: &'a str,
    clause: Option<&'a str>,
    margin: Option<f64>,
    waiting_for: &'a [String],
    rules: &'a [RuleOutcome],
    flip: Option<&'a Flip>,
    explanation: String,
    at: Timestamp,
    decision_digest: Digest,
    policy_digest: Digest,
    facts_digest: Digest,
}

impl<'a> Said<'a> {
    fn of(decided: &'a Decided) -> Self {
        let decision: &Decision = &decided.decision;
        let clause = decided.first().and_then(margin::deciding);
        Self {
            policy: decided.policy.as_deref(),
            rule: decided.rule.as_deref(),
            effect: decision.effect().to_string(),
            enforcement: decision.enforcement(),
            actions: [decision.action()],
            because: decided.because.as_deref().unwrap_or(NOBODY),
            clause: clause.map(|clause| clause.text()),
            margin: clause.and_then(|clause| clause.margin()),
            waiting_for: decision.waiting_for(),
            rules: decision.rules(),
            flip: decision.flip(),
            explanation: decision.explain(),
            at: decision.at(),
            decision_digest: decision.digest(),
            policy_digest: decision.policy_digest(),
            facts_digest: decision.facts_digest(),
        }
    }
}

/// Why an action is denied that is only forbidden.
pub(crate) const NOBODY: &str = "no trigger or permit rule speaks for it";
