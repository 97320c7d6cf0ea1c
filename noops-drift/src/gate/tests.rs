use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use noops_core::Probability;

use super::{GateReport, GateSettings, GateVerdict, QualityGate, Rule};
use crate::counts::Counts;
use crate::error::DriftError;
use crate::profile::{Profile, ProfileSettings};
use crate::testing::SplitMix64;

const KINDS: [&str; 3] = ["rain", "snow", "sun"];

fn batch(values: Vec<Option<f64>>, kinds: Vec<&str>) -> RecordBatch {
    let visib: ArrayRef = Arc::new(Float64Array::from(values));
    let kind: ArrayRef = Arc::new(StringArray::from(kinds));
    RecordBatch::try_from_iter([("visib", visib), ("kind", kind)]).unwrap()
}

fn usual(rows: usize, seed: u64) -> RecordBatch {
    let mut random = SplitMix64(seed);
    let values = (0..rows).map(|_| Some(random.unit() * 10.0)).collect();
    let kinds = (0..rows).map(|row| KINDS[row % 3]).collect();
    batch(values, kinds)
}

fn profile() -> Profile {
    Profile::fit(&[usual(2_000, 1)], &ProfileSettings::default()).unwrap()
}

fn check(batch: &RecordBatch, settings: &GateSettings) -> GateReport {
    let profile = profile();
    let gate = QualityGate::suggest(&profile, settings).unwrap();
    let mut counts = Counts::new(&profile);
    counts.observe(&profile, batch).unwrap();
    gate.check(&profile, &counts).unwrap()
}

fn rules(report: &GateReport) -> Vec<(String, Rule)> {
    report
        .violations()
        .iter()
        .map(|violation| (violation.column().to_owned(), violation.rule()))
        .collect()
}

#[test]
fn a_usual_batch_passes() {
    for seed in 10..60 {
        let report = check(&usual(200, seed), &GateSettings::default());
        assert_eq!(report.verdict(), GateVerdict::Pass, "{report:?}");
    }
}

#[test]
fn a_missing_column_of_values_reads_as_a_sentence() {
    let kinds = (0..940).map(|row| KINDS[row % 3]).collect();
    let report = check(&batch(vec![None; 940], kinds), &GateSettings::default());
    assert_eq!(report.verdict(), GateVerdict::Fail);
    let sentences: Vec<String> = report
        .violations()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        sentences,
        ["`visib` is missing in 100.0 % of 940 rows; at most 20.0 % is allowed"]
    );
}

#[test]
fn a_change_of_unit_is_stopped() {
    let mut random = SplitMix64(3);
    let values = (0..300).map(|_| Some(random.unit() * 16_000.0)).collect();
    let kinds = (0..300).map(|row| KINDS[row % 3]).collect();
    let report = check(&batch(values, kinds), &GateSettings::default());
    let visib = "visib".to_owned();
    assert_eq!(
        rules(&report),
        [
            (visib.clone(), Rule::OutOfRange),
            (visib, Rule::Distribution)
        ]
    );
}

#[test]
fn unseen_categories_and_nan_are_stopped() {
    let values = (0..300)
        .map(|row| {
            Some(if row % 10 == 0 {
                f64::NAN
            } else {
                f64::from(row % 10)
            })
        })
        .collect();
    let kinds = (0..300)
        .map(|row| if row % 5 == 0 { "hail" } else { KINDS[row % 3] })
        .collect();
    let report = check(
        &batch(values, kinds),
        &GateSettings::default().with_max_psi(100.0),
    );
    assert_eq!(
        rules(&report),
        [
            ("visib".to_owned(), Rule::NotFinite),
            ("kind".to_owned(), Rule::Unseen)
        ]
    );
}

#[test]
fn few_rows_are_never_judged() {
    let report = check(
        &batch(vec![None; 49], vec!["hail"; 49]),
        &GateSettings::default(),
    );
    assert_eq!(report.verdict(), GateVerdict::Undecided);
    assert!(report.violations().is_empty());
    let none = check(&usual(0, 1), &GateSettings::default().with_min_rows(0));
    assert_eq!(none.verdict(), GateVerdict::Undecided);
}

#[test]
fn a_batch_exactly_at_its_limit_is_rarely_stopped() {
    let mut random = SplitMix64(4);
    let stopped = (0..100)
        .filter(|_| {
            let values = (0..200)
                .map(|_| Some(random.unit() * 10.0).filter(|value| *value >= 2.0))
                .collect();
            let kinds = (0..200).map(|row| KINDS[row % 3]).collect();
            check(&batch(values, kinds), &GateSettings::default()).verdict() == GateVerdict::Fail
        })
        .count();
    // At most 1 in expectation.
    assert!(stopped <= 5, "{stopped} of 100");
}

#[test]
fn limits_can_be_adjusted_and_stored() {
    let profile = profile();
    let gate = QualityGate::suggest(&profile, &GateSettings::default()).unwrap();
    let column = gate.column("visib").unwrap().clone();
    let adjusted = gate
        .clone()
        .with_column(column.with_max_missing(Probability::ONE));
    assert_ne!(adjusted, gate);
    let stored = serde_json::to_string(&adjusted).unwrap();
    let read: QualityGate = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, adjusted);

    let mut counts = Counts::new(&profile);
    counts
        .observe(&profile, &batch(vec![None; 100], vec!["sun"; 100]))
        .unwrap();
    let report = read.check(&profile, &counts).unwrap();
    assert!(
        report
            .violations()
            .iter()
            .all(|violation| violation.rule() != Rule::Missing)
    );
}

#[test]
fn a_gate_of_another_profile_is_refused() {
    let gate = QualityGate::suggest(&profile(), &GateSettings::default()).unwrap();
    let other = Profile::fit(&[usual(500, 2)], &ProfileSettings::default()).unwrap();
    let refused = gate.check(&other, &Counts::new(&other));
    assert!(matches!(refused, Err(DriftError::ProfileMismatch { .. })));
}
