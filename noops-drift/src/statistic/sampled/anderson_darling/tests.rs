use super::super::laws::oracle::{
    Pair, SHAPES, alarms, assert_no_more_than_five_percent, assert_sane, close, hostile, normal,
    oracle, sample,
};
use super::*;
use crate::statistic::comparison::Verdict;

#[test]
fn statistics_agree_with_scipy() {
    let settings = TestSettings::default();
    for pair in Pair::all() {
        let outcome = anderson_darling(&pair.reference, &pair.current, &settings).unwrap();
        let call = "anderson_ksamp([reference, current], midrank=True).statistic";
        close(outcome.statistic(), pair.says(call).unwrap(), 1e-10);
    }
    let three = &oracle()["three"];
    let samples: Vec<SortedSample> = (0..3).map(|i| sample(&three["samples"][i])).collect();
    let samples: Vec<&SortedSample> = samples.iter().collect();
    let outcome = anderson_darling_k(&samples, &settings).unwrap();
    let expected = three["anderson_ksamp(samples, midrank=True).statistic"].as_f64();
    close(outcome.statistic(), expected.unwrap(), 1e-10);
    assert_eq!((outcome.n_reference(), outcome.n_current()), (30, 45));
}

#[test]
fn the_critical_value_is_that_of_scholz_and_stephens() {
    // Table 1 of the paper, m = 1 and infinitely many rows: 1.960 at 5 % and 3.752 at 1 %; printed values are fitted.
    let many = SortedSample::new(&(0..20_000).map(f64::from).collect::<Vec<_>>());
    let outcome = anderson_darling(&many, &many, &TestSettings::default()).unwrap();
    close(outcome.critical().unwrap(), 1.960, 0.003);
}

#[test]
fn no_more_false_alarms_than_promised_and_not_far_fewer() {
    let settings = TestSettings::default();
    for shape in SHAPES {
        let found = alarms(400, (300, 40), (shape, shape), |reference, current| {
            let outcome = anderson_darling(reference, current, &settings).unwrap();
            outcome.verdict().is_drift()
        });
        assert_no_more_than_five_percent(found, 400);
        assert!(found >= 6, "{found}");
    }
}

#[test]
fn tails_that_grow_show() {
    let settings = TestSettings::default();
    let wider = |random: &mut _| 1.5 * normal(random);
    let found = alarms(200, (600, 300), (normal, wider), |reference, current| {
        let outcome = anderson_darling(reference, current, &settings).unwrap();
        outcome.verdict().is_drift()
    });
    assert!(found >= 190, "{found}");
}

#[test]
fn a_tolerated_shift_is_no_drift_and_a_larger_one_is() {
    let settings = TestSettings::default().with_tolerance(0.05);
    let by = |shift: f64| move |random: &mut _| normal(random) + shift;
    let count = |shift: f64| {
        alarms(
            400,
            (600, 300),
            (normal, by(shift)),
            |reference, current| {
                let outcome = anderson_darling(reference, current, &settings).unwrap();
                outcome.verdict().is_drift()
            },
        )
    };
    // α² is about 0.48 times the square of the shift.
    assert_no_more_than_five_percent(count(0.31), 400);
    assert!(count(1.0) >= 395);
}

#[test]
fn nothing_to_compare_is_undecided_and_hostile_values_do_no_harm() {
    let settings = TestSettings::default();
    let all = hostile();
    for reference in &all {
        for current in &all {
            assert_sane(&anderson_darling(reference, current, &settings).unwrap());
        }
    }
    let same = SortedSample::new(&[3.0, 3.0]);
    let outcome = anderson_darling(&same, &same, &settings).unwrap();
    assert_eq!(outcome.verdict(), Verdict::Undecided { visible_from: None });
    assert!(anderson_darling_k(&[], &settings).is_err());
    assert!(anderson_darling_k(&[&same], &settings).is_err());
}
