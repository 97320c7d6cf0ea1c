use std::sync::Arc;

use noops_stats::SplitMix64;

use super::*;
use crate::cel::eval::{self, Arithmetic, EvaluationErrorKind, Fuel, Stop, Variables};
use crate::cel::map::Map;

/// Type soundness: what the checker accepts without `dyn` never meets a missing overload, and its value has the type that
/// was deduced.
#[test]
fn a_checked_expression_never_misses_an_overload() {
    let environment = Environment::new()
        .with_variable("i", Type::Int)
        .with_variable("u", Type::Uint)
        .with_variable("d", Type::Double)
        .with_variable("s", Type::String)
        .with_variable("b", Type::Bool)
        .with_variable("l", Type::list(Type::Int))
        .with_variable("m", Type::map(Type::String, Type::Double));
    let mut random = SplitMix64(6);
    let mut accepted = 0;
    for _ in 0..20_000 {
        let source = generate(&mut random, 3);
        let node = parse(&source).unwrap();
        assert!(
            check(&node, &source, &environment, Mode::Dynamic).is_ok(),
            "{source}"
        );
        let Ok(typed) = checked(&source, &environment) else {
            continue;
        };
        if mentions_dyn(&typed) {
            continue;
        }
        accepted += 1;
        let mut fuel = Fuel::new(1_000_000);
        match eval::evaluate(&typed, &Sample, &mut fuel, Arithmetic::Ieee) {
            Ok(value) => assert!(
                is_of(&value, &typed.value_type),
                "{source}: {value:?} is not {}",
                typed.value_type
            ),
            Err(Stop::Error(error)) => assert_ne!(
                error.kind(),
                EvaluationErrorKind::NoSuchOverload,
                "{source}: {error}"
            ),
            Err(Stop::Unknown(_)) => panic!("{source}: every variable is known"),
        }
    }
    // About a quarter of the sources that are put together at random is well typed and free of `dyn`.
    assert!(accepted > 4_000, "{accepted}");
}

struct Sample;

impl Variables for Sample {
    fn value(&self, index: usize) -> Option<Value> {
        let text = || Value::String(Arc::from("k"));
        [
            Value::Int(3),
            Value::Uint(4),
            Value::Double(0.5),
            text(),
            Value::Bool(true),
            Value::List(Arc::from([Value::Int(1), Value::Int(2)])),
            Value::from(Map::new(vec![(text(), Value::Double(1.5))]).ok()?),
        ]
        .get(index)
        .cloned()
    }
}

fn generate(random: &mut SplitMix64, depth: usize) -> String {
    const LEAVES: [&str; 12] = [
        "i", "u", "d", "s", "b", "l", "m", "1", "2u", "1.5", "'k'", "true",
    ];
    const SHAPES: [&str; 41] = [
        "(X + X)",
        "(X - X)",
        "(X * X)",
        "(X / X)",
        "(X % X)",
        "(X == X)",
        "(X != X)",
        "(X < X)",
        "(X >= X)",
        "(X in X)",
        "X[X]",
        "(X && X)",
        "(X || X)",
        "(X ? X : X)",
        "!X",
        "-(X)",
        "[X, X]",
        "{s: X}",
        "{i: X, 7: X}",
        "size(X)",
        "int(X)",
        "uint(X)",
        "double(X)",
        "string(X)",
        "X.contains(X)",
        "X.substring(X)",
        "X.split(X)",
        "X.replace(X, X)",
        "X.all(e, e == X)",
        "X.exists(e, X < e)",
        "X.map(e, [e])",
        "X.filter(e, e != X)",
        "X.all(k, v, k == v)",
        "X.transformMap(k, v, v)",
        "cel.bind(z, X, [z, z])",
        "math.greatest(X, X)",
        "math.abs(X)",
        "math.bitAnd(X, X)",
        "X.k",
        "strings.quote(X)",
        "math.sqrt(X)",
    ];
    if depth == 0 || random.unit() < 0.2 {
        return LEAVES[random.below(LEAVES.len())].to_owned();
    }
    let shape = SHAPES[random.below(SHAPES.len())];
    let mut source = String::new();
    for part in shape.split_inclusive('X') {
        match part.strip_suffix('X') {
            Some(before) => {
                source += before;
                source += &generate(random, depth - 1);
            }
            None => source += part,
        }
    }
    source
}

fn mentions_dyn(typed: &Typed) -> bool {
    typed.value_type.to_string().contains("dyn") || typed.parts().into_iter().any(mentions_dyn)
}

/// Whether the value has the type, all the way down.
fn is_of(value: &Value, expected: &Type) -> bool {
    match (value, expected) {
        (Value::List(items), Type::List(item)) => items.iter().all(|value| is_of(value, item)),
        (Value::Map(map), Type::Map(key, value)) => map
            .entries()
            .all(|(found_key, found)| is_of(found_key, key) && is_of(found, value)),
        (value, expected) => value.value_type() == *expected,
    }
}
