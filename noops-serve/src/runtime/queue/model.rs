//! `RUSTFLAGS="--cfg loom" cargo test -p noops-serve --lib --release queue::model` tries every interleaving.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn queue(replicas: usize, batch_rows: usize) -> Arc<Queue<usize, usize>> {
    let limits = QueueLimits {
        rows: 100,
        bytes: 100,
        batch_rows,
    };
    Arc::new(Queue::new(limits, (0..replicas).collect()))
}

/// Leaves a job, and leads while there is something to lead.
fn call(queue: &Queue<usize, usize>, job: usize, gather: Gather, mut run: impl FnMut(Vec<usize>)) {
    let urgency = Urgency {
        priority: 0,
        deadline: u64::MAX,
    };
    let weight = Weight { rows: 1, bytes: 1 };
    let turn = queue.submit(urgency, weight, job, None, gather, &mut Vec::new());
    let Turn::Lead(mut replica) = turn else {
        return;
    };
    let mut gathered = gather;
    loop {
        match queue.next(replica, 0, gathered, || NO_TIME) {
            Next::Run {
                replica: same,
                jobs,
                ..
            } => {
                replica = same;
                run(jobs);
            }
            Next::Nothing => return,
        }
        gathered = Gather::No;
    }
}

fn every_job_is_run_once(replicas: usize, gather: Gather) {
    loom::model(move || {
        let queue = queue(replicas, 2);
        let runs: Arc<Vec<AtomicUsize>> = Arc::new((0..2).map(|_| AtomicUsize::new(0)).collect());
        let caller = |job: usize| {
            let (queue, runs) = (queue.clone(), runs.clone());
            move || {
                call(&queue, job, gather, |jobs| {
                    for job in jobs {
                        runs[job].fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        };
        let other = loom::thread::spawn(caller(0));
        caller(1)();
        other.join().unwrap();
        assert!(runs.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        assert_eq!(queue.waits(), Weight::default());
    });
}

#[test]
fn every_job_is_run_exactly_once_by_somebody() {
    every_job_is_run_once(1, Gather::No);
}

#[test]
fn with_two_replicas_too() {
    every_job_is_run_once(2, Gather::No);
}

#[test]
fn and_where_leaders_let_others_go_first() {
    every_job_is_run_once(2, Gather::Yes);
}

#[test]
fn one_replica_never_has_two_leaders() {
    loom::model(|| {
        let queue = queue(1, 1);
        let running = Arc::new(AtomicUsize::new(0));
        let caller = |job: usize| {
            let (queue, running) = (queue.clone(), running.clone());
            move || {
                call(&queue, job, Gather::No, |_| {
                    assert_eq!(running.fetch_add(1, Ordering::Relaxed), 0);
                    running.fetch_sub(1, Ordering::Relaxed);
                });
            }
        };
        let other = loom::thread::spawn(caller(0));
        caller(1)();
        other.join().unwrap();
    });
}

const NO_TIME: Pace = Pace {
    now: 0,
    row_ns: 0.0,
    batch_ns: 0.0,
};
