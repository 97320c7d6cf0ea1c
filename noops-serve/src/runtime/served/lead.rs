//! Running the rows of whoever waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use noops_core::{Batch, Executor};

use super::replica::{Ran, RunError, run};
use super::{Answered, Call, Job, Scored, ServedModel, nanoseconds};
use crate::runtime::queue::{Gather, Next};
use crate::runtime::request::Refusal;

/// The lead: a replica, and the duty to run what waits until nothing does. Dropped, it does its duty first.
#[derive(Debug)]
pub(super) struct Lead {
    model: Arc<ServedModel>,
    /// `None` when the lead has ended.
    replica: Option<Box<dyn Executor>>,
    /// Rows that were run since the queue was asked last.
    ran: usize,
    gathered: Gather,
}

impl Lead {
    pub(super) fn new(
        model: Arc<ServedModel>,
        replica: Box<dyn Executor>,
        ran: usize,
        gathered: Gather,
    ) -> Self {
        Self {
            model,
            replica: Some(replica),
            ran,
            gathered,
        }
    }

    /// Runs the leader's own rows, which never were in the queue.
    pub(super) fn run_own(&mut self, batch: &Batch, call: Call) -> Answered {
        let Some(replica) = &mut self.replica else {
            return Err(Refusal::Model("the lead has ended".to_owned()));
        };
        // A request larger than a batch goes in pieces, like any other.
        if batch.rows() > self.model.batch_invariant_up_to {
            let deadline = self.model.deadline(call);
            return self.model.run_in_pieces(replica, batch, deadline);
        }
        self.model.run_batch(replica, batch, 1)
    }

    /// Runs up to `batches` batches. Says whether the lead has ended.
    pub(super) fn run(&mut self, batches: usize) -> bool {
        for _ in 0..batches {
            let Some(replica) = self.replica.take() else {
                return true;
            };
            let model = &self.model;
            let gathered = std::mem::replace(&mut self.gathered, Gather::No);
            let next = model.queue.next(replica, self.ran, gathered, || {
                model.pace(model.clock.monotonic())
            });
            let Next::Run {
                replica,
                jobs,
                expired,
            } = next
            else {
                return true;
            };
            // Back in its place before anything is run: should a waker of the host's panic, the lead goes on.
            let replica = self.replica.insert(replica);
            self.ran = jobs.iter().map(|job| job.batch.rows()).sum();
            for job in expired {
                model.meter.waits_no_more(job.weight());
                model.meter.expired(job.batch.rows());
                job.slot.answer(Err(Refusal::TooLate));
            }
            if gathered == Gather::Yes {
                model.gather.learn(jobs.len());
            }
            model.run_jobs(replica, jobs);
        }
        false
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        // A waker or an executor of the host's that panics here must not take the replica with it.
        let mut run = || catch_unwind(AssertUnwindSafe(|| self.run(BATCHES_FOR_OTHERS)));
        while !run().unwrap_or(false) {}
    }
}

impl ServedModel {
    fn run_jobs(&self, replica: &mut Box<dyn Executor>, mut jobs: Vec<Job>) {
        let now = self.clock.monotonic();
        jobs.retain(|job| {
            self.meter.waits_no_more(job.weight());
            // Rows of a caller who has gone are not worth computing.
            let awaited = !job.slot.is_closed();
            if awaited {
                self.meter.began(now.saturating_sub(job.since));
            }
            awaited
        });
        if let Some(together) = self.run_together(replica, &jobs) {
            let mut first = 0;
            for job in jobs {
                let rows = job.batch.rows();
                job.slot.answer(Ok(together.part(first, rows)));
                first += rows;
            }
            return;
        }
        // Alone: there is nobody else, or one caller's rows are what the model fails on, and that must not cost the others theirs.
        for job in jobs {
            let answer = if job.batch.rows() > self.batch_invariant_up_to {
                self.run_in_pieces(replica, &job.batch, job.deadline)
            } else {
                self.run_batch(replica, &job.batch, 1)
            };
            job.slot.answer(answer);
        }
    }

    /// `None` where there is nothing to run together, or where it failed.
    fn run_together(&self, replica: &mut Box<dyn Executor>, jobs: &[Job]) -> Option<Scored> {
        if jobs.len() < 2 {
            return None;
        }
        let together = Batch::concat(jobs.iter().map(|job| &job.batch)).ok()?;
        self.run_batch(replica, &together, jobs.len()).ok()
    }

    fn run_in_pieces(
        &self,
        replica: &mut Box<dyn Executor>,
        batch: &Batch,
        deadline: u64,
    ) -> Answered {
        let rows: Vec<usize> = (0..batch.rows()).collect();
        let mut pieces = Vec::new();
        for piece in rows.chunks(self.batch_invariant_up_to) {
            if deadline != u64::MAX && deadline <= nanoseconds(self.clock.monotonic()) {
                return Err(Refusal::TooLate);
            }
            pieces.push(self.run_batch(replica, &batch.take(piece), 1)?);
        }
        Scored::joined(&pieces, self.contract().output().width())
            .map_err(|error| Refusal::Model(error.to_string()))
    }

    fn run_batch(
        &self,
        replica: &mut Box<dyn Executor>,
        batch: &Batch,
        requests: usize,
    ) -> Answered {
        if batch.rows() == 0 {
            return Ok(Scored::none());
        }
        let start = self.clock.monotonic();
        match run(&self.version, replica.as_mut(), batch) {
            Ok(Ran { scores, broken }) => {
                self.record_run(batch.rows(), requests, start);
                if let Some(broken) = &broken {
                    let rows = broken.iter().filter(|broken| **broken).count();
                    self.meter.broke_its_contract(rows);
                }
                Ok(Scored::new(scores, broken))
            }
            Err(error) => {
                if let RunError::Panicked(_) = &error {
                    self.meter.panicked();
                    // What a host's executor does when it is copied or dropped may panic too.
                    let replaced = catch_unwind(AssertUnwindSafe(|| {
                        if let Some(fresh) = self.fresh_replica() {
                            *replica = fresh;
                        }
                    }));
                    if replaced.is_ok() && !self.single {
                        self.meter.was_replaced();
                    }
                }
                Err(Refusal::Model(noops_core::Error::from(error).to_string()))
            }
        }
    }

    fn record_run(&self, rows: usize, requests: usize, start: Duration) {
        let took = self.clock.monotonic().saturating_sub(start);
        self.meter.ran(rows, requests, took);
        let (expected, nanoseconds_taken) =
            (self.cost.present().predict_ns(rows), took.as_nanos() as f64);
        let surprise = nanoseconds_taken > 2.0 * expected || 2.0 * nanoseconds_taken < expected;
        if surprise || self.meter.is_to_be_learned_from() {
            self.cost.learn(rows, nanoseconds(took));
        }
    }
}

/// How many batches a caller runs before it leaves the rest to a task.
pub(super) const BATCHES_FOR_OTHERS: usize = 4;
