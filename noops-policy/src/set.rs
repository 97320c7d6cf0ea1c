mod judgement;
mod overlap;
mod reload;
mod test_failure;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use noops_core::Digest;

use crate::action::Action;
use crate::decision::{Decision, Effect};
use crate::document::{
    self, CanonicalDocument, Document, Expectation, MAX_RULES, Rule, TEST_TIME, Test,
};
use crate::error::PolicyError;
use crate::fact::{FactSchema, Facts};

pub(crate) use judgement::Judgement;
pub use reload::{RefusedReload, Reload, ReloadRefused};
pub use test_failure::TestFailure;
pub use verdict::Verdict;

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
/// Only the rules of mandatory policies count in this. Those of [`Enforcement::Advisory`](crate::Enforcement::Advisory) policies are evaluated and
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
    /// By action, and by policy and place in its document within an action.
    rules: Vec<Rule>,
    /// Where the rules of an action are.
    places: BTreeMap<Action, Places>,
    tests: Vec<Test>,
    digest: Digest,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Places {
    start: usize,
    end: usize,
}

impl PolicySet {
    /// Loads YAML documents, given as pairs of a source name and its text; their order does not matter.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Document`] for YAML that does not parse, a key that is not known, a policy or rule without a name,
    /// a name used twice, an action that does not exist, a condition that [`crate::Condition::compile`] refuses, a rule
    /// that repeats another of the same enforcement, a rule that never matters beside another of its document because it
    /// only holds where that one does, a test about facts or actions that do not exist, more than 1000 rules over all
    /// documents, and more than 1000 tests in one.
    ///
    /// # Complexity
    ///
    /// O(n log n) for n rules and tests of bounded size: a rule is compared with at most 64 before it that have its effect
    /// and action.
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
        overlap::check(
            documents
                .values()
                .map(|(source, document)| (*source, document)),
        )?;
        let mut canonical: Vec<CanonicalDocument> = Vec::new();
        let mut rules: Vec<Rule> = Vec::new();
        let mut tests: Vec<Test> = Vec::new();
        for (_, document) in documents.into_values() {
            rules.extend(document.rules);
            tests.extend(document.tests);
            canonical.push(document.canonical);
        }
        rules.sort_by_key(|rule| rule.action);
        Ok(Self {
            digest: Digest::of_json(&(&canonical, schema)),
            schema: schema.clone(),
            places: places(&rules),
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
        self.places.keys().copied().collect()
    }

    /// Decides about an action on what is known at `now`, for whoever only acts on it.
    ///
    /// It evaluates every rule about the action, and makes no words and no digests: [`Verdict::decision`] does when they
    /// are wanted. Nothing is allocated while conditions compare facts with facts and literals.
    ///
    /// Facts of another schema are matched by name and type, which copies them.
    ///
    /// # Complexity
    ///
    /// Linear in the size of the action's rules, whatever the facts are.
    #[inline]
    pub fn check<'a>(&'a self, action: Action, facts: &'a Facts, now: Timestamp) -> Verdict<'a> {
        Verdict::new(self, action, facts.aligned(&self.schema), now)
    }

    /// Decides about an action on what is known at `now`, with everything that explains the decision and repeats it.
    ///
    /// Facts of another schema are matched by name and type.
    ///
    /// # Complexity
    ///
    /// That of [`PolicySet::check`] a few times over, and the digest of the facts.
    pub fn decide(&self, action: Action, facts: &Facts, now: Timestamp) -> Decision {
        Decision::new(self, action, facts, now)
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
                    failures.push(TestFailure::new(test, *expected, decision));
                }
            }
        }
        failures
    }

    /// How many tests the documents have.
    pub fn test_count(&self) -> usize {
        self.tests.len()
    }

    /// The rules about an action.
    pub(crate) fn rules(&self, action: Action) -> &[Rule] {
        self.places
            .get(&action)
            .and_then(|places| self.rules.get(places.start..places.end))
            .unwrap_or_default()
    }

    pub(crate) fn names(&self, slots: BTreeSet<usize>) -> Vec<String> {
        slots
            .into_iter()
            .map(|slot| self.schema.name(slot).to_owned())
            .collect()
    }
}

fn places(rules: &[Rule]) -> BTreeMap<Action, Places> {
    let mut places: BTreeMap<Action, Places> = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate() {
        places
            .entry(rule.action)
            .or_insert(Places {
                start: index,
                end: index,
            })
            .end = index + 1;
    }
    places
}
