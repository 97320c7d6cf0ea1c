mod generator;
mod reference;

use std::time::Duration;

use jiff::Timestamp;

use super::{Condition, Truth};
use crate::fact::{FactDecl, FactSchema, FactValue, Facts};

fn schema() -> FactSchema {
    FactSchema::new(vec![
        FactDecl::bool("flag.on"),
        FactDecl::bool("flag.off"),
        FactDecl::int("n"),
        FactDecl::int("count.k"),
        FactDecl::double("psi"),
        FactDecl::double("rho"),
        FactDecl::double("share").with_min(0.0).with_max(1.0),
        FactDecl::double("old").with_max_age(Duration::from_secs(1)),
        FactDecl::text("env"),
        FactDecl::duration("lag"),
        FactDecl::timestamp("trained_at"),
        FactDecl::new("scores", crate::fact::FactType::Doubles).with_max_items(8),
        FactDecl::new("tags", crate::fact::FactType::Texts).with_max_items(8),
    ])
    .unwrap()
}

#[track_caller]
fn refused(source: &str, message: &str) {
    let error = Condition::compile(source, &schema()).unwrap_err();
    assert_eq!(error.to_string(), format!("at {message}"));
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
        "2:3 of the condition: unknown fact `shar`; did you mean `share`?",
    );
    refused(
        "psi == 1.0",
        "1:1 of the condition: `==` on doubles depends on rounding; compare `psi` with `<=` or `>=`",
    );
    for slip in [
        "psi + n > 1.0",
        "env == 1",
        "flag.on && psi",
        "psi % 2 > 1",
        "n in ['a']",
    ] {
        assert!(Condition::compile(slip, &schema()).is_err(), "{slip}");
    }
    is_refused("n", "takes bool");
    is_refused("sise(env) > 1", "did you mean `size`?");
    is_refused("n = 1", "use `==`");
    is_refused("n > 1 n", "1:7");
    is_refused("env.matches('(')", "1:13");
}

#[test]
fn conditions_that_never_change_are_refused() {
    refused(
        "false",
        "1:1 of the condition: `false` reads no fact and never changes; remove it",
    );
    is_refused("psi > 1 && 1 < 2", "`1 < 2` reads no fact");
    is_refused(
        "share > 2.0",
        "`share > 2.0` can never be true: `share` is declared within `0` and `1`",
    );
    is_refused("-1 <= share", "`-1 <= share` is always true");
    is_refused("env in []", "can never be true");
    is_refused("psi > 0.5 && psi < 0.2", "can never be true");
    is_refused("flag.on && !flag.on", "can never be true");
    assert!(Condition::compile("share >= 1.0", &schema()).is_ok());
    assert!(Condition::compile("share > 0", &schema()).is_ok());
}

#[test]
fn bounds_are_told_and_kept() {
    is_refused(&"(".repeat(4_000), "nests");
    is_refused(&format!("n{} > 1", "+1".repeat(20_000)), "16384 bytes");
    let many: Vec<String> = (0..65).map(|k| format!("n != {k}")).collect();
    is_refused(&many.join(" && "), "more than 64 clauses");
    let most: Vec<String> = (0..64).map(|k| format!("n != {k}")).collect();
    check(&most.join(" && "), &[("n", 64.into())], Truth::True);
    check(&most.join(" && "), &[("n", 63.into())], Truth::False);
    check(&most.join(" && "), &[], Truth::Unknown);
    is_refused(
        "scores.all(a, scores.all(b, scores.all(c, scores.all(d, scores.all(e, scores.all(f, a + b + c + d + e + f > 0.0))))))",
        "may cost",
    );
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
    check("-n > 0", &[("n", i64::MIN.into())], Truth::Unknown);
    check("n + 1 > 0", &[("n", i64::MAX.into())], Truth::Unknown);
    check(
        "psi * 10.0 > 0",
        &[("psi", f64::MAX.into())],
        Truth::Unknown,
    );
    check("!(psi > 14.4)", &[("psi", f64::NAN.into())], Truth::Unknown);
    check("share < 0.5", &[("share", (-0.1).into())], Truth::Unknown);
    let both = [("psi", f64::MAX.into()), ("rho", f64::MAX.into())];
    check("rho > psi * 10.0", &both, Truth::Unknown);
    let condition = Condition::compile("1 / n > count.k", &schema()).unwrap();
    let known = facts(&zero);
    let evaluation = condition.evaluate(&known, Timestamp::UNIX_EPOCH);
    assert_eq!(evaluation.waiting_for(), ["count.k"]);
    let known = facts(&[("n", 0.into()), ("count.k", 1.into())]);
    let evaluation = condition.evaluate(&known, Timestamp::UNIX_EPOCH);
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
fn facts_of_every_type_can_be_spoken_of() {
    let minutes = |minutes: i64| FactValue::from(jiff::SignedDuration::from_mins(minutes));
    check("lag < duration('1h')", &[("lag", minutes(59))], Truth::True);
    check(
        "lag < duration('1h')",
        &[("lag", minutes(60))],
        Truth::False,
    );
    let trained = [("trained_at", FactValue::from(Timestamp::UNIX_EPOCH))];
    check(
        "trained_at < timestamp('2020-01-01T00:00:00Z')",
        &trained,
        Truth::True,
    );
    check("trained_at.getFullYear() == 1970", &trained, Truth::True);
    let scores = [("scores", FactValue::from(vec![0.1, 0.9]))];
    check("scores.exists(s, s > 0.8)", &scores, Truth::True);
    check("scores.all(s, s > 0.8)", &scores, Truth::False);
    check("size(scores) == 2", &scores, Truth::True);
    let tags = [("tags", FactValue::from(vec!["eu".to_owned()]))];
    check(
        "'eu' in tags && !tags.exists(t, t.startsWith('us'))",
        &tags,
        Truth::True,
    );
    let nine = [("scores", FactValue::from(vec![0.5; 9]))];
    check("size(scores) > 2", &nine, Truth::Unknown);
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
    check("-n / 2 == -3", &values, Truth::True);
    check("-n % 4 == -3", &values, Truth::True);
    check("n == 0x7", &values, Truth::True);
    check("psi < 1", &values, Truth::True);
    check("n > 6.5", &values, Truth::True);
    check("psi >= .5 && psi <= 5e-1", &values, Truth::True);
    check("env == 'pr\\\"od\\n'", &values, Truth::True);
    check("env in ['dev', \"pr\\x22od\\012\"]", &values, Truth::True);
    check("env != 'dev'", &values, Truth::True);
    check("n in [-7, 7]", &values, Truth::True);
    check("flag.on == true", &values, Truth::True);
    check("flag.on != (n > 3)", &values, Truth::False);
    check("(flag.on ? n : 0) == 7", &values, Truth::True);
    check("n > 100 && flag.on || psi < 1", &values, Truth::True);
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
    assert_eq!(evaluation.deciding().unwrap().text(), "psi > 0.2");
}

#[track_caller]
fn leaves(source: &str, values: &[(&str, FactValue)], residual: &str) {
    let condition = Condition::compile(source, &schema()).unwrap();
    let known = facts(values);
    let evaluation = condition.evaluate(&known, Timestamp::UNIX_EPOCH);
    assert_eq!(evaluation.residual().as_deref(), Some(residual), "{source}");
}

#[test]
fn the_residual_is_what_is_left_to_be_known() {
    let on = [("flag.on", FactValue::from(true))];
    leaves("flag.on && psi > 1", &on, "psi > 1");
    leaves("flag.on && (psi > 1 || n > 2)", &on, "psi > 1 || n > 2");
    leaves(
        "n > 9 && flag.on && (psi > 1 || count.k > 2)",
        &on,
        "n > 9 && (psi > 1 || count.k > 2)",
    );
    leaves("!(flag.on && psi > 1)", &on, "!(psi > 1)");
    leaves("!flag.off && flag.on", &on, "!flag.off");
    leaves("flag.on ? psi > 1 : n > 2", &on, "psi > 1");
    leaves(
        "(flag.off ? flag.on : n > 2) && flag.on",
        &on,
        "flag.off ? true : n > 2",
    );
    leaves(
        "(flag.off ? flag.on : n > 2) && psi > 1",
        &on,
        "(flag.off ? true : n > 2) && psi > 1",
    );
}

#[test]
fn a_local_never_takes_the_name_of_a_fact() {
    is_refused(
        "scores.all(n, n < 1.0)",
        "`n` is the name of a fact as well",
    );
    is_refused(
        "scores.exists(flag, flag > 1.0)",
        "`flag` is the name of a fact as well",
    );
    is_refused(
        "cel.bind(env, 1, n > env)",
        "`env` is the name of a fact as well",
    );
}

#[test]
fn parts_that_meet_elsewhere_are_told_apart() {
    let canonical = |a: &str, b: &str| {
        let mut surroundings = super::Surroundings::default();
        surroundings.define("a", a).unwrap();
        surroundings.define("b", b).unwrap();
        let condition =
            Condition::compile_in("variables.a > variables.b", &schema(), &surroundings).unwrap();
        condition.canonical().to_owned()
    };
    assert_ne!(
        canonical("n", "- count.k - 1"),
        canonical("n - count.k", "- 1")
    );
    assert_eq!(
        canonical("n", "- count.k - 1"),
        canonical(" n ", "-count.k-1")
    );
}

#[test]
fn variables_of_variables_stay_bounded() {
    let mut surroundings = super::Surroundings::default();
    surroundings
        .define("v0", &format!("size('{}')", "a".repeat(10_000)))
        .unwrap();
    for step in 1..10 {
        let before = step - 1;
        let source = format!("variables.v{before} + variables.v{before}");
        surroundings.define(&format!("v{step}"), &source).unwrap();
    }
    let error = Condition::compile_in("n > variables.v9", &schema(), &surroundings).unwrap_err();
    assert!(error.to_string().contains("too large"), "{error}");
}
