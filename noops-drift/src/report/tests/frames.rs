use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};

use super::{batch, report};
use crate::error::DriftError;
use crate::profile::ProfileSettings;
use crate::report::{DriftReport, DriftSettings};
use crate::statistic::{
    SortedSample, TestSettings, WassersteinSettings, energy_distance, hellinger, ks_two_sample,
    mann_whitney, wasserstein,
};
use crate::testing::SplitMix64;

fn of_frames(reference: &[RecordBatch], current: &[RecordBatch]) -> DriftReport {
    DriftReport::of_frames(
        reference,
        current,
        &ProfileSettings::default(),
        &DriftSettings::default(),
    )
    .unwrap()
}

fn column(values: Vec<Option<f64>>) -> RecordBatch {
    let array: ArrayRef = Arc::new(Float64Array::from(values));
    RecordBatch::try_from_iter([("x", array)]).unwrap()
}

fn values(frame: &RecordBatch) -> Vec<f64> {
    let array = frame.column(0).as_any().downcast_ref::<Float64Array>();
    array.unwrap().iter().flatten().collect()
}

#[test]
fn sample_statistics_are_those_of_the_values() {
    let mut random = SplitMix64(41);
    let reference = batch(&mut random, 1, 700, 0.0, 10);
    let current = batch(&mut random, 1, 300, 0.4, 7);
    let report = of_frames(
        std::slice::from_ref(&reference),
        std::slice::from_ref(&current),
    );
    let samples = report.columns()[0].samples().unwrap();
    let [before, now] = [&reference, &current].map(|frame| SortedSample::new(&values(frame)));
    let test = TestSettings::default();
    assert_eq!(*samples.ks(), ks_two_sample(&before, &now, &test).unwrap());
    assert_eq!(
        *samples.mann_whitney(),
        mann_whitney(&before, &now, &test).unwrap()
    );
    let unscaled = WassersteinSettings::default();
    assert_eq!(
        samples.wasserstein().cloned(),
        wasserstein(&before, &now, &unscaled).ok()
    );
    assert_eq!(
        samples.energy().cloned(),
        energy_distance(&before, &now, &test).ok()
    );
    assert_eq!(samples.ks().n_reference(), 630);
    let bracket = report.columns()[0].binned_ks().unwrap();
    assert!(bracket.low() <= samples.ks().statistic() + 1e-12);
    assert!(samples.ks().statistic() <= bracket.high() + 1e-12);
}

#[test]
fn the_verdicts_are_those_of_the_counts() {
    let mut random = SplitMix64(42);
    let reference = batch(&mut random, 3, 600, 0.0, 10);
    let current = batch(&mut random, 3, 300, 0.6, 6);
    let from_counts = report(&reference, &current, &DriftSettings::default());
    let from_frames = of_frames(
        &[reference.slice(0, 200), reference.slice(200, 400)],
        &[current],
    );
    assert_eq!(from_counts.profile(), from_frames.profile());
    for (counted, sampled) in from_counts.columns().iter().zip(from_frames.columns()) {
        assert_eq!(counted.verdict(), sampled.verdict());
        assert_eq!(counted.psi(), sampled.psi());
        assert!(counted.samples().is_none() && sampled.samples().is_some());
    }
}

#[test]
fn beyond_the_limit_only_counts_are_compared() {
    let frame = column((0..100).map(|row| Some(f64::from(row))).collect());
    let of = |limit: u64| {
        let settings = DriftSettings::default().with_sample_limit(limit);
        let frames = std::slice::from_ref(&frame);
        DriftReport::of_frames(frames, frames, &ProfileSettings::default(), &settings).unwrap()
    };
    assert!(of(99).columns()[0].samples().is_none());
    assert!(of(100).columns()[0].samples().is_some());
}

#[test]
fn infinities_leave_out_the_distances_along_the_axis_only() {
    let mut now: Vec<Option<f64>> = (0..200).map(|row| Some(f64::from(row))).collect();
    now.extend([
        Some(f64::INFINITY),
        Some(f64::NEG_INFINITY),
        Some(f64::NAN),
        None,
    ]);
    let before = column((0..400).map(|row| Some(f64::from(row))).collect());
    let report = of_frames(&[before], &[column(now)]);
    let samples = report.columns()[0].samples().unwrap();
    assert_eq!(samples.wasserstein(), None);
    assert_eq!(samples.energy(), None);
    assert_eq!(samples.ks().n_current(), 202);
    assert!(samples.ks().statistic() > 0.4);
    let stored = serde_json::to_string(&report).unwrap();
    assert_eq!(
        serde_json::from_str::<DriftReport>(&stored).unwrap(),
        report
    );
}

#[test]
fn categories_have_no_sample_statistics_and_no_order() {
    let words: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a", "c"]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3, 4]));
    let frame = RecordBatch::try_from_iter([("word", words), ("n", numbers)]).unwrap();
    let report = of_frames(std::slice::from_ref(&frame), std::slice::from_ref(&frame));
    let word = &report.columns()[0];
    assert!(word.samples().is_none() && word.binned_ks().is_none());
    assert_eq!(word.cells().kind(), "category");
    let number = &report.columns()[1];
    assert_eq!(number.samples().unwrap().ks().statistic(), 0.0);
    assert_eq!(number.cells().kind(), "number");
}

#[test]
fn only_the_named_columns_are_compared() {
    let mut random = SplitMix64(43);
    let frame = batch(&mut random, 3, 100, 0.0, 10);
    let settings = ProfileSettings::default().with_columns(["column-1"]);
    let frames = std::slice::from_ref(&frame);
    let report =
        DriftReport::of_frames(frames, frames, &settings, &DriftSettings::default()).unwrap();
    let names: Vec<&str> = report
        .columns()
        .iter()
        .map(|column| column.column())
        .collect();
    assert_eq!(names, ["column-1"]);
}

#[test]
fn bad_frames_are_refused_or_undecided() {
    let frame = column(vec![Some(1.0), Some(2.0)]);
    let settings = DriftSettings::default();
    let refused = DriftReport::of_frames(&[], &[], &ProfileSettings::default(), &settings);
    assert_eq!(refused.unwrap_err(), DriftError::NoRows);
    for (before, now) in [
        (vec![None, None], vec![]),
        (vec![Some(f64::NAN)], vec![Some(f64::NAN); 50]),
        (vec![Some(3.0); 50], vec![Some(3.0); 50]),
        (
            vec![Some(f64::INFINITY); 4],
            vec![Some(f64::NEG_INFINITY); 4],
        ),
        (
            vec![Some(f64::MAX), Some(-f64::MAX)],
            vec![Some(f64::MAX), Some(1.0)],
        ),
        (vec![Some(1.0)], vec![Some(5e-324)]),
    ] {
        let report = of_frames(&[column(before)], &[column(now)]);
        let stored = serde_json::to_string(&report).unwrap();
        assert_eq!(
            serde_json::from_str::<DriftReport>(&stored).unwrap(),
            report
        );
        assert!(!report.columns()[0].to_string().contains("NaN"));
        assert_eq!(report.to_batch().num_rows(), 1);
    }
    let other: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let other = RecordBatch::try_from_iter([("y", other)]).unwrap();
    let refused =
        DriftReport::of_frames(&[frame], &[other], &ProfileSettings::default(), &settings);
    assert!(matches!(refused, Err(DriftError::MissingColumn { .. })));
}

#[test]
fn statistics_of_counts_are_those_of_the_cells() {
    let mut random = SplitMix64(44);
    let reference = batch(&mut random, 1, 900, 0.0, 10);
    let current = batch(&mut random, 1, 400, 0.5, 5);
    let report = report(&reference, &current, &DriftSettings::default());
    let column = &report.columns()[0];
    let (before, now) = (
        column.cells().reference().bins(),
        column.cells().current().bins(),
    );
    let direct = hellinger(before, now, &TestSettings::default()).unwrap();
    assert!((column.hellinger().statistic() - direct.statistic()).abs() < 1e-12);
    let (n, m) = (
        before.iter().sum::<u64>() as f64,
        now.iter().sum::<u64>() as f64,
    );
    let halves: f64 = before
        .iter()
        .zip(now)
        .map(|(r, c)| (*r as f64 / n - *c as f64 / m).abs() / 2.0)
        .sum();
    assert!((column.total_variation().statistic() - halves).abs() < 1e-12);
    assert_eq!(column.chi_square().degrees_of_freedom(), Some(9));
    // None of them looks at the nulls, of which there are twice as many now.
    assert_eq!(column.jensen_shannon().n_current(), 320);
    assert!(column.kullback_leibler().verdict().is_drift());
}
