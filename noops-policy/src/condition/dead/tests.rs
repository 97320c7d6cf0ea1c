use proptest::prelude::*;

use super::*;
use crate::condition::testing::{completions, condition, run, schema, typed};

fn found(source: &str) -> Option<(usize, String)> {
    dead(&typed(source), source, &schema()).map(|dead| (dead.span.start, dead.problem))
}

#[track_caller]
fn is_dead(source: &str, at: usize, problem: &str) {
    assert_eq!(found(source), Some((at, problem.to_owned())), "{source}");
}

#[test]
fn parts_that_no_declared_range_can_change_are_dead() {
    is_dead(
        "share  > 2.0",
        0,
        "`share > 2.0` can never be true: `share` is declared within `0` and `1`",
    );
    is_dead(
        "flag && -1.0 <= share",
        8,
        "`-1.0 <= share` is always true: `share` is declared within `0` and `1`",
    );
    is_dead(
        "n * 2 > 8",
        0,
        "`n * 2 > 8` can never be true: `n` is declared within `-3` and `4`",
    );
    is_dead(
        "n in [5, 6]",
        0,
        "`n in [5, 6]` can never be true: `n` is declared within `-3` and `4`",
    );
    is_dead(
        "env in []",
        0,
        "`env in []` can never be true: the list is empty",
    );
    is_dead(
        "size(xs) > 3",
        0,
        "`size(xs) > 3` can never be true: `xs` is declared within `0` and `9`",
    );
    is_dead(
        "xs.exists(x, x > 9)",
        13,
        "`x > 9` can never be true: no value of its facts changes it",
    );
    is_dead(
        "a < a",
        0,
        "`a < a` can never be true: both sides are the same",
    );
}

#[test]
fn constants_are_dead_where_a_condition_stands() {
    is_dead(
        "true",
        0,
        "`true` reads no fact and never changes; remove it",
    );
    is_dead(
        "flag && 1 > 2",
        8,
        "`1 > 2` reads no fact and never changes; remove it",
    );
    is_dead(
        "n / 0 > 1",
        4,
        "division by a literal zero is never a number",
    );
    is_dead(
        "n > 1 / (2 - 2)",
        4,
        "arithmetic on constants has no result; it overflows or divides by zero",
    );
    for alive in [
        "flag == true",
        "flag ? false : on",
        "xs.exists(x, [1, 2].exists(y, y > x))",
    ] {
        assert_eq!(found(alive), None, "{alive}");
    }
}

#[test]
fn parts_that_the_parts_before_them_decide_are_dead() {
    is_dead(
        "a > 0.5 && a < 0.2",
        11,
        "`a < 0.2` can never be true: it matters only where earlier `a > 0.5` is true; change one of them",
    );
    is_dead(
        "a < 5.0 || a >= 5.0",
        11,
        "`a >= 5.0` is always true: it matters only where earlier `a < 5.0` is false; change one of them",
    );
    is_dead(
        "flag && on && !flag",
        14,
        "`!flag` can never be true: it matters only where earlier `flag` is true; change one of them",
    );
    is_dead(
        "a > 2.0 ? (a > 1.0 ? flag : on) : flag",
        11,
        "`a > 1.0` is always true: it matters only where earlier `a > 2.0` is true; change one of them",
    );
    is_dead(
        "env == 'prod' && env in ['test', 'dev']",
        17,
        "`env in ['test', 'dev']` can never be true: it matters only where earlier `env == 'prod'` is true; change one of them",
    );
    for dead in [
        "a < share && share < a",
        "a - share > 1.0 && flag && a - share <= 1.0",
        "env != 'prod' && env == 'prod'",
        "n in [1, 2] && n > 2",
        "flag == true && !flag",
        "xs.exists(x, x > 5 && x < 3)",
        "cel.bind(x, a, x > 1.0 && x < 0.0)",
        "(flag || on) && !flag && !on",
        "n > 3 && n != 4",
        "flag ? true : true",
    ] {
        assert!(found(dead).is_some(), "{dead}");
    }
}

#[test]
fn living_conditions_pass() {
    for alive in [
        "share > 0.0 && a < 0.2 && n >= 1",
        "share >= 1.0",
        "a > 0.2 && a > 0.1",
        "!(a > 14.4 && share > 0.4) && env in ['prod', 'test']",
        "has(a) && a > 3.0 || !has(a)",
        "n * n > 8",
        "1 / n > 0",
        "a / share > 3.0",
        "double(env) > 3.0 || double(env) <= 3.0",
    ] {
        assert_eq!(found(alive), None, "{alive}");
    }
}

#[test]
fn whole_numbers_beyond_the_doubles_are_compared_exactly() {
    let schema =
        FactSchema::new(vec![FactDecl::int("k").with_max(9_007_199_254_740_992.0)]).unwrap();
    let found = |source: &str| {
        let environment = crate::cel::environment::Environment::from_schema(&schema);
        let node = crate::cel::parser::parse(source).unwrap();
        let mode = crate::cel::checker::Mode::Strict;
        let typed = crate::cel::checker::check(&node, source, &environment, mode).unwrap();
        dead(&typed, source, &schema)
    };
    // As a double 9007199254740993 is 9007199254740992, so it passes for within the range.
    assert_eq!(found("k >= 9007199254740993"), None);
    assert!(found("k > 9007199254740994").is_some());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The one value of a dead part can stand for it wherever the condition is known.
    #[test]
    fn replacing_a_dead_part_never_changes_a_known_condition(source in condition()) {
        let whole = typed(&source);
        if let Some(dead) = dead(&whole, &source, &schema())
            && !dead.problem.contains("zero")
        {
            let part = &source[dead.span.start..dead.span.end];
            let values: &[&str] = if dead.problem.contains("always") {
                &["true"]
            } else if dead.problem.contains("never be true") {
                &["false"]
            } else {
                return Ok(());
            };
            for value in values {
                let replaced = format!(
                    "{}({value}){}",
                    &source[..dead.span.start],
                    &source[dead.span.end..]
                );
                let replaced = typed(&replaced);
                for known in completions() {
                    if let (Some(truth), _) = run(&whole, &known) {
                        prop_assert_eq!(run(&replaced, &known).0, Some(truth), "{} in {}", part, source);
                    }
                }
            }
        }
    }
}
