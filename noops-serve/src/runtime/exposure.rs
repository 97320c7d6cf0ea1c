//! Who was answered by what.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Int64Array, RecordBatch, StringArray, UInt32Array,
};
use jiff::Timestamp;
use noops_canary::Arm;
use noops_core::{Digest, Error, ErrorKind, Share};
use serde::{Deserialize, Serialize};

/// Which model gave an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnsweredBy {
    /// The champion, to whom the request was assigned.
    Champion,
    /// The challenger, to whom the request was assigned.
    Challenger,
    /// Another than the one to whom the request was assigned, because that one failed or the contract says so: the champion in the
    /// place of a challenger, or the deployment's fallback. Not a success of either arm.
    Fallback,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExposureOutcome {
    /// It was answered with this score.
    Answered {
        /// The first number of the output.
        score: f32,
        /// By whom.
        by: AnsweredBy,
    },
    /// It broke the contract.
    Rejected,
    /// No model was asked: too much waited, or there was no time. It says nothing about an arm.
    Refused,
    /// No model could answer it.
    Failed,
}

/// The record of one row: what was decided about it, with the share in force at that moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exposure {
    /// The id of the row.
    pub request: String,
    /// When it was asked.
    pub at: Timestamp,
    /// The arm it was assigned to.
    pub arm: Arm,
    /// The challenger's share when it was assigned; with several challengers, the share of the one that was assigned, and all of them
    /// together for the champion.
    pub share: Share,
    /// Whether the arm was left to chance: what the request or a list forced is nothing to judge by.
    #[serde(default = "yes")]
    pub in_analysis: bool,
    /// The version that answered, or the version of the arm when none did.
    pub version: Digest,
    /// What became of it.
    pub outcome: ExposureOutcome,
    /// How many of its values broke the contract and were repaired.
    pub repaired: u32,
    /// How long the answer took on the host's clock, in microseconds.
    pub latency_us: u64,
}

impl Exposure {
    /// Records as Arrow columns: `request`, `at_us` (since the epoch), `arm`, `share_ppm`,
    /// `in_analysis`, `version`, `outcome`, `score`,
    /// `repaired`, `latency_us`.
    ///
    /// # Errors
    ///
    /// `Invalid` when Arrow refuses the columns.
    pub fn to_record_batch(exposures: &[Self]) -> Result<RecordBatch, Error> {
        let text = |value: fn(&Self) -> String| {
            Arc::new(StringArray::from_iter_values(exposures.iter().map(value))) as ArrayRef
        };
        let scores = exposures.iter().map(|exposure| match exposure.outcome {
            ExposureOutcome::Answered { score, .. } => Some(score),
            ExposureOutcome::Rejected | ExposureOutcome::Refused | ExposureOutcome::Failed => None,
        });
        let columns: [(&str, ArrayRef); 10] = [
            ("request", text(|exposure| exposure.request.clone())),
            (
                "at_us",
                Arc::new(
                    exposures
                        .iter()
                        .map(|exposure| Some(exposure.at.as_microsecond()))
                        .collect::<Int64Array>(),
                ),
            ),
            ("arm", text(|exposure| arm_name(exposure.arm).to_owned())),
            (
                "share_ppm",
                Arc::new(
                    exposures
                        .iter()
                        .map(|exposure| Some(exposure.share.ppm()))
                        .collect::<UInt32Array>(),
                ),
            ),
            (
                "in_analysis",
                Arc::new(
                    exposures
                        .iter()
                        .map(|exposure| Some(exposure.in_analysis))
                        .collect::<BooleanArray>(),
                ),
            ),
            ("version", text(|exposure| exposure.version.to_string())),
            (
                "outcome",
                text(|exposure| outcome_name(exposure.outcome).to_owned()),
            ),
            ("score", Arc::new(scores.collect::<Float32Array>())),
            (
                "repaired",
                Arc::new(
                    exposures
                        .iter()
                        .map(|exposure| Some(exposure.repaired))
                        .collect::<UInt32Array>(),
                ),
            ),
            (
                "latency_us",
                Arc::new(
                    exposures
                        .iter()
                        .map(|exposure| i64::try_from(exposure.latency_us).ok())
                        .collect::<Int64Array>(),
                ),
            ),
        ];
        RecordBatch::try_from_iter_with_nullable(
            columns
                .into_iter()
                .map(|(name, column)| (name, column, name == "score")),
        )
        .map_err(|error| {
            Error::new(
                ErrorKind::Invalid,
                "write exposures as Arrow",
                "the columns do not fit",
            )
            .caused_by(error)
        })
    }
}

fn yes() -> bool {
    true
}

fn arm_name(arm: Arm) -> &'static str {
    match arm {
        Arm::Champion => "champion",
        Arm::Challenger => "challenger",
    }
}

fn outcome_name(outcome: ExposureOutcome) -> &'static str {
    match outcome {
        ExposureOutcome::Answered {
            by: AnsweredBy::Fallback,
            ..
        } => "fallback",
        ExposureOutcome::Answered { .. } => "answered",
        ExposureOutcome::Rejected => "rejected",
        ExposureOutcome::Refused => "refused",
        ExposureOutcome::Failed => "failed",
    }
}
