//! How this model is looked after.

use std::path::Path;
use std::time::Duration;

use noops_canary::CanaryError;
use noops_canary::rollout::{AdvanceOn, RampStage, RolloutSpec, StageGate};
use noops_canary::shadow::PairedSettings;
use noops_core::{Error, ErrorKind, Probability, Share};
use noops_drift::{CalibrationSettings, GateSettings};
use noops_policy::{Action, GovernorSettings, PolicySet};
use noops_serve::{ControlSettings, JudgeSettings, PolicyDocument, fact_schema};

use crate::failure::{Failure, fail};

/// The settings of the controller.
pub(crate) fn control() -> Result<ControlSettings, Error> {
    let model = MODEL.parse().map_err(|error| invalid().caused_by(error))?;
    let judge = JudgeSettings::default().with_min_pairs(1_500).with_paired(
        PairedSettings::default()
            .with_margin(0.002)
            .with_harm(0.002)
            .with_block_range(0.1)
            .with_min_block(20),
    );
    let governor = GovernorSettings::default()
        .with_cooldown(Action::Retrain, days(7))
        .with_cooldown(Action::Escalate, days(14))
        .with_budget(Action::Retrain, 4, days(60));
    let plan = rollout().map_err(|error| invalid().caused_by(error))?;
    Ok(ControlSettings::new(model, plan)
        .with_judge(judge)
        .with_harm(
            CalibrationSettings::default()
                .with_tolerance(0.01)
                .with_block_range(0.25),
        )
        .with_gate(GateSettings::default().with_missing_tolerance(
            Probability::new(0.3).map_err(|error| invalid().caused_by(error))?,
        ))
        .with_steady(["distance", "seats", "engines"])
        .with_governor(governor)
        .with_judge_block(hours(1))
        .with_label_horizon(hours(24))
        .with_registry_poll(hours(6)))
}

/// The model's name.
pub(crate) const MODEL: &str = "arrival-delay";

/// Shadow until the candidate is proven not to be worse, then 5 %, 25 % and 50 % of the flights as long as no harm shows, then all.
fn rollout() -> Result<RolloutSpec, CanaryError> {
    let gate = StageGate::new(hours(12), days(14), 200);
    let no_harm = gate.with_advance_on(AdvanceOn::NoHarm);
    let ramp = [(50_000, no_harm), (250_000, no_harm), (500_000, gate)];
    let stages = ramp.into_iter().filter_map(|(ppm, gate)| {
        let share = Share::from_ppm(ppm).ok()?;
        Some(RampStage::new(share, gate))
    });
    let shadow = StageGate::new(days(2), days(21), 1_500);
    RolloutSpec::canary(Some(shadow), stages.collect())
}

/// Reads and checks every policy document of a folder.
pub(crate) fn read_policies(folder: &Path) -> Result<Vec<PolicyDocument>, Failure> {
    let unreadable = |path: &Path, error: std::io::Error| {
        fail(format!(
            "cannot read the policies in `{}`: {error}",
            path.display()
        ))
    };
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml" || extension == "yml")
        {
            let source = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            documents.push(PolicyDocument { source, text });
        }
    }
    if documents.is_empty() {
        return Err(fail(format!(
            "there is no policy (.yaml) in `{}`",
            folder.display()
        )));
    }
    // A folder has no order of its own.
    documents.sort_by(|a, b| a.source.cmp(&b.source));
    let texts: Vec<(&str, &str)> = documents
        .iter()
        .map(|document| (document.source.as_str(), document.text.as_str()))
        .collect();
    let schema = fact_schema().map_err(|error| fail(error.to_string()))?;
    let policies = PolicySet::load(&texts, &schema).map_err(|error| fail(error.to_string()))?;
    match policies.run_tests().first() {
        None => Ok(documents),
        Some(failure) => Err(fail(failure.to_string())),
    }
}

fn invalid() -> Error {
    Error::new(
        ErrorKind::Invalid,
        "set up the autopilot",
        "a setting is not legal",
    )
}

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 60 * 60)
}

const fn days(days: u64) -> Duration {
    hours(days * 24)
}
