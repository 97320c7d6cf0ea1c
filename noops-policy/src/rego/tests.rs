use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::fact::{FactDecl, FactValue};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn schema() -> FactSchema {
    FactSchema::new(vec![
        FactDecl::double("drift.psi").with_min(0.0),
        FactDecl::int("n"),
        FactDecl::text("env"),
        FactDecl::bool("frozen"),
        FactDecl::duration("age").with_max_age(Duration::from_secs(60)),
        FactDecl::timestamp("trained"),
        FactDecl::new("tags", crate::fact::FactType::Texts),
    ])
    .unwrap()
}

fn facts(values: &[(&str, FactValue)]) -> Facts {
    let mut facts = Facts::new(&schema());
    for (name, value) in values {
        facts.set(name, value.clone(), NOW).unwrap();
    }
    facts
}

fn load(body: &str) -> Result<RegoPolicy, RegoError> {
    let source = format!("package gate\n{body}");
    RegoPolicy::load(&[("gate.rego", &source)], "data.gate.allow", &schema())
}

#[track_caller]
fn truth(body: &str, values: &[(&str, FactValue)]) -> Truth {
    let policy = load(body).unwrap();
    policy.evaluate(&facts(values), NOW).unwrap().truth()
}

#[track_caller]
fn refused(body: &str, message: &str) {
    assert_eq!(load(body).unwrap_err().to_string(), message);
}

// OPA issue 6109: the slip `input.identty` should be a compile error.
#[test]
fn a_slip_in_a_deny_rule_is_refused_instead_of_opening_the_gate() {
    let source = "package gate\ndefault deny := false\ndeny if input.drift.pssi > 0.2\n";
    let error = RegoPolicy::load(&[("gate.rego", source)], "data.gate.deny", &schema());
    assert_eq!(
        error.unwrap_err().to_string(),
        "`gate.rego`:3:9: unknown fact `drift.pssi`; did you mean `drift.psi`?"
    );
}

#[test]
fn a_default_does_not_decide_while_a_fact_is_missing() {
    let source = "package gate\ndefault deny := false\ndeny if input.drift.psi > 0.2\n";
    let policy = RegoPolicy::load(&[("gate.rego", source)], "data.gate.deny", &schema()).unwrap();
    let evaluation = policy.evaluate(&facts(&[]), NOW).unwrap();
    assert_eq!(evaluation.truth(), Truth::Unknown);
    assert_eq!(evaluation.waiting_for(), ["drift.psi"]);
    let invalid = facts(&[("drift.psi", f64::NAN.into())]);
    assert_eq!(
        policy.evaluate(&invalid, NOW).unwrap().truth(),
        Truth::Unknown
    );
    for (psi, expected) in [(0.1, Truth::False), (0.3, Truth::True)] {
        let known = facts(&[("drift.psi", psi.into())]);
        assert_eq!(policy.evaluate(&known, NOW).unwrap().truth(), expected);
    }
}

#[test]
fn negation_of_a_missing_fact_is_unknown() {
    let body = "allow if not input.drift.psi > 0.2";
    assert_eq!(truth(body, &[]), Truth::Unknown);
    assert_eq!(truth(body, &[("drift.psi", 0.1.into())]), Truth::True);
}

#[test]
fn a_stale_fact_is_unknown_in_every_rule_that_is_reached() {
    let body = "allow if not old\nold if input.age > 3600 * 1000000000\nother if input.n > 1";
    let policy = load(body).unwrap();
    assert_eq!(policy.facts(), ["age"]);
    let known = facts(&[("age", FactValue::Duration(SignedDuration::from_mins(5)))]);
    assert_eq!(policy.evaluate(&known, NOW).unwrap().truth(), Truth::True);
    let later = NOW + SignedDuration::from_secs(61);
    let evaluation = policy.evaluate(&known, later).unwrap();
    assert_eq!(evaluation.truth(), Truth::Unknown);
    assert_eq!(evaluation.waiting_for(), ["age"]);
}

#[test]
fn an_undefined_rule_is_unknown_and_one_with_a_default_is_false() {
    let psi = [("drift.psi", 0.1.into())];
    assert_eq!(
        truth("allow if input.drift.psi > 0.2", &psi),
        Truth::Unknown
    );
    let body = "default allow := false\nallow if input.drift.psi > 0.2";
    assert_eq!(truth(body, &psi), Truth::False);
}

#[test]
fn facts_keep_their_types() {
    let all = [
        ("drift.psi", 0.31.into()),
        ("n", i64::MAX.into()),
        ("env", "prod".into()),
        ("frozen", false.into()),
        (
            "age",
            FactValue::Duration(SignedDuration::from_millis(-1500)),
        ),
        ("trained", FactValue::Timestamp(Timestamp::MAX)),
        (
            "tags",
            FactValue::Texts(vec!["a".to_owned(), "b".to_owned()]),
        ),
    ];
    let body = "
allow if {
    input.drift.psi == 0.31
    input.n == 9223372036854775807
    input.env in {\"prod\", \"staging\"}
    input.frozen == false
    input.age == -1500000000
    input.trained == 253402207200999999999
    count(input.tags) == 2
    input.tags[1] == \"b\"
    some tag in input.tags
    tag == \"a\"
    every tag in input.tags { count(tag) == 1 }
}";
    assert_eq!(truth(body, &all), Truth::True);
}

#[test]
fn imports_functions_and_other_packages_are_followed() {
    let gate = "
package gate
import data.lib
import data.lib.small as tiny
import input.drift as d
default allow := false
allow if {
    lib.enough(input.n)
    tiny
    not d.psi > 1
}";
    let library = "
package lib
small if input.env == \"prod\"
enough(n) if n >= least
least := 1000 if not input.frozen
unrelated if input.tags[_] == \"x\"";
    let sources = [("gate.rego", gate), ("lib.rego", library)];
    let policy = RegoPolicy::load(&sources, "data.gate.allow", &schema()).unwrap();
    assert_eq!(policy.facts(), ["drift.psi", "env", "frozen", "n"]);
    let mut known = facts(&[
        ("drift.psi", 0.1.into()),
        ("n", 1000.into()),
        ("env", "prod".into()),
        ("frozen", false.into()),
    ]);
    assert_eq!(policy.evaluate(&known, NOW).unwrap().truth(), Truth::True);
    known.set("n", 999, NOW).unwrap();
    assert_eq!(policy.evaluate(&known, NOW).unwrap().truth(), Truth::False);

    let reversed = [("lib.rego", library), ("gate.rego", gate)];
    let same = RegoPolicy::load(&reversed, "data.gate.allow", &schema()).unwrap();
    assert_eq!(same.digest(), policy.digest());
}

#[test]
fn what_cannot_be_checked_is_refused() {
    refused(
        "allow if input[_] == 1",
        "`gate.rego`:2:10: fact below `input` is only known at run time; name it",
    );
    refused(
        "name := \"psi\"\nallow if input.drift[name] > 1",
        "`gate.rego`:3:10: fact below `input.drift` is only known at run time; name it",
    );
    refused(
        "allow if object.get(input, \"n\", 0) > 1",
        "`gate.rego`:2:21: `input` as a whole cannot be checked; name the facts that are read",
    );
    refused(
        "allow if {\n  d := input.drift\n  d.pssi > 1\n}",
        "`gate.rego`:3:8: `drift` is the beginning of facts and not a fact; name the fact",
    );
    refused(
        "allow if input.n.x > 1",
        "`gate.rego`:2:10: fact `n` is not a list and has nothing in it; stop at its name",
    );
    refused(
        "allow if input[\"drift.psi\"] > 1",
        "`gate.rego`:2:10: unknown fact `drift.psi`; did you mean `drift.psi`?",
    );
    refused(
        "import input.drft\nallow if true",
        "`gate.rego`:2:8: unknown fact `drft`; declare it in the fact schema",
    );
    refused(
        "allow if data.gate.alow",
        "`gate.rego`:2:10: no rule is at `data.gate.alow`; did you mean `data.gate.allow`?",
    );
    refused(
        "ok if input.n > 1\nallow if ok with input.n as 5",
        "`gate.rego`:3:13: `with` replaces facts; write the rule without it",
    );
}

#[test]
fn literal_brackets_are_paths() {
    let body = "allow if input[\"drift\"][`psi`] > 0.2";
    assert_eq!(truth(body, &[("drift.psi", 0.3.into())]), Truth::True);
}

#[test]
fn functions_that_read_more_than_facts_are_refused() {
    for name in [
        "time.now_ns()",
        "opa.runtime()",
        "rand.intn(\"a\", 5)",
        "http.send({})",
    ] {
        let error = load(&format!("allow if {name} == 1"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("reads more than the facts"), "{error}");
    }
    refused(
        "allow if numbers.range(1, 1000000000)[_] == 7",
        "`gate.rego`:2:10: function `numbers.range` is neither a rule of these sources nor one of the built-in functions that are allowed",
    );
}

#[test]
fn an_entry_point_without_a_rule_is_refused_with_the_nearest() {
    let sources = [("gate.rego", "package gate\nallow if input.n > 1")];
    let load = |path| {
        RegoPolicy::load(&sources, path, &schema())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        load("data.gate.alow"),
        "entry point `data.gate.alow`: no rule is at `data.gate.alow`; did you mean `data.gate.allow`?"
    );
    assert_eq!(
        load("gate.allow"),
        "entry point `gate.allow`: path must begin with `data.`, such as `data.promotion.allow`"
    );
}

#[test]
fn a_value_that_is_not_boolean_is_an_error() {
    let policy = load("allow := input.n + 1").unwrap();
    assert_eq!(
        policy
            .evaluate(&facts(&[("n", 1.into())]), NOW)
            .unwrap_err(),
        RegoError::NotBoolean {
            entrypoint: "data.gate.allow".to_owned(),
            found: "number".to_owned(),
        }
    );
}

#[test]
fn what_fails_is_an_error_even_where_not_would_make_it_true() {
    for failing in [
        "1 / (input.n - input.n) > 0",
        "input.env + 1 > 2",
        "lower(input.n) == \"a\"",
    ] {
        for body in [
            format!("allow if not {failing}"),
            format!("allow if not bad\nbad if {failing}"),
            format!("default bad := false\nallow if not bad\nbad if {failing}"),
        ] {
            let known = facts(&[("env", "prod".into()), ("n", 1.into())]);
            let policy = load(&body).unwrap();
            let evaluation = policy.evaluate(&known, NOW);
            assert!(
                matches!(evaluation, Err(RegoError::Evaluation { .. })),
                "{body}: {evaluation:?}"
            );
        }
    }
}

#[test]
fn an_evaluation_ends_at_the_limit_of_instructions() {
    let items: Vec<String> = (0..100).map(|item| item.to_string()).collect();
    let body = format!(
        "xs := [{}]\nallow if count([1 | some a in xs; some b in xs; some c in xs; a + b > c]) > input.n",
        items.join(", ")
    );
    let policy = load(&body).unwrap();
    let error = policy
        .evaluate(&facts(&[("n", 1.into())]), NOW)
        .unwrap_err();
    assert!(error.to_string().contains("instruction limit"), "{error}");
}

#[test]
fn a_source_that_does_not_parse_is_refused_with_its_place() {
    let error = load("allow if input.n >").unwrap_err();
    let RegoError::Source {
        source,
        at: Some(at),
        ..
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!((source.as_str(), at.line()), ("gate.rego", 2));
}

#[test]
fn hostile_sources_are_errors_on_a_small_stack() {
    let chains = [
        format!("allow if {}1 > 0", "1 +\n".repeat(4_000)),
        format!("allow if {}1 > 0", "1 +\n".repeat(512)),
        format!("allow if {}1 > 0", "1 *\n".repeat(511)),
        format!("allow if {}1", "1 <\n".repeat(500)),
        format!("allow if {}1{} > 0", "(".repeat(5_000), ")".repeat(5_000)),
        format!("allow if {}{} == 1", "[".repeat(5_000), "]".repeat(5_000)),
        format!("allow if {}true", "not ".repeat(3_000)),
        format!("allow if {}1 > 0", "-".repeat(900)),
        format!("allow if input{} > 0", ".a".repeat(500)),
        format!("allow if input.tags{} > 0", "[0]".repeat(330)),
        format!("allow if a{} > 0", "[f(0)]".repeat(160)),
        format!("allow if {} 1 {} > 0", "f(".repeat(400), ")".repeat(400)),
        format!("allow if true\n{}", "else if true\n".repeat(1_000)),
        format!("allow if {} in [1]", "1 in [1], \n".repeat(900)),
        format!("a{} := 1\nallow if true", ".b".repeat(500)),
        "\u{0}\u{ffff}package".repeat(500),
        String::new(),
        "x".repeat(100_000),
    ];
    std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(move || {
            for body in chains {
                assert!(load(&body).is_err(), "{}", &body[..body.len().min(40)]);
            }
        })
        .unwrap()
        .join()
        .unwrap();
}
