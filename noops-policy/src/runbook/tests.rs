mod replay;

use jiff::Timestamp;
use noops_core::Digest;

use super::*;
use crate::action::Action;
use crate::fact::{FactDecl, FactSchema, FactValue, Facts};

const THREE_STEPS: &str = "
runbook: drift
owner: ml-platform
steps:
  - name: freeze
    action: freeze
    parameters: {model: fraud, hours: 4}
    precondition: p0
    verify: {condition: v0, within: 10m, retries: 1}
    undo: {action: release, parameters: {model: fraud}}
    automatic: safe
  - name: tell
    action: notify
    precondition: p1
    verify: {condition: v1, within: 5m}
    automatic: safe
  - name: roll-back
    action: rollback
    precondition: p2 && !v2
    verify: {condition: v2, within: 1h, retries: 2}
    undo: {action: promote}
";

fn schema() -> FactSchema {
    FactSchema::new(FACTS.map(FactDecl::bool).to_vec()).unwrap()
}

const FACTS: [&str; 6] = ["p0", "p1", "p2", "v0", "v1", "v2"];

fn runbook() -> Runbook {
    Runbook::load("drift.yaml", THREE_STEPS, &schema()).unwrap()
}

fn run() -> RunbookRun {
    RunbookRun::new(runbook(), "incident-7").unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Facts measured at a second; the names of those that are true.
fn facts(second: i64, yes: &[&str]) -> Facts {
    let mut facts = Facts::new(&schema());
    for name in FACTS {
        facts.set(name, yes.contains(&name), at(second)).unwrap();
    }
    facts
}

fn performed(order: &Order) -> RunbookEvent {
    RunbookEvent::Performed {
        order: order.idempotency_key(),
    }
}

fn failed(order: &Order) -> RunbookEvent {
    RunbookEvent::Failed {
        order: order.idempotency_key(),
        why: "no quota".to_owned(),
    }
}

#[track_caller]
fn one(orders: Vec<Order>) -> Order {
    assert_eq!(orders.len(), 1, "{orders:?}");
    orders.into_iter().next().unwrap()
}

#[track_caller]
fn task(order: &Order) -> (&'static str, String, u32, Action) {
    match order {
        Order::Perform(task) => (
            "perform",
            task.step().to_owned(),
            task.attempt(),
            task.action(),
        ),
        Order::Undo(task) => (
            "undo",
            task.step().to_owned(),
            task.attempt(),
            task.action(),
        ),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn escalation(order: &Order) -> &Escalation {
    match order {
        Order::Escalate(escalation) => escalation,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_run_without_trouble_asks_once_and_is_done() {
    let mut run = run();
    let order = one(run.step(at(0), &facts(0, &["p0"]), RunbookEvent::Tick));
    assert_eq!(
        task(&order),
        ("perform", "freeze".to_owned(), 1, Action::Freeze)
    );
    let Order::Perform(freeze) = &order else {
        panic!()
    };
    assert_eq!(freeze.parameters()["hours"], FactValue::Int(4));
    let order = one(run.step(at(1), &facts(1, &["v0", "p1"]), performed(&order)));
    assert_eq!(
        task(&order),
        ("perform", "tell".to_owned(), 1, Action::Notify)
    );
    let order = one(run.step(at(2), &facts(2, &["v1", "p2"]), performed(&order)));
    let Order::AskPerson(question) = &order else {
        panic!("{order:?}")
    };
    assert_eq!(
        question.why(),
        "step `roll-back` is not marked `automatic: safe`"
    );
    let approved = RunbookEvent::Approved {
        order: order.idempotency_key(),
    };
    let order = one(run.step(at(3), &facts(3, &["p2"]), approved));
    assert_eq!(
        task(&order),
        ("perform", "roll-back".to_owned(), 1, Action::Rollback)
    );
    assert!(
        run.step(at(4), &facts(4, &["p2"]), performed(&order))
            .is_empty()
    );
    let order = one(run.step(at(5), &facts(5, &["v2"]), RunbookEvent::Tick));
    assert!(matches!(order, Order::Done { .. }));
    assert_eq!(run.state().status(), RunStatus::Done);
    assert!(
        run.step(at(6), &facts(6, &[]), RunbookEvent::Tick)
            .is_empty()
    );
    assert_eq!(
        one(run.step(at(6), &facts(6, &[]), RunbookEvent::Resumed)),
        order
    );
}

#[test]
fn a_precondition_that_is_false_or_unknown_stops_the_run() {
    let mut refused = run();
    let order = one(refused.step(at(0), &facts(0, &[]), RunbookEvent::Tick));
    assert_eq!(
        escalation(&order).why(),
        "the precondition of step `freeze` does not hold"
    );
    let mut unknown = run();
    let order = one(unknown.step(at(0), &Facts::new(&schema()), RunbookEvent::Tick));
    assert_eq!(
        escalation(&order).why(),
        "the precondition of step `freeze` is unknown; it waits for `p0`"
    );
}

#[test]
fn an_approval_after_the_precondition_has_gone_performs_nothing() {
    let mut run = run();
    let order = one(run.step(at(0), &facts(0, &["p0"]), RunbookEvent::Tick));
    let order = one(run.step(at(0), &facts(0, &["v0", "p1"]), performed(&order)));
    let question = one(run.step(at(0), &facts(0, &["v1", "p2"]), performed(&order)));
    let approved = RunbookEvent::Approved {
        order: question.idempotency_key(),
    };
    let order = one(run.step(at(0), &facts(0, &[]), approved));
    assert_eq!(escalation(&order).in_force(), ["freeze", "tell"]);
}

#[test]
fn a_refusal_by_a_person_stops_the_run() {
    let mut run = run();
    let order = one(run.step(at(0), &facts(0, &["p0"]), RunbookEvent::Tick));
    let order = one(run.step(at(0), &facts(0, &["v0", "p1"]), performed(&order)));
    let question = one(run.step(at(0), &facts(0, &["v1", "p2"]), performed(&order)));
    let rejected = RunbookEvent::Rejected {
        order: question.idempotency_key(),
        why: "not on a Friday".to_owned(),
    };
    let order = one(run.step(at(0), &facts(0, &["p2"]), rejected));
    assert_eq!(
        escalation(&order).why(),
        "a person refused step `roll-back`: not on a Friday"
    );
}

#[test]
fn a_step_that_is_not_verified_in_time_is_tried_again_and_then_taken_back() {
    let mut run = run();
    let first = one(run.step(at(0), &facts(0, &["p0"]), RunbookEvent::Tick));
    assert!(
        run.step(at(1), &facts(1, &["p0"]), performed(&first))
            .is_empty()
    );
    assert_eq!(run.next_wakeup(), Some(at(601)));
    assert!(
        run.step(at(600), &facts(600, &["p0"]), RunbookEvent::Tick)
            .is_empty()
    );
    let second = one(run.step(at(601), &facts(601, &["p0"]), RunbookEvent::Tick));
    assert_eq!(
        task(&second),
        ("perform", "freeze".to_owned(), 2, Action::Freeze)
    );
    assert_ne!(first.idempotency_key(), second.idempotency_key());
    assert!(
        run.step(at(602), &facts(602, &["p0"]), performed(&second))
            .is_empty()
    );
    let undo = one(run.step(at(1202), &facts(1202, &["p0"]), RunbookEvent::Tick));
    assert_eq!(
        task(&undo),
        ("undo", "freeze".to_owned(), 1, Action::Release)
    );
    let order = one(run.step(at(1203), &facts(1203, &[]), performed(&undo)));
    assert_eq!(
        escalation(&order).why(),
        "the verification of step `freeze` is false after the time that it was given"
    );
    assert!(escalation(&order).in_force().is_empty());
}

#[test]
fn a_fact_measured_before_a_step_does_not_verify_it() {
    let mut run = run();
    let order = one(run.step(at(10), &facts(10, &["p0", "v0"]), RunbookEvent::Tick));
    assert!(
        run.step(at(20), &facts(10, &["p0", "v0"]), performed(&order))
            .is_empty()
    );
    assert_eq!(run.state().status(), RunStatus::Verifying);
    let next = one(run.step(at(21), &facts(20, &["v0", "p1"]), RunbookEvent::Tick));
    assert_eq!(task(&next).1, "tell");
}

#[test]
fn steps_are_taken_back_in_reverse_and_those_without_undo_are_named() {
    let mut run = run();
    let order = one(run.step(at(0), &facts(0, &["p0"]), RunbookEvent::Tick));
    let order = one(run.step(at(0), &facts(0, &["v0", "p1"]), performed(&order)));
    assert!(
        run.step(at(0), &facts(0, &[]), performed(&order))
            .is_empty()
    );
    let undo = one(run.step(at(300), &facts(300, &[]), RunbookEvent::Tick));
    assert_eq!(
        task(&undo),
        ("undo", "freeze".to_owned(), 1, Action::Release)
    );
    let order = one(run.step(at(301), &facts(301, &[]), performed(&undo)));
    assert_eq!(escalation(&order).in_force(), ["tell"]);
}

#[test]
fn an_undo_that_fails_stops_the_run_and_says_what_is_in_force() {
    let mut run = run();
    let order = one(run.step(at(0), &facts(0, &["p0"]), RunbookEvent::Tick));
    let order = one(run.step(at(0), &facts(0, &["v0", "p1"]), performed(&order)));
    let undo = one(run.step(at(0), &facts(0, &["p1"]), failed(&order)));
    assert_eq!(task(&undo).0, "undo");
    let order = one(run.step(at(0), &facts(0, &[]), failed(&undo)));
    assert_eq!(escalation(&order).in_force(), ["freeze"]);
    assert_eq!(
        escalation(&order).why(),
        "step `tell` failed: no quota; step `freeze` could not be taken back: no quota"
    );
}

#[test]
fn a_task_that_nobody_reports_is_left_to_a_person() {
    let mut run = run();
    let order = one(run.step(at(0), &facts(0, &["p0"]), RunbookEvent::Tick));
    let stopped = one(run.step(at(600), &facts(600, &["p0"]), RunbookEvent::Tick));
    assert!(
        escalation(&stopped)
            .why()
            .contains("find out whether it was")
    );
    assert!(
        run.step(at(601), &facts(601, &["v0"]), performed(&order))
            .is_empty()
    );
}

#[test]
fn documents_are_refused_with_their_place() {
    let refuse = |yaml: &str| {
        Runbook::load("drift.yaml", yaml, &schema())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refuse(&THREE_STEPS.replace("precondition: p1", "precondition: p7"))
            .split(": ")
            .next(),
        Some("`drift.yaml`:14:19")
    );
    for (from, to, word) in [
        ("action: freeze", "action: freze", "did you mean `freeze`?"),
        (
            "action: promote",
            "action: promot",
            "did you mean `promote`?",
        ),
        ("precondition: p1", "precondition: p1 + 1", "`precondition`"),
        ("condition: v1", "condition: nothing", "`verify.condition`"),
        ("within: 5m", "within: soon", "is not a duration"),
        ("within: 5m", "within: 0s", "is not a duration"),
        ("within: 5m", "within: -5m", "is not a duration"),
        ("name: tell", "name: freeze", "is there twice"),
        ("name: tell", "name: ' '", "is empty"),
        ("owner: ml-platform", "owner: ''", "`owner` is empty"),
        ("automatic: safe", "automatic: yes", "yes"),
        ("automatic: safe", "automatik: safe", "automatik"),
    ] {
        let yaml = THREE_STEPS.replacen(from, to, 1);
        assert_ne!(yaml, THREE_STEPS);
        let message = refuse(&yaml);
        assert!(message.contains(word), "{message}");
        assert!(message.starts_with("`drift.yaml`:"), "{message}");
    }
    assert!(refuse("runbook: a\nowner: b\nsteps: []").contains("1 to `256`"));
}

#[test]
fn layout_does_not_change_the_digest_and_words_do() {
    let digest = |yaml: &str| Runbook::load("x", yaml, &schema()).unwrap().digest();
    let spaced = THREE_STEPS.replace("p2 && !v2", "p2   &&   ! v2");
    assert_eq!(digest(THREE_STEPS), digest(&spaced));
    let other = THREE_STEPS.replace("hours: 4", "hours: 5");
    assert_ne!(digest(THREE_STEPS), digest(&other));
}

#[test]
fn hostile_states_are_refused() {
    let good = serde_json::to_value(run().state()).unwrap();
    let resume = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut json = good.clone();
        change(&mut json);
        match serde_json::from_value::<RunState>(json) {
            Ok(state) => RunbookRun::resume(runbook(), state).is_ok(),
            Err(_) => false,
        }
    };
    let deadline = "2026-01-01T00:00:00Z";
    assert!(resume(&|_| {}));
    assert!(!resume(&|json| json["performed"] = 4.into()));
    assert!(!resume(&|json| json["performed"] = 1.into()));
    assert!(!resume(&|json| json["kept"] = serde_json::json!([0])));
    assert!(!resume(&|json| json["run"] = " ".into()));
    assert!(!resume(
        &|json| json["runbook"] = Digest::ZERO.to_string().into()
    ));
    assert!(!resume(&|json| json["more"] = 1.into()));
    assert!(!resume(
        &|json| json["phase"] = serde_json::json!({"asking": {"step": 3}})
    ));
    for attempt in [0_u32, 3, u32::MAX] {
        assert!(!resume(&|json| {
            json["phase"] = serde_json::json!(
                {"performing": {"step": 0, "attempt": attempt, "deadline": deadline}}
            );
        }));
    }
    assert!(!resume(&|json| {
        json["phase"] = serde_json::json!({"undoing": {"why": "", "deadline": deadline}});
    }));
    assert!(RunbookRun::new(runbook(), "").is_err());
}
