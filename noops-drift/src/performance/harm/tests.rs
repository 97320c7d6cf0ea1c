use noops_core::{Alpha, Observed, Probability};

use super::*;
use crate::calibration::{CalibrationMonitor, CalibrationSettings};
use crate::performance::estimate::Estimate;
use crate::performance::risk::{RiskMonitor, RiskSettings, SourceRisk};

fn signal(finding: HarmFinding) -> HarmSignal {
    HarmSignal::new("risk", finding, "the risk is 0.2")
}

fn verdict(drift: DriftFinding, findings: &[HarmFinding]) -> HarmVerdict {
    DriftAndHarm::new(drift, findings.iter().copied().map(signal).collect()).verdict()
}

#[test]
fn the_verdict_follows_from_drift_and_harm() {
    use HarmFinding::{Harmed, Undecided, Unharmed};
    let drifted = || DriftFinding::Drifted(vec!["age".to_owned()]);
    assert_eq!(verdict(drifted(), &[Harmed]), HarmVerdict::Harmed);
    assert_eq!(verdict(drifted(), &[Unharmed]), HarmVerdict::BenignDrift);
    assert_eq!(verdict(drifted(), &[Undecided]), HarmVerdict::Undecided);
    assert_eq!(
        verdict(DriftFinding::NoDrift, &[Harmed]),
        HarmVerdict::HarmedWithoutDrift
    );
    assert_eq!(
        verdict(DriftFinding::NoDrift, &[Unharmed]),
        HarmVerdict::Stable
    );
    assert_eq!(verdict(DriftFinding::NoDrift, &[]), HarmVerdict::Undecided);
    assert_eq!(
        verdict(DriftFinding::Undecided, &[Harmed]),
        HarmVerdict::Harmed
    );
    assert_eq!(
        verdict(DriftFinding::Undecided, &[Unharmed]),
        HarmVerdict::Undecided
    );
}

#[test]
fn one_signal_of_harm_outweighs_any_number_of_others() {
    use HarmFinding::{Harmed, Undecided, Unharmed};
    let found = verdict(
        DriftFinding::Drifted(vec![]),
        &[Unharmed, Undecided, Harmed, Unharmed],
    );
    assert_eq!(found, HarmVerdict::Harmed);
    assert_eq!(
        verdict(DriftFinding::NoDrift, &[Undecided, Unharmed]),
        HarmVerdict::Stable
    );
}

#[test]
fn every_verdict_explains_itself() {
    let columns = (0..5).map(|column| format!("c{column}")).collect();
    let report = DriftAndHarm::new(
        DriftFinding::Drifted(columns),
        vec![signal(HarmFinding::Harmed)],
    );
    assert_eq!(
        report.to_string(),
        "`c0`, `c1`, `c2` and `2` more columns drifted and there is harm: by risk, the risk is 0.2"
    );
    let silent = DriftAndHarm::new(DriftFinding::NoDrift, vec![]);
    assert_eq!(
        silent.to_string(),
        "no column drifted and whether there is harm is open: nothing has measured it"
    );
}

#[test]
fn an_estimate_harms_when_its_whole_interval_is_too_low() {
    let estimate = Estimate::new(0.80, 0.78, 0.82, Alpha::FIVE_PERCENT, 500).unwrap();
    let finding = |baseline: f64, tolerance: f64| {
        HarmSignal::from_estimate("accuracy", &estimate, baseline, tolerance)
            .unwrap()
            .finding()
    };
    assert_eq!(finding(0.9, 0.05), HarmFinding::Harmed);
    assert_eq!(finding(0.82, 0.05), HarmFinding::Unharmed);
    assert_eq!(finding(0.82, 0.01), HarmFinding::Undecided);
    assert!(HarmSignal::from_estimate("accuracy", &estimate, f64::NAN, 0.0).is_err());
    assert!(HarmSignal::from_estimate("accuracy", &estimate, 0.9, -0.1).is_err());
}

#[test]
fn labels_speak_through_risk_and_calibration() {
    let source = SourceRisk::fit(&[0.0; 1_000]).unwrap();
    let mut monitor = RiskMonitor::new(source, RiskSettings::default()).unwrap();
    assert_eq!(
        HarmSignal::from_risk(&monitor.evidence()).finding(),
        HarmFinding::Undecided
    );
    for row in 0..200 {
        let _ = monitor.observe(0, row, 0.5);
    }
    monitor.close_before(1);
    assert_eq!(
        HarmSignal::from_risk(&monitor.evidence()).finding(),
        HarmFinding::Harmed
    );

    let mut calibration = CalibrationMonitor::new(CalibrationSettings::default()).unwrap();
    let half = Probability::new(0.5).unwrap();
    for row in 0..100 {
        calibration.observe(
            0,
            half,
            if row % 2 == 0 {
                Observed::Positive
            } else {
                Observed::Negative
            },
        );
    }
    calibration.close_before(1);
    let evidence = calibration.evidence();
    assert_eq!(
        HarmSignal::from_calibration(&evidence, 100).finding(),
        HarmFinding::Undecided
    );
    assert_eq!(
        HarmSignal::from_calibration(&evidence, 1).finding(),
        HarmFinding::Unharmed
    );
}

#[test]
fn a_report_survives_storage() {
    let report = DriftAndHarm::new(DriftFinding::NoDrift, vec![signal(HarmFinding::Unharmed)]);
    let text = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<DriftAndHarm>(&text).unwrap(), report);
}
