use std::collections::BTreeSet;

use regorus::unstable::Span;

use super::reference::{Reference, Step, names};
use super::rules::{NamedRule, Rules, Target, at};
use super::{RegoError, builtin};
use crate::fact::FactSchema;
use crate::suggest;

/// The slots that the entry point can reach, sorted, once every reference of every rule is checked.
pub(super) fn reads(
    rules: &Rules<'_>,
    entrypoint: &str,
    schema: &FactSchema,
) -> Result<Vec<usize>, RegoError> {
    for import in rules.imports() {
        if import.root == "data" {
            defined(rules, &import.steps, import.span)?;
        } else if !is_group(schema, &names(&import.steps)) {
            fact(schema, &import.steps, import.span)?;
        }
    }
    let mut of_rules: Vec<Mentioned> = Vec::new();
    for rule in rules.all() {
        of_rules.push(mentioned(rules, rule, schema)?);
    }
    let mut pending = entry(rules, entrypoint)?;
    let mut seen: BTreeSet<usize> = pending.iter().copied().collect();
    let mut slots = BTreeSet::new();
    while let Some(index) = pending.pop() {
        let Some(mentioned) = of_rules.get(index) else {
            continue;
        };
        slots.extend(mentioned.slots.iter().copied());
        for next in &mentioned.rules {
            if seen.insert(*next) {
                pending.push(*next);
            }
        }
    }
    Ok(slots.into_iter().collect())
}

/// What one rule reads itself.
#[derive(Debug, Default)]
struct Mentioned {
    slots: BTreeSet<usize>,
    rules: BTreeSet<usize>,
}

fn mentioned(
    rules: &Rules<'_>,
    rule: &NamedRule<'_>,
    schema: &FactSchema,
) -> Result<Mentioned, RegoError> {
    let mut mentioned = Mentioned::default();
    for reference in &rule.mentions.references {
        match rules.target(rule, reference) {
            Target::Input(steps) => {
                mentioned
                    .slots
                    .insert(fact(schema, &steps, reference.span)?);
            }
            Target::Data(steps) => {
                mentioned
                    .rules
                    .extend(defined(rules, &steps, reference.span)?);
            }
            Target::Local => {}
        }
    }
    for call in &rule.mentions.calls {
        match rules.target(rule, call) {
            Target::Data(steps) => {
                mentioned.rules.extend(defined(rules, &steps, call.span)?);
            }
            Target::Input(_) => {
                return Err(at(
                    call.span,
                    "a fact cannot be called; call a function".to_owned(),
                ));
            }
            Target::Local => builtin_call(call)?,
        }
    }
    Ok(mentioned)
}

fn builtin_call(call: &Reference<'_>) -> Result<(), RegoError> {
    match builtin::refusal(&call.dotted()) {
        Some(problem) => Err(at(call.span, problem)),
        None => Ok(()),
    }
}

/// The slot of the fact that a path below `input` reads.
fn fact(schema: &FactSchema, steps: &[Step], span: &Span) -> Result<usize, RegoError> {
    let names = names(steps);
    let found = schema
        .facts()
        .iter()
        .enumerate()
        .find(|(_, fact)| is_beginning(&mut fact.name().split('.'), &names));
    if let Some((slot, fact)) = found {
        let own = fact.name().split('.').count();
        if steps.len() > own && !fact.fact_type().is_list() {
            return Err(at(
                span,
                format!(
                    "fact `{}` is not a list and has nothing in it; stop at its name",
                    fact.name()
                ),
            ));
        }
        return Ok(slot);
    }
    let path = names.join(".");
    Err(at(
        span,
        if names.len() < steps.len() {
            format!(
                "fact below `input{}{path}` is only known at run time; name it",
                if path.is_empty() { "" } else { "." }
            )
        } else if names.is_empty() {
            "`input` as a whole cannot be checked; name the facts that are read".to_owned()
        } else if is_group(schema, &names) {
            format!("`{path}` is the beginning of facts and not a fact; name the fact")
        } else {
            schema.unknown(&path).to_string()
        },
    ))
}

/// The rules that a path below `data` leads to; nothing else is there.
fn defined(rules: &Rules<'_>, steps: &[Step], span: &Span) -> Result<Vec<usize>, RegoError> {
    let found = rules.at(steps);
    if found.is_empty() {
        let path = names(steps).join(".");
        return Err(at(span, no_rule(rules, &path)));
    }
    Ok(found)
}

fn entry(rules: &Rules<'_>, entrypoint: &str) -> Result<Vec<usize>, RegoError> {
    let refused = |problem: String| RegoError::Entrypoint {
        entrypoint: entrypoint.to_owned(),
        problem,
    };
    let Some(path) = entrypoint.strip_prefix("data.") else {
        return Err(refused(
            "path must begin with `data.`, such as `data.promotion.allow`".to_owned(),
        ));
    };
    let steps: Vec<Step> = path
        .split('.')
        .map(|name| Step::Name(name.to_owned()))
        .collect();
    let is_there = rules
        .all()
        .iter()
        .any(|rule| rule.path.iter().map(String::as_str).eq(path.split('.')));
    if !is_there {
        return Err(refused(no_rule(rules, path)));
    }
    Ok(rules.at(&steps))
}

fn no_rule(rules: &Rules<'_>, path: &str) -> String {
    let paths: Vec<String> = rules.all().iter().map(|rule| rule.path.join(".")).collect();
    match suggest::nearest(path, paths.iter().map(String::as_str)) {
        Some(near) => format!("no rule is at `data.{path}`; did you mean `data.{near}`?"),
        None => format!("no rule is at `data.{path}`; load the source that defines it"),
    }
}

/// Whether all of `beginning` starts `names`.
fn is_beginning<'a>(beginning: &mut impl Iterator<Item = &'a str>, names: &[&str]) -> bool {
    let mut names = names.iter();
    beginning.all(|part| names.next().is_some_and(|name| *name == part))
}

/// Whether some fact's name goes on after these.
fn is_group(schema: &FactSchema, path: &[&str]) -> bool {
    schema.facts().iter().any(|fact| {
        let mut parts = fact.name().split('.');
        path.iter().all(|name| parts.next() == Some(*name)) && parts.next().is_some()
    })
}
