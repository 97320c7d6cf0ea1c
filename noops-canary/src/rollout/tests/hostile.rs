use serde_json::{Value, json};

use super::*;

fn tampered(rollout: &Rollout, field: &str, value: Value) -> Result<Rollout, String> {
    let mut stored = serde_json::to_value(rollout).unwrap();
    stored[field] = value;
    serde_json::from_value(stored).map_err(|error| error.to_string())
}

#[test]
fn a_state_that_contradicts_itself_is_refused() {
    let last = take(&ramping(), 150, &harm(0));
    let cases = [
        (
            ramping(),
            "stage",
            json!({"ramp": {"index": 0, "share": 20_000}}),
        ),
        (
            ramping(),
            "stage",
            json!({"ramp": {"index": 9, "share": 10_000}}),
        ),
        (ramping(), "stage", json!("bake")),
        (ramping(), "stage", json!("proven")),
        (ramping(), "stage", json!("rolled_back")),
        (ramping(), "generation", json!(0)),
        (ramping(), "generation", json!(-1)),
        (
            ramping(),
            "baseline",
            json!({"champion": 101, "candidate": 0}),
        ),
        (ramping(), "bake_from", json!(null)),
        (ramping(), "bake_from", json!("1960-01-01T00:00:00Z")),
        (ramping(), "deadline_from", json!("1960-01-01T00:00:00Z")),
        (ramping(), "held", json!(true)),
        (ramping(), "extended", json!(true)),
        (ramping(), "because", json!("no reason")),
        (ramping(), "promoted_by", json!("nobody")),
        (ramping(), "quarantine_pending", json!(true)),
        (ramping(), "spec", json!({"plan": {"canary": {"ramp": []}}})),
        (ramping(), "surprise", json!(1)),
        (last.clone(), "because", json!(null)),
        (last.clone(), "held", json!(true)),
        (last.clone(), "paused_at", json!("1970-01-01T00:00:00Z")),
        (last.clone(), "stage", json!("not_proven")),
        (last, "stage", json!("promoted")),
        (
            take(&started(shadow_only()), 1, &harm(0)),
            "acknowledged",
            json!(false),
        ),
    ];
    for (rollout, field, value) in cases {
        let refused = tampered(&rollout, field, value.clone());
        assert!(refused.is_err(), "{field} {value}");
    }
    assert!(tampered(&ramping(), "id", json!("r-2")).is_ok());
}

#[test]
fn extreme_times_and_counts_do_not_panic() {
    let stage = ramping();
    for now in [Timestamp::MIN, Timestamp::MAX] {
        for events in [0, u64::MAX] {
            for event in [
                RolloutEvent::Tick,
                RolloutEvent::Pause,
                promote(events),
                harm(events),
                RolloutEvent::ShareApplied {
                    generation: events,
                    share: Share::FULL,
                },
            ] {
                let after = stage.step(now, &event).into_state();
                let text = serde_json::to_string(&after).unwrap();
                assert_eq!(serde_json::from_str::<Rollout>(&text).unwrap(), after);
                let paused = after
                    .step(Timestamp::MIN, &RolloutEvent::Pause)
                    .into_state();
                let generation = paused.generation();
                let resumed = paused.step(Timestamp::MAX, &RolloutEvent::Resume { generation });
                assert!(resumed.state().baked(Timestamp::MAX) <= Duration::MAX);
            }
        }
    }
}

#[test]
fn the_longest_durations_saturate() {
    let forever = StageGate::new(Duration::ZERO, Duration::MAX, 1);
    let spec = RolloutSpec::shadow_only(forever)
        .unwrap()
        .with_cool_down(Duration::MAX)
        .with_quarantine(Quarantining::For(Duration::MAX));
    let step = started(spec).step(Timestamp::MAX, &harm(0));
    assert!(step.commands().contains(&Command::Quarantine {
        candidate: candidate(),
        until: Until::Time(Timestamp::MAX),
        cool_down_until: Timestamp::MAX,
    }));
}

#[test]
fn a_generation_that_cannot_grow_stays_at_its_end() {
    let stage = tampered(&ramping(), "generation", json!(u64::MAX)).unwrap();
    let step = stage.step(at(150), &harm(0));
    assert_eq!(step.state().generation(), u64::MAX);
}
