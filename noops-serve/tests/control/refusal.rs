//! A controller that may not begin leaves nothing behind.

use noops_core::{Error, ErrorKind};
use noops_serve::{Controller, PolicyDocument};

use crate::host::{Surroundings, first, settings};
use crate::model::Work;
use crate::policies;
use crate::world::World;

async fn refused(around: &Surroundings, policies: Vec<PolicyDocument>) -> Error {
    let components = around.components(policies);
    Controller::bootstrap(components, settings(), &first())
        .await
        .unwrap_err()
}

#[tokio::test]
async fn policies_that_do_not_load_leave_nothing_registered_and_nothing_written() {
    let mistakes = [
        // A number compared with a text, a fact that does not exist, an action that does not exist.
        ("harm.max_e >= 20.0", "harm.max_e >= \"much\""),
        ("harm.max_e >= 20.0", "harm.maximum >= 20.0"),
        ("action: shadow", "action: shade"),
        // A rule that contradicts the policy's own test.
        ("harm.max_e >= 20.0", "harm.max_e >= 30.0"),
    ];
    for (old, new) in mistakes {
        let around = Surroundings::new(World::stable(41));
        let error = refused(&around, policies::with(old, new)).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert_eq!(error.operation(), "load the policies", "{error}");
        assert!(around.versions().await.is_empty(), "{new}");
        assert!(around.champions().await.is_empty(), "{new}");
        assert!(around.log().await.is_empty(), "{new}");
        assert!(around.trainer.requests().is_empty(), "{new}");
    }
}

#[tokio::test]
async fn a_first_version_that_no_policy_lets_in_is_written_down_but_not_registered() {
    let around = Surroundings::new(World::stable(42));
    let stricter = policies::with(
        "candidate.first && candidate.auc >= 0.6",
        "candidate.first && candidate.auc >= 0.99",
    );
    let error = refused(&around, stricter).await;
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert!(around.versions().await.is_empty());
    assert!(around.champions().await.is_empty());
    let log = around.log().await;
    let kinds: Vec<&str> = log.iter().map(|entry| entry.record.kind.as_str()).collect();
    assert_eq!(kinds, ["start", "register"]);
}

#[tokio::test]
async fn a_first_training_that_fails_registers_nothing() {
    let around = Surroundings::new(World::stable(43));
    around.trainer.work(Work::Failing);
    let error = refused(&around, policies::all()).await;
    assert!(error.to_string().contains("on fire"), "{error}");
    assert!(around.versions().await.is_empty());

    // The run may be started again over the same log.
    around.trainer.work(Work::Honest);
    let components = around.components(policies::all());
    let (controller, _) = Controller::bootstrap(components, settings(), &first())
        .await
        .unwrap();
    assert_eq!(controller.state().champion().number(), 1);
}
