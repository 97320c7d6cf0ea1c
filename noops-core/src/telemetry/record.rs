use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::name::{Alias, ModelName};
use crate::units::Share;

/// How a request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PredictionStatus {
    /// By the version of the arm it was assigned to.
    Answered,
    /// By another version, because the one of its arm failed: a success of neither.
    Fallback,
    /// Not at all: the request broke the contract.
    Rejected,
    /// Not at all: no version could answer it.
    Failed,
}

impl PredictionStatus {
    /// The word that stands in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Fallback => "fallback",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

/// One prediction and the circumstances under which it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictionRecord {
    /// The id of the request, by which its label finds it.
    pub request: String,
    /// Whom or what it was about, so that a person's rows can be found; empty when nobody knows.
    pub unit: String,
    /// When it was asked.
    pub at: Timestamp,
    /// The model.
    pub model: ModelName,
    /// The version that answered, or the version of the arm when none did.
    pub version: Digest,
    /// The arm it was assigned to.
    pub arm: Alias,
    /// The challenger's share of the traffic when it was assigned.
    pub share: Share,
    /// How it was answered.
    pub status: PredictionStatus,
    /// The first number of the answer, if there was one.
    pub score: Option<f64>,
}
