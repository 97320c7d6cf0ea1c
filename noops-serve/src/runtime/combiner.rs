//! Flat combining: the caller who finds nobody at work does the work of everybody who comes meanwhile.
//!
//! A model row costs microseconds and waking another thread costs tens of them, so handing rows to a batching thread would cost
//! more than the model. Here a lone caller runs its own rows on its own thread, and batches form by themselves when callers
//! collide: whoever arrives while a leader runs leaves its job in the queue, and the leader takes all of them next.

use std::collections::VecDeque;
#[cfg(not(loom))]
use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(loom)]
use loom::sync::{Mutex, MutexGuard};

/// A bounded queue of jobs, of which at most one caller at a time is the leader.
#[derive(Debug)]
pub(crate) struct Combiner<J> {
    queue: Mutex<Queue<J>>,
    capacity: usize,
    batch: usize,
}

#[derive(Debug)]
struct Queue<J> {
    jobs: VecDeque<(usize, J)>,
    /// The sum of the weights of `jobs`.
    weight: usize,
    led: bool,
}

impl<J> Combiner<J> {
    /// A queue that holds jobs of a total weight of `capacity` and hands out batches of up to `batch`.
    pub(crate) fn new(capacity: usize, batch: usize) -> Self {
        let queue = Queue {
            jobs: VecDeque::new(),
            weight: 0,
            led: false,
        };
        Self {
            queue: Mutex::new(queue),
            capacity,
            batch,
        }
    }

    /// Leaves a job to be run: by this call if nobody leads, else by the one who does. A leader stays until the queue is empty.
    ///
    /// `run` gets at least one job at a time, and more while their weights fit the batch. It must not panic.
    ///
    /// # Errors
    ///
    /// Gives the job back when the queue is full. A job heavier than the whole queue is taken when the queue is empty.
    pub(crate) fn submit(
        &self,
        weight: usize,
        job: J,
        mut run: impl FnMut(Vec<J>),
    ) -> Result<(), J> {
        {
            let mut queue = self.lock();
            if !queue.jobs.is_empty() && queue.weight.saturating_add(weight) > self.capacity {
                return Err(job);
            }
            queue.weight = queue.weight.saturating_add(weight);
            queue.jobs.push_back((weight, job));
            if queue.led {
                return Ok(());
            }
            queue.led = true;
        }
        while let Some(jobs) = self.next_batch() {
            run(jobs);
        }
        Ok(())
    }

    /// Takes jobs for the leader, or ends its lead when there are none: under one lock, so that no job is left behind by a
    /// leader who has already looked.
    fn next_batch(&self) -> Option<Vec<J>> {
        let mut queue = self.lock();
        let mut jobs = Vec::new();
        let mut weight = 0_usize;
        while let Some((next, _)) = queue.jobs.front() {
            if !jobs.is_empty() && weight.saturating_add(*next) > self.batch {
                break;
            }
            if let Some((next, job)) = queue.jobs.pop_front() {
                weight = weight.saturating_add(next);
                jobs.push(job);
            }
        }
        queue.weight = queue.weight.saturating_sub(weight);
        queue.led = !jobs.is_empty();
        queue.led.then_some(jobs)
    }

    #[cfg(not(loom))]
    fn lock(&self) -> MutexGuard<'_, Queue<J>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(loom)]
    #[expect(
        clippy::unwrap_used,
        reason = "model checking stops at the first panic"
    )]
    fn lock(&self) -> MutexGuard<'_, Queue<J>> {
        self.queue.lock().unwrap()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_lone_caller_runs_its_own_job() {
        let combiner = Combiner::new(10, 10);
        let mut ran = Vec::new();
        combiner.submit(1, "a", |jobs| ran.extend(jobs)).unwrap();
        assert_eq!(ran, ["a"]);
    }

    #[test]
    fn jobs_that_come_while_one_leads_form_the_next_batch() {
        let combiner = Combiner::new(10, 2);
        let mut batches = Vec::new();
        combiner
            .submit(1, 0, |jobs| {
                if jobs == [0] {
                    for late in 1..=3 {
                        combiner
                            .submit(1, late, |_| panic!("somebody leads already"))
                            .unwrap();
                    }
                }
                batches.push(jobs);
            })
            .unwrap();
        assert_eq!(batches, [vec![0], vec![1, 2], vec![3]]);
    }

    #[test]
    fn a_full_queue_gives_the_job_back() {
        let combiner = Combiner::new(2, 1);
        let mut refused = Vec::new();
        combiner
            .submit(1, 0, |jobs| {
                if jobs == [0] {
                    refused
                        .extend((1..=4).filter_map(|late| combiner.submit(1, late, |_| ()).err()));
                }
            })
            .unwrap();
        assert_eq!(refused, [3, 4]);
    }

    #[test]
    fn a_job_heavier_than_everything_runs_alone() {
        let combiner = Combiner::new(2, 2);
        let mut ran = Vec::new();
        combiner
            .submit(1000, "heavy", |jobs| ran.extend(jobs))
            .unwrap();
        assert_eq!(ran, ["heavy"]);
    }
}

/// `RUSTFLAGS="--cfg loom" cargo test -p noops-serve --lib --release combiner` tries every interleaving.
#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn every_job_is_run_exactly_once_by_somebody() {
        loom::model(|| {
            let combiner = Arc::new(Combiner::new(100, 2));
            let runs: Arc<Vec<AtomicUsize>> =
                Arc::new((0..3).map(|_| AtomicUsize::new(0)).collect());
            let caller = |job: usize| {
                let (combiner, runs) = (combiner.clone(), runs.clone());
                move || {
                    let run = |jobs: Vec<usize>| {
                        jobs.iter()
                            .for_each(|&job| drop(runs[job].fetch_add(1, Ordering::Relaxed)))
                    };
                    combiner.submit(1, job, run).unwrap();
                }
            };
            let threads = [
                loom::thread::spawn(caller(0)),
                loom::thread::spawn(caller(1)),
            ];
            caller(2)();
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            assert!(runs.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        });
    }

    #[test]
    fn two_leaders_never_run_at_once() {
        loom::model(|| {
            let combiner = Arc::new(Combiner::new(100, 1));
            let running = Arc::new(AtomicUsize::new(0));
            let caller = || {
                let (combiner, running) = (combiner.clone(), running.clone());
                move || {
                    let run = |_: Vec<()>| {
                        assert_eq!(running.fetch_add(1, Ordering::Relaxed), 0);
                        running.fetch_sub(1, Ordering::Relaxed);
                    };
                    combiner.submit(1, (), run).unwrap();
                }
            };
            let other = loom::thread::spawn(caller());
            caller()();
            other.join().unwrap();
        });
    }
}
