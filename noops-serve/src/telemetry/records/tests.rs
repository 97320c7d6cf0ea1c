use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Int64Type, TimestampMicrosecondType};

use super::*;

fn row<'a>(request_id: &'a str, features: &'a [f32]) -> ServedRow<'a> {
    ServedRow {
        request_id,
        features,
        score: 0.25,
        version: Digest::of(b"model"),
        arm: ArmRole::Challenger,
        at: Timestamp::from_second(7).unwrap(),
        latency: Duration::from_micros(3),
    }
}

fn log(most: usize, sample: Share) -> PredictionLog {
    PredictionLog::new(2, NonZeroUsize::new(most).unwrap(), sample)
}

#[test]
fn what_is_drained_is_what_was_served() {
    let log = log(10, Share::FULL);
    assert_eq!(log.offer(&row("a", &[1.0, 2.0])), Taken::Kept);
    assert_eq!(log.offer(&row("b", &[3.0, f32::NAN])), Taken::Kept);
    let batch = log.drain().unwrap();
    assert_eq!(batch.schema(), log.schema().unwrap());
    let text = |name| batch.column_by_name(name).unwrap().as_string::<i32>();
    assert_eq!(
        (text("request").value(0), text("request").value(1)),
        ("a", "b")
    );
    assert_eq!(text("version").value(1), Digest::of(b"model").to_string());
    assert_eq!(text("arm").value(0), "challenger");
    let at = batch.column_by_name("at").unwrap();
    assert_eq!(
        at.as_primitive::<TimestampMicrosecondType>().value(0),
        7_000_000
    );
    let latency = batch.column_by_name("latency_ns").unwrap();
    assert_eq!(latency.as_primitive::<Int64Type>().value(1), 3000);
    let features = batch
        .column_by_name("features")
        .unwrap()
        .as_fixed_size_list();
    let second = features.value(1);
    let second = second.as_primitive::<Float32Type>();
    assert_eq!(second.value(0), 3.0);
    assert!(second.value(1).is_nan());
    assert_eq!(log.drain().unwrap().num_rows(), 0, "drained once");
}

#[test]
fn a_full_log_drops_and_counts() {
    let log = log(3, Share::FULL);
    let kept = (0..10).filter(|_| log.offer(&row("a", &[0.0, 0.0])) == Taken::Kept);
    assert_eq!(kept.count(), 3);
    assert_eq!(log.dropped(), 7);
    assert_eq!(log.drain().unwrap().num_rows(), 3);
    assert_eq!(log.offer(&row("a", &[0.0, 0.0])), Taken::Kept);
}

#[test]
fn rows_that_do_not_fit_are_dropped_and_counted() {
    let log = log(3, Share::FULL);
    assert_eq!(log.offer(&row("a", &[0.0])), Taken::Dropped);
    let long = "x".repeat(257);
    assert_eq!(log.offer(&row(&long, &[0.0, 0.0])), Taken::Dropped);
    assert_eq!(log.dropped(), 2);
}

#[test]
fn the_sample_is_that_of_the_telemetry() {
    let sample = Share::from_ppm(100_000).unwrap();
    let log = log(10_000, sample);
    for number in 0..5000 {
        let id = format!("request-{number}");
        let kept = log.offer(&row(&id, &[0.0, 0.0])) == Taken::Kept;
        assert_eq!(kept, sampling_bucket(&id) < 100_000);
    }
    assert_eq!(log.dropped(), 0, "what is not in the sample is not dropped");
}

#[test]
fn a_model_without_features_still_has_rows() {
    let log = PredictionLog::new(0, NonZeroUsize::MIN, Share::FULL);
    assert_eq!(log.offer(&row("a", &[])), Taken::Kept);
    assert_eq!(log.drain().unwrap().num_rows(), 1);
}
