use super::super::laws::oracle::{
    Pair, SHAPES, alarms, assert_no_more_than_five_percent, assert_sane, close, draw, hostile,
    normal,
};
use super::*;
use crate::statistic::comparison::Verdict;

#[test]
fn statistics_and_p_values_agree_with_scipy_and_smirnov() {
    let settings = TestSettings::default();
    let mut exact = 0;
    let mut limiting = 0;
    for pair in Pair::all() {
        let outcome = cramer_von_mises(&pair.reference, &pair.current, &settings).unwrap();
        let statistic = pair.says("cramervonmises_2samp(reference, current).statistic");
        close(outcome.statistic(), statistic.unwrap(), 1e-10);
        let call = "cramervonmises_2samp(reference, current, method='exact').pvalue";
        if let Some(p_value) = pair.says(call) {
            close(outcome.p_value(), p_value, 1e-10);
            exact += 1;
        }
        let call = "Smirnov's tail at scipy's normalised statistic";
        let distinct = Sums::of(&pair.reference, &pair.current).distinct as usize;
        let tied = distinct < pair.reference.len() + pair.current.len();
        if let Some(p_value) = pair.says(call).filter(|_| !tied) {
            close(outcome.p_value(), p_value, 1e-8);
            limiting += 1;
        }
    }
    assert_eq!((exact, limiting), (3, 3));
}

#[test]
fn no_more_false_alarms_than_promised_and_not_far_fewer() {
    let settings = TestSettings::default();
    for shape in SHAPES {
        let found = alarms(300, (300, 40), (shape, shape), |reference, current| {
            let outcome = cramer_von_mises(reference, current, &settings).unwrap();
            outcome.verdict().is_drift()
        });
        assert_no_more_than_five_percent(found, 300);
    }
    let found = alarms(500, (300, 40), (normal, normal), |reference, current| {
        let outcome = cramer_von_mises(reference, current, &settings).unwrap();
        outcome.verdict().is_drift()
    });
    assert!(found >= 10, "{found}");
}

#[test]
fn a_shift_of_half_a_deviation_shows() {
    let settings = TestSettings::default();
    let shifted = |random: &mut _| normal(random) + 0.5;
    let found = alarms(300, (400, 150), (normal, shifted), |reference, current| {
        let outcome = cramer_von_mises(reference, current, &settings).unwrap();
        outcome.verdict().is_drift()
    });
    assert!(found >= 285, "{found}");
}

#[test]
fn a_visible_shift_shows_four_times_in_five() {
    // ω² of a uniform moved by s is about s² for small s.
    let settings = TestSettings::default();
    let uniform = |random: &mut crate::testing::SplitMix64| random.unit();
    let reference = SortedSample::new(&(0..500).map(f64::from).collect::<Vec<_>>());
    let visible = cramer_von_mises(&reference, &reference, &settings)
        .unwrap()
        .visible_from()
        .unwrap();
    let moved = |random: &mut crate::testing::SplitMix64| random.unit() + visible.sqrt() * 1.1;
    let found = alarms(300, (500, 500), (uniform, moved), |reference, current| {
        let outcome = cramer_von_mises(reference, current, &settings).unwrap();
        outcome.verdict().is_drift()
    });
    assert!(found >= 240 - 28, "{found}");
}

#[test]
fn a_tolerated_shift_is_no_drift_and_a_larger_one_is() {
    let settings = TestSettings::default().with_tolerance(0.01);
    let by = |shift: f64| move |random: &mut _| normal(random) + shift;
    let count = |shift: f64| {
        alarms(
            400,
            (600, 300),
            (normal, by(shift)),
            |reference, current| {
                let outcome = cramer_von_mises(reference, current, &settings).unwrap();
                outcome.verdict().is_drift()
            },
        )
    };
    // ω² is about 0.0919 times the square of the shift.
    assert_no_more_than_five_percent(count(0.32), 400);
    assert!(count(1.0) >= 395);
}

#[test]
fn far_tails_are_not_zero() {
    let one = SortedSample::new(&(0..1_000).map(f64::from).collect::<Vec<_>>());
    let other = SortedSample::new(&(300..1_300).map(f64::from).collect::<Vec<_>>());
    let outcome = cramer_von_mises(&one, &other, &TestSettings::default()).unwrap();
    assert!(outcome.p_value() > 0.0 && outcome.p_value() < 1e-25);
}

#[test]
fn nothing_to_compare_is_undecided_and_hostile_values_do_no_harm() {
    let settings = TestSettings::default();
    let all = hostile();
    for reference in &all {
        for current in &all {
            assert_sane(&cramer_von_mises(reference, current, &settings).unwrap());
        }
        let same = SortedSample::new(&[3.0, 3.0]);
        let outcome = cramer_von_mises(&same, &same, &settings).unwrap();
        assert_eq!(outcome.verdict(), Verdict::Undecided { visible_from: None });
    }
}

#[test]
fn an_exact_law_has_all_paths() {
    assert_eq!(exact_p_value(&exact_law(7, 5), 0), 1.0);
    // Of the two orders of one value each both are as far as can be.
    assert_eq!(exact_p_value(&exact_law(1, 1), 1), 1.0);
}

#[test]
fn the_verdict_is_drift_exactly_beyond_the_critical_value() {
    let settings = TestSettings::default();
    let mut random = crate::testing::SplitMix64(6);
    let mut drifted = 0;
    for run in 0..120_usize {
        let (n, m) = (3 + run % 12, 3 + run % 9);
        let shift = 1.5 * random.unit();
        let reference = draw(&mut random, n, normal);
        let current = draw(&mut random, m, |r| normal(r) + shift);
        let found = cramer_von_mises(&reference, &current, &settings).unwrap();
        let beyond = found
            .critical()
            .is_some_and(|critical| found.statistic() > critical + 1e-12);
        assert_eq!(found.verdict().is_drift(), beyond, "{found:?}");
        drifted += usize::from(beyond);
    }
    assert!((5..100).contains(&drifted), "{drifted}");
}
