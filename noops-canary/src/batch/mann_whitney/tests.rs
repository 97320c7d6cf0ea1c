use proptest::prelude::*;

use super::*;
use crate::batch::rank_oracle::{ALTERNATIVES, assert_agrees, assert_close, numbers, oracle};
use crate::direction::Direction;
use crate::simulation::Random;

fn settings(alternative: Alternative) -> TestSettings {
    TestSettings::default().with_alternative(alternative)
}

fn repeated(parts: &[(f64, usize)]) -> Vec<f64> {
    let mut values = Vec::new();
    for (value, times) in parts {
        values.extend(std::iter::repeat_n(*value, *times));
    }
    values
}

fn normal(random: &mut Random, rows: usize, shift: f64) -> Vec<f64> {
    (0..rows).map(|_| random.normal() + shift).collect()
}

#[test]
fn scipy_agrees() {
    for case in oracle()["samples"].as_array().unwrap() {
        let (champion, candidate) = (numbers(&case["champion"]), numbers(&case["candidate"]));
        for (alternative, name) in ALTERNATIVES {
            let outcome = mann_whitney(&champion, &candidate, &settings(alternative)).unwrap();
            assert_agrees(&outcome, &case["mann_whitney"][name]);
        }
    }
}

#[test]
fn the_shift_is_that_of_all_differences() {
    for case in oracle()["samples"].as_array().unwrap() {
        let (champion, candidate) = (numbers(&case["champion"]), numbers(&case["candidate"]));
        let outcome = hodges_lehmann(&champion, &candidate, &TestSettings::default()).unwrap();
        let expected = &case["shift"];
        let interval = outcome.interval().unwrap();
        let close = |found: f64, name: &str| {
            let wanted = expected[name].as_f64().unwrap();
            assert!((found - wanted).abs() <= 1e-12, "{found} {wanted} {name}");
        };
        close(outcome.estimate().unwrap(), "median");
        if expected["k"] == 0 {
            assert_eq!(interval, crate::interval::Interval::UNBOUNDED);
        } else {
            close(interval.lower(), "lower");
            close(interval.upper(), "upper");
        }
    }
}

#[test]
fn three_against_four_has_the_exact_tails() {
    let (low, high) = ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]);
    let p_value = |champion: &[f64], candidate: &[f64], alternative| {
        let outcome = mann_whitney(champion, candidate, &settings(alternative)).unwrap();
        assert_eq!(outcome.method(), Method::MannWhitneyExact);
        outcome.p_value()
    };
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}");
    close(p_value(&low, &high, Alternative::TwoSided), 2.0 / 35.0);
    close(p_value(&low, &high, Alternative::Greater), 1.0 / 35.0);
    close(p_value(&low, &high, Alternative::Less), 1.0);
    close(p_value(&high, &low, Alternative::Greater), 1.0);
    close(p_value(&high, &low, Alternative::Less), 1.0 / 35.0);
}

#[test]
fn eight_against_many_ends_at_once() {
    for many in [40, 60, 1_250] {
        let mut random = Random::new(9);
        let champion = normal(&mut random, 8, 0.0);
        let candidate = normal(&mut random, many, 0.5);
        let outcome = mann_whitney(&champion, &candidate, &TestSettings::default()).unwrap();
        assert_eq!(outcome.method(), Method::MannWhitneyExact);
        // The normal law is a fair oracle here.
        let pairs = 8.0 * many as f64;
        let deviation = (pairs * (9.0 + many as f64) / 12.0).sqrt();
        let distance = (outcome.statistic().unwrap() - pairs / 2.0).abs() - 0.5;
        let rough = 2.0 * noops_stats::special::normal_sf(distance / deviation);
        assert!((outcome.p_value() - rough.min(1.0)).abs() < 0.02, "{many}");
    }
}

#[test]
fn a_kayenta_fixture_is_reproduced() {
    let experiment = repeated(&[(100.0, 7), (1.0, 3)]);
    let control = [1.0; 10];
    let outcome = hodges_lehmann(&control, &experiment, &TestSettings::default()).unwrap();
    assert_eq!(outcome.statistic(), Some(85.0));
    assert!(
        (outcome.p_value() - 0.001_616_8).abs() < 5e-8,
        "{}",
        outcome.p_value()
    );
    assert_eq!(outcome.estimate(), Some(99.0));
    // R's root finder stops at 6.8e-5 on the way down to the same 0.
    assert_eq!(
        outcome.interval(),
        crate::interval::Interval::new(0.0, 99.0)
    );
}

#[test]
fn tails_beyond_the_reach_of_one_less_the_distribution_function_are_not_zero() {
    let champion: Vec<f64> = (0..2_000).map(f64::from).collect();
    let candidate: Vec<f64> = champion.iter().map(|value| value + 844.5).collect();
    let outcome = mann_whitney(&champion, &candidate, &TestSettings::default()).unwrap();
    assert!(outcome.p_value() < 1e-290);
    assert_agrees(&outcome, &oracle()["deep"]);
}

#[test]
fn millions_of_equal_values_do_not_overflow() {
    let champion = repeated(&[(0.0, 2_700_000), (1.0, 1_000)]);
    let candidate = repeated(&[(0.0, 2_000), (1.0, 3)]);
    let outcome = mann_whitney(&champion, &candidate, &TestSettings::default()).unwrap();
    assert_close(
        outcome.statistic().unwrap(),
        &oracle()["tied"]["statistic"],
        1e-15,
    );
    // The variance is what nearly equal cubes leave over.
    assert_close(outcome.p_value(), &oracle()["tied"]["p_value"], 1e-8);
}

#[test]
fn a_large_test_takes_no_quadratic_time() {
    let mut random = Random::new(4);
    let champion = normal(&mut random, 40_000, 0.0);
    let candidate = normal(&mut random, 40_000, 0.05);
    let outcome = hodges_lehmann(&champion, &candidate, &TestSettings::default()).unwrap();
    let interval = outcome.interval().unwrap();
    assert!(interval.contains(0.05) && interval.width() < 0.06);
    assert!(interval.contains(outcome.estimate().unwrap()));
}

#[test]
fn the_interval_holds_what_the_test_does_not_refuse() {
    let mut random = Random::new(12);
    for rows in [(9, 11), (110, 120)] {
        let champion = normal(&mut random, rows.0, 0.0);
        let candidate = normal(&mut random, rows.1, 0.4);
        for (alternative, _) in ALTERNATIVES {
            let outcome = hodges_lehmann(&champion, &candidate, &settings(alternative)).unwrap();
            let interval = outcome.interval().unwrap();
            for step in -100..=100 {
                let shift = f64::from(step) / 37.0;
                let moved: Vec<f64> = candidate.iter().map(|value| value - shift).collect();
                let tested = mann_whitney(&champion, &moved, &settings(alternative)).unwrap();
                let kept = !tested.rejects(outcome.alpha());
                assert_eq!(interval.contains(shift), kept, "{shift} {alternative:?}");
            }
        }
    }
}

#[test]
fn non_inferiority_is_claimed_within_the_margin_only() {
    let mut random = Random::new(5);
    let champion = normal(&mut random, 200, 0.0);
    let alpha = Alpha::FIVE_PERCENT;
    let margin = Margin::new(Direction::LowerIsBetter, 0.5).unwrap();
    let good = normal(&mut random, 200, 0.0);
    let bad = normal(&mut random, 200, 0.6);
    let test = |candidate: &[f64]| {
        mann_whitney_non_inferiority(&champion, candidate, margin, alpha).unwrap()
    };
    assert!(test(&good).rejects(alpha));
    assert!(test(&good).interval().unwrap().is_below(0.5));
    assert!(!test(&bad).rejects(alpha));
    let other_way = Margin::new(Direction::HigherIsBetter, 0.5).unwrap();
    let outcome = mann_whitney_non_inferiority(&champion, &bad, other_way, alpha).unwrap();
    assert!(outcome.rejects(alpha), "higher is better");
    assert!(
        mann_whitney_equivalence(&champion, &good, margin, alpha)
            .unwrap()
            .rejects(alpha)
    );
    assert!(
        !mann_whitney_equivalence(&champion, &bad, margin, alpha)
            .unwrap()
            .rejects(alpha)
    );
}

#[test]
fn non_inferiority_errs_no_more_often_than_promised() {
    let alpha = Alpha::FIVE_PERCENT;
    let margin = Margin::new(Direction::LowerIsBetter, 0.3).unwrap();
    let mut random = Random::new(77);
    let claimed = (0..1_000)
        .filter(|_| {
            let champion = normal(&mut random, 30, 0.0);
            let candidate = normal(&mut random, 40, 0.3);
            mann_whitney_non_inferiority(&champion, &candidate, margin, alpha)
                .unwrap()
                .rejects(alpha)
        })
        .count();
    // scipy.stats.binom.sf(75, 1000, 0.05) = 0.0003
    assert!(claimed <= 75, "{claimed}");
    assert!(claimed >= 20, "{claimed}: the test must not be idle");
}

#[test]
fn the_interval_covers_as_often_as_it_says() {
    let mut random = Random::new(78);
    let covered = (0..600)
        .filter(|_| {
            let champion = normal(&mut random, 12, 0.0);
            let candidate = normal(&mut random, 9, 1.0);
            let outcome = hodges_lehmann(&champion, &candidate, &TestSettings::default());
            outcome.unwrap().interval().unwrap().contains(1.0)
        })
        .count();
    // scipy.stats.binom.cdf(550, 600, 0.95) = 0.0003
    assert!(covered > 550, "{covered}");
}

#[test]
fn hostile_samples_are_refused() {
    let settings = TestSettings::default();
    let fine = [1.0, 2.0];
    for bad in [&[][..], &[f64::NAN], &[1.0, f64::INFINITY]] {
        assert!(mann_whitney(bad, &fine, &settings).is_err());
        assert!(hodges_lehmann(&fine, bad, &settings).is_err());
    }
    let same = mann_whitney(&[0.0, -0.0], &[0.0], &settings);
    assert!(matches!(same, Err(CanaryError::Constant { .. })));
    // Differences that overflow bound nothing and break nothing.
    let outcome =
        hodges_lehmann(&[-1.7e308, 1.7e308], &[1.7e308, -1.7e308, 0.0], &settings).unwrap();
    assert!(outcome.estimate().is_none_or(f64::is_finite));
    let margin = Margin::new(Direction::LowerIsBetter, 1.7e308).unwrap();
    let alpha = Alpha::ONE_PERCENT;
    assert!(mann_whitney_non_inferiority(&fine, &[-1.7e308, 0.0], margin, alpha).is_ok());
    let half = Alpha::new(0.5).unwrap();
    assert!(mann_whitney_equivalence(&fine, &[3.0], margin, half).is_err());
}

/// On a coarse grid, so that there are ties, or not.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let grids = prop_oneof![Just(4.0), Just(1e6)];
    let shares = prop::collection::vec(-1.0..1.0_f64, 1..40);
    (grids, shares).prop_map(|(grid, shares)| shares.iter().map(|x| (x * grid).round()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counting_finds_the_differences_that_listing_finds(champion in values(), candidate in values()) {
        let (left, right) = (SortedSample::new(&champion), SortedSample::new(&candidate));
        let differences = Differences::between(&left, &right);
        let mut listed: Vec<f64> = Vec::new();
        for champion in &champion {
            listed.extend(candidate.iter().map(|candidate| candidate - champion));
        }
        listed.sort_by(f64::total_cmp);
        prop_assert_eq!(differences.total(), listed.len() as u128);
        for (value, rank) in listed.iter().zip(1..) {
            prop_assert_eq!(crate::batch::pairwise::select(&differences, rank), *value);
            let at_most = listed.iter().filter(|other| *other <= value).count();
            prop_assert_eq!(differences.at_most(*value), at_most as u128);
        }
    }

    #[test]
    fn exchanging_the_samples_exchanges_the_sides(champion in values(), candidate in values()) {
        let one = mann_whitney(&champion, &candidate, &settings(Alternative::Greater));
        let other = mann_whitney(&candidate, &champion, &settings(Alternative::Less));
        if let (Ok(one), Ok(other)) = (one, other) {
            prop_assert!((one.p_value() - other.p_value()).abs() <= 1e-12 * one.p_value());
        }
    }
}

#[test]
fn many_differences_are_selected_in_few_counts() {
    let mut random = Random::new(3);
    // Heavy tails, so that the range says little about the middle.
    let mut heavy = |rows: usize| -> Vec<f64> {
        (0..rows)
            .map(|_| random.normal() / random.normal())
            .collect()
    };
    let (left, right) = (
        SortedSample::new(&heavy(2_000)),
        SortedSample::new(&heavy(3_000)),
    );
    let counting = Counting {
        differences: Differences::between(&left, &right),
        counts: std::cell::Cell::new(0),
    };
    let found = crate::batch::pairwise::select(&counting, 3_000_000);
    assert!(counting.differences.at_most(found) >= 3_000_000);
    assert!(counting.counts.get() <= 40, "{}", counting.counts.get());
}

struct Counting<'a> {
    differences: Differences<'a>,
    counts: std::cell::Cell<u32>,
}

impl Pairwise for Counting<'_> {
    fn total(&self) -> u128 {
        self.differences.total()
    }

    fn lowest(&self) -> f64 {
        self.differences.lowest()
    }

    fn highest(&self) -> f64 {
        self.differences.highest()
    }

    fn at_most(&self, bound: f64) -> u128 {
        self.counts.set(self.counts.get() + 1);
        self.differences.at_most(bound)
    }

    fn between(&self, low: f64, high: f64) -> Vec<f64> {
        self.differences.between(low, high)
    }

    fn room(&self) -> u128 {
        self.differences.room()
    }
}

#[test]
fn the_effect_is_the_share_of_pairs() {
    let outcome = mann_whitney(&[1.0, 2.0], &[2.0, 3.0], &TestSettings::default()).unwrap();
    assert_close(
        outcome.effect().unwrap().value(),
        &serde_json::json!(0.875),
        1e-15,
    );
}
