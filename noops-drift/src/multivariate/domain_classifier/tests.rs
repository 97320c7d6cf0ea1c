use noops_core::Alpha;

use super::*;
use crate::boosting::BoostingSettings;
use crate::statistic::comparison::Verdict;
use crate::statistic::settings::TestSettings;
use crate::testing::{Draws as _, SplitMix64};
use noops_stats::special::binomial_sf;

/// Five columns: two normal ones with a correlation, a coarse one, one with many zeros and one with gaps.
fn rows(random: &mut SplitMix64, n: usize, correlation: f64) -> Matrix {
    let mut columns = vec![Vec::new(); 5];
    for _ in 0..n {
        let a = random.bell();
        let b = correlation * a + (1.0 - correlation * correlation).sqrt() * random.bell();
        let coarse = (random.unit() * 3.0).floor();
        let zeros = if random.unit() < 0.7 {
            0.0
        } else {
            random.unit()
        };
        let gaps = if random.unit() < 0.1 {
            f64::NAN
        } else {
            random.bell()
        };
        for (column, x) in columns.iter_mut().zip([a, b, coarse, zeros, gaps]) {
            column.push(x);
        }
    }
    Matrix::from_columns(columns).unwrap()
}

fn quick(seed: u64) -> DomainClassifierSettings {
    let small = BoostingSettings::default()
        .with_rounds(15)
        .with_depth(3)
        .with_bins(24)
        .with_min_child_weight(3.0);
    DomainClassifierSettings::default()
        .with_boosting(small)
        .with_seed(seed)
}

#[test]
fn without_drift_the_error_rate_is_alpha_and_the_interval_holds_one_half() {
    let mut random = SplitMix64(11);
    let runs = 400;
    let mut alarms = 0;
    let mut missed = 0;
    for run in 0..runs {
        let reference = rows(&mut random, 240, 0.4);
        let current = rows(&mut random, 110, 0.4);
        let classifier = DomainClassifier::new(quick(run)).unwrap();
        let found = classifier.compare(&reference, &current).unwrap();
        alarms += u64::from(found.comparison().verdict().is_drift());
        missed += u64::from(found.lower() > 0.5 || found.upper() < 0.5);
    }
    assert!(binomial_sf(alarms, runs, 0.05) > 1e-3, "{alarms} of {runs}");
    // A test that never fires would pass the line above.
    assert!(
        binomial_sf(alarms + 1, runs, 0.05) < 1.0 - 1e-3,
        "{alarms} of {runs}"
    );
    assert!(binomial_sf(missed, runs, 0.07) > 1e-3, "{missed} of {runs}");
}

#[test]
fn a_change_of_dependence_alone_is_found_in_its_columns() {
    let mut random = SplitMix64(12);
    let runs = 20;
    let mut found = 0;
    let mut named = 0;
    for run in 0..runs {
        let reference = rows(&mut random, 800, 0.0);
        let current = rows(&mut random, 600, 0.8);
        let outcome = DomainClassifier::new(quick(run))
            .unwrap()
            .compare(&reference, &current)
            .unwrap();
        found += u64::from(outcome.comparison().verdict().is_drift());
        let mut first: Vec<usize> = outcome
            .columns()
            .iter()
            .take(2)
            .map(ColumnShare::column)
            .collect();
        first.sort_unstable();
        named += u64::from(first == [0, 1]);
    }
    assert!(found >= 19, "{found} of {runs}");
    assert!(named >= 18, "{named} of {runs}");
}

#[test]
fn a_jump_in_what_is_missing_is_drift() {
    let gaps = |share: i32| {
        (0..500)
            .map(|row| if row % 10 < share { f64::NAN } else { 1.0 })
            .collect()
    };
    let reference = Matrix::from_columns(vec![gaps(1)]).unwrap();
    let current = Matrix::from_columns(vec![gaps(4)]).unwrap();
    let classifier = DomainClassifier::new(DomainClassifierSettings::default()).unwrap();
    let found = classifier.compare(&reference, &current).unwrap();
    assert!(found.comparison().verdict().is_drift());
    // Half of what the rates differ by: 0.5 + (0.4 − 0.1) / 2.
    assert!((found.area() - 0.65).abs() < 0.01, "{}", found.area());
    let same = classifier.compare(&reference, &reference).unwrap();
    assert!(!same.comparison().verdict().is_drift());
}

#[test]
fn a_tolerance_forgives_and_many_rows_rule_drift_out() {
    let mut random = SplitMix64(13);
    let shifted = |random: &mut SplitMix64, by: f64, n: usize| {
        Matrix::from_columns(vec![(0..n).map(|_| random.bell() + by).collect()]).unwrap()
    };
    let reference = shifted(&mut random, 0.0, 3_000);
    let moved = shifted(&mut random, 0.3, 2_000);
    let plain = DomainClassifier::new(quick(1))
        .unwrap()
        .compare(&reference, &moved)
        .unwrap();
    // The best classifier has an area of P(Z > −0.3/√2) = 0.584.
    assert!(plain.comparison().verdict().is_drift());
    assert!(plain.lower() < 0.585 && plain.area() > 0.54, "{plain:?}");
    let tolerant = quick(1).with_test(TestSettings::default().with_tolerance(0.09));
    let forgiven = DomainClassifier::new(tolerant)
        .unwrap()
        .compare(&reference, &moved)
        .unwrap();
    assert!(!forgiven.comparison().verdict().is_drift());

    let same = shifted(&mut random, 0.0, 2_000);
    let found = DomainClassifier::new(quick(1))
        .unwrap()
        .compare(&reference, &same)
        .unwrap();
    assert_eq!(found.comparison().verdict(), Verdict::NoDrift, "{found:?}");
}

#[test]
fn sides_that_share_nothing_part_with_certainty() {
    let reference = Matrix::from_columns(vec![(0..200).map(f64::from).collect()]).unwrap();
    let current = Matrix::from_columns(vec![(1_000..1_200).map(f64::from).collect()]).unwrap();
    let classifier = DomainClassifier::new(DomainClassifierSettings::default()).unwrap();
    let found = classifier.compare(&reference, &current).unwrap();
    assert!(found.area() > 0.99, "{found:?}");
    assert!(found.lower() < found.area(), "{found:?}");
    assert!(found.comparison().p_value() < 1e-30 && found.comparison().p_value() > 0.0);
    assert_eq!(found.columns()[0].share(), 1.0);
}

#[test]
fn a_constant_column_and_too_few_rows_are_undecided() {
    let constant = Matrix::from_columns(vec![vec![1.0; 100]]).unwrap();
    let few = Matrix::from_columns(vec![vec![1.0, 2.0, 3.0]]).unwrap();
    let none = Matrix::from_columns(vec![vec![]]).unwrap();
    let classifier = DomainClassifier::new(DomainClassifierSettings::default()).unwrap();
    for (reference, current) in [
        (&constant, &constant),
        (&constant, &few),
        (&none, &constant),
        (&none, &none),
    ] {
        let found = classifier.compare(reference, current).unwrap();
        assert_eq!(
            found.comparison().verdict(),
            Verdict::Undecided { visible_from: None }
        );
        assert_eq!(
            (found.area(), found.lower(), found.upper()),
            (0.5, 0.0, 1.0)
        );
    }
}

#[test]
fn hostile_numbers_and_settings_are_met() {
    let odd = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        -0.0,
        5e-324,
    ];
    let column: Vec<f64> = (0..140).map(|row| odd[row % odd.len()]).collect();
    let reference = Matrix::from_columns(vec![column.clone(), vec![f64::NAN; 140]]).unwrap();
    let classifier = DomainClassifier::new(DomainClassifierSettings::default()).unwrap();
    let found = classifier.compare(&reference, &reference).unwrap();
    assert!(found.area().is_finite() && found.comparison().p_value() > 0.001);
    let narrow = Matrix::from_columns(vec![column]).unwrap();
    let error = classifier
        .compare(&reference, &narrow)
        .unwrap_err()
        .to_string();
    assert!(error.contains("`1` columns"), "{error}");

    let refused = |settings: DomainClassifierSettings| DomainClassifier::new(settings).is_err();
    assert!(refused(DomainClassifierSettings::default().with_folds(1)));
    assert!(refused(
        quick(0).with_test(TestSettings::default().with_tolerance(0.6))
    ));
    let strict = quick(0).with_test(TestSettings::default().with_alpha(Alpha::ONE_PERCENT));
    let text = serde_json::to_string(&DomainClassifier::new(strict).unwrap()).unwrap();
    assert!(serde_json::from_str::<DomainClassifier>(&text).is_ok());
    let damaged = text.replace("\"folds\":5", "\"folds\":0");
    assert!(serde_json::from_str::<DomainClassifier>(&damaged).is_err());
}
