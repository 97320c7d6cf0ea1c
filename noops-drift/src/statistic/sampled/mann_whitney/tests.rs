use super::super::laws::oracle::{
    Pair, SHAPES, alarms, assert_no_more_than_five_percent, assert_sane, close, hostile, normal,
};
use super::*;
use crate::statistic::comparison::Verdict;

#[test]
fn statistics_and_p_values_agree_with_scipy() {
    let settings = TestSettings::default();
    for pair in Pair::all() {
        let outcome = mann_whitney(&pair.reference, &pair.current, &settings).unwrap();
        let pairs = (pair.reference.len() * pair.current.len()) as f64;
        let u = pair.says("mannwhitneyu(current, reference).statistic");
        close(outcome.statistic() * pairs, u.unwrap(), 1e-12);
        let exact = pair.says("mannwhitneyu(current, reference, method='exact').pvalue");
        let normal = pair.says("mannwhitneyu(current, reference, method='asymptotic').pvalue");
        close(outcome.p_value(), exact.or(normal).unwrap(), 1e-9);
    }
}

#[test]
fn the_exact_law_is_that_of_counting_all_orders() {
    // U of 2 and 3 values: 10 orders, of which 0, 1, ..., 6 have 1, 1, 2, 2, 2, 1, 1.
    for (larger, orders) in [(6, 1.0), (5, 2.0), (4, 4.0), (3, 6.0)] {
        close(
            exact_p_value(&rank_sum_law(2, 3), larger),
            f64::min(orders / 5.0, 1.0),
            1e-14,
        );
    }
}

#[test]
fn the_verdict_is_drift_exactly_beyond_the_critical_value_on_either_side() {
    let mut random = crate::testing::SplitMix64(6);
    let mut drifted = 0;
    for run in 0..400_usize {
        let (n, m) = (3 + run % 40, 3 + run % 23);
        let shift = 2.0 * random.unit() - 1.0;
        let reference = super::super::laws::oracle::draw(&mut random, n, normal);
        let current = super::super::laws::oracle::draw(&mut random, m, |r| normal(r) + shift);
        for tolerance in [0.0, 0.1] {
            let settings = TestSettings::default().with_tolerance(tolerance);
            let found = mann_whitney(&reference, &current, &settings).unwrap();
            let distance = (found.statistic() - 0.5).abs();
            let beyond = found
                .critical()
                .is_some_and(|critical| distance > critical - 0.5 + 1e-12);
            assert_eq!(found.verdict().is_drift(), beyond, "{found:?}");
            drifted += usize::from(beyond);
        }
    }
    assert!((40..600).contains(&drifted), "{drifted}");
}

#[test]
fn students_law_agrees_with_scipy() {
    // scipy.stats.t.sf(t, df)
    close(student_sf(2.0, 5.0), 0.050_969_739_414_929_14, 1e-10);
    close(student_sf(-1.0, 3.0), 0.804_498_890_522_136_5, 1e-10);
}

#[test]
fn no_more_false_alarms_than_promised_and_not_far_fewer() {
    let settings = TestSettings::default();
    for shape in SHAPES {
        let found = alarms(1_500, (300, 40), (shape, shape), |reference, current| {
            let outcome = mann_whitney(reference, current, &settings).unwrap();
            outcome.verdict().is_drift()
        });
        assert_no_more_than_five_percent(found, 1_500);
        assert!(found >= 40, "{found}");
    }
}

#[test]
fn a_visible_shift_shows_four_times_in_five_up_or_down() {
    let settings = TestSettings::default();
    let reference = SortedSample::new(&(0..300).map(f64::from).collect::<Vec<_>>());
    let current = SortedSample::new(&(0..100).map(|i| f64::from(3 * i)).collect::<Vec<_>>());
    let outcome = mann_whitney(&reference, &current, &settings).unwrap();
    // θ − ½ of a uniform moved by s is s − s²/2.
    let visible = outcome.visible_from().unwrap();
    let shift = 1.0 - (1.0 - 2.0 * visible).sqrt();
    for shift in [shift, -shift] {
        let uniform = |random: &mut crate::testing::SplitMix64| random.unit();
        let moved = |random: &mut crate::testing::SplitMix64| random.unit() + shift;
        let found = alarms(500, (300, 100), (uniform, moved), |reference, current| {
            let outcome = mann_whitney(reference, current, &settings).unwrap();
            outcome.verdict().is_drift()
        });
        assert!((400 - 36..=400 + 50).contains(&found), "{found}");
    }
}

#[test]
fn a_tolerated_shift_is_no_drift_even_when_the_spread_differs() {
    let settings = TestSettings::default().with_tolerance(0.1);
    // θ of normal samples with deviations 1 and 2 is Φ(shift / √5).
    let edge = 0.253_347_103_135_799_8 * 5.0_f64.sqrt();
    let by = |shift: f64| move |random: &mut _| 2.0 * normal(random) + shift;
    let count = |shift: f64| {
        alarms(
            1_000,
            (100, 300),
            (normal, by(shift)),
            |reference, current| {
                let outcome = mann_whitney(reference, current, &settings).unwrap();
                outcome.verdict().is_drift()
            },
        )
    };
    let at_edge = count(edge);
    assert_no_more_than_five_percent(at_edge, 1_000);
    assert!(at_edge >= 10, "{at_edge}");
    assert!(count(3.0 * edge) >= 950);
}

#[test]
fn nothing_to_compare_is_undecided_and_hostile_values_do_no_harm() {
    let all = hostile();
    for settings in [
        TestSettings::default(),
        TestSettings::default().with_tolerance(0.1),
    ] {
        for reference in &all {
            for current in &all {
                assert_sane(&mann_whitney(reference, current, &settings).unwrap());
            }
        }
        let same = SortedSample::new(&[3.0, 3.0]);
        let outcome = mann_whitney(&same, &same, &settings).unwrap();
        assert_eq!(outcome.verdict(), Verdict::Undecided { visible_from: None });
    }
}
