use std::time::Duration;

use super::*;
use crate::telemetry::RequestOutcome;

#[test]
fn a_version_asked_for_twice_is_counted_once() {
    let hub = TelemetryHub::default();
    let (one, other) = (hub.version("m", "1"), hub.version("m", "1"));
    assert!(Arc::ptr_eq(&one, &other));
    assert_eq!(hub.versions().len(), 1);
}

#[test]
fn a_flood_of_models_shares_one_series_and_no_request_is_lost() {
    let hub = TelemetryHub::new(NonZeroUsize::new(3).unwrap());
    for number in 0..50 {
        let telemetry = hub.version(&format!("m{number}"), "1");
        telemetry.record_request(RequestOutcome::Success, Duration::ZERO, 1);
    }
    let read = hub.versions();
    assert_eq!(read.len(), 4);
    let requests = read
        .iter()
        .map(|read| read.snapshot().requests().total().requests());
    assert_eq!(requests.sum::<u64>(), 50);
    let text = hub.to_prometheus();
    assert!(text.contains("nv_inference_request_success{model=\"other\",version=\"other\"} 47\n"));
    assert!(text.contains("noops_serve_label_overflows_total 47\n"));
}

#[test]
fn a_forgotten_version_makes_room_for_another() {
    let hub = TelemetryHub::new(NonZeroUsize::MIN);
    let _first = hub.version("m", "1");
    hub.forget_version("m", "1");
    let _second = hub.version("m", "2");
    let versions = hub.versions();
    let [read] = versions.as_slice() else {
        panic!("one version")
    };
    assert_eq!((read.model(), read.version()), ("m", "2"));
}

#[test]
fn the_runtime_fills_what_it_knows_and_the_host_the_rest() {
    let hub = TelemetryHub::default();
    for version in ["1", "2"] {
        let telemetry = hub.version("m", version);
        telemetry.record_request(RequestOutcome::Success, Duration::from_millis(2), 1);
    }
    let _idle = hub.version("idle", "1");
    hub.version("m", "2")
        .record_request(RequestOutcome::Failed, Duration::ZERO, 1);
    hub.set_indicator(Some("m"), Indicator::Accuracy, 0.93);
    hub.set_indicator(Some("nobody"), Indicator::Accuracy, 0.5);
    hub.set_indicator(None, Indicator::BudgetBurnRate, 1.5);

    let missions = hub.missions();
    assert_eq!(missions.len(), 2);
    let success = missions["m"].value(Indicator::PredictionSuccess).unwrap();
    assert!((success - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!(missions["m"].value(Indicator::Accuracy), Some(0.93));
    assert_eq!(missions["idle"], Mission::new());
    let whole = hub.mission();
    assert_eq!(whole.value(Indicator::ObservabilityCoverage), Some(0.5));
    assert_eq!(whole.value(Indicator::BudgetBurnRate), Some(1.5));
    let text = hub.to_prometheus();
    assert!(text.contains("\nnoops_m3_model_accuracy_ratio{model=\"m\"} 0.93\n"));
    assert!(text.contains("\nnoops_m12_observability_coverage_ratio 0.5\n"));
    assert!(!text.contains("nobody") && !text.contains("noops_m4_"));
}

#[test]
fn arms_are_told_apart_however_versions_change() {
    let hub = TelemetryHub::default();
    hub.arms("m").of(ArmRole::Challenger).record(
        RequestOutcome::Fallback,
        Duration::from_micros(9),
        1,
    );
    let line =
        "noops_serve_arm_requests_total{model=\"m\",arm=\"challenger\",outcome=\"fallback\"} 1\n";
    assert!(hub.to_prometheus().contains(line));
    hub.forget_model("m");
    assert!(!hub.to_prometheus().contains("arm_requests"));
}
