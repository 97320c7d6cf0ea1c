use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::Spanned;

use super::place::{Source, position};
use super::source::{
    CanonicalDocument, CanonicalRule, CanonicalTest, DocumentSource, RuleSource, TestSource,
};
use super::{Document, Enforcement, Expectation, Rule, RuleEffect, Test, WhenUnknown};
use crate::action::Action;
use crate::condition::{Condition, Surroundings};
use crate::error::PolicyError;
use crate::fact::{FactSchema, Facts, is_identifier};
use crate::parameter::Parameter;

/// Reads one YAML document of at most `room` rules and checks all of it against the schema.
pub(crate) fn read(
    name: &str,
    yaml: &str,
    schema: &FactSchema,
    room: usize,
) -> Result<Document, PolicyError> {
    let source = Source { name, yaml };
    let parsed = parse(&source)?;
    for (value, problem) in [
        (&parsed.policy, "`policy` is empty; name the policy"),
        (
            &parsed.owner,
            "`owner` is empty; say who answers for the policy",
        ),
    ] {
        if value.value.trim().is_empty() {
            return Err(source.refuse_at(value, problem));
        }
    }
    if parsed.rules.value.is_empty() {
        return Err(source.refuse_at(&parsed.rules, "`rules` is empty; a policy needs a rule"));
    }
    if parsed.rules.value.len() > room {
        return Err(source.refuse_at(
            &parsed.rules,
            format!(
                "there are more than `{MAX_RULES}` rules over all documents; merge some of them"
            ),
        ));
    }
    if parsed.tests.len() > MAX_RULES {
        return Err(source.refuse(
            None,
            format!("there are more than `{MAX_RULES}` tests; split the document"),
        ));
    }
    let reader = Reader {
        surroundings: surroundings(&source, &parsed, schema)?,
        source,
        schema,
        policy: parsed.policy.value,
        enforcement: parsed.enforcement,
    };
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut rules: Vec<Rule> = Vec::new();
    for rule in &parsed.rules.value {
        if rule.name.value.trim().is_empty() {
            return Err(reader
                .source
                .refuse_at(&rule.name, "`name` of a rule is empty; name the rule"));
        }
        if !names.insert(rule.name.value.clone()) {
            return Err(reader.source.refuse_at(
                &rule.name,
                format!(
                    "rule `{}` is there twice; rename one of them",
                    rule.name.value
                ),
            ));
        }
        rules.push(reader.rule(rule)?);
    }
    let mut tests: Vec<Test> = Vec::new();
    let mut canonical_tests: Vec<CanonicalTest> = Vec::new();
    for test in parsed.tests {
        let checked = reader.test(&test).map_err(|problem| {
            reader
                .source
                .refuse_at(&test.name, format!("test `{}`: {problem}", test.name.value))
        })?;
        canonical_tests.push(CanonicalTest {
            name: test.name.value,
            facts: test.facts,
            ages: test.ages,
            expect: checked.expect.clone(),
        });
        tests.push(checked);
    }
    Ok(Document {
        canonical: CanonicalDocument {
            policy: reader.policy,
            owner: parsed.owner.value,
            runbook: parsed.runbook,
            enforcement: parsed.enforcement,
            rules: rules.iter().map(canonical_rule).collect(),
            tests: canonical_tests,
        },
        rules,
        tests,
    })
}

fn parse(source: &Source<'_>) -> Result<DocumentSource, PolicyError> {
    if source.yaml.len() > MAX_DOCUMENT_BYTES {
        return Err(source.refuse(
            None,
            format!("the document is longer than `{MAX_DOCUMENT_BYTES}` bytes; split it"),
        ));
    }
    serde_saphyr::from_str(source.yaml).map_err(|error| {
        let text = error.without_snippet().to_string();
        let line = text.lines().next().unwrap_or_default();
        // The place is told beside it.
        let problem = line
            .rsplit_once(" at line ")
            .map_or(line, |(problem, _)| problem);
        source.refuse(error.location().as_ref().and_then(position), problem.trim())
    })
}

/// Checks the variables and the guard one by one, so that a slip is told where it is and not where it is used.
fn surroundings(
    source: &Source<'_>,
    parsed: &DocumentSource,
    schema: &FactSchema,
) -> Result<Surroundings, PolicyError> {
    let mut surroundings = Surroundings::default();
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for variable in &parsed.variables {
        let name = variable.name.value.as_str();
        let holder = format!("variable `{name}`");
        if !is_identifier(name) {
            return Err(source.refuse_at(
                &variable.name,
                format!("{holder}: a name is letters, digits and `_`, and begins with a letter"),
            ));
        }
        if !names.insert(name) {
            return Err(source.refuse_at(
                &variable.name,
                format!("{holder} is there twice; rename one of them"),
            ));
        }
        let in_variable = |error| source.refuse_in(&variable.expression, &holder, error);
        let expression = &variable.expression.value;
        Parameter::compile(name, expression, schema, &surroundings).map_err(in_variable)?;
        surroundings.define(name, expression).map_err(in_variable)?;
    }
    if let Some(guard) = &parsed.guard {
        let in_guard = |error| source.refuse_in(guard, "`match`", error);
        Condition::compile_in(&guard.value, schema, &surroundings).map_err(in_guard)?;
        surroundings.set_guard(&guard.value).map_err(in_guard)?;
    }
    Ok(surroundings)
}

/// What the rules and tests of one document share.
struct Reader<'a> {
    source: Source<'a>,
    schema: &'a FactSchema,
    surroundings: Surroundings,
    policy: String,
    enforcement: Enforcement,
}

impl Reader<'_> {
    fn rule(&self, rule: &RuleSource) -> Result<Rule, PolicyError> {
        let name = rule.name.value.clone();
        let holder = format!("rule `{name}`");
        let action = rule.action.value.parse::<Action>().map_err(|error| {
            self.source
                .refuse_at(&rule.action, format!("{holder}: {error}"))
        })?;
        let condition = Condition::compile_in(&rule.when.value, self.schema, &self.surroundings)
            .map_err(|error| self.source.refuse_in(&rule.when, &holder, error))?;
        let unknown = match (rule.effect, rule.unknown) {
            (RuleEffect::Forbid, None) => WhenUnknown::Deny,
            (RuleEffect::Forbid, Some(chosen)) => chosen,
            (effect, Some(WhenUnknown::Deny)) => {
                return Err(self.source.refuse_at(
                    &rule.name,
                    format!(
                        "{holder}: `unknown: deny` is for `forbid` only; a {effect} opens nothing while it is unknown"
                    ),
                ));
            }
            (_, None | Some(WhenUnknown::Skip)) => WhenUnknown::Skip,
        };
        Ok(Rule {
            policy: self.policy.clone(),
            name,
            effect: rule.effect,
            action,
            condition,
            parameters: self.parameters(&holder, &rule.parameters)?,
            unknown,
            because: rule.because.clone(),
            enforcement: self.enforcement,
            at: position(&rule.name.referenced),
        })
    }

    fn parameters(
        &self,
        holder: &str,
        sources: &BTreeMap<String, Spanned<String>>,
    ) -> Result<Vec<Parameter>, PolicyError> {
        sources
            .iter()
            .map(|(name, expression)| {
                Parameter::compile(name, &expression.value, self.schema, &self.surroundings)
                    .map_err(|error| {
                        let holder = format!("{holder}, `{name}`");
                        self.source.refuse_in(expression, &holder, error)
                    })
            })
            .collect()
    }

    fn test(&self, test: &TestSource) -> Result<Test, String> {
        if test.expect.is_empty() {
            return Err("`expect` is empty; say what an action comes to".to_owned());
        }
        if let Some(name) = test
            .ages
            .keys()
            .find(|name| !test.facts.contains_key(*name))
        {
            return Err(format!(
                "`ages` names `{name}`, which is not among its `facts`; add it there"
            ));
        }
        let mut facts = Facts::new(self.schema);
        for (name, value) in &test.facts {
            let age = test.ages.get(name).copied().unwrap_or_default();
            let at = TEST_TIME
                .checked_sub(age)
                .map_err(|_| format!("the age of `{name}` is too large; write a shorter one"))?;
            facts
                .set(name, value.clone(), at)
                .map_err(|error| error.to_string())?;
        }
        let mut expect: BTreeMap<Action, Expectation> = BTreeMap::new();
        for (name, expectation) in &test.expect {
            let action = name.parse::<Action>().map_err(|error| error.to_string())?;
            expect.insert(action, *expectation);
        }
        Ok(Test {
            policy: self.policy.clone(),
            name: test.name.value.clone(),
            facts,
            expect,
        })
    }
}

fn canonical_rule(rule: &Rule) -> CanonicalRule {
    CanonicalRule {
        name: rule.name.clone(),
        effect: rule.effect,
        action: rule.action,
        when: rule.condition.canonical().to_owned(),
        unknown: rule.unknown,
        parameters: rule
            .parameters
            .iter()
            .map(|parameter| {
                (
                    parameter.name().to_owned(),
                    parameter.canonical().to_owned(),
                )
            })
            .collect(),
        because: rule.because.clone(),
    }
}

/// More rules over all documents of a set are refused.
pub(crate) const MAX_RULES: usize = 1000;

/// The moment at which tests are decided.
pub(crate) const TEST_TIME: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;

const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;
