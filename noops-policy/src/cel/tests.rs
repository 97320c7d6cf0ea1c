use std::cmp::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::ast::{Arithmetic, Comparison, Kind, Literal, Node};
use super::{Condition, Truth, parser};
use crate::fact::{FactDecl, FactSchema, FactValue, Facts};

fn schema() -> FactSchema {
    FactSchema::new(vec![
        FactDecl::bool("flag.on"),
        FactDecl::bool("flag.off"),
        FactDecl::int("n"),
        FactDecl::int("count.k"),
        FactDecl::double("psi"),
        FactDecl::double("share").with_min(0.0).with_max(1.0),
        FactDecl::double("old").with_max_age(Duration::from_secs(1)),
        FactDecl::text("env"),
    ])
    .unwrap()
}

#[track_caller]
fn refused(source: &str, message: &str) {
    let error = Condition::compile(source, &schema()).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[track_caller]
fn is_refused(source: &str, part: &str) {
    let message = Condition::compile(source, &schema())
        .unwrap_err()
        .to_string();
    assert!(message.contains(part), "{message}");
    assert!(!message.contains('\n'), "{message}");
}

fn facts(values: &[(&str, FactValue)]) -> Facts {
    let mut facts = Facts::new(&schema());
    for (name, value) in values {
        facts
            .set(name, value.clone(), Timestamp::UNIX_EPOCH)
            .unwrap();
    }
    facts
}

#[track_caller]
fn check(source: &str, values: &[(&str, FactValue)], expected: Truth) {
    let condition = Condition::compile(source, &schema()).unwrap();
    let truth = condition
        .evaluate(&facts(values), Timestamp::UNIX_EPOCH)
        .truth();
    assert_eq!(truth, expected, "{source}");
}

#[test]
fn slips_are_refused_with_a_place_and_a_remedy() {
    refused(
        "psi > 0.2 &&\n  shar < 0.5",
        "at 2:3 of the condition: unknown fact `shar`; did you mean `share`?",
    );
    refused(
        "env == 1",
        "at 1:1 of the condition: `==` compares values of one type but `env` is text and `1` is int",
    );
    refused(
        "psi == 1.0",
        "at 1:1 of the condition: `==` on doubles depends on rounding; compare `psi` with `<=` or `>=`",
    );
    refused(
        "n",
        "at 1:1 of the condition: a condition takes bool but `n` is int",
    );
    refused(
        "flag.on && psi",
        "at 1:12 of the condition: `&&` takes bool but `psi` is double",
    );
    refused(
        "env < 'a'",
        "at 1:1 of the condition: `<` takes numbers but `env` is text",
    );
    refused(
        "psi % 2 > 1",
        "at 1:1 of the condition: `%` takes ints but `psi` is double",
    );
    refused(
        "n / 0 > 1",
        "at 1:5 of the condition: division by a literal zero is never a number",
    );
    refused(
        "n > 1 / (2 - 2)",
        "at 1:5 of the condition: arithmetic on constants has no result; it overflows or divides by zero",
    );
    refused(
        "psi in [1.0]",
        "at 1:1 of the condition: `in` takes int or text but `psi` is double",
    );
    refused(
        "n in ['a']",
        "at 1:7 of the condition: `in` looks for int but an item of the list is text",
    );
    refused(
        "(flag.on ? 1 : 2.0) > 1",
        "at 1:16 of the condition: the two results of `?` differ in type: int and double; make them one type",
    );
    refused(
        "size(env) > 1",
        "at 1:1 of the condition: unknown function `size`; only `has(fact)` is offered",
    );
    refused(
        "env[0] == 'a'",
        "at 1:4 of the condition: facts have no elements; name the fact by its dotted path",
    );
    refused(
        "env == null",
        "at 1:8 of the condition: there is no `null`; use `!has(fact)` for a fact that is not known",
    );
    refused(
        "n = 1",
        "at 1:3 of the condition: `=` is not an operator; use `==` to compare",
    );
    refused(
        "n > 1 n",
        "at 1:7 of the condition: expected the end of the condition but found `n`",
    );
    refused(
        "(n > 1",
        "at 1:7 of the condition: expected `)` but the condition ends",
    );
}

#[test]
fn conditions_that_never_change_are_refused() {
    refused(
        "false",
        "at 1:1 of the condition: `false` reads no fact and never changes; remove it",
    );
    refused(
        "flag.on || true",
        "at 1:12 of the condition: `true` reads no fact and never changes; remove it",
    );
    refused(
        "psi > 1 && 1 < 2",
        "at 1:12 of the condition: `1 < 2` reads no fact and never changes; remove it",
    );
    refused(
        "1 in [1, 2] || flag.on",
        "at 1:1 of the condition: `1 in [1, 2]` reads no fact and never changes; remove it",
    );
    refused(
        "share > 2.0",
        "at 1:1 of the condition: `share > 2.0` can never be true: `share` is declared within `0` and `1`",
    );
    refused(
        "-1 <= share",
        "at 1:1 of the condition: `-1 <= share` is always true: `share` is declared within `0` and `1`",
    );
    refused(
        "env in []",
        "at 1:1 of the condition: `env in []` can never be true: the list is empty",
    );
    assert!(Condition::compile("share >= 1.0", &schema()).is_ok());
    assert!(Condition::compile("share > 0", &schema()).is_ok());
}

#[test]
fn hostile_sources_are_refused_not_crashed_on() {
    is_refused("", "condition is empty");
    is_refused(" // only a comment", "condition is empty");
    is_refused(&"(".repeat(10_000), "tokens");
    is_refused(&"(".repeat(4_000), "nests more than 64 levels");
    is_refused(&"!".repeat(4_000), "nests more than 64 levels");
    is_refused(
        &format!("n{} > 1", "+1".repeat(20_000)),
        "longer than 16384 bytes",
    );
    is_refused(&format!("n{} > 1", "+1".repeat(3_000)), "tokens");
    is_refused(
        &format!("n{} > 1", "+1".repeat(1_000)),
        "nests more than 64 levels",
    );
    is_refused(
        &format!("{}flag.on", "flag.on ? flag.on : ".repeat(500)),
        "nests more than 64 levels",
    );
    is_refused("\0", "unexpected character `\\0`");
    is_refused("env == '\\ud800'", "escape in text is not a character");
    is_refused("env == '\\uZZZZ'", "escape in text is not a character");
    is_refused("env == '\\q'", "unknown escape in text");
    is_refused("env == '\\", "unknown escape in text");
    is_refused("env == 'a", "no closing quote");
    is_refused(
        "n > 9223372036854775808",
        "does not fit a 64-bit whole number",
    );
    is_refused(
        "n > -9223372036854775809",
        "does not fit a 64-bit whole number",
    );
    is_refused(
        "n > 99999999999999999999",
        "does not fit a 64-bit whole number",
    );
    is_refused("psi > 1e999", "does not fit a 64-bit double");
    is_refused("n > 12u", "no number suffixes");
    assert!(Condition::compile("n > -9223372036854775808", &schema()).is_ok());
}

#[test]
fn long_flat_conditions_are_fine() {
    let source = vec!["flag.on"; 1_000].join(" && ");
    check(&source, &[("flag.on", true.into())], Truth::True);
}

#[test]
fn unknowns_are_absorbed_as_kleene_says() {
    let off = [("flag.on", FactValue::from(false))];
    let on = [("flag.on", FactValue::from(true))];
    check("flag.on && psi > 1", &off, Truth::False);
    check("psi > 1 && flag.on", &off, Truth::False);
    check("flag.on && psi > 1", &on, Truth::Unknown);
    check("psi > 1 || flag.on", &on, Truth::True);
    check("!(psi > 1)", &on, Truth::Unknown);
    check("has(psi)", &on, Truth::False);
    check("!has(psi) && flag.on", &on, Truth::True);
    check("flag.on ? flag.on : psi > 1", &on, Truth::True);
}

#[test]
fn numbers_that_do_not_exist_are_unknown() {
    let zero = [("n", FactValue::from(0)), ("psi", FactValue::from(0.0))];
    check("1 / n > 0", &zero, Truth::Unknown);
    check("1 % n > 0", &zero, Truth::Unknown);
    check("1.0 / psi > 0", &zero, Truth::Unknown);
    check("psi / psi > 0", &zero, Truth::Unknown);
    check(
        "-n > 0",
        &[("n", FactValue::from(i64::MIN))],
        Truth::Unknown,
    );
    check(
        "n + 1 > 0",
        &[("n", FactValue::from(i64::MAX))],
        Truth::Unknown,
    );
    check(
        "psi * 10 > 0",
        &[("psi", FactValue::from(f64::MAX))],
        Truth::Unknown,
    );
    check(
        "!(psi > 14.4)",
        &[("psi", FactValue::from(f64::NAN))],
        Truth::Unknown,
    );
    check(
        "share < 0.5",
        &[("share", FactValue::from(-0.1))],
        Truth::Unknown,
    );
    let condition = Condition::compile("1 / n > count.k", &schema()).unwrap();
    let evaluation = condition.evaluate(&facts(&zero), Timestamp::UNIX_EPOCH);
    assert_eq!(evaluation.waiting_for(), ["count.k", "n"]);
}

#[test]
fn stale_facts_are_waited_for() {
    let condition = Condition::compile("old > 1.0", &schema()).unwrap();
    let facts = facts(&[("old", FactValue::from(2.0))]);
    let fresh = condition.evaluate(&facts, Timestamp::from_second(1).unwrap());
    assert_eq!(fresh.truth(), Truth::True);
    let stale = condition.evaluate(&facts, Timestamp::from_second(2).unwrap());
    assert_eq!(stale.truth(), Truth::Unknown);
    assert_eq!(stale.waiting_for(), ["old"]);
}

#[test]
fn operators_and_literals_mean_what_cel_says() {
    let values = [
        ("n", FactValue::from(7)),
        ("psi", FactValue::from(0.5)),
        ("env", FactValue::from("pr\"od\n")),
        ("flag.on", FactValue::from(true)),
    ];
    check("n + 2 * 3 == 13", &values, Truth::True);
    check("(n + 2) * 3 == 27", &values, Truth::True);
    check("n - 2 - 3 == 2", &values, Truth::True);
    check("-n / 2 == -3", &values, Truth::True);
    check("-n % 4 == -3", &values, Truth::True);
    check("n == 0x7", &values, Truth::True);
    check("psi < 1", &values, Truth::True);
    check("n > 6.5", &values, Truth::True);
    check("psi >= .5 && psi <= 5e-1", &values, Truth::True);
    check("env == 'pr\\\"od\\n'", &values, Truth::True);
    check("env in ['dev', \"pr\\x22od\\012\"]", &values, Truth::True);
    check("n in [-7, 7]", &values, Truth::True);
    check("flag.on == true", &values, Truth::True);
    check("flag.on != (n > 3)", &values, Truth::False);
    check("(flag.on ? n : 0) == 7", &values, Truth::True);
    check("n > 100 && flag.on || psi < 1", &values, Truth::True);
    check("!flag.on || flag.on // fine", &values, Truth::True);
}

#[test]
fn clauses_carry_operands_margins_and_who_blocks() {
    let condition =
        Condition::compile("flag.on && !(psi > 0.2) && (n > 5 || n < 1)", &schema()).unwrap();
    let values = facts(&[
        ("flag.on", FactValue::from(true)),
        ("psi", FactValue::from(0.7)),
        ("n", FactValue::from(3)),
    ]);
    let evaluation = condition.evaluate(&values, Timestamp::UNIX_EPOCH);
    assert_eq!(evaluation.truth(), Truth::False);
    let clauses = evaluation.clauses();
    let texts: Vec<&str> = clauses.iter().map(|clause| clause.text()).collect();
    assert_eq!(texts, ["flag.on", "psi > 0.2", "n > 5", "n < 1"]);
    assert_eq!(clauses[0].margin(), None);
    assert_eq!(clauses[1].left(), Some(0.7));
    assert_eq!(clauses[1].margin(), Some(0.7 - 0.2));
    assert_eq!(clauses[2].margin(), Some(-2.0));
    let blocking: Vec<bool> = clauses.iter().map(|clause| clause.is_blocking()).collect();
    assert_eq!(blocking, [false, true, false, false]);
}

/// The reference: a direct walk of the syntax tree, where `None` is unknown.
fn naive(node: &Node, facts: &Facts) -> Option<FactValue> {
    let truth = |node: &Node| match naive(node, facts) {
        Some(FactValue::Bool(value)) => Some(value),
        _ => None,
    };
    match &node.kind {
        Kind::Literal(Literal::Bool(value)) => Some(FactValue::Bool(*value)),
        Kind::Literal(Literal::Int(value)) => Some(FactValue::Int(*value)),
        Kind::Literal(Literal::Double(value)) => Some(FactValue::Double(*value)),
        Kind::Literal(Literal::Text(text)) => Some(FactValue::Text(text.clone())),
        Kind::Fact(name) => {
            let slot = facts.schema().slot(name).unwrap();
            facts.read(slot, Timestamp::UNIX_EPOCH).ok().cloned()
        }
        Kind::Has(name) => Some(FactValue::Bool(facts.entry(name).is_some())),
        Kind::Not(operand) => truth(operand).map(|value| FactValue::Bool(!value)),
        Kind::Negate(operand) => match naive(operand, facts)? {
            FactValue::Int(value) => value.checked_neg().map(FactValue::Int),
            FactValue::Double(value) => Some(FactValue::Double(-value)),
            _ => None,
        },
        Kind::And(operands) => {
            let values: Vec<Option<bool>> = operands.iter().map(truth).collect();
            if values.contains(&Some(false)) {
                return Some(FactValue::Bool(false));
            }
            values
                .iter()
                .all(|value| *value == Some(true))
                .then_some(FactValue::Bool(true))
        }
        Kind::Or(operands) => {
            let values: Vec<Option<bool>> = operands.iter().map(truth).collect();
            if values.contains(&Some(true)) {
                return Some(FactValue::Bool(true));
            }
            values
                .iter()
                .all(|value| *value == Some(false))
                .then_some(FactValue::Bool(false))
        }
        Kind::Select(condition, then, otherwise) => {
            if truth(condition)? {
                naive(then, facts)
            } else {
                naive(otherwise, facts)
            }
        }
        Kind::In(item, list) => {
            let item = naive(item, facts)?;
            Some(FactValue::Bool(list.iter().any(|(literal, _)| {
                match (literal, &item) {
                    (Literal::Int(a), FactValue::Int(b)) => a == b,
                    (Literal::Text(a), FactValue::Text(b)) => a == b,
                    _ => false,
                }
            })))
        }
        Kind::Arithmetic(operator, left, right) => {
            let (left, right) = (naive(left, facts)?, naive(right, facts)?);
            if let (FactValue::Int(a), FactValue::Int(b)) = (&left, &right) {
                let (a, b) = (i128::from(*a), i128::from(*b));
                let exact = match operator {
                    Arithmetic::Add => a + b,
                    Arithmetic::Subtract => a - b,
                    Arithmetic::Multiply => a * b,
                    Arithmetic::Divide => a.checked_div(b)?,
                    Arithmetic::Remainder => a.checked_rem(b)?,
                };
                return i64::try_from(exact).ok().map(FactValue::Int);
            }
            let (a, b) = (left.as_f64()?, right.as_f64()?);
            let result = match operator {
                Arithmetic::Add => a + b,
                Arithmetic::Subtract => a - b,
                Arithmetic::Multiply => a * b,
                Arithmetic::Divide => a / b,
                Arithmetic::Remainder => return None,
            };
            result.is_finite().then_some(FactValue::Double(result))
        }
        Kind::Compare(comparison, left, right) => {
            let (left, right) = (naive(left, facts)?, naive(right, facts)?);
            let ordering = match (&left, &right) {
                (FactValue::Int(a), FactValue::Int(b)) => a.cmp(b),
                (FactValue::Bool(a), FactValue::Bool(b)) => a.cmp(b),
                (FactValue::Text(a), FactValue::Text(b)) => a.cmp(b),
                // The generator keeps whole numbers small enough to be exact as doubles.
                _ => left.as_f64()?.partial_cmp(&right.as_f64()?)?,
            };
            Some(FactValue::Bool(match comparison {
                Comparison::Equal => ordering == Ordering::Equal,
                Comparison::NotEqual => ordering != Ordering::Equal,
                Comparison::Less => ordering == Ordering::Less,
                Comparison::LessOrEqual => ordering != Ordering::Greater,
                Comparison::Greater => ordering == Ordering::Greater,
                Comparison::GreaterOrEqual => ordering != Ordering::Less,
            }))
        }
    }
}

fn number() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("n".to_owned()),
        Just("count.k".to_owned()),
        Just("psi".to_owned()),
        (-3_i64..4).prop_map(|value| value.to_string()),
        (-3_i64..4).prop_map(|value| format!("{value}.5")),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (
                inner.clone(),
                prop::sample::select(vec!["+", "-", "*", "/", "%"]),
                inner.clone()
            )
                .prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            inner.prop_map(|a| format!("-({a})")),
        ]
    })
}

fn boolean() -> impl Strategy<Value = String> {
    let comparisons = vec!["<", "<=", ">", ">=", "==", "!="];
    let leaf = prop_oneof![
        Just("flag.on".to_owned()),
        Just("flag.off".to_owned()),
        Just("has(psi)".to_owned()),
        Just("env in ['a', 'b']".to_owned()),
        Just("n in [2, -1]".to_owned()),
        Just("env != 'a'".to_owned()),
        (number(), prop::sample::select(comparisons), number())
            .prop_map(|(a, comparison, b)| format!("{a} {comparison} {b}")),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("(({a}) ? ({b}) : ({c}))")),
        ]
    })
}

/// Each fact of the generator, set or missing.
fn known() -> impl Strategy<Value = Facts> {
    let int = || prop::option::of(-3_i64..4);
    let flag = || prop::option::of(any::<bool>());
    let text = prop::option::of(prop::sample::select(vec!["a", "b", "c"]));
    let double = prop::option::of((-6_i64..7).prop_map(|value| value as f64 / 2.0));
    (int(), int(), flag(), flag(), text, double).prop_map(|(n, k, on, off, env, psi)| {
        let mut values: Vec<(&str, FactValue)> = Vec::new();
        values.extend(n.map(|value| ("n", FactValue::from(value))));
        values.extend(k.map(|value| ("count.k", FactValue::from(value))));
        values.extend(on.map(|value| ("flag.on", FactValue::from(value))));
        values.extend(off.map(|value| ("flag.off", FactValue::from(value))));
        values.extend(env.map(|value| ("env", FactValue::from(value))));
        values.extend(psi.map(|value| ("psi", FactValue::from(value))));
        facts(&values)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_program_agrees_with_a_walk_of_the_tree(source in boolean(), facts in known()) {
        // The generator writes ill-typed and constant conditions too; refusing those is tested above.
        if let Ok(condition) = Condition::compile(&source, &schema()) {
            let tree = parser::parse(&source).unwrap();
            let expected = match naive(&tree, &facts) {
                Some(FactValue::Bool(value)) => Truth::from(value),
                _ => Truth::Unknown,
            };
            let evaluation = condition.evaluate(&facts, Timestamp::UNIX_EPOCH);
            prop_assert_eq!(evaluation.truth(), expected, "{}", source);
            prop_assert_eq!(evaluation.waiting_for().is_empty(), expected != Truth::Unknown);
        }
    }

    #[test]
    fn any_text_is_answered_with_a_condition_or_a_refusal(source in "\\PC{0,60}") {
        if let Err(error) = Condition::compile(&source, &schema()) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn token_soup_is_answered_with_a_condition_or_a_refusal(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "n", "psi", "flag.on", "(", ")", "&&", "||", "!", "-", "?", ":", "in", "[", "]", ",",
                "1", "2.5", "'a'", "has", ".", "==", "<", "true", "%",
            ]),
            0..40,
        )
    ) {
        let source = words.join(" ");
        if let Ok(condition) = Condition::compile(&source, &schema()) {
            let again = Condition::compile(condition.canonical(), &schema()).unwrap();
            let now = Timestamp::UNIX_EPOCH;
            let nothing = facts(&[]);
            prop_assert_eq!(
                again.evaluate(&nothing, now).truth(),
                condition.evaluate(&nothing, now).truth()
            );
        }
    }
}
