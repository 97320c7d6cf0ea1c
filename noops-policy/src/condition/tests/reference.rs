//! A naive interpreter of the syntax tree, and its agreement with what is compiled.

use jiff::Timestamp;

use super::generator::Generator;
use super::schema;
use crate::cel::ast::{Binary, Kind, Node, Quantifier, Unary};
use crate::cel::parser;
use crate::cel::value::Value as Literal;
use crate::condition::{Condition, Truth};
use crate::fact::{FactValue, Facts};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A value, where `None` of it is unknown.
#[derive(Clone, Debug, PartialEq)]
enum Naive {
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(String),
    List(Vec<Naive>),
}

fn literal(value: &Literal) -> Option<Naive> {
    match value {
        Literal::Bool(value) => Some(Naive::Bool(*value)),
        Literal::Int(value) => Some(Naive::Int(*value)),
        Literal::Double(value) => Some(Naive::Double(*value)),
        Literal::String(text) => Some(Naive::Text(text.to_string())),
        _ => panic!("the generator writes no such literal: {value:?}"),
    }
}

fn fact(value: &FactValue) -> Naive {
    match value {
        FactValue::Bool(value) => Naive::Bool(*value),
        FactValue::Int(value) => Naive::Int(*value),
        FactValue::Double(value) => Naive::Double(*value),
        FactValue::Text(text) => Naive::Text(text.clone()),
        FactValue::Doubles(items) => {
            Naive::List(items.iter().copied().map(Naive::Double).collect())
        }
        FactValue::Texts(items) => Naive::List(items.iter().cloned().map(Naive::Text).collect()),
        other => panic!("the generator reads no such fact: {other:?}"),
    }
}

/// The facts, and the variables of comprehensions with their values.
#[derive(Clone)]
struct World<'a> {
    facts: &'a Facts,
    locals: Vec<(String, Naive)>,
}

impl World<'_> {
    fn name(&self, name: &str) -> Option<Naive> {
        if let Some((_, value)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return Some(value.clone());
        }
        self.facts.entry(name).map(|entry| fact(entry.value()))
    }

    fn truth(&self, node: &Node) -> Option<bool> {
        match self.value(node)? {
            Naive::Bool(value) => Some(value),
            other => panic!("{other:?} is no truth value"),
        }
    }

    fn value(&self, node: &Node) -> Option<Naive> {
        match &node.kind {
            Kind::Literal(value) => literal(value),
            Kind::Name(name) => self.name(name),
            Kind::Select(operand, field) => match &operand.kind {
                Kind::Name(name) => self.name(&format!("{name}.{field}")),
                other => panic!("the generator selects from no {other:?}"),
            },
            Kind::Unary(Unary::Not, operand) => {
                self.truth(operand).map(|value| Naive::Bool(!value))
            }
            Kind::Unary(Unary::Negate, operand) => match self.value(operand)? {
                Naive::Int(value) => value.checked_neg().map(Naive::Int),
                Naive::Double(value) => Some(Naive::Double(-value)),
                other => panic!("{other:?} has no sign"),
            },
            Kind::And(operands) => {
                conjunction(operands.iter().map(|node| self.truth(node))).map(Naive::Bool)
            }
            Kind::Or(operands) => conjunction(
                operands
                    .iter()
                    .map(|node| self.truth(node).map(|value| !value)),
            )
            .map(|value| Naive::Bool(!value)),
            Kind::Conditional(condition, then, otherwise) => {
                if self.truth(condition)? {
                    self.value(then)
                } else {
                    self.value(otherwise)
                }
            }
            Kind::List(items) => items
                .iter()
                .map(|item| self.value(item))
                .collect::<Option<Vec<Naive>>>()
                .map(Naive::List),
            Kind::Binary(operator, left, right) => {
                binary(*operator, self.value(left)?, self.value(right)?)
            }
            Kind::Call {
                target,
                name,
                arguments,
            } => {
                let operands: Option<Vec<Naive>> = target
                    .iter()
                    .map(|target| &**target)
                    .chain(arguments)
                    .map(|node| self.value(node))
                    .collect();
                call(name, &operands?)
            }
            Kind::Comprehension {
                quantifier,
                range,
                variables,
                body,
            } => {
                let Naive::List(items) = self.value(range)? else {
                    panic!("the generator ranges over lists");
                };
                let truths: Vec<Option<bool>> = items
                    .into_iter()
                    .map(|item| {
                        let mut inner = self.clone();
                        inner.locals.push((variables[0].clone(), item));
                        inner.truth(&body[0])
                    })
                    .collect();
                quantified(*quantifier, &truths).map(Naive::Bool)
            }
            other => panic!("the generator writes no {other:?}"),
        }
    }
}

fn conjunction(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let values: Vec<Option<bool>> = values.collect();
    if values.contains(&Some(false)) {
        return Some(false);
    }
    values
        .into_iter()
        .all(|value| value.is_some())
        .then_some(true)
}

fn quantified(quantifier: Quantifier, truths: &[Option<bool>]) -> Option<bool> {
    match quantifier {
        Quantifier::All => conjunction(truths.iter().copied()),
        Quantifier::Exists => {
            conjunction(truths.iter().map(|truth| truth.map(|value| !value))).map(|value| !value)
        }
        Quantifier::ExistsOne => {
            let known: Option<Vec<bool>> = truths.iter().copied().collect();
            Some(known?.into_iter().filter(|value| *value).count() == 1)
        }
        other => panic!("the generator writes no {other:?}"),
    }
}

fn call(name: &str, operands: &[Naive]) -> Option<Naive> {
    match (name, operands) {
        ("size", [Naive::Text(text)]) => Some(Naive::Int(text.chars().count() as i64)),
        ("size", [Naive::List(items)]) => Some(Naive::Int(items.len() as i64)),
        ("startsWith", [Naive::Text(text), Naive::Text(start)]) => {
            Some(Naive::Bool(text.starts_with(start)))
        }
        ("double", [Naive::Int(value)]) => Some(Naive::Double(*value as f64)),
        other => panic!("the generator writes no {other:?}"),
    }
}

fn binary(operator: Binary, left: Naive, right: Naive) -> Option<Naive> {
    match (operator, left, right) {
        (Binary::In, item, Naive::List(items)) => Some(Naive::Bool(items.contains(&item))),
        (Binary::Add, Naive::Text(a), Naive::Text(b)) => Some(Naive::Text(a + &b)),
        (operator, Naive::Int(a), Naive::Int(b)) => ints(operator, a.into(), b.into()),
        (operator, Naive::Double(a), Naive::Double(b)) => doubles(operator, a, b),
        // The generator keeps whole numbers small enough to be exact as doubles.
        (operator, Naive::Double(a), Naive::Int(b)) => doubles(operator, a, b as f64),
        (operator, Naive::Int(a), Naive::Double(b)) => doubles(operator, a as f64, b),
        (Binary::Equal, a, b) => Some(Naive::Bool(a == b)),
        (Binary::NotEqual, a, b) => Some(Naive::Bool(a != b)),
        other => panic!("the generator writes no {other:?}"),
    }
}

fn ints(operator: Binary, a: i128, b: i128) -> Option<Naive> {
    let exact = match operator {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a.checked_div(b)?,
        Binary::Remainder => a.checked_rem(b)?,
        Binary::Equal => return Some(Naive::Bool(a == b)),
        Binary::NotEqual => return Some(Naive::Bool(a != b)),
        Binary::Less => return Some(Naive::Bool(a < b)),
        Binary::LessOrEqual => return Some(Naive::Bool(a <= b)),
        Binary::Greater => return Some(Naive::Bool(a > b)),
        Binary::GreaterOrEqual => return Some(Naive::Bool(a >= b)),
        other => panic!("{other:?} is not of whole numbers"),
    };
    i64::try_from(exact).ok().map(Naive::Int)
}

fn doubles(operator: Binary, a: f64, b: f64) -> Option<Naive> {
    let result = match operator {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::Less => return Some(Naive::Bool(a < b)),
        Binary::LessOrEqual => return Some(Naive::Bool(a <= b)),
        Binary::Greater => return Some(Naive::Bool(a > b)),
        Binary::GreaterOrEqual => return Some(Naive::Bool(a >= b)),
        other => panic!("{other:?} is not of doubles"),
    };
    result.is_finite().then_some(Naive::Double(result))
}

/// Random values of the facts that the generator speaks of; each is missing one time in four.
fn random_facts(generator: &mut Generator) -> Facts {
    let mut facts = Facts::new(&schema());
    let int = |generator: &mut Generator| generator.below(7) as i64 - 3;
    let double = |generator: &mut Generator| (generator.below(13) as f64 - 6.0) / 2.0;
    let text = |generator: &mut Generator| ["a", "b", "ab"][generator.below(3)].to_owned();
    for name in [
        "n", "count.k", "psi", "rho", "env", "flag.on", "flag.off", "scores", "tags",
    ] {
        if generator.below(4) == 0 {
            continue;
        }
        let value = match name {
            "n" | "count.k" => FactValue::from(int(generator)),
            "psi" | "rho" => FactValue::from(double(generator)),
            "env" => FactValue::from(text(generator)),
            "scores" => {
                let length = generator.below(4);
                FactValue::from((0..length).map(|_| double(generator)).collect::<Vec<f64>>())
            }
            "tags" => {
                let length = generator.below(3);
                FactValue::from(
                    (0..length)
                        .map(|_| text(generator))
                        .collect::<Vec<String>>(),
                )
            }
            _ => FactValue::from(generator.below(2) == 0),
        };
        facts.set(name, value, NOW).unwrap();
    }
    facts
}

/// The facts of `partial`, and those of `other` that it lacks.
fn completed(partial: &Facts, other: &Facts) -> Facts {
    let mut facts = partial.clone();
    for (name, entry) in other.to_record() {
        if partial.entry(&name).is_none() {
            facts.set(&name, entry.value().clone(), NOW).unwrap();
        }
    }
    facts
}

fn naive(tree: &Node, facts: &Facts) -> Truth {
    let world = World {
        facts,
        locals: Vec::new(),
    };
    world.truth(tree).map_or(Truth::Unknown, Truth::from)
}

const SETS: usize = 64;
const COMPARISONS: usize = 1_000_000;

#[test]
fn the_compiled_program_agrees_with_a_walk_of_the_tree_a_million_times() {
    let mut generator = Generator::new(20);
    let sets: Vec<Facts> = (0..SETS).map(|_| random_facts(&mut generator)).collect();
    let mut compared = 0;
    let mut refused = 0;
    while compared < COMPARISONS {
        let depth = 1 + generator.below(4);
        let source = generator.condition(depth);
        // The generator writes conditions that never change too; refusing those is tested elsewhere.
        let Ok(condition) = Condition::compile(&source, &schema()) else {
            refused += 1;
            continue;
        };
        let tree = parser::parse(&source).unwrap();
        for facts in &sets {
            let truth = condition.evaluate(facts, NOW).truth();
            assert_eq!(
                truth,
                naive(&tree, facts),
                "{source} on {:?}",
                facts.to_record()
            );
        }
        compared += SETS;
    }
    // What is refused must stay the exception, or little is compared.
    assert!(
        refused * SETS < 2 * COMPARISONS,
        "{refused} conditions were refused"
    );
}

#[test]
fn what_is_known_stays_when_more_becomes_known_and_the_residual_says_the_rest() {
    let mut generator = Generator::new(21);
    let sets: Vec<Facts> = (0..SETS).map(|_| random_facts(&mut generator)).collect();
    let mut residuals = 0;
    for _ in 0..4_000 {
        let depth = 1 + generator.below(4);
        let source = generator.condition(depth);
        let Ok(condition) = Condition::compile(&source, &schema()) else {
            continue;
        };
        for partial in &sets {
            let other = &sets[generator.below(SETS)];
            let full = completed(partial, other);
            let before = condition.evaluate(partial, NOW);
            let after = condition.evaluate(&full, NOW).truth();
            if before.truth() != Truth::Unknown {
                assert_eq!(
                    after,
                    before.truth(),
                    "{source} on {:?}",
                    partial.to_record()
                );
                assert!(before.residual().is_none() && before.waiting_for().is_empty());
                continue;
            }
            assert!(!before.waiting_for().is_empty(), "{source}");
            let residual = before.residual().unwrap();
            // A residual may have become a condition that never changes, which is refused.
            if let Ok(rest) = Condition::compile(&residual, &schema()) {
                residuals += 1;
                assert_eq!(
                    rest.evaluate(&full, NOW).truth(),
                    after,
                    "{source} left {residual}"
                );
            }
        }
    }
    assert!(
        residuals > 10_000,
        "only {residuals} residuals were compared"
    );
}
