use serde_json::Value;

use super::outcome::TestOutcome;
use super::settings::Alternative;

/// The values of scipy, with the calls that made them.
pub(crate) fn oracle() -> Value {
    serde_json::from_str(include_str!("../../testdata/ranks.json")).unwrap()
}

pub(crate) fn numbers(list: &Value) -> Vec<f64> {
    let list = list.as_array().unwrap();
    list.iter().map(|value| value.as_f64().unwrap()).collect()
}

pub(crate) const ALTERNATIVES: [(Alternative, &str); 3] = [
    (Alternative::TwoSided, "two_sided"),
    (Alternative::Greater, "greater"),
    (Alternative::Less, "less"),
];

/// To 1e-10 where the p-value is not far in the tail, and to 1e-6 where it is.
pub(crate) fn assert_agrees(outcome: &TestOutcome, expected: &Value) {
    assert_close(outcome.statistic().unwrap(), &expected["statistic"], 1e-10);
    let p_value = expected["p_value"].as_f64().unwrap();
    let tolerance = if p_value > 1e-6 { 1e-10 } else { 1e-6 };
    assert_close(outcome.p_value(), &expected["p_value"], tolerance);
}

pub(crate) fn assert_close(found: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() <= tolerance * expected.abs(),
        "{found:e} for {expected:e}"
    );
}
