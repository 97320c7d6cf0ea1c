use noops_core::{Alpha, Probability};
use serde_json::Value;

use crate::sequential::group_sequential::{
    GroupSequential, GroupSequentialBoundary, LookDecision, Sides, SpendingFunction,
};

fn oracle(part: &str) -> Vec<Value> {
    let text = include_str!("../../../../testdata/group_sequential.json");
    let all: Value = serde_json::from_str(text).unwrap();
    let cases = all[part].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

fn alpha_of(case: &Value) -> Alpha {
    serde_json::from_value(case["alpha"].clone()).unwrap()
}

fn sides_of(case: &Value) -> Sides {
    serde_json::from_value(case["sides"].clone()).unwrap()
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64, call: &Value) {
    assert!(
        (found - expected).abs() <= tolerance * expected.abs().max(1.0),
        "{call}: found {found}, expected {expected}"
    );
}

#[track_caller]
fn printed(found: &[f64], expected: &[f64], half_digit: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= half_digit,
            "found {found}, expected {expected}"
        );
    }
}

#[test]
fn published_constants_are_reproduced_to_their_printed_digits() {
    // Jennison and Turnbull (2000), tables 2.1 and 2.3.
    for (looks, pocock, obrien_fleming) in [
        (2, 2.178, 1.977),
        (3, 2.289, 2.004),
        (4, 2.361, 2.024),
        (5, 2.413, 2.040),
        (10, 2.555, 2.087),
    ] {
        let last = |boundary: GroupSequentialBoundary| *boundary.critical_values().last().unwrap();
        let five = Alpha::FIVE_PERCENT;
        let found = [
            last(GroupSequentialBoundary::pocock(five, Sides::Two, looks).unwrap()),
            last(GroupSequentialBoundary::obrien_fleming(five, Sides::Two, looks).unwrap()),
        ];
        printed(&found, &[pocock, obrien_fleming], 5.01e-4);
    }
}

#[test]
fn published_spending_boundaries_are_reproduced_to_their_printed_digits() {
    let fifths = [0.2, 0.4, 0.6, 0.8, 1.0];
    let boundary = |alpha: f64, spending| {
        GroupSequentialBoundary::lan_de_mets(
            Alpha::new(alpha).unwrap(),
            Sides::One,
            spending,
            &fifths,
        )
        .unwrap()
        .critical_values()
    };
    printed(
        &boundary(0.025, SpendingFunction::OBrienFleming),
        &[4.8769, 3.3570, 2.6803, 2.2898, 2.0310],
        5.1e-5,
    );
    printed(
        &boundary(0.025, SpendingFunction::Pocock),
        &[2.438, 2.4268, 2.4102, 2.3966, 2.3860],
        5.1e-5,
    );
    printed(
        &boundary(0.05, SpendingFunction::OBrienFleming),
        &[4.2292, 2.8881, 2.2981, 1.9618, 1.7397],
        5.1e-5,
    );
}

#[test]
fn classic_boundaries_and_their_power_agree_with_an_independent_integration() {
    for case in oracle("classics") {
        let call = &case["call"];
        let looks = case["looks"].as_u64().unwrap() as usize;
        let shape = case["shape"].as_f64().unwrap();
        let boundary =
            GroupSequentialBoundary::wang_tsiatis(alpha_of(&case), sides_of(&case), looks, shape)
                .unwrap();
        for (found, expected) in boundary
            .critical_values()
            .into_iter()
            .zip(numbers(&case["critical"]))
        {
            close(found, expected, 1e-9, call);
        }
        let power = Probability::new(0.9).unwrap();
        let drift = case["drift_for_power_0_9"].as_f64().unwrap();
        close(boundary.drift_for_power(power).unwrap(), drift, 1e-9, call);
        close(boundary.power(drift).unwrap(), 0.9, 1e-9, call);
        let rejected = boundary.rejection_probabilities(drift).unwrap();
        for (found, expected) in rejected
            .into_iter()
            .zip(numbers(&case["rejected_at_that_drift"]))
        {
            close(found, expected, 1e-9, call);
        }
        let expected = case["expected_fraction"].as_f64().unwrap();
        close(
            boundary.expected_fraction(drift).unwrap(),
            expected,
            1e-9,
            call,
        );
    }
}

#[test]
fn spending_boundaries_agree_with_an_independent_integration_planned_or_not() {
    for case in oracle("spendings") {
        let call = &case["call"];
        let spending: SpendingFunction = serde_json::from_value(case["spending"].clone()).unwrap();
        let (alpha, sides) = (alpha_of(&case), sides_of(&case));
        let fractions = numbers(&case["fractions"]);
        let expected = numbers(&case["critical"]);
        let planned =
            GroupSequentialBoundary::lan_de_mets(alpha, sides, spending, &fractions).unwrap();
        let mut live = GroupSequential::lan_de_mets(alpha, sides, spending, 400.0).unwrap();
        for ((planned, fraction), expected) in planned
            .critical_values()
            .into_iter()
            .zip(fractions)
            .zip(expected)
        {
            close(planned, expected, 1e-8, call);
            let look = live.look(400.0 * fraction, 0.3).unwrap();
            close(look.boundary(), expected, 1e-8, call);
        }
        assert_eq!(live.decision(), LookDecision::Retain);
    }
}

#[test]
fn p_values_and_adjusted_estimates_agree_with_an_independent_integration() {
    for case in oracle("adjusted") {
        let call = &case["call"];
        let (alpha, sides) = (alpha_of(&case), sides_of(&case));
        let fractions = numbers(&case["fractions"]);
        let z = case["z"].as_f64().unwrap();
        for sign in [1.0, -1.0] {
            if sign < 0.0 && sides == Sides::One {
                continue;
            }
            let mut test = GroupSequential::lan_de_mets(
                alpha,
                sides,
                SpendingFunction::OBrienFleming,
                // With 25 units of information a drift is five times the effect.
                25.0,
            )
            .unwrap();
            let (last, earlier) = fractions.split_last().unwrap();
            for fraction in earlier {
                test.look(25.0 * fraction, 0.1).unwrap();
                assert_eq!(test.adjusted_estimate(), None);
            }
            let end = test.look(25.0 * last, sign * z).unwrap();
            let p_value = case["p_value"].as_f64().unwrap();
            close(end.p_value().unwrap() / p_value, 1.0, 1e-7, call);
            let adjusted = test.adjusted_estimate().unwrap();
            let estimate = sign * case["estimate"].as_f64().unwrap() / 5.0;
            close(adjusted.estimate(), estimate, 1e-7, call);
            let mut ends = [
                sign * case["lower"].as_f64().unwrap() / 5.0,
                sign * case["upper"]
                    .as_f64()
                    .map_or(f64::INFINITY, |upper| upper / 5.0),
            ];
            ends.sort_by(f64::total_cmp);
            close(adjusted.interval().lower(), ends[0], 1e-7, call);
            if sides == Sides::Two {
                close(adjusted.interval().upper(), ends[1], 1e-7, call);
            } else {
                assert_eq!(adjusted.interval().upper(), f64::INFINITY);
            }
            let rejected = end.decision() == LookDecision::Reject;
            assert_eq!(rejected, !adjusted.interval().contains(0.0), "{call}");
            assert_eq!(rejected, end.p_value().unwrap() <= alpha.get(), "{call}");
        }
    }
}
