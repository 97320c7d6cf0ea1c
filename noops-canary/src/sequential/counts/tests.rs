use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::batch::Alternative;
use crate::simulation::Random;

fn oracle(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../../testdata/counts.json")).unwrap();
    let rows = all[part].as_array().unwrap().clone();
    assert!(!rows.is_empty());
    rows
}

fn share(ppm: &Value) -> Share {
    Share::from_ppm(u32::try_from(ppm.as_u64().unwrap()).unwrap()).unwrap()
}

fn at(ratio: f64) -> Share {
    Share::from_ratio(ratio).unwrap()
}

fn single(concentration: f64) -> CountSettings {
    CountSettings::default().with_concentrations(Concentrations::single(concentration).unwrap())
}

fn close(found: f64, expected: f64, relative: f64) {
    let error = (found - expected).abs();
    assert!(
        error <= relative * expected.abs(),
        "{found}, expected {expected}"
    );
}

/// The events until `mixture` rejects at 5 %, `most` if it does not before.
fn stop(mut mixture: CountMixture, ratio: f64, most: u32, random: &mut Random) -> u32 {
    let theta = mixture.share().ratio();
    let p = theta * ratio / (theta * ratio + 1.0 - theta);
    for event in 1..=most {
        mixture.observe(if random.uniform() < p {
            Arm::Challenger
        } else {
            Arm::Champion
        });
        if mixture.max_log_e().rejects(Alpha::FIVE_PERCENT) {
            return event;
        }
    }
    most + 1
}

fn stops(mixture: &CountMixture, ratio: f64, most: u32, runs: u64) -> Vec<u32> {
    let mut random = Random::new(runs);
    let mut found: Vec<u32> = (0..runs)
        .map(|_| stop(mixture.clone(), ratio, most, &mut random))
        .collect();
    found.sort_unstable();
    found
}

fn mean(stops: &[u32]) -> f64 {
    stops.iter().map(|&n| f64::from(n)).sum::<f64>() / stops.len() as f64
}

#[test]
fn evidence_agrees_with_mpmath() {
    for row in oracle("evidence") {
        let side: Alternative = serde_json::from_value(row["side"].clone()).unwrap();
        let settings = single(row["k"].as_f64().unwrap())
            .with_null_ratio(row["ratio"].as_f64().unwrap())
            .with_alternative(side);
        let mut mixture = CountMixture::new(share(&row["ppm"]), settings).unwrap();
        mixture.observe_counts(
            row["champion"].as_u64().unwrap(),
            row["candidate"].as_u64().unwrap(),
        );
        let (found, expected) = (mixture.log_e().get(), row["log_e"].as_f64().unwrap());
        // The relative error of the e-value.
        assert!((found - expected).abs() <= 1e-10, "{row}: {found}");
    }
}

#[test]
fn the_printed_evidence_is_reproduced() {
    for (champion, candidate, inverse, digits) in [
        (490, 510, 2.771, 5e-4),
        (49_500, 50_500, 0.214_75, 5e-6),
        (49_000, 51_000, 6.659e-8, 5e-12),
    ] {
        let mut mixture = CountMixture::new(at(0.5), single(100.0)).unwrap();
        mixture.observe_counts(champion, candidate);
        let found = (-mixture.log_e().get()).exp();
        assert!((found - inverse).abs() < digits, "{found}");
    }
}

#[test]
fn rate_ratio_intervals_agree_with_mpmath() {
    for row in oracle("rate_ratios") {
        let mut mixture = CountMixture::new(share(&row["ppm"]), single(100.0)).unwrap();
        mixture.observe_counts(
            row["champion"].as_u64().unwrap(),
            row["candidate"].as_u64().unwrap(),
        );
        let found = mixture.rate_ratio_interval(Alpha::FIVE_PERCENT);
        close(found.lower(), row["lower"].as_f64().unwrap(), 1e-10);
        match row["upper"].as_f64() {
            Some(upper) => close(found.upper(), upper, 1e-10),
            None => assert_eq!(found.upper(), f64::INFINITY),
        }
    }
}

#[test]
fn the_printed_rate_ratio_intervals_are_reproduced() {
    for (theta, champion, candidate, lower, upper) in [
        (0.1, 200, 30, 0.7441, 2.2700),
        (0.1, 900, 100, 0.7270, 1.3416),
        (0.1, 9_000, 1_000, 0.8956, 1.1130),
        (0.5, 48, 52, 0.6429, 1.8321),
        (0.5, 450, 550, 1.0073, 1.4848),
    ] {
        let mut mixture = CountMixture::new(at(theta), single(100.0)).unwrap();
        mixture.observe_counts(champion, candidate);
        let found = mixture.rate_ratio_interval(Alpha::FIVE_PERCENT);
        assert!((found.lower() - lower).abs() < 1e-4, "{found:?}");
        assert!((found.upper() - upper).abs() < 1e-4, "{found:?}");
    }
}

#[test]
fn equal_rates_rarely_alarm_in_twenty_thousand_looks() {
    for (theta, concentration) in [(0.5, 100.0), (0.1, 2.0), (0.01, 100.0)] {
        let mixture = CountMixture::new(at(theta), single(concentration)).unwrap();
        let alarms = stops(&mixture, 1.0, 20_000, 120)
            .iter()
            .filter(|&&n| n <= 20_000)
            .count();
        // scipy.stats.binom.sf(14, 120, 0.05) = 0.0007
        assert!(alarms <= 14, "{theta}: {alarms}");
    }
}

#[test]
fn the_margin_itself_rarely_passes_as_non_inferior() {
    let settings = single(100.0)
        .with_null_ratio(1.25)
        .with_alternative(Alternative::Less);
    let mixture = CountMixture::new(at(0.5), settings).unwrap();
    let passed = stops(&mixture, 1.25, 800, 200)
        .iter()
        .filter(|&&n| n <= 800)
        .count();
    // scipy.stats.binom.sf(20, 200, 0.05) = 0.0011
    assert!(passed <= 20, "{passed}");
}

#[test]
fn a_larger_ratio_is_no_evidence_that_it_is_smaller() {
    for (alternative, counts) in [
        (Alternative::Less, (100, 200)),
        (Alternative::Greater, (200, 100)),
    ] {
        let settings = single(100.0).with_alternative(alternative);
        let mut mixture = CountMixture::new(at(0.5), settings).unwrap();
        mixture.observe_counts(counts.0, counts.1);
        assert!(mixture.log_e().get() < -2.0, "{:?}", mixture.log_e());
    }
}

#[test]
fn the_rounding_of_huge_counts_on_the_nulls_side_is_no_evidence() {
    for alternative in [Alternative::Greater, Alternative::Less] {
        let settings = CountSettings::default().with_alternative(alternative);
        let mut mixture = CountMixture::new(at(0.3), settings).unwrap();
        for exponent in 3..19 {
            let (few, many) = (10_u64.pow(exponent), 9 * 10_u64.pow(exponent));
            match alternative {
                Alternative::Greater => mixture.observe_counts(many, few),
                _ => mixture.observe_counts(few, many),
            }
            assert!(mixture.log_e().get() <= 0.0, "{exponent}");
        }
        assert_eq!(mixture.p_value(), 1.0);
    }
}

#[test]
fn stopping_times_are_those_published() {
    // Mean of stopping times and its published value; the deviation of one is about 0.7 of the mean, so of 200 about 0.05.
    for (theta, ratio, expected) in [
        (0.5, 1.25, 638.0),
        (0.5, 1.5, 255.0),
        (0.5, 2.0, 113.0),
        (0.5, 5.0, 46.0),
        (0.1, 1.5, 526.0),
        (0.1, 3.0, 75.0),
    ] {
        let mixture = CountMixture::new(at(theta), single(100.0)).unwrap();
        let found = mean(&stops(&mixture, ratio, 20_000, 200));
        close(found, expected, 0.2);
    }
}

#[test]
fn the_default_mixture_finds_large_effects_in_time() {
    let mixture = CountMixture::new(at(0.5), CountSettings::default()).unwrap();
    let (half, double) = (
        mean(&stops(&mixture, 1.5, 5_000, 300)),
        mean(&stops(&mixture, 2.0, 5_000, 300)),
    );
    assert!(half <= 285.0 && double <= 125.0, "{half} {double}");
}

#[test]
fn non_inferiority_is_proved_in_time() {
    let settings = CountSettings::default()
        .with_null_ratio(1.25)
        .with_alternative(Alternative::Less);
    let mixture = CountMixture::new(at(0.5), settings).unwrap();
    let found = stops(&mixture, 1.0, 5_000, 301);
    assert!(found[150] <= 850, "{}", found[150]);
}

#[test]
fn a_share_without_two_sides_and_a_senseless_ratio_are_refused() {
    for ends in [Share::ZERO, Share::FULL] {
        assert!(CountMixture::new(ends, CountSettings::default()).is_err());
    }
    for ratio in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
        let settings = CountSettings::default().with_null_ratio(ratio);
        assert!(CountMixture::new(at(0.5), settings).is_err(), "{ratio}");
    }
    for value in [f64::NAN, 0.0, 1e10] {
        assert!(Concentrations::single(value).is_err());
        assert!(Concentration::new(1.0, value).is_err());
    }
}

#[test]
fn a_stored_state_that_was_tampered_with_is_refused() {
    let mut mixture = CountMixture::new(at(0.1), CountSettings::default()).unwrap();
    mixture.observe_counts(50, 40);
    let stored = serde_json::to_value(&mixture).unwrap();
    assert_eq!(
        serde_json::from_value::<CountMixture>(stored.clone()).unwrap(),
        mixture
    );
    for (key, value) in [
        ("max_log_e", Value::from(0.0)),
        ("max_log_e", Value::from(1e9)),
        ("max_log_e", Value::from(-1.0)),
        ("candidate", Value::from(4_000)),
        ("candidate", Value::from(-1)),
        ("share", Value::from(0)),
    ] {
        let mut altered = stored.clone();
        altered[key] = value;
        assert!(
            serde_json::from_value::<CountMixture>(altered).is_err(),
            "{key}"
        );
    }
}

#[test]
fn huge_counts_saturate_and_stay_numbers() {
    let mut mixture = CountMixture::new(at(0.3), CountSettings::default()).unwrap();
    mixture.observe_counts(u64::MAX, u64::MAX);
    mixture.observe(Arm::Challenger);
    assert_eq!(mixture.events(Arm::Challenger), u64::MAX);
    assert!(mixture.log_e().get() > 1e15);
    let interval = mixture.rate_ratio_interval(Alpha::ONE_PERCENT);
    assert!(
        interval.contains(7.0 / 3.0) || interval.width() < 1e-6,
        "{interval:?}"
    );
    for alternative in [Alternative::Greater, Alternative::Less] {
        let settings = CountSettings::default().with_alternative(alternative);
        let mut one_sided = CountMixture::new(at(0.3), settings).unwrap();
        one_sided.observe_counts(u64::MAX, 3);
        assert!((0.0..=1.0).contains(&one_sided.p_value()));
        let is_extreme = alternative == Alternative::Less;
        assert_eq!(one_sided.log_e().get() > 1e15, is_extreme);
    }
}

#[test]
fn nothing_is_known_before_the_first_event() {
    let mixture = CountMixture::new(at(0.3), CountSettings::default()).unwrap();
    assert_eq!(mixture.p_value(), 1.0);
    assert_eq!(mixture.rate_ratio(), None);
    let interval = mixture.rate_ratio_interval(Alpha::FIVE_PERCENT);
    assert_eq!((interval.lower(), interval.upper()), (0.0, f64::INFINITY));
}

proptest! {
    #[test]
    fn evidence_is_the_product_of_predictions(events in prop::collection::vec(prop::bool::ANY, 0..60), ppm in 1_000_u32..999_000) {
        let mut mixture = CountMixture::new(Share::from_ppm(ppm).unwrap(), single(20.0)).unwrap();
        let p = f64::from(ppm) / 1e6;
        let (mut a, mut b, mut naive) = (20.0 * p, 20.0 * (1.0 - p), 0.0_f64);
        for candidate in events {
            let shape = if candidate { &mut a } else { &mut b };
            let null = if candidate { p } else { 1.0 - p };
            naive += (*shape / null).ln();
            *shape += 1.0;
            naive -= (a + b - 1.0).ln();
            mixture.observe(if candidate { Arm::Challenger } else { Arm::Champion });
        }
        prop_assert!((mixture.log_e().get() - naive).abs() < 1e-10, "{} {naive}", mixture.log_e().get());
    }

    #[test]
    fn the_interval_holds_the_estimate_and_leaves_the_null_when_the_test_rejects(champion in 0_u64..2_000, candidate in 0_u64..2_000, ppm in 1_000_u32..999_000) {
        let mut mixture = CountMixture::new(Share::from_ppm(ppm).unwrap(), CountSettings::default()).unwrap();
        mixture.observe_counts(champion, candidate);
        let interval = mixture.rate_ratio_interval(Alpha::FIVE_PERCENT);
        if let Some(ratio) = mixture.rate_ratio() {
            prop_assert!(interval.lower() <= ratio * (1.0 + 1e-12) && ratio * (1.0 - 1e-12) <= interval.upper());
        }
        let evidence = mixture.log_e().get() - 20.0_f64.ln();
        prop_assert!(evidence.abs() < 1e-9 || (evidence > 0.0) != interval.contains(1.0));
    }

    #[test]
    fn resumed_evidence_goes_on_exactly(before in (0_u64..500, 0_u64..500), after in (0_u64..500, 0_u64..500)) {
        let mut unbroken = CountMixture::new(at(0.2), CountSettings::default()).unwrap();
        unbroken.observe_counts(before.0, before.1);
        let text = serde_json::to_string(&unbroken).unwrap();
        let mut resumed: CountMixture = serde_json::from_str(&text).unwrap();
        unbroken.observe_counts(after.0, after.1);
        resumed.observe_counts(after.0, after.1);
        prop_assert_eq!(unbroken, resumed);
    }
}
