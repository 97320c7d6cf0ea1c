//! What a version saw when it was trained.

use arrow_array::RecordBatch;
use noops_core::{Error, ErrorKind, ModelVersion, Probability};
use noops_drift::{DriftError, Profile, ProfileSettings, QualityGate};
use serde::{Deserialize, Serialize};

use super::settings::ControlSettings;

/// The reference profile of a version, as it is kept in the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The training features.
    pub inputs: Profile,
    /// The version's scores on rows it was not trained on.
    pub scores: Profile,
    /// The mean of those scores.
    pub mean_score: Probability,
}

impl Reference {
    /// Profiles training features and holdout scores.
    ///
    /// # Errors
    ///
    /// `Invalid` when there is nothing to profile, or a column cannot be profiled.
    pub fn fit(
        features: &[RecordBatch],
        scores: &[f64],
        settings: &ProfileSettings,
    ) -> Result<Self, Error> {
        let inputs = Profile::fit(features, settings).map_err(drift_error)?;
        let profiled = Profile::of_values(SCORE, scores, settings).map_err(drift_error)?;
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let mean_score = Probability::new(mean).map_err(|error| {
            Error::new(ErrorKind::Invalid, PROFILE, "scores are no probabilities").caused_by(error)
        })?;
        Ok(Self {
            inputs,
            scores: profiled,
            mean_score,
        })
    }

    /// Reads the reference of a registered version.
    ///
    /// # Errors
    ///
    /// `Invalid` when it was registered without one, or with one that cannot be read.
    pub fn of(version: &ModelVersion) -> Result<Self, Error> {
        let missing = || {
            Error::new(ErrorKind::Invalid, READ, "the version has none")
                .with("version", version.number())
        };
        let stored = version
            .registration()
            .profile
            .as_ref()
            .ok_or_else(missing)?;
        Self::deserialize(stored).map_err(|error| {
            Error::new(ErrorKind::Invalid, READ, "it cannot be read")
                .with("version", version.number())
                .caused_by(error)
        })
    }
}

/// The gate that inputs of a version must pass.
pub(super) fn quality_gate(
    reference: &Reference,
    settings: &ControlSettings,
) -> Result<QualityGate, Error> {
    let suggested = QualityGate::suggest(&reference.inputs, &settings.gate).map_err(drift_error)?;
    let moving = suggested
        .columns()
        .iter()
        .filter(|column| {
            !settings
                .steady
                .iter()
                .any(|steady| steady == column.column())
        })
        .cloned()
        .collect::<Vec<_>>();
    Ok(moving.into_iter().fold(suggested, |gate, column| {
        gate.with_column(
            column
                .with_max_psi(None)
                .with_max_out_of_range(Probability::ONE),
        )
    }))
}

pub(super) fn drift_error(error: DriftError) -> Error {
    Error::new(ErrorKind::Invalid, PROFILE, error.to_string())
}

const SCORE: &str = "score";
const PROFILE: &str = "profile data";
const READ: &str = "read a reference profile";
