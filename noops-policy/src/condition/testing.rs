//! What the suites of the static analyses share: conditions from text, facts, and generated sources.

use proptest::prelude::*;

use crate::cel::checker::{Mode, check};
use crate::cel::environment::Environment;
use crate::cel::eval::{Arithmetic, Fuel, Stop, Variables, evaluate};
use crate::cel::parser::parse;
use crate::cel::typed::Typed;
use crate::cel::value::Value;
use crate::fact::{FactDecl, FactSchema, FactType};

/// Slots are in the order of the names: `a`, `env`, `flag`, `n`, `on`, `share`, `xs`.
pub(super) fn schema() -> FactSchema {
    FactSchema::new(vec![
        FactDecl::double("a"),
        FactDecl::text("env"),
        FactDecl::bool("flag"),
        FactDecl::int("n").with_min(-3.0).with_max(4.0),
        FactDecl::bool("on"),
        FactDecl::double("share").with_min(0.0).with_max(1.0),
        FactDecl::new("xs", FactType::Ints)
            .with_min(0.0)
            .with_max(9.0)
            .with_max_items(3),
    ])
    .unwrap()
}

pub(super) fn typed(source: &str) -> Typed {
    let environment = Environment::from_schema(&schema());
    check(&parse(source).unwrap(), source, &environment, Mode::Strict)
        .unwrap_or_else(|error| panic!("{source}: {error:?}"))
}

pub(super) struct Known(pub(super) Vec<Option<Value>>);

impl Variables for Known {
    fn value(&self, index: usize) -> Option<Value> {
        self.0.get(index).cloned().flatten()
    }
}

/// The truth of a condition and what it cost to find; none when it is unknown or an error.
pub(super) fn run(typed: &Typed, known: &Known) -> (Option<bool>, u64) {
    let mut fuel = Fuel::new(u64::MAX);
    let outcome: Result<Value, Stop> = evaluate(typed, known, &mut fuel, Arithmetic::Finite);
    let truth = match outcome {
        Ok(Value::Bool(truth)) => Some(truth),
        _ => None,
    };
    (truth, fuel.spent())
}

/// Facts on and around the thresholds that generated conditions use.
pub(super) fn completions() -> Vec<Known> {
    let lists: [&[i64]; 3] = [&[], &[0, 9], &[2, 3, 4]];
    let mut all = Vec::new();
    for a in [-2.0, 0.0, 0.5, 1.0, 2.5] {
        for share in [0.0, 0.5, 0.75, 1.0] {
            for n in [-3_i64, 0, 1, 2, 4] {
                for env in ["", "prod", "test"] {
                    for bits in 0..4_u8 {
                        let list = lists[usize::from(bits) % 3];
                        all.push(Known(vec![
                            Some(Value::Double(a)),
                            Some(Value::String(env.into())),
                            Some(Value::Bool(bits & 1 == 1)),
                            Some(Value::Int(n)),
                            Some(Value::Bool(bits & 2 == 2)),
                            Some(Value::Double(share)),
                            Some(Value::List(
                                list.iter().map(|item| Value::Int(*item)).collect(),
                            )),
                        ]));
                    }
                }
            }
        }
    }
    all
}

fn double() -> impl Strategy<Value = String> + Clone {
    let leaf = prop_oneof![
        3 => Just("a".to_owned()),
        3 => Just("share".to_owned()),
        1 => Just("double(n)".to_owned()),
        1 => prop::sample::select(vec!["-2.0", "0.0", "0.5", "0.75", "1.0", "2.5"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (
                inner.clone(),
                prop::sample::select(vec!["+", "-", "*", "/"]),
                inner.clone()
            )
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            inner.clone().prop_map(|operand| format!("(-{operand})")),
            inner
                .clone()
                .prop_map(|operand| format!("math.abs({operand})")),
            inner
                .clone()
                .prop_map(|operand| format!("math.floor({operand})")),
            (inner.clone(), inner.clone())
                .prop_map(|(left, right)| format!("math.greatest({left}, {right})")),
            (inner.clone(), inner).prop_map(|(left, right)| format!("(flag ? {left} : {right})")),
        ]
    })
}

fn whole() -> impl Strategy<Value = String> + Clone {
    let leaf = prop_oneof![
        3 => Just("n".to_owned()),
        1 => Just("size(xs)".to_owned()),
        1 => prop::sample::select(vec!["-3", "0", "1", "2", "4"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        (
            inner.clone(),
            prop::sample::select(vec!["+", "-", "*", "/", "%"]),
            inner,
        )
            .prop_map(|(left, operator, right)| format!("({left} {operator} {right})"))
    })
}

/// Conditions over the schema.
pub(super) fn condition() -> impl Strategy<Value = String> {
    let comparison = || prop::sample::select(vec!["<", "<=", ">", ">="]);
    let leaf = prop_oneof![
        1 => Just("flag".to_owned()),
        1 => Just("on".to_owned()),
        4 => (double(), comparison(), double()).prop_map(|(l, c, r)| format!("{l} {c} {r}")),
        3 => (whole(), comparison(), whole()).prop_map(|(l, c, r)| format!("{l} {c} {r}")),
        1 => (whole(), prop::sample::select(vec!["==", "!="]), whole())
            .prop_map(|(l, c, r)| format!("{l} {c} {r}")),
        2 => prop::sample::select(vec![
            "env == 'prod'",
            "env != 'prod'",
            "env in ['prod', 'test']",
            "env in ['']",
            "env < 'q'",
            "n in [1, 2]",
            "n in xs",
            "flag == on",
            "flag == true",
            "xs.exists(x, x > n)",
            "xs.all(x, x >= 0)",
            "has(n)",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|operand| format!("!({operand})")),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(") && ("))),
            prop::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(") || ("))),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(test, yes, no)| format!("(({test}) ? ({yes}) : ({no}))")),
        ]
        .prop_map(|source| format!("({source})"))
    })
}
