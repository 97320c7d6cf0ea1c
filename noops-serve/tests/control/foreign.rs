//! Versions that somebody else has put into the registry.

use noops_canary::rollout::Stage;
use noops_core::Digest;
use noops_policy::Action;
use noops_serve::Subject;

use crate::host::{Host, upside_down};
use crate::model::Line;
use crate::world::{DAY, World};

#[tokio::test]
async fn a_bad_version_dies_in_shadow_without_a_live_answer_and_is_never_tried_again() {
    let mut host = Host::start(World::stable(21)).await;
    host.live_until(DAY).await;
    let bad = host.push(&upside_down().to_bytes(), |_| ()).await;
    host.live_until_done(Action::Shadow, DAY + 3).await;
    let experiment = host.controller.state().experiment().unwrap();
    assert_eq!(experiment.candidate(), bad.digest());
    assert_eq!(experiment.stage(), Stage::Shadow);

    host.live_until_done(Action::Rollback, 6 * DAY).await;
    assert_eq!(host.told(), ["version 2 was rolled back"]);
    assert!(host.controller.state().experiment().is_none());
    // Not by the poll of the registry, and not by another process.
    host.live_until(10 * DAY).await;
    let saved = host.save();
    host.resume(&saved, host.hour).await;
    host.live_until(20 * DAY).await;

    assert_eq!(
        host.actions(),
        [Action::Register, Action::Shadow, Action::Rollback]
    );
    assert_eq!(host.diary.answers.get(&bad.digest()), None);
    assert_eq!(host.controller.state().champion().number(), 1);
    assert_eq!(host.around.champions().await.len(), 1);
    assert_eq!(host.diary.refusals, 0);
}

#[tokio::test]
async fn a_halted_automation_does_nothing_and_goes_on_where_it_was_when_released() {
    let mut host = Host::start(World::stable(24)).await;
    host.live_until(DAY).await;
    host.push(&upside_down().to_bytes(), |_| ()).await;
    host.live_until_done(Action::Shadow, DAY + 3).await;
    host.controller.halt_automation();
    // Another process finds the switch where it was.
    let saved = host.save();
    host.resume(&saved, host.hour).await;
    host.live_until(6 * DAY).await;
    assert_eq!(host.actions(), [Action::Register, Action::Shadow]);
    assert_eq!(host.diary.refusals, 0, "predictions go on");

    host.controller.release_automation();
    host.live_until(6 * DAY + 1).await;
    assert_eq!(host.times(Action::Rollback), 1);
    assert!(noops_serve::verify_decisions(&host.around.log().await).is_ok());
}

#[tokio::test]
async fn a_better_version_from_somebody_else_is_welcome() {
    let mut host = Host::start(World::stable(22).turning_at(0)).await;
    let good = host.push(&upside_down().to_bytes(), |_| ()).await;
    host.live_until_done(Action::Promote, 12 * DAY).await;
    assert_eq!(host.controller.state().champion().digest(), good.digest());
    assert_eq!(host.times(Action::Retrain), 0);
    assert_eq!(host.diary.refusals, 0);
}

#[tokio::test]
async fn versions_that_cannot_be_served_are_refused_told_and_cost_nothing() {
    let mut host = Host::start(World::stable(23)).await;
    host.live_until(DAY).await;
    let corrupt = host.push(b"no line at all", |_| ()).await;
    let unprofiled = Line {
        intercept: 0.21,
        slope: 0.6,
    };
    let unprofiled = host
        .push(&unprofiled.to_bytes(), |registration| {
            registration.profile = None;
        })
        .await;
    let lost = host
        .push(b"other bytes", |registration| {
            registration.digest = Digest::of(b"bytes that nobody has stored");
        })
        .await;
    host.live_until(5 * DAY).await;

    // The oldest first, one at every poll.
    let tried: Vec<&Subject> = host
        .diary
        .acted
        .iter()
        .filter(|acted| acted.action == Action::Shadow)
        .map(|acted| &acted.subject)
        .collect();
    let expected: Vec<Subject> = [&corrupt, &unprofiled, &lost]
        .map(|version| Subject::Version {
            number: version.number(),
            digest: version.digest(),
        })
        .to_vec();
    assert_eq!(tried, expected.iter().collect::<Vec<_>>());
    let told = host.told();
    for number in [2, 3, 4] {
        let title = format!("version {number} cannot be served");
        let times = told.iter().filter(|told| **told == title).count();
        assert_eq!(times, 1, "{told:?}");
    }

    assert_eq!(host.controller.state().champion().number(), 1);
    assert!(host.controller.state().experiment().is_none());
    assert!(host.controller.deployment().challenger().is_none());
    assert_eq!(
        host.diary.answers.len(),
        1,
        "only the champion has answered"
    );
    assert_eq!(host.diary.refusals, 0);
}
