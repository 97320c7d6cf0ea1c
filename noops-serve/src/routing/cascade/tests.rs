use std::future::Future;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use noops_core::{Feature, FeatureRule, ManualClock, Share};
use proptest::prelude::*;

use super::*;
use crate::routing::testing::{
    Model, Stuck, advance, clock, contract, contract_of, names, request, scores,
};
use crate::routing::{Confidence, Guard, GuardCheck, Guarded, Judged, Substitute, Verdict};
use crate::runtime::Fallback;
use crate::runtime::testing::rows;

fn unsure_below(threshold: f32) -> Escalation {
    Escalation::below(threshold, Confidence::Binary).unwrap()
}

fn cascade(small: &Model, threshold: f32, large: Target, clock: &Arc<ManualClock>) -> Cascade {
    Cascade::new(small.target("small"), clock.clone()).then(unsure_below(threshold), large)
}

fn many(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    { runtime }.build().unwrap().block_on(future)
}

#[tokio::test]
async fn unsure_rows_go_on_together_and_the_order_is_kept() {
    let (small, large) = (Model::new("small", |x| x), Model::new("large", |x| x / 2.0));
    let cascade = cascade(&small, 0.8, large.target("large"), &clock());
    let routed = cascade
        .route(&request(&[0.5, 0.9, 0.75, 0.0]))
        .await
        .unwrap();
    assert_eq!(scores(&routed), [0.25, 0.9, 0.375, 0.0]);
    assert_eq!(names(&routed), ["large", "small", "large", "small"]);
    assert_eq!(routed.escalated(), 2);
    assert_eq!((large.rows(), large.runs()), (2, 1));
    let counts = cascade.counts();
    assert_eq!((counts.rows, counts.escalated), (4, 2));
    let answered: Vec<u64> = counts.answered.values().copied().collect();
    assert_eq!(answered, [2, 2]);
}

#[tokio::test]
async fn a_third_stage_sees_what_the_second_is_unsure_of_and_nothing_else() {
    let first = Model::new("first", |x| x);
    // Sure of 0.75, unsure of 0.5.
    let second = Model::new("second", |x| if x == 0.75 { 1.0 } else { 0.5 });
    let third = Model::new("third", |_| 0.125);
    let cascade = cascade(&first, 0.8, second.target("second"), &clock())
        .then(unsure_below(0.8), third.target("third"));
    let routed = cascade.route(&request(&[0.5, 0.75, 0.9])).await.unwrap();
    assert_eq!(names(&routed), ["third", "second", "small"]);
    let escalations = routed.rows().iter().map(RoutedRow::escalations);
    assert_eq!(escalations.collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!((second.rows(), third.rows()), (2, 1));
}

#[tokio::test]
async fn the_least_sure_rows_get_what_budget_there_is() {
    let (small, large) = (Model::new("small", |x| x), Model::new("large", |_| 0.0));
    let half = EscalationBudget::default().with_share(Share::from_ratio(0.5).unwrap(), many(1));
    let cascade = cascade(&small, 2.0, large.target("large"), &clock()).with_budget(half);
    let routed = cascade
        .route(&request(&[0.9, 0.5, 0.4, 0.0]))
        .await
        .unwrap();
    assert_eq!(names(&routed), ["small", "large", "large", "small"]);
    assert_eq!(routed.refused_by_budget(), 2);
    assert_eq!(routed.rows()[0].unescalated(), Some(Unescalated::Budget));
    assert_eq!(cascade.counts().refused_by_budget, 2);
}

#[test]
fn the_budget_is_exact_over_a_thousand_requests() {
    let (small, large) = (Model::new("small", |x| x), Model::new("large", |x| x));
    let share = Share::from_ppm(123_456).unwrap();
    let budget = EscalationBudget::default().with_share(share, many(1));
    let cascade = cascade(&small, 2.0, large.target("large"), &clock()).with_budget(budget);
    let (mut seed, mut asked, mut escalated) = (7_u64, 0, 0);
    for _ in 0..1_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let rows = usize::try_from(seed >> 62).unwrap();
        let routed = block_on(cascade.route(&request(&vec![0.5; rows]))).unwrap();
        asked += rows;
        escalated += routed.escalated();
        // Every row is unsure, so that the share is used up to the last whole row at any time.
        assert_eq!(escalated, asked * 123_456 / 1_000_000);
    }
    assert!(escalated > 100 && large.rows() == escalated);
    assert_eq!(cascade.counts().escalated, escalated as u64);
}

#[tokio::test]
async fn a_rate_gives_tokens_as_the_clock_goes() {
    let clock = clock();
    let (small, large) = (Model::new("small", |_| 0.5), Model::new("large", |_| 1.0));
    let budget = EscalationBudget::default().with_rate(many(2), many(3));
    let cascade = cascade(&small, 0.8, large.target("large"), &clock).with_budget(budget);
    let mut escalated = Vec::new();
    for _ in 0..3 {
        let routed = cascade.route(&request(&[0.5; 10])).await.unwrap();
        escalated.push(routed.escalated());
        advance(&clock, Duration::from_secs(1));
    }
    assert_eq!(escalated, [3, 2, 2]);
}

#[tokio::test]
async fn an_overloaded_stage_leaves_the_earlier_answer_and_the_token() {
    let (small, large) = (Model::new("small", |_| 0.5), Model::new("large", |_| 1.0));
    let _waits = large.overload();
    let budget = EscalationBudget::default().with_rate(many(1), many(1));
    let cascade = cascade(&small, 0.8, large.target("large"), &clock()).with_budget(budget);
    // Were the token not put back, the second would be refused by the budget.
    for _ in 0..2 {
        let routed = cascade.route(&request(&[0.5])).await.unwrap();
        assert_eq!(scores(&routed), [0.5]);
        assert_eq!(
            routed.rows()[0].unescalated(),
            Some(Unescalated::Overloaded)
        );
    }
    let counts = cascade.counts();
    assert_eq!((counts.refused_by_overload, counts.escalated), (2, 0));
}

#[tokio::test]
async fn a_stage_that_fails_leaves_the_earlier_answer_and_keeps_the_token() {
    let broken = Arc::new(AtomicBool::new(false));
    let is_broken = broken.clone();
    let small = Model::new("small", |_| 0.5);
    let large = Model::new("large", move |_| match is_broken.load(Ordering::Relaxed) {
        true => f32::NAN,
        false => 1.0,
    });
    broken.store(true, Ordering::Relaxed);
    let budget = EscalationBudget::default().with_rate(many(1), many(1));
    let cascade = cascade(&small, 0.8, large.target("large"), &clock()).with_budget(budget);
    let mut because = Vec::new();
    for _ in 0..2 {
        let routed = cascade.route(&request(&[0.5])).await.unwrap();
        assert_eq!(scores(&routed), [0.5]);
        because.extend(routed.rows()[0].unescalated());
    }
    assert_eq!(because, [Unescalated::Failed, Unescalated::Budget]);
    assert_eq!(cascade.counts().failed_escalations, 1);
}

#[tokio::test]
async fn a_fallback_does_not_take_the_place_of_an_answer() {
    let (small, large) = (Model::new("small", |_| 0.5), Model::new("large", |_| 1.0));
    let _waits = large.overload();
    large.deployment.fall_back_to(Fallback::constant(&[0.0]));
    let cascade = cascade(&small, 0.8, large.target("large"), &clock());
    let routed = cascade.route(&request(&[0.5])).await.unwrap();
    assert_eq!(scores(&routed), [0.5]);
    assert_eq!(routed.rows()[0].unescalated(), Some(Unescalated::Failed));
}

#[tokio::test]
async fn where_the_first_stage_fails_the_next_one_answers_but_refusals_stay() {
    let failing = Arc::new(AtomicBool::new(false));
    let fails = failing.clone();
    let small = Model::new("small", move |x| match fails.load(Ordering::Relaxed) {
        true => f32::NAN,
        false => x,
    });
    let large = Model::new("large", |_| 0.25);
    failing.store(true, Ordering::Relaxed);
    let cascade = cascade(&small, 0.0, large.target("large"), &clock());
    // The second row breaks the contract.
    let routed = cascade.route(&request(&[0.5, 7.0])).await.unwrap();
    assert_eq!(names(&routed), ["large", "-"]);
    assert!(matches!(
        routed.rows()[1].answer(),
        Err(Refusal::Contract(_))
    ));
    assert_eq!(large.rows(), 1);
    let _waits = small.overload();
    let routed = cascade.route(&request(&[0.5])).await.unwrap();
    assert_eq!(
        routed.into_reply()[0].as_ref().unwrap_err(),
        &Refusal::Overloaded
    );
    assert_eq!(large.rows(), 1);
}

#[tokio::test]
async fn a_stage_that_cannot_make_the_deadline_is_not_run() {
    let clock = clock();
    let slow = clock.clone();
    let small = Model::new("small", |_| 0.5);
    let large = Model::on("large", &clock, contract(), move |_| {
        advance(&slow, Duration::from_millis(50));
        1.0
    });
    let cascade = cascade(&small, 0.8, large.target("large"), &clock);
    let asked = request(&[0.5]).with_timeout(Duration::from_millis(20));
    // One forecast of a model in many is put to the test: the first.
    let _ = cascade.route(&asked).await.unwrap();
    let run = large.runs();
    for _ in 0..10 {
        let routed = cascade.route(&asked).await.unwrap();
        assert_eq!(scores(&routed), [0.5]);
        assert_eq!(routed.rows()[0].unescalated(), Some(Unescalated::Deadline));
    }
    assert_eq!(large.runs(), run);
    assert_eq!(cascade.counts().refused_by_deadline, 10);
    let patient = request(&[0.5]).with_timeout(Duration::from_millis(500));
    let routed = cascade.route(&patient).await.unwrap();
    assert_eq!(names(&routed), ["large"]);
}

#[tokio::test]
async fn where_the_first_stage_took_all_the_time_no_other_is_asked() {
    let clock = clock();
    let slow = clock.clone();
    let small = Model::on(
        "small",
        &Arc::new(ManualClock::new(clock.now())),
        contract(),
        move |_| {
            advance(&slow, Duration::from_millis(50));
            0.5
        },
    );
    let stuck = Arc::new(Stuck::default());
    let large = Target::new("large".parse().unwrap(), stuck.clone());
    let cascade = cascade(&small, 0.8, large, &clock);
    let asked = request(&[0.5]).with_timeout(Duration::from_millis(50));
    let routed = cascade.route(&asked).await.unwrap();
    assert_eq!(routed.rows()[0].unescalated(), Some(Unescalated::Deadline));
    assert!(stuck.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_call_that_is_dropped_has_spent_its_tokens_and_is_not_counted() {
    let small = Model::new("small", |x| x);
    let stuck = Arc::new(Stuck::default());
    let large = Target::new("large".parse().unwrap(), stuck.clone());
    let budget = EscalationBudget::default().with_rate(many(1), many(2));
    let cascade = cascade(&small, 0.8, large, &clock()).with_budget(budget);
    let unsure = request(&[0.5, 0.9, 0.5]);
    let mut call = cascade.route(&unsure);
    let mut context = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_pending());
    drop(call);
    assert_eq!(*stuck.asked.lock().unwrap(), [["r0", "r2"]]);
    assert_eq!(cascade.counts(), RoutingCounts::default());
    let routed = cascade.route(&unsure).await.unwrap();
    assert_eq!(scores(&routed), [0.5, 0.9, 0.5]);
    assert_eq!(routed.refused_by_budget(), 2);
}

#[derive(Debug)]
struct Never;

impl Guard for Never {
    fn judge(&self, _: &Judged<'_>) -> Result<Verdict, Error> {
        Ok(Verdict::Veto {
            because: "never".to_owned(),
        })
    }
}

fn never(model: &Model, name: &str, clock: &Arc<ManualClock>) -> Target {
    let check = GuardCheck::host(Arc::new(Never), &contract()).unwrap();
    let instead = Substitute::constant(&[0.5]);
    let guarded = Guarded::new(model.target(name), check, instead, clock.clone());
    Target::new(name.parse().unwrap(), Arc::new(guarded))
}

#[tokio::test]
async fn a_veto_stands_against_the_earlier_answer_and_goes_no_further() {
    let clock = clock();
    let (small, large) = (Model::new("small", |_| 0.4), Model::new("large", |_| 1.0));
    let largest = Model::new("largest", |_| 1.0);
    let cascade = cascade(&small, 0.8, never(&large, "large", &clock), &clock)
        .then(unsure_below(0.8), largest.target("largest"));
    let routed = cascade.route(&request(&[0.5])).await.unwrap();
    assert_eq!(scores(&routed), [0.5]);
    assert_eq!(routed.rows()[0].veto().unwrap().because(), "never");
    assert_eq!(largest.rows(), 0);
    let counts = cascade.counts();
    assert_eq!((counts.vetoed, counts.fallbacks), (1, 1));
    assert!(counts.answered.is_empty());
}

#[tokio::test]
async fn values_without_names_are_not_shown_to_a_stage_that_reads_others() {
    let named = |names: [&str; 2]| {
        contract_of(names.map(|name| FeatureRule::strict(Feature::number_between(name, 0.0, 1.0))))
    };
    let clock = clock();
    let small = Model::on("small", &clock, named(["a", "b"]), |_| 0.5);
    let swapped = Model::on("large", &clock, named(["b", "a"]), |b| b);
    let cascade = cascade(&small, 0.8, swapped.target("large"), &clock);
    let unnamed = noops_core::Rows::one(vec![0.1, 0.9]);
    let unnamed = Request::of_rows(vec!["r".to_owned()], unnamed).unwrap();
    let routed = cascade.route(&unnamed).await.unwrap();
    assert_eq!(scores(&routed), [0.5]);
    assert_eq!(routed.rows()[0].unescalated(), Some(Unescalated::Failed));
    let column = |x: f64| Arc::new(arrow_array::Float64Array::from(vec![x])) as _;
    let named = arrow_array::RecordBatch::try_from_iter([("a", column(0.1)), ("b", column(0.9))]);
    let named = Request::new(vec!["r".to_owned()], named.unwrap()).unwrap();
    let routed = cascade.route(&named).await.unwrap();
    assert_eq!(scores(&routed), [0.9]);
}

#[tokio::test]
async fn rows_in_arrow_are_split_too() {
    let (small, large) = (Model::new("small", |x| x), Model::new("large", |_| 0.0));
    let cascade = cascade(&small, 0.8, large.target("large"), &clock());
    let ids = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    let rows = rows(&[Some(0.875), Some(0.5), None, Some(0.625)]);
    let asked = Request::new(ids.clone(), rows).unwrap();
    let asked = asked.with_units(ids).unwrap();
    let routed = cascade.route(&asked).await.unwrap();
    assert_eq!(names(&routed), ["small", "large", "-", "large"]);
    let exposures = large.deployment.drain_exposures();
    let asked: Vec<&str> = exposures.iter().map(|one| one.request.as_str()).collect();
    assert_eq!(asked, ["b", "d"]);
}

#[tokio::test]
async fn an_empty_request_has_an_empty_answer() {
    let (small, large) = (Model::new("small", |x| x), Model::new("large", |_| 0.0));
    let cascade = cascade(&small, 0.8, large.target("large"), &clock());
    assert!(
        cascade
            .route(&request(&[]))
            .await
            .unwrap()
            .rows()
            .is_empty()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn with_threshold_zero_it_is_the_first_stage(xs in prop::collection::vec(0.0_f32..=1.0, 0..20)) {
        let (small, large) = (Model::new("small", |x| 1.0 - x), Model::new("large", |x| x * x));
        let cascade = cascade(&small, 0.0, large.target("large"), &clock());
        let routed = block_on(cascade.route(&request(&xs))).unwrap();
        prop_assert_eq!(scores(&routed), xs.iter().map(|x| 1.0 - x).collect::<Vec<_>>());
        prop_assert_eq!((routed.escalated(), large.rows()), (0, 0));
    }

    #[test]
    fn with_a_threshold_above_one_and_no_limit_it_is_the_last_stage(
        xs in prop::collection::vec(0.0_f32..=1.0, 0..20),
    ) {
        let (small, large) = (Model::new("small", |x| 1.0 - x), Model::new("large", |x| x * x));
        let cascade = cascade(&small, 1.5, large.target("large"), &clock());
        let routed = block_on(cascade.route(&request(&xs))).unwrap();
        let alone = block_on(large.deployment.route(&request(&xs))).unwrap();
        prop_assert_eq!(scores(&routed), scores(&alone));
        prop_assert_eq!(routed.escalated(), xs.len());
    }
}
