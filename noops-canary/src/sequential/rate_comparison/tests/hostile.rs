use super::*;

#[test]
fn one_sided_shares_say_nothing() {
    let mut comparison = RateComparison::new();
    let before = comparison.log_e_different();
    comparison.observe(Arm::Challenger, Share::FULL);
    comparison.observe(Arm::Champion, Share::ZERO);
    assert_eq!(comparison.uninformative(), 2);
    assert_eq!(comparison.log_e_different(), before);
    assert_eq!(comparison.rate_ratio(), None);
}

#[test]
fn ratios_without_meaning_are_refused() {
    let comparison = of(&[(Arm::Challenger, 0.5)]);
    for ratio in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -1.0,
        1e9,
        f64::MIN_POSITIVE,
    ] {
        assert!(comparison.log_e_above(ratio).is_err(), "{ratio}");
        assert!(comparison.log_e_below(ratio).is_err(), "{ratio}");
    }
}

#[test]
fn event_counters_stay_at_their_largest_value() {
    let mut comparison = RateComparison::new();
    for _ in 0..2 {
        comparison.observe_many(Arm::Champion, share(0.5), u64::MAX);
        comparison.observe_many(Arm::Challenger, share(0.5), u64::MAX);
        comparison.observe_many(Arm::Challenger, share(0.1), u64::MAX);
        comparison.observe_many(Arm::Champion, Share::ZERO, u64::MAX);
    }
    assert_eq!(comparison.events(Arm::Champion), u64::MAX);
    assert_eq!(comparison.events(Arm::Challenger), u64::MAX);
    assert_eq!(comparison.uninformative(), u64::MAX);
    assert!(comparison.log_e_different().get().is_finite());
    let interval = comparison.interval(Alpha::FIVE_PERCENT);
    assert!(!interval.lower().is_nan() && !interval.upper().is_nan());
}

#[test]
fn shares_beyond_those_told_apart_are_counted_and_change_nothing() {
    let mut comparison = RateComparison::new();
    for ppm in 1..=256 {
        comparison.observe(Arm::Champion, Share::from_ppm(ppm).unwrap());
    }
    let before = comparison.log_e_different();
    for ppm in 257..=300 {
        comparison.observe(Arm::Challenger, Share::from_ppm(ppm).unwrap());
    }
    assert_eq!(comparison.uninformative(), 44);
    assert_eq!(comparison.log_e_different(), before);
    // A share that is known still counts.
    comparison.observe(Arm::Challenger, Share::from_ppm(256).unwrap());
    assert_eq!(comparison.events(Arm::Challenger), 1);
}

#[test]
fn stored_evidence_that_contradicts_itself_is_refused() {
    let stratum = |theta: &str| {
        format!(r#"{{"assignment_probability":{theta},"champion":1,"challenger":2}}"#)
    };
    let state =
        |strata: &[String]| format!(r#"{{"strata":[{}],"uninformative":0}}"#, strata.join(","));
    let read = |text: &str| serde_json::from_str::<RateComparison>(text);
    assert!(read(&state(&[stratum("0.1"), stratum("0.5")])).is_ok());
    for theta in ["0", "1", "-0.1", "1.5", "1e300", "null"] {
        assert!(read(&state(&[stratum(theta)])).is_err(), "{theta}");
    }
    assert!(read(&state(&[stratum("0.1"), stratum("0.1")])).is_err());
    let many: Vec<String> = (1..=257)
        .map(|n| stratum(&format!("{}", f64::from(n) / 1000.0)))
        .collect();
    let error = read(&state(&many)).unwrap_err().to_string();
    assert!(error.contains("more shares than are told apart"), "{error}");
    assert!(read(r#"{"strata":[],"uninformative":-1}"#).is_err());
}

#[test]
fn one_sticky_unit_that_always_fails_is_taken_for_harm_unless_its_repeats_are_left_out() {
    let mut comparison = RateComparison::new();
    let mut alarm = || {
        comparison.observe(Arm::Challenger, Share::from_ppm(10_000).unwrap());
        comparison
            .log_e_above(1.0)
            .unwrap()
            .rejects(Alpha::FIVE_PERCENT)
    };
    assert!(!alarm());
    let alarms = [alarm(), alarm(), alarm()];
    assert!(alarms[2], "{alarms:?}");
}
