mod corrections;
mod frames;
#[cfg(feature = "html")]
mod page;
mod storage;
mod words;

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};

use super::{DriftReport, DriftSettings, RateKind};
use crate::counts::Counts;
use crate::profile::{Profile, ProfileSettings};
use crate::statistic::Verdict;
use crate::testing::{Draws as _, SplitMix64};

/// Columns of normal values, every tenth of them null, the first column shifted.
fn batch(
    random: &mut SplitMix64,
    columns: usize,
    rows: usize,
    shift: f64,
    null_every: usize,
) -> RecordBatch {
    let arrays = (0..columns).map(|column| {
        let moved = if column == 0 { shift } else { 0.0 };
        let values: Vec<Option<f64>> = (0..rows)
            .map(|row| Some(random.bell() + moved).filter(|_| row % null_every != 0))
            .collect();
        let array: ArrayRef = Arc::new(Float64Array::from(values));
        (format!("column-{column}"), array)
    });
    let arrays: Vec<(String, ArrayRef)> = arrays.collect();
    RecordBatch::try_from_iter(arrays).unwrap()
}

fn one_column(
    random: &mut SplitMix64,
    rows: usize,
    mut null: impl FnMut(usize) -> bool,
) -> RecordBatch {
    let values: Vec<Option<f64>> = (0..rows)
        .map(|row| Some(random.unit()).filter(|_| !null(row)))
        .collect();
    let array: ArrayRef = Arc::new(Float64Array::from(values));
    RecordBatch::try_from_iter([("x", array)]).unwrap()
}

fn report(reference: &RecordBatch, current: &RecordBatch, settings: &DriftSettings) -> DriftReport {
    let profile =
        Profile::fit(std::slice::from_ref(reference), &ProfileSettings::default()).unwrap();
    let mut counts = Counts::new(&profile);
    counts.observe(&profile, current).unwrap();
    profile.compare(&counts, settings).unwrap()
}

#[test]
fn unchanged_frames_rarely_have_a_drifted_column() {
    let mut random = SplitMix64(5);
    let settings = DriftSettings::default().with_tolerance(0.0);
    let alarms = (0..100)
        .filter(|_| {
            let reference = batch(&mut random, 8, 400, 0.0, 10);
            let current = batch(&mut random, 8, 200, 0.0, 10);
            report(&reference, &current, &settings).drifted().count() > 0
        })
        .count();
    // At most 5 in expectation; more than 11 would have a probability below 1 %.
    assert!(alarms <= 11, "{alarms} of 100");
}

#[test]
fn a_shifted_column_is_the_one_that_is_named() {
    let mut random = SplitMix64(6);
    let reference = batch(&mut random, 4, 2_000, 0.0, 10);
    let current = batch(&mut random, 4, 500, 1.0, 10);
    let report = report(&reference, &current, &DriftSettings::default());
    let names: Vec<&str> = report.drifted().map(|column| column.column()).collect();
    assert_eq!(names, ["column-0"]);
    assert_eq!(report.share_drifted(), 0.25);
    assert_eq!(report.worst().unwrap().column(), "column-0");
    assert_eq!(report.worst().unwrap().jumped(), None);
}

#[test]
fn a_jump_in_nulls_is_drift() {
    let mut random = SplitMix64(7);
    let reference = batch(&mut random, 1, 2_000, 0.0, 10);
    let current = batch(&mut random, 1, 500, 0.0, 2);
    let report = report(&reference, &current, &DriftSettings::default());
    let column = report.worst().unwrap();
    assert_eq!(column.verdict(), Verdict::Drift);
    assert_eq!(column.jumped(), Some(RateKind::Missing));
    assert_eq!(
        (column.reference().missing(), column.current().missing()),
        (0.1, 0.5)
    );
}

#[test]
fn a_jump_of_nulls_that_a_large_reference_hardly_has_is_drift() {
    let mut random = SplitMix64(10);
    for (n, m, nulls) in [(100_000, 200, 20), (20_000, 500, 25), (100_000, 1_000, 50)] {
        let reference = one_column(&mut random, n, |_| false);
        let current = one_column(&mut random, m, |row| row < nulls);
        let report = report(&reference, &current, &DriftSettings::default());
        let column = report.worst().unwrap();
        assert_eq!(column.verdict(), Verdict::Drift, "{column:?}");
        assert_eq!(column.jumped(), Some(RateKind::Missing));
        assert!(!column.psi().verdict().is_drift(), "{column:?}");
        assert!(column.rate_p_value() < 1e-30 && column.adjusted_p_value() < 1e-30);
    }
}

#[test]
fn a_column_that_was_always_null_and_is_filled_is_drift() {
    let mut random = SplitMix64(11);
    let reference = one_column(&mut random, 1_000, |_| true);
    let current = one_column(&mut random, 200, |row| row >= 20);
    let report = report(&reference, &current, &DriftSettings::default());
    let column = report.worst().unwrap();
    assert_eq!(column.verdict(), Verdict::Drift);
    assert_eq!(column.jumped(), Some(RateKind::Missing));
}

#[test]
fn few_nan_and_few_unlisted_categories_are_drift_by_name() {
    let numbers: Vec<f64> = (0..10_000).map(|row| f64::from(row % 100)).collect();
    let profile = Profile::of_values("x", &numbers, &ProfileSettings::default()).unwrap();
    let mut counts = Counts::new(&profile);
    counts.observe_values(&profile, &numbers[..200]).unwrap();
    counts.observe_values(&profile, &[f64::NAN; 8]).unwrap();
    let nan = profile.compare(&counts, &DriftSettings::default()).unwrap();
    assert_eq!(nan.worst().unwrap().jumped(), Some(RateKind::NotFinite));

    let words = |rows: usize, strange: usize| {
        let words: Vec<&str> = (0..rows)
            .map(|row| match row {
                row if row < strange => "z",
                row if row % 2 == 0 => "a",
                _ => "b",
            })
            .collect();
        let words: ArrayRef = Arc::new(StringArray::from(words));
        RecordBatch::try_from_iter([("word", words)]).unwrap()
    };
    let unseen = report(&words(10_000, 0), &words(200, 8), &DriftSettings::default());
    assert_eq!(unseen.drifted().count(), 1);
    assert_eq!(unseen.worst().unwrap().jumped(), Some(RateKind::Unseen));
}

#[test]
fn equal_null_rates_are_rarely_called_drift() {
    let mut random = SplitMix64(12);
    let mut coin = SplitMix64(13);
    let settings = DriftSettings::default().with_tolerance(0.0);
    let reports: Vec<DriftReport> = (0..200)
        .map(|_| {
            let reference = one_column(&mut random, 500, |_| coin.unit() < 0.03);
            let current = one_column(&mut random, 300, |_| coin.unit() < 0.03);
            report(&reference, &current, &settings)
        })
        .collect();
    let drifted = reports
        .iter()
        .filter(|report| report.drifted().count() > 0)
        .count();
    let jumped = reports
        .iter()
        .filter_map(|report| report.worst()?.jumped())
        .count();
    // At most 10 and 5 in expectation; more would have a probability below 1 %.
    assert!(drifted <= 18 && jumped <= 11, "{drifted}, {jumped} of 200");
}

#[test]
fn nothing_counted_is_undecided() {
    let mut random = SplitMix64(8);
    let reference = batch(&mut random, 2, 100, 0.0, 10);
    let report = report(
        &reference,
        &reference.slice(0, 0),
        &DriftSettings::default(),
    );
    assert!(
        report
            .columns()
            .iter()
            .all(|column| column.verdict() == Verdict::Undecided { visible_from: None })
    );
}

#[test]
fn reports_survive_storage() {
    let mut random = SplitMix64(9);
    let reference = batch(&mut random, 3, 300, 0.0, 10);
    let current = batch(&mut random, 3, 100, 0.5, 3);
    let report = report(&reference, &current, &DriftSettings::default());
    let stored = serde_json::to_string(&report).unwrap();
    let read: DriftReport = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, report);
}
