//! Two controllers of one model: only the one with the newer lease acts.

use noops_core::{AliasMove, AuditLog, AuditRecord, ErrorKind, FencingToken, ModelRegistry};
use noops_policy::Action;
use noops_serve::Controller;

use crate::host::{Host, Surroundings, first, settings, upside_down};
use crate::policies;
use crate::world::{DAY, World, at};

/// A host with the first lease, and in its registry a version that will be promoted.
async fn promoting() -> Host {
    let around = Surroundings::new(World::stable(22).turning_at(0)).with_token(1);
    let host = Host::start_in(around, settings()).await;
    host.push(&upside_down().to_bytes(), |_| ()).await;
    host
}

/// Days in which the controller is shown everything and does nothing, while predictions go on.
async fn assert_stopped(host: &mut Host, days: i64) {
    let (log, champions) = (host.around.log().await, host.around.champions().await);
    let (state, share) = (
        host.controller.state().clone(),
        host.controller.deployment().share(),
    );
    drop(host.told());
    for _ in 0..days * DAY {
        let refused = host.try_to_live_an_hour().await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Fenced, "{refused}");
    }
    assert_eq!(host.around.log().await, log);
    assert_eq!(host.around.champions().await, champions);
    assert_eq!(host.controller.state().champion(), state.champion());
    assert_eq!(host.controller.deployment().share(), share);
    let answers = host.controller.deployment().champion();
    assert_eq!(answers.digest(), state.champion().digest());
    assert!(
        host.controller.state().awaiting_labels() <= state.awaiting_labels(),
        "what nobody judges any more does not pile up"
    );
    assert_eq!(host.told(), Vec::<String>::new());
    assert_eq!(host.diary.refusals, 0, "predictions go on");
}

#[tokio::test]
async fn a_controller_whose_successor_has_acted_writes_nothing_moves_nothing_and_changes_nothing() {
    let mut old = promoting().await;
    old.live_until_done(Action::Shadow, 12 * DAY).await;
    let mut new = old.successor(2).await;
    new.live_until_done(Action::Promote, 12 * DAY).await;
    assert_eq!(new.controller.state().champion().number(), 2);
    let (log, champions) = (new.around.log().await, new.around.champions().await);

    // Shown the same events, it would take the same decisions.
    let refused = old.live_until_refused(12 * DAY).await;
    assert_eq!(refused.kind(), ErrorKind::Fenced, "{refused}");
    assert_stopped(&mut old, 3).await;
    assert_eq!(old.around.log().await, log);
    assert_eq!(old.around.champions().await, champions);
    assert_eq!(old.controller.state().champion().number(), 1);

    // Nor does it put the alias back to what it remembers when it is started again with its old lease.
    let components = old.around.components(policies::all());
    let state = old.controller.state().clone();
    let refused = Controller::resume(components, settings(), state, at(old.hour)).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Fenced);
    assert_eq!(old.around.champions().await, champions);

    new.live_until(new.hour + 2 * DAY).await;
    assert!(noops_serve::verify_decisions(&new.around.log().await).is_ok());
}

#[tokio::test]
async fn a_promotion_that_the_registry_refuses_is_the_last_thing_that_is_tried() {
    let mut host = promoting().await;
    host.live_until_done(Action::Ramp, 12 * DAY).await;
    // Somebody with a newer lease has moved another alias, and written nothing into this log.
    let change = AliasMove {
        alias: "other".parse().unwrap(),
        from: None,
        to: Some(host.controller.state().champion().digest()),
        at: at(host.hour),
        token: FencingToken::new(2),
    };
    let registry = &host.around.registry;
    registry
        .move_alias(&settings().model, &change)
        .await
        .unwrap();
    drop(host.told());

    let refused = host.live_until_refused(12 * DAY).await;
    assert_eq!(refused.kind(), ErrorKind::Fenced, "{refused}");
    assert_eq!(
        host.told(),
        Vec::<String>::new(),
        "no person can help a controller that has lost its lease"
    );
    let log = host.around.log().await;
    assert_eq!(log.last().unwrap().record.kind, "promote");
    assert_stopped(&mut host, 3).await;
    assert_eq!(host.controller.state().champion().number(), 1);
    assert_eq!(host.around.champions().await.len(), 1);
}

#[tokio::test]
async fn a_training_that_ends_after_the_lease_was_lost_is_no_failed_training() {
    let around = Surroundings::new(World::stable(5).turning_at(5 * DAY)).with_token(1);
    let mut host = Host::start_in(around, settings()).await;
    host.live_until_done(Action::Retrain, 40 * DAY).await;
    let record = AuditRecord {
        key: "from somebody with a newer lease".to_owned(),
        at: at(host.hour),
        kind: "escalate".to_owned(),
        body: serde_json::Value::Null,
        token: FencingToken::new(2),
    };
    host.around.audit.append(record).await.unwrap();
    drop(host.told());

    let refused = host.live_until_refused(45 * DAY).await;
    assert_eq!(refused.kind(), ErrorKind::Fenced, "{refused}");
    assert_eq!(host.told(), Vec::<String>::new());
    assert!(host.controller.state().training().is_some());
    assert_eq!(host.around.versions().await.len(), 1);
    assert_stopped(&mut host, 3).await;
}

#[tokio::test]
async fn a_controller_with_a_stale_token_does_not_begin_and_trains_nothing() {
    let around = Surroundings::new(World::stable(52)).with_token(2);
    let host = Host::start_in(around.clone(), settings()).await;
    let (log, trained) = (around.log().await, around.trainer.requests().len());
    let components = around.clone().with_token(1).components(policies::all());
    let refused = Controller::bootstrap(components, settings(), &first())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Fenced, "{refused}");
    assert_eq!(around.trainer.requests().len(), trained);
    assert_eq!(around.log().await, log);
    assert_eq!(host.around.champions().await.len(), 1);
}
