//! The same events give the same decisions, whatever happens to the process.

use noops_core::{AuditEntry, ErrorKind};
use noops_policy::Action;
use noops_serve::{ControlState, Controller};

use crate::host::{Host, LIFE, Surroundings, settings};
use crate::model::Work;
use crate::policies;
use crate::world::{DAY, World, at};

async fn unbroken(seed: u64) -> Host {
    let mut host = Host::start_eventful(seed).await;
    host.live_until(LIFE).await;
    assert_eq!(
        host.actions(),
        [
            Action::Register,
            Action::Shadow,
            Action::Rollback,
            Action::Quarantine,
            Action::Release,
            Action::Retrain,
            Action::Register,
            Action::Shadow,
            Action::Ramp,
            Action::Ramp,
            Action::Promote,
        ],
        "seed {seed}"
    );
    host
}

async fn assert_same(host: &Host, whole: &Host) {
    assert_eq!(
        summary(&host.around.log().await),
        summary(&whole.around.log().await)
    );
    assert_eq!(host.around.log().await, whole.around.log().await);
    assert_eq!(host.around.versions().await, whole.around.versions().await);
    // The history may show that a resumed controller moved the alias back before it moved it again.
    assert_eq!(
        host.around.champions().await.last(),
        whole.around.champions().await.last()
    );
    assert_eq!(host.controller.state(), whole.controller.state());
}

/// What a person can read when two logs differ.
fn summary(log: &[AuditEntry]) -> Vec<&str> {
    log.iter().map(|entry| entry.record.key.as_str()).collect()
}

#[tokio::test]
async fn the_same_seed_gives_the_same_log_and_another_seed_another() {
    let first = unbroken(31).await;
    let second = unbroken(31).await;
    assert_same(&second, &first).await;
    let other = unbroken(32).await;
    assert_ne!(other.around.log().await, first.around.log().await);
}

#[tokio::test]
async fn a_state_that_goes_through_json_every_midnight_decides_the_same() {
    let whole = unbroken(33).await;
    let mut host = Host::start_eventful(33).await;
    for day in 1..=LIFE / DAY {
        host.live_until(day * DAY).await;
        let saved = host.save();
        assert_eq!(
            &serde_json::from_str::<ControlState>(&saved).unwrap(),
            host.controller.state()
        );
        host.resume(&saved, day * DAY).await;
    }
    assert_same(&host, &whole).await;
}

#[tokio::test]
async fn a_process_that_crashes_every_day_and_lives_it_again_leaves_the_same_log() {
    let whole = unbroken(34).await;
    let mut host = Host::start_eventful(34).await;
    let (mut training, mut comparing) = (0, 0);
    for day in 0..LIFE / DAY {
        let saved = host.save();
        training += i32::from(host.controller.state().training().is_some());
        comparing += i32::from(host.controller.state().experiment().is_some());
        // The crash comes at another hour every day, now and then just before the next save.
        host.live_until(day * DAY + 1 + (day * 7) % DAY).await;
        host.resume(&saved, day * DAY).await;
        host.live_until((day + 1) * DAY).await;
    }
    assert!(training > 0, "no training was cut off");
    assert!(comparing > 2, "no rollout was cut off");
    assert_same(&host, &whole).await;
}

#[tokio::test]
async fn what_was_done_after_the_last_save_still_counts_against_the_limits() {
    let mut host = Host::start(World::stable(5).turning_at(5 * DAY)).await;
    host.around.trainer.work(Work::Failing);
    let mut saved = host.save();
    while host.times(Action::Retrain) == 0 {
        assert!(host.hour < 40 * DAY, "nothing was retrained");
        saved = host.save();
        host.live_an_hour().await;
    }
    // A live host: the clock does not go back to the save.
    let hour = host.hour;
    host.resume(&saved, hour).await;
    host.live_until(hour + 2 * DAY).await;
    assert_eq!(host.times(Action::Retrain), 1, "the cooldown is three days");
    assert!(noops_serve::verify_decisions(&host.around.log().await).is_ok());
}

#[tokio::test]
async fn resuming_under_other_policies_is_a_conflict() {
    let host = Host::start(World::stable(35)).await;
    let state = host.controller.state().clone();
    let bolder = policies::with("harm.max_e >= 20.0", "harm.max_e >= 2.0");
    let components = host.around.components(bolder);
    let refused = Controller::resume(components, settings(), state, at(0))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert_eq!(host.around.log().await.len(), 2);
}

#[tokio::test]
async fn contradicting_unknown_and_very_late_labels_have_no_effect() {
    let world = World::stable(36).turning_at(5 * DAY);
    let mut quiet = Host::start(world.clone()).await;
    let mut loud = Host::start_in(Surroundings::new(world.with_gossip()), settings()).await;
    for day in 1..=30 {
        quiet.live_until(day * DAY).await;
        loud.live_until(day * DAY).await;
        assert_eq!(
            loud.controller.state(),
            quiet.controller.state(),
            "day {day}"
        );
    }
    assert_eq!(quiet.times(Action::Promote), 1);
    assert_same(&loud, &quiet).await;
}

#[tokio::test]
async fn reconciling_twice_in_an_hour_does_nothing_twice() {
    let mut host = Host::start(World::stable(37).turning_at(5 * DAY)).await;
    while host.times(Action::Promote) == 0 {
        assert!(host.hour < 40 * DAY, "nothing was promoted");
        host.live_until(host.hour + 1).await;
        let log = host.around.log().await.len();
        let again = host.controller.reconcile(at(host.hour)).await.unwrap();
        assert!(again.is_empty(), "hour {}: {again:?}", host.hour);
        assert_eq!(host.around.log().await.len(), log);
    }
}
