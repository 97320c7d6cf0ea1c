use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::cel::{Outcome, Truth};
use crate::decision::{Decision, Effect, RuleOutcome};
use crate::document::{
    self, CanonicalDocument, Document, Enforcement, Expectation, MAX_RULES, Rule, RuleEffect,
    TEST_TIME, Test, WhenUnknown,
};
use crate::error::PolicyError;
use crate::fact::{FactSchema, Facts};

/// Policies, checked and compiled against a fact schema.
///
/// An action is allowed when all of these hold:
///
/// - some trigger or permit rule is about it: what no rule speaks for is denied;
/// - it is wanted: one of its trigger rules holds, or it has none;
/// - it is permitted: one of its permit rules holds, or it has none;
/// - it is not forbidden: no forbid rule holds, and none is unknown unless it says `unknown: skip`.
///
/// It is unknown, which opens nothing either, when facts that are missing, stale or invalid could still make it allowed.
///
/// Only the rules of mandatory policies count in this. Those of [`Enforcement::Advisory`] policies are evaluated and
/// listed in the decision; they neither trigger, permit nor forbid.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_policy::{Action, FactDecl, FactSchema, Facts, PolicySet};
///
/// let schema = FactSchema::new(vec![
///     FactDecl::double("harm.max_e").with_min(0.0),
///     FactDecl::int("harm.blocks").with_min(0.0),
/// ])?;
/// let yaml = "
/// policy: retrain-on-harm
/// owner: ml-platform
/// enforcement: hard-mandatory
/// rules:
///   - name: harmed
///     effect: trigger
///     action: retrain
///     when: harm.max_e >= 20.0 && harm.blocks >= 7
///     because: labels show predictions off by more than the tolerance
/// tests:
///   - name: harm retrains
///     facts: { harm.max_e: 25.0, harm.blocks: 9 }
///     expect: { retrain: allow }
/// ";
/// let policies = PolicySet::load(&[("retrain.yaml", yaml)], &schema)?;
/// assert!(policies.run_tests().is_empty());
///
/// let now = Timestamp::UNIX_EPOCH;
/// let mut facts = Facts::new(&schema);
/// facts.set("harm.max_e", 31.2, now)?;
/// facts.set("harm.blocks", 9, now)?;
/// let decision = policies.decide(Action::Retrain, &facts, now);
/// assert!(decision.is_allowed());
/// assert!(decision.explain().contains("`harm.max_e >= 20.0` is true (31.2 against 20)"));
/// # Ok::<(), noops_policy::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySet {
    schema: FactSchema,
    rules: Vec<Rule>,
    tests: Vec<Test>,
    digest: Digest,
}

impl PolicySet {
    /// Loads YAML documents, given as pairs of a source name and its text; their order does not matter.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Document`] for YAML that does not parse, a key that is not known, a policy or rule without a name,
    /// a name used twice, an action that does not exist, a condition that [`crate::Condition::compile`] refuses, a rule
    /// that repeats another of the same enforcement, a test about facts or actions that do not exist, and more than 1000
    /// rules over all documents.
    ///
    /// # Complexity
    ///
    /// O(n log n) for n rules and tests of bounded size.
    pub fn load(sources: &[(&str, &str)], schema: &FactSchema) -> Result<Self, PolicyError> {
        let mut documents: BTreeMap<String, (&str, Document)> = BTreeMap::new();
        let mut room = MAX_RULES;
        for (source, yaml) in sources {
            let document = document::read(source, yaml, schema, room)?;
            room = room.saturating_sub(document.rules.len());
            let policy = document.canonical.policy.clone();
            if documents.contains_key(&policy) {
                return Err(PolicyError::Document {
                    source: (*source).to_owned(),
                    at: None,
                    problem: format!("policy `{policy}` is there twice; rename one of them"),
                });
            }
            documents.insert(policy, (*source, document));
        }
        let mut canonical: Vec<CanonicalDocument> = Vec::new();
        let mut rules: Vec<Rule> = Vec::new();
        let mut tests: Vec<Test> = Vec::new();
        let mut meanings: BTreeMap<Meaning, String> = BTreeMap::new();
        for (source, document) in documents.into_values() {
            for rule in document.rules {
                let path = format!("{}/{}", rule.policy, rule.name);
                if let Some(earlier) = meanings.insert(meaning(&rule), path) {
                    return Err(PolicyError::Document {
                        source: source.to_owned(),
                        at: rule.at,
                        problem: format!(
                            "rule `{}` repeats rule `{earlier}`; remove it",
                            rule.name
                        ),
                    });
                }
                rules.push(rule);
            }
            tests.extend(document.tests);
            canonical.push(document.canonical);
        }
        Ok(Self {
            digest: Digest::of_json(&(&canonical, schema)),
            schema: schema.clone(),
            rules,
            tests,
        })
    }

    /// The schema that the conditions were checked against.
    pub fn schema(&self) -> &FactSchema {
        &self.schema
    }

    /// The digest of the documents and the schema. The layout of the documents and their comments do not enter it.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The actions that some rule is about, sorted; an advisory rule is enough.
    pub fn actions(&self) -> Vec<Action> {
        let actions: BTreeSet<Action> = self.rules.iter().map(|rule| rule.action).collect();
        actions.into_iter().collect()
    }

    /// Decides about an action on what is known at `now`.
    ///
    /// Facts of another schema are matched by name and type.
    ///
    /// # Complexity
    ///
    /// Linear in the size of the action's rules, whatever the facts are.
    pub fn decide(&self, action: Action, facts: &Facts, now: Timestamp) -> Decision {
        let judgement = self.judge(action, &facts.aligned(&self.schema), now);
        let enforcement = judgement
            .deciding
            .iter()
            .map(|(rule, _)| rule.enforcement)
            .max()
            .unwrap_or(Enforcement::HardMandatory);
        let rules = judgement
            .deciding
            .iter()
            .chain(&judgement.advisory)
            .map(|(rule, outcome)| RuleOutcome {
                policy: rule.policy.clone(),
                rule: rule.name.clone(),
                effect: rule.effect,
                enforcement: rule.enforcement,
                outcome: outcome.truth,
                because: rule.because.clone(),
                clauses: rule.condition.explain(outcome).into_clauses(),
            })
            .collect();
        Decision {
            action,
            effect: judgement.effect,
            at: now,
            enforcement,
            rules,
            policy_digest: self.digest,
            facts_digest: facts.digest(),
        }
    }

    /// Runs the tests of the documents and returns those that failed.
    ///
    /// A test knows the facts that it names, and only those.
    pub fn run_tests(&self) -> Vec<TestFailure> {
        let mut failures: Vec<TestFailure> = Vec::new();
        for test in &self.tests {
            for (action, expected) in &test.expect {
                let decision = self.decide(*action, &test.facts, TEST_TIME);
                let is_met = match decision.effect() {
                    Effect::Allow => *expected == Expectation::Allow,
                    Effect::Deny => *expected == Expectation::Deny,
                    Effect::Unknown { .. } => *expected == Expectation::Unknown,
                };
                if !is_met {
                    failures.push(TestFailure {
                        policy: test.policy.clone(),
                        test: test.name.clone(),
                        expected: *expected,
                        decision,
                    });
                }
            }
        }
        failures
    }

    /// The rules about an action with their outcomes on facts in this set's slots.
    pub(crate) fn outcomes<'a>(
        &'a self,
        action: Action,
        facts: &Facts,
        now: Timestamp,
    ) -> Vec<Ran<'a>> {
        self.rules
            .iter()
            .filter(|rule| rule.action == action)
            .map(|rule| (rule, rule.condition.run(facts, now)))
            .collect()
    }

    pub(crate) fn judge<'a>(
        &'a self,
        action: Action,
        facts: &Facts,
        now: Timestamp,
    ) -> Judgement<'a> {
        let (advisory, outcomes): (Vec<Ran<'a>>, Vec<Ran<'a>>) = self
            .outcomes(action, facts, now)
            .into_iter()
            .partition(|(rule, _)| rule.is_advisory());
        let wanted = any(&outcomes, RuleEffect::Trigger);
        let permitted = any(&outcomes, RuleEffect::Permit);
        if wanted.is_none() && permitted.is_none() {
            return Judgement {
                effect: Effect::Deny,
                deciding: Vec::new(),
                advisory,
            };
        }
        let wanted = wanted.unwrap_or(Truth::True);
        let permitted = permitted.unwrap_or(Truth::True);
        let is_forbidden = any(&outcomes, RuleEffect::Forbid) == Some(Truth::True);
        // Where no rule of a kind holds, every rule of the kind stands in the way, for any of them could have opened it.
        let (standing, others): (Vec<Ran<'a>>, Vec<Ran<'a>>) =
            outcomes
                .into_iter()
                .partition(|(rule, outcome)| match rule.effect {
                    RuleEffect::Trigger => wanted != Truth::True,
                    RuleEffect::Permit => permitted != Truth::True,
                    RuleEffect::Forbid => match outcome.truth {
                        Truth::True => true,
                        Truth::False => false,
                        Truth::Unknown => rule.unknown == WhenUnknown::Deny,
                    },
                });
        if standing.is_empty() {
            return Judgement {
                effect: Effect::Allow,
                deciding: others
                    .into_iter()
                    .filter(|(rule, outcome)| {
                        rule.effect != RuleEffect::Forbid && outcome.truth == Truth::True
                    })
                    .collect(),
                advisory,
            };
        }
        let effect = if is_forbidden || wanted == Truth::False || permitted == Truth::False {
            Effect::Deny
        } else {
            let waiting: BTreeSet<usize> = standing
                .iter()
                .flat_map(|(_, outcome)| outcome.waiting.iter().copied())
                .collect();
            Effect::Unknown {
                waiting_for: waiting
                    .into_iter()
                    .map(|slot| self.schema.name(slot).to_owned())
                    .collect(),
            }
        };
        Judgement {
            effect,
            deciding: standing,
            advisory,
        }
    }
}

/// A rule with what one run of its condition found out.
type Ran<'a> = (&'a Rule, Outcome);

/// What makes two rules the same whatever their names are.
type Meaning = (RuleEffect, Action, WhenUnknown, Enforcement, String);

/// A decision before it is put into words.
pub(crate) struct Judgement<'a> {
    pub(crate) effect: Effect,
    pub(crate) deciding: Vec<Ran<'a>>,
    pub(crate) advisory: Vec<Ran<'a>>,
}

/// A test of a document that did not come out as expected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestFailure {
    policy: String,
    test: String,
    expected: Expectation,
    decision: Decision,
}

impl TestFailure {
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

impl std::fmt::Display for TestFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

/// Kleene's disjunction over the rules with an effect; none when there are no such rules.
fn any(outcomes: &[Ran<'_>], effect: RuleEffect) -> Option<Truth> {
    outcomes
        .iter()
        .filter(|(rule, _)| rule.effect == effect)
        .map(|(_, outcome)| outcome.truth)
        .reduce(|left, right| match (left, right) {
            (Truth::True, _) | (_, Truth::True) => Truth::True,
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            (Truth::False, Truth::False) => Truth::False,
        })
}

fn meaning(rule: &Rule) -> Meaning {
    (
        rule.effect,
        rule.action,
        rule.unknown,
        rule.enforcement,
        rule.condition.canonical().to_owned(),
    )
}
