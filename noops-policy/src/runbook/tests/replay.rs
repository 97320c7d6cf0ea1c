use std::collections::BTreeSet;

use noops_core::Digest;
use proptest::prelude::*;

use super::*;
use crate::condition::Truth;

/// What a host may do next.
#[derive(Clone, Debug)]
enum Move {
    Tick,
    Crash,
    Done,
    Fail,
    Agree,
    Refuse,
    Old(usize),
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => Just(Move::Tick),
        1 => Just(Move::Crash),
        6 => Just(Move::Done),
        1 => Just(Move::Fail),
        3 => Just(Move::Agree),
        1 => Just(Move::Refuse),
        2 => (0_usize..20).prop_map(Move::Old),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_performed_against_its_precondition_and_undo_mirrors_what_was_performed(
        script in prop::collection::vec((moves(), 0_u32..64, any::<bool>(), -100_i64..400), 1..40)
    ) {
        let mut run = run();
        let mut clock = 0_i64;
        let mut told: Vec<Order> = Vec::new();
        let mut seen: BTreeSet<Digest> = BTreeSet::new();
        // Steps that were reported performed and not reported taken back, in order.
        let mut done: Vec<String> = Vec::new();
        let mut approved: BTreeSet<Digest> = BTreeSet::new();
        for (next, bits, favourable, seconds) in script {
            clock = (clock + seconds).max(0);
            let yes: Vec<&str> = FACTS
                .into_iter()
                .enumerate()
                .filter(|(index, name)| {
                    (favourable && *name != "v2") || bits & (1 << index) != 0
                })
                .map(|(_, name)| name)
                .collect();
            let facts = facts(clock, &yes);
            let waiting = run.outstanding();
            let of = |order: &Option<Order>| order.as_ref().map_or(Digest::ZERO, Order::idempotency_key);
            let event = match next {
                Move::Tick => RunbookEvent::Tick,
                Move::Crash => {
                    let json = serde_json::to_string(run.state()).unwrap();
                    let state: RunState = serde_json::from_str(&json).unwrap();
                    let back = RunbookRun::resume(runbook(), state).unwrap();
                    prop_assert_eq!(&back, &run);
                    run = back;
                    RunbookEvent::Resumed
                }
                Move::Done => RunbookEvent::Performed { order: of(&waiting) },
                Move::Fail => RunbookEvent::Failed { order: of(&waiting), why: "x".to_owned() },
                Move::Agree => RunbookEvent::Approved { order: of(&waiting) },
                Move::Refuse => RunbookEvent::Rejected { order: of(&waiting), why: "x".to_owned() },
                Move::Old(index) => {
                    let old = told.get(index).map_or(Digest::ZERO, Order::idempotency_key);
                    if Some(old) == waiting.as_ref().map(Order::idempotency_key) {
                        RunbookEvent::Tick
                    } else {
                        let before = (run.state().status(), run.outstanding());
                        let orders = run.step(at(clock), &facts, RunbookEvent::Performed { order: old });
                        prop_assert!(orders.is_empty());
                        prop_assert_eq!((run.state().status(), run.outstanding()), before);
                        continue;
                    }
                }
            };
            match (&event, &waiting) {
                (RunbookEvent::Performed { .. }, Some(Order::Perform(task)))
                    if done.last().map(String::as_str) != Some(task.step()) =>
                {
                    done.push(task.step().to_owned());
                }
                (RunbookEvent::Performed { .. }, Some(Order::Undo(task))) => {
                    let position = done.iter().position(|name| name == task.step());
                    prop_assert!(position.is_some());
                    done.remove(position.unwrap());
                }
                (RunbookEvent::Approved { order }, Some(Order::AskPerson(_))) => {
                    approved.insert(*order);
                }
                _ => {}
            }
            for order in run.step(at(clock), &facts, event) {
                let new = seen.insert(order.idempotency_key());
                match &order {
                    Order::Perform(task) if new => {
                        let book = runbook();
                        let step = book.steps().iter().find(|step| step.name() == task.step()).unwrap();
                        let evaluation = step.precondition().evaluate(&facts, at(clock));
                        prop_assert_eq!(evaluation.truth(), Truth::True);
                        if step.automation() == Automation::AskFirst {
                            prop_assert!(!approved.is_empty());
                        }
                    }
                    Order::Undo(task) => {
                        // `tell` has nothing to take it back; what comes after it is taken back first.
                        let last = done.iter().rev().find(|name| *name != "tell");
                        prop_assert_eq!(last.map(String::as_str), Some(task.step()));
                    }
                    Order::Escalate(escalation) => {
                        prop_assert_eq!(escalation.in_force(), done.as_slice());
                    }
                    _ => {}
                }
                told.push(order);
            }
        }
    }
}
