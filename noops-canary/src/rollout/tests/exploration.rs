//! Every sequence of events up to a depth, on small specifications and whole seconds.

use std::collections::{HashSet, VecDeque};

use super::invariants::{check, events, small_specs};
use super::*;

/// Visits every state that up to `depth` moves reach, a move being an event now, an event one second late, or a second that passes.
fn explore(spec: RolloutSpec, depth: usize, mut visit: impl FnMut(&Rollout, i64)) -> usize {
    let mut seen = HashSet::new();
    let mut queue = VecDeque::from([(started(spec), 0, 0)]);
    while let Some((rollout, second, moves)) = queue.pop_front() {
        if !seen.insert((rollout.clone(), second)) {
            continue;
        }
        visit(&rollout, second);
        if moves == depth {
            continue;
        }
        queue.push_back((rollout.clone(), second + 1, moves + 1));
        for event in events(&rollout, 1) {
            for now in [second, second - 1] {
                let after = check(&rollout, at(now), &event).into_state();
                if after != rollout {
                    queue.push_back((after, second, moves + 1));
                }
            }
        }
    }
    seen.len()
}

/// Nobody does anything any more: only time passes. Held or paused it waits; otherwise it ends, and not in favour of the candidate.
fn left_alone(rollout: &Rollout, second: i64) -> Rollout {
    let mut state = rollout.clone();
    // From any time reached, two extensions of two seconds and a second of slack.
    for passed in 0..8 {
        state = take(&state, second + passed, &RolloutEvent::Tick);
    }
    state
}

/// Everybody does their part: people resume, the router obeys, the evidence is good.
fn helped(rollout: &Rollout, second: i64) -> Rollout {
    let mut state = rollout.clone();
    let mut now = second;
    for _ in 0..12 {
        let generation = state.generation();
        state = take(&state, now, &RolloutEvent::Resume { generation });
        state = take(&state, now, &applied(&state));
        now += 1;
        state = take(&state, now, &events(&state, 1)[1]);
    }
    state
}

#[test]
fn every_reachable_state_keeps_the_invariants_and_has_a_way_out() {
    for spec in small_specs() {
        let mut ends = HashSet::new();
        let states = explore(spec.clone(), 6, |rollout, second| {
            let stored = serde_json::to_value(rollout).unwrap();
            let read: Rollout = serde_json::from_value(stored).unwrap();
            assert_eq!(&read, rollout);
            if rollout.is_final() {
                ends.insert(rollout.stage());
                return;
            }
            let alone = left_alone(rollout, second);
            let waits = alone.is_held() || alone.is_paused();
            assert!(waits || alone.stage().is_failed(), "{rollout:?}");
            assert!(helped(rollout, second).is_final(), "{rollout:?}");
            let reason = "enough".to_owned();
            let aborted = take(rollout, second, &RolloutEvent::Abort { reason });
            assert_eq!(aborted.stage(), Stage::Aborted);
        });
        let good = match spec.form() {
            RolloutForm::ShadowOnly => [Stage::Proven, Stage::NotProven],
            _ => [Stage::Promoted, Stage::RolledBack],
        };
        assert!(good.iter().all(|stage| ends.contains(stage)), "{ends:?}");
        assert!(states > 2_000, "{states}");
    }
}

#[test]
fn evidence_alone_reaches_the_good_end_of_every_form() {
    for spec in small_specs() {
        let good = match spec.form() {
            RolloutForm::ShadowOnly => Stage::Proven,
            _ => Stage::Promoted,
        };
        let end = helped(&started(spec), 0);
        assert_eq!(end.stage(), good);
        assert_eq!(end.promoted_by(), None);
    }
}
