use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::sequential::counts::binomial::TruncatedBeta;
use crate::simulation::Random;

fn sequence(optimal: u64, successes: u64, failures: u64) -> BernoulliSequence {
    let mut sequence = BernoulliSequence::new(optimal, Alpha::FIVE_PERCENT).unwrap();
    sequence.observe_counts(successes, failures);
    sequence
}

#[test]
fn intervals_and_bounds_agree_with_mpmath() {
    let all: Value = serde_json::from_str(include_str!("../../../testdata/counts.json")).unwrap();
    let rows = all["bernoulli"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let count = |key: &str| row[key].as_u64().unwrap();
        let sequence = sequence(count("optimal"), count("successes"), count("failures"));
        let interval = sequence.interval(Alpha::FIVE_PERCENT);
        for (key, found) in [
            ("lower", interval.lower()),
            ("upper", interval.upper()),
            ("lower_bound", sequence.lower_bound(Alpha::FIVE_PERCENT)),
            ("upper_bound", sequence.upper_bound(Alpha::FIVE_PERCENT)),
        ] {
            if let Some(expected) = row[key].as_f64() {
                assert!(
                    (found - expected).abs() <= 1e-9 * expected,
                    "{key} {row}: {found}"
                );
            }
        }
    }
}

#[test]
fn the_intervals_of_confseq_are_reproduced() {
    for (optimal, successes, failures, lower, upper) in [
        (100, 700, 300, 0.651_629, 0.745_949),
        (50, 15, 35, 0.129_556, 0.511_896),
        (50, 5, 45, 0.013_021, 0.269_264),
        (50, 1, 49, 0.0, 0.134_89),
        (1, 100, 100, 0.328_923, 0.671_076),
    ] {
        let found = sequence(optimal, successes, failures).interval(Alpha::FIVE_PERCENT);
        assert!((found.lower() - lower).abs() < 2e-6, "{found:?}");
        assert!((found.upper() - upper).abs() < 2e-6, "{found:?}");
    }
}

#[test]
fn the_mixture_of_confseqs_table_is_reproduced() {
    // g = 0.2, h = 0.8, v_opt = 100: p = 0.2 and v = 100 is n = 625, s = 10 is 10 successes above the mean.
    let null = Odds::of_counts(0.2, 0.8);
    let log_e = |alternative, alpha, s: f64| {
        let k = concentration(625.0, alpha);
        TruncatedBeta::new(k, null, alternative).log_e(null, 125.0 + s, 500.0 - s)
    };
    let two_sided = log_e(Alternative::TwoSided, 0.05, 10.0);
    assert!((two_sided + 0.694_101_2).abs() < 5e-8, "{two_sided}");
    let one_sided = log_e(Alternative::Greater, 0.1, 10.0);
    assert!((one_sided + 0.071_340_19).abs() < 5e-9, "{one_sided}");
    for (alternative, alpha, bound) in [
        (Alternative::TwoSided, 0.05, 31.430_8),
        (Alternative::Greater, 0.1, 28.412_38),
    ] {
        let threshold = 20.0_f64.ln();
        assert!(log_e(alternative, alpha, bound - 1e-4) < threshold);
        assert!(log_e(alternative, alpha, bound + 1e-4) > threshold);
    }
}

#[test]
fn a_plan_that_is_too_short_costs_less_than_one_that_is_too_long() {
    let width = |optimal| {
        let interval = sequence(optimal, 1_000, 9_000).interval(Alpha::FIVE_PERCENT);
        interval.width()
    };
    // Ratios of the widths from scipy.optimize.brentq over scipy.special.betaln.
    assert!((width(1_000) / width(10_000) - 1.068_929).abs() < 1e-6);
    assert!((width(100_000) / width(10_000) - 1.270_457).abs() < 1e-6);
}

#[test]
fn the_interval_is_the_whole_set_that_is_not_rejected() {
    for (successes, failures) in [(0, 40), (1, 3), (37, 963), (500, 500), (12, 0)] {
        let sequence = sequence(100, successes, failures);
        let interval = sequence.interval(Alpha::FIVE_PERCENT);
        for step in 1..2_000 {
            let p = f64::from(step) / 2_000.0;
            let log_e = sequence.log_e(Probability::new(p).unwrap(), Alternative::TwoSided);
            assert_eq!(
                log_e.rejects(Alpha::FIVE_PERCENT),
                !interval.contains(p),
                "{p} {interval:?}"
            );
        }
    }
}

#[test]
fn the_truth_is_rarely_missed_at_any_look() {
    let mut random = Random::new(5);
    for p in [0.02, 0.5] {
        let truth = Probability::new(p).unwrap();
        let mut missed = 0;
        for _ in 0..300 {
            let mut sequence = sequence(500, 0, 0);
            let is_missed = (0..3_000).any(|_| {
                if random.uniform() < p {
                    sequence.observe_success();
                } else {
                    sequence.observe_failure();
                }
                sequence
                    .log_e(truth, Alternative::TwoSided)
                    .rejects(Alpha::FIVE_PERCENT)
            });
            missed += usize::from(is_missed);
        }
        // scipy.stats.binom.sf(28, 300, 0.05) = 0.0006
        assert!(missed <= 28, "{p}: {missed}");
    }
}

#[test]
fn impossible_nulls_are_refuted_by_one_trial() {
    let one_of_each = sequence(100, 1, 1);
    for null in [Probability::ZERO, Probability::ONE] {
        assert!(
            one_of_each
                .log_e(null, Alternative::TwoSided)
                .rejects(Alpha::ONE_PERCENT)
        );
    }
    let all = sequence(100, 50, 0);
    assert_eq!(
        all.log_e(Probability::ONE, Alternative::TwoSided),
        LogE::default()
    );
    assert_eq!(
        all.log_e(Probability::ZERO, Alternative::Less),
        LogE::default()
    );
    assert_eq!(all.interval(Alpha::FIVE_PERCENT).upper(), 1.0);
}

#[test]
fn no_trials_and_senseless_settings() {
    let nothing = sequence(100, 0, 0);
    assert_eq!(nothing.proportion(), None);
    assert_eq!(
        nothing.interval(Alpha::FIVE_PERCENT),
        Interval::between(0.0, 1.0)
    );
    for trials in [0, u64::MAX] {
        assert!(BernoulliSequence::new(trials, Alpha::FIVE_PERCENT).is_err());
    }
    let stored = serde_json::to_string(&nothing).unwrap();
    assert_eq!(
        serde_json::from_str::<BernoulliSequence>(&stored).unwrap(),
        nothing
    );
    let altered = stored.replace("\"optimal_trials\":100", "\"optimal_trials\":0");
    assert!(serde_json::from_str::<BernoulliSequence>(&altered).is_err());
}

proptest! {
    #[test]
    fn any_counts_give_an_interval_around_the_proportion(successes in any::<u64>(), failures in any::<u64>(), optimal in 1_u64..100_000) {
        let sequence = sequence(optimal, successes, failures);
        let interval = sequence.interval(Alpha::ONE_PERCENT);
        prop_assert!(0.0 <= interval.lower() && interval.upper() <= 1.0);
        if let Some(p) = sequence.proportion() {
            prop_assert!(interval.lower() <= p * (1.0 + 1e-9) && p * (1.0 - 1e-9) <= interval.upper(), "{p} {interval:?}");
        }
    }
}
