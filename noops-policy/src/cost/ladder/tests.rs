use noops_stats::SplitMix64;
use proptest::prelude::*;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn ladder() -> TierLadder {
    let prices = PriceList::new(money("4")).unwrap();
    let prices = prices.with_spot(money("1")).unwrap();
    TierLadder::new(prices.with_smaller(money("2"), 50).unwrap())
}

fn calm() -> InterruptionRate {
    InterruptionRate::new(0.01, HOUR).unwrap()
}

#[test]
fn each_rung_has_its_hour() {
    let job = |hours: i64| LadderJob::new(2 * HOUR, at(hours * 3600));
    let tier = |deadline, rate: f64, remaining| {
        let rate = InterruptionRate::new(rate, HOUR).unwrap();
        ladder()
            .choose(&job(deadline), &rate, money(remaining), at(0))
            .tier()
    };
    assert_eq!(tier(9, 0.01, "100"), Tier::Spot);
    assert_eq!(tier(2, 1.0, "100"), Tier::OnDemand);
    assert_eq!(tier(2, 1.0, "7.99"), Tier::SmallerModel);
    assert_eq!(tier(1, 0.0, "100"), Tier::SmallerModel);
    assert_eq!(tier(9, 1.0, "1.99"), Tier::Queue);
    assert_eq!(tier(0, 0.0, "100"), Tier::Queue);
}

#[test]
fn spot_that_interruptions_make_dear_is_passed_over() {
    let job = LadderJob::new(2 * HOUR, at(1_000 * 3600));
    let rough = InterruptionRate::new(0.3, HOUR).unwrap();
    let decision = ladder().choose(&job, &rough, money("1000"), at(0));
    assert_eq!(decision.rungs()[0].verdict(), RungVerdict::NoCheaper);
    assert_eq!(
        decision.to_string(),
        "on-demand by `1970-01-01T02:00:00Z` for at most 8.00; spot: is no cheaper than on demand"
    );
    // Checkpoints make it cheap again.
    let saved = job.with_checkpoint(HOUR / 12);
    assert_eq!(
        ladder().choose(&saved, &rough, money("1000"), at(0)).tier(),
        Tier::Spot
    );
}

#[test]
fn poisson_probabilities_are_exact() {
    // python3 -c "from math import *; print(sum(exp(-3)*3**k/factorial(k) for k in range(5)))"
    assert!((poisson_cdf(4, 3.0) - 0.815_263_244_523_772_4).abs() < 1e-14);
    assert_eq!(poisson_cdf(0, 0.0), 1.0);
    assert_eq!(poisson_cdf(200, 1e6), 0.0);
}

#[test]
fn prices_are_charged_to_the_next_millionth() {
    assert_eq!(price_of(money("4"), HOUR), Some(money("4")));
    assert_eq!(
        price_of(money("0.000001"), Duration::from_nanos(1)),
        Some(money("0.000001"))
    );
    assert_eq!(price_of(Money::MAX, Duration::MAX), None);
    assert!(PriceList::new(money("-1")).is_err());
    assert!(
        PriceList::new(money("1"))
            .unwrap()
            .with_smaller(money("1"), 0)
            .is_err()
    );
    let json = serde_json::to_string(&ladder()).unwrap();
    assert_eq!(serde_json::from_str::<TierLadder>(&json).unwrap(), ladder());
    assert!(serde_json::from_str::<TierLadder>(&json.replace("4.00", "-4.00")).is_err());
}

#[test]
fn jobs_on_spot_miss_their_time_no_more_often_than_promised() {
    // 4,000 runs at alpha 0.05: the standard error is 0.0035; four of them are 0.014.
    let mut random = SplitMix64(5);
    let rate = InterruptionRate::new(0.7, HOUR).unwrap();
    let job = LadderJob::new(4 * HOUR, at(0))
        .with_checkpoint(HOUR / 4)
        .with_restart(HOUR / 12);
    let promised = ladder().time_on_spot(&job, &rate).unwrap().as_secs_f64() / 3600.0;
    let missed = (0..4_000)
        .filter(|_| {
            let (mut clock, mut done) = (0.0, 0.0);
            loop {
                let run = -libm::log(1.0 - random.unit()) / 0.7;
                if done + run >= 4.0 {
                    break clock + 4.0 - done > promised;
                }
                // Work is saved every quarter of an hour.
                done += libm::floor(run / 0.25) * 0.25;
                clock += run + 1.0 / 12.0;
            }
        })
        .count();
    let missed = missed as f64 / 4_000.0;
    assert!(missed <= 0.05 + 0.014, "{missed}");
}

#[test]
fn endless_jobs_queue_without_a_panic() {
    let endless = LadderJob::new(Duration::MAX, Timestamp::MAX).with_restart(Duration::MAX);
    assert_eq!(
        ladder()
            .choose(&endless, &calm(), Money::MAX, Timestamp::MAX)
            .tier(),
        Tier::Queue
    );
    let mut storm = calm();
    storm.observe(Duration::ZERO, u32::MAX);
    let job = LadderJob::new(HOUR, Timestamp::MAX);
    assert_ne!(
        ladder().choose(&job, &storm, Money::MAX, at(0)).tier(),
        Tier::Spot
    );
}

proptest! {
    #[test]
    fn what_is_chosen_is_in_time_paid_for_and_the_first_that_fits(
        minutes in 0_u64..600, deadline in -60_i64..1200, checkpoint in 0_u64..120,
        rate in 0.0..5.0_f64, remaining in -5_i64..60
    ) {
        let job = LadderJob::new(Duration::from_secs(minutes * 60), at(deadline * 60))
            .with_checkpoint(Duration::from_secs(checkpoint * 60));
        let rate = InterruptionRate::new(rate, HOUR).unwrap();
        let remaining = Money::from_units(remaining).unwrap();
        let decision = ladder().choose(&job, &rate, remaining, at(0));
        let chosen = decision.chosen().unwrap();
        if chosen.tier() != Tier::Queue {
            prop_assert!(chosen.finish_by().unwrap() <= job.deadline());
            prop_assert!(chosen.cost().unwrap() <= remaining);
            prop_assert!(chosen.finish_by().unwrap() >= at(0));
        }
        // The queue is for what nothing else can do: re-judged here from the price list.
        let quick = at(i64::try_from(minutes).unwrap() * 60) <= job.deadline();
        let paid = i128::from(minutes) * 4_000_000 <= remaining.micros() * 60;
        if quick && paid {
            prop_assert!(matches!(decision.tier(), Tier::Spot | Tier::OnDemand));
        }
        let half = at(i64::try_from(minutes).unwrap() * 30) <= job.deadline();
        let half_paid = i128::from(minutes) * 1_000_000 <= remaining.micros() * 60;
        prop_assert_eq!(
            decision.tier() == Tier::Queue,
            !(quick && paid || half && half_paid)
                && decision.rungs()[0].verdict() != RungVerdict::Fits
        );
    }

    #[test]
    fn more_interruptions_never_make_spot_faster(
        low in 0.0..2.0_f64, more in 0.0..2.0_f64, minutes in 1_u64..600
    ) {
        let job = LadderJob::new(Duration::from_secs(minutes * 60), at(0))
            .with_checkpoint(HOUR / 6);
        let time = |rate| ladder().time_on_spot(&job, &InterruptionRate::new(rate, HOUR).unwrap());
        match (time(low), time(low + more)) {
            (Some(fast), Some(slow)) => prop_assert!(fast <= slow),
            (fast, slow) => prop_assert!(slow.is_none() || fast == slow),
        }
    }
}
