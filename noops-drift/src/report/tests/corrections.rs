use super::{batch, report};
use crate::report::{Correction, DriftSettings};
use crate::testing::SplitMix64;

const ALL: [Correction; 3] = [
    Correction::Holm,
    Correction::BenjaminiHochberg,
    Correction::BenjaminiYekutieli,
];

/// 8 columns of which the first is moved, and how many of each kind are called drifted.
fn called(random: &mut SplitMix64, shift: f64, settings: &DriftSettings) -> (usize, usize) {
    let reference = batch(random, 8, 400, 0.0, 10);
    let current = batch(random, 8, 200, shift, 10);
    let report = report(&reference, &current, settings);
    let names: Vec<&str> = report.drifted().map(|column| column.column()).collect();
    let right = names.iter().filter(|name| **name == "column-0").count();
    (right, names.len() - right)
}

#[test]
fn the_share_of_wrong_calls_is_the_error_rate() {
    for correction in [
        Correction::BenjaminiHochberg,
        Correction::BenjaminiYekutieli,
    ] {
        let settings = DriftSettings::default()
            .with_tolerance(0.0)
            .with_correction(correction);
        let mut random = SplitMix64(31);
        let mut shares = 0.0;
        let mut found = 0;
        for _ in 0..100 {
            let (right, wrong) = called(&mut random, 1.0, &settings);
            shares += wrong as f64 / (right + wrong).max(1) as f64;
            found += right;
        }
        // At most 5 in expectation. A wrong call beside the right one adds a half, so twice the sum is a count of at most
        // 10 in expectation, and more than 18 would have a probability below 1 %.
        assert!(shares <= 9.0, "{correction:?}: {shares} of 100");
        assert!(found >= 95, "{correction:?}: {found} of 100");
    }
}

#[test]
fn without_drift_no_correction_calls_more_than_its_error_rate() {
    for correction in ALL {
        let settings = DriftSettings::default()
            .with_tolerance(0.0)
            .with_correction(correction);
        let mut random = SplitMix64(32);
        let alarms = (0..100)
            .filter(|_| called(&mut random, 0.0, &settings) != (0, 0))
            .count();
        // At most 5 in expectation; more than 11 would have a probability below 1 %.
        assert!(alarms <= 11, "{correction:?}: {alarms} of 100");
    }
}

#[test]
fn the_verdict_is_that_of_the_adjusted_p_value() {
    let mut random = SplitMix64(33);
    for round in 0..30 {
        let shift = 0.02 * f64::from(round);
        let reference = batch(&mut random, 6, 600, 0.0, 10);
        let current = batch(&mut random, 6, 300, shift, 9);
        for correction in ALL {
            let settings = DriftSettings::default()
                .with_tolerance(0.0)
                .with_correction(correction);
            let report = report(&reference, &current, &settings);
            let p_values: Vec<f64> = report.columns().iter().map(|c| c.p_value()).collect();
            let adjusted = correction.adjust(&p_values);
            for (column, adjusted) in report.columns().iter().zip(adjusted) {
                assert_eq!(column.adjusted_p_value(), adjusted);
                assert_eq!(
                    column.verdict().is_drift(),
                    adjusted < settings.alpha().get(),
                    "{correction:?} {column:?}"
                );
            }
            assert_eq!(report.any_drifted(), report.drifted().count() > 0);
            assert_eq!(report.correction(), correction);
        }
    }
}

#[test]
fn holm_calls_no_more_than_benjamini_and_hochberg() {
    let mut random = SplitMix64(34);
    let (mut strict, mut loose) = (0, 0);
    for _ in 0..40 {
        let reference = batch(&mut random, 5, 500, 0.0, 10);
        let current = batch(&mut random, 5, 250, 0.5, 8);
        let count = |correction| {
            let settings = DriftSettings::default().with_correction(correction);
            report(&reference, &current, &settings).drifted().count()
        };
        let holm = count(Correction::Holm);
        let hochberg = count(Correction::BenjaminiHochberg);
        assert!(holm <= hochberg, "{holm} {hochberg}");
        strict += holm;
        loose += hochberg;
    }
    assert!(strict > 0 && loose >= strict);
}

#[test]
fn the_worst_come_first_and_drift_before_all_others() {
    let mut random = SplitMix64(35);
    let reference = batch(&mut random, 6, 2_000, 0.0, 10);
    let current = batch(&mut random, 6, 500, 1.0, 10);
    let report = report(&reference, &current, &DriftSettings::default());
    let order = report.worst_first();
    assert_eq!(order.len(), 6);
    assert_eq!(order.first().copied(), report.worst());
    assert!(order.is_sorted_by(|a, b| a.p_value() <= b.p_value()));
    assert!(order.is_sorted_by_key(|column| !column.verdict().is_drift()));
}
