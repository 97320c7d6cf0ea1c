use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn oracle() -> Value {
    serde_json::from_str(include_str!("../../../testdata/performance.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

#[track_caller]
fn close(found: f64, expected: f64, relative: f64) {
    assert!(
        (found - expected).abs() <= relative * expected.abs(),
        "{found}, expected {expected}"
    );
}

#[test]
fn masses_and_tails_are_those_of_the_exact_fractions() {
    let oracle = oracle();
    for case in oracle["poisson_binomial"].as_array().unwrap() {
        let law = PoissonBinomial::new(&numbers(&case["probabilities"])).unwrap();
        assert!(law.is_exact());
        let at: Vec<u64> = numbers(&case["at"]).into_iter().map(|k| k as u64).collect();
        for (k, expected) in at.iter().zip(numbers(&case["mass"])) {
            close(law.mass(*k), expected, 1e-10);
        }
        for (k, expected) in at.iter().zip(numbers(&case["at_most"])) {
            close(law.at_most(*k), expected, 1e-10);
        }
        for (k, expected) in at.iter().zip(numbers(&case["more_than"])) {
            close(law.more_than(*k), expected, 1e-10);
        }
    }
}

#[test]
fn the_refined_normal_law_is_within_a_ten_thousandth_of_the_exact_one() {
    let probabilities: Vec<f64> = (0..8_000)
        .map(|i| 0.01 + 0.1 * f64::from(i % 97) / 97.0)
        .collect();
    let exact = PoissonBinomial::new(&probabilities).unwrap();
    let third: f64 = probabilities
        .iter()
        .map(|p| p * (1.0 - p) * (1.0 - 2.0 * p))
        .sum();
    assert!(exact.is_exact() && exact.variance() >= NORMAL_FROM_VARIANCE);
    let refined = PoissonBinomial {
        law: Law::Normal {
            skewness: third / exact.variance().powf(1.5),
        },
        ..exact.clone()
    };
    let worst = (0..8_000)
        .map(|k| (exact.at_most(k) - refined.at_most(k)).abs())
        .fold(0.0, f64::max);
    assert!(worst < 1e-4, "{worst}");
    assert!(worst > 0.0);
}

#[test]
fn many_uncertain_trials_are_answered_without_multiplying_out() {
    let law = PoissonBinomial::new(&vec![0.5; 200_000]).unwrap();
    assert!(!law.is_exact());
    // scipy.stats.binom.cdf(100000, 200000, 0.5) and ppf(0.975, ...)
    close(law.at_most(100_000), 0.500_892_060_943, 1e-7);
    assert_eq!(law.quantile(Probability::new(0.975).unwrap()), 100_438);
    assert_eq!(law.at_most(200_000), 1.0);
    assert_eq!(law.mass(0), 0.0);
}

#[test]
fn certain_and_impossible_trials_only_move_the_law() {
    let law = PoissonBinomial::new(&[1.0, 0.0, 0.25, 1.0]).unwrap();
    assert_eq!(
        (law.mass(1), law.mass(2), law.mass(3), law.mass(4)),
        (0.0, 0.75, 0.25, 0.0)
    );
    assert_eq!(
        (law.at_most(1), law.more_than(1), law.more_than(2)),
        (0.0, 1.0, 0.25)
    );
    let none = PoissonBinomial::new(&[]).unwrap();
    assert_eq!(
        (none.mass(0), none.at_most(0), none.more_than(0)),
        (1.0, 1.0, 0.0)
    );
    assert_eq!(none.quantile(Probability::ONE), 0);
}

#[test]
fn what_is_no_probability_is_refused() {
    for wrong in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        assert!(PoissonBinomial::new(&[0.5, wrong]).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn the_mass_is_the_sum_over_all_outcomes(probabilities in prop::collection::vec(0.0..=1.0_f64, 0..11)) {
        let law = PoissonBinomial::new(&probabilities).unwrap();
        let mut naive = vec![0.0; probabilities.len() + 1];
        for outcome in 0_u32..1 << probabilities.len() {
            let chance: f64 = probabilities.iter().enumerate()
                .map(|(i, p)| if outcome >> i & 1 == 1 { *p } else { 1.0 - p })
                .product();
            naive[outcome.count_ones() as usize] += chance;
        }
        for (successes, expected) in (0_u64..).zip(&naive) {
            prop_assert!((law.mass(successes) - expected).abs() < 1e-12);
            let sum = law.at_most(successes) + law.more_than(successes);
            prop_assert!((sum - 1.0).abs() < 1e-12);
        }
        let mean: f64 = probabilities.iter().sum();
        prop_assert!((law.mean() - mean).abs() < 1e-12);
    }

    #[test]
    fn a_quantile_is_the_first_to_reach_its_probability(
        probabilities in prop::collection::vec(0.0..=1.0_f64, 0..40),
        level in 0.001_f64..0.999,
    ) {
        let law = PoissonBinomial::new(&probabilities).unwrap();
        let found = law.quantile(Probability::new(level).unwrap());
        prop_assert!(law.at_most(found) >= level);
        prop_assert!(found == 0 || law.at_most(found - 1) < level);
    }
}
