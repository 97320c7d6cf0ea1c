use jiff::Timestamp;

use super::{Backtest, BacktestError, BacktestReport, ChangeKind, EffectKind, History, Moment};
use crate::action::Action;
use crate::fact::{FactDecl, FactSchema, Facts};
use crate::set::PolicySet;

fn schema() -> FactSchema {
    FactSchema::new(vec![
        FactDecl::double("drift.psi").with_min(0.0),
        FactDecl::int("replicas").with_min(1.0).with_max(100.0),
        FactDecl::bool("freeze.on"),
        FactDecl::text("note"),
    ])
    .unwrap()
}

const OLD: &str = "
policy: drift
owner: team
enforcement: hard-mandatory
rules:
  - { name: far, effect: trigger, action: retrain, when: drift.psi > 0.2, because: inputs moved }
  - { name: frozen, effect: forbid, action: retrain, when: freeze.on, because: nothing changes in a freeze }
  - name: busy
    effect: trigger
    action: scale
    when: drift.psi > 0.5
    with: { replicas: replicas + 1 }
    because: the fallback needs room
";

fn set(yaml: &str) -> PolicySet {
    PolicySet::load(&[("policy.yaml", yaml)], &schema()).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn moment(second: i64, psi: f64, freeze: Option<bool>) -> Moment {
    let mut facts = Facts::new(&schema());
    facts.set("drift.psi", psi, at(second)).unwrap();
    facts.set("replicas", 3, at(second)).unwrap();
    if let Some(freeze) = freeze {
        facts.set("freeze.on", freeze, at(second)).unwrap();
    }
    Moment::new(at(second), facts)
}

fn compared(new: &str, history: Vec<Moment>) -> BacktestReport {
    let (old, new) = (set(OLD), set(new));
    Backtest::run(&old, &new, history.into_iter().map(Ok)).unwrap()
}

#[test]
fn policies_beside_themselves_change_nothing() {
    let history: Vec<Moment> = (0..50)
        .map(|second| moment(second, 0.01 * second as f64, Some(second % 3 == 0)))
        .collect();
    let report = compared(OLD, history);
    assert_eq!(report.moments(), 50);
    assert_eq!(report.decisions(), 100);
    assert_eq!(report.changed(), 0);
    assert!(report.changes().is_empty());
    assert!(
        report
            .actions()
            .iter()
            .all(|action| action.other_rules() == 0)
    );
    assert_eq!(report.digest_before(), report.digest_after());
    assert_eq!(report.rules_before(), report.rules_after());
    assert_eq!((report.first(), report.last()), (Some(at(0)), Some(at(49))));
}

#[test]
fn each_pair_of_effects_is_counted_and_explained() {
    let new = OLD.replacen("drift.psi > 0.2", "drift.psi > 0.3", 1);
    let report = compared(
        &new,
        vec![
            moment(1, 0.25, Some(false)),
            moment(2, 0.35, Some(false)),
            moment(3, 0.25, None),
            moment(4, 0.1, Some(false)).with_id("calm"),
        ],
    );
    let retrain = &report.actions()[0];
    assert_eq!(retrain.action(), Action::Retrain);
    assert_eq!(retrain.count(EffectKind::Allow, EffectKind::Deny), 1);
    assert_eq!(retrain.count(EffectKind::Allow, EffectKind::Allow), 1);
    assert_eq!(retrain.count(EffectKind::Unknown, EffectKind::Deny), 1);
    assert_eq!(retrain.count(EffectKind::Deny, EffectKind::Deny), 1);
    assert_eq!(retrain.count(EffectKind::Deny, EffectKind::Allow), 0);
    assert_eq!((retrain.decisions(), retrain.changed()), (4, 2));
    let change = &report.changes()[0];
    assert_eq!(change.kind(), ChangeKind::Effect);
    assert_eq!((change.at(), change.action()), (at(1), Action::Retrain));
    assert_eq!(change.rule_before(), Some("drift/far"));
    assert!(change.before().explain().contains("0.25 against 0.2"));
    assert!(change.after().explain().contains("0.25 against 0.3"));
    // What the forbidding rule waited for is told apart from the trigger that no longer holds.
    assert_eq!(report.changes()[1].rule_before(), Some("drift/frozen"));
    assert_eq!(report.changes()[1].rule_after(), Some("drift/far"));
}

#[test]
fn other_values_for_an_allowed_action_are_a_change() {
    let new = OLD.replacen("replicas + 1", "replicas + 2", 1);
    let report = compared(
        &new,
        vec![moment(1, 0.6, Some(true)), moment(2, 0.4, Some(true))],
    );
    assert_eq!(report.changed(), 1);
    assert_eq!(report.actions()[1].other_parameters(), 1);
    let change = &report.changes()[0];
    assert_eq!(change.kind(), ChangeKind::Parameters);
    let text = change.to_string();
    assert!(text.contains("scale: allow with other values"), "{text}");
    assert!(
        text.contains("`replicas` = 4") && text.contains("`replicas` = 5"),
        "{text}"
    );
    // The same value by another way is no change.
    let same = OLD.replacen("replicas + 1", "1 + replicas", 1);
    assert_eq!(
        compared(&same, vec![moment(1, 0.6, Some(true))]).changed(),
        0
    );
}

#[test]
fn a_renamed_rule_decides_otherwise_and_changes_nothing() {
    let new = OLD.replacen("name: far", "name: moved", 1);
    let report = compared(&new, vec![moment(1, 0.3, Some(false))]);
    assert_eq!(report.changed(), 0);
    assert_eq!(report.actions()[0].other_rules(), 1);
}

#[test]
fn an_action_that_only_one_set_speaks_of_is_in_question() {
    let new = OLD.replacen("action: scale", "action: throttle", 1);
    let report = compared(&new, vec![moment(1, 0.6, Some(true))]);
    let actions: Vec<Action> = report
        .actions()
        .iter()
        .map(|tally| tally.action())
        .collect();
    assert_eq!(actions, [Action::Retrain, Action::Scale, Action::Throttle]);
    assert_eq!(
        report.actions()[1].count(EffectKind::Allow, EffectKind::Deny),
        1
    );
    assert_eq!(
        report.actions()[2].count(EffectKind::Deny, EffectKind::Allow),
        1
    );
    assert_eq!(report.changes()[0].rule_after(), None);
    let asked = compared(
        &new,
        vec![moment(1, 0.6, Some(true)).with_actions([Action::Retrain, Action::Retrain])],
    );
    assert_eq!(asked.decisions(), 1);
}

#[test]
fn rules_that_never_decided_are_told() {
    let history = vec![moment(1, 0.3, Some(false)), moment(2, 0.1, None)];
    let report = compared(OLD, history);
    let idle: Vec<&str> = report.idle_rules().map(|rule| rule.rule()).collect();
    // Nothing held that freezes, but the unknown freeze stood in the way once.
    assert!(idle.is_empty(), "{idle:?}");
    let frozen = &report.rules_after()[1];
    assert_eq!((frozen.rule(), frozen.asked()), ("frozen", 2));
    assert_eq!(
        (frozen.held(), frozen.unknown(), frozen.decided()),
        (0, 1, 1)
    );
    let calm = compared(OLD, vec![moment(1, 0.3, Some(false))]);
    let idle: Vec<&str> = calm.idle_rules().map(|rule| rule.rule()).collect();
    assert_eq!(idle, ["frozen"]);
}

#[test]
fn facts_that_could_not_be_used_are_counted_by_state() {
    let mut invalid = Facts::new(&schema());
    invalid.set("drift.psi", f64::NAN, at(1)).unwrap();
    let report = compared(OLD, vec![Moment::new(at(1), invalid), moment(2, 0.1, None)]);
    let counts: Vec<(&str, u64, u64)> = report
        .facts()
        .iter()
        .map(|fact| (fact.fact(), fact.missing(), fact.invalid()))
        .collect();
    // `note` is not read by any condition.
    assert_eq!(counts, [("drift.psi", 0, 1), ("freeze.on", 2, 0)]);
}

#[test]
fn a_report_keeps_the_first_changes_and_counts_all() {
    let new = OLD.replacen("drift.psi > 0.2", "drift.psi > 0.3", 1);
    let (old, new) = (set(OLD), set(&new));
    let mut backtest = Backtest::new(&old, &new).with_kept_changes(2);
    let mut all = 0;
    for second in 0..10 {
        all += backtest.judge(&moment(second, 0.25, Some(false))).len();
    }
    let report = backtest.report();
    assert_eq!(all, 10);
    assert_eq!((report.changed(), report.changes().len()), (10, 2));
    assert_eq!(report.changes()[1].at(), at(1));
    assert!(report.to_string().ends_with("\nand 8 more\n"), "{report}");
}

#[test]
fn the_same_history_gives_the_same_bytes() {
    let new = OLD.replacen("drift.psi > 0.2", "drift.psi > 0.3", 1);
    let run = || {
        let report = compared(
            &new,
            vec![moment(1, 0.25, Some(false)), moment(2, 0.6, None)],
        );
        (serde_json::to_string(&report).unwrap(), report.to_string())
    };
    assert_eq!(run(), run());
}

#[test]
fn a_report_reads_as_a_table() {
    let new = OLD.replacen("drift.psi > 0.2", "drift.psi > 0.3", 1);
    let report = compared(&new, vec![moment(1, 0.25, Some(false)).with_id("d-1")]);
    let text = report.to_string();
    let lines: Vec<&str> = text.lines().skip(1).take(8).collect();
    assert_eq!(
        lines,
        [
            "1 moments from 1970-01-01T00:00:01Z to 1970-01-01T00:00:01Z, 2 decisions, 1 of them changed",
            "",
            "action   decisions  changed  how",
            "retrain          1        1  allow to deny: 1",
            "scale            1        0",
            "",
            "new rule      effect   action   asked  held  unknown  decided",
            "drift/far     trigger  retrain      1     0        0        1",
        ]
    );
    assert!(
        text.contains(
            "\n1970-01-01T00:00:01Z (d-1) retrain: allow becomes deny\n  before: retrain allowed by"
        ),
        "{text}"
    );
}

#[test]
fn an_empty_history_says_nothing() {
    let report = compared(OLD, Vec::new());
    assert_eq!((report.moments(), report.decisions()), (0, 0));
    assert_eq!((report.first(), report.last()), (None, None));
    assert!(report.to_string().contains("nothing can be said"));
}

fn read(text: &str) -> Vec<Result<Moment, BacktestError>> {
    History::from_jsonl("history.jsonl", text, &schema()).collect()
}

#[track_caller]
fn refused(line: &str, message: &str) {
    let text = format!("\n{{\"at\": \"2026-03-01T00:00:00Z\", \"facts\": {{}}}}\n{line}\n");
    let read = read(&text);
    assert!(read[0].is_ok());
    let shown = read[1].as_ref().unwrap_err().to_string();
    assert_eq!(shown, message);
}

#[test]
fn lines_with_a_slip_are_refused_with_their_place() {
    refused(
        r#"{"at": "2026-03-01T00:00:00Z", "facts": {"drift.pssi": 0.1}}"#,
        "`history.jsonl`:3:1: unknown fact `drift.pssi`; did you mean `drift.psi`?; name it as retired if it was recorded under an older schema",
    );
    refused(
        r#"{"at": "2026-03-01T00:00:00Z", "facts": {"replicas": 1.5}}"#,
        "`history.jsonl`:3:1: fact `replicas` is declared as int and was given a double value; name it as retired if it was recorded under an older schema",
    );
    refused(
        r#"{"at": "2026-03-01T00:00:00Z", "fact": {}}"#,
        "`history.jsonl`:3:37: unknown field `fact`, expected one of `at`, `facts`, `actions`, `id`",
    );
    refused(
        r#"{"at": "2026-03-01T00:00:00Z", "facts": {}, "actions": ["retrian"]}"#,
        "`history.jsonl`:3:1: unknown action `retrian`; did you mean `retrain`?",
    );
    refused(
        r#"{"at": "2026-03-01T00:00:00Z", "facts": {}, "actions": []}"#,
        "`history.jsonl`:3:1: `actions` is empty; leave it out to ask about every action of the policies",
    );
    refused(
        r#"{"at": "2026-03-01T00:00:00Z", "facts": {"note": "a", "note": "b"}}"#,
        "`history.jsonl`:3:66: fact `note` is there twice; remove one of them",
    );
    refused(
        r#"{"at": "2026-03-01T00:00:00Z", "facts": {"note": {"value": "a", "when": 1}}}"#,
        "`history.jsonl`:3:70: unknown field `when`, expected `value` or `at`",
    );
}

#[test]
fn recorded_facts_keep_their_own_time() {
    let text = r#"{"at": "2026-03-01T12:00:00Z", "facts": {"drift.psi": {"value": 1, "at": "2026-03-01T11:00:00Z"}, "note": "x"}, "actions": ["scale"], "id": "7"}"#;
    let moment = read(text).remove(0).unwrap();
    let hour_ago: Timestamp = "2026-03-01T11:00:00Z".parse().unwrap();
    assert_eq!(moment.facts().entry("drift.psi").unwrap().at(), hour_ago);
    assert_eq!(moment.facts().entry("note").unwrap().at(), moment.at());
    assert_eq!(moment.actions(), Some([Action::Scale].as_slice()));
    assert_eq!(moment.id(), Some("7"));
}

#[test]
fn a_record_of_facts_is_a_line_of_history() {
    let known = moment(9, 0.25, Some(true));
    let line = serde_json::json!({ "at": at(9), "facts": known.facts().to_record() });
    assert_eq!(read(&line.to_string()).remove(0).unwrap(), known);
}

#[test]
fn an_error_in_the_history_leaves_no_report() {
    let (old, new) = (set(OLD), set(OLD));
    let text = "{\"at\": \"2026-03-01T00:00:00Z\", \"facts\": {}}\nnonsense";
    let error = Backtest::run(&old, &new, History::from_jsonl("h", text, &schema())).unwrap_err();
    assert!(error.to_string().starts_with("`h`:2:"), "{error}");
}

#[test]
fn no_line_makes_the_reader_panic() {
    let mut noise = noops_stats::SplitMix64(7);
    let alphabet: Vec<char> = "{}[]\":,0129.eE-+ atfcsnulrue\\\u{0}é".chars().collect();
    for _ in 0..2_000 {
        let length = noise.below(60);
        let line: String = (0..length)
            .map(|_| alphabet[noise.below(alphabet.len())])
            .collect();
        for moment in read(&line) {
            if let Err(error) = moment {
                assert!(error.to_string().starts_with("`history.jsonl`:"));
            }
        }
    }
    let deep = format!("{{\"at\": {}", "[".repeat(100_000));
    assert!(read(&deep).remove(0).is_err());
}
