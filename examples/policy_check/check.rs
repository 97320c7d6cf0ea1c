//! Everything that is found out about policies and facts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use noops_core::{Digest, Timestamp};
use noops_policy::{Decision, Facts, PolicySet, TestFailure};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::facts;
use crate::problem::Problem;
use crate::schema::{self, Chosen};
use crate::source::{self, Source};

/// What was found out.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) sheets: Vec<Sheet>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) failures: Vec<TestFailure>,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) decided: Vec<Decided>,
    /// Where the schema comes from, and how many facts it declares.
    pub(crate) schema: Option<(String, usize)>,
    pub(crate) digest: Option<Digest>,
}

/// One document.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) file: String,
    pub(crate) is_sound: bool,
    pub(crate) outline: Option<Outline>,
}

/// What a document is, apart from what it says.
#[derive(Debug, Deserialize)]
pub(crate) struct Outline {
    pub(crate) policy: String,
    pub(crate) enforcement: String,
    pub(crate) rules: Vec<IgnoredAny>,
    #[serde(default)]
    pub(crate) tests: Vec<IgnoredAny>,
}

/// A decision and the first rule that decided.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) decision: Decision,
    pub(crate) policy: Option<String>,
    pub(crate) rule: Option<String>,
    pub(crate) because: Option<String>,
}

impl Checked {
    /// Checks documents alone and together; where all are sound, runs their tests and decides on the facts.
    pub(crate) fn of(
        policies: &[PathBuf],
        schema: Option<&Path>,
        facts: Option<&Path>,
        at: Timestamp,
    ) -> Self {
        let (sources, problems) = source::documents(policies);
        let mut checked = Self {
            sheets: Vec::new(),
            problems,
            failures: Vec::new(),
            passed: 0,
            failed: 0,
            decided: Vec::new(),
            schema: None,
            digest: None,
        };
        match schema::choose(schema, policies) {
            Ok(chosen) => checked.check(&sources, &chosen, facts, at),
            Err(problem) => checked.problems.push(problem),
        }
        checked
    }

    /// Whether nothing was refused and every test passed.
    pub(crate) fn is_sound(&self) -> bool {
        self.problems.is_empty() && self.failed == 0
    }

    /// How many tests of a policy failed.
    pub(crate) fn failed_of(&self, policy: &str) -> usize {
        failed_tests(&self.failures)
            .filter(|(of, _)| *of == policy)
            .count()
    }

    fn check(&mut self, sources: &[Source], chosen: &Chosen, facts: Option<&Path>, at: Timestamp) {
        self.schema = Some((chosen.from.clone(), chosen.schema.len()));
        let mut sound: Vec<(&str, &str)> = Vec::new();
        for source in sources {
            let one = (source.name.as_str(), source.text.as_str());
            let loaded = PolicySet::load(&[one], &chosen.schema);
            self.sheets.push(Sheet {
                file: source.name.clone(),
                is_sound: loaded.is_ok(),
                outline: serde_saphyr::from_str(&source.text).ok(),
            });
            match loaded {
                Ok(_) => sound.push(one),
                Err(error) => self.problems.push(Problem::refused(&source.name, &error)),
            }
        }
        let set = PolicySet::load(&sound, &chosen.schema)
            .map_err(|error| self.problems.push(Problem::refused("the policies", &error)))
            .ok();
        let known = facts.and_then(|path| {
            facts::read(path, &chosen.schema, at)
                .map_err(|problems| self.problems.extend(problems))
                .ok()
        });
        // What is decided, or tested, by a part of the policies says nothing about all of them.
        if let Some(set) = set.filter(|_| self.problems.is_empty()) {
            self.digest = Some(set.digest());
            self.test(&set);
            if let Some(facts) = known {
                self.decide(&set, &facts, at);
            }
        }
    }

    fn test(&mut self, set: &PolicySet) {
        self.failures = set.run_tests();
        self.failed = failed_tests(&self.failures).count();
        self.passed = set.test_count().saturating_sub(self.failed);
    }

    fn decide(&mut self, set: &PolicySet, facts: &Facts, at: Timestamp) {
        for action in set.actions() {
            let verdict = set.check(action, facts, at);
            self.decided.push(Decided {
                decision: verdict.decision(),
                policy: verdict.policy().map(str::to_owned),
                rule: verdict.rule().map(str::to_owned),
                because: verdict.because().map(|because| because.trim().to_owned()),
            });
        }
    }
}

impl Decided {
    /// The outcome of the first rule that decided.
    pub(crate) fn first(&self) -> Option<&noops_policy::RuleOutcome> {
        self.decision.rules().iter().find(|outcome| {
            Some(outcome.policy()) == self.policy.as_deref()
                && Some(outcome.rule()) == self.rule.as_deref()
        })
    }
}

/// Tests that failed, by policy and name: one that expects something of several actions fails once.
fn failed_tests(failures: &[TestFailure]) -> impl Iterator<Item = (&str, &str)> {
    let tests: BTreeSet<(&str, &str)> = failures
        .iter()
        .map(|failure| (failure.policy(), failure.test()))
        .collect();
    tests.into_iter()
}
