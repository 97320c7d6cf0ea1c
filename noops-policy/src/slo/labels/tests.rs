use noops_stats::SplitMix64;
use proptest::prelude::*;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn events() -> LabelledEvents {
    LabelledEvents::new(DAY, 30 * DAY, 100_000).unwrap()
}

#[test]
fn the_interval_narrows_to_the_ratio() {
    let mut events = events();
    for id in 0..10 {
        assert_eq!(events.serve(id, at(100)), Accepted::New);
    }
    let read = |events: &LabelledEvents| events.interval(at(200), DAY);
    assert_eq!(read(&events).verdict(0.3), LabelVerdict::Unknown);
    for id in 0..10 {
        let outcome = if id < 3 { Outcome::Bad } else { Outcome::Good };
        let before = read(&events);
        events.label(id, at(100), outcome, at(150));
        let after = read(&events);
        assert!(after.low() >= before.low() && after.high() <= before.high());
    }
    assert_eq!(read(&events).low(), Some(0.3));
    assert_eq!(read(&events).high(), Some(0.3));
    assert_eq!(read(&events).verdict(0.3), LabelVerdict::Ok);
    assert_eq!(read(&events).verdict(0.29), LabelVerdict::Breach);
}

#[test]
fn no_events_are_unknown() {
    let interval = events().interval(at(0), DAY);
    assert_eq!(interval.low(), None);
    assert_eq!(interval.verdict(0.5), LabelVerdict::Unknown);
    assert_eq!(interval.verdict(f64::NAN), LabelVerdict::Unknown);
}

#[test]
fn after_the_watermark_the_labelled_ones_decide_and_memory_is_given_back() {
    let mut events = events();
    for id in 0..4 {
        events.serve(id, at(100));
    }
    events.label(0, at(100), Outcome::Bad, at(200));
    events.label(1, at(100), Outcome::Good, at(200));
    events.advance(at(100 + 86_401));
    assert_eq!(events.open(), 0);
    let interval = events.interval(at(100 + 86_401), 2 * DAY);
    assert_eq!((interval.low(), interval.high()), (Some(0.5), Some(0.5)));
    assert_eq!(interval.dropped(), 2);
    assert_eq!(
        events.label(2, at(100), Outcome::Bad, at(90_000)),
        Accepted::TooLate
    );
    assert_eq!(events.refused(), 1);
    events.advance(at(40 * 86_400));
    let gone = events.interval(at(40 * 86_400), 60 * DAY);
    assert_eq!(gone.served(), 0);
}

#[test]
fn open_events_are_bounded() {
    let mut events = LabelledEvents::new(DAY, DAY, 2).unwrap();
    events.serve(1, at(0));
    events.serve(2, at(0));
    assert_eq!(events.serve(3, at(0)), Accepted::Full);
    assert_eq!(events.serve(2, at(0)), Accepted::Known);
    assert_eq!(events.label(2, at(0), Outcome::Good, at(5)), Accepted::New);
}

// Labels come uniformly within the day, 20 % of them bad: at half a day half of them are there. 2 000 open events give 200
// known bad in expectation with a standard deviation of 13.4; 0.16 to 0.24 is 3 of them each way, doubled by 1 / F.
#[test]
fn the_chain_ladder_completes_what_is_yet_to_come() {
    let mut events = events();
    let mut random = SplitMix64(3);
    let day = 86_400i64;
    let mut id = 0;
    for served in [0, day + day / 2] {
        for _ in 0..2_000 {
            id += 1;
            events.serve(id, at(served));
            let arrives = served + random.below(86_400) as i64;
            let outcome = if random.unit() < 0.2 {
                Outcome::Bad
            } else {
                Outcome::Good
            };
            if arrives <= 2 * day {
                events.label(id, at(served), outcome, at(arrives));
            }
        }
    }
    assert_eq!(events.interval(at(2 * day), DAY).expected(), None);
    events.advance(at(2 * day));
    let interval = events.interval(at(2 * day), DAY);
    let expected = interval.expected().unwrap();
    assert!((0.16..0.24).contains(&expected), "{expected}");
    assert!(interval.low().unwrap() < 0.13);
    assert!(expected <= interval.high().unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_and_repetition_do_not_matter(
        messages in prop::collection::vec((0u64..20, 0u8..3), 1..60),
        seed in any::<u64>(),
    ) {
        let tell = |events: &mut LabelledEvents, (id, what): (u64, u8)| {
            let served = at(1_000 + (id * 977 % 5_000) as i64);
            match what {
                0 => events.serve(id, served),
                1 => events.label(id, served, Outcome::Good, at(8_000)),
                _ => events.label(id, served, Outcome::Bad, at(9_000)),
            };
        };
        let mut straight = events();
        for message in &messages {
            tell(&mut straight, *message);
        }
        let mut shuffled = messages.clone();
        shuffled.extend(&messages);
        SplitMix64(seed).shuffle(&mut shuffled);
        let mut other = events();
        for message in shuffled {
            tell(&mut other, message);
        }
        prop_assert_eq!(&straight, &other);
        for events in [&mut straight, &mut other] {
            events.advance(at(3_000 + 86_400));
        }
        prop_assert_eq!(
            straight.interval(at(10_000), DAY),
            other.interval(at(10_000), DAY)
        );
    }
}

#[test]
fn states_read_back_and_tampering_is_refused() {
    let mut events = events();
    events.serve(u64::MAX, at(-5));
    events.label(u64::MAX, at(-5), Outcome::Bad, at(-9));
    events.advance(at(100));
    let json = serde_json::to_string(&events).unwrap();
    let back: LabelledEvents = serde_json::from_str(&json).unwrap();
    assert_eq!(back, events);
    for (from, to) in [
        ("\"capacity\":100000", "\"capacity\":0"),
        ("\"delays\":[0,", "\"delays\":["),
        ("\"delay\":0", "\"delay\":-1"),
        ("\"horizon\":\"1d\"", "\"horizon\":\"0s\""),
    ] {
        let tampered = json.replace(from, to);
        assert_ne!(tampered, json, "{from}");
        assert!(serde_json::from_str::<LabelledEvents>(&tampered).is_err());
    }
}

#[test]
fn far_times_are_no_trap() {
    let mut events = events();
    for moment in [Timestamp::MIN, Timestamp::MAX, at(0)] {
        events.serve(1, moment);
        events.label(1, moment, Outcome::Bad, Timestamp::MIN);
        let _ = events.interval(moment, Duration::MAX);
        events.advance(moment);
        let _ = events.interval(moment, Duration::ZERO);
    }
    assert!(LabelledEvents::new(DAY, Duration::MAX, 1).is_err());
    assert!(LabelledEvents::new(2 * DAY, DAY, 1).is_err());
}
