use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch};

use super::{DriftReport, DriftSettings};
use crate::counts::Counts;
use crate::profile::{Profile, ProfileSettings};
use crate::statistic::Verdict;
use crate::testing::SplitMix64;

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

fn report(reference: &RecordBatch, current: &RecordBatch, settings: &DriftSettings) -> DriftReport {
    let profile = Profile::fit(&[reference.clone()], &ProfileSettings::default()).unwrap();
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
}

#[test]
fn a_jump_in_nulls_is_drift() {
    let mut random = SplitMix64(7);
    let reference = batch(&mut random, 1, 2_000, 0.0, 10);
    let current = batch(&mut random, 1, 500, 0.0, 2);
    let report = report(&reference, &current, &DriftSettings::default());
    let column = report.worst().unwrap();
    assert_eq!(column.verdict(), Verdict::Drift);
    assert_eq!(
        (column.reference().missing(), column.current().missing()),
        (0.1, 0.5)
    );
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
