use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use noops_core::{Column, ErrorKind, Scores};

use super::*;
use crate::runtime::testing::{Formula, served, version};

fn batch(xs: &[f32]) -> Batch {
    Batch::new(vec![Column::Number(xs.to_vec())]).unwrap()
}

/// The scores of rows, all of which are to keep the contract.
async fn score(model: &Arc<ServedModel>, xs: &[f32]) -> Vec<f32> {
    let scored = model.score(batch(xs), Call::default()).await.unwrap();
    scored.firsts().map(Option::unwrap).collect()
}

/// A model of one replica that answers with what `answer` makes of all rows at once.
fn fragile(answer: impl FnMut(&[f32]) -> Vec<f32> + Send + 'static) -> Arc<ServedModel> {
    ServedModel::new(version("fragile"), Box::new(Formula(Box::new(answer)))).unwrap()
}

fn nan_for_77(xs: &[f32]) -> Vec<f32> {
    xs.iter()
        .map(|&x| if x == 0.77 { f32::NAN } else { x })
        .collect()
}

#[tokio::test]
async fn rows_are_answered_in_order() {
    let model = served("identity", |x| x);
    assert_eq!(score(&model, &[0.1, 0.2, 0.3]).await, [0.1, 0.2, 0.3]);
    assert!(score(&model, &[]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_collide_get_their_own_answers_and_the_gone_disturb_nobody() {
    let model = served("identity", |x| x);
    let calls: Vec<_> = (0..2_000_u16)
        .map(|n| {
            let model = model.clone();
            tokio::spawn(async move {
                let x = f32::from(n) / 2_000.0;
                (x, score(&model, &[x, x / 2.0]).await)
            })
        })
        .collect();
    for (n, call) in calls.into_iter().enumerate() {
        if n % 7 == 0 {
            call.abort();
            continue;
        }
        let (x, answer) = call.await.unwrap();
        assert_eq!(answer, [x, x / 2.0]);
    }
}

#[tokio::test]
async fn a_model_that_panics_fails_its_rows_and_goes_on_serving() {
    let model = fragile(|xs| {
        assert!(xs != [0.77], "boom");
        xs.to_vec()
    });
    let refusal = model.score(batch(&[0.77]), Call::default()).await;
    assert_eq!(
        refusal.unwrap_err().to_string(),
        "the model failed: cannot run a model: it panicked (version `1`)"
    );
    assert_eq!(score(&model, &[0.5]).await, [0.5]);
}

/// Counts how many there are, and panics on 0.77; after that it answers nonsense.
#[derive(Debug)]
struct Replica {
    made: Arc<AtomicUsize>,
    broken: bool,
}

impl Executor for Replica {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        if batch.numbers() == [0.77] {
            self.broken = true;
            panic!("boom");
        }
        let score = if self.broken { 0.0 } else { 1.0 };
        Scores::new(1, vec![score; batch.rows()])
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        assert!(!self.broken, "a replica that panicked is not copied");
        self.made.fetch_add(1, Ordering::Relaxed);
        Some(Box::new(Self {
            made: self.made.clone(),
            broken: false,
        }))
    }
}

#[tokio::test]
async fn a_replica_that_panicked_is_replaced_by_a_fresh_one() {
    let made = Arc::new(AtomicUsize::new(0));
    let replica = Replica {
        made: made.clone(),
        broken: false,
    };
    let settings = ServingSettings::default().with_replicas(NonZeroUsize::MIN);
    let clock = Arc::new(SystemClock);
    let model =
        ServedModel::with_settings(version("replicas"), Box::new(replica), &settings, clock)
            .unwrap();
    let before = made.load(Ordering::Relaxed);
    assert!(model.score(batch(&[0.77]), Call::default()).await.is_err());
    assert_eq!(made.load(Ordering::Relaxed), before + 1);
    assert_eq!(score(&model, &[0.5]).await, [1.0]);
    assert!(model.score_now(&batch(&[0.77])).is_err());
    assert_eq!(model.score_now(&batch(&[0.5])).unwrap(), [1.0]);
    assert_eq!(model.scale(NonZeroUsize::new(3).unwrap()), 3);
    assert_eq!(model.scale(NonZeroUsize::MIN), 1);
}

#[tokio::test]
async fn rows_the_model_fails_on_cost_their_neighbours_nothing() {
    let model = fragile(|xs| {
        assert!(xs.iter().all(|&x| x != 0.77), "boom");
        xs.to_vec()
    });
    let slots: Vec<_> = [0.1, 0.77, 0.3]
        .iter()
        .map(|&x| {
            let slot = Arc::new(Slot::new());
            let job = Job {
                batch: batch(&[x]),
                slot: slot.clone(),
                since: Duration::ZERO,
                deadline: u64::MAX,
            };
            let urgency = Urgency {
                priority: 0,
                deadline: u64::MAX,
            };
            let weight = Weight { rows: 1, bytes: 4 };
            let turn = model
                .queue
                .submit(urgency, weight, job, None, Gather::Yes, &mut Vec::new());
            (slot, turn)
        })
        .collect();
    let mut answers = Vec::new();
    for (slot, turn) in slots.into_iter().rev() {
        if let Turn::Lead(replica) = turn {
            drop(Lead::new(model.clone(), replica, 0, Gather::Yes));
        }
        answers.push(slot);
    }
    let context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut answers = answers.into_iter().rev().map(|slot| slot.poll(&context));
    let mut next = || match answers.next() {
        Some(std::task::Poll::Ready(Some(answer))) => answer,
        other => panic!("an answer, not {other:?}"),
    };
    assert_eq!(next().unwrap().row(0), Some(&[0.1][..]));
    assert!(next().is_err());
    assert_eq!(next().unwrap().row(0), Some(&[0.3][..]));
}

#[tokio::test]
async fn a_score_outside_the_contract_never_leaves_and_costs_the_other_rows_nothing() {
    let model = fragile(nan_for_77);
    let scored = model
        .score(batch(&[0.1, 0.77, 0.3]), Call::default())
        .await
        .unwrap();
    assert_eq!(
        scored.firsts().collect::<Vec<_>>(),
        [Some(0.1), None, Some(0.3)]
    );
    assert!(model.score_now(&batch(&[0.1, 0.77])).is_err());
}

#[tokio::test]
async fn what_cannot_be_in_time_is_refused_at_once() {
    let clock = Arc::new(noops_core::ManualClock::new(
        noops_core::Timestamp::UNIX_EPOCH,
    ));
    let runs = Arc::new(AtomicUsize::new(0));
    let (counted, ticking) = (runs.clone(), clock.clone());
    // A millisecond a row.
    let slow = Formula(Box::new(move |xs| {
        counted.fetch_add(1, Ordering::Relaxed);
        let took = Duration::from_millis(xs.len() as u64);
        ticking.set(ticking.now() + jiff::SignedDuration::try_from(took).unwrap());
        xs.to_vec()
    }));
    let settings = ServingSettings::default().with_offload_above(Duration::MAX);
    let model =
        ServedModel::with_settings(version("slow"), Box::new(slow), &settings, clock).unwrap();
    assert!(
        (model.cost().predict_ns(1) - 1e6).abs() < 1e4,
        "{:?}",
        model.cost()
    );
    let probed = runs.load(Ordering::Relaxed);
    let within = |milliseconds| Call::default().with_timeout(Duration::from_millis(milliseconds));
    let rows = [0.5; 20];
    // The first is let through, so that an estimate that is too high is found out.
    for _ in 0..40 {
        drop(model.score(batch(&rows), within(10)).await);
    }
    assert_eq!(runs.load(Ordering::Relaxed) - probed, 1);
    for timeout in [0, 10, 19] {
        let refused = model.score(batch(&rows), within(timeout)).await;
        assert_eq!(refused.unwrap_err(), Refusal::TooLate, "{timeout} ms");
    }
    assert_eq!(
        model.score(batch(&rows), within(21)).await.unwrap().rows(),
        20
    );
}

#[tokio::test]
async fn callers_on_one_thread_meet_in_batches_where_batches_pay() {
    let clock = Arc::new(noops_core::ManualClock::new(
        noops_core::Timestamp::UNIX_EPOCH,
    ));
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let (seen, ticking) = (sizes.clone(), clock.clone());
    // A hundred microseconds a batch, whatever its rows.
    let costly = Formula(Box::new(move |xs| {
        seen.lock().unwrap().push(xs.len());
        ticking.set(ticking.now() + jiff::SignedDuration::from_micros(100));
        xs.to_vec()
    }));
    let model = ServedModel::with_settings(
        version("costly"),
        Box::new(costly),
        &ServingSettings::default(),
        clock,
    )
    .unwrap();
    sizes.lock().unwrap().clear();
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let calls: Vec<_> = (0..100)
                .map(|_| {
                    let model = model.clone();
                    tokio::task::spawn_local(async move {
                        for _ in 0..20 {
                            assert_eq!(score(&model, &[0.5]).await, [0.5]);
                        }
                    })
                })
                .collect();
            for call in calls {
                call.await.unwrap();
            }
        })
        .await;
    let sizes = sizes.lock().unwrap();
    assert_eq!(sizes.iter().sum::<usize>(), 2_000);
    assert!(sizes.len() < 200, "{} batches", sizes.len());
}

#[test]
fn a_request_larger_than_a_batch_is_scored_in_pieces() {
    let model = served("identity", |x| x);
    let xs: Vec<f32> = (0..1_000_u16).map(|n| f32::from(n) / 1_000.0).collect();
    assert_eq!(model.score_now(&batch(&xs)).unwrap(), xs);
}

#[test]
fn a_model_whose_scores_depend_on_the_batch_is_not_served() {
    let formula = Formula(Box::new(|xs| {
        xs.iter().map(|x| x / xs.len() as f32).collect()
    }));
    let error = ServedModel::new(version("coupled"), Box::new(formula)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(
        error.to_string().contains("depends on the batch"),
        "{error}"
    );
}

#[test]
fn a_model_that_breaks_its_output_contract_is_not_served() {
    let formula = Formula(Box::new(|xs| xs.iter().map(|x| x + 5.0).collect()));
    assert_eq!(
        ServedModel::new(version("loud"), Box::new(formula))
            .unwrap_err()
            .kind(),
        ErrorKind::Corrupt
    );
}

#[derive(Debug)]
struct CountingLoader(AtomicUsize);

#[async_trait]
impl ModelLoader for CountingLoader {
    async fn load(&self, _: &ModelVersion, _: &[u8]) -> Result<Box<dyn Executor>, Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Formula(Box::new(<[f32]>::to_vec))))
    }
}

#[tokio::test]
async fn an_artifact_with_another_digest_is_never_loaded() {
    let loader = CountingLoader(AtomicUsize::new(0));
    let error = ServedModel::load(version("weights"), b"tampered", &loader)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(loader.0.load(Ordering::Relaxed), 0);
    assert!(
        ServedModel::load(version("weights"), b"weights", &loader)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn any_batch_size_may_be_asked_for() {
    for rows in [1, 3, 5, 10, 15, 17] {
        let settings = ServingSettings::default().with_batch_rows(NonZeroUsize::new(rows).unwrap());
        let formula = Formula(Box::new(<[f32]>::to_vec));
        let model = ServedModel::with_settings(
            version("any"),
            Box::new(formula),
            &settings,
            Arc::new(SystemClock),
        )
        .unwrap();
        assert!(model.batch_invariant_up_to() <= rows);
        assert_eq!(score(&model, &[0.5; 20]).await, [0.5; 20]);
    }
}

#[test]
fn an_executor_of_which_there_is_one_stays_alone() {
    let model = served("alone", |x| x);
    assert_eq!(model.scale(NonZeroUsize::new(4).unwrap()), 1);
}

#[tokio::test]
async fn an_estimate_that_became_too_high_is_found_out_also_where_rows_are_handed_over() {
    let clock = Arc::new(noops_core::ManualClock::new(
        noops_core::Timestamp::UNIX_EPOCH,
    ));
    let (slow, ticking) = (Arc::new(AtomicUsize::new(10)), clock.clone());
    let milliseconds = slow.clone();
    let model = Formula(Box::new(move |xs| {
        let took = milliseconds.load(Ordering::Relaxed) as i64;
        ticking.set(ticking.now() + jiff::SignedDuration::from_millis(took));
        xs.to_vec()
    }));
    let settings = ServingSettings::default();
    let model =
        ServedModel::with_settings(version("slow"), Box::new(model), &settings, clock).unwrap();
    slow.store(0, Ordering::Relaxed);
    let hurried = Call::default().with_timeout(Duration::from_millis(5));
    let mut answered = 0;
    for _ in 0..400 {
        answered += usize::from(model.score(batch(&[0.5]), hurried).await.is_ok());
        // Whoever has answered still has to end its lead.
        std::thread::sleep(Duration::from_micros(200));
    }
    assert!(answered > 200, "{answered} of 400 were answered");
}

#[tokio::test]
async fn nothing_is_asked_for_no_rows() {
    let model = served("identity", |x| x);
    while model.occupy() {}
    let scored = model.score(batch(&[]), Call::default()).await.unwrap();
    assert_eq!(scored.rows(), 0);
}
