use noops_core::Alpha;
use serde_json::Value;

use crate::sequential::iterated_logarithm::IteratedLogarithm;
use crate::sequential::rate_interval::RateInterval;
use crate::sequential::{CategoryBet, CategoryReference, PitBet, ReferenceCdf};

fn oracle() -> Value {
    serde_json::from_str(include_str!("../../../testdata/sequential.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap();
    list.iter()
        .map(|x| x.as_f64().unwrap_or(f64::NAN))
        .collect()
}

fn counts(value: &Value) -> Vec<u64> {
    let list = value.as_array().unwrap();
    list.iter().map(|x| x.as_u64().unwrap()).collect()
}

#[track_caller]
fn close(found: f64, expected: f64, relative: f64) {
    assert!(
        (found - expected).abs() <= relative * expected.abs().max(1e-300),
        "found {found}, expected {expected}"
    );
}

#[test]
fn the_constants_of_the_iterated_logarithm_solve_their_equation() {
    for row in oracle()["iterated_logarithm"].as_array().unwrap() {
        let boundary = IteratedLogarithm::new(row["alpha"].as_f64().unwrap());
        close(
            boundary.constant(),
            row["constant"].as_f64().unwrap(),
            1e-10,
        );
        for pair in row["bounds"].as_array().unwrap() {
            let bound = boundary.bound(pair[0].as_u64().unwrap());
            close(bound, pair[1].as_f64().unwrap(), 1e-10);
        }
    }
}

#[test]
fn the_boundary_falls_with_the_rows_and_is_finite_for_any_error_rate() {
    for alpha in [f64::MIN_POSITIVE, 1e-100, 0.5, 1.0 - 1e-16] {
        let boundary = IteratedLogarithm::new(alpha);
        let bounds = [0, 1, 10, 1_000, 1_000_000, u64::MAX].map(|rows| boundary.bound(rows));
        assert!(
            bounds.windows(2).all(|pair| pair[0] >= pair[1]),
            "{bounds:?}"
        );
        assert!(bounds.iter().all(|bound| *bound > 0.0 && *bound <= 1.0));
    }
}

#[test]
fn intervals_of_rates_agree_with_scipy_and_are_never_inside() {
    for row in oracle()["clopper_pearson"].as_array().unwrap() {
        let found = RateInterval::clopper_pearson(
            row["successes"].as_u64().unwrap(),
            row["trials"].as_u64().unwrap(),
            row["failure"].as_f64().unwrap(),
        );
        close(found.low, row["low"].as_f64().unwrap(), 1e-8);
        close(found.high, row["high"].as_f64().unwrap(), 1e-8);
    }
    let nothing = RateInterval::clopper_pearson(0, 0, 0.01);
    assert_eq!((nothing.low, nothing.high), (0.0, 1.0));
}

#[test]
fn the_bet_on_a_number_agrees_with_its_definition() {
    let case = &oracle()["pit_bet"];
    let reference = ReferenceCdf::from_cells(&numbers(&case["edges"]), &counts(&case["counts"]))
        .unwrap()
        .with_missing(case["missing"].as_u64().unwrap());
    let alpha = Alpha::new(case["alpha"].as_f64().unwrap()).unwrap();
    let mut gate = PitBet::new(reference, alpha);
    numbers(&case["values"])
        .into_iter()
        .for_each(|value| gate.observe(value));
    let evidence = gate.evidence();
    close(
        evidence.log_e().get(),
        case["log_e"].as_f64().unwrap(),
        1e-8,
    );
    assert!(evidence.alarmed());
}

#[test]
fn the_bet_on_a_category_agrees_with_its_definition() {
    let case = &oracle()["category_bet"];
    let reference = CategoryReference::new(&counts(&case["counts"])).unwrap();
    let alpha = Alpha::new(case["alpha"].as_f64().unwrap()).unwrap();
    let mut gate = CategoryBet::new(reference, alpha);
    for row in counts(&case["rows"]) {
        match row {
            3 => gate.observe_unlisted(),
            4 => gate.observe_missing(),
            listed => gate.observe(usize::try_from(listed).unwrap()),
        }
    }
    let found = gate.evidence().log_e().get();
    close(found, case["log_e"].as_f64().unwrap(), 1e-8);
}
