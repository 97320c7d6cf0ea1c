use super::{batch, one_column, report};
use crate::counts::Counts;
use crate::profile::{Profile, ProfileSettings};
use crate::report::{DriftSettings, RateKind};
use crate::statistic::Verdict;
use crate::testing::SplitMix64;

#[test]
fn a_shift_is_told_with_its_threshold() {
    let mut random = SplitMix64(61);
    let reference = batch(&mut random, 1, 10_000, 0.0, 10);
    let current = batch(&mut random, 1, 4_000, 1.0, 10);
    let report = report(&reference, &current, &DriftSettings::default());
    let sentence = report.columns()[0].to_string();
    assert!(
        sentence.starts_with("`column-0` drifted: PSI "),
        "{sentence}"
    );
    assert!(
        sentence.contains(" over 3,600 rows, beyond 0.02 + chance (critical 0."),
        "{sentence}"
    );
}

#[test]
fn a_jump_is_told_with_both_rates() {
    let mut random = SplitMix64(62);
    let reference = one_column(&mut random, 2_000, |row| row % 10 == 0);
    let current = one_column(&mut random, 500, |row| row % 2 == 0);
    let report = report(&reference, &current, &DriftSettings::default());
    let sentence = report.columns()[0].to_string();
    assert!(
        sentence.starts_with("`x` drifted: nulls went from 10 % to 50 % of the rows (p-value "),
        "{sentence}"
    );
}

#[test]
fn too_few_rows_are_told_with_what_they_can_show() {
    let settings = DriftSettings::default();
    let numbers: Vec<f64> = (0..2_000).map(f64::from).collect();
    let profile = Profile::of_values("x", &numbers, &ProfileSettings::default()).unwrap();
    let mut counts = Counts::new(&profile);
    let none = profile.compare(&counts, &settings).unwrap();
    // A thirty-third of the reference, evenly: 60 rows with the same shares.
    let every: Vec<f64> = numbers.iter().copied().step_by(33).take(60).collect();
    counts.observe_values(&profile, &every).unwrap();
    let few = profile.compare(&counts, &settings).unwrap();
    let sentence = few.columns()[0].to_string();
    assert!(
        sentence.starts_with("`x` is undecided, not enough rows: 60 rows show a PSI from "),
        "{sentence}"
    );
    assert_eq!(
        none.columns()[0].to_string(),
        "`x` is undecided, not enough rows: 0 rows show no PSI, however large"
    );
}

#[test]
fn no_drift_is_told_with_what_would_have_shown() {
    let mut random = SplitMix64(64);
    let reference = one_column(&mut random, 8_000, |_| false);
    let current = one_column(&mut random, 4_000, |_| false);
    let report = report(&reference, &current, &DriftSettings::default());
    let sentence = report.columns()[0].to_string();
    assert!(
        sentence.starts_with("`x` has not drifted: PSI "),
        "{sentence}"
    );
    assert!(
        sentence.ends_with(" would most likely have shown"),
        "{sentence}"
    );
}

#[test]
fn a_constant_that_stays_has_not_drifted_and_one_that_changes_has() {
    let settings = DriftSettings::default();
    let profile =
        Profile::of_values("year", &[2013.0; 2_000], &ProfileSettings::default()).unwrap();
    let compare = |values: &[f64]| {
        let mut counts = Counts::new(&profile);
        counts.observe_values(&profile, values).unwrap();
        profile.compare(&counts, &settings).unwrap().columns()[0].clone()
    };
    assert_eq!(compare(&[2013.0; 500]).verdict(), Verdict::NoDrift);
    let changed = compare(&[2014.0; 500]);
    assert_eq!(changed.jumped(), Some(RateKind::OutOfRange));
    assert!(
        changed
            .to_string()
            .starts_with("`year` drifted: values other than the reference's only one went from 0 % to 100 % of the values"),
        "{changed}"
    );
    let mut mixed = [2013.0; 500];
    mixed[..40].fill(2012.0);
    assert_eq!(compare(&mixed).verdict(), Verdict::Drift);
    assert!(matches!(
        compare(&[2013.0; 20]).verdict(),
        Verdict::Undecided { .. }
    ));
}
