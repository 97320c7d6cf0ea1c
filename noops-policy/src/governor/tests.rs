use noops_core::FencingToken;
use proptest::prelude::*;

use super::*;

mod hostile;
mod incidents;
mod requests;
mod simulator;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A request of leader 1 that is wanted for the `epoch`-th time.
pub(super) fn request(action: Action, targets: &[&str], epoch: u64) -> ActionRequest {
    ActionRequest::new(
        action,
        Targets::new(targets.iter().copied()).unwrap(),
        FencingToken::new(1),
        Intent::new(Digest::of(b"policies"), "7", epoch),
    )
}

fn governor() -> Governor {
    Governor::new(
        GovernorSettings::default()
            .with_cooldown(Action::Retrain, seconds(10))
            .with_budget(Action::Retrain, 2, seconds(100)),
    )
}

#[test]
fn budgets_count_over_all_targets_and_free_up_one_by_one() {
    let mut governor = governor();
    governor.record(Action::Retrain, "a", at(0));
    governor.record(Action::Retrain, "b", at(30));
    let refusal = governor.check(Action::Retrain, "c", at(50)).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "retrain of `c` exceeds the budget of `2` in `100s`; wait until `1970-01-01T00:01:40Z`"
    );
    assert!(governor.check(Action::Retrain, "c", at(100)).is_ok());
    assert!(governor.check(Action::Promote, "c", at(50)).is_ok());
}

#[test]
fn a_budget_of_none_is_never_free() {
    let settings = GovernorSettings::default().with_budget(Action::Notify, 0, seconds(1));
    let refusal = Governor::new(settings)
        .check(Action::Notify, "a", at(0))
        .unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "notify of `a` exceeds the budget of `0` in `1s`; raise the budget to allow any"
    );
}

#[test]
fn the_kill_switch_stops_everything_until_resumed() {
    let mut governor = governor();
    governor.kill();
    for action in Action::ALL {
        let refusal = governor.check(action, "a", at(0)).unwrap_err();
        assert_eq!(refusal.reason(), &RefusalReason::KillSwitch);
    }
    governor.resume();
    assert!(governor.check(Action::Retrain, "a", at(0)).is_ok());
}

#[test]
fn an_empty_target_never_means_everything() {
    let refusal = governor().check(Action::Rollback, " ", at(0)).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "rollback has no target; an empty target never means all of them"
    );
}

#[test]
fn a_clock_that_goes_backwards_opens_nothing() {
    let mut governor = governor();
    governor.record(Action::Retrain, "a", at(1000));
    assert!(governor.check(Action::Retrain, "a", at(0)).is_err());
    governor.record(Action::Retrain, "b", at(0));
    // The run recorded by the wrong clock counts from the latest time known.
    assert!(governor.check(Action::Retrain, "b", at(1005)).is_err());
    assert!(governor.check(Action::Retrain, "b", at(1010)).is_err());
    assert!(governor.check(Action::Retrain, "b", at(1100)).is_ok());
}

#[test]
fn times_at_the_end_of_time_are_refused_not_overflown() {
    let mut governor =
        Governor::new(GovernorSettings::default().with_cooldown(Action::Retrain, Duration::MAX));
    governor.record(Action::Retrain, "a", at(0));
    assert!(governor.check(Action::Retrain, "a", at(1)).is_err());
}

#[test]
fn settings_and_state_without_anything_new_are_written_as_ever() {
    let mut governor = governor();
    governor.record(Action::Retrain, "a", at(0));
    governor.record(Action::Promote, "a", at(1));
    assert_eq!(
        serde_json::to_string(&governor).unwrap(),
        concat!(
            r#"{"settings":{"cooldowns":{"retrain":{"secs":10,"nanos":0}},"#,
            r#""budgets":{"retrain":{"actions":2,"window":{"secs":100,"nanos":0}}}},"#,
            r#""switch":"running","latest":"1970-01-01T00:00:01Z","#,
            r#""runs":[{"action":"retrain","target":"a","at":"1970-01-01T00:00:00Z"}]}"#
        )
    );
}

proptest! {
    #[test]
    fn resumed_state_behaves_like_unbroken_state_and_the_budget_is_never_exceeded(
        steps in prop::collection::vec((0_usize..3, -20_i64..60), 1..60)
    ) {
        let mut unbroken = governor();
        let mut resumed = governor();
        let mut clock = 0_i64;
        let mut begun: Vec<i64> = Vec::new();
        let mut latest = 0_i64;
        for (target, step) in steps {
            clock = (clock + step).max(0);
            let target = ["a", "b", "c"][target];
            let json = serde_json::to_string(&resumed).unwrap();
            resumed = serde_json::from_str(&json).unwrap();
            let answer = unbroken.check(Action::Retrain, target, at(clock));
            prop_assert_eq!(&answer, &resumed.check(Action::Retrain, target, at(clock)));
            if answer.is_ok() {
                latest = latest.max(clock);
                begun.push(latest);
                unbroken.record(Action::Retrain, target, at(clock));
                resumed.record(Action::Retrain, target, at(clock));
            }
            prop_assert!(begun.iter().filter(|begun| latest - **begun < 100).count() <= 2);
        }
    }
}
