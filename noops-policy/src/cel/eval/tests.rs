use noops_stats::SplitMix64;

use super::*;
use crate::cel::checker::{self, Mode};
use crate::cel::environment::Environment;
use crate::cel::parser;
use crate::cel::types::Type;

mod bounds;

/// Variables `v0`, `v1`, …, none of which needs a value.
struct Slots(Vec<Option<Value>>);

impl Variables for Slots {
    fn value(&self, index: usize) -> Option<Value> {
        self.0.get(index).cloned().flatten()
    }
}

fn checked(source: &str, variables: usize) -> Typed {
    let environment = (0..variables).fold(Environment::new(), |environment, number| {
        environment.with_variable(format!("v{number}"), Type::Dyn)
    });
    let node = parser::parse(source).unwrap();
    checker::check(&node, source, &environment, Mode::Dynamic).unwrap()
}

fn run(source: &str, slots: &[Option<Value>]) -> Result<Value, Stop> {
    let typed = checked(source, slots.len());
    let mut fuel = Fuel::new(LIMIT);
    evaluate(&typed, &Slots(slots.to_vec()), &mut fuel, Arithmetic::Ieee)
}

fn unknown(slots: &[usize]) -> Result<Value, Stop> {
    Err(Stop::Unknown(slots.iter().copied().collect()))
}

fn kind(outcome: Result<Value, Stop>) -> Option<EvaluationErrorKind> {
    match outcome {
        Err(Stop::Error(error)) => Some(error.kind()),
        _ => None,
    }
}

#[test]
fn what_decides_absorbs_errors_and_unknowns_on_either_side() {
    for other in ["v0", "1 / 0 == 0", "v0 == 1 / 0", "3"] {
        for (source, value) in [
            (format!("false && ({other})"), false),
            (format!("({other}) && false"), false),
            (format!("true || ({other})"), true),
            (format!("({other}) || true"), true),
            (format!("[1, 2].exists(x, x == 2 || ({other}))"), true),
            (format!("[1, 2].exists(x, x == 1 || ({other}))"), true),
            (format!("[1, 2].all(x, x == 2 && ({other}))"), false),
            (format!("[1, 2].all(x, x == 1 && ({other}))"), false),
        ] {
            assert_eq!(run(&source, &[None]), Ok(Value::Bool(value)), "{source}");
        }
    }
}

#[test]
fn where_nothing_decides_unknown_comes_before_an_error() {
    for source in [
        "v0 && true",
        "true && v0",
        "v0 || 1 / 0 == 0",
        "1 / 0 == 0 || v0",
        "[1 / 0, v0]",
        "{'a': 1 / 0, 'b': v0}",
        "1 / 0 + v0",
        "!v0",
        "v0 ? 1 : 2",
        "v0.field",
        "has(v0.field)",
        "v0.all(x, x)",
        "[1, 0].map(x, 1 / x + v0)",
        "[1, 0].exists(x, 1 / x == 7 || v0)",
        "[1].filter(x, v0)",
        "[1].exists_one(x, v0)",
        "cel.bind(y, v0, y + 1)",
        "v0.size()",
    ] {
        assert_eq!(run(source, &[None]), unknown(&[0]), "{source}");
    }
    assert_eq!(
        run("v0 + v1 * v2", &[None, Some(Value::Int(1)), None]),
        unknown(&[0, 2])
    );
    assert_eq!(run("v0 && v1", &[None, None]), unknown(&[0, 1]));
    assert_eq!(run("true ? v0 : v1", &[None, None]), unknown(&[0]));
}

#[test]
fn has_asks_whether_a_variable_is_known_and_never_waits() {
    assert_eq!(run("has(v0)", &[None]), Ok(Value::Bool(false)));
    assert_eq!(run("has(v0)", &[Some(Value::Null)]), Ok(Value::Bool(true)));
    assert_eq!(run("has(v0) && v0 > 1", &[None]), Ok(Value::Bool(false)));
}

#[test]
fn a_binding_without_a_value_matters_only_once_it_is_read() {
    assert_eq!(
        run("cel.bind(x, 1 / 0, true || x == 1)", &[]),
        Ok(Value::Bool(true))
    );
    assert_eq!(run("cel.bind(x, v0, 3)", &[None]), Ok(Value::Int(3)));
    assert_eq!(
        kind(run("cel.bind(x, 1 / 0, x + 1)", &[])),
        Some(EvaluationErrorKind::DivisionByZero)
    );
}

#[test]
fn an_error_is_placed_at_the_part_that_failed() {
    let source = "1 + [1, 2][7]";
    let Err(Stop::Error(error)) = run(source, &[]) else {
        panic!("an index out of bounds has no value");
    };
    assert_eq!(error.kind(), EvaluationErrorKind::IndexOutOfBounds);
    assert_eq!(error.at(), Some(4));
    assert_eq!(error.to_string(), "there is no item `7` in a list of 2");
}

#[test]
fn only_finite_arithmetic_refuses_an_infinity() {
    for (source, symbol) in [
        ("1.0 / 0.0", "/"),
        ("1e308 * 10.0", "*"),
        ("math.sqrt(-1.0)", "math.sqrt"),
        ("double('NaN')", "double"),
    ] {
        let typed = checked(source, 0);
        let mut fuel = Fuel::new(LIMIT);
        let ieee = evaluate(&typed, &Slots(Vec::new()), &mut fuel, Arithmetic::Ieee);
        assert!(
            matches!(ieee, Ok(Value::Double(value)) if !value.is_finite()),
            "{source}"
        );
        let finite = evaluate(&typed, &Slots(Vec::new()), &mut fuel, Arithmetic::Finite);
        let Err(Stop::Error(error)) = finite else {
            panic!("{source} is not finite");
        };
        assert_eq!(error.kind(), EvaluationErrorKind::NotFinite);
        assert_eq!(
            error.to_string(),
            format!("`{symbol}` has no finite result")
        );
    }
}

/// Trees with every way to combine truth, over facts and errors; seeded, so that a failure stays.
#[test]
fn a_known_result_never_changes_when_an_unknown_becomes_known() {
    let mut random = SplitMix64(7);
    let mut known = 0;
    for _ in 0..400 {
        let source = condition(&mut random, 4);
        let typed = checked(&source, 4);
        let partly: Vec<Option<Value>> = (0..4)
            .map(|_| match random.below(3) {
                0 => None,
                value => Some(Value::Int(i64::try_from(value).unwrap() - 1)),
            })
            .collect();
        let outcome = |slots: Vec<Option<Value>>| {
            let mut fuel = Fuel::new(LIMIT);
            evaluate(&typed, &Slots(slots), &mut fuel, Arithmetic::Ieee)
        };
        let Ok(before) = outcome(partly.clone()) else {
            continue;
        };
        known += 1;
        for filling in 0..16_i64 {
            let full = (0..)
                .zip(partly.iter())
                .map(|(slot, value)| {
                    Some(value.clone().unwrap_or(Value::Int((filling >> slot) & 1)))
                })
                .collect();
            assert_eq!(
                outcome(full),
                Ok(before.clone()),
                "{source} {partly:?} {filling}"
            );
        }
    }
    assert!(known > 50, "only {known} of the results were known");
}

fn condition(random: &mut SplitMix64, depth: u64) -> String {
    let slot = random.below(4);
    if depth == 0 {
        return match random.below(4) {
            0 => format!("v{slot} == 1"),
            1 => format!("2 / v{slot} > 1"),
            2 => "true".to_owned(),
            _ => format!("v{slot} in [0, v{}]", random.below(4)),
        };
    }
    let left = condition(random, depth - 1);
    let right = condition(random, depth - 1);
    match random.below(8) {
        0 | 1 => format!("({left} && {right})"),
        2 | 3 => format!("({left} || {right})"),
        4 => format!("!({left})"),
        5 => format!("(v{slot} > 0 ? {left} : {right})"),
        6 => format!("[0, 1].all(x, x == v{slot} || {left})"),
        _ => format!("[0, 1].exists(x, x == v{slot} && {left} || {right})"),
    }
}

#[test]
fn comprehensions_over_two_variables_give_index_or_key() {
    for (source, expected) in [
        ("[7, 8].transformList(i, x, i * x)", "[0, 8]"),
        ("[7, 8].transformList(i, x, i > 0, x)", "[8]"),
        ("[7, 8].transformMap(i, x, x)", "{0: 7, 1: 8}"),
        (
            "{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 2)",
            r#"{"b": 4}"#,
        ),
        ("{'a': 1}.transformMapEntry(k, v, {v: k})", r#"{1: "a"}"#),
        ("{'a': 1}.all(k, v, k == 'a' && v == 1)", "true"),
        ("{'a': 1, 'b': 2}.map(k, k)", r#"["a", "b"]"#),
        ("{'a': 1, 'b': 2}.filter(k, k > 'a')", r#"["b"]"#),
        ("[1, 2, 2].exists_one(x, x == 2)", "false"),
        ("[1, 2, 3].map(x, x > 1, x * x)", "[4, 9]"),
    ] {
        assert_eq!(run(source, &[]).unwrap().to_string(), expected, "{source}");
    }
    assert_eq!(
        kind(run("[1, 2].transformMapEntry(i, x, {'same': x})", &[])),
        Some(EvaluationErrorKind::RepeatedKey)
    );
    assert_eq!(
        kind(run("dyn(3).all(x, true)", &[])),
        Some(EvaluationErrorKind::NoSuchOverload)
    );
}

const LIMIT: u64 = 1_000_000;
