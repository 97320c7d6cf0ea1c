//! Documents through the public API: loading, refusing, deciding, explaining, flipping.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use noops_core::Timestamp;
use noops_policy::{
    Action, Decision, Effect, Enforcement, FactDecl, FactSchema, FactValue, Facts, PolicySet,
};
use proptest::prelude::*;

fn schema() -> FactSchema {
    FactSchema::new(vec![
        FactDecl::double("harm.max_e").with_min(0.0),
        FactDecl::int("harm.blocks").with_min(0.0),
        FactDecl::double("drift.psi")
            .with_min(0.0)
            .with_max_age(Duration::from_secs(3600)),
        FactDecl::bool("freeze.on"),
    ])
    .unwrap()
}

const RETRAIN: &str = "
policy: retrain-on-harm
owner: ml-platform
runbook: https://example.com/retrain
enforcement: hard-mandatory
rules:
  - name: harmed
    effect: trigger
    action: retrain
    when: harm.max_e >= 20.0 && harm.blocks >= 7
    because: labels show predictions off by more than the tolerance
  - name: frozen
    effect: forbid
    action: retrain
    when: freeze.on
    because: nothing changes during a freeze
tests:
  - name: harm retrains
    facts: { harm.max_e: 25, harm.blocks: 9, freeze.on: false }
    expect: { retrain: allow }
  - name: a freeze stops it
    facts: { harm.max_e: 25.0, harm.blocks: 9, freeze.on: true }
    expect: { retrain: deny }
  - name: without the freeze fact it waits
    facts: { harm.max_e: 25.0, harm.blocks: 9 }
    expect: { retrain: unknown, promote: deny }
";

fn policies() -> PolicySet {
    PolicySet::load(&[("retrain.yaml", RETRAIN)], &schema()).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn facts(max_e: f64, blocks: i64, freeze: Option<bool>) -> Facts {
    let mut facts = Facts::new(&schema());
    facts.set("harm.max_e", max_e, now()).unwrap();
    facts.set("harm.blocks", blocks, now()).unwrap();
    if let Some(freeze) = freeze {
        facts.set("freeze.on", freeze, now()).unwrap();
    }
    facts
}

#[track_caller]
fn refused(from: &str, to: &str, message: &str) {
    assert!(RETRAIN.contains(from), "the document has no `{from}`");
    let yaml = RETRAIN.replacen(from, to, 1);
    let error = PolicySet::load(&[("p.yaml", &yaml)], &schema()).unwrap_err();
    let shown = error.to_string();
    assert!(shown.contains(message), "{shown}");
    assert!(!shown.contains('\n'), "{shown}");
}

#[test]
fn documents_with_a_slip_are_refused_with_its_place() {
    refused(
        "harm.max_e >= 20.0",
        "harm.max_ee >= 20.0",
        "`p.yaml`:10:11: rule `harmed`: unknown fact `harm.max_ee`; did you mean `harm.max_e`?",
    );
    refused(
        "action: retrain",
        "action: retrian",
        "unknown action `retrian`; did you mean `retrain`?",
    );
    refused(
        "name: frozen",
        "name: harmed",
        "rule `harmed` is there twice; rename one of them",
    );
    refused(
        "owner: ml-platform",
        "owner: ''",
        "`owner` is empty; say who answers for the policy",
    );
    refused("owner:", "owners:", "owners");
    refused("effect: trigger", "effect: wish", "wish");
    refused(
        "facts: { harm.max_e",
        "facts: { harm.max",
        "test `harm retrains`: unknown fact `harm.max`",
    );
    refused(
        "{ retrain: allow }",
        "{ retrian: allow }",
        "test `harm retrains`: unknown action `retrian`",
    );
    refused(
        "{ retrain: allow }",
        "{}",
        "`expect` is empty; say what an action comes to",
    );
    refused(
        "    because: labels",
        "    unknown: deny\n    because: labels",
        "`unknown: deny` is for `forbid` only; a trigger opens nothing while it is unknown",
    );
    refused(
        "effect: forbid\n    action: retrain\n    when: freeze.on",
        "effect: trigger\n    action: retrain\n    when: harm.max_e>=20.0   &&   harm.blocks>=7",
        "rule `frozen` repeats rule `retrain-on-harm/harmed`; remove it",
    );
}

#[test]
fn a_policy_loaded_twice_is_refused() {
    let error = PolicySet::load(&[("a", RETRAIN), ("b", RETRAIN)], &schema()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`b`: policy `retrain-on-harm` is there twice; rename one of them"
    );
}

const HOLIDAY: &str = "
policy: holiday
owner: ml-platform
enforcement: soft-mandatory
rules:
  - name: drifted
    effect: trigger
    action: retrain
    when: drift.psi > 0.2
    because: inputs moved
  - name: calm
    effect: forbid
    action: retrain
    when: harm.max_e < 1.0
    because: nobody is harmed
";

#[test]
fn the_order_of_the_sources_does_not_matter() {
    let sources = [("retrain.yaml", RETRAIN), ("holiday.yaml", HOLIDAY)];
    let permuted = [sources[1], sources[0]];
    let one = PolicySet::load(&sources, &schema()).unwrap();
    let two = PolicySet::load(&permuted, &schema()).unwrap();
    assert_eq!(one, two);
    assert_eq!(one.digest(), two.digest());
    for known in [
        facts(31.2, 9, Some(true)),
        facts(0.5, 3, Some(true)),
        facts(31.2, 9, None),
        Facts::new(&schema()),
    ] {
        let decision = one.decide(Action::Retrain, &known, now());
        assert_eq!(two.decide(Action::Retrain, &known, now()), decision);
    }
}

#[test]
fn a_repeated_rule_is_refused_across_documents_of_one_enforcement() {
    let copy = RETRAIN.replacen("retrain-on-harm", "a-copy", 1);
    let error = PolicySet::load(&[("a", RETRAIN), ("b", &copy)], &schema()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`a`:7:11: rule `harmed` repeats rule `a-copy/harmed`; remove it"
    );
    // An advisory copy binds nothing, so it cannot stand for the mandatory rule.
    let advisory = copy.replacen("hard-mandatory", "advisory", 1);
    assert!(PolicySet::load(&[("a", RETRAIN), ("b", &advisory)], &schema()).is_ok());
}

#[test]
fn more_than_a_thousand_rules_over_all_documents_are_refused() {
    let document = |name: &str, thresholds: std::ops::RangeInclusive<u32>| {
        let mut yaml = format!("policy: {name}\nowner: team\nenforcement: advisory\nrules:\n");
        for least in thresholds {
            yaml.push_str(&format!(
                "  - {{ name: r{least}, effect: permit, action: retrain, when: harm.blocks == {least}, because: a test }}\n"
            ));
        }
        yaml
    };
    let first = document("first", 1..=600);
    let full = document("second", 601..=1000);
    let over = document("second", 601..=1001);
    assert!(PolicySet::load(&[("a", &first), ("b", &full)], &schema()).is_ok());
    let error = PolicySet::load(&[("a", &first), ("b", &over)], &schema()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`b`:5:3: there are more than `1000` rules over all documents; merge some of them"
    );
}

#[test]
fn documents_test_themselves() {
    assert!(policies().run_tests().is_empty());
    let wrong = RETRAIN.replacen("{ retrain: allow }", "{ retrain: deny }", 1);
    let failures = PolicySet::load(&[("p", &wrong)], &schema())
        .unwrap()
        .run_tests();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].test(), "harm retrains");
    assert!(failures[0].to_string().starts_with(
        "test `harm retrains` of `retrain-on-harm` expected deny but: retrain allowed by"
    ));
}

#[test]
fn decisions_explain_themselves_in_the_same_words_each_time() {
    let decision = policies().decide(Action::Retrain, &facts(31.2, 9, Some(false)), now());
    assert_eq!(
        decision.explain(),
        "retrain allowed by `retrain-on-harm/harmed` (trigger rule is true): \
         `harm.max_e >= 20.0` is true (31.2 against 20), `harm.blocks >= 7` is true (9 against 7); \
         because labels show predictions off by more than the tolerance; \
         it would be denied with `harm.blocks` from 9 to 6"
    );
    assert_eq!(decision.enforcement(), Enforcement::HardMandatory);
    let json = serde_json::to_string(&decision).unwrap();
    let back: Decision = serde_json::from_str(&json).unwrap();
    assert_eq!(back, decision);
    let again = policies().decide(Action::Retrain, &facts(31.2, 9, Some(false)), now());
    assert_eq!(serde_json::to_string(&again).unwrap(), json);
}

#[test]
fn denials_show_the_clauses_that_block() {
    let decision = policies().decide(Action::Retrain, &facts(31.2, 3, Some(false)), now());
    assert_eq!(decision.effect(), &Effect::Deny);
    let blocking: Vec<&str> = decision.rules()[0]
        .blocking()
        .map(|clause| clause.text())
        .collect();
    assert_eq!(blocking, ["harm.blocks >= 7"]);
    assert!(
        decision
            .explain()
            .contains("`harm.blocks >= 7` is false (3 against 7)")
    );
    assert!(!decision.explain().contains("harm.max_e"));
}

#[test]
fn an_unknown_prohibition_blocks_unless_it_says_skip() {
    let decision = policies().decide(Action::Retrain, &facts(31.2, 9, None), now());
    assert_eq!(
        decision.effect(),
        &Effect::Unknown {
            waiting_for: vec!["freeze.on".to_owned()]
        }
    );
    assert!(
        decision
            .explain()
            .starts_with("retrain waiting for `freeze.on` by")
    );
    let skipping = RETRAIN.replacen("when: freeze.on", "when: freeze.on\n    unknown: skip", 1);
    let policies = PolicySet::load(&[("p", &skipping)], &schema()).unwrap();
    assert!(
        policies
            .decide(Action::Retrain, &facts(31.2, 9, None), now())
            .is_allowed()
    );
    assert!(
        !policies
            .decide(Action::Retrain, &facts(31.2, 9, Some(true)), now())
            .is_allowed()
    );
}

#[test]
fn what_no_rule_speaks_for_is_denied() {
    let decision = policies().decide(Action::Promote, &facts(31.2, 9, Some(false)), now());
    assert_eq!(decision.effect(), &Effect::Deny);
    assert_eq!(
        decision.explain(),
        "promote denied: no trigger or permit rule speaks for it"
    );
    let forbid_only = RETRAIN.replacen(
        "action: retrain\n    when: freeze.on",
        "action: promote\n    when: freeze.on",
        1,
    );
    let policies = PolicySet::load(&[("p", &forbid_only)], &schema()).unwrap();
    let decision = policies.decide(Action::Promote, &facts(31.2, 9, Some(false)), now());
    assert_eq!(decision.effect(), &Effect::Deny);
}

#[test]
fn the_digest_sees_the_rules_and_not_their_layout() {
    let spaced = RETRAIN
        .replacen("harm.max_e >= 20.0 &&", "harm.max_e>=20.0   &&", 1)
        .replacen("policy:", "# a comment\npolicy:", 1);
    let same = PolicySet::load(&[("other.yaml", &spaced)], &schema()).unwrap();
    assert_eq!(same.digest(), policies().digest());
    let stricter = RETRAIN.replacen("20.0", "21.0", 1);
    let other = PolicySet::load(&[("retrain.yaml", &stricter)], &schema()).unwrap();
    assert_ne!(other.digest(), policies().digest());
}

#[test]
fn a_flip_is_the_least_change_that_allows_or_denies() {
    let policies = policies();
    let flip = |facts: &Facts| {
        let flip = policies.flip(Action::Retrain, facts, now());
        flip.map(|flip| flip.to_string())
    };
    let shown = |text: &str| Some(text.to_owned());
    assert_eq!(
        flip(&facts(31.2, 3, Some(false))),
        shown("`harm.blocks` from 3 to 7")
    );
    assert_eq!(
        flip(&facts(1.0, 3, Some(false))),
        shown("`harm.blocks` from 3 to 7 and `harm.max_e` from 1 to 20")
    );
    assert_eq!(
        flip(&facts(31.2, 9, Some(true))),
        shown("`freeze.on` from true to false")
    );
    assert_eq!(
        flip(&facts(31.2, 9, Some(false))),
        shown("`harm.blocks` from 9 to 6")
    );
    // What is unknown waits for facts, and not for another value of those that are known.
    assert_eq!(flip(&facts(31.2, 9, None)), None);
    let change = policies
        .flip(Action::Retrain, &facts(31.2, 3, Some(false)), now())
        .unwrap()
        .changes()[0]
        .clone();
    assert_eq!(change.fact(), "harm.blocks");
    assert_eq!(
        (change.from(), change.to()),
        (&FactValue::Int(3), &FactValue::Int(7))
    );
}

proptest! {
    #[test]
    fn a_flip_always_leads_to_the_other_effect(
        max_e in 0.0_f64..40.0,
        blocks in 0_i64..14,
        freeze in any::<bool>(),
    ) {
        let policies = policies();
        let mut facts = facts(max_e, blocks, Some(freeze));
        let before = policies.decide(Action::Retrain, &facts, now());
        let flip = policies.flip(Action::Retrain, &facts, now());
        prop_assert_eq!(before.flip(), flip.as_ref());
        // Every clause compares a fact of its own with a literal, so that there always is one.
        let flip = flip.unwrap();
        for change in flip.changes() {
            facts.set(change.fact(), change.to().clone(), now()).unwrap();
        }
        let after = policies.decide(Action::Retrain, &facts, now());
        prop_assert_eq!(after.is_allowed(), !before.is_allowed());
        prop_assert!(matches!(after.effect(), Effect::Allow | Effect::Deny));
    }

    #[test]
    fn a_known_decision_stands_however_the_unknown_facts_turn_out(
        max_e in prop::option::of(0.0_f64..40.0),
        blocks in prop::option::of(0_i64..14),
        freeze in prop::option::of(any::<bool>()),
        later in (0.0_f64..40.0, 0_i64..14, any::<bool>()),
    ) {
        let policies = policies();
        let mut known = Facts::new(&schema());
        if let Some(value) = max_e {
            known.set("harm.max_e", value, now()).unwrap();
        }
        if let Some(value) = blocks {
            known.set("harm.blocks", value, now()).unwrap();
        }
        if let Some(value) = freeze {
            known.set("freeze.on", value, now()).unwrap();
        }
        let before = policies.decide(Action::Retrain, &known, now());
        let all = facts(max_e.unwrap_or(later.0), blocks.unwrap_or(later.1), Some(freeze.unwrap_or(later.2)));
        let after = policies.decide(Action::Retrain, &all, now());
        match before.effect() {
            Effect::Unknown { waiting_for } => prop_assert!(!waiting_for.is_empty()),
            effect => prop_assert_eq!(effect, after.effect()),
        }
    }
}
