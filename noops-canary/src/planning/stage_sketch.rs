use noops_core::Share;
use serde::{Deserialize, Serialize};

/// One stage to be planned: its share, and how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageSketch {
    share: Share,
    #[serde(default)]
    max_minutes: Option<f64>,
}

impl StageSketch {
    /// A stage that takes as long as it needs.
    #[must_use]
    pub fn new(share: Share) -> Self {
        Self {
            share,
            max_minutes: None,
        }
    }

    /// Sets how long it may take. Default: as long as it needs.
    #[must_use]
    pub fn with_max_minutes(mut self, minutes: f64) -> Self {
        self.max_minutes = Some(minutes);
        self
    }

    /// The candidate's share.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// How long it may take.
    #[must_use]
    pub fn max_minutes(&self) -> Option<f64> {
        self.max_minutes
    }
}
