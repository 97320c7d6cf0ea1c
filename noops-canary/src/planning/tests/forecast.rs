use noops_core::{Probability, Timestamp};

use super::{errors, share};
use crate::assignment::Arm;
use crate::judge::{Judge, JudgeSpec, Measure, Observation, Unit, Verdict};
use crate::planning::{Forecast, FutilityVerdict, Traffic};
use crate::simulation::Random;

fn judged(requests: u64, champion: f64, candidate: f64, margin: f64, seed: u64) -> Judge {
    let mut judge = Judge::new(JudgeSpec::new([errors(margin)]).unwrap()).unwrap();
    let mut random = Random::new(seed);
    observe(&mut judge, &mut random, 0..requests, champion, candidate);
    judge
}

fn observe(
    judge: &mut Judge,
    random: &mut Random,
    requests: std::ops::Range<u64>,
    champion: f64,
    candidate: f64,
) {
    for request in requests {
        let (arm, rate) = if random.uniform() < 0.5 {
            (Arm::Champion, champion)
        } else {
            (Arm::Challenger, candidate)
        };
        let failed = if random.uniform() < rate { 1.0 } else { 0.0 };
        let at = Timestamp::from_second(request as i64).unwrap();
        let values = [Some(failed)];
        let observation = Observation::new(at, Unit::of_number(request), arm, share(0.5), &values);
        judge.observe(&observation).unwrap();
    }
}

/// Rates are drawn from what the forecast takes for possible, so that what it calls a probability has to come true that often.
#[test]
fn a_forecast_comes_true_as_often_as_it_says() {
    let judge = judged(4_000, 0.05, 0.05, 0.5, 11);
    // A thousand seconds and six thousand requests ahead.
    let traffic = Traffic::new(6.0, share(0.5)).unwrap();
    let forecast = Forecast::of(&judge, &traffic, 1_000.0 / 60.0).unwrap();
    let said = forecast.metric("errors").unwrap().proven();
    let level = |arm| {
        let Some(Measure::Rate(rates)) = judge.measures().next() else {
            return (0.0, 0.0);
        };
        (
            rates.comparison().events(arm) as f64,
            rates.rates().outcomes(arm) as f64,
        )
    };
    let ((bad, all), (candidate_bad, candidate_all)) =
        (level(Arm::Champion), level(Arm::Challenger));
    let mut random = Random::new(12);
    let mut proven = 0;
    for _ in 0..200 {
        let error = (1.0 / (bad + 0.5) + 1.0 / (candidate_bad + 0.5)).sqrt();
        let ratio = libm::exp(
            libm::log(candidate_bad / candidate_all / (bad / all)) + error * random.normal(),
        );
        let both = (bad + candidate_bad) / (all + candidate_all) * 2.0;
        let champion = both / (1.0 + ratio);
        let mut future = judge.clone();
        let mut at = 4_000;
        while at < 10_000 {
            observe(
                &mut future,
                &mut random,
                at..at + 50,
                champion,
                champion * ratio,
            );
            at += 50;
            if future.verdict() == Verdict::Promote {
                proven += 1;
                break;
            }
        }
    }
    // 200 runs: a standard error of at most 3.5 points.
    let seen = f64::from(proven) / 200.0;
    assert!((seen - said).abs() < 0.12, "said {said}, seen {seen}");
    assert!(said > 0.1 && said < 0.98);
}

#[test]
fn what_is_hopeless_is_futile_and_what_is_proven_is_certain() {
    let worse = judged(6_000, 0.05, 0.075, 0.25, 13);
    let least = Probability::new(0.1).unwrap();
    let traffic = Traffic::new(1.0, share(0.5)).unwrap();
    let forecast = Forecast::of(&worse, &traffic, 60.0).unwrap();
    assert!(
        matches!(forecast.futility(least), FutilityVerdict::Stop { .. }),
        "{forecast:?}"
    );
    assert_eq!(
        forecast.futility(Probability::ZERO),
        FutilityVerdict::Continue
    );
    let same = judged(12_000, 0.1, 0.1, 1.0, 14);
    let forecast = Forecast::of(&same, &traffic, 60.0).unwrap();
    assert_eq!(forecast.promotion().lower(), 1.0);
    assert!(forecast.decision().contains(1.0));
}

#[test]
fn a_longer_look_ahead_is_no_less_hopeful() {
    let judge = judged(2_000, 0.05, 0.05, 0.5, 15);
    let traffic = Traffic::new(1.0, share(0.5)).unwrap();
    let mut before = 0.0;
    for minutes in [1.0, 10.0, 100.0, 1_000.0] {
        let forecast = Forecast::of(&judge, &traffic, minutes).unwrap();
        let proven = forecast.metrics()[0].proven();
        assert!(proven >= before - 0.01, "{minutes}");
        before = proven;
    }
    let forever = Forecast::of(&judge, &traffic, f64::MAX).unwrap();
    assert!(forever.promotion().upper() <= 1.0);
    for minutes in [0.0, f64::NAN, f64::INFINITY] {
        assert!(Forecast::of(&judge, &traffic, minutes).is_err());
    }
    let nothing = Judge::new(JudgeSpec::new([errors(0.5)]).unwrap()).unwrap();
    let forecast = Forecast::of(&nothing, &traffic, 60.0).unwrap();
    assert!((0.0..=1.0).contains(&forecast.promotion().upper()));
}
