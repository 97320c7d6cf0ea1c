mod property;

use std::collections::BTreeSet;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, RecordBatch};
use jiff::{SignedDuration, Timestamp};

use super::held::FIXED;
use super::*;
use crate::digest::Digest;
use crate::error::ErrorKind;
use crate::label::{Label, Observed};
use crate::name::Alias;
use crate::units::Share;

const HORIZON: i64 = 10;
const GRACE: i64 = 2;

#[test]
fn a_label_finds_its_prediction_whichever_comes_first() {
    let mut telemetry = telemetry(0);
    telemetry.predictions(&[prediction("a", 0)]);
    let delay = SignedDuration::from_secs(4);
    assert_eq!(
        telemetry.label(label("a", true, 4)),
        LabelOutcome::Joined { delay }
    );
    assert_eq!(telemetry.label(label("b", false, 5)), LabelOutcome::Waiting);
    telemetry.predictions(&[prediction("b", 1)]);
    assert_eq!(
        read(&telemetry.drain(second(5)).unwrap()),
        [
            row("a", 0, Some((true, 4)), None),
            row("b", 1, Some((false, 5)), None)
        ]
    );
    assert_eq!(telemetry.counts().joined_labels, 2);
    assert_eq!(telemetry.counts().labelled_rows, 2);
}

#[test]
fn the_label_known_earlier_counts_and_the_conflict_is_recorded() {
    let mut telemetry = telemetry(0);
    telemetry.predictions(&[prediction("a", 0)]);
    telemetry.label(label("a", true, 4));
    assert_eq!(
        telemetry.label(label("a", true, 6)),
        LabelOutcome::Duplicate
    );
    let conflict = LabelOutcome::Conflict {
        kept: label("a", false, 3),
        refused: label("a", true, 4),
    };
    assert_eq!(telemetry.label(label("a", false, 3)), conflict);
    let rows = read(&telemetry.drain(second(5)).unwrap());
    assert_eq!(rows, [row("a", 0, Some((false, 3)), Some(4))]);
    assert_eq!(telemetry.counts().conflicting_labels, 1);
    assert_eq!(telemetry.counts().duplicate_labels, 1);
}

#[test]
fn a_row_that_was_drained_does_not_change() {
    let mut telemetry = telemetry(0);
    telemetry.predictions(&[prediction("a", 0)]);
    telemetry.label(label("a", true, 4));
    assert_eq!(telemetry.drain(second(4)).unwrap().len(), 1);

    assert_eq!(
        telemetry.label(label("a", true, 2)),
        LabelOutcome::Duplicate
    );
    let conflict = LabelOutcome::Conflict {
        kept: label("a", true, 4),
        refused: label("a", false, 2),
    };
    assert_eq!(telemetry.label(label("a", false, 2)), conflict);
    telemetry.predictions(&[prediction("a", 0)]);
    assert_eq!(telemetry.counts().duplicate_predictions, 1);
    assert!(telemetry.drain(second(1000)).unwrap().is_empty());
}

#[test]
fn the_horizon_includes_its_last_moment() {
    let mut telemetry = telemetry(0);
    telemetry.predictions(&[prediction("a", 0), prediction("b", 0)]);
    let delay = SignedDuration::from_secs(HORIZON);
    assert_eq!(
        telemetry.label(label("a", true, HORIZON)),
        LabelOutcome::Joined { delay }
    );
    let next = Label {
        known_at: after(second(HORIZON), Duration::from_nanos(1)),
        ..label("b", true, 0)
    };
    assert_eq!(telemetry.label(next), LabelOutcome::TooLate);
    assert_eq!(telemetry.counts().late_labels, 1);
}

#[test]
fn a_row_whose_horizon_ends_without_a_label_says_so() {
    let mut telemetry = telemetry(GRACE);
    telemetry.predictions(&[prediction("a", 0)]);
    assert!(
        telemetry
            .drain(second(HORIZON + GRACE - 1))
            .unwrap()
            .is_empty()
    );
    let rows = read(&telemetry.drain(second(HORIZON + GRACE)).unwrap());
    assert_eq!(rows, [row("a", 0, None, None)]);
    assert_eq!(telemetry.label(label("a", true, 5)), LabelOutcome::TooLate);
    assert_eq!(telemetry.counts().unlabelled_rows, 1);
}

#[test]
fn a_prediction_whose_row_may_have_been_drained_is_not_drained_again() {
    let mut telemetry = telemetry(0);
    telemetry.predictions(&[prediction("a", 0)]);
    telemetry.drain(second(1000)).unwrap();
    assert_eq!(
        telemetry.held_requests(),
        0,
        "nothing is remembered any more"
    );
    telemetry.predictions(&[prediction("a", 0)]);
    assert_eq!(telemetry.counts().late_predictions, 1);
    assert!(telemetry.drain(second(1001)).unwrap().is_empty());
}

#[test]
fn a_clock_that_was_wrong_for_a_moment_does_not_refuse_everything_afterwards() {
    let mut telemetry = telemetry(0);
    telemetry.drain(second(1_000_000)).unwrap();
    telemetry.drain(second(10)).unwrap();
    telemetry.predictions(&[prediction("a", 10)]);
    assert_eq!(telemetry.counts().predictions, 1);
}

#[test]
fn labels_without_a_prediction_are_given_up_and_counted() {
    let mut telemetry = telemetry(GRACE);
    telemetry.label(label("a", true, 0));
    telemetry.drain(second(HORIZON + GRACE - 1)).unwrap();
    assert_eq!(telemetry.held_requests(), 1);
    telemetry.drain(second(HORIZON + GRACE)).unwrap();
    assert_eq!(telemetry.held_requests(), 0);
    assert_eq!(telemetry.held_bytes(), 0);
    assert_eq!(telemetry.counts().orphaned_labels, 1);
}

#[test]
fn a_label_known_before_its_prediction_has_a_negative_delay() {
    let mut telemetry = telemetry(0);
    telemetry.predictions(&[prediction("a", 7)]);
    let delay = SignedDuration::from_secs(-2);
    assert_eq!(
        telemetry.label(label("a", true, 5)),
        LabelOutcome::Joined { delay }
    );
    let batches = telemetry.drain(second(5)).unwrap();
    let delays = batches[0].column_by_name("label_delay_us").unwrap();
    let delays = delays.as_primitive::<arrow_array::types::Int64Type>();
    assert_eq!(delays.value(0), -2_000_000);
}

#[test]
fn the_prediction_and_the_label_of_a_request_are_sampled_alike() {
    let settings = settings(0).with_sample(Share::from_ratio(0.3).unwrap());
    let mut telemetry = TelemetryBuffer::new(settings).unwrap();
    for number in 0..1000 {
        let request = format!("r-{number}");
        telemetry.predictions(&[prediction(&request, 0)]);
        let outcome = telemetry.label(label(&request, true, 1));
        let joined = matches!(outcome, LabelOutcome::Joined { .. });
        assert_eq!(joined, sampling_bucket(&request) < 300_000);
        assert!(joined || outcome == LabelOutcome::NotSampled);
    }
    let counts = telemetry.counts();
    assert_eq!(counts.predictions, counts.joined_labels);
    assert_eq!(counts.unsampled_predictions, counts.unsampled_labels);
    assert_eq!(counts.predictions + counts.unsampled_predictions, 1000);
    assert!((200..400).contains(&counts.predictions));
}

#[test]
fn the_oldest_is_dropped_and_counted_when_there_is_no_room() {
    // A request of one letter: its id twice, the unit `u`, the model `m` and the arm `champion`.
    let each = FIXED + 2 + 1 + 1 + 8;
    let mut telemetry = TelemetryBuffer::new(settings(0).with_max_bytes(3 * each)).unwrap();
    for (number, request) in (0..).zip(["a", "b", "c", "d", "e"]) {
        telemetry.predictions(&[prediction(request, number)]);
        assert!(telemetry.held_bytes() <= 3 * each);
    }
    assert_eq!(telemetry.counts().dropped_predictions, 2);
    let rows = read(&telemetry.drain(second(100)).unwrap());
    let requests: Vec<&str> = rows.iter().map(|row| row.request.as_str()).collect();
    assert_eq!(requests, ["c", "d", "e"]);
}

#[test]
fn a_limit_of_nothing_holds_nothing_and_counts_all_of_it() {
    let mut telemetry = TelemetryBuffer::new(settings(0).with_max_bytes(0)).unwrap();
    telemetry.predictions(&[prediction("a", 0)]);
    assert_eq!(telemetry.label(label("a", true, 1)), LabelOutcome::Refused);
    assert_eq!((telemetry.held_bytes(), telemetry.held_requests()), (0, 0));
    assert!(telemetry.drain(second(100)).unwrap().is_empty());
    assert_eq!(telemetry.counts().refused_predictions, 1);
    assert_eq!(telemetry.counts().refused_labels, 1);
}

#[test]
fn empty_and_huge_ids_are_refused_and_counted() {
    let mut telemetry = telemetry(0);
    let huge = "x".repeat(10 << 20);
    for request in ["", &huge, &"x".repeat(1025)] {
        telemetry.predictions(&[prediction(request, 0)]);
        assert_eq!(
            telemetry.label(label(request, true, 1)),
            LabelOutcome::Refused
        );
    }
    telemetry.predictions(&[PredictionRecord {
        unit: huge,
        ..prediction("a", 0)
    }]);
    assert_eq!(telemetry.held_requests(), 0);
    assert_eq!(telemetry.counts().refused_predictions, 4);
    assert_eq!(telemetry.counts().refused_labels, 3);
    telemetry.predictions(&[prediction(&"x".repeat(1024), 0)]);
    assert_eq!(telemetry.counts().predictions, 1);
}

#[test]
fn a_score_that_is_no_number_is_null_and_counted() {
    let mut telemetry = telemetry(0);
    let scores = [Some(f64::NAN), Some(f64::INFINITY), None, Some(-0.0)];
    for (number, score) in (0..).zip(scores) {
        let request = format!("r-{number}");
        telemetry.predictions(&[PredictionRecord {
            score,
            ..prediction(&request, number)
        }]);
    }
    let batches = telemetry.drain(second(100)).unwrap();
    let scores = batches[0].column_by_name("score").unwrap();
    let scores: Vec<Option<f64>> = scores
        .as_primitive::<arrow_array::types::Float64Type>()
        .iter()
        .collect();
    assert_eq!(scores, [None, None, None, Some(0.0)]);
    assert_eq!(telemetry.counts().not_finite_scores, 2);
}

#[test]
fn absurd_times_are_harmless() {
    let endless = settings(0)
        .with_retention(Duration::MAX)
        .with_horizon(Duration::MAX)
        .with_grace(Duration::MAX);
    let times = [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX];
    for settings in [settings(0), endless] {
        let mut telemetry = TelemetryBuffer::new(settings).unwrap();
        for (number, at) in times.into_iter().enumerate() {
            for (other, known_at) in times.into_iter().enumerate() {
                let request = format!("r-{number}-{other}");
                telemetry.predictions(&[PredictionRecord {
                    at,
                    ..prediction(&request, 0)
                }]);
                telemetry.label(Label {
                    known_at,
                    ..label(&request, true, 0)
                });
            }
        }
        let mut rows = 0;
        for now in times {
            let batches = telemetry.drain(now).unwrap();
            rows += batches.iter().map(RecordBatch::num_rows).sum::<usize>();
            let text = serde_json::to_string(&telemetry).unwrap();
            telemetry = serde_json::from_str(&text).unwrap();
        }
        assert_eq!(rows, 9, "at the end of time every row is complete");
    }
}

#[test]
fn rows_that_would_wait_longer_than_they_may_exist_are_refused() {
    let settings = settings(GRACE).with_retention(Duration::from_secs(11));
    let error = TelemetryBuffer::new(settings).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(
        error.to_string(),
        "cannot collect telemetry: rows must not wait for labels for longer than they may exist: raise the retention, or lower horizon and grace (retention `11s`, horizon `10s`, grace `2s`)"
    );
}

#[test]
fn a_state_that_was_tampered_with_is_refused() {
    let mut telemetry = telemetry(0);
    telemetry.predictions(&[prediction("a", 0), prediction("b", 0)]);
    telemetry.label(label("c", true, 0));
    let text = serde_json::to_string(&telemetry).unwrap();
    assert!(serde_json::from_str::<TelemetryBuffer>(&text).is_ok());
    for (from, to) in [
        (r#"["b","#, r#"["a","#),
        (r#"["b","#, r#"["","#),
        (r#"["c","#, r#"["b","#),
        (r#""request":"b""#, r#""request":"z""#),
        (r#""max_bytes":67108864"#, r#""max_bytes":2000"#),
        (r#""retention":{"secs":"#, r#""retention":{"secs":0,"x":"#),
    ] {
        assert!(text.contains(from), "{from} in {text}");
        let tampered = text.replacen(from, to, 1);
        assert!(
            serde_json::from_str::<TelemetryBuffer>(&tampered).is_err(),
            "{tampered}"
        );
    }
}

#[test]
fn many_rows_are_drained_in_batches_of_a_moderate_size() {
    let mut telemetry = telemetry(0);
    for number in 0..10_000 {
        telemetry.predictions(&[prediction(&format!("r-{number}"), number % 7)]);
    }
    let batches = telemetry.drain(second(100)).unwrap();
    let sizes: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(sizes, [8192, 1808]);
    let order: Vec<(i64, String)> = read(&batches)
        .into_iter()
        .map(|row| (row.at, row.request))
        .collect();
    assert!(order.is_sorted());
    assert_eq!(order.len(), 10_000);
}

#[test]
fn the_schema_names_every_column_once() {
    let schema = telemetry_schema();
    let names: BTreeSet<&String> = schema.fields().iter().map(|field| field.name()).collect();
    assert_eq!(names.len(), 14);
    assert_eq!(schema.fields().len(), 14);
}

fn settings(grace: i64) -> TelemetrySettings {
    TelemetrySettings::default()
        .with_horizon(Duration::from_secs(HORIZON as u64))
        .with_grace(Duration::from_secs(grace as u64))
}

fn telemetry(grace: i64) -> TelemetryBuffer {
    TelemetryBuffer::new(settings(grace)).unwrap()
}

pub(super) fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(super) fn prediction(request: &str, at: i64) -> PredictionRecord {
    PredictionRecord {
        request: request.into(),
        unit: "u".into(),
        at: second(at),
        model: "m".parse().unwrap(),
        version: Digest::of(b"weights"),
        arm: Alias::champion(),
        share: Share::ZERO,
        status: PredictionStatus::Answered,
        score: Some(0.5),
    }
}

pub(super) fn label(request: &str, positive: bool, known_at: i64) -> Label {
    Label {
        request: request.into(),
        observed: Observed::from(positive),
        known_at: second(known_at),
    }
}

/// A row as it is read from a batch; times in seconds.
#[derive(Clone, Debug, PartialEq)]
struct Read {
    request: String,
    at: i64,
    label: Option<(bool, i64)>,
    label_status: String,
    conflicting: Option<i64>,
}

fn row(request: &str, at: i64, label: Option<(bool, i64)>, conflicting: Option<i64>) -> Read {
    let label_status = if label.is_some() { "joined" } else { "missing" };
    Read {
        request: request.into(),
        at,
        label,
        label_status: label_status.into(),
        conflicting,
    }
}

fn read(batches: &[RecordBatch]) -> Vec<Read> {
    let mut rows = Vec::new();
    for batch in batches {
        let column = |name: &str| batch.column_by_name(name).unwrap();
        let seconds = |name: &str| -> Vec<Option<i64>> {
            let times = column(name).as_primitive::<TimestampMicrosecondType>();
            times
                .iter()
                .map(|time| time.map(|time| time.div_euclid(1_000_000)))
                .collect()
        };
        let requests = column("request").as_string::<i32>();
        let statuses = column("label_status").as_string::<i32>();
        let labels = column("label").as_boolean();
        let (at, known_at, conflicting) = (
            seconds("at"),
            seconds("label_known_at"),
            seconds("conflicting_known_at"),
        );
        for index in 0..batch.num_rows() {
            let positive = labels.is_valid(index).then(|| labels.value(index));
            rows.push(Read {
                request: requests.value(index).to_owned(),
                at: at[index].unwrap(),
                label: positive.zip(known_at[index]),
                label_status: statuses.value(index).to_owned(),
                conflicting: conflicting[index],
            });
        }
    }
    rows
}
