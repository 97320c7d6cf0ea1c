use proptest::prelude::*;

use super::*;
use crate::simulation::Random;

mod error_rates;
mod hostile;

fn share(ratio: f64) -> Share {
    Share::from_ratio(ratio).unwrap()
}

/// Outcomes as (arm, share, value), in the order they came.
type Outcome = (Arm, f64, f64);

fn of(lower: f64, upper: f64, outcomes: &[Outcome]) -> MeanDifference {
    let mut means = MeanDifference::new(lower, upper).unwrap();
    for (arm, theta, value) in outcomes {
        means.observe(*arm, share(*theta), *value).unwrap();
    }
    means
}

/// S and V of the formula, term by term and from the whole past each time, for "challenger <= r champion + d".
fn naive_sums(lower: f64, upper: f64, outcomes: &[Outcome], r: f64, d: f64) -> (f64, f64) {
    let rescaled: Vec<f64> = outcomes
        .iter()
        .map(|(_, _, value)| ((value - lower) / (upper - lower)).clamp(0.0, 1.0))
        .collect();
    // "challenger <= r champion + d" in the units of the range.
    let d = (d - lower * (1.0 - r)) / (upper - lower);
    let (mut sum, mut squares) = (0.0, 0.0);
    for (place, (arm, theta, _)) in outcomes.iter().enumerate() {
        let before = &rescaled[..place];
        let mean = (before.iter().sum::<f64>() + 0.25) / (place as f64 + 0.5);
        let weight = theta * (1.0 - theta);
        let (a, b) = match arm {
            Arm::Challenger => ((1.0 - theta) * (rescaled[place] - mean), 0.0),
            Arm::Champion => (0.0, theta * (rescaled[place] - mean)),
        };
        sum += a - r * b + (1.0 - r) * weight * mean - d * weight;
        squares += a * a + r * r * b * b;
    }
    (sum, squares)
}

/// The mixture of exp(l S - psi(l) V), with bets l / c and psi as the formula has it.
fn naive_log_e(sums: (f64, f64), r: f64, side: f64) -> f64 {
    let c = r.max(1.0);
    let terms = GRID.map(|(bet, _, log_weight)| {
        let l = bet / c;
        let psi = -(-c * l).ln_1p() / (c * c) - l / c;
        log_weight + l * side * sums.0 - psi * sums.1
    });
    let largest = terms.into_iter().fold(f64::NEG_INFINITY, f64::max);
    largest
        + terms
            .iter()
            .map(|term| (term - largest).exp())
            .sum::<f64>()
            .ln()
}

fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
    let arm = prop_oneof![Just(Arm::Champion), Just(Arm::Challenger)];
    let theta = prop_oneof![Just(0.01), Just(0.1), Just(0.25), Just(0.5), Just(0.9)];
    prop::collection::vec((arm, theta, -20.0..120.0_f64), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn evidence_is_the_formula_term_by_term(outcomes in outcomes(), amount in -30.0..30.0_f64, ratio in 0.0..3.0_f64) {
        let means = of(0.0, 100.0, &outcomes);
        let absolute = MeanLimit::absolute(amount).unwrap();
        let relative = MeanLimit::relative(ratio).unwrap();
        for (limit, r, d) in [(absolute, 1.0, amount), (relative, ratio, 0.0)] {
            let sums = naive_sums(0.0, 100.0, &outcomes, r, d);
            for (found, side) in [(means.log_e_above(limit), 1.0), (means.log_e_below(limit), -1.0)] {
                let naive = naive_log_e(sums, r, side);
                // The table of psi has nine digits, rounded up.
                prop_assert!((found.get() - naive).abs() < 1e-6 * (1.0 + naive.abs()), "{found:?} {naive}");
            }
        }
    }

    #[test]
    fn the_difference_is_where_the_sum_is_zero(outcomes in outcomes()) {
        if let Some(difference) = of(-20.0, 120.0, &outcomes).difference() {
            let (sum, _) = naive_sums(-20.0, 120.0, &outcomes, 1.0, difference);
            prop_assert!(sum.abs() < 1e-9, "{sum}");
        }
    }

    #[test]
    fn the_ratio_is_where_the_sum_is_zero(outcomes in outcomes()) {
        if let Some(ratio) = of(0.0, 100.0, &outcomes).ratio().filter(|ratio| ratio.abs() < 1e3) {
            let (sum, _) = naive_sums(0.0, 100.0, &outcomes, ratio, 0.0);
            prop_assert!(sum.abs() < 1e-7 * (1.0 + ratio.abs()), "{sum} {ratio}");
        }
    }

    #[test]
    fn units_of_measurement_do_not_matter(outcomes in outcomes()) {
        let metres = of(0.0, 100.0, &outcomes);
        let scaled: Vec<Outcome> = outcomes.iter().map(|(arm, theta, x)| (*arm, *theta, 1024.0 * x)).collect();
        let millimetres = of(0.0, 102_400.0, &scaled);
        let (small, large) = (MeanLimit::absolute(3.0).unwrap(), MeanLimit::absolute(3_072.0).unwrap());
        let (there, here) = (metres.log_e_below(small).get(), millimetres.log_e_below(large).get());
        prop_assert!((there - here).abs() < 1e-9 * (1.0 + there.abs()));
    }

    #[test]
    fn a_bound_is_where_the_evidence_reaches_its_threshold(outcomes in outcomes()) {
        let means = of(0.0, 100.0, &outcomes);
        let needed = -libm::log(0.05);
        for (bound, side) in [
            (means.lower_bound(Alpha::FIVE_PERCENT), 1.0),
            (means.upper_bound(Alpha::FIVE_PERCENT), -1.0),
        ] {
            prop_assert!(bound.abs() <= 100.0);
            if bound.abs() < 100.0 {
                let evidence = means.log_e(MeanLimit::absolute(bound).unwrap(), side, 1.0);
                prop_assert!((evidence - needed).abs() < 1e-6, "{bound} {evidence}");
            }
        }
    }
}

#[test]
fn the_bets_cost_at_least_what_the_inequality_asks_and_weigh_less_than_one() {
    let mut sum = 0.0;
    for (bet, penalty, log_weight) in GRID {
        let psi = -(-bet).ln_1p() - bet;
        assert!(
            penalty >= psi * (1.0 - 1e-15) && penalty < psi * (1.0 + 1e-7),
            "{bet}"
        );
        sum += f64::exp(log_weight);
    }
    assert!(sum <= 1.0 && sum > 0.999_99, "{sum}");
}

#[test]
fn clipped_outcomes_count_as_the_end_of_the_range() {
    let half = 0.5;
    let outside = of(
        0.0,
        1.0,
        &[(Arm::Champion, half, -3.0), (Arm::Challenger, half, 7.0)],
    );
    let at_the_ends = of(
        0.0,
        1.0,
        &[(Arm::Champion, half, 0.0), (Arm::Challenger, half, 1.0)],
    );
    assert_eq!((outside.clipped(), at_the_ends.clipped()), (2, 0));
    assert_eq!(outside.difference(), at_the_ends.difference());
    assert_eq!(outside.mean(Arm::Challenger), Some(1.0));
}

#[test]
fn a_share_of_nothing_or_everything_compares_nothing() {
    let mut means = MeanDifference::new(0.0, 1.0).unwrap();
    means.observe(Arm::Champion, Share::ZERO, 0.3).unwrap();
    means.observe(Arm::Challenger, Share::FULL, 0.9).unwrap();
    assert_eq!(means.uninformative(), 2);
    assert_eq!(
        means.outcomes(Arm::Champion) + means.outcomes(Arm::Challenger),
        0
    );
    assert_eq!(means.difference(), None);
    assert!(
        !means
            .log_e_above(MeanLimit::EQUAL)
            .rejects(Alpha::FIVE_PERCENT)
    );
}

#[test]
fn no_outcomes_bound_nothing() {
    let means = MeanDifference::new(0.0, 10.0).unwrap();
    let interval = means.interval(Alpha::FIVE_PERCENT);
    assert_eq!((interval.lower(), interval.upper()), (-10.0, 10.0));
    let ratios = means.ratio_interval(Alpha::FIVE_PERCENT);
    assert_eq!((ratios.lower(), ratios.upper()), (0.0, 1000.0));
    assert_eq!(
        (means.difference(), means.ratio(), means.mean(Arm::Champion)),
        (None, None, None)
    );
}

#[test]
fn resumed_evidence_goes_on_exactly() {
    let mut random = Random::new(11);
    let mut unbroken = MeanDifference::new(-5.0, 17.0).unwrap();
    let mut resumed = unbroken.clone();
    for request in 0..1_000 {
        if request % 100 == 50 {
            resumed = serde_json::from_str(&serde_json::to_string(&resumed).unwrap()).unwrap();
        }
        let arm = if random.uniform() < 0.3 {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        let value = 6.0 + 4.0 * random.normal();
        for means in [&mut unbroken, &mut resumed] {
            means.observe(arm, share(0.3), value).unwrap();
        }
    }
    assert_eq!(unbroken, resumed);
    let bits = |means: &MeanDifference| means.log_e_above(MeanLimit::EQUAL).get().to_bits();
    assert_eq!(bits(&unbroken), bits(&resumed));
}
