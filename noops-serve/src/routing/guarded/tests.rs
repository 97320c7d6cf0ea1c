use std::sync::atomic::{AtomicBool, Ordering};

use noops_core::{ErrorKind, Feature, FeatureRule, ManualClock};

use super::*;
use crate::routing::Verdict;
use crate::routing::testing::{
    Model, advance, clock, contract, contract_of, names, request, scores,
};
use crate::runtime::{AnsweredBy, Fallback};

/// Vetoes scores above a half, and rows of which `x` is 0.25; errs at 0.125, panics at 0.0625.
#[derive(Debug)]
struct Careful;

impl Guard for Careful {
    fn judge(&self, row: &Judged<'_>) -> Result<Verdict, Error> {
        let x = row.features().number("x");
        if x == Some(0.125) {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "look",
                "the lights are out",
            ));
        }
        assert!(x != Some(0.0625), "it is too dark");
        if row.scores()[0] > 0.5 || x == Some(0.25) {
            let because = format!("{} is not safe", row.id());
            return Ok(Verdict::Veto { because });
        }
        Ok(Verdict::Pass)
    }
}

fn careful() -> GuardCheck {
    GuardCheck::host(Arc::new(Careful), &contract()).unwrap()
}

fn guarded(model: &Model, check: GuardCheck, instead: Substitute) -> Guarded {
    Guarded::new(model.target("model"), check, instead, clock())
}

fn constant() -> Substitute {
    Substitute::constant(&[0.0])
}

fn causes(routed: &Routed) -> Vec<Option<VetoCause>> {
    let rows = routed.rows().iter();
    rows.map(|row| row.veto().map(Veto::cause)).collect()
}

#[tokio::test]
async fn a_veto_falls_back_and_is_no_success() {
    let model = Model::new("model", |x| x);
    let guarded = guarded(&model, careful(), constant());
    let routed = guarded.route(&request(&[0.5, 0.75, 0.25])).await.unwrap();
    assert_eq!(scores(&routed), [0.5, 0.0, 0.0]);
    assert_eq!(names(&routed), ["model", "-", "-"]);
    assert_eq!(routed.vetoed().collect::<Vec<_>>(), [1, 2]);
    let vetoed = &routed.rows()[1];
    assert_eq!(vetoed.veto().unwrap().because(), "r1 is not safe");
    assert_eq!(vetoed.answer().unwrap().answered_by(), AnsweredBy::Fallback);
    let counts = guarded.counts();
    assert_eq!((counts.rows, counts.vetoed, counts.fallbacks), (3, 2, 2));
    assert_eq!(counts.answered.values().sum::<u64>(), 1);
}

#[tokio::test]
async fn a_guard_that_errs_or_panics_vetoes_that_row_alone() {
    let model = Model::new("model", |x| x);
    let guarded = guarded(&model, careful(), constant());
    let routed = guarded
        .route(&request(&[0.125, 0.0625, 0.5]))
        .await
        .unwrap();
    let failed = Some(VetoCause::Failed);
    assert_eq!(causes(&routed), [failed, failed, None]);
    assert_eq!(scores(&routed), [0.0, 0.0, 0.5]);
    let because = routed.rows()[0].veto().unwrap().because();
    assert_eq!(because, "the guard failed: cannot look: the lights are out");
    assert_eq!(guarded.counts().failed_guards, 2);
}

#[tokio::test]
async fn a_guard_that_cannot_read_the_rows_vetoes_them_all() {
    let model = Model::new("model", |x| x);
    let others = ["x", "y"].map(|name| FeatureRule::strict(Feature::number(name)));
    let check = GuardCheck::host(Arc::new(Careful), &contract_of(others)).unwrap();
    let guarded = guarded(&model, check, constant());
    let routed = guarded.route(&request(&[0.5, 0.4])).await.unwrap();
    assert_eq!(causes(&routed), [Some(VetoCause::Failed); 2]);
}

/// Takes its time.
#[derive(Debug)]
struct Slow(Arc<ManualClock>);

impl Guard for Slow {
    fn judge(&self, _: &Judged<'_>) -> Result<Verdict, Error> {
        advance(&self.0, Duration::from_millis(10));
        Ok(Verdict::Pass)
    }
}

#[tokio::test]
async fn a_verdict_after_the_deadline_is_a_veto() {
    let clock = clock();
    let model = Model::new("model", |x| x);
    let check = GuardCheck::host(Arc::new(Slow(clock.clone())), &contract()).unwrap();
    let guarded = Guarded::new(model.target("model"), check, constant(), clock.clone());
    let asked = request(&[0.5; 4]).with_timeout(Duration::from_millis(25));
    let start = clock.now();
    let routed = guarded.route(&asked).await.unwrap();
    let late = Some(VetoCause::Late);
    assert_eq!(causes(&routed), [None, None, late, late]);
    assert_eq!(guarded.counts().late_guards, 2);
    // The fourth was not even asked about.
    assert_eq!(clock.now().duration_since(start).as_millis(), 30);
    let patient = guarded.route(&request(&[0.5; 4])).await.unwrap();
    assert_eq!(patient.vetoed().count(), 0);
}

#[tokio::test]
async fn what_was_refused_is_not_judged() {
    let model = Model::new("model", |x| x);
    let guarded = guarded(&model, careful(), constant());
    let routed = guarded.route(&request(&[7.0])).await.unwrap();
    assert!(matches!(
        routed.rows()[0].answer(),
        Err(Refusal::Contract(_))
    ));
    assert_eq!((guarded.counts().refused, guarded.counts().vetoed), (1, 0));
}

#[tokio::test]
async fn a_model_vetoes_above_its_threshold_and_not_at_it() {
    let (model, safety) = (Model::new("model", |x| x), Model::new("safety", |x| x));
    let check = GuardCheck::model(safety.target("safety"), 0.5).unwrap();
    let guarded = guarded(&model, check, constant());
    let routed = guarded
        .route(&request(&[0.5, 0.75, 7.0, 0.25]))
        .await
        .unwrap();
    assert_eq!(
        causes(&routed),
        [None, Some(VetoCause::Verdict), None, None]
    );
    let because = routed.rows()[1].veto().unwrap().because();
    assert_eq!(because, "`safety` scored 0.75, above 0.5");
    assert_eq!(safety.rows(), 3);
    assert!(GuardCheck::model(safety.target("safety"), f32::NAN).is_err());
}

#[tokio::test]
async fn a_safety_model_that_is_overloaded_vetoes_everything_with_and_without_a_fallback() {
    let (model, safety) = (Model::new("model", |x| x), Model::new("safety", |_| 0.0));
    let _waits = safety.overload();
    let check = GuardCheck::model(safety.target("safety"), 0.5).unwrap();
    let guarded = guarded(&model, check, constant());
    let asked = request(&[0.5, 0.25]);
    let routed = guarded.route(&asked).await.unwrap();
    assert_eq!(causes(&routed), [Some(VetoCause::Failed); 2]);
    safety.deployment.fall_back_to(Fallback::constant(&[0.0]));
    let routed = guarded.route(&asked).await.unwrap();
    assert_eq!(causes(&routed), [Some(VetoCause::Failed); 2]);
}

#[tokio::test]
async fn a_safety_model_without_time_vetoes_as_late() {
    let clock = clock();
    let slow = clock.clone();
    let safety = Model::new("safety", |_| 0.0);
    let model = Model::new("model", move |x| {
        advance(&slow, Duration::from_millis(50));
        x
    });
    let check = GuardCheck::model(safety.target("safety"), 0.5).unwrap();
    let guarded = Guarded::new(model.target("model"), check, constant(), clock);
    let asked = request(&[0.5]).with_timeout(Duration::from_millis(20));
    let routed = guarded.route(&asked).await.unwrap();
    assert_eq!(causes(&routed), [Some(VetoCause::Late)]);
    assert_eq!(safety.rows(), 0);
}

#[tokio::test]
async fn another_model_may_stand_in_and_is_named() {
    let (model, spare) = (Model::new("model", |x| x), Model::new("spare", |_| 0.125));
    let guarded = guarded(&model, careful(), Substitute::Model(spare.target("spare")));
    let routed = guarded.route(&request(&[0.5, 0.75, 1.0])).await.unwrap();
    assert_eq!(scores(&routed), [0.5, 0.125, 0.125]);
    assert_eq!(names(&routed), ["model", "spare", "spare"]);
    assert_eq!((spare.rows(), guarded.counts().fallbacks), (2, 2));
}

#[tokio::test]
async fn where_nothing_can_stand_in_the_row_is_refused_and_the_vetoed_answer_stays_back() {
    let failing = Arc::new(AtomicBool::new(false));
    let fails = failing.clone();
    let model = Model::new("model", |x| x);
    let spare = Model::new("spare", move |x| match fails.load(Ordering::Relaxed) {
        true => f32::NAN,
        false => x,
    });
    failing.store(true, Ordering::Relaxed);
    let guarded = guarded(&model, careful(), Substitute::Model(spare.target("spare")));
    let routed = guarded.route(&request(&[0.75])).await.unwrap();
    assert!(matches!(routed.rows()[0].answer(), Err(Refusal::Model(_))));
    assert_eq!(causes(&routed), [Some(VetoCause::Verdict)]);
    assert_eq!(
        (guarded.counts().refused, guarded.counts().fallbacks),
        (1, 0)
    );
}
