use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::*;
use crate::telemetry::{
    ArmRole, Execution, Histogram, Indicator, RequestOutcome, ServingEvent, TelemetryHub,
};

fn busy_hub() -> TelemetryHub {
    let hub = TelemetryHub::default();
    for version in ["1", "quote\" slash\\ line\nend"] {
        let telemetry = hub.version("fraud", version);
        let micro = Duration::from_micros;
        for (number, outcome) in (1..).zip(RequestOutcome::ALL) {
            telemetry.record_request(outcome, micro(number * 7), number);
        }
        telemetry.record_queue_time(micro(2));
        let run = Execution::new(3, 2, micro(11));
        telemetry.record_execution(&run.with_input(micro(1)).with_output(micro(1)));
        telemetry.record_inference_at(jiff::Timestamp::from_millisecond(1500).unwrap());
        telemetry.count(ServingEvent::Swap, 1);
    }
    hub.arms("fraud").of(ArmRole::Champion).record(
        RequestOutcome::Success,
        Duration::from_micros(5),
        1,
    );
    for (number, indicator) in (1..).zip(Indicator::ALL) {
        hub.set_indicator(Some("fraud"), indicator, f64::from(number) / 7.0);
    }
    hub
}

/// What `promtool check metrics` says, if it is installed.
fn promtool(text: &str) -> Option<(i32, String)> {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(text.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Some((output.status.code()?, said))
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn prometheus_accepts_the_text_and_finds_fault_only_with_names_that_are_not_ours() {
    let Some((code, said)) = promtool(&busy_hub().to_prometheus()) else {
        eprintln!("skipped: promtool is not installed");
        return;
    };
    // 3 is for style; a text that cannot be read is 1.
    assert!(code == 0 || code == 3, "{said}");
    for line in said.lines() {
        assert!(line.starts_with("nv_inference_"), "{line}");
    }
}

#[test]
fn prometheus_refuses_a_broken_text() {
    if let Some((code, _)) = promtool("noops_serve{ 1\n") {
        assert_eq!(code, 1, "the check can fail");
    }
}

#[test]
fn a_distribution_is_cumulative_and_ends_with_everything() {
    let histogram = Histogram::new();
    for nanoseconds in [800, 3_000, 3_000, 60_000_000_000] {
        histogram.record(nanoseconds);
    }
    let metric = Metric::new("t_seconds", "T.", MetricKind::Histogram);
    let mut exposition = Exposition::new();
    exposition.durations(&metric, &[("m", "a")], &histogram.snapshot());
    let text = exposition.to_text();
    for line in [
        "t_seconds_bucket{m=\"a\",le=\"0.000001\"} 1",
        "t_seconds_bucket{m=\"a\",le=\"0.0000025\"} 1",
        "t_seconds_bucket{m=\"a\",le=\"0.000005\"} 3",
        "t_seconds_bucket{m=\"a\",le=\"10\"} 3",
        "t_seconds_bucket{m=\"a\",le=\"+Inf\"} 4",
        "t_seconds_sum{m=\"a\"} 60.0000068",
        "t_seconds_count{m=\"a\"} 4",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    assert_eq!(text.lines().count(), 2 + 24 + 2);
}

#[test]
fn bounds_are_written_as_what_they_are() {
    for (seconds, nanoseconds) in BOUNDS {
        let parsed: f64 = seconds.parse().unwrap();
        assert_eq!((parsed * 1e9).round() as u64, nanoseconds);
    }
    assert!(BOUNDS.is_sorted_by_key(|(_, bound)| bound));
}

#[test]
fn triton_has_its_names_and_units() {
    let text = busy_hub().to_prometheus();
    for line in [
        "nv_inference_request_success{model=\"fraud\",version=\"1\"} 1",
        "nv_inference_request_failure{model=\"fraud\",reason=\"REJECTED\",version=\"1\"} 2",
        "nv_inference_request_failure{model=\"fraud\",reason=\"OTHER\",version=\"1\"} 2",
        "nv_inference_request_duration_us{model=\"fraud\",version=\"1\"} 7",
        "nv_inference_compute_infer_duration_us{model=\"fraud\",version=\"1\"} 22",
        "nv_inference_queue_summary_us_count{model=\"fraud\",version=\"1\"} 1",
        "nv_inference_exec_count{model=\"fraud\",version=\"1\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}");
    }
}

#[test]
fn whatever_a_name_is_the_text_stays_readable() {
    let metric = Metric::new("9 lives-\n", "a\\b\nc", MetricKind::Gauge);
    let mut exposition = Exposition::new();
    exposition.sample(&metric, &[("é", "\n\"\\")], f64::NEG_INFINITY);
    exposition.sample(&metric, &[("", "x")], f64::NAN);
    assert_eq!(
        exposition.to_text(),
        "# HELP __lives__ a\\\\b\\nc\n# TYPE __lives__ gauge\n\
         __lives__{_=\"\\n\\\"\\\\\"} -Inf\n__lives__{_=\"x\"} NaN\n"
    );
}
