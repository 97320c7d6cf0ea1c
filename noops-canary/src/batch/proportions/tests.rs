use noops_core::Alpha;

use super::*;
use crate::batch::reference::{cases, close, close_interval, count, number, sides};
use crate::direction::Direction;
use crate::simulation::Random;

fn read(value: &serde_json::Value) -> Proportion {
    Proportion::new(count(&value[0]), count(&value[1])).unwrap()
}

fn lower_is_better(size: f64) -> Margin {
    Margin::new(Direction::LowerIsBetter, size).unwrap()
}

#[test]
fn tests_and_intervals_agree_with_statsmodels() {
    for case in cases("proportions") {
        let (champion, candidate) = (read(&case["champion"]), read(&case["candidate"]));
        for (name, settings) in sides() {
            let outcome = two_proportions(champion, candidate, &settings).unwrap();
            close(
                outcome.effect().unwrap().value(),
                number(&case["cohens_h"]),
                1e-10,
            );
            if name == "two_sided" {
                close_interval(&outcome, &case["newcombe"], 1e-9);
            }
            match case[name]["z"].as_f64() {
                Some(z) => {
                    close(outcome.statistic().unwrap(), z, 1e-10);
                    close(outcome.p_value(), number(&case[name]["p"]), 1e-9);
                }
                None => assert_eq!(
                    outcome.p_value(),
                    if name == "two_sided" { 1.0 } else { 0.5 }
                ),
            }
        }
        let wilson = candidate.wilson(Alpha::FIVE_PERCENT);
        assert!((wilson.lower() - number(&case["wilson"][0])).abs() < 1e-10);
        assert!((wilson.upper() - number(&case["wilson"][1])).abs() < 1e-10);
    }
}

#[test]
fn margins_agree_with_the_likelihood_solved_numerically() {
    for case in cases("proportions") {
        let (champion, candidate) = (read(&case["champion"]), read(&case["candidate"]));
        let alpha = Alpha::FIVE_PERCENT;
        for reference in case["farrington_manning"].as_array().unwrap() {
            let margin = lower_is_better(number(&reference["margin"]));
            let found =
                two_proportions_non_inferiority(champion, candidate, margin, alpha).unwrap();
            let (z, expected) = (found.statistic().unwrap(), number(&reference["z"]));
            assert!(
                (z - expected).abs() <= 1e-10 * expected.abs().max(1.0),
                "{z} {expected}"
            );
            if number(&reference["p"]) > 1e-290 {
                close(found.p_value(), number(&reference["p"]), 1e-6);
            }
            let inside = found.interval().unwrap().upper() < margin.size();
            assert_eq!(found.rejects(alpha), inside);
        }
        if !case["score_90"].is_null() {
            let equal =
                two_proportions_equivalence(champion, candidate, lower_is_better(0.2), alpha)
                    .unwrap();
            close_interval(&equal, &case["score_90"], 1e-8);
        }
    }
}

#[test]
fn the_error_rate_at_the_margin_holds_at_a_small_rate() {
    let mut random = Random::new(8);
    let mut draw = |n: u64, rate: f64| {
        let successes = (0..n).filter(|_| random.uniform() < rate).count() as u64;
        Proportion::new(successes, n).unwrap()
    };
    let passes = (0..1_500)
        .filter(|_| {
            let (champion, candidate) = (draw(900, 0.02), draw(300, 0.05));
            let margin = lower_is_better(0.03);
            two_proportions_non_inferiority(champion, candidate, margin, Alpha::FIVE_PERCENT)
                .unwrap()
                .rejects(Alpha::FIVE_PERCENT)
        })
        .count();
    // scipy.stats.binom.sf(104, 1500, 0.05) = 0.0004
    assert!(passes <= 104, "{passes}");
    assert!(passes >= 30, "{passes}");
}

#[test]
fn proportions_without_meaning_are_refused_also_when_read_back() {
    assert_eq!(Proportion::new(0, 0), Err(CanaryError::Empty));
    assert!(Proportion::new(2, 1).is_err());
    assert!(Proportion::new(1, u64::MAX).is_err());
    assert!(serde_json::from_str::<Proportion>(r#"{"successes":2,"trials":1}"#).is_err());
    let most = Proportion::new(Proportion::MAX_TRIALS, Proportion::MAX_TRIALS).unwrap();
    let none = Proportion::new(0, Proportion::MAX_TRIALS).unwrap();
    for (champion, candidate) in [(most, none), (none, most), (most, most), (none, none)] {
        for (_, settings) in sides() {
            let outcome = two_proportions(champion, candidate, &settings).unwrap();
            assert!((0.0..=1.0).contains(&outcome.p_value()));
        }
        let alpha = Alpha::FIVE_PERCENT;
        let margin = lower_is_better(1e-9);
        let found = two_proportions_non_inferiority(champion, candidate, margin, alpha).unwrap();
        assert_eq!(
            found.rejects(alpha),
            champion == candidate || candidate == none
        );
    }
    let whole = lower_is_better(1.0);
    assert!(two_proportions_non_inferiority(most, none, whole, Alpha::FIVE_PERCENT).is_err());
}
