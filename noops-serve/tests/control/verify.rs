//! What an audit log proves to somebody who has nothing else.
//!
//! Every change here is followed by chaining all entries anew, so that only taking the decisions again can tell.

use noops_core::{AuditEntry, AuditRecord};
use noops_serve::{VerifyError, verify_decisions};
use serde_json::{Value, json};

use crate::host::{Host, LIFE};
use crate::world::at;

async fn eventful_log() -> Vec<AuditEntry> {
    let mut host = Host::start_eventful(51).await;
    host.live_until(LIFE).await;
    host.around.log().await
}

fn chained(records: impl IntoIterator<Item = AuditRecord>) -> Vec<AuditEntry> {
    let mut previous = AuditEntry::ORIGIN;
    let mut entries = Vec::new();
    for (sequence, record) in (0..).zip(records) {
        let entry = AuditEntry::chain(sequence, record, previous);
        previous = entry.hash;
        entries.push(entry);
    }
    entries
}

fn records(log: &[AuditEntry]) -> Vec<AuditRecord> {
    log.iter().map(|entry| entry.record.clone()).collect()
}

/// What verification says of a log that ends with a changed record: the first entry that does not hold is named, so what
/// would come after it does not matter.
fn after_change(
    log: &[AuditEntry],
    sequence: u64,
    change: impl FnOnce(&mut AuditRecord),
) -> Result<(), VerifyError> {
    let mut records = records(log);
    change(&mut records[sequence as usize]);
    records.truncate((sequence as usize + 1).max(2));
    verify_decisions(&chained(records)).map(drop)
}

fn differs(sequence: u64, what: &'static str) -> Result<(), VerifyError> {
    Err(VerifyError::Differs { sequence, what })
}

/// The part of a record that lies at a JSON pointer.
fn part<'a>(record: &'a mut AuditRecord, pointer: &str) -> &'a mut Value {
    record
        .body
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("there is no `{pointer}`"))
}

/// The next value of the same type.
fn nudged(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => json!(!flag),
        Value::String(text) => json!(format!("{text}!")),
        Value::Number(number) => match number.as_i64() {
            Some(count) => json!(count + 1),
            None => json!(number.as_f64().unwrap() + 0.125),
        },
        other => panic!("a fact is {other}"),
    }
}

#[tokio::test]
async fn the_log_of_a_whole_life_verifies_from_its_text_alone() {
    let log = eventful_log().await;
    let text = serde_json::to_string(&log).unwrap();
    let read: Vec<AuditEntry> = serde_json::from_str(&text).unwrap();
    let verified = verify_decisions(&read).unwrap();
    assert_eq!(verified.entries(), log.len() as u64);
    // A start, and eleven decisions from the first version to the promotion of its successor.
    assert_eq!(verified.decisions(), 11);
    assert_eq!(chained(records(&log)), log, "chaining anew changes nothing");
}

#[tokio::test]
async fn every_changed_fact_is_noticed() {
    let log = eventful_log().await;
    for entry in &log[1..] {
        let facts = entry.record.body["facts"].as_object().unwrap();
        assert!(!facts.is_empty());
        for name in facts.keys() {
            let verdict = after_change(&log, entry.sequence, |record| {
                let value = &mut record.body["facts"][name]["value"];
                *value = nudged(value);
            });
            assert_eq!(
                verdict,
                differs(entry.sequence, "decision"),
                "{name} of {}",
                entry.record.key
            );
        }
    }
}

#[tokio::test]
async fn a_fact_that_is_taken_away_is_noticed() {
    let log = eventful_log().await;
    for entry in &log[1..] {
        let facts = entry.record.body["facts"].as_object().unwrap();
        for name in facts.keys() {
            let verdict = after_change(&log, entry.sequence, |record| {
                part(record, "/facts").as_object_mut().unwrap().remove(name);
            });
            assert_eq!(verdict, differs(entry.sequence, "decision"), "{name}");
        }
    }
}

#[tokio::test]
async fn every_changed_decision_is_noticed() {
    let log = eventful_log().await;
    let changes: [(&str, Value); 5] = [
        ("/decision/effect", json!("deny")),
        ("/decision/rules", json!([])),
        ("/decision/rules/0/because", json!("it seemed a good idea")),
        ("/decision/rules/0/rule", json!("another-rule")),
        ("/decision/facts_digest", json!("0".repeat(64))),
    ];
    for entry in &log[1..] {
        for (pointer, value) in &changes {
            let verdict = after_change(&log, entry.sequence, |record| {
                *part(record, pointer) = value.clone();
            });
            assert_eq!(verdict, differs(entry.sequence, "decision"), "{pointer}");
        }
    }
}

#[tokio::test]
async fn an_entry_that_is_dated_or_named_otherwise_is_noticed() {
    let log = eventful_log().await;
    for entry in &log[1..] {
        let redated = after_change(&log, entry.sequence, |record| record.at = at(-1));
        assert_eq!(redated, differs(entry.sequence, "action or time"));
        let renamed = after_change(&log, entry.sequence, |record| {
            record.kind = "notify".to_owned();
        });
        assert_eq!(renamed, differs(entry.sequence, "action or time"));
    }
}

#[tokio::test]
async fn evidence_that_does_not_carry_its_decision_is_noticed() {
    let log = eventful_log().await;
    let no_evidence = json!([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let mut changed = Vec::new();
    for entry in &log[1..] {
        let kind = entry.record.kind.as_str();
        let stage = &entry.record.body["evidence"]["rollout"]["stage"];
        // Leaving the shadow stage and promoting need proof that the candidate is not worse, a rollback proof that it is.
        let bet = match kind {
            "promote" => NOT_WORSE,
            "ramp" if *stage == "shadow" => NOT_WORSE,
            "rollback" => WORSE,
            _ => continue,
        };
        let verdict = after_change(&log, entry.sequence, |record| {
            let bet = part(record, bet);
            bet["log_wealth"] = no_evidence.clone();
            bet["max_log_e"] = json!(0.0);
        });
        assert_eq!(verdict, differs(entry.sequence, "verdict"), "{kind}");
        changed.push(kind);
    }
    assert_eq!(changed, ["rollback", "ramp", "promote"]);
}

#[tokio::test]
async fn a_rollout_that_proposed_something_else_is_noticed() {
    let log = eventful_log().await;
    let rollout = |entry: &&AuditEntry| !entry.record.body["evidence"].is_null();
    let with_evidence: Vec<&AuditEntry> = log[1..].iter().filter(rollout).collect();
    assert_eq!(with_evidence.len(), 4);
    for entry in with_evidence {
        let verdict = after_change(&log, entry.sequence, |record| {
            *part(record, "/evidence/proposal") = Value::Null;
        });
        assert_eq!(verdict, differs(entry.sequence, "verdict"));
    }
}

#[tokio::test]
async fn other_policies_than_those_that_decided_are_noticed() {
    let log = eventful_log().await;
    let verdict = after_change(&log, 0, |record| {
        let policies = part(record, "/policies").to_string();
        let bolder = policies.replace("harm.max_e >= 20.0", "harm.max_e >= 2.0");
        assert_ne!(bolder, policies);
        *part(record, "/policies") = serde_json::from_str(&bolder).unwrap();
    });
    assert_eq!(verdict, differs(1, "decision"));
}

#[tokio::test]
async fn a_log_without_its_one_start_is_refused() {
    let log = eventful_log().await;
    let headless = chained(records(&log).into_iter().skip(1));
    assert_eq!(verify_decisions(&headless), Err(VerifyError::Start));
    let all = records(&log);
    let restarted = chained(all.iter().chain(all.first()).cloned());
    assert_eq!(verify_decisions(&restarted), Err(VerifyError::Start));
}

#[tokio::test]
async fn an_entry_that_is_taken_out_breaks_the_chain() {
    let log = eventful_log().await;
    // The last one leaves no trace in the chain: its hash has to be kept elsewhere.
    for gone in 0..log.len() - 1 {
        let mut shorter = log.clone();
        shorter.remove(gone);
        let verdict = verify_decisions(&shorter);
        assert!(matches!(verdict, Err(VerifyError::Chain(_))), "{verdict:?}");
    }
}

const NOT_WORSE: &str = "/evidence/judge/metrics/0/measure/paired/not_worse";
const WORSE: &str = "/evidence/judge/metrics/0/measure/paired/worse";
