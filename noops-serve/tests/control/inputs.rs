//! What broken inputs set off, and what they do not.

use noops_core::{Trainer, TrainingRequest};
use noops_policy::Action;
use noops_serve::{ControlSettings, Subject};

use crate::host::{Host, Surroundings, settings};
use crate::world::{Broken, DAY, World, asked_at, at};

#[tokio::test]
async fn missing_inputs_are_quarantined_heal_by_themselves_and_cost_nothing() {
    let world = World::stable(11).broken(10 * DAY, 12 * DAY, Broken::Missing);
    let host = live_through_broken_days(Surroundings::new(world), settings()).await;
    assert_eq!(
        host.told(),
        ["inputs are in quarantine"],
        "people hear of it once"
    );
}

#[tokio::test]
async fn a_change_of_unit_is_quarantined_when_the_feature_is_steady() {
    let world = World::stable(12).broken(10 * DAY, 12 * DAY, Broken::HundredFold);
    let steady = settings().with_steady(["x"]);
    let host = live_through_broken_days(Surroundings::new(world), steady).await;
    assert_eq!(host.told(), ["inputs are in quarantine"]);
}

/// The days 10 and 11 are broken; nothing but the quarantine may come of it.
async fn live_through_broken_days(around: Surroundings, settings: ControlSettings) -> Host {
    let mut host = Host::start_in(around, settings).await;
    host.live_until(10 * DAY).await;
    assert_eq!(host.actions(), [Action::Register]);

    // The first hour has enough rows to prove it.
    host.live_until(10 * DAY + 1).await;
    let quarantined = host.diary.acted.last().unwrap().clone();
    assert_eq!(quarantined.action, Action::Quarantine);
    let since = at(10 * DAY);
    assert_eq!(quarantined.subject, Subject::Inputs { since });
    assert_eq!(host.controller.state().quarantined_since(), Some(since));

    // It ends with the first whole batch that passes.
    host.live_until(13 * DAY - 1).await;
    assert_eq!(host.times(Action::Release), 0);
    host.live_until(13 * DAY).await;
    assert_eq!(host.times(Action::Release), 1);
    assert_eq!(host.controller.state().quarantined_since(), None);
    assert_eq!(host.controller.state().rows_quarantined(), 2 * 24 * 60);

    host.live_until(45 * DAY).await;
    assert_eq!(
        host.actions(),
        [Action::Register, Action::Quarantine, Action::Release]
    );
    assert_eq!(host.around.trainer.requests().len(), 1);
    assert_eq!(host.diary.refusals, 0);
    host
}

#[tokio::test]
async fn a_training_keeps_away_from_rows_that_were_quarantined() {
    let world = World::stable(13)
        .turning_at(5 * DAY)
        .broken(8 * DAY, 10 * DAY, Broken::Missing);
    let mut host = Host::start_in(Surroundings::learning_from(world, 20), settings()).await;
    host.live_until_done(Action::Promote, 50 * DAY).await;
    assert_eq!(host.told(), ["inputs are in quarantine"]);

    let requests = host.around.trainer.requests();
    let [_, retrained] = requests.as_slice() else {
        panic!("trained {} times", requests.len())
    };
    let excluded = |hour: i64| {
        let at = asked_at(hour);
        retrained.quarantined.iter().any(|span| span.contains(at))
    };
    assert!(!excluded(8 * DAY - 1));
    assert!((8 * DAY..10 * DAY).all(excluded));
    assert!(!excluded(10 * DAY));
    assert!(!excluded(11 * DAY));

    // Without those spans, the broken rows would have been learned from.
    let careless = TrainingRequest {
        quarantined: Vec::new(),
        ..retrained.clone()
    };
    assert!(host.around.trainer.train(&careless).await.is_err());
}

#[tokio::test]
async fn rows_that_have_not_passed_the_gate_yet_are_not_learned_from_either() {
    let mut host = Host::start(World::stable(14).turning_at(5 * DAY)).await;
    host.live_until_done(Action::Retrain, 40 * DAY).await;
    let job = host.controller.state().training().unwrap();
    let spans = &job.request().quarantined;
    assert!(spans.iter().any(|span| span.contains(asked_at(host.hour))));
    // Harm is proven at the end of a day, which is when a batch ends: what lies before is free to be learned from.
    assert!(
        !spans
            .iter()
            .any(|span| span.contains(asked_at(host.hour - 1)))
    );
}

#[tokio::test]
async fn harm_found_in_quarantine_waits_for_its_end() {
    // The upstream breaks while the last labels come in that prove the harm, and stays broken for ten days.
    let turned = World::stable(15).turning_at(5 * DAY);
    let mut whole = Host::start(turned.clone()).await;
    whole.live_until_done(Action::Retrain, 40 * DAY).await;
    let harmed = whole.hour;

    let breaks = harmed - DAY;
    let broken = turned.broken(breaks, breaks + 10 * DAY, Broken::Missing);
    let mut host = Host::start(broken).await;
    host.live_until_done(Action::Retrain, 60 * DAY).await;
    assert_eq!(
        host.actions(),
        [
            Action::Register,
            Action::Quarantine,
            Action::Release,
            Action::Retrain
        ]
    );
    assert_eq!(host.hour, breaks + 11 * DAY);
}
