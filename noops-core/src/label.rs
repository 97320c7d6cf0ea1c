//! What became of a prediction.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A binary outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Observed {
    /// It did not happen.
    Negative,
    /// It happened.
    Positive,
}

impl Observed {
    /// 1 for positive, 0 for negative.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Negative => 0.0,
            Self::Positive => 1.0,
        }
    }
}

impl From<bool> for Observed {
    fn from(happened: bool) -> Self {
        if happened {
            Self::Positive
        } else {
            Self::Negative
        }
    }
}

/// The label of an earlier request, which may arrive late, out of order, twice, or never.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The request it belongs to.
    pub request: String,
    /// What was observed.
    pub observed: Observed,
    /// When it became known.
    pub known_at: Timestamp,
}
