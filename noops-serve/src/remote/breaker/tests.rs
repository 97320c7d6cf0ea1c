//! What a breaker promises.

use std::num::{NonZeroU32, NonZeroUsize};

use noops_core::Share;
use proptest::prelude::*;

use super::*;
use crate::remote::random::SplitMix64;

const QUICK: CallOutcome = CallOutcome::Answered(Duration::from_millis(3));
const SLOW: CallOutcome = CallOutcome::Answered(Duration::from_secs(2));

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap()
}

fn call(breaker: &mut Breaker, at: Timestamp, outcome: CallOutcome) {
    let permit = breaker.admit(at).unwrap();
    breaker.report(at, permit, outcome);
}

fn opened() -> Breaker {
    let mut breaker = Breaker::new(BreakerSettings::default());
    (0..20).for_each(|_| call(&mut breaker, at(0), CallOutcome::Failed));
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

#[test]
fn few_calls_open_nothing() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    (0..19).for_each(|_| call(&mut breaker, at(0), CallOutcome::Failed));
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn it_opens_at_the_rate_and_not_below() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    (0..100).for_each(|_| call(&mut breaker, at(0), QUICK));
    // The window slides: the good calls leave it one by one.
    (0..49).for_each(|_| call(&mut breaker, at(1), CallOutcome::Failed));
    assert_eq!(breaker.state(), BreakerState::Closed);
    call(&mut breaker, at(1), CallOutcome::Failed);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn slow_answers_open_it_too() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    (0..4).for_each(|_| call(&mut breaker, at(0), QUICK));
    (0..15).for_each(|_| call(&mut breaker, at(0), SLOW));
    assert_eq!(breaker.state(), BreakerState::Closed);
    call(&mut breaker, at(0), SLOW);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn callers_that_go_away_say_nothing_of_the_server() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    (0..1_000).for_each(|_| call(&mut breaker, at(0), CallOutcome::Neither));
    assert_eq!(breaker, Breaker::new(BreakerSettings::default()));
}

#[test]
fn an_open_breaker_says_how_long() {
    let mut breaker = opened();
    let refusal = breaker.admit(at(1_000)).unwrap_err();
    assert_eq!(refusal.left(), Duration::from_secs(4));
}

#[test]
fn no_more_probes_pass_than_are_allowed() {
    let mut breaker = opened();
    let permits: Vec<Permit> = (0..3).map(|_| breaker.admit(at(5_000)).unwrap()).collect();
    assert_eq!(breaker.admit(at(5_000)).unwrap_err().left(), Duration::ZERO);
    for permit in permits {
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.report(at(5_001), permit, QUICK);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_probe_nobody_waited_for_gives_its_place_back() {
    let mut breaker = opened();
    (0..10).for_each(|_| call(&mut breaker, at(5_000), CallOutcome::Neither));
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

#[test]
fn a_failed_probe_doubles_the_pause() {
    let mut breaker = opened();
    call(&mut breaker, at(5_000), CallOutcome::Failed);
    assert_eq!(
        breaker.admit(at(5_000)).unwrap_err().left(),
        Duration::from_secs(10)
    );
    call(&mut breaker, at(15_000), SLOW);
    assert_eq!(
        breaker.admit(at(15_000)).unwrap_err().left(),
        Duration::from_secs(20)
    );
    let mut now = 15_000;
    for _ in 0..100 {
        now += 60_000;
        call(&mut breaker, at(now), CallOutcome::Failed);
    }
    assert_eq!(
        breaker.admit(at(now)).unwrap_err().left(),
        Duration::from_secs(60)
    );
}

#[test]
fn an_outcome_of_an_earlier_period_is_not_counted() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    let late: Vec<Permit> = (0..3).map(|_| breaker.admit(at(0)).unwrap()).collect();
    (0..20).for_each(|_| call(&mut breaker, at(0), CallOutcome::Failed));
    let _probe = breaker.admit(at(5_000)).unwrap();
    for permit in late {
        breaker.report(at(5_000), permit, QUICK);
    }
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

#[test]
fn a_clock_that_goes_back_does_not_keep_it_open_for_ever() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    (0..20).for_each(|_| call(&mut breaker, at(1_000_000), CallOutcome::Failed));
    assert!(breaker.admit(at(0)).is_err());
    assert!(breaker.admit(at(4_999)).is_err());
    assert!(breaker.admit(at(5_000)).is_ok());
}

#[test]
fn an_outage_opens_it_within_the_window_and_lets_next_to_nothing_pass() {
    // A thousand calls a second: a minute of health, ten of outage, a minute of health.
    let mut breaker = Breaker::new(BreakerSettings::default());
    let (mut changes, mut before, mut passed) = (Vec::new(), breaker.state(), 0);
    for now in 0..720_000 {
        let down = (60_000..660_000).contains(&now);
        if let Ok(permit) = breaker.admit(at(now)) {
            passed += usize::from(down);
            breaker.report(
                at(now),
                permit,
                if down { CallOutcome::Failed } else { QUICK },
            );
        }
        if breaker.state() != before {
            before = breaker.state();
            changes.push((now, before));
        }
    }
    // The fiftieth failure among the last hundred calls.
    assert_eq!(changes[0], (60_049, BreakerState::Open));
    let closed: Vec<i64> = changes
        .iter()
        .filter(|(_, state)| *state == BreakerState::Closed)
        .map(|(now, _)| *now)
        .collect();
    assert_eq!(closed.len(), 1, "it closes once: {changes:?}");
    assert!((660_000..720_000).contains(&closed[0]));
    assert!(passed < 50 + 20, "{passed}");
}

#[test]
fn a_server_that_fails_below_the_rate_is_called_all_the_time() {
    let mut breaker = Breaker::new(BreakerSettings::default());
    let mut random = SplitMix64::new(2);
    for now in 0..100_000 {
        let outcome = match random.draw_up_to(9) {
            0 | 1 => CallOutcome::Failed,
            _ => QUICK,
        };
        call(&mut breaker, at(now), outcome);
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
}

proptest! {
    /// A breaker that keeps all outcomes and counts them anew agrees.
    #[test]
    fn it_opens_exactly_when_a_recount_says_so(
        outcomes in proptest::collection::vec(0..3_u8, 1..200), window in 1..40_usize, minimum in 1..40_usize,
        failed in 0..=1_000_000_u32, slow in 0..=1_000_000_u32,
    ) {
        let settings = BreakerSettings::default()
            .with_window(NonZeroUsize::new(window).unwrap(), NonZeroUsize::new(minimum).unwrap())
            .with_failed(Share::from_ppm(failed).unwrap())
            .with_slow(Share::from_ppm(slow).unwrap(), Duration::from_secs(1))
            .with_probes(NonZeroU32::MIN);
        let mut breaker = Breaker::new(settings);
        for end in 1..=outcomes.len() {
            let outcome = [QUICK, SLOW, CallOutcome::Failed][usize::from(outcomes[end - 1])];
            call(&mut breaker, at(0), outcome);
            let last = &outcomes[end.saturating_sub(window)..end];
            let bad = last.iter().filter(|&&kind| kind == 2).count();
            let crawling = last.iter().filter(|&&kind| kind >= 1).count();
            let over = |count: usize, ppm: u32| count > 0 && count * 1_000_000 >= last.len() * ppm as usize;
            let expected = last.len() >= minimum.min(window) && (over(bad, failed) || over(crawling, slow));
            prop_assert_eq!(breaker.state() == BreakerState::Open, expected);
            if expected {
                break;
            }
        }
    }
}
