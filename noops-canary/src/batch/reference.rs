use serde_json::Value;

use super::outcome::TestOutcome;
use super::settings::{Alternative, TestSettings};

/// The reference cases of one test.
pub(super) fn cases(section: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../testdata/batch_a.json")).unwrap();
    let found = all[section].as_array().unwrap().clone();
    assert!(!found.is_empty());
    found
}

pub(super) fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

pub(super) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

pub(super) fn count(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("no count: {value}"))
}

#[track_caller]
pub(super) fn close(found: f64, expected: f64, relative: f64) {
    assert!(
        (found - expected).abs() <= relative * expected.abs() + 1e-14 * f64::from(expected == 0.0),
        "found {found:e}, expected {expected:e}"
    );
}

/// The interval's ends; `null` in a reference is no bound (zero for an odds ratio).
#[track_caller]
pub(super) fn close_interval(outcome: &TestOutcome, reference: &Value, relative: f64) {
    let interval = outcome.interval().unwrap();
    for (found, expected) in [
        (interval.lower(), &reference["lower"]),
        (interval.upper(), &reference["upper"]),
    ] {
        match expected.as_f64() {
            Some(expected) => assert!(
                (found - expected).abs() <= relative * expected.abs().max(1e-3),
                "found {found:e}, expected {expected:e}"
            ),
            None => assert!(found.is_infinite(), "{found}"),
        }
    }
}

pub(super) fn sides() -> [(&'static str, TestSettings); 3] {
    [
        ("two_sided", Alternative::TwoSided),
        ("greater", Alternative::Greater),
        ("less", Alternative::Less),
    ]
    .map(|(name, side)| (name, TestSettings::default().with_alternative(side)))
}
