//! How patient, how strict, how bold.

use std::time::Duration;

use noops_canary::rollout::{OnInconclusive, RolloutForm, RolloutSpec};
use noops_core::{Alpha, Error, ErrorKind, ModelName};
use noops_drift::{CalibrationSettings, DriftSettings, GateSettings, ProfileSettings};
use noops_policy::GovernorSettings;
use serde::{Deserialize, Serialize};

use super::judge_settings::JudgeSettings;

/// The settings of a [`Controller`](super::Controller): plain data, recorded in the first audit entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ControlSettings {
    /// The model that is looked after.
    pub model: ModelName,
    /// The stages a candidate goes through.
    pub rollout: RolloutSpec,
    /// When a candidate is good enough, and when it is bad.
    pub judge: JudgeSettings,
    /// When the champion is being harmed.
    pub harm: CalibrationSettings,
    /// When inputs have drifted.
    pub drift: DriftSettings,
    /// When a batch of inputs is broken.
    pub gate: GateSettings,
    /// The features whose range and distribution must stay those of the reference, such as lengths and identifiers in a known
    /// unit. Of the others, which may follow the seasons, the gate limits only missing, non-finite and unseen values.
    pub steady: Vec<String>,
    /// How reference profiles are made.
    pub profile: ProfileSettings,
    /// How often actions may happen.
    pub governor: GovernorSettings,
    /// The loss difference that the offline gate tolerates.
    pub offline_margin: f64,
    /// The error rate of the offline gate.
    pub offline_alpha: Alpha,
    /// How long inputs are collected before the quality gate judges them as one batch, and the block of the harm monitor.
    pub batch: Duration,
    /// Outcomes inside one such block may be correlated: the judge's unit of evidence.
    pub judge_block: Duration,
    /// How long a label is waited for. Evidence lags by this much, because a block is judged when its labels are in.
    pub label_horizon: Duration,
    /// Over how long input drift is measured.
    pub drift_window: Duration,
    /// How often the registry is searched for versions that others have put there.
    pub registry_poll: Duration,
    /// A slower answer breaks the latency objective.
    pub latency_objective: Duration,
}

impl ControlSettings {
    /// Settings for a model whose candidates go through `rollout`, everything else as documented at the fields' types: batches
    /// of a day, judged by the hour, labels within a day, drift over a week, the registry polled every hour, 200 ms.
    #[must_use]
    pub fn new(model: ModelName, rollout: RolloutSpec) -> Self {
        Self {
            model,
            rollout,
            judge: JudgeSettings::default(),
            harm: CalibrationSettings::default(),
            drift: DriftSettings::default(),
            gate: GateSettings::default(),
            steady: Vec::new(),
            profile: ProfileSettings::default(),
            governor: GovernorSettings::default(),
            offline_margin: 0.002,
            offline_alpha: Alpha::FIVE_PERCENT,
            batch: DAY,
            judge_block: HOUR,
            label_horizon: DAY,
            drift_window: DAY.saturating_mul(7),
            registry_poll: HOUR,
            latency_objective: Duration::from_millis(200),
        }
    }

    /// Refuses what a controller could not end by itself.
    pub(super) fn check(&self) -> Result<(), Error> {
        let refuse = |reason: &str| {
            Err(Error::new(
                ErrorKind::Invalid,
                "set up a controller",
                reason,
            ))
        };
        self.judge.spec()?;
        if !matches!(
            self.rollout.form(),
            RolloutForm::Canary | RolloutForm::BlueGreen
        ) {
            return refuse(
                "a controller takes rollouts of form canary and blue-green; run others from a host",
            );
        }
        let mut stages = self.rollout.stages();
        if stages.any(|stage| stage.gate().on_inconclusive() == OnInconclusive::Hold) {
            return refuse(
                "a stage waits for a person when it ends without a conclusion, and a controller hears none; let it roll back",
            );
        }
        Ok(())
    }

    /// Sets when a candidate is good enough, and when it is bad.
    #[must_use]
    pub fn with_judge(mut self, judge: JudgeSettings) -> Self {
        self.judge = judge;
        self
    }

    /// Sets when the champion is being harmed.
    #[must_use]
    pub fn with_harm(mut self, harm: CalibrationSettings) -> Self {
        self.harm = harm;
        self
    }

    /// Sets when a batch of inputs is broken.
    #[must_use]
    pub fn with_gate(mut self, gate: GateSettings) -> Self {
        self.gate = gate;
        self
    }

    /// Sets the features whose range and distribution must not move.
    #[must_use]
    pub fn with_steady(mut self, features: impl IntoIterator<Item: Into<String>>) -> Self {
        self.steady = features.into_iter().map(Into::into).collect();
        self
    }

    /// Sets how often actions may happen.
    #[must_use]
    pub fn with_governor(mut self, governor: GovernorSettings) -> Self {
        self.governor = governor;
        self
    }

    /// Sets the judge's unit of evidence.
    #[must_use]
    pub fn with_judge_block(mut self, block: Duration) -> Self {
        self.judge_block = block;
        self
    }

    /// Sets how long a label is waited for.
    #[must_use]
    pub fn with_label_horizon(mut self, horizon: Duration) -> Self {
        self.label_horizon = horizon;
        self
    }

    /// Sets how often the registry is searched.
    #[must_use]
    pub fn with_registry_poll(mut self, every: Duration) -> Self {
        self.registry_poll = every;
        self
    }
}

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
