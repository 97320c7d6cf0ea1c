use jiff::Timestamp;
use noops_canary::Arm;
use noops_core::ManualClock;

use super::*;
use crate::runtime::exposure::{AnsweredBy, ExposureOutcome};
use crate::runtime::request::{Refusal, Request};
use crate::runtime::testing::{rows, served};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH))
}

fn deployment(champion: Arc<ServedModel>) -> Deployment {
    Deployment::new(champion, clock(), &DeploymentSettings::default())
}

fn request(ids: std::ops::Range<usize>, x: Option<f64>) -> Request {
    let xs = vec![x; ids.len()];
    Request::new(ids.map(|id| format!("r{id}")).collect(), rows(&xs)).unwrap()
}

fn half() -> Share {
    Share::from_ppm(500_000).unwrap()
}

#[tokio::test]
async fn a_champion_alone_answers_everything_and_records_it() {
    let deployment = deployment(served("champion", |x| x));
    let reply = deployment
        .predict(&request(0..3, Some(0.25)))
        .await
        .unwrap();
    assert!(
        reply
            .iter()
            .all(|answer| answer.as_ref().unwrap().score() == 0.25)
    );
    let exposures = deployment.drain_exposures();
    assert_eq!(exposures.len(), 3);
    assert_eq!(exposures[2].request, "r2");
    assert!(deployment.score_shadows().is_empty());
}

#[tokio::test]
async fn a_row_that_breaks_the_contract_costs_its_neighbours_nothing() {
    let deployment = deployment(served("champion", |x| x));
    let request = Request::new(
        vec!["a".into(), "b".into(), "c".into()],
        rows(&[Some(0.1), None, Some(0.3)]),
    )
    .unwrap();
    let reply = deployment.predict(&request).await.unwrap();
    assert_eq!(reply[0].as_ref().unwrap().score(), 0.1);
    assert_eq!(reply[1].as_ref().unwrap_err().to_string(), "`x` is missing");
    assert_eq!(reply[2].as_ref().unwrap().score(), 0.3);
}

#[tokio::test]
async fn a_challenger_in_shadow_sees_everything_and_answers_nothing() {
    let deployment = deployment(served("champion", |x| x));
    deployment.challenge(
        served("challenger", |x| 1.0 - x),
        Salt::new("rollout"),
        Share::ZERO,
    );
    let reply = deployment
        .predict(&request(0..50, Some(0.25)))
        .await
        .unwrap();
    assert!(
        reply
            .iter()
            .all(|answer| answer.as_ref().unwrap().answered_by() == AnsweredBy::Champion)
    );
    let shadows = deployment.score_shadows();
    assert_eq!(shadows.len(), 50);
    assert!(
        shadows
            .iter()
            .all(|shadow| shadow.arm == Arm::Challenger && shadow.score == Some(0.75))
    );
}

#[tokio::test]
async fn in_a_ramp_every_row_is_scored_once_by_each_arm() {
    let deployment = deployment(served("champion", |_| 0.25));
    deployment.challenge(served("challenger", |_| 0.75), Salt::new("rollout"), half());
    let reply = deployment
        .predict(&request(0..400, Some(0.5)))
        .await
        .unwrap();
    let live = reply
        .iter()
        .filter(|answer| answer.as_ref().unwrap().answered_by() == AnsweredBy::Challenger)
        .count();
    // scipy.stats.binom.interval(0.9999, 400, 0.5) == (161, 239)
    assert!((161..=239).contains(&live), "{live}");
    let shadows = deployment.score_shadows();
    assert_eq!(shadows.len(), 400);
    assert_eq!(
        shadows
            .iter()
            .filter(|shadow| shadow.arm == Arm::Champion)
            .count(),
        live
    );
    assert_eq!(deployment.drain_exposures().len(), 400);
}

#[tokio::test]
async fn a_challenger_that_fails_falls_back_to_the_champion_and_is_no_success() {
    let champion = served("champion", |x| x);
    let challenger = served("challenger", |x| if x == 0.77 { f32::NAN } else { x });
    let deployment = deployment(champion.clone());
    deployment.challenge(challenger, Salt::new("rollout"), Share::FULL);
    let reply = deployment
        .predict(&request(0..10, Some(0.77)))
        .await
        .unwrap();
    assert!(
        reply
            .iter()
            .all(|answer| answer.as_ref().unwrap().answered_by() == AnsweredBy::Fallback)
    );
    assert!(
        reply
            .iter()
            .all(|answer| answer.as_ref().unwrap().version() == champion.digest())
    );
    let exposures = deployment.drain_exposures();
    assert!(
        exposures
            .iter()
            .all(|exposure| exposure.arm == Arm::Challenger)
    );
    let table = Exposure::to_record_batch(&exposures).unwrap();
    assert_eq!((table.num_rows(), table.num_columns()), (10, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swapping_under_load_loses_and_mixes_nothing() {
    let champion = |n: usize| served(&format!("champion {n}"), move |_| n as f32 / 1_000.0);
    let deployment = Arc::new(deployment(champion(0)));
    let answering = tokio::spawn({
        let deployment = deployment.clone();
        async move {
            for round in 0..500 {
                let reply = deployment
                    .predict(&request(round * 4..round * 4 + 4, Some(0.5)))
                    .await
                    .unwrap();
                let first = reply[0].as_ref().unwrap().score();
                assert!(
                    reply
                        .iter()
                        .all(|answer| answer.as_ref().unwrap().score() == first),
                    "one version per request"
                );
                tokio::task::yield_now().await;
            }
        }
    });
    for n in 1..500 {
        deployment.crown(champion(n));
        tokio::task::yield_now().await;
    }
    answering.await.unwrap();
    assert_eq!(deployment.drain_exposures().len(), 2_000);
}

#[tokio::test]
async fn crowning_withdraws_a_challenger_of_the_old_champion() {
    let deployment = deployment(served("a", |x| x));
    deployment.challenge(served("b", |x| x), Salt::new("rollout"), half());
    deployment.crown(served("c", |x| x));
    assert!(deployment.challenger().is_none());
    assert_eq!(deployment.share(), Share::ZERO);
}

#[tokio::test]
async fn what_waits_beside_the_path_is_bounded() {
    let settings = DeploymentSettings::default()
        .with_exposures(5)
        .with_shadow_copies(1);
    let deployment = Deployment::new(served("champion", |x| x), clock(), &settings);
    deployment.challenge(
        served("challenger", |x| x),
        Salt::new("rollout"),
        Share::ZERO,
    );
    for round in 0..3 {
        deployment
            .predict(&request(round..round + 4, Some(0.5)))
            .await
            .unwrap();
    }
    assert_eq!(
        deployment.dropped(),
        Dropped {
            exposures: 7,
            shadow_copies: 2,
            observations: 0,
        }
    );
}

#[tokio::test]
async fn a_missing_column_fails_the_request_by_name() {
    let deployment = deployment(served("champion", |x| x));
    let other = arrow_array::RecordBatch::try_from_iter([(
        "y",
        Arc::new(arrow_array::Float64Array::from(vec![1.0])) as _,
    )])
    .unwrap();
    let error = deployment
        .predict(&Request::new(vec!["a".into()], other).unwrap())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("column `x`"), "{error}");
    assert!(Request::new(vec![], rows(&[Some(1.0)])).is_err());
}

#[tokio::test]
async fn a_fallback_answers_what_the_models_cannot_and_is_no_success() {
    let champion = served("champion", |x| if x == 0.77 { f32::NAN } else { x });
    let deployment = deployment(champion);
    deployment.fall_back_to(Fallback::constant(&[0.5]));
    let xs = [Some(0.1), Some(0.77), None];
    let ids = ["a", "b", "c"].map(str::to_owned).to_vec();
    let request = Request::new(ids, rows(&xs)).unwrap();
    let reply = deployment.predict(&request).await.unwrap();
    assert_eq!(reply[0].as_ref().unwrap().score(), 0.1);
    let answer = reply[1].as_ref().unwrap();
    assert_eq!(
        (answer.score(), answer.answered_by()),
        (0.5, AnsweredBy::Fallback)
    );
    assert!(
        matches!(reply[2], Err(Refusal::Contract(_))),
        "a row that is refused is not guessed"
    );
    let outcomes: Vec<_> = deployment
        .drain_exposures()
        .into_iter()
        .map(|exposure| exposure.outcome)
        .collect();
    assert!(matches!(
        outcomes[1],
        ExposureOutcome::Answered {
            by: AnsweredBy::Fallback,
            ..
        }
    ));

    deployment.fall_back_to(Fallback::Model(served("spare", |_| 0.25)));
    let request = request_of(&[Some(0.77)]);
    let reply = deployment.predict(&request).await.unwrap();
    assert_eq!(reply[0].as_ref().unwrap().score(), 0.25);
}

#[tokio::test]
async fn several_challengers_share_the_traffic_and_each_sees_everything_once() {
    let deployment = deployment(served("champion", |_| 0.0));
    let tenth = Share::from_ppm(100_000).unwrap();
    let challengers = vec![
        (served("one", |_| 0.1), tenth),
        (served("two", |_| 0.2), tenth),
    ];
    deployment
        .challenge_with_many(challengers.clone(), Salt::new("rollout"))
        .unwrap();
    assert_eq!(deployment.share(), Share::from_ppm(200_000).unwrap());
    let reply = deployment
        .predict(&request(0..1_000, Some(0.5)))
        .await
        .unwrap();
    let answered = |score: f32| {
        reply
            .iter()
            .filter(|answer| answer.as_ref().unwrap().score() == score)
            .count()
    };
    // scipy.stats.binom.interval(0.9999, 1000, 0.1) == (65, 138)
    assert!((65..=138).contains(&answered(0.1)) && (65..=138).contains(&answered(0.2)));
    let shadows = deployment.score_shadows();
    for (model, _) in &challengers {
        let shown = shadows
            .iter()
            .filter(|shadow| shadow.version == model.digest())
            .count();
        let live = reply
            .iter()
            .filter(|answer| answer.as_ref().unwrap().version() == model.digest())
            .count();
        assert_eq!(shown + live, 1_000);
    }
    let twice = vec![challengers[0].clone(), challengers[0].clone()];
    assert!(
        deployment
            .challenge_with_many(twice, Salt::new("rollout"))
            .is_err()
    );
    assert!(
        deployment
            .challenge_with_many(Vec::new(), Salt::new("rollout"))
            .is_err()
    );
}

#[tokio::test]
async fn a_forced_arm_answers_and_is_nothing_to_judge_by() {
    let deployment = deployment(served("champion", |_| 0.0));
    deployment.challenge(
        served("challenger", |_| 1.0),
        Salt::new("rollout"),
        Share::ZERO,
    );
    let request = request(0..5, Some(0.5)).with_arm(Arm::Challenger);
    let reply = deployment.predict(&request).await.unwrap();
    assert!(
        reply
            .iter()
            .all(|answer| answer.as_ref().unwrap().score() == 1.0)
    );
    assert!(
        deployment
            .drain_exposures()
            .iter()
            .all(|exposure| !exposure.in_analysis)
    );
}

#[tokio::test]
async fn a_shadow_sees_its_sample_and_answers_nothing() {
    let deployment = deployment(served("champion", |_| 0.0));
    deployment.shadow(served("shadow", |_| 1.0), half());
    let reply = deployment
        .predict(&request(0..400, Some(0.5)))
        .await
        .unwrap();
    assert!(
        reply
            .iter()
            .all(|answer| answer.as_ref().unwrap().score() == 0.0)
    );
    let seen = deployment.score_shadows().len();
    // scipy.stats.binom.interval(0.9999, 400, 0.5) == (161, 239)
    assert!((161..=239).contains(&seen), "{seen}");
    deployment.withdraw_shadows();
    drop(
        deployment
            .predict(&request(0..400, Some(0.5)))
            .await
            .unwrap(),
    );
    assert!(deployment.score_shadows().is_empty());
}

#[tokio::test]
async fn versions_that_were_swapped_out_are_freed_off_the_path() {
    let first = served("first", |x| x);
    let weak = Arc::downgrade(&first);
    let deployment = deployment(first);
    let pinned = deployment.champion();
    deployment.crown(served("second", |x| x));
    deployment.free_retired();
    drop(pinned);
    assert!(weak.upgrade().is_none());
}

fn request_of(xs: &[Option<f64>]) -> Request {
    let ids = (0..xs.len()).map(|id| format!("r{id}")).collect();
    Request::new(ids, rows(xs)).unwrap()
}
