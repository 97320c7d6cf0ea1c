//! How binding a decision is, and that advisory policies bind nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use noops_core::Timestamp;
use noops_policy::{
    Action, Decision, Effect, Enforcement, FactDecl, FactSchema, Facts, PolicySet, RuleOutcome,
    Truth,
};
use proptest::prelude::*;

fn schema() -> FactSchema {
    FactSchema::new(vec![
        FactDecl::double("harm.max_e").with_min(0.0),
        FactDecl::int("harm.blocks").with_min(0.0),
        FactDecl::bool("freeze.on"),
    ])
    .unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn facts(max_e: Option<f64>, blocks: Option<i64>, freeze: Option<bool>) -> Facts {
    let mut facts = Facts::new(&schema());
    if let Some(value) = max_e {
        facts.set("harm.max_e", value, now()).unwrap();
    }
    if let Some(value) = blocks {
        facts.set("harm.blocks", value, now()).unwrap();
    }
    if let Some(value) = freeze {
        facts.set("freeze.on", value, now()).unwrap();
    }
    facts
}

/// A document; each rule is its effect and its condition.
fn document(name: &str, enforcement: Enforcement, rules: &[(&str, &str)]) -> String {
    let mut yaml = format!("policy: {name}\nowner: team\nenforcement: {enforcement}\nrules:\n");
    for (index, (effect, condition)) in rules.iter().enumerate() {
        yaml.push_str(&format!(
            "  - {{ name: r{index}, effect: {effect}, action: retrain, when: {condition}, because: a test }}\n"
        ));
    }
    yaml
}

fn load(documents: &[String]) -> PolicySet {
    let sources: Vec<(&str, &str)> = documents
        .iter()
        .map(|yaml| ("test.yaml", yaml.as_str()))
        .collect();
    PolicySet::load(&sources, &schema()).unwrap()
}

fn decide(documents: &[String], facts: &Facts) -> Decision {
    load(documents).decide(Action::Retrain, facts, now())
}

fn names(decision: &Decision) -> Vec<String> {
    decision
        .rules()
        .iter()
        .map(|rule| format!("{}/{}", rule.policy(), rule.rule()))
        .collect()
}

#[test]
fn an_advisory_prohibition_is_reported_and_does_not_block() {
    let documents = [
        document(
            "hard",
            Enforcement::HardMandatory,
            &[("trigger", "harm.blocks >= 7")],
        ),
        document("advice", Enforcement::Advisory, &[("forbid", "freeze.on")]),
    ];
    let decision = decide(&documents, &facts(None, Some(9), Some(true)));
    assert!(decision.is_allowed());
    assert_eq!(decision.enforcement(), Enforcement::HardMandatory);
    assert_eq!(names(&decision), ["hard/r0", "advice/r0"]);
    let advice: &RuleOutcome = &decision.rules()[1];
    assert_eq!(advice.enforcement(), Enforcement::Advisory);
    assert_eq!(advice.outcome(), Truth::True);
    assert_eq!(
        decision.explain(),
        "retrain allowed by `hard/r0` (trigger rule is true): `harm.blocks >= 7` is true (9 against 7); \
         because a test; advisory, and not counted, `advice/r0` (forbid rule is true): \
         `freeze.on` is true; because a test; it would be denied with `harm.blocks` from 9 to 6"
    );
}

#[test]
fn an_advisory_permit_or_trigger_opens_nothing() {
    let advice = document(
        "advice",
        Enforcement::Advisory,
        &[
            ("permit", "harm.blocks >= 1"),
            ("trigger", "harm.blocks >= 1"),
        ],
    );
    let known = facts(Some(1.0), Some(9), Some(false));
    let alone = decide(std::slice::from_ref(&advice), &known);
    assert_eq!(alone.effect(), &Effect::Deny);
    assert_eq!(alone.enforcement(), Enforcement::HardMandatory);
    assert_eq!(names(&alone), ["advice/r0", "advice/r1"]);
    let soft = document(
        "soft",
        Enforcement::SoftMandatory,
        &[("permit", "harm.max_e >= 20.0")],
    );
    let beside = decide(&[soft, advice], &known);
    assert_eq!(beside.effect(), &Effect::Deny);
    assert_eq!(beside.enforcement(), Enforcement::SoftMandatory);
}

#[test]
fn a_soft_prohibition_does_not_hide_a_hard_rule_that_also_stands_in_the_way() {
    let soft = document(
        "soft",
        Enforcement::SoftMandatory,
        &[("forbid", "freeze.on")],
    );
    let hard = |effect: &str| {
        document(
            "hard",
            Enforcement::HardMandatory,
            &[(effect, "harm.blocks >= 7")],
        )
    };
    let opening = document(
        "opening",
        Enforcement::SoftMandatory,
        &[("trigger", "harm.max_e >= 20.0")],
    );
    let enforced = |effect: &str, blocks: Option<i64>| {
        let documents = [soft.clone(), hard(effect), opening.clone()];
        let decision = decide(&documents, &facts(Some(30.0), blocks, Some(true)));
        assert_eq!(decision.effect(), &Effect::Deny);
        (decision.enforcement(), names(&decision))
    };
    let both = (
        Enforcement::HardMandatory,
        vec!["hard/r0".to_owned(), "soft/r0".to_owned()],
    );
    let only_soft = (Enforcement::SoftMandatory, vec!["soft/r0".to_owned()]);
    assert_eq!(enforced("permit", Some(3)), both);
    assert_eq!(enforced("permit", None), both);
    assert_eq!(enforced("permit", Some(9)), only_soft);
    assert_eq!(enforced("forbid", Some(9)), both);
    assert_eq!(enforced("forbid", None), both);
    assert_eq!(enforced("forbid", Some(3)), only_soft);
}

#[test]
fn waiting_is_as_binding_as_the_strictest_rule_that_waits() {
    let documents = [
        document(
            "soft",
            Enforcement::SoftMandatory,
            &[("trigger", "harm.max_e >= 20.0")],
        ),
        document(
            "hard",
            Enforcement::HardMandatory,
            &[("forbid", "freeze.on")],
        ),
    ];
    let waiting_for_both = decide(&documents, &facts(None, None, None));
    assert_eq!(
        waiting_for_both.effect(),
        &Effect::Unknown {
            waiting_for: vec!["freeze.on".to_owned(), "harm.max_e".to_owned()]
        }
    );
    assert_eq!(waiting_for_both.enforcement(), Enforcement::HardMandatory);
    let waiting_for_one = decide(&documents, &facts(None, None, Some(false)));
    assert_eq!(waiting_for_one.enforcement(), Enforcement::SoftMandatory);
    assert_eq!(names(&waiting_for_one), ["soft/r0"]);
}

#[test]
fn a_permission_is_as_binding_as_the_strictest_rule_that_allowed() {
    let documents = [
        document(
            "soft",
            Enforcement::SoftMandatory,
            &[("trigger", "harm.max_e >= 20.0")],
        ),
        document(
            "hard",
            Enforcement::HardMandatory,
            &[("trigger", "harm.blocks >= 7")],
        ),
    ];
    let by_both = decide(&documents, &facts(Some(30.0), Some(9), None));
    assert_eq!(by_both.enforcement(), Enforcement::HardMandatory);
    let by_one = decide(&documents, &facts(Some(30.0), Some(3), None));
    assert!(by_one.is_allowed());
    assert_eq!(by_one.enforcement(), Enforcement::SoftMandatory);
}

/// Rules picked from every effect and condition by their number, so that none repeats another.
fn rules(numbers: &BTreeSet<usize>) -> Vec<(&'static str, &'static str)> {
    EFFECTS
        .iter()
        .flat_map(|effect| {
            CONDITIONS
                .iter()
                .map(move |condition| (*effect, *condition))
        })
        .enumerate()
        .filter(|(number, _)| numbers.contains(number))
        .map(|(_, rule)| rule)
        .collect()
}

/// The rules of these numbers in documents of one enforcement. Rules that skip what is unknown have a document of their own,
/// for beside those that do not they would never matter.
fn drawn(name: &str, enforcement: Enforcement, numbers: &BTreeSet<usize>) -> Vec<String> {
    let (strict, skipping): (BTreeSet<usize>, BTreeSet<usize>) =
        numbers.iter().partition(|number| **number < 12);
    [
        (name.to_owned(), strict),
        (format!("{name}-skipping"), skipping),
    ]
    .into_iter()
    .filter(|(_, numbers)| !numbers.is_empty())
    .map(|(name, numbers)| document(&name, enforcement, &rules(&numbers)))
    .collect()
}

fn numbers() -> impl Strategy<Value = BTreeSet<usize>> {
    prop::collection::btree_set(0_usize..16, 0..7)
}

proptest! {
    #[test]
    fn an_advisory_document_never_changes_the_effect_nor_the_enforcement(
        hard in numbers(),
        soft in numbers(),
        advice in prop::collection::btree_set(0_usize..16, 1..7),
        name in prop::sample::select(vec!["a", "k", "z"]),
        max_e in prop::option::of(0.0_f64..40.0),
        blocks in prop::option::of(0_i64..14),
        freeze in prop::option::of(any::<bool>()),
    ) {
        let mut documents = drawn("hard", Enforcement::HardMandatory, &hard);
        documents.extend(drawn("soft", Enforcement::SoftMandatory, &soft));
        let known = facts(max_e, blocks, freeze);
        let before = load(&documents);
        documents.extend(drawn(name, Enforcement::Advisory, &advice));
        let after = load(&documents);
        let (without, with) = (
            before.decide(Action::Retrain, &known, now()),
            after.decide(Action::Retrain, &known, now()),
        );
        prop_assert_eq!(with.effect(), without.effect());
        prop_assert_eq!(with.enforcement(), without.enforcement());
        prop_assert!(with.enforcement() != Enforcement::Advisory);
        let (deciding, advisory) = with.rules().split_at(without.rules().len());
        prop_assert_eq!(deciding, without.rules());
        prop_assert_eq!(advisory.len(), advice.len());
        prop_assert!(advisory.iter().all(|rule| rule.enforcement() == Enforcement::Advisory));
        prop_assert_eq!(
            after.flip(Action::Retrain, &known, now()),
            before.flip(Action::Retrain, &known, now())
        );
    }
}

const EFFECTS: [&str; 4] = ["trigger", "permit", "forbid", "forbid, unknown: skip"];

const CONDITIONS: [&str; 4] = [
    "harm.blocks >= 7",
    "harm.blocks >= 3 && !freeze.on",
    "harm.max_e >= 20.0",
    "freeze.on",
];
