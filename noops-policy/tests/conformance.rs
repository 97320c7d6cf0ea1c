//! The language against the vectors of its specification.
//!
//! `NOOPS_CEL_SPEC` is the folder with the vectors, which `scripts/cel-spec` fetches. Without it the tests print that they
//! were skipped; in CI they fail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod conformance {
    pub(crate) mod score;
    pub(crate) mod skip;
    pub(crate) mod translate;
    pub(crate) mod vector;
}

use std::env;
use std::path::{Path, PathBuf};

use conformance::score::Score;
use conformance::skip;
use conformance::translate::{bindings, environment, same, value};
use conformance::vector::{Expected, Vector};
use noops_policy::cel::Expression;

#[test]
fn expressions_evaluate_as_the_specification_says() {
    let Some(folder) = folder() else { return };
    let mut score = Score::new("evaluation");
    for vector in Vector::read(&folder.join("conformance.json")) {
        if matches!(vector.expected, Expected::Nothing) {
            continue;
        }
        match skip::reason(&vector) {
            Some(reason) => score.skip(vector.suite(), reason),
            None => score.count(&vector, evaluates(&vector)),
        }
    }
    score.assert_share(MIN_SHARE, MIN_EVALUATED);
}

#[test]
fn what_the_reference_parses_is_parsed_and_nothing_else() {
    let Some(folder) = folder() else { return };
    let mut score = Score::new("parsing");
    for file in FILES {
        for vector in Vector::read(&folder.join(file)) {
            let refused = (!vector.is_parsed).then_some(&vector);
            match skip::reason(&vector).or_else(|| refused.and_then(skip::reason_to_accept)) {
                Some(reason) => score.skip(vector.suite(), reason),
                None => score.count(&vector, parses(&vector)),
            }
        }
    }
    score.assert_share(MIN_SHARE, MIN_PARSED);
}

#[test]
fn the_checker_deduces_the_types_of_the_reference() {
    let Some(folder) = folder() else { return };
    let mut score = Score::new("types");
    for file in FILES {
        for vector in Vector::read(&folder.join(file)) {
            let Some(expected) = vector.deduced_type.clone() else {
                continue;
            };
            match skip::reason(&vector) {
                Some(reason) => score.skip(vector.suite(), reason),
                None => score.count(&vector, deduces(&vector, &expected)),
            }
        }
    }
    score.assert_share(MIN_SHARE, MIN_DEDUCED);
}

#[test]
fn what_the_reference_refuses_is_refused() {
    let Some(folder) = folder() else { return };
    let mut score = Score::new("refusals");
    for file in FILES {
        for vector in Vector::read(&folder.join(file)) {
            if vector.refusal.is_none() {
                continue;
            }
            match skip::reason(&vector).or_else(|| skip::reason_to_accept(&vector)) {
                Some(reason) => score.skip(vector.suite(), reason),
                None => score.count(&vector, refuses(&vector)),
            }
        }
    }
    score.assert_share(MIN_SHARE, MIN_REFUSED);
}

fn evaluates(vector: &Vector) -> Result<(), String> {
    let environment = environment(vector);
    let bindings = bindings(vector);
    let unchecked = || {
        let compiled = Expression::compile_unchecked(&vector.expression, &environment);
        compiled
            .map_err(|refusal| refusal.to_string())?
            .evaluate(&bindings)
            .map_err(|error| error.to_string())
    };
    let found = if vector.is_checked {
        Expression::compile(&vector.expression, &environment)
            .map_err(|refusal| refusal.to_string())
            .and_then(|compiled| {
                let evaluated = compiled.evaluate(&bindings);
                evaluated.map_err(|error| error.to_string())
            })
    } else {
        unchecked()
    };
    match (&vector.expected, found) {
        // A literal that is wrong may be refused before it is evaluated; evaluated all the same it is an error too.
        (Expected::Error, Err(_)) => match unchecked() {
            Ok(value) => Err(format!("unchecked it is `{value}` and not an error")),
            Err(_) => Ok(()),
        },
        (Expected::Error, Ok(value)) => Err(format!("is `{value}` and not an error")),
        (Expected::Value(expected), Ok(found)) => match value(expected) {
            Some(expected) if same(&expected, &found) => Ok(()),
            Some(expected) => Err(format!("is `{found}` and not `{expected}`")),
            None => Err(format!("`{expected}` is no value of the subset")),
        },
        (Expected::Value(expected), Err(error)) => Err(format!("not `{expected}`: {error}")),
        (Expected::Nothing, _) => Ok(()),
    }
}

fn parses(vector: &Vector) -> Result<(), String> {
    let compiled = Expression::compile_unchecked(&vector.expression, &environment(vector));
    let refusal = compiled.err().map(|refusal| refusal.to_string());
    // Names are resolved after parsing.
    let is_syntax = |refusal: &String| !refusal.contains("unknown function");
    match (vector.is_parsed, refusal.filter(is_syntax)) {
        (true, Some(refusal)) => Err(format!("is not parsed: {refusal}")),
        (false, None) => Err(format!(
            "is parsed, not refused with {}",
            vector.refusal.as_deref().unwrap_or_default()
        )),
        _ => Ok(()),
    }
}

fn deduces(vector: &Vector, expected: &str) -> Result<(), String> {
    let expression = Expression::compile(&vector.expression, &environment(vector))
        .map_err(|refusal| format!("not `{expected}`: {refusal}"))?;
    let found = expression.value_type().to_string();
    if found == expected {
        Ok(())
    } else {
        Err(format!("is of type `{found}` and not `{expected}`"))
    }
}

fn refuses(vector: &Vector) -> Result<(), String> {
    match Expression::compile(&vector.expression, &environment(vector)) {
        Err(_) => Ok(()),
        Ok(expression) => Err(format!(
            "is accepted as `{}`, not refused with {}",
            expression.value_type(),
            vector.refusal.as_deref().unwrap_or_default()
        )),
    }
}

/// The folder with the vectors.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn folder() -> Option<PathBuf> {
    if let Some(folder) = env::var_os(FOLDER).filter(|folder| !folder.is_empty()) {
        return Some(Path::new(&folder).to_owned());
    }
    let reason = format!(
        "{FOLDER} is not set; run `scripts/cel-spec DIRECTORY` and set it to the directory"
    );
    assert!(env::var_os("CI").is_none(), "{reason}");
    eprintln!("skipped: {reason}");
    None
}

const FOLDER: &str = "NOOPS_CEL_SPEC";

const FILES: [&str; 3] = ["conformance.json", "checking.json", "parsing.json"];

/// Of the vectors in the declared subset.
const MIN_SHARE: f64 = 0.99;

/// So that a skip list that grows, or vectors that are not found, cannot pass for conformance.
const MIN_EVALUATED: usize = 1500;
const MIN_PARSED: usize = 1700;
const MIN_DEDUCED: usize = 1450;
const MIN_REFUSED: usize = 200;
