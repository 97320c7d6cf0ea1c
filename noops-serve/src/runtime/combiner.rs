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

/// What a caller who has left a job must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Turn {
    /// Wait: somebody leads.
    Wait,
    /// Lead: nobody does.
    Lead,
}

/// What a leader leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Left {
    /// No jobs; the lead has ended.
    Nothing,
    /// Perhaps jobs; the lead goes on.
    Perhaps,
}

/// Ends the lead when a batch unwinds, so that the next caller can lead.
struct ResignOnUnwind<'a, J>(&'a Combiner<J>);

impl<J> Drop for ResignOnUnwind<'_, J> {
    fn drop(&mut self) {
        self.0.lock().led = false;
    }
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

    /// Leaves a job to be run. Whoever is told to lead must call [`lead`](Self::lead) until there is nothing left.
    ///
    /// # Errors
    ///
    /// Gives the job back when the queue is full. A job heavier than the whole queue is taken when the queue is empty.
    pub(crate) fn submit(&self, weight: usize, job: J) -> Result<Turn, J> {
        let mut queue = self.lock();
        if !queue.jobs.is_empty() && queue.weight.saturating_add(weight) > self.capacity {
            return Err(job);
        }
        queue.weight = queue.weight.saturating_add(weight);
        queue.jobs.push_back((weight, job));
        let turn = if queue.led { Turn::Wait } else { Turn::Lead };
        queue.led = true;
        Ok(turn)
    }

    /// Runs up to `batches` batches, each of at least one job and of more while their weights fit. Says whether there may be
    /// jobs left, which is when the caller is still the leader and must call again or have somebody else call.
    pub(crate) fn lead(&self, batches: usize, mut run: impl FnMut(Vec<J>)) -> Left {
        let resign = ResignOnUnwind(self);
        for _ in 0..batches {
            match self.next_batch() {
                Some(jobs) => run(jobs),
                None => {
                    std::mem::forget(resign);
                    return Left::Nothing;
                }
            }
        }
        std::mem::forget(resign);
        Left::Perhaps
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

    /// Submits a job and leads to the end if nobody does.
    fn run<J>(combiner: &Combiner<J>, weight: usize, job: J, mut run: impl FnMut(Vec<J>)) {
        if combiner
            .submit(weight, job)
            .is_ok_and(|turn| turn == Turn::Lead)
        {
            while combiner.lead(1, &mut run) == Left::Perhaps {}
        }
    }

    #[test]
    fn a_lone_caller_runs_its_own_job() {
        let combiner = Combiner::new(10, 10);
        let mut ran = Vec::new();
        run(&combiner, 1, "a", |jobs| ran.extend(jobs));
        assert_eq!(ran, ["a"]);
    }

    #[test]
    fn jobs_that_come_while_one_leads_form_the_next_batch() {
        let combiner = Combiner::new(10, 2);
        let mut batches = Vec::new();
        run(&combiner, 1, 0, |jobs| {
            if jobs == [0] {
                for late in 1..=3 {
                    assert_eq!(combiner.submit(1, late), Ok(Turn::Wait));
                }
            }
            batches.push(jobs);
        });
        assert_eq!(batches, [vec![0], vec![1, 2], vec![3]]);
    }

    #[test]
    fn a_full_queue_gives_the_job_back() {
        let combiner = Combiner::new(2, 1);
        let mut refused = Vec::new();
        run(&combiner, 1, 0, |jobs| {
            if jobs == [0] {
                refused.extend((1..=4).filter_map(|late| combiner.submit(1, late).err()));
            }
        });
        assert_eq!(refused, [3, 4]);
    }

    #[test]
    fn a_job_heavier_than_everything_runs_alone() {
        let combiner = Combiner::new(2, 2);
        let mut ran = Vec::new();
        run(&combiner, 1000, "heavy", |jobs| ran.extend(jobs));
        assert_eq!(ran, ["heavy"]);
    }

    #[test]
    fn a_leader_may_stop_and_another_go_on() {
        let combiner = Combiner::new(10, 1);
        assert_eq!(combiner.submit(1, 0), Ok(Turn::Lead));
        assert_eq!(combiner.submit(1, 1), Ok(Turn::Wait));
        let mut ran = Vec::new();
        assert_eq!(combiner.lead(1, |jobs| ran.extend(jobs)), Left::Perhaps);
        assert_eq!(
            combiner.submit(1, 2),
            Ok(Turn::Wait),
            "the lead has not ended"
        );
        assert_eq!(combiner.lead(9, |jobs| ran.extend(jobs)), Left::Nothing);
        assert_eq!(ran, [0, 1, 2]);
        assert_eq!(combiner.submit(1, 3), Ok(Turn::Lead));
    }

    #[test]
    fn a_batch_that_unwinds_does_not_take_the_lead_with_it() {
        let combiner = Combiner::new(10, 1);
        assert_eq!(combiner.submit(1, 0), Ok(Turn::Lead));
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            combiner.lead(1, |_| panic!("boom"))
        }));
        assert!(unwound.is_err());
        assert_eq!(combiner.submit(1, 1), Ok(Turn::Lead));
    }
}

/// `RUSTFLAGS="--cfg loom" cargo test -p noops-serve --lib --release combiner` tries every interleaving.
#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Submits a job; a leader hands over after one batch to a thread of its own, as the runtime does to a task.
    fn call<J: Send + 'static>(
        combiner: &Arc<Combiner<J>>,
        job: J,
        run: impl Fn(Vec<J>) + Send + 'static,
    ) {
        let Ok(Turn::Lead) = combiner.submit(1, job) else {
            return;
        };
        if combiner.lead(1, &run) == Left::Perhaps {
            let combiner = combiner.clone();
            let successor =
                loom::thread::spawn(move || while combiner.lead(1, &run) == Left::Perhaps {});
            successor.join().unwrap();
        }
    }

    #[test]
    fn every_job_is_run_exactly_once_by_somebody() {
        loom::model(|| {
            let combiner = Arc::new(Combiner::new(100, 2));
            let runs: Arc<Vec<AtomicUsize>> =
                Arc::new((0..2).map(|_| AtomicUsize::new(0)).collect());
            let caller = |job: usize| {
                let (combiner, runs) = (combiner.clone(), runs.clone());
                move || {
                    call(&combiner, job, move |jobs: Vec<usize>| {
                        jobs.iter().for_each(|&job| {
                            runs[job].fetch_add(1, Ordering::Relaxed);
                        });
                    });
                }
            };
            let other = loom::thread::spawn(caller(0));
            caller(1)();
            other.join().unwrap();
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
                    call(&combiner, (), move |_| {
                        assert_eq!(running.fetch_add(1, Ordering::Relaxed), 0);
                        running.fetch_sub(1, Ordering::Relaxed);
                    });
                }
            };
            let other = loom::thread::spawn(caller());
            caller()();
            other.join().unwrap();
        });
    }
}
