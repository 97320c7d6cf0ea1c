//! `RUSTFLAGS="--cfg shuttle" cargo test -p noops-serve --lib --release storm`: callers come, go and run out of time under many random
//! schedules, and whoever stays is answered exactly once, with its own answer.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use noops_core::{Column, ManualClock, Scores, Timestamp};
use shuttle::rand::{Rng, thread_rng};

use super::*;
use crate::runtime::testing::version;

/// Answers a row with itself, counts what it ran, and takes its time, so that there are schedules in which others come meanwhile.
#[derive(Clone, Debug)]
struct Echo {
    ran: Arc<AtomicUsize>,
    interrupt: bool,
}

impl Executor for Echo {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        if self.interrupt {
            shuttle::thread::yield_now();
        }
        self.ran.fetch_add(batch.rows(), Ordering::Relaxed);
        Scores::new(1, batch.numbers().to_vec())
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(self.clone()))
    }
}

fn storm(replicas: usize, batch_cost: Duration) {
    let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
    let ran = Arc::new(AtomicUsize::new(0));
    let echo = Echo {
        ran: ran.clone(),
        interrupt: true,
    };
    let settings = ServingSettings::default()
        .with_replicas(NonZeroUsize::new(replicas).unwrap())
        .with_queued_rows(6);
    let mut model =
        ServedModel::with_settings(version("echo"), Box::new(echo), &settings, clock.clone())
            .unwrap();
    let cost = u64::try_from(batch_cost.as_nanos()).unwrap();
    Arc::get_mut(&mut model).unwrap().cost = CostModel::new((1, cost + 10), (64, cost + 640));
    let calls: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (model, clock) = (model.clone(), clock.clone());
            shuttle::future::spawn(async move {
                let x = caller as f32 / CALLERS as f32;
                let batch = Batch::new(vec![Column::Number(vec![x, x / 2.0])]).unwrap();
                let mut call = Call::default();
                if thread_rng().gen_bool(0.3) {
                    call = call.with_timeout(Duration::from_micros(thread_rng().gen_range(0..20)));
                }
                if thread_rng().gen_bool(0.3) {
                    call = call.with_priority(Priority::level(1));
                }
                if thread_rng().gen_bool(0.3) {
                    clock.set(clock.now() + jiff::SignedDuration::from_micros(5));
                }
                match model.score(batch, call).await {
                    Ok(scored) => {
                        let answer: Vec<f32> = scored.firsts().map(Option::unwrap).collect();
                        assert_eq!(answer, [x, x / 2.0]);
                    }
                    Err(refusal) => {
                        assert!(
                            matches!(refusal, Refusal::Overloaded | Refusal::TooLate),
                            "{refusal}"
                        );
                    }
                }
            })
        })
        .collect();
    shuttle::future::block_on(async {
        for call in calls {
            // Somebody who goes is not asked for an answer; everybody else must be answered, or this never ends.
            if thread_rng().gen_bool(0.4) {
                call.abort();
                drop(call.await);
            } else {
                call.await.unwrap();
            }
        }
    });
    // Whoever still leads is a task of its own; nothing waits for somebody who never comes.
    shuttle::future::block_on(async {
        for _ in 0..1_000 {
            if model.waiting_rows() == 0 {
                return;
            }
            shuttle::future::yield_now().await;
        }
        panic!("{} rows wait for ever", model.waiting_rows());
    });
}

/// 40 % of `CALLERS` go in each of `SCHEDULES` of each of three tests: 1.09 million cancellations, and 30 % have a deadline.
const CALLERS: usize = 13;
const SCHEDULES: usize = 70_000;

#[test]
fn every_caller_who_stays_is_answered_exactly_once() {
    shuttle::check_random(|| storm(2, Duration::ZERO), SCHEDULES);
}

#[test]
fn also_where_leaders_let_others_go_first() {
    shuttle::check_random(|| storm(1, Duration::from_micros(5)), SCHEDULES);
}

#[test]
fn and_where_few_preemptions_are_placed_badly() {
    shuttle::check_pct(|| storm(2, Duration::from_micros(5)), SCHEDULES, 3);
}
