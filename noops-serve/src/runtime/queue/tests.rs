use super::*;

type Jobs = Queue<&'static str, u8>;

fn queue(rows: usize, batch_rows: usize, replicas: u8) -> Jobs {
    let limits = QueueLimits {
        rows,
        bytes: 1_000,
        batch_rows,
    };
    Queue::new(limits, (0..replicas).collect())
}

fn urgency(priority: u8, deadline: u64) -> Urgency {
    Urgency { priority, deadline }
}

fn submit(
    queue: &Jobs,
    urgency: Urgency,
    rows: usize,
    job: &'static str,
) -> Turn<&'static str, u8> {
    let weight = Weight { rows, bytes: rows };
    queue.submit(urgency, weight, job, None, Gather::No, &mut Vec::new())
}

fn next(queue: &Jobs, replica: u8, now: u64) -> Next<&'static str, u8> {
    queue.next(replica, 0, Gather::No, || at(now))
}

/// Nothing takes any time.
fn at(now: u64) -> Pace {
    Pace {
        now,
        row_ns: 0.0,
        batch_ns: 0.0,
    }
}

fn run(replica: u8, jobs: &[&'static str], expired: &[&'static str]) -> Next<&'static str, u8> {
    Next::Run {
        replica,
        jobs: jobs.to_vec(),
        expired: expired.to_vec(),
    }
}

const ANY: Urgency = Urgency {
    priority: 1,
    deadline: u64::MAX,
};

#[test]
fn a_lone_caller_leads_and_leaves_nothing_behind() {
    let queue = queue(10, 10, 1);
    let replica = queue.try_lead(1).unwrap();
    assert!(queue.try_lead(1).is_none(), "there is but one replica");
    assert_eq!(next(&queue, replica, 0), Next::Nothing);
    assert!(queue.try_lead(1).is_some());
}

#[test]
fn jobs_that_come_while_one_leads_form_the_next_batch() {
    let queue = queue(10, 2, 1);
    let replica = queue.try_lead(1).unwrap();
    for job in ["a", "b", "c"] {
        assert_eq!(submit(&queue, ANY, 1, job), Turn::Wait);
    }
    assert_eq!(next(&queue, replica, 0), run(0, &["a", "b"], &[]));
    assert_eq!(next(&queue, replica, 0), run(0, &["c"], &[]));
    assert_eq!(next(&queue, replica, 0), Next::Nothing);
}

#[test]
fn nobody_overtakes_those_who_wait() {
    let queue = queue(10, 10, 1);
    let Turn::Lead(_) = submit(&queue, ANY, 1, "a") else {
        panic!("nobody leads")
    };
    assert!(queue.try_lead(1).is_none());
}

#[test]
fn the_most_urgent_go_first() {
    let queue = queue(10, 1, 1);
    let replica = queue.try_lead(1).unwrap();
    for (urgency, job) in [
        (urgency(5, u64::MAX), "whenever"),
        (urgency(5, 900), "late"),
        (urgency(5, 300), "soon"),
        (urgency(1, u64::MAX), "important"),
        (urgency(5, 300), "soon, but second"),
    ] {
        assert_eq!(submit(&queue, urgency, 1, job), Turn::Wait);
    }
    for job in ["important", "soon", "soon, but second", "late", "whenever"] {
        assert_eq!(next(&queue, replica, 0), run(0, &[job], &[]));
    }
}

#[test]
fn what_has_expired_is_handed_back_and_not_run() {
    let queue = queue(10, 10, 1);
    let replica = queue.try_lead(1).unwrap();
    assert_eq!(submit(&queue, urgency(1, 100), 1, "early"), Turn::Wait);
    assert_eq!(submit(&queue, urgency(1, 200), 1, "late"), Turn::Wait);
    assert_eq!(next(&queue, replica, 100), run(0, &["late"], &["early"]));
    assert_eq!(queue.waits(), Weight::default());
}

#[test]
fn rows_and_bytes_are_bounded_but_one_job_always_fits() {
    let queue = queue(3, 1, 1);
    let replica = queue.try_lead(1).unwrap();
    assert_eq!(submit(&queue, ANY, 5_000, "giant"), Turn::Wait);
    assert_eq!(submit(&queue, ANY, 1, "a"), Turn::Full("a"));
    assert_eq!(next(&queue, replica, 0), run(0, &["giant"], &[]));
    assert_eq!(submit(&queue, ANY, 3, "b"), Turn::Wait);
    assert_eq!(submit(&queue, ANY, 1, "c"), Turn::Full("c"));
    let heavy = Weight {
        rows: 0,
        bytes: 998,
    };
    let turn = queue.submit(ANY, heavy, "heavy", None, Gather::No, &mut Vec::new());
    assert_eq!(turn, Turn::Full("heavy"));
}

#[test]
fn only_a_higher_priority_takes_the_place_of_another() {
    let queue = queue(2, 1, 1);
    let replica = queue.try_lead(1).unwrap();
    assert_eq!(submit(&queue, urgency(5, 100), 1, "a"), Turn::Wait);
    assert_eq!(submit(&queue, urgency(5, 200), 1, "b"), Turn::Wait);
    assert_eq!(
        submit(&queue, urgency(5, 50), 1, "sooner"),
        Turn::Full("sooner")
    );
    let mut evicted = Vec::new();
    let weight = Weight { rows: 1, bytes: 1 };
    let turn = queue.submit(
        urgency(1, 900),
        weight,
        "vip",
        None,
        Gather::No,
        &mut evicted,
    );
    assert_eq!(turn, Turn::Wait);
    assert_eq!(evicted, ["b"]);
    assert_eq!(next(&queue, replica, 0), run(0, &["vip"], &[]));
    assert_eq!(next(&queue, replica, 0), run(0, &["a"], &[]));
}

#[test]
fn what_would_be_late_is_refused_and_what_is_more_urgent_is_not() {
    // 10 ns a row and 5 a batch of 2.
    let pace = |now| {
        Some(Pace {
            now,
            row_ns: 10.0,
            batch_ns: 5.0,
        })
    };
    let queue = queue(1_000, 2, 1);
    let replica = queue.try_lead(2).unwrap();
    let submit = |deadline, now, job| {
        let weight = Weight { rows: 1, bytes: 1 };
        let urgency = urgency(1, deadline);
        queue.submit(urgency, weight, job, pace(now), Gather::No, &mut Vec::new())
    };
    // Two rows run until 25, and one more until 40.
    assert_eq!(submit(39, 0, "a"), Turn::TooLate("a"));
    assert_eq!(submit(40, 0, "a"), Turn::Wait);
    // Behind it another until 25 + 25.
    assert_eq!(submit(49, 0, "b"), Turn::TooLate("b"));
    assert_eq!(submit(1_000, 0, "b"), Turn::Wait);
    // Before both.
    assert_eq!(submit(39, 0, "c"), Turn::TooLate("c"));
    assert_eq!(submit(40, 0, "c"), Turn::TooLate("c"), "behind its equal");
    // With a quarter of its time for others in its batch.
    assert_eq!(submit(66, 0, "c"), Turn::TooLate("c"));
    assert_eq!(submit(70, 0, "c"), Turn::Wait, "before b");
    assert_eq!(submit(70, 80, "d"), Turn::TooLate("d"));
    let next = queue.next(replica, 2, Gather::No, || at(30));
    assert_eq!(next, run(0, &["a", "c"], &[]));
}

#[test]
fn a_batch_ends_before_its_most_urgent_row_is_late() {
    let queue = queue(1_000, 10, 1);
    let replica = queue.try_lead(1).unwrap();
    for job in ["a", "b", "c", "d", "e"] {
        assert_eq!(submit(&queue, urgency(1, 100), 2, job), Turn::Wait);
    }
    // 10 ns a row and 5 a batch: seven rows take 75, and a quarter of the time is kept free.
    let pace = || Pace {
        now: 0,
        row_ns: 10.0,
        batch_ns: 5.0,
    };
    let next = queue.next(replica, 1, Gather::No, pace);
    assert_eq!(next, run(0, &["a", "b", "c"], &[]));
    // What is nearly late goes alone rather than not at all.
    let next = queue.next(replica, 6, Gather::No, || Pace { now: 90, ..pace() });
    assert_eq!(next, run(0, &["d"], &[]));
}

#[test]
fn one_who_gathers_leads_what_came_meanwhile() {
    let queue = queue(10, 10, 2);
    let weight = Weight { rows: 1, bytes: 1 };
    let Turn::Lead(first) = queue.submit(ANY, weight, "a", None, Gather::Yes, &mut Vec::new())
    else {
        panic!("nobody leads")
    };
    assert_eq!(
        submit(&queue, ANY, 1, "b"),
        Turn::Wait,
        "it will be taken along"
    );
    let next = queue.next(first, 0, Gather::Yes, || at(0));
    assert_eq!(next, run(first, &["a", "b"], &[]));
    let Turn::Lead(second) = submit(&queue, ANY, 1, "c") else {
        panic!("there is another replica")
    };
    assert_ne!(first, second);
}

#[test]
fn the_last_replica_stays_and_a_new_one_goes_to_work() {
    let queue = queue(10, 10, 1);
    assert!(queue.remove().is_none());
    assert_eq!(queue.add(7), None);
    assert_eq!(queue.replicas(), 2);
    assert!(queue.remove().is_some());
    let _replica = queue.try_lead(1).unwrap();
    assert_eq!(submit(&queue, ANY, 1, "a"), Turn::Wait);
    assert_eq!(queue.add(8), Some(8));
    assert_eq!(queue.replicas(), 2);
}
