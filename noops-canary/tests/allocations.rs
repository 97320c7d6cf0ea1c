//! In steady state a request into a judge allocates nothing.

#![allow(
    unsafe_code,
    reason = "an allocator that counts can only be written so"
)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use noops_canary::Arm;
use noops_canary::judge::{
    Judge, JudgeSpec, MetricKind, MetricSpec, Observation, Tolerance, Unit, Units,
};
use noops_core::{Probability, Share, Timestamp};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes on to the system's allocator as it came; counting touches only a number of this thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

#[test]
fn a_request_with_ten_metrics_and_eight_slices_allocates_nothing() {
    let margin = Tolerance::relative(0.25).unwrap();
    let kinds = [
        MetricKind::Rate,
        MetricKind::Mean {
            lower: 0.0,
            upper: 10.0,
        },
        MetricKind::Above { threshold: 0.5 },
        MetricKind::Tail {
            quantile: Probability::new(0.9).unwrap(),
            learn_from: 100,
        },
        MetricKind::Rate,
    ];
    let metrics = (0..10).zip(kinds.into_iter().cycle());
    let metrics =
        metrics.map(|(n, kind)| MetricSpec::new(format!("m{n}"), kind).with_margin(margin));
    for units in [Units::Independent, Units::Sticky(5_000)] {
        let spec = JudgeSpec::new(metrics.clone()).unwrap();
        let spec = spec.with_slices(["country"]).with_units(units);
        let mut judge = Judge::new(spec).unwrap();
        let names: Vec<String> = (0..8).map(|n| format!("c{n}")).collect();
        let slices: Vec<_> = names
            .iter()
            .map(|name| judge.slice_value("country", name).unwrap())
            .collect();
        let half = Share::from_ratio(0.5).unwrap();
        let mut serve = |request: u64| {
            let value = if request.is_multiple_of(7) { 1.0 } else { 0.0 };
            let values = [Some(value); 10];
            let arm = if (request / 3).is_multiple_of(2) {
                Arm::Champion
            } else {
                Arm::Challenger
            };
            let slices = slices.get(request as usize % 8..).unwrap();
            let unit = Unit::of_number(request);
            let observation = Observation::new(Timestamp::UNIX_EPOCH, unit, arm, half, &values);
            judge
                .observe(&observation.with_slices(slices.get(..1).unwrap()))
                .unwrap();
        };
        (0..2_000).for_each(&mut serve);
        let before = allocations();
        (2_000..10_000).for_each(&mut serve);
        assert_eq!(allocations() - before, 0, "{units:?}");
        assert_eq!(
            judge.requests(Arm::Champion) + judge.requests(Arm::Challenger),
            10_000
        );
    }
    // The counter does count.
    let before = allocations();
    drop(std::hint::black_box(vec![0_u8; 64]));
    assert!(allocations() > before);
}
