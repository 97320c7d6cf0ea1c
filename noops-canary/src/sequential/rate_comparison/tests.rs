use proptest::prelude::*;

use super::*;
use crate::simulation::Random;

mod error_rates;
mod hostile;
mod power;

fn share(ratio: f64) -> Share {
    Share::from_ratio(ratio).unwrap()
}

/// Events as (arm, share), in the order they came.
fn of(events: &[(Arm, f64)]) -> RateComparison {
    let mut comparison = RateComparison::new();
    for (arm, ratio) in events {
        comparison.observe(*arm, share(*ratio));
    }
    comparison
}

/// The mixture of the products of likelihood ratios, event by event, as the formula is written.
fn naive_log_e(events: &[(Arm, f64)], ratio: f64, side: f64) -> f64 {
    let p = |theta: f64, g: f64| theta * g / (theta * g + 1.0 - theta);
    let terms: Vec<f64> = GRID
        .iter()
        .map(|(log_ratio, log_weight)| {
            let alternative = ratio * (side * log_ratio).exp();
            let likelihood = |g: f64| -> f64 {
                let log = |(arm, theta): &(Arm, f64)| match arm {
                    Arm::Challenger => p(*theta, g).ln(),
                    Arm::Champion => (1.0 - p(*theta, g)).ln(),
                };
                events.iter().map(log).sum()
            };
            log_weight + likelihood(alternative) - likelihood(ratio)
        })
        .collect();
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest
        + terms
            .iter()
            .map(|term| (term - largest).exp())
            .sum::<f64>()
            .ln()
}

fn events() -> impl Strategy<Value = Vec<(Arm, f64)>> {
    let arm = prop_oneof![Just(Arm::Champion), Just(Arm::Challenger)];
    let theta = prop_oneof![Just(0.01), Just(0.1), Just(0.25), Just(0.5), Just(0.9)];
    prop::collection::vec((arm, theta), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn evidence_is_the_mixture_of_likelihood_ratios(events in events(), ratio in 0.2..5.0_f64) {
        let comparison = of(&events);
        for (found, side) in [
            (comparison.log_e_above(ratio).unwrap(), 1.0),
            (comparison.log_e_below(ratio).unwrap(), -1.0),
        ] {
            let naive = naive_log_e(&events, ratio, side);
            prop_assert!((found.get() - naive).abs() < 1e-9 * (1.0 + naive.abs()), "{found:?} {naive}");
        }
    }

    #[test]
    fn the_order_of_events_changes_nothing_but_rounding(events in events()) {
        let mut reversed = events.clone();
        reversed.reverse();
        let (there, back) = (of(&events), of(&reversed));
        prop_assert_eq!(there.events(Arm::Champion), back.events(Arm::Champion));
        prop_assert!((there.log_e(1.0, 1.0, 1.0) - back.log_e(1.0, 1.0, 1.0)).abs() < 1e-10);
    }

    #[test]
    fn a_bound_is_where_the_evidence_reaches_its_threshold(events in events()) {
        let comparison = of(&events);
        let needed = -libm::log(0.05);
        for (bound, side) in [
            (comparison.lower_bound(Alpha::FIVE_PERCENT), 1.0),
            (comparison.upper_bound(Alpha::FIVE_PERCENT), -1.0),
        ] {
            // A bound that the data say nothing about lies at an end.
            if bound > 1e-12 && bound < 1e12 {
                let evidence = comparison.log_e(bound, side, 1.0);
                prop_assert!((evidence - needed).abs() < 1e-6, "{bound} {evidence}");
            }
        }
    }

    #[test]
    fn an_interval_is_ordered_and_holds_the_estimate(events in events()) {
        let comparison = of(&events);
        let interval = comparison.interval(Alpha::FIVE_PERCENT);
        prop_assert!(interval.lower() <= interval.upper());
        // The estimate is that of Mantel and Haenszel, the interval one of likelihoods: at one share they agree.
        if let Some(ratio) = comparison.rate_ratio()
            && comparison.strata.len() == 1
        {
            prop_assert!(interval.contains(ratio), "{ratio} {interval:?}");
        }
    }

    #[test]
    fn events_told_together_are_events_told_one_by_one(champion in 0..40_u64, challenger in 0..40_u64) {
        let mut together = RateComparison::new();
        together.observe_many(Arm::Champion, share(0.25), champion);
        together.observe_many(Arm::Challenger, share(0.25), challenger);
        let mut single = RateComparison::new();
        (0..champion).for_each(|_| single.observe(Arm::Champion, share(0.25)));
        (0..challenger).for_each(|_| single.observe(Arm::Challenger, share(0.25)));
        prop_assert_eq!(together.log_e_different(), single.log_e_different());
    }
}

#[test]
fn the_weights_of_the_grid_sum_to_a_little_less_than_one() {
    let sum: f64 = GRID.iter().map(|(_, log_weight)| log_weight.exp()).sum();
    assert!(sum <= 1.0 && sum > 0.999_99, "{sum}");
}

#[test]
fn no_events_are_no_evidence_and_bound_nothing() {
    let nothing = RateComparison::new();
    assert!(nothing.log_e_above(1.0).unwrap().get().abs() < 1e-4);
    assert_eq!(nothing.rate_ratio(), None);
    let interval = nothing.interval(Alpha::FIVE_PERCENT);
    assert_eq!((interval.lower(), interval.upper()), (0.0, f64::INFINITY));
}

#[test]
fn the_rate_ratio_weighs_shares_as_mantel_and_haenszel_do() {
    let mut comparison = RateComparison::new();
    comparison.observe_many(Arm::Champion, share(0.1), 90);
    comparison.observe_many(Arm::Challenger, share(0.1), 20);
    comparison.observe_many(Arm::Champion, share(0.5), 30);
    comparison.observe_many(Arm::Challenger, share(0.5), 60);
    // (20 * 0.9 + 60 * 0.5) / (90 * 0.1 + 30 * 0.5)
    assert!((comparison.rate_ratio().unwrap() - 2.0).abs() < 1e-12);
}

#[test]
fn simpsons_paradox_does_not_turn_the_sign() {
    // Crook, Frasca, Kohavi and Longbotham (2009): pooled, the treatment converts less (1.222 % against 1.678 %); on each day it converts
    // more. Only conversions are shown, with the share of the day.
    let mut conversions = RateComparison::new();
    conversions.observe_many(Arm::Champion, share(0.01), 20_000);
    conversions.observe_many(Arm::Challenger, share(0.01), 230);
    conversions.observe_many(Arm::Champion, share(0.5), 5_000);
    conversions.observe_many(Arm::Challenger, share(0.5), 6_000);
    // (230 * 0.99 + 6000 * 0.5) / (20000 * 0.01 + 5000 * 0.5)
    assert!((conversions.rate_ratio().unwrap() - 1.195_444_444_444).abs() < 1e-9);
    assert!(conversions.interval(Alpha::ONE_PERCENT).is_above(1.0));
    let (treated, control) = (6_230.0 / 510_000.0, 25_000.0 / 1_490_000.0);
    assert!(treated / control < 0.75);
}

#[test]
fn resumed_evidence_goes_on_exactly() {
    let mut random = Random::new(3);
    let mut unbroken = RateComparison::new();
    for event in 0..500 {
        let theta = [0.01, 0.05, 0.25, 0.5][event / 125];
        let arm = if random.uniform() < 1.3 * theta {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        unbroken.observe(arm, share(theta));
    }
    let text = serde_json::to_string(&unbroken).unwrap();
    let mut resumed: RateComparison = serde_json::from_str(&text).unwrap();
    for comparison in [&mut unbroken, &mut resumed] {
        comparison.observe(Arm::Challenger, Share::from_ppm(123_456).unwrap());
        comparison.observe(Arm::Champion, share(0.05));
    }
    let bits = |comparison: &RateComparison| comparison.log_e_different().get().to_bits();
    assert_eq!(bits(&unbroken), bits(&resumed));
    assert_eq!(
        serde_json::to_string(&unbroken).unwrap(),
        serde_json::to_string(&resumed).unwrap()
    );
}
