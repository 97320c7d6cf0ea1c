use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_saphyr::{Location, Spanned};

use crate::action::Action;
use crate::cel::Condition;
use crate::error::{PolicyError, Position};
use crate::fact::{FactSchema, FactValue, Facts};

/// How binding a policy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enforcement {
    /// Reported, never enforced: its rules are evaluated and listed, and do not count for a decision.
    Advisory,
    /// Enforced, and a person may override it on the record.
    SoftMandatory,
    /// Enforced without exception.
    HardMandatory,
}

impl fmt::Display for Enforcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Advisory => "advisory",
            Self::SoftMandatory => "soft-mandatory",
            Self::HardMandatory => "hard-mandatory",
        })
    }
}

/// What a rule does to its action when its condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleEffect {
    /// Asks for the action.
    Trigger,
    /// Lets the action happen.
    Permit,
    /// Stops the action, whatever other rules say.
    Forbid,
}

impl fmt::Display for RuleEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trigger => "trigger",
            Self::Permit => "permit",
            Self::Forbid => "forbid",
        })
    }
}

/// What a rule does when its condition is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WhenUnknown {
    /// The rule does nothing. For a trigger and a permit this is the only choice: they open nothing.
    Skip,
    /// A forbidding rule stops the action. The default of a forbidding rule.
    Deny,
}

/// What a test of a document expects of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// The action is allowed.
    Allow,
    /// The action is denied.
    Deny,
    /// The action waits for facts.
    Unknown,
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Unknown => "unknown",
        })
    }
}

/// A rule, checked and compiled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) policy: String,
    pub(crate) name: String,
    pub(crate) effect: RuleEffect,
    pub(crate) action: Action,
    pub(crate) condition: Condition,
    pub(crate) unknown: WhenUnknown,
    pub(crate) because: String,
    pub(crate) enforcement: Enforcement,
    pub(crate) at: Option<Position>,
}

impl Rule {
    pub(crate) fn is_advisory(&self) -> bool {
        self.enforcement == Enforcement::Advisory
    }
}

/// A test of a document, with its facts in place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Test {
    pub(crate) policy: String,
    pub(crate) name: String,
    pub(crate) facts: Facts,
    pub(crate) expect: BTreeMap<Action, Expectation>,
}

/// A document, checked: its source form for the digest, and its compiled rules and tests.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    pub(crate) canonical: CanonicalDocument,
    pub(crate) rules: Vec<Rule>,
    pub(crate) tests: Vec<Test>,
}

/// A document as written, without layout and comments.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct CanonicalDocument {
    pub(crate) policy: String,
    owner: String,
    runbook: Option<String>,
    enforcement: Enforcement,
    rules: Vec<CanonicalRule>,
    tests: Vec<TestSource>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct CanonicalRule {
    name: String,
    effect: RuleEffect,
    action: Action,
    when: String,
    unknown: WhenUnknown,
    because: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentSource {
    policy: String,
    owner: String,
    #[serde(default)]
    runbook: Option<String>,
    enforcement: Enforcement,
    rules: Vec<RuleSource>,
    #[serde(default)]
    tests: Vec<TestSource>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSource {
    name: Spanned<String>,
    effect: RuleEffect,
    action: Spanned<String>,
    when: Spanned<String>,
    #[serde(default)]
    unknown: Option<WhenUnknown>,
    because: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestSource {
    name: String,
    facts: BTreeMap<String, FactValue>,
    expect: BTreeMap<String, Expectation>,
}

/// Reads one YAML document of at most `room` rules and checks all of it against the schema.
pub(crate) fn read(
    source: &str,
    yaml: &str,
    schema: &FactSchema,
    room: usize,
) -> Result<Document, PolicyError> {
    let parsed: DocumentSource = serde_saphyr::from_str(yaml).map_err(|error| {
        let text = error.without_snippet().to_string();
        PolicyError::Document {
            source: source.to_owned(),
            at: error.location().as_ref().and_then(position),
            problem: text.lines().next().unwrap_or_default().trim().to_owned(),
        }
    })?;
    let refuse = |at: Option<Position>, problem: String| PolicyError::Document {
        source: source.to_owned(),
        at,
        problem,
    };
    if parsed.policy.trim().is_empty() {
        return Err(refuse(
            None,
            "`policy` is empty; name the policy".to_owned(),
        ));
    }
    if parsed.owner.trim().is_empty() {
        return Err(refuse(
            None,
            "`owner` is empty; say who answers for the policy".to_owned(),
        ));
    }
    if parsed.rules.is_empty() {
        return Err(refuse(
            None,
            "`rules` is empty; a policy needs a rule".to_owned(),
        ));
    }
    if parsed.rules.len() > room {
        return Err(refuse(
            None,
            format!(
                "there are more than `{MAX_RULES}` rules over all documents; merge some of them"
            ),
        ));
    }
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut rules: Vec<Rule> = Vec::new();
    let mut canonical_rules: Vec<CanonicalRule> = Vec::new();
    for rule in parsed.rules {
        let at = position(&rule.name.referenced);
        let name = rule.name.value;
        if name.trim().is_empty() {
            return Err(refuse(
                at,
                "`name` of a rule is empty; name the rule".to_owned(),
            ));
        }
        if !names.insert(name.clone()) {
            return Err(refuse(
                at,
                format!("rule `{name}` is there twice; rename one of them"),
            ));
        }
        let action: Action = rule.action.value.parse::<Action>().map_err(|error| {
            refuse(
                position(&rule.action.referenced),
                format!("rule `{name}`: {error}"),
            )
        })?;
        let condition = Condition::compile(&rule.when.value, schema).map_err(|error| {
            refuse(
                position(&rule.when.referenced),
                format!("rule `{name}`: {error}"),
            )
        })?;
        let unknown = match (rule.effect, rule.unknown) {
            (RuleEffect::Forbid, None) => WhenUnknown::Deny,
            (RuleEffect::Forbid, Some(chosen)) => chosen,
            (effect, Some(WhenUnknown::Deny)) => {
                return Err(refuse(
                    at,
                    format!(
                        "rule `{name}`: `unknown: deny` is for `forbid` only; a {effect} opens nothing while it is unknown"
                    ),
                ));
            }
            (_, None | Some(WhenUnknown::Skip)) => WhenUnknown::Skip,
        };
        canonical_rules.push(CanonicalRule {
            name: name.clone(),
            effect: rule.effect,
            action,
            when: condition.canonical().to_owned(),
            unknown,
            because: rule.because.clone(),
        });
        rules.push(Rule {
            policy: parsed.policy.clone(),
            name,
            effect: rule.effect,
            action,
            condition,
            unknown,
            because: rule.because,
            enforcement: parsed.enforcement,
            at,
        });
    }
    let mut tests: Vec<Test> = Vec::new();
    for test in &parsed.tests {
        let checked = read_test(&parsed.policy, test, schema)
            .map_err(|problem| refuse(None, format!("test `{}`: {problem}", test.name)))?;
        tests.push(checked);
    }
    Ok(Document {
        canonical: CanonicalDocument {
            policy: parsed.policy,
            owner: parsed.owner,
            runbook: parsed.runbook,
            enforcement: parsed.enforcement,
            rules: canonical_rules,
            tests: parsed.tests,
        },
        rules,
        tests,
    })
}

fn read_test(policy: &str, test: &TestSource, schema: &FactSchema) -> Result<Test, String> {
    if test.expect.is_empty() {
        return Err("`expect` is empty; say what an action comes to".to_owned());
    }
    let mut facts = Facts::new(schema);
    for (name, value) in &test.facts {
        facts
            .set(name, value.clone(), TEST_TIME)
            .map_err(|error| error.to_string())?;
    }
    let mut expect: BTreeMap<Action, Expectation> = BTreeMap::new();
    for (name, expectation) in &test.expect {
        let action = name.parse::<Action>().map_err(|error| error.to_string())?;
        expect.insert(action, *expectation);
    }
    Ok(Test {
        policy: policy.to_owned(),
        name: test.name.clone(),
        facts,
        expect,
    })
}

fn position(location: &Location) -> Option<Position> {
    (location.line() > 0).then(|| Position::new(location.line(), location.column()))
}

/// More rules over all documents of a set are refused.
pub(crate) const MAX_RULES: usize = 1000;

/// The moment at which tests are decided, and at which their facts were true.
pub(crate) const TEST_TIME: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;
