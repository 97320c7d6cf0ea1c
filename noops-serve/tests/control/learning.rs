//! When a new version is made, and when not.

use noops_core::Severity;
use noops_policy::Action;

use crate::host::Host;
use crate::model::Work;
use crate::world::{DAY, World, at};

#[tokio::test]
async fn a_stable_world_is_left_alone() {
    for seed in 1..=3 {
        let mut host = Host::start(World::stable(seed)).await;
        host.live_until(60 * DAY).await;
        assert_eq!(host.actions(), [Action::Register], "seed {seed}");
        assert_eq!(host.around.trainer.requests().len(), 1);
        assert_eq!(host.around.champions().await.len(), 1);
        assert_eq!(host.diary.refusals, 0);
        assert_eq!(host.told(), Vec::<String>::new());
        // A prediction without a label is forgotten after a day.
        assert!(host.controller.state().awaiting_labels() < 24 * 60);
    }
}

#[tokio::test]
async fn when_the_truth_turns_a_better_version_takes_over_and_no_prediction_fails() {
    let mut host = Host::start(World::stable(4).turning_at(5 * DAY)).await;
    let old = host.controller.state().champion().digest();
    host.live_until_done(Action::Promote, 40 * DAY).await;
    let promoted_at = at(host.hour);
    assert_eq!(
        host.actions(),
        [
            Action::Register,
            Action::Retrain,
            Action::Register,
            Action::Shadow,
            Action::Ramp,
            Action::Ramp,
            Action::Promote,
        ]
    );

    let new = host.controller.state().champion().digest();
    assert_eq!(host.controller.state().champion().number(), 2);
    let champions = host.around.champions().await;
    let since: Vec<_> = champions
        .iter()
        .map(|champion| (champion.digest, champion.since))
        .collect();
    assert_eq!(since, [(Some(old), at(0)), (Some(new), promoted_at)]);
    // Thirty hours of training at sixty rows an hour.
    assert_eq!(host.diary.answers_while_training, 30 * 60);
    let ramped = host.diary.answers.get(&new).copied().unwrap_or(0);
    assert!(ramped > 0, "it was promoted without a live answer");

    // The new version is right, so nothing more is done.
    host.live_until(60 * DAY).await;
    assert_eq!(host.times(Action::Retrain), 1);
    assert_eq!(host.times(Action::Promote), 1);
    assert_eq!(host.diary.refusals, 0);
    assert_eq!(host.told(), Vec::<String>::new());
}

#[tokio::test]
async fn a_failed_training_is_told_tried_again_after_the_cooldown_and_the_third_calls_a_person() {
    let mut host = Host::start(World::stable(5).turning_at(5 * DAY)).await;
    host.around.trainer.work(Work::Failing);
    host.live_until_done(Action::Escalate, 50 * DAY).await;

    let requests = host.around.trainer.requests();
    let runs: Vec<&str> = requests
        .iter()
        .map(|request| request.run.as_str())
        .collect();
    assert_eq!(runs, ["tides-1", "tides-2", "tides-3", "tides-4"]);
    let asked: Vec<i64> = requests
        .iter()
        .map(|request| request.snapshot_at.as_second() / 3600)
        .collect();
    assert_eq!([asked[2] - asked[1], asked[3] - asked[2]], [72, 72]);
    let messages = host.messages();
    let told: Vec<(Severity, &str)> = messages
        .iter()
        .map(|message| (message.severity, message.title.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Severity::Ticket, "training tides-2 failed"),
            (Severity::Ticket, "training tides-3 failed"),
            (Severity::Ticket, "training tides-4 failed"),
            (Severity::Page, "automation needs a person"),
        ]
    );
    assert!(messages[0].body.contains("on fire"), "{}", messages[0].body);
    assert_eq!(host.controller.state().champion().number(), 1);

    // Once the machine is put out, the next training succeeds.
    host.around.trainer.work(Work::Honest);
    let limit = host.hour + 20 * DAY;
    host.live_until_done(Action::Promote, limit).await;
    assert_eq!(host.times(Action::Escalate), 1);
    assert_eq!(host.diary.refusals, 0);
}

#[tokio::test]
async fn a_candidate_that_is_worse_on_held_out_rows_is_never_registered() {
    let mut host = Host::start(World::stable(6).turning_at(5 * DAY)).await;
    host.around.trainer.work(Work::Boastful);
    host.live_until_done(Action::Retrain, 40 * DAY).await;
    host.live_until(host.hour + 2 * DAY).await;
    let refused: Vec<_> = host
        .diary
        .acted
        .iter()
        .filter(|acted| acted.action == Action::Register && !acted.allowed)
        .collect();
    assert_eq!(refused.len(), 1);
    let because = &refused[0].because;
    assert!(because.contains("inferior"), "{because}");
    assert_eq!(host.around.versions().await.len(), 1);
    assert_eq!(host.times(Action::Shadow), 0);
    // The refusal is a decision, and is written down as one.
    let log = host.around.log().await;
    let registers = log.iter().filter(|entry| entry.record.kind == "register");
    assert_eq!(registers.count(), 2);
}
