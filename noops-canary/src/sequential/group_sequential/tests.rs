use noops_core::Probability;
use proptest::prelude::*;

use super::*;
use crate::simulation::Random;

mod oracle;

fn one_sided(spending: SpendingFunction) -> GroupSequential {
    GroupSequential::lan_de_mets(Alpha::new(0.025).unwrap(), Sides::One, spending, 1.0).unwrap()
}

#[test]
fn looks_at_random_times_reject_as_often_as_promised() {
    // 60 schedules of 1,000 paths. At a rate of .05, scipy.stats.binom.sf(3199, 60000, .05) = 1.1e-4 and
    // scipy.stats.binom.cdf(2800, 60000, .05) = 8e-5.
    let mut random = Random::new(5);
    for (spending, sides) in [
        (SpendingFunction::OBrienFleming, Sides::One),
        (SpendingFunction::Pocock, Sides::Two),
    ] {
        let mut rejected = 0;
        for _ in 0..60 {
            // The critical values do not depend on the data, so that one test serves for all paths of a schedule.
            let mut test =
                GroupSequential::lan_de_mets(Alpha::FIVE_PERCENT, sides, spending, 1.0).unwrap();
            let mut fraction = 0.0;
            while fraction < 1.0 {
                fraction += 0.05 + 0.4 * random.uniform();
                test.look(fraction, 0.0).unwrap();
            }
            rejected += count_rejected(&mut random, &test, 0.0, 1_000);
        }
        assert!((2_801..3_200).contains(&rejected), "{rejected}");
    }
}

#[test]
fn the_planned_power_is_reached() {
    // scipy.stats.binom.sf(16225, 20000, .8) = 3.0e-5, scipy.stats.binom.cdf(15773, 20000, .8) = 3.5e-5.
    let alpha = Alpha::new(0.025).unwrap();
    let fractions = [0.25, 0.5, 0.75, 1.0];
    let boundary = GroupSequentialBoundary::lan_de_mets(
        alpha,
        Sides::One,
        SpendingFunction::OBrienFleming,
        &fractions,
    )
    .unwrap();
    let drift = boundary
        .drift_for_power(Probability::new(0.8).unwrap())
        .unwrap();
    let mut test = one_sided(SpendingFunction::OBrienFleming);
    for fraction in fractions {
        test.look(fraction, 0.0).unwrap();
    }
    let rejected = count_rejected(&mut Random::new(8), &test, drift, 20_000);
    assert!((15_774..16_226).contains(&rejected), "{rejected}");
}

/// How many Brownian paths cross the boundary of a test at one of its looks.
fn count_rejected(random: &mut Random, test: &GroupSequential, drift: f64, paths: u32) -> u32 {
    let mut rejected = 0;
    for _ in 0..paths {
        let (mut place, mut at) = (0.0, 0.0);
        for look in test.looks() {
            let ahead = look.fraction() - at;
            at = look.fraction();
            place += drift * ahead + ahead.sqrt() * random.normal();
            if test.sides().reaches(place / at.sqrt(), look.boundary()) {
                rejected += 1;
                break;
            }
        }
    }
    rejected
}

#[test]
fn a_late_last_look_spends_the_rest_and_an_early_one_may() {
    let mut over = one_sided(SpendingFunction::Pocock);
    over.look(0.5, 0.0).unwrap();
    let last = over.look(1.3, 0.0).unwrap();
    assert_eq!(last.alpha_spent(), 0.025);
    assert_eq!(last.fraction(), 1.3);
    assert_eq!(last.decision(), LookDecision::Retain);

    let mut under = one_sided(SpendingFunction::Pocock);
    under.look(0.5, 0.0).unwrap();
    let last = under.final_look(0.7, 0.0).unwrap();
    assert_eq!(last.alpha_spent(), 0.025);
    assert_eq!(last.decision(), LookDecision::Retain);
}

#[test]
fn nothing_follows_the_end() {
    let mut test = one_sided(SpendingFunction::Pocock);
    assert_eq!(
        test.look(0.5, 9.0).unwrap().decision(),
        LookDecision::Reject
    );
    let before = test.clone();
    assert!(test.look(0.9, 0.0).is_err());
    assert!(test.final_look(0.9, 0.0).is_err());
    assert!(test.conditional_power(1.0).is_err());
    assert_eq!(test, before);
}

#[test]
fn one_side_never_rejects_on_the_other() {
    let mut test = one_sided(SpendingFunction::Pocock);
    assert_eq!(
        test.look(0.5, -9.0).unwrap().decision(),
        LookDecision::Continue
    );
    let end = test.look(1.0, -1e300).unwrap();
    assert_eq!(end.decision(), LookDecision::Retain);
    assert_eq!(end.p_value(), Some(1.0));
    assert!(test.adjusted_estimate().unwrap().estimate() < -9.0);
}

#[test]
fn conditional_power_is_that_of_the_step_that_is_left() {
    let mut test = one_sided(SpendingFunction::OBrienFleming);
    // Before the first look: a single test at 1.96. 1 - Φ(1.959964 - 3), scipy.stats.norm.sf(norm.isf(.025) - 3).
    let fresh = test.conditional_power(3.0).unwrap();
    assert!((fresh - 0.850_838_1).abs() < 1e-6, "{fresh}");
    test.look(0.5, 0.0).unwrap();
    let hopeless = test.conditional_power(0.0).unwrap();
    assert!(hopeless < 0.01, "{hopeless}");
    assert!(test.conditional_power(6.0).unwrap() > 0.8);
    for effect in [f64::NAN, f64::INFINITY, 1e300] {
        assert!(test.conditional_power(effect).is_err());
    }
    test.look(0.999_5, 0.0).unwrap();
    assert!(test.conditional_power(1.0).is_err());
}

#[test]
fn the_repeated_interval_excludes_zero_exactly_where_the_test_rejects() {
    for z in [-3.0, -2.0, 0.0, 2.0, 3.0] {
        let mut test = GroupSequential::lan_de_mets(
            Alpha::FIVE_PERCENT,
            Sides::Two,
            SpendingFunction::Pocock,
            100.0,
        )
        .unwrap();
        let look = test.look(50.0, z).unwrap();
        let rejected = look.decision() == LookDecision::Reject;
        assert_eq!(rejected, !look.interval().contains(0.0), "{z}");
        assert!((look.estimate() - z / f64::sqrt(50.0)).abs() < 1e-15);
    }
}

#[test]
fn bad_looks_are_refused_and_change_nothing() {
    let mut test = one_sided(SpendingFunction::OBrienFleming);
    test.look(0.2, 1.0).unwrap();
    let before = test.clone();
    for (information, z) in [
        (f64::NAN, 0.0),
        (f64::INFINITY, 0.0),
        (-1.0, 0.0),
        (0.0, 0.0),
        (0.2, 0.0),
        (0.1, 0.0),
        (0.200_1, 0.0),
        (0.4, f64::NAN),
        (0.4, f64::NEG_INFINITY),
    ] {
        assert!(test.look(information, z).is_err(), "{information} {z}");
        assert!(
            test.final_look(information, z).is_err(),
            "{information} {z}"
        );
        assert_eq!(test, before);
    }
}

#[test]
fn bad_designs_are_refused() {
    let five = Alpha::FIVE_PERCENT;
    for maximum in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let spending = SpendingFunction::Pocock;
        assert!(GroupSequential::lan_de_mets(five, Sides::One, spending, maximum).is_err());
    }
    let wild = SpendingFunction::Power { phi: -1.0 };
    assert!(GroupSequential::lan_de_mets(five, Sides::One, wild, 1.0).is_err());
    for looks in [0, 101, usize::MAX] {
        assert!(GroupSequentialBoundary::pocock(five, Sides::Two, looks).is_err());
    }
    for shape in [f64::NAN, 0.6, -0.6] {
        assert!(GroupSequentialBoundary::wang_tsiatis(five, Sides::Two, 3, shape).is_err());
    }
    for fractions in [
        &[][..],
        &[0.5],
        &[0.5, 0.5, 1.0],
        &[0.0, 1.0],
        &[0.5, 1.1],
        &[f64::NAN, 1.0],
        &[1.0, 0.5],
    ] {
        let spending = SpendingFunction::Pocock;
        let planned = GroupSequentialBoundary::lan_de_mets(five, Sides::Two, spending, fractions);
        assert!(planned.is_err(), "{fractions:?}");
    }
    let boundary = GroupSequentialBoundary::pocock(five, Sides::Two, 3).unwrap();
    for drift in [f64::NAN, 101.0, f64::NEG_INFINITY] {
        assert!(boundary.power(drift).is_err());
        assert!(boundary.expected_fraction(drift).is_err());
    }
    for power in [0.0, 0.05, 1.0] {
        let power = Probability::new(power).unwrap();
        assert!(boundary.drift_for_power(power).is_err());
        assert!(boundary.inflation(power).is_err());
    }
}

#[test]
fn a_stored_test_goes_on_where_it_was_bit_for_bit() {
    let mut test = one_sided(SpendingFunction::HwangShihDeCani { gamma: -2.0 });
    test.look(0.21, 0.4).unwrap();
    test.look(0.47, 1.1).unwrap();
    let text = serde_json::to_string(&test).unwrap();
    let mut back: GroupSequential = serde_json::from_str(&text).unwrap();
    assert_eq!(back, test);
    assert_eq!(
        back.final_look(0.8, 1.9).unwrap(),
        test.final_look(0.8, 1.9).unwrap()
    );
    let text = serde_json::to_string(&test).unwrap();
    assert_eq!(
        serde_json::from_str::<GroupSequential>(&text).unwrap(),
        test
    );
}

#[test]
fn an_open_look_that_leaves_nothing_to_spend_stays_open_when_stored() {
    // 1 - e^-39.6 is 1 to rounding.
    let mut test = one_sided(SpendingFunction::HwangShihDeCani { gamma: 40.0 });
    assert_eq!(
        test.look(0.99, 0.0).unwrap().decision(),
        LookDecision::Continue
    );
    let text = serde_json::to_string(&test).unwrap();
    assert_eq!(
        serde_json::from_str::<GroupSequential>(&text).unwrap(),
        test
    );
    assert_eq!(
        test.look(1.0, 39.0).unwrap().decision(),
        LookDecision::Retain
    );
}

#[test]
fn a_stored_test_that_was_tampered_with_is_refused() {
    let mut test = one_sided(SpendingFunction::Pocock);
    test.look(0.5, 0.4).unwrap();
    test.look(0.75, 0.4).unwrap();
    let text = serde_json::to_string(&test).unwrap();
    for (part, by) in [
        ("0.75", "0.25"),
        ("0.75", "null"),
        ("0.025", "0.0"),
        (
            "\"maximum_information\":1.0",
            "\"maximum_information\":-1.0",
        ),
        // The first look would already have ended it.
        ("\"z\":0.4},{", "\"z\":9.0},{"),
    ] {
        let tampered = text.replacen(part, by, 1);
        assert_ne!(tampered, text, "{part}");
        assert!(
            serde_json::from_str::<GroupSequential>(&tampered).is_err(),
            "{tampered}"
        );
    }
}

#[test]
fn a_stored_critical_value_below_zero_is_refused_on_two_sides() {
    let single = GroupSequentialBoundary::pocock(Alpha::FIVE_PERCENT, Sides::Two, 1).unwrap();
    let text = serde_json::to_string(&single).unwrap();
    let tampered = text.replacen("\"critical\":", "\"critical\":-", 1);
    assert_ne!(tampered, text);
    assert!(serde_json::from_str::<GroupSequentialBoundary>(&tampered).is_err());
}

#[test]
fn a_stored_boundary_that_was_tampered_with_is_refused() {
    let boundary = GroupSequentialBoundary::pocock(Alpha::FIVE_PERCENT, Sides::Two, 2).unwrap();
    let text = serde_json::to_string(&boundary).unwrap();
    assert_eq!(
        serde_json::from_str::<GroupSequentialBoundary>(&text).unwrap(),
        boundary
    );
    for (part, by) in [
        ("2.17", "1.17"),
        ("0.05", "0.04"),
        ("0.5", "0.0"),
        ("\"two\"", "\"one\""),
    ] {
        let tampered = text.replacen(part, by, 1);
        assert_ne!(tampered, text, "{part}");
        assert!(
            serde_json::from_str::<GroupSequentialBoundary>(&tampered).is_err(),
            "{tampered}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_series_of_looks_gives_numbers_or_an_error(
        looks in prop::collection::vec((any::<f64>(), any::<f64>(), 0.0_f64..0.5), 1..5),
        alpha in 0.0001_f64..0.9999,
        two in any::<bool>(),
    ) {
        let sides = if two { Sides::Two } else { Sides::One };
        let alpha = Alpha::new(alpha).unwrap();
        let mut test =
            GroupSequential::lan_de_mets(alpha, sides, SpendingFunction::OBrienFleming, 1.0).unwrap();
        let mut fraction = 0.0;
        for (wild, z, rise) in looks {
            fraction += rise;
            for information in [wild, fraction] {
                if let Ok(look) = test.look(information, z) {
                    prop_assert!(look.boundary().is_finite());
                    prop_assert!(!look.estimate().is_nan());
                    prop_assert!((0.0..=alpha.get()).contains(&look.alpha_spent()));
                    if let Some(p_value) = look.p_value() {
                        prop_assert!((0.0..=1.0).contains(&p_value));
                        let adjusted = test.adjusted_estimate().unwrap();
                        prop_assert!(!adjusted.estimate().is_nan());
                    }
                }
            }
        }
    }
}
