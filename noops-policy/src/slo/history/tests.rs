use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::slo::{Slice, Target, Window};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn history(start: i64) -> History {
    let longest = 30 * 86_400;
    History::new(BudgetingMethod::Occurrences, 300, longest, 3600, at(start)).unwrap()
}

fn span(now: i64, length: u64) -> Span {
    Window::rolling(Duration::from_secs(length))
        .unwrap()
        .span(at(now))
}

/// What `read` promises: from the start of the bucket of the window's start to the end of the bucket of its end.
fn naive(events: &[(i64, u64)], now: i64, length: i64) -> Tally {
    let from = now - length;
    // 10 s is a thirtieth of five minutes; two hours of fine buckets are always held.
    let width = if length <= 43_200 { 10 } else { 900 };
    let first = from.div_euclid(width) * width;
    let end = now.div_euclid(10) * 10 + 10;
    events
        .iter()
        .filter(|(second, _)| *second >= first && *second < end)
        .fold(Tally::default(), |sum, (_, bad)| {
            sum.plus(Tally::of(*bad, 1))
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_of_arrival_reads_like_a_list(
        ages in prop::collection::vec((0i64..40 * 86_400, 0u64..2), 1..200),
        order in any::<u64>(),
    ) {
        let now = 1_700_000_123;
        let mut events: Vec<(i64, u64)> = ages.iter().map(|(age, bad)| (now - age, *bad)).collect();
        let mut shuffle = noops_stats::SplitMix64(order);
        for last in (1..events.len()).rev() {
            let other = shuffle.below(last + 1);
            events.swap(last, other);
        }
        let mut history = history(now - 41 * 86_400);
        history.advance(at(now));
        let mut kept = Vec::new();
        for (index, (second, bad)) in events.iter().enumerate() {
            match history.record(at(*second), Tally::of(*bad, 1)) {
                Recorded::Counted => kept.push((*second, *bad)),
                Recorded::TooLate => prop_assert!(now - second > 33 * 86_400),
                Recorded::TooEarly => prop_assert!(false, "none is ahead"),
            }
            if index % 7 == 0 {
                history.settle();
            }
        }
        prop_assert_eq!(kept.len() as u64 + history.late(), events.len() as u64);
        history.settle();
        for length in [300, 3600, 21_600, 43_200, 3 * 86_400, 30 * 86_400] {
            prop_assert_eq!(history.read(span(now, length as u64)), naive(&kept, now, length));
        }
        prop_assert_eq!(history.lifetime(at(now)).total(), kept.len() as u64);
    }

    #[test]
    fn replicas_merge_to_what_one_would_have_counted_in_either_order(
        events in prop::collection::vec((0i64..5 * 86_400, 0u64..2, any::<bool>()), 1..100),
    ) {
        let start = 1_700_000_000;
        let (mut left, mut right, mut both) = (history(start), history(start), history(start));
        for (offset, bad, to_left) in &events {
            let moment = at(start + offset);
            let one = Tally::of(*bad, 1);
            let replica = if *to_left { &mut left } else { &mut right };
            replica.advance(moment);
            both.advance(moment);
            replica.record(moment, one);
            both.record(moment, one);
        }
        let mut other_way = right.clone();
        other_way.merge(&left).unwrap();
        left.merge(&right).unwrap();
        prop_assert_eq!(left.to_stored(), other_way.to_stored());
        let (mut merged, mut whole) = (left, both);
        merged.settle();
        whole.settle();
        let now = start + 5 * 86_400;
        for length in [3600, 86_400, 4 * 86_400] {
            prop_assert_eq!(merged.read(span(now, length)), whole.read(span(now, length)));
        }
    }
}

#[test]
fn a_stamp_far_ahead_is_refused_and_counted_and_wipes_nothing() {
    let mut history = history(0);
    assert_eq!(history.record(at(5), Tally::of(1, 1)), Recorded::Counted);
    assert_eq!(
        history.record(Timestamp::MAX, Tally::of(1, 1)),
        Recorded::TooEarly
    );
    assert_eq!(
        history.record(Timestamp::MIN, Tally::of(1, 1)),
        Recorded::TooLate
    );
    history.settle();
    assert_eq!(history.read(span(9, 300)), Tally::of(1, 1));
    assert_eq!((history.early(), history.late()), (1, 1));
}

#[test]
fn time_that_goes_backwards_moves_nothing() {
    let mut history = history(0);
    history.advance(at(50_000));
    history.record(at(50_000), Tally::of(0, 1));
    history.advance(at(10));
    history.record(at(49_000), Tally::of(1, 1));
    history.settle();
    assert_eq!(history.read(span(50_000, 3600)), Tally::of(1, 2));
}

#[test]
fn a_long_silence_empties_every_window() {
    let mut history = history(0);
    history.record(at(5), Tally::of(1, 1));
    history.advance(at(400 * 86_400));
    history.settle();
    assert_eq!(
        history.read(span(400 * 86_400, 30 * 86_400)),
        Tally::default()
    );
    history.advance(Timestamp::MAX);
    history.settle();
    assert_eq!(history.read(span(400 * 86_400, 300)), Tally::default());
}

#[test]
fn a_slice_counts_once_it_is_over() {
    let budgeting = BudgetingMethod::Timeslices {
        slice: Slice::new(Duration::from_secs(60)).unwrap(),
        target: Target::new(0.5).unwrap(),
    };
    let mut history = History::new(budgeting, 300, 86_400, 3600, at(0)).unwrap();
    for second in [0, 1, 2, 61, 62] {
        history.record(at(second), Tally::of(u64::from(second < 2), 1));
    }
    history.settle();
    assert_eq!(history.read(span(100, 300)), Tally::of(1, 1));
    assert_eq!(history.read(span(120, 300)), Tally::of(1, 2));
    // A late event re-opens its slice: two of four are good, which is the target.
    history.record(at(30), Tally::of(0, 1));
    history.settle();
    assert_eq!(history.read(span(120, 300)), Tally::of(0, 2));
}

#[test]
fn slices_too_many_to_keep_are_refused() {
    let budgeting = BudgetingMethod::RatioTimeslices {
        slice: Slice::new(Duration::from_secs(10)).unwrap(),
    };
    assert!(History::new(budgeting, 300, 366 * 86_400, 3600, at(0)).is_err());
}

#[test]
fn what_is_stored_reads_back_and_tampering_is_refused() {
    let mut history = history(1_000);
    for second in [1_000, 90_000, 200_000] {
        history.advance(at(second));
        history.record(at(second), Tally::of(1, 1));
    }
    let stored = history.to_stored();
    let json = serde_json::to_string(&stored).unwrap();
    let back: StoredHistory = serde_json::from_str(&json).unwrap();
    let mut fresh = self::history(1_000);
    fresh.restore(&back).unwrap();
    history.settle();
    fresh.settle();
    assert_eq!(fresh.to_stored(), stored);
    assert_eq!(fresh.lifetime(at(200_000)), history.lifetime(at(200_000)));

    let hostile = [
        StoredHistory {
            clock: i64::MAX,
            ..stored.clone()
        },
        StoredHistory {
            head: i64::MAX,
            ..stored.clone()
        },
        StoredHistory {
            head: i64::MIN,
            ..stored.clone()
        },
        StoredHistory {
            fine: vec![StoredCell {
                bucket: 0,
                bad: 0,
                total: 1,
            }],
            ..stored.clone()
        },
        StoredHistory {
            coarse: vec![StoredCell {
                bucket: 1,
                bad: 2,
                total: 1,
            }],
            ..stored
        },
    ];
    for state in hostile {
        assert!(self::history(1_000).restore(&state).is_err(), "{state:?}");
    }
}
