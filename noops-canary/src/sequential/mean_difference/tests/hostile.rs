use super::*;

#[test]
fn values_that_are_no_numbers_are_refused_and_change_nothing() {
    let mut means = of(
        0.0,
        1.0,
        &[(Arm::Champion, 0.5, 0.2), (Arm::Challenger, 0.5, 0.4)],
    );
    let before = means.clone();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(means.observe(Arm::Champion, share(0.5), value).is_err());
        let half = Probability::new(0.5).unwrap();
        assert!(
            means
                .observe_assigned(Arm::Challenger, half, value)
                .is_err()
        );
    }
    assert_eq!(means, before);
}

#[test]
fn ranges_without_an_inside_are_refused() {
    for (lower, upper) in [
        (0.0, 0.0),
        (1.0, 0.0),
        (f64::NAN, 1.0),
        (0.0, f64::NAN),
        (f64::NEG_INFINITY, 0.0),
        (0.0, f64::INFINITY),
        (f64::MIN, f64::MAX),
    ] {
        assert!(
            MeanDifference::new(lower, upper).is_err(),
            "{lower} {upper}"
        );
    }
}

#[test]
fn the_most_extreme_values_and_ranges_give_numbers() {
    for (lower, upper) in [
        (0.0, f64::MIN_POSITIVE),
        (-1e300, 1e300),
        (1.0, 1.0 + f64::EPSILON),
    ] {
        let mut means = MeanDifference::new(lower, upper).unwrap();
        for value in [f64::MAX, f64::MIN, 0.0, -0.0, 1.0, f64::MIN_POSITIVE] {
            means.observe(Arm::Champion, share(0.5), value).unwrap();
            means
                .observe(Arm::Challenger, Share::from_ppm(1).unwrap(), value)
                .unwrap();
        }
        let interval = means.interval(Alpha::FIVE_PERCENT);
        assert!(!interval.lower().is_nan() && !interval.upper().is_nan());
        for limit in [
            MeanLimit::EQUAL,
            MeanLimit::absolute(f64::MAX).unwrap(),
            MeanLimit::absolute(f64::MIN).unwrap(),
            MeanLimit::relative(1000.0).unwrap(),
            MeanLimit::relative(0.0).unwrap(),
        ] {
            assert!(means.log_e_above(limit).get().is_finite());
            assert!(means.log_e_below(limit).get().is_finite());
        }
        let ratios = means.ratio_interval(Alpha::FIVE_PERCENT);
        assert!(!ratios.lower().is_nan() && !ratios.upper().is_nan());
    }
}

#[test]
fn limits_that_are_no_numbers_are_refused() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(MeanLimit::absolute(value).is_err());
        assert!(MeanLimit::relative(value).is_err());
    }
    assert!(MeanLimit::relative(-0.1).is_err());
    assert!(MeanLimit::relative(1000.1).is_err());
}

#[test]
fn stored_sums_that_contradict_each_other_are_refused() {
    let means = of(
        0.0,
        1.0,
        &[(Arm::Champion, 0.5, 0.2), (Arm::Challenger, 0.5, 0.4)],
    );
    let stored = serde_json::to_value(&means).unwrap();
    assert!(serde_json::from_value::<MeanDifference>(stored.clone()).is_ok());
    for (pointer, value) in [
        ("/width", 0.0),
        ("/width", -1.0),
        ("/champion/sum", 1.5),
        ("/champion/sum", -0.5),
        ("/champion/scores", 2.0),
        ("/challenger/scores", -2.0),
        ("/challenger/squares", 2.0),
        ("/challenger/squares", -1.0),
        ("/weight", 1.0),
        ("/weight", -1.0),
        ("/weighted_mean", 1.0),
        ("/weighted_mean", -1.0),
    ] {
        let mut tampered = stored.clone();
        *tampered.pointer_mut(pointer).unwrap() = serde_json::json!(value);
        let read = serde_json::from_value::<MeanDifference>(tampered);
        assert!(read.is_err(), "{pointer} {value}");
    }
    for pointer in ["/width", "/lower", "/champion/scores", "/weight"] {
        let mut tampered = stored.clone();
        *tampered.pointer_mut(pointer).unwrap() = serde_json::Value::Null;
        assert!(
            serde_json::from_value::<MeanDifference>(tampered).is_err(),
            "{pointer}"
        );
    }
}
